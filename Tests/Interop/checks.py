"""What it means that people in a meeting see and hear each other."""

from __future__ import annotations

from itertools import permutations

from chromium import Participant
from lab import wait_until
from peer import Member

Viewer = Participant | Member


def slot_of(viewer: Viewer, other: str, source: str) -> dict | None:
    """The Slot in which the server says that `viewer` gets this source of a participant."""
    for slot in viewer.observations():
        if slot.get("participant_id") == other and slot.get("source") == source:
            return slot
    return None


def _frames(viewer: Viewer, other: Viewer) -> int:
    slot = slot_of(viewer, other.participant_id, "video")
    return slot["frames"] if slot else 0


def _wait_first_frame(viewer: Viewer, other: Viewer, timeout: float) -> int:
    """How many frames were decoded until it was looked."""
    return wait_until(
        f"{viewer.name} to see {other.name}", lambda: _frames(viewer, other), timeout, explain=viewer.observations
    )


def _check_goes_on(viewer: Viewer, other: Viewer, first: int, timeout: float) -> None:
    wait_until(
        f"{viewer.name} to go on seeing {other.name}",
        lambda: _frames(viewer, other) > first + 10,
        timeout,
        explain=viewer.observations,
    )
    mid = slot_of(viewer, other.participant_id, "video")["mid"]
    wait_until(
        f"{viewer.name} to see {other.colour} for {other.name}",
        lambda: viewer.picture(mid) == other.colour,
        timeout,
        explain=lambda: viewer.picture(mid),
    )


def check_sees(viewer: Viewer, other: Viewer, timeout: float = 20) -> None:
    """Frames are decoded, go on being decoded, and show the other's colour."""
    _check_goes_on(viewer, other, _wait_first_frame(viewer, other, timeout), timeout)


def check_hears(viewer: Viewer, other: Viewer, timeout: float = 20) -> None:
    """Sound with energy arrives, and it is the other's tone."""

    def slot() -> dict | None:
        return slot_of(viewer, other.participant_id, "audio")

    wait_until(
        f"{viewer.name} to hear {other.name}", lambda: (slot() or {}).get("sound"), timeout, explain=viewer.observations
    )
    mid = slot()["mid"]
    wait_until(
        f"{viewer.name} to hear the tone of {other.name}",
        lambda: viewer.tone(mid) == other.colour,
        timeout,
        explain=lambda: viewer.tone(mid),
    )


def check_gets(viewer: Viewer, other: Viewer, timeout: float = 20) -> None:
    """Pictures and sound arrive and go on, whatever they are."""
    first = _wait_first_frame(viewer, other, timeout)
    wait_until(
        f"{viewer.name} to get {other.name}",
        lambda: (
            _frames(viewer, other) > first + 10
            and (slot_of(viewer, other.participant_id, "audio") or {}).get("sound")
        ),
        timeout,
        explain=viewer.observations,
    )


def check_everyone_gets_everyone(*people: Viewer) -> None:
    pairs = list(permutations(people, 2))
    # All frames go on at the same time.
    first = {pair: _wait_first_frame(*pair, timeout=20) for pair in pairs}
    for pair in pairs:
        _check_goes_on(*pair, first[pair], timeout=20)
    for pair in pairs:
        check_hears(*pair)


def check_gone(viewer: Viewer, participant: str, timeout: float) -> None:
    """The participant is listed no more and sits in no Slot."""
    wait_until(
        f"{viewer.name} to see someone go",
        lambda: (
            participant not in viewer.others()
            and not any(slot.get("participant_id") == participant for slot in viewer.observations())
        ),
        timeout,
        explain=lambda: (viewer.others(), viewer.observations()),
    )
