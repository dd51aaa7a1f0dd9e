"""The waiting room, as its guests and the host see it in the web client."""

from __future__ import annotations

import time
from collections.abc import Callable

from checks import check_hears, check_sees
from chromium import Chromium, Participant
from conftest import Stage
from lab import RESULTS, wait_until


def test_a_host_lets_people_in_and_sends_one_away(stage: Stage, say: Callable[[str], None]) -> None:
    stage.make_lab(clients=3)
    server = stage.start_server()
    token = server.call("GET", "/api/v1/dev/token")["token"]
    plan = {"topic": "Doors", "type": "instant", "settings": {"waiting_room": True}}
    made = server.call("POST", "/api/v1/meetings", plan, token)

    def enter(browser: Chromium, name: str, key: str = "") -> Participant:
        query = f"meeting={made['meeting_id']}&name={name}&autojoin=1&slots=4{key}"
        return Participant(browser.open(f"{server.origin()}/?{query}"), name, name.lower())

    red = enter(stage.chromium("client1", "red"), "Red", f"#host_key={made['host_key']}")
    red.wait_connected()
    blue = enter(stage.chromium("client2", "blue"), "Blue")
    blue.page.wait_for_selector("#waiting:visible")
    assert blue.page.inner_text("#waiting-topic") == "Doors"
    assert blue.page.evaluate("() => window.needletail?.connection ?? null") is None
    red.page.wait_for_selector("#wait-count:visible")
    assert not red.page.locator("#board .tile", has_text="Blue").count()
    blue.page.screenshot(path=RESULTS / "waiting-guest.png")

    red.page.click("#show-people")
    assert red.page.inner_text("#waiters-title") == "1 waits to be let in"
    red.page.screenshot(path=RESULTS / "waiting-host.png")
    started = time.monotonic()
    red.page.get_by_role("button", name="Admit Blue").click()
    blue.wait_connected()
    connected = time.monotonic() - started
    check_sees(red, blue)
    check_sees(blue, red)
    check_hears(red, blue)
    seen = time.monotonic() - started
    assert not red.page.is_visible("#waiters")
    # Nobody but hosts hears of those who wait.
    assert not blue.page.locator("#waiters:visible").count()

    browser = stage.chromium("client3", "green")
    green = enter(browser, "Green")
    green.page.wait_for_selector("#waiting:visible")
    red.page.get_by_role("button", name="Deny Green").click()
    green.page.wait_for_selector("#waiting", state="hidden")
    assert "let you in" in green.page.inner_text("#lobby-view")
    wait_until("nobody to wait", lambda: not red.page.is_visible("#waiters"), timeout=10)

    # Who waits when the door is opened comes in.
    green.page.click("#join-button")
    green.page.wait_for_selector("#waiting:visible")
    red.page.wait_for_selector("#waiters:visible")
    red.page.click("#allow-enter")
    green.wait_connected()
    check_sees(green, red)
    say(f"let in by the host: connected after {connected:.1f} s, seen and heard after {seen:.1f} s")
