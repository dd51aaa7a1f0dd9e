"""Single streams by WHIP and WHEP: GStreamer's webrtcbin publishes and plays, aiortc is in the meeting."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from checks import check_gone, check_hears, slot_of
from conftest import Stage
from lab import wait_until
from peer import Peer, Streamer

CODECS = ["vp8", "h264"]


class Studio:
    """A meeting with a viewer in it, and the token of its owner."""

    def __init__(self, stage: Stage) -> None:
        stage.make_lab(clients=2)
        self.stage, self.server = stage, stage.start_server()
        self.token = self.server.call("GET", "/api/v1/dev/token")["token"]
        self.meeting = self.server.create_meeting()

    def viewer(self) -> Peer:
        viewer = self.stage.peer("client1", self.meeting, "Viewer", "green")
        viewer.join()
        return viewer

    def publisher(self, codec: str, query: str = "?name=Camera") -> Streamer:
        return self.stage.streamer("client2", f"/whip/{self.meeting}{query}", self.token, codec, "red")

    def player(self, codec: str, query: str = "") -> Streamer:
        return self.stage.streamer("client2", f"/whep/{self.meeting}{query}", self.token, codec)


def check_shows(streamer: Streamer, colour: str) -> dict:
    """A picture of this colour and its tone are played."""

    def shows() -> dict | None:
        seen = streamer.observe()
        return seen if seen["video"].get("colour") == seen["audio"].get("tone") == colour else None

    return wait_until(f"{colour} to be played", shows, timeout=15, explain=streamer.observe)


@pytest.mark.parametrize("codec", CODECS)
def test_a_publisher_is_seen_within_a_second(stage: Stage, codec: str, say: Callable[[str], None]) -> None:
    studio = Studio(stage)
    viewer = studio.viewer()
    publisher = studio.publisher(codec)
    opened = publisher.open()
    publisher.colour, publisher.participant_id = "red", opened["session"].rpartition("/")[2]

    def first() -> float | None:
        return (slot_of(viewer, publisher.participant_id, "video") or {}).get("first")

    wait_until("the viewer to see the stream", first, timeout=15, explain=viewer.observations)
    answered, seen = opened["answered"] - opened["posted"], first() - opened["posted"]
    say(f"WHIP, {codec}: {answered * 1000:.0f} ms to the answer, {seen * 1000:.0f} ms to the first frame")
    assert publisher.trickle() == 204
    joined = viewer.messages("participant_joined")[-1]["participant"]
    assert (joined["display_name"], joined["audio"], joined["video"]) == ("Camera", True, True)
    mid = slot_of(viewer, publisher.participant_id, "video")["mid"]
    wait_until("the viewer to see red", lambda: viewer.picture(mid) == "red", timeout=10, explain=viewer.observations)
    check_hears(viewer, publisher)
    assert publisher.end() == 200
    check_gone(viewer, publisher.participant_id, timeout=5)
    assert studio.server.metric("needletail_participants") == 1
    assert seen < 1


@pytest.mark.parametrize("codec", CODECS)
def test_a_player_shows_who_publishes(stage: Stage, codec: str, say: Callable[[str], None]) -> None:
    studio = Studio(stage)
    publisher = studio.publisher(codec)
    source = publisher.open()["session"].rpartition("/")[2]
    player = stage.streamer("client1", f"/whep/{studio.meeting}?participant={source}", studio.token, codec)
    opened = player.open()
    seen = check_shows(player, "red")
    say(f"WHEP, {codec}: {(seen['video']['first'] - opened['posted']) * 1000:.0f} ms to the first frame")
    # A player has nothing to play when its source leaves, and ends.
    assert publisher.end() == 200
    wait_until("the player to be let go", lambda: studio.server.metric("needletail_participants") == 0, timeout=5)
    assert player.end() == 404


def test_a_player_shows_the_meeting(stage: Stage) -> None:
    studio = Studio(stage)
    viewer = studio.viewer()
    player = studio.player("vp8", "?name=Wall")
    player.open()
    check_shows(player, "green")
    joined = viewer.messages("participant_joined")[-1]["participant"]
    assert (joined["display_name"], joined["audio"], joined["video"]) == ("Wall", False, False)
    assert player.end() == 200
    check_gone(viewer, joined["participant_id"], timeout=5)
