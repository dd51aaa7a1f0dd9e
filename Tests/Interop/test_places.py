"""Who gets into a meeting: a host by the start link, and five hundred people behind one address."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

from chromium import Participant
from conftest import Stage
from playwright.sync_api import Page


def words(page: Page, selector: str, text: str) -> None:
    """Waits until an element says it."""
    page.wait_for_function(
        "([selector, text]) => document.querySelector(selector).innerText.includes(text)", arg=[selector, text]
    )


def test_a_start_link_makes_a_host(stage: Stage) -> None:
    stage.make_lab(clients=2)
    server = stage.start_server()
    token = server.call("GET", "/api/v1/dev/token")["token"]
    plan = {"topic": "Tea", "type": "instant", "settings": {"join_before_host": False}}
    meeting = server.call("POST", "/api/v1/meetings", plan, token)
    number, key = meeting["meeting_number"], meeting["host_key"]
    guest = stage.chromium("client2", "blue").join(server.origin(), number, "Guest")
    words(guest.page, "#lobby-problem", "not open yet")

    query, _, fragment = meeting["start_url"].partition("?")[2].partition("#")
    assert fragment == f"host_key={key}"
    start = f"{server.origin()}/?{query}&name=Host&autojoin=1#{fragment}"
    page = stage.chromium("client1", "red").open(start)
    host = Participant(page, "Host", "red")
    host.wait_connected()
    assert page.evaluate("() => window.needletail.you.role") == "host"
    assert key not in page.evaluate("() => location.href + JSON.stringify(history.state) + document.body.innerHTML")
    assert page.evaluate("() => history.length") <= 2

    guest.page.click("#join-button")
    guest.wait_connected()
    assert guest.page.is_hidden("#lock") and guest.page.is_hidden("#end")
    page.click("#lock")
    words(page, "#lock", "Unlock")
    guest.page.wait_for_selector("#locked:not([hidden])")
    late = stage.chromium("client2", "green").join(server.origin(), number, "Late")
    words(late.page, "#lobby-problem", "locked")

    # The page that is loaded again is the host's still.
    page.goto(f"{server.origin()}/?{query}&name=Host&autojoin=1")
    host.wait_connected()
    assert page.evaluate("() => window.needletail.you.role") == "host"
    page.click("#lock")
    words(page, "#lock", "Lock")
    late.page.click("#join-button")
    late.wait_connected()
    page.click("#end")
    page.click("#end-for-all")
    for each in (page, guest.page, late.page):
        words(each, "#ended-title", "has ended")
    assert server.metric("needletail_participants") == 0


def test_five_hundred_behind_one_address_are_in(stage: Stage, say: Callable[[str], None]) -> None:
    lab = stage.make_lab(clients=1)
    server = stage.start_server()
    token = server.call("GET", "/api/v1/dev/token")["token"]
    plan = {"topic": "Assembly", "type": "instant", "settings": {"max_participants": 500}}
    meeting = server.call("POST", "/api/v1/meetings", plan, token)["meeting_number"]
    program = str(Path(__file__).with_name("office.py"))
    options = ["--origin", server.origin(), "--meeting", meeting, "--people", "500"]
    done = lab.run("client1", sys.executable, program, *options, timeout=120)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    say(f"500 people behind one address within 10 s: {told}")
    assert told["failures"] == [] and told["in"] == 500
    assert told["last"] <= 30
