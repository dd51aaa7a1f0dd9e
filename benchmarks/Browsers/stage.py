"""A meeting in the lab: two publishers of real bitrate, a Chromium that watches them, and one who counts what arrives on a
good line."""

from __future__ import annotations

import math
import sys
from contextlib import ExitStack
from pathlib import Path

from chromium import Chromium
from lab import Lab, wait_until
from peer import Counter, Publisher
from playwright.sync_api import Playwright
from server import Server
from viewing import ASK_FOR_ALL, Viewing

VIEWER, COUNTER = "client3", "client4"
HEIGHT = 720


class Meeting:
    def __init__(self, stack: ExitStack, playwright: Playwright, binary: Path, folder: Path) -> None:
        self.lab = stack.enter_context(Lab(clients=4))
        # One worker: the other core is the browser's.
        self.server = stack.enter_context(Server(self.lab, folder, cores=(0,), binary=binary))
        origin, meeting = self.server.origin(), self.server.create_meeting()
        self.publishers = []
        for first, (host, colour) in enumerate((("client1", "red"), ("client2", "blue"))):
            publisher = Publisher(self.lab, host, origin, meeting, colour, folder, first)
            stack.callback(publisher.close)
            publisher.join()
            self.publishers.append(publisher)
        self.counter = Counter(self.lab, COUNTER, origin, meeting, folder)
        stack.callback(self.counter.close)
        self.counter.join()
        browser = Chromium(playwright, self.lab, VIEWER, "green", folder, script=ASK_FOR_ALL)
        stack.callback(_close, browser)
        viewer = browser.join(origin, meeting, "Viewer")
        viewer.wait_connected(40)
        # It only watches: an encoder's time would be missing to the decoders.
        viewer.page.click("#camera")
        viewer.page.click("#mute")
        self.viewing = Viewing(viewer)

    @property
    def people(self) -> list[str]:
        return [publisher.participant_id for publisher in self.publishers]

    def settle(self) -> None:
        """Until both pictures are as large as they are sent."""
        if not self.viewing.wait_for_size(self.people, HEIGHT, timeout=40):
            print(f"browsers: the viewer has no two pictures of {HEIGHT} lines in 40 s", file=sys.stderr)
        self.viewing.watch(3)

    def wait_until_back(self, moment: float, timeout: float) -> None:
        """Until both pictures are as before, and a little longer."""

        def is_back() -> bool:
            self.viewing.watch(0.5)
            return self.back_after(moment) is not None

        try:
            wait_until("both pictures to be back", is_back, timeout, every=0)
        except AssertionError:
            pass
        self.viewing.watch(1)

    def moves_after(self, began: float, ended: float = math.inf) -> list[float | None]:
        """Of each picture, seconds from a moment until it moves; None: not until the end."""
        return [self.viewing.moves_after(each, began, ended) for each in self.people]

    def back_after(self, moment: float) -> float | None:
        """Seconds from a moment until both pictures move and are as large as they are sent."""
        times = [*self.moves_after(moment), self.viewing.sized_after(self.people, HEIGHT, moment)]
        return None if None in times else max(times)

    def queue_drops(self) -> int:
        """Packets that did not find place in the queue of the viewer's line."""
        shown = self.lab.run("switch", "tc", "-s", "qdisc", "show", "dev", VIEWER).stdout
        return int(shown.partition("dropped ")[2].partition(",")[0] or 0) if "tbf" in shown else 0


def _close(browser: Chromium) -> None:
    """Another build may say more than the schema of this one has."""
    try:
        browser.close()
    except AssertionError as error:
        print(f"browsers: {str(error)[:300]}", file=sys.stderr)
