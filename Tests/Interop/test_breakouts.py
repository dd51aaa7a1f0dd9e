"""Breakout rooms, as a host and three guests see and hear them in the web client."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from checks import check_hears, check_sees, slot_of
from chromium import Chromium, Participant
from conftest import Stage
from lab import RESULTS, wait_until
from playwright.sync_api import Locator

# Whom the tiles show beside ourselves.
TILES = """() => [...document.querySelectorAll("#board .tile:not(.self)")].map((tile) => tile.dataset.participant)"""
# Whom the latest `view` on the socket named; a wrapper of the socket keeps it.
KEEP_VIEW = """window.WebSocket = class extends WebSocket {
    send(text) {
        const message = JSON.parse(text);
        const view = message.type === "view" ? message : message.view;
        if (view) window.lastView = view;
        super.send(text);
    }
};"""


class Person(Participant):
    """A page in the meeting."""

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog", name="Breakout rooms")

    def open_rooms(self) -> Locator:
        """The dialog: by the line above the meeting where there is one, else by the list of people."""
        if not self.dialog.is_visible():
            if self.page.is_visible("#breakout-show"):
                self.page.click("#breakout-show")
            else:
                self.open_people()
                self.page.click("#show-breakout")
            self.dialog.wait_for()
        return self.dialog

    def close_rooms(self) -> None:
        self.dialog.get_by_role("button", name="Close", exact=True).click()
        self.dialog.wait_for(state="hidden")

    def open_people(self) -> None:
        if not self.page.is_visible("#panel"):
            self.page.click("#show-people")
        self.page.wait_for_selector("#people li")

    def join(self, room: str) -> None:
        self.open_rooms().get_by_role("button", name=f"Join {room}", exact=True).click()
        self.dialog.wait_for(state="hidden")
        self.wait_in(room)

    def wait_told(self, words: str) -> None:
        """The page said so, within the last seconds."""
        said = self.page.locator("#announcer p")
        wait_until(
            f"{self.name} to be told {words!r}",
            lambda: any(words in text for text in said.all_text_contents()),
            timeout=10,
            explain=said.all_text_contents,
        )

    def notice(self, words: str) -> Locator:
        return self.page.locator("#notices .problem", has_text=words)

    def place(self) -> str:
        """The room that the line above the meeting names; "" without the line."""
        line = self.page.locator("#breakout-line")
        return self.page.inner_text("#breakout-place") if line.is_visible() else ""

    def wait_in(self, room: str) -> None:
        wait_until(f"{self.name} to be in {room!r}", lambda: self.place() == room, timeout=10, explain=self.place)

    def tiles(self) -> set[str]:
        return set(self.page.evaluate(TILES))

    def wait_tiles(self, *others: Person) -> None:
        """Exactly these are shown, counted, and named in what the page tells the server that it shows."""
        wanted = {each.participant_id for each in others}
        wait_until(f"{self.name} to show {wanted}", lambda: self.tiles() == wanted, timeout=10, explain=self.tiles)
        assert self.page.text_content("#count") == str(len(wanted) + 1)

        def told() -> set[str]:
            return set(self.page.evaluate("() => window.lastView?.visible ?? []"))

        wait_until(f"{self.name} to ask for {wanted}", lambda: told() == wanted, timeout=10, explain=told)

    def wait_silence(self, other: Person) -> None:
        """Nothing is heard of somebody for a second and a half, or they have no Slot."""

        def is_silent() -> bool:
            slot = slot_of(self, other.participant_id, "audio")
            return slot is None or self.tone(slot["mid"]) != other.colour

        wait_until(f"{self.name} to hear nothing of {other.name}", is_silent, timeout=10)

    def wait_no_picture(self, other: Person) -> None:
        wait_until(
            f"{self.name} to have no Slot for the picture of {other.name}",
            lambda: slot_of(self, other.participant_id, "video") is None,
            timeout=10,
            explain=self.observations,
        )

    def open_chat(self) -> None:
        if not self.page.is_visible("#chat-panel"):
            self.page.click("#show-chat")
        self.page.wait_for_selector("#chat-field")

    def chosen(self) -> str:
        """Whom a message would be for."""
        return self.page.evaluate("() => document.querySelector('#chat-to').selectedOptions[0]?.textContent ?? ''")

    def write(self, text: str) -> None:
        self.page.fill("#chat-field", text)
        self.page.press("#chat-field", "Enter")
        wait_until(f"{text!r} to be taken", lambda: self.page.input_value("#chat-field") == "", timeout=10)

    def texts(self) -> list[str]:
        return self.page.locator("#chat-list .words").all_text_contents()

    def wait_reads(self, text: str) -> None:
        wait_until(f"{self.name} to read {text!r}", lambda: text in self.texts(), timeout=10, explain=self.texts)


class Room:
    """A meeting whose first one, Red, is its host; everybody has a host of the lab."""

    def __init__(self, stage: Stage, *colours: str) -> None:
        self.lab = stage.make_lab(clients=len(colours))
        self.server = stage.start_server()
        token = self.server.call("GET", "/api/v1/dev/token")["token"]
        made = self.server.call("POST", "/api/v1/meetings", {"topic": "Breakouts", "type": "instant"}, token)
        self.meeting, self.host_key = made["meeting_id"], made["host_key"]
        self.people = [
            self._enter(stage.chromium(f"client{number}", colour, script=KEEP_VIEW))
            for number, colour in enumerate(colours, 1)
        ]

    def _enter(self, browser: Chromium) -> Person:
        name, key = browser.colour.capitalize(), f"#host_key={self.host_key}" if browser.colour == "red" else ""
        address = f"{self.server.origin()}/?meeting={self.meeting}&name={name}&autojoin=1&slots=4{key}"
        person = Person(browser.open(address), name, browser.colour)
        person.wait_connected()
        return person


def open_by_hand(red: Person, places: dict[str, str], choose: bool = False) -> None:
    """Opens Room 1 and Room 2, with people by their names in them."""
    dialog = red.open_rooms()
    for name, room in places.items():
        dialog.get_by_role("combobox", name=f"Room of {name}", exact=True).select_option(label=room)
    dialog.get_by_role("checkbox", name="Let people choose").set_checked(choose)
    dialog.get_by_role("button", name="Open rooms").click()
    dialog.get_by_role("button", name="Join Room 1", exact=True).wait_for()


def test_a_host_opens_two_rooms_by_hand_and_wanders(stage: Stage, say: Callable[[str], None]) -> None:
    red, blue, green, yellow = Room(stage, "red", "blue", "green", "yellow").people
    for each in (blue, yellow):
        check_sees(each, green)
    began = time.monotonic()
    open_by_hand(red, {"Blue": "Room 1", "Green": "Room 1", "Yellow": "Room 2"})
    for each, room in ((blue, "Room 1"), (green, "Room 1"), (yellow, "Room 2")):
        each.wait_told(f"You are in {room}")
        each.wait_in(room)
    say(f"three people in their rooms {time.monotonic() - began:.1f} s after the host began to choose")
    red.page.screenshot(path=RESULTS / "breakouts-host.png")
    red.close_rooms()

    # Pictures and sound stay in the rooms.
    for each, others in ((red, ()), (blue, (green,)), (green, (blue,)), (yellow, ())):
        each.wait_tiles(*others)
    for viewer, other in ((blue, green), (green, blue)):
        check_sees(viewer, other)
        check_hears(viewer, other)
    for viewer, other in ((yellow, green), (red, blue), (blue, yellow), (green, red)):
        viewer.wait_no_picture(other)
        viewer.wait_silence(other)
    assert not yellow.page.is_visible("#alone")
    assert blue.page.get_attribute("#show-people", "aria-label") == "People, 2 here, 4 in the meeting"
    # Who may not choose has no way to.
    assert not blue.page.is_visible("#breakout-show")
    assert not blue.page.is_visible("#breakout-return")
    blue.open_people()
    assert set(blue.page.locator("#panel .who").all_text_contents()) == {"Blue", "Green"}
    blue.page.screenshot(path=RESULTS / "breakouts-guest.png")

    red.join("Room 1")
    red.wait_told("You are in Room 1")
    for each, others in ((red, (blue, green)), (blue, (red, green)), (yellow, ())):
        each.wait_tiles(*others)
    check_sees(red, blue)
    check_hears(green, red)
    yellow.wait_silence(red)

    # A raised hand is seen by the host from wherever it is.
    yellow.page.click("#hand")
    red.wait_told("Yellow (Room 2) raised a hand")
    red.open_people()
    row = red.page.locator("#people li", has=red.page.get_by_text("Yellow", exact=True))
    assert "Room 2" in (row.locator(".note").text_content() or "")

    # Somebody is moved while the rooms are open.
    red.open_rooms().get_by_role("combobox", name="Room of Yellow").select_option(label="Room 1")
    yellow.wait_told("You are in Room 1")
    red.close_rooms()
    yellow.wait_tiles(red, blue, green)
    check_sees(yellow, blue)
    check_hears(blue, yellow)

    red.page.click("#breakout-return")
    red.wait_in("Main room")
    red.wait_tiles()
    red.wait_silence(blue)


def test_a_host_is_heard_and_read_in_all_rooms(stage: Stage) -> None:
    red, blue, green, yellow = Room(stage, "red", "blue", "green", "yellow").people
    open_by_hand(red, {"Blue": "Room 1", "Green": "Room 1", "Yellow": "Room 2"})
    for each, room in ((blue, "Room 1"), (green, "Room 1"), (yellow, "Room 2")):
        each.wait_in(room)

    dialog = red.open_rooms()
    dialog.get_by_role("textbox", name="Message to all rooms").fill("Five <b>minutes</b> left")
    dialog.get_by_role("button", name="Send").click()
    for each in (blue, green, yellow):
        notice = each.notice("Red to all rooms")
        notice.wait_for()
        assert "Five <b>minutes</b> left" in notice.inner_text()
    blue.notice("Red to all rooms").get_by_role("button", name="Dismiss").click()
    assert not blue.notice("Red to all rooms").count()
    green.notice("Red to all rooms").wait_for(state="hidden", timeout=25_000)

    voice = dialog.get_by_role("button", name="Speak to all rooms")
    voice.click()
    red.page.wait_for_selector("#breakout-voice[aria-pressed=true]")
    for each in (blue, yellow):
        each.notice("The host speaks to all rooms").wait_for()
        check_hears(each, red)
    # Nobody else is heard more than before.
    yellow.wait_silence(blue)
    check_hears(blue, green)
    voice.click()
    red.page.wait_for_selector("#breakout-voice[aria-pressed=false]")
    for each in (blue, yellow):
        each.notice("The host speaks to all rooms").wait_for(state="hidden")
        each.wait_silence(red)
    red.close_rooms()

    # What is written in a room is read there, what is for everybody everywhere.
    for each in (red, blue, green, yellow):
        each.open_chat()
    assert [each.chosen() for each in (red, blue)] == ["Everyone", "Everyone in Room 1"]
    blue.write("Only in our room")
    green.wait_reads("Only in our room")
    marked = green.page.locator("#chat-list li", has_text="Only in our room").locator(".in-room")
    assert marked.text_content() == "Room 1"
    blue.page.select_option("#chat-to", label="Everyone in the meeting")
    blue.write("For everybody")
    for each in (red, green, yellow):
        each.wait_reads("For everybody")
    assert all("Only in our room" not in each.texts() for each in (red, yellow))
    # What was seen stays, and what was begun for the room goes nowhere else.
    green.page.fill("#chat-field", "Begun for Room 1")
    red.open_rooms().get_by_role("combobox", name="Room of Green").select_option(label="Room 2")
    green.wait_in("Room 2")
    green.page.wait_for_selector("#chat-gone")
    green.page.press("#chat-field", "Enter")
    assert green.page.is_disabled("#chat-send")
    assert green.page.input_value("#chat-field") == "Begun for Room 1"
    assert "Only in our room" in green.texts()


@pytest.mark.timeout(300)
def test_people_choose_come_back_and_are_called_back(stage: Stage, say: Callable[[str], None]) -> None:
    room = Room(stage, "red", "blue", "green", "yellow")
    red, blue, green, yellow = room.people
    open_by_hand(red, {}, choose=True)
    red.close_rooms()
    for each in (blue, green, yellow):
        each.wait_told("The breakout rooms are open: you may choose one")
        assert each.place() == "Main room"
    blue.join("Room 1")
    green.join("Room 1")
    yellow.join("Room 2")
    for each, others in ((red, ()), (blue, (green,)), (yellow, ())):
        each.wait_tiles(*others)
    check_sees(blue, green)
    # Who may choose sees who is where.
    blue.open_people()
    assert "Room 2: 1 person" in blue.page.locator("#people-far h3").all_text_contents()

    # A socket that is lost and comes back is in the same room, and is not told so as if it were new.
    told = blue.page.locator("#announcer p", has_text="You are in Room 1")
    wait_until("what was told to be gone", lambda: not told.count(), timeout=15)
    room.lab.filter("client2", "chain out { type filter hook output priority 0; tcp dport 8080 reject with tcp reset\n}")
    blue.page.wait_for_function("() => window.needletail.state === 'reconnecting'")
    room.lab.filter("client2", "")
    blue.page.wait_for_function("() => window.needletail.state === 'meeting'")
    assert blue.place() == "Room 1"
    blue.wait_tiles(green)
    green.wait_tiles(blue)
    check_sees(blue, green)
    check_hears(green, blue)
    assert not told.count()

    yellow.page.click("#breakout-return")
    yellow.wait_told("You are in the main room")
    yellow.wait_tiles(red)
    check_sees(yellow, red)
    # Who is moved by a host may go elsewhere.
    red.open_rooms().get_by_role("combobox", name="Room of Yellow").select_option(label="Room 1")
    yellow.wait_in("Room 1")
    yellow.join("Room 2")

    began = time.monotonic()
    red.dialog.get_by_role("button", name="Close in 30 seconds").click()
    for each in (red, blue, green, yellow):
        each.notice("The breakout rooms close in").wait_for()
    left = blue.page.text_content("#breakout-left") or ""
    assert left.startswith("0:"), left
    blue.page.screenshot(path=RESULTS / "breakouts-closing.png")
    for each in (blue, green, yellow):
        each.page.wait_for_selector("#breakout-line", state="hidden", timeout=45_000)
        each.wait_told("The breakout rooms are closed")
    closed = time.monotonic() - began
    assert 25 < closed < 45
    # The dialog is a plan again.
    red.dialog.get_by_role("button", name="Open rooms").wait_for()
    red.close_rooms()
    for each in (red, blue, green, yellow):
        each.wait_tiles(*(other for other in room.people if other is not each))
        assert not each.notice("The breakout rooms close in").count()
    for viewer, other in ((red, yellow), (blue, red), (yellow, green)):
        check_sees(viewer, other)
        check_hears(viewer, other)
    say(f"rooms that were to close in 30 s closed after {closed:.1f} s")


def test_everything_in_it_has_a_name_and_keeps_the_focus(stage: Stage) -> None:
    red, blue = Room(stage, "red", "blue").people
    dialog = red.open_rooms()
    focused = "() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"
    assert red.page.evaluate(focused) == "Breakout rooms"
    for role, name in (
        ("spinbutton", "Number of rooms"),
        ("textbox", "Name of room 1"),
        ("combobox", "Room of Blue"),
        ("button", "Assign evenly"),
        ("checkbox", "Let people choose"),
        ("spinbutton", "Minutes until they close (optional)"),
        ("button", "Open rooms"),
    ):
        assert dialog.get_by_role(role, name=name, exact=True).is_visible(), (role, name)
    dialog.get_by_role("spinbutton", name="Number of rooms").fill("3")
    dialog.get_by_role("textbox", name="Name of room 3").fill("Tea <b>room</b>")
    dialog.get_by_role("button", name="Assign evenly").click()
    assert dialog.get_by_role("combobox", name="Room of Blue").input_value() != ""
    # What is wrong is said where it is.
    dialog.get_by_role("textbox", name="Name of room 2").fill(" ")
    dialog.get_by_role("button", name="Open rooms").click()
    assert "Each room needs a name" in dialog.get_by_role("alert").inner_text()
    dialog.get_by_role("textbox", name="Name of room 2").fill("Quiet")
    dialog.get_by_role("combobox", name="Room of Blue").select_option(label="Tea <b>room</b>")
    dialog.get_by_role("button", name="Open rooms").click()
    blue.wait_in("Tea <b>room</b>")
    assert not red.page.locator("#breakout-dialog li b b, #breakout-place b").count()

    for role, name in (
        ("button", "Join Room 1"),
        ("button", "Join Tea <b>room</b>"),
        ("combobox", "Room of Blue"),
        ("textbox", "Message to all rooms"),
        ("button", "Send"),
        ("button", "Speak to all rooms"),
        ("button", "Close in 30 seconds"),
        ("button", "Close now"),
    ):
        assert dialog.get_by_role(role, name=name, exact=True).is_visible(), (role, name)
    assert dialog.locator(".here:visible").all_text_contents() == ["You are here"]

    # What is told meanwhile leaves the focus where it is.
    dialog.get_by_role("combobox", name="Room of Blue").focus()
    blue.page.click("#hand")
    dialog.get_by_text("Hand raised").wait_for()
    assert red.page.evaluate(focused) == "Room of Blue"
    dialog.get_by_role("button", name="Close now").click()
    blue.wait_told("The breakout rooms are closed. You are in the main room.")
    dialog.get_by_role("button", name="Open rooms").wait_for()
    assert red.page.evaluate(focused) == "Breakout rooms"
    red.page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    # Who is no host has a key for it that says why nothing comes.
    blue.page.keyboard.press("b")
    blue.wait_told("Hosts open breakout rooms")
    assert not blue.dialog.is_visible()
