"""Twenty who talk in four meetings while something goes wrong around their node."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from lab import Lab, wait_until
from peer import Talkers
from server import Server

PEOPLE, IN_A_MEETING = 20, 5
HOSTS = ("client1", "client2")
# Seconds. A voice has 17 packets in one; clients and the node share two cores.
LONGEST_GAP = 1.5


class Crowd:
    """In each meeting of five everybody talks, one has a camera, and all hear and see everybody."""

    def __init__(self, lab: Lab, folder: Path, server: Server, name: str = "") -> None:
        """`name` tells it from another in the same folder."""
        self.server = server
        meetings = [server.create_meeting() for _ in range(PEOPLE // IN_A_MEETING)]
        places = [(meeting, seat == 0) for meeting in meetings for seat in range(IN_A_MEETING)]
        below = folder / f"crowd{name}"
        below.mkdir()
        self.hosts = [
            Talkers(lab, host, server.origin(), places[number :: len(HOSTS)], IN_A_MEETING - 1, below)
            for number, host in enumerate(HOSTS)
        ]
        # By who hears, whom and what: the longest time without a packet, in seconds.
        self._gaps: dict[tuple[str, str, str], float] = {}

    def join(self) -> None:
        with ThreadPoolExecutor() as pool:
            list(pool.map(Talkers.join, self.hosts))
        wait_until("all to have each other", lambda: not self.missing(), timeout=30, explain=self.missing)
        self.recovery()

    def heard(self) -> list[dict]:
        """Of each of the twenty."""
        return [member for host in self.hosts for member in host.heard()["members"]]

    def missing(self) -> list[str]:
        """What keeps this from being whole: everybody knows of all others in the meeting, and has a Slot with each voice and one
        with the camera, but whose it is."""
        members, found = self.heard(), []
        for member in members:
            voices = sorted(source["from"] for source in member["sources"] if source["kind"] == "audio")
            if len(member["others"]) != IN_A_MEETING - 1:
                found.append(f"{member['id']} knows of {member['others']}")
            if voices != member["others"]:
                found.append(f"{member['id']} has the voices of {voices}, and knows of {member['others']}")
        seen = sum(source["kind"] == "video" for member in members for source in member["sources"])
        if seen != PEOPLE - PEOPLE // IN_A_MEETING:
            found.append(f"{seen} have a picture")
        return found

    def _sources(self) -> dict[tuple[str, str, str], dict]:
        """By who hears, whom and what."""
        found = {
            (member["id"], source["from"], source["kind"]): source
            for member in self.heard()
            for source in member["sources"]
        }
        for way, source in found.items():
            self._gaps[way] = max(self._gaps.get(way, 0), source["gap_s"])
        return found

    def recovery(self, timeout: float = 30) -> float:
        """Seconds from now until everybody has five more packets of each voice and two of each picture."""
        began, before = time.monotonic(), self._sources()

        def more() -> bool:
            now = self._sources()
            return all(
                now[way]["received"] >= source["received"] + (5 if source["kind"] == "audio" else 2)
                for way, source in before.items()
            )

        wait_until("all to hear and see each other again", more, timeout=timeout, every=0.05)
        return time.monotonic() - began

    def _seconds_of_work(self) -> float:
        return sum(host.heard()["cpu_s"] for host in self.hosts)

    @contextmanager
    def loses_nothing(self, say: Callable[[str], None], what: str) -> Iterator[None]:
        """Meanwhile all go on: of no voice and no picture is a packet missing or late for anybody, everybody keeps the
        others, and the process is the same."""
        worked, before, began = self._seconds_of_work(), self._sources(), time.monotonic()
        self._gaps.clear()
        yield
        self.recovery()
        after, seconds = self._sources(), time.monotonic() - began
        assert self.server.process.poll() is None
        assert not self.missing(), self.missing()
        assert after.keys() == before.keys() and len(after) == PEOPLE * (IN_A_MEETING - 1) + PEOPLE - PEOPLE // IN_A_MEETING
        lost = {way: after[way]["lost"] - before[way]["lost"] for way in before}
        assert not any(lost.values()), f"packets were lost: { {way: count for way, count in lost.items() if count} }"
        longest = max(self._gaps.values())
        assert longest < LONGEST_GAP, f"nothing came for {longest:.2f} s"
        count = sum(after[way]["received"] - before[way]["received"] for way in before)
        share = (self._seconds_of_work() - worked) / seconds
        say(
            f"{what}: {len(after)} streams to {PEOPLE} people, {count} packets in {seconds:.1f} s, none lost;"
            f" the longest gap {longest * 1_000:.0f} ms; clients took {share:.2f} of a core"
        )

    def kill(self) -> None:
        for host in self.hosts:
            host.kill()

    def leave(self) -> None:
        for host in self.hosts:
            host.leave()

    def close(self) -> None:
        for host in self.hosts:
            host.close()
