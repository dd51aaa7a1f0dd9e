"""The web client in Debian's Firefox, among participants of other kinds."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from checks import check_gets, check_gone, check_sees
from conftest import Stage
from firefox import Firefox


def test_firefox_and_the_others_see_and_hear_each_other(stage: Stage, tmp_path: Path) -> None:
    lab = stage.make_lab(clients=3)
    server = stage.start_server()
    meeting = server.create_meeting()
    peer = stage.peer("client2", meeting, "Green", "green")
    peer.join()
    blue = stage.chromium("client3", "blue").join(server.origin(), meeting, "Blue")
    with Firefox(lab, "client1", tmp_path) as firefox:
        fox = firefox.join(server.origin(), meeting, "Fox")
        for other in (peer, blue):
            check_sees(fox, other)
            # Not which tone it is: without a sound card Firefox's AudioContext does not start.
            check_gets(fox, other)
            check_gets(other, fox)

        firefox.evaluate("() => document.querySelector('#mute').click()")
        muted = f"(each) => each.participant_id === '{fox.participant_id}' && !each.audio"
        blue.page.wait_for_function(f"() => window.needletail.participants.some({muted})")
        firefox.evaluate("() => document.querySelector('#leave').click()")
        check_gone(blue, fox.participant_id, timeout=10)


# What is left of a page that goes away: neither its request nor its last message comes through.
SILENCED = """() => {
    window.fetch = () => new Promise(() => {});
    WebSocket.prototype.send = () => {};
    location.reload();
}"""


def test_a_page_that_is_loaded_again_leaves_no_ghost(stage: Stage, tmp_path: Path, say: Callable[[str], None]) -> None:
    """Its socket is lost, and its media connection is closed: together a leave."""
    lab = stage.make_lab(clients=2)
    server = stage.start_server()
    meeting = server.create_meeting()
    blue = stage.chromium("client2", "blue").join(server.origin(), meeting, "Blue")
    blue.wait_connected()
    with Firefox(lab, "client1", tmp_path) as firefox:
        for how, script in (("reload", "() => location.reload()"), ("silenced", SILENCED)):
            fox = firefox.join(server.origin(), meeting, "Fox")
            check_gets(blue, fox)
            before = fox.participant_id
            began = time.monotonic()
            firefox.evaluate(script)
            check_gone(blue, before, timeout=10)
            took = time.monotonic() - began
            say(f"{how}: gone after {took:.1f} s")
            assert took < 5
