"""A browser encodes of its camera the layers that anybody wants, and no others."""

from __future__ import annotations

import time
from collections.abc import Callable

from checks import slot_of
from chromium import Participant
from conftest import Stage
from lab import wait_until
from test_meeting import KEEP_SOCKET, SHOW


def wait_encoded(publisher: Participant, *rids: str, look: Callable[[], object] = lambda: None) -> None:
    """Until there is half a second in which these layers are encoded and no others."""
    seen: dict = {}

    def encoded() -> bool:
        # Again, as the page itself says what it shows when that changes.
        look()
        seen.update(publisher.encodes())
        return {rid for rid, layer in seen.items() if layer["frames"]} == set(rids)

    wait_until(f"layers {rids} to be encoded alone", encoded, timeout=30, every=0, explain=lambda: seen)


class Viewer:
    """One who has a single Slot, and sees `other` in it."""

    def __init__(self, page: Participant, other: Participant) -> None:
        self.page, self._other = page, other
        page.wait_connected()
        wait_until("the Slot to be the other's", self.slot, timeout=20, explain=page.observations)

    def slot(self) -> dict | None:
        return slot_of(self.page, self._other.participant_id, "video")

    def look(self, height: int, rid: str) -> float:
        """In a tile of so many lines, until `rid` alone is encoded; answers after how many seconds a frame came."""

        def show() -> None:
            self.page.page.evaluate(SHOW, [self._other.participant_id, height])

        before, started = self.slot()["frames"], time.monotonic()
        show()
        wait_until("a frame", lambda: self.slot()["frames"] > before, 20, every=0.02, explain=self.page.observations)
        took = time.monotonic() - started
        wait_encoded(self._other, rid, look=show)
        return took


def test_only_wanted_layers_are_encoded(stage: Stage, say: Callable[[str], None]) -> None:
    stage.make_lab(clients=2)
    server = stage.start_server()
    meeting = server.create_meeting()
    red = stage.chromium("client1", "red", size=(640, 360)).join(server.origin(), meeting, "Red")
    browser = stage.chromium("client2", "blue", script=KEEP_SOCKET)
    red.wait_connected()
    wait_encoded(red)

    blue = Viewer(browser.join(server.origin(), meeting, "Blue", slots=1), red)
    waits = [blue.look(90, "q"), blue.look(360, "h")]
    assert blue.page.picture(blue.slot()["mid"]) == red.colour
    blue.page.leave()
    wait_encoded(red)
    blue = Viewer(browser.join(server.origin(), meeting, "Blue", slots=1), red)
    waits.append(blue.look(360, "h"))
    say("frames after {:.2f} s at first, {:.2f} s in a larger tile, {:.2f} s when nobody had looked".format(*waits))
