"""What hosts do with the people in a meeting, as three of them see and hear it in the web client."""

from __future__ import annotations

import re

from checks import check_gone, check_hears, check_sees, slot_of
from chromium import Chromium, Participant
from conftest import Stage
from lab import RESULTS, wait_until
from playwright.sync_api import Locator


class Person(Participant):
    """A page in the meeting, with its list of people open."""

    def open(self) -> Person:
        if not self.page.is_visible("#panel"):
            self.page.click("#show-people")
        self.page.wait_for_selector("#people li")
        return self

    def row(self, other: Person) -> Locator:
        return self.page.locator("#people li", has=self.page.get_by_text(other.name, exact=True))

    def menu(self, other: Person) -> list[str]:
        """What it may do with somebody; closed again by the keyboard, which gives the focus back."""
        self.row(other).get_by_role("button", name=f"Actions for {other.name}").click()
        labels = self.page.get_by_role("menuitem").all_text_contents()
        self.page.keyboard.press("Escape")
        focused = self.page.evaluate("() => document.activeElement.textContent")
        assert focused == f"Actions for {other.name}"
        assert self.page.is_visible("#panel")
        return labels

    def act(self, other: Person, label: str) -> None:
        self.row(other).get_by_role("button", name=f"Actions for {other.name}").click()
        self.page.get_by_role("menuitem", name=label, exact=True).click()

    def wait_told(self, words: str) -> None:
        """The page said so, within the last seconds."""
        said = self.page.locator("#announcer p")
        wait_until(
            f"{self.name} to be told {words!r}",
            lambda: any(words in text for text in said.all_text_contents()),
            timeout=10,
            explain=said.all_text_contents,
        )

    def has_on(self, source: str) -> bool:
        """Whether its own microphone (`mute`) or camera (`camera`) is on, by the button."""
        return "off" not in (self.page.get_attribute(f"#{source}", "class") or "").split()

    def wait_on(self, source: str, on: bool) -> None:
        wait_until(f"{self.name} to have {source} {on}", lambda: self.has_on(source) is on, timeout=10)

    def wait_sees_state(self, other: Person, **fields: bool) -> None:
        """What the list says of somebody: `audio`, `video`, `hand_raised`, `muted_by_host`."""
        probe = "(id) => window.needletail.participants.find((each) => each.participant_id === id) ?? {}"

        def state() -> dict:
            return self.page.evaluate(probe, other.participant_id)

        wait_until(
            f"{self.name} to see of {other.name} {fields}",
            lambda: {name: state().get(name) for name in fields} == fields,
            timeout=10,
            explain=state,
        )

    def wait_silence(self, other: Person) -> None:
        """Nothing is heard of somebody for a second and a half, or they have no Slot."""

        def is_silent() -> bool:
            slot = slot_of(self, other.participant_id, "audio")
            return slot is None or self.tone(slot["mid"]) != other.colour

        wait_until(f"{self.name} to hear nothing of {other.name}", is_silent, timeout=10)


class Room:
    """A meeting of three, whose first one, Red, is its host; everybody has a host of the lab."""

    def __init__(self, stage: Stage) -> None:
        self.lab = stage.make_lab(clients=3)
        self.server = stage.start_server()
        token = self.server.call("GET", "/api/v1/dev/token")["token"]
        made = self.server.call("POST", "/api/v1/meetings", {"topic": "Hosts", "type": "instant"}, token)
        self.meeting, self.host_key = made["meeting_id"], made["host_key"]
        hosts = (("client1", "red"), ("client2", "blue"), ("client3", "green"))
        self.browsers: dict[str, Chromium] = {colour: stage.chromium(host, colour) for host, colour in hosts}
        self.red, self.blue, self.green = (self._enter(colour) for colour in self.browsers)

    def _enter(self, colour: str) -> Person:
        name, key = colour.capitalize(), f"#host_key={self.host_key}" if colour == "red" else ""
        address = f"{self.server.origin()}/?meeting={self.meeting}&name={name}&autojoin=1&slots=4{key}"
        person = Person(self.browsers[colour].open(address), name, colour)
        person.wait_connected()
        return person.open()


def test_a_host_mutes_somebody_and_turns_their_camera_off(stage: Stage) -> None:
    room = Room(stage)
    red, blue, green = room.red, room.blue, room.green
    check_hears(green, blue)
    assert red.menu(blue) == ["Mute", "Turn camera off", "Make co-host", "Make host…", "Remove…"]
    assert not blue.page.locator("#people .more:visible").count()
    assert not blue.page.is_visible("#powers")

    red.act(blue, "Mute")
    blue.wait_told("The host muted you")
    blue.wait_on("mute", False)
    for each in (red, green):
        each.wait_sees_state(blue, audio=False, video=True, muted_by_host=True)
    green.wait_silence(blue)
    assert red.menu(blue)[0] == "Ask to unmute"
    # What is told beside it does not open the microphone again.
    blue.page.click("#camera")
    red.wait_sees_state(blue, audio=False, video=False, muted_by_host=True)
    blue.page.click("#camera")
    red.wait_sees_state(blue, audio=False, video=True, muted_by_host=True)
    red.page.screenshot(path=RESULTS / "host-muted.png")

    blue.page.click("#mute")
    red.wait_sees_state(blue, audio=True, muted_by_host=False)
    check_hears(green, blue)

    red.act(blue, "Turn camera off")
    blue.wait_told("The host turned your camera off")
    blue.wait_on("camera", False)
    green.wait_sees_state(blue, audio=True, video=False)
    assert blue.has_on("mute")
    blue.page.click("#camera")
    check_sees(green, blue)


def test_a_host_mutes_everybody_and_asks_one_who_raised_a_hand(stage: Stage) -> None:
    room = Room(stage)
    red, blue, green = room.red, room.blue, room.green
    for right in ("allow-unmute", "allow-chat"):
        red.page.uncheck(f"#{right}")
    for each in (blue, green):
        each.wait_told("From now on, a host decides who unmutes")
        each.wait_told("You may write to the hosts only now")
        # Whoever has the microphone open keeps it.
        assert each.has_on("mute")
    red.page.click("#mute-all")
    for each in (blue, green):
        each.wait_told("The host muted you")
        each.wait_on("mute", False)
        red.wait_sees_state(each, audio=False, muted_by_host=True)
    assert red.has_on("mute")
    red.wait_silence(green)

    # The page says why, and nothing is sent.
    blue.page.click("#mute")
    blue.wait_told("The host has muted everybody. Raise your hand to speak.")
    assert not blue.has_on("mute")
    for each in (green, blue):
        each.page.click("#hand")
        red.wait_sees_state(each, hand_raised=True)
    red.wait_told("Blue raised a hand")
    names = red.page.locator("#people .who")
    wait_until(
        "raised hands to come first",
        lambda: names.all_text_contents() == ["Green", "Blue", "Red"],
        timeout=5,
        explain=names.all_text_contents,
    )
    green.page.click("#react")
    green.page.locator("#palette button").first.click()
    red.page.wait_for_selector(f'.tile[data-participant="{green.participant_id}"] .reaction:text("\U0001f44d")')
    red.wait_told("Green reacted with thumbs up")
    red.page.screenshot(path=RESULTS / "host-hands.png")
    assert green.page.locator(f'.tile[data-participant="{blue.participant_id}"] .hand-mark').is_visible()

    red.act(blue, "Ask to unmute")
    prompt = blue.page.locator("#notices", has_text="Red asks you to unmute")
    prompt.wait_for()
    blue.page.screenshot(path=RESULTS / "host-asks.png")
    prompt.get_by_role("button", name="Unmute", exact=True).click()
    blue.wait_on("mute", True)
    check_hears(green, blue)
    assert not prompt.is_visible()
    red.act(green, "Ask to unmute")
    green.page.get_by_role("button", name="Stay muted").click()
    assert not green.has_on("mute")
    green.page.click("#hand")
    red.wait_sees_state(green, hand_raised=False, audio=False)

    # To the host one may write.
    green.page.click("#show-chat")
    assert green.page.locator("#chat-to option").all_text_contents() == ["Choose a host", "Red"]
    green.page.fill("#chat-field", "May I?")
    assert green.page.is_disabled("#chat-send")
    assert "hosts only" in green.page.inner_text("#chat-barred")
    green.page.select_option("#chat-to", red.participant_id)
    green.page.press("#chat-field", "Enter")
    red.page.click("#show-chat")
    red.page.locator("#chat-list .words", has_text="May I?").wait_for()


def test_a_co_host_mutes_and_who_is_removed_is_out(stage: Stage) -> None:
    room = Room(stage)
    red, blue, green = room.red, room.blue, room.green
    red.act(blue, "Make co-host")
    blue.wait_told("You are a co-host now")
    blue.page.wait_for_selector("#powers")
    assert blue.page.is_visible("#lock")
    # Not on a host, and no roles.
    assert not blue.row(red).locator(".more").is_visible()
    assert blue.menu(green) == ["Mute", "Turn camera off", "Remove…"]
    blue.act(green, "Mute")
    green.wait_told("The host muted you")
    green.wait_on("mute", False)
    for each in (red, blue):
        each.wait_sees_state(green, audio=False, muted_by_host=True)
    red.wait_silence(green)

    assert red.menu(blue)[2:] == ["Take co-host away", "Make host…", "Remove…"]
    red.act(blue, "Take co-host away")
    blue.wait_told("You have no host controls any more")
    blue.page.wait_for_selector("#powers", state="hidden")

    # More than one may be host; that one is asked about first.
    red.act(green, "Make host…")
    dialog = red.page.locator("#power-dialog")
    assert "Make Green a host?" in dialog.inner_text()
    dialog.get_by_role("button", name="Make host").click()
    green.wait_told("You are a host now")
    assert red.page.is_visible("#powers")

    gone = blue.participant_id
    red.act(blue, "Remove…")
    assert "Remove Blue from the meeting?" in dialog.inner_text()
    dialog.get_by_role("button", name=re.compile("stay")).click()
    assert gone in green.others()
    green.act(blue, "Remove…")
    green.page.locator("#power-confirm").click()
    blue.page.wait_for_selector("#ended-view:not([hidden])")
    assert blue.page.inner_text("#ended-title") == "You were removed from the meeting"
    blue.page.screenshot(path=RESULTS / "host-removed.png")
    red.wait_told("Blue was removed")
    for each in (red, green):
        check_gone(each, gone, timeout=10)
    # The page does not come back by itself.
    blue.page.wait_for_timeout(3_000)
    assert blue.page.evaluate("() => window.needletail.state") == "ended"
    assert red.others() == {green.participant_id}
