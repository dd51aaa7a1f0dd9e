"""Sharing a tab of Chromium: who sees and hears it, how, and who stops it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import media
import pytest
from checks import check_sees, slot_of
from chromium import Participant
from conftest import Stage
from lab import RESULTS, wait_until
from playwright.sync_api import Page
from server import BINARY
from test_host import Person
from test_meeting import KEEP_SOCKET
from test_shared_meeting import Fleet

TITLE = "Slides of the lab"
COLOUR = "yellow"

# A page that stands still, and hums where it is told to.
SLIDES = """<title>{title}</title><body style="margin:0;background:rgb{rgb}"><script>
    const context = new AudioContext(), tone = new OscillatorNode(context, {{ frequency: {hertz} }});
    tone.connect(new GainNode(context, {{ gain: 0.3 }})).connect(context.destination);
    tone.start();
</script>"""

# How the tile of the screen lies, and its picture in it: widths and heights in CSS pixels.
TILE = """() => {
    const tile = document.querySelector("#board .tile.screen");
    const video = tile?.querySelector("video");
    return tile && { live: tile.classList.contains("live"), large: tile.classList.contains("large"), width: tile.clientWidth,
        video: video.clientWidth, whole: video.videoWidth, zoomed: tile.querySelector(".zoom-pane").matches(".zoomed"),
        left: tile.querySelector(".zoom-pane").scrollLeft, focused: document.activeElement.className };
}"""

SHARED = "() => window.needletail.pc.getSenders().filter(({ track }) => track?.readyState === 'live').length"


def show_slides(page: Page) -> Page:
    """The tab that is shared, beside the page that shares it."""
    slides = page.context.new_page()
    text = SLIDES.format(title=TITLE, rgb=media.COLOURS[COLOUR], hertz=media.TONES[COLOUR])
    slides.goto(f"data:text/html,{quote(text)}")
    page.bring_to_front()
    return slides


def tile(viewer: Participant) -> dict:
    return viewer.page.evaluate(TILE) or {}


def check_sees_screen(viewer: Participant, other: Participant, colour: str = COLOUR, timeout: float = 15) -> float:
    """It is large and has the right colour; answers after how many seconds it showed something."""
    began = time.monotonic()
    wait_until(
        f"{viewer.name} to see the screen of {other.name}",
        lambda: tile(viewer).get("live") and tile(viewer)["large"],
        timeout,
        explain=lambda: (tile(viewer), viewer.observations()),
    )
    took = time.monotonic() - began
    # A picture that stands still sends few frames: what the tile shows is looked at.
    wait_until(
        f"{viewer.name} to see {colour} slides",
        lambda: media.nearest_colour(tuple(colour_of(viewer))) == colour,
        timeout,
        explain=lambda: (colour_of(viewer), tile(viewer), viewer.observations()),
    )
    return took


def colour_of(viewer: Participant) -> list[float]:
    """What stands in the middle of the screen's tile, as (r, g, b)."""
    return viewer.page.evaluate(
        """() => {
            const context = Object.assign(document.createElement("canvas"), { width: 8, height: 8 }).getContext("2d");
            context.drawImage(document.querySelector("#board .tile.screen video"), 0, 0, 8, 8);
            return [...context.getImageData(4, 4, 1, 1).data].slice(0, 3);
        }"""
    )


def check_no_screen(*viewers: Participant) -> None:
    for viewer in viewers:
        wait_until(f"{viewer.name} to see no screen", lambda viewer=viewer: not tile(viewer), timeout=10)


def check_hears_slides(viewer: Participant, other: Participant) -> None:
    """The sound of the tab is in an audio Slot of the one who shares it."""

    def tones() -> list[str | None]:
        slots = [slot for slot in viewer.observations() if slot.get("source") == "audio"]
        return [viewer.tone(slot["mid"]) for slot in slots if slot["participant_id"] == other.participant_id]

    wait_until(f"{viewer.name} to hear the slides", lambda: COLOUR in tones(), timeout=15, explain=tones)


def wait_button(person: Person, pressed: bool, barred: bool = False) -> None:
    def state() -> tuple[str | None, str | None]:
        return person.page.get_attribute("#share", "aria-pressed"), person.page.get_attribute("#share", "aria-disabled")

    wanted = (str(pressed).lower(), str(barred).lower())
    wait_until(f"the button of {person.name} to be {wanted}", lambda: state() == wanted, timeout=10, explain=state)


def check_look_closer(viewer: Person) -> None:
    """By a double click, by the button and by keys."""
    page = viewer.page
    page.dblclick("#board .tile.screen video", position={"x": 50, "y": 50})
    wait_until("its own size", lambda: tile(viewer)["video"] == tile(viewer)["whole"], 5, explain=lambda: tile(viewer))
    assert tile(viewer)["zoomed"] and tile(viewer)["whole"] > tile(viewer)["width"]
    before = tile(viewer)["left"]
    page.keyboard.press("ArrowRight")
    wait_until("it to move", lambda: tile(viewer)["left"] > before, 5, explain=lambda: tile(viewer))
    page.screenshot(path=RESULTS / "screen-close.png")
    page.keyboard.press("Escape")
    assert not tile(viewer)["zoomed"] and "zoom" in tile(viewer)["focused"]
    assert page.is_visible("#panel"), "Escape left the closer look alone"
    page.keyboard.press("Enter")
    assert tile(viewer)["zoomed"]
    page.focus("#mute")
    page.keyboard.press("Escape")
    assert not tile(viewer)["zoomed"] and page.is_visible("#panel")


# A minute of it is waited for, in which nothing moves.
@pytest.mark.timeout(300)
def test_a_tab_is_shared_and_stopped(stage: Stage, say: Callable[[str], None]) -> None:
    stage.make_lab(clients=3)
    server = stage.start_server()
    token = server.call("GET", "/api/v1/dev/token")["token"]
    made = server.call("POST", "/api/v1/meetings", {"topic": "Screens", "type": "instant"}, token)
    browsers = {
        "red": stage.chromium("client1", "red"),
        "blue": stage.chromium("client2", "blue", shared_tab=TITLE, script=KEEP_SOCKET),
        "green": stage.chromium("client3", "green"),
    }

    def enter(colour: str, name: str) -> Person:
        key = f"#host_key={made['host_key']}" if colour == "red" else ""
        address = f"{server.origin()}/?meeting={made['meeting_id']}&name={name}&autojoin=1&slots=4{key}"
        person = Person(browsers[colour].open(address), name, browsers[colour].colour)
        person.wait_connected()
        return person

    red, blue, green = (enter(colour, colour.capitalize()) for colour in browsers)
    for each in (red, green):
        each.open()
    slides = show_slides(blue.page)

    # What an offer has from the beginning costs nothing until it is used.
    check_sees(green, blue)
    negotiated = blue.page.evaluate("() => window.needletail.pc.localDescription.sdp")
    began = time.monotonic()
    blue.page.click("#share")
    took = check_sees_screen(green, blue)
    shared = time.monotonic()
    check_sees_screen(red, blue)
    say(f"a shared tab is seen {shared - began:.1f} s after the click at most, {took:.1f} s of them in the viewer")
    wait_button(blue, pressed=True)
    assert blue.page.is_visible("text=You are sharing your screen")
    assert blue.page.locator(f'.tile.sharing[data-participant="{blue.participant_id}"]').is_visible()
    assert not tile(blue), "nobody's screen is shown to itself"
    green.wait_told("Blue shares a screen")
    check_hears_slides(green, blue)
    assert blue.page.evaluate("() => window.needletail.pc.localDescription.sdp") == negotiated
    red.page.screenshot(path=RESULTS / "screen-seen.png")
    blue.page.screenshot(path=RESULTS / "screen-shared.png")

    # One at a time.
    wait_button(red, pressed=False, barred=True)
    red.page.click("#share", force=True)
    red.wait_told("Blue is sharing a screen")
    assert tile(red)["live"] and blue.page.evaluate(SHARED) == 4

    check_look_closer(green)

    # A lost socket does not end it.
    blue.page.evaluate("() => window.socket.close()")
    blue.wait_told("Back in the meeting")
    wait_button(blue, pressed=True)
    check_sees_screen(green, blue)

    # Nothing has moved for a minute when somebody comes.
    browsers["late"] = stage.chromium("client1", "green")
    time.sleep(max(0, shared + 60 - time.monotonic()))
    late = enter("late", "Late")
    say(f"who comes a minute later sees it after {check_sees_screen(late, blue):.1f} s")
    late.leave()
    check_sees_screen(red, blue)

    # The browser ends it, as when its tab is closed.
    slides.close()
    blue.wait_told("Your screen is not shared any more")
    check_no_screen(red, green)
    wait_button(blue, pressed=False)
    wait_button(red, pressed=False)
    assert not blue.page.is_visible("text=You are sharing your screen")
    assert blue.page.evaluate(SHARED) == 2

    # A host says who may.
    red.page.uncheck("#allow-screen")
    blue.wait_told("Only hosts may share their screens now")
    wait_button(blue, pressed=False, barred=True)
    wait_button(red, pressed=False)
    blue.page.click("#share", force=True)
    blue.wait_told("Only hosts may share their screens in this meeting")
    red.page.check("#allow-screen")
    wait_button(blue, pressed=False)

    # A host ends it.
    show_slides(blue.page)
    blue.page.keyboard.press("Shift+S")
    check_sees_screen(red, blue)
    red.act(blue, "Stop their screen")
    blue.wait_told("The host stopped your screen")
    check_no_screen(red, green)
    wait_button(blue, pressed=False)
    assert blue.page.evaluate(SHARED) == 2

    # Who shares leaves.
    blue.page.click("#share")
    check_sees_screen(red, blue)
    blue.leave()
    check_no_screen(red, green)


def test_a_shared_tab_moves_to_another_pop(stage: Stage, tmp_path: Path) -> None:
    fleet = Fleet(stage, tmp_path, pops=2)
    first, second = fleet.servers
    meeting = first.create_meeting("Moving")
    red = stage.chromium("client1", "red", shared_tab=TITLE).join(first.origin(), meeting, "Red")
    red.wait_connected()
    slides = show_slides(red.page)
    red.page.click("#share")
    red.page.wait_for_selector("#share[aria-pressed=true]")
    # Nobody looks, and so nothing is encoded for a while.
    time.sleep(4)
    blue = fleet.browser("client2", "blue", second, meeting)
    check_sees_screen(blue, red)

    drained = fleet.lab.run(first.host, str(BINARY), "drain", "--deadline", "60", "--ops", "127.0.0.1:9090")
    assert drained.returncode == 0, drained.stderr
    there = fleet.lab.address(second.host, 4, media=True)
    wait_until("Red to be at the other PoP", lambda: red.transport()["remote"] == there, timeout=15)
    wait_until("the old PoP to be empty", lambda: first.metric("needletail_sessions") == 0, timeout=10)
    # What is shown now comes from there.
    slides.evaluate(f"() => document.body.style.background = 'rgb{media.COLOURS['green']}'")
    check_sees_screen(blue, red, "green")
    assert red.page.get_attribute("#share", "aria-pressed") == "true"
    red.page.click("#share")
    check_no_screen(blue)
