"""The polls of a meeting, as a host and two guests see them in the web client."""

from __future__ import annotations

from chromium import Chromium, Participant
from conftest import Stage
from lab import wait_until
from playwright.sync_api import Locator, expect

# Channels of 0 to 255, as WCAG 2.2 weighs them.
CONTRAST = """([front, back]) => {
    const light = (color) => {
        const canvas = document.createElement("canvas");
        canvas.width = canvas.height = 1;
        const context = canvas.getContext("2d");
        context.fillStyle = color;
        context.fillRect(0, 0, 1, 1);
        const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].map((value) =>
            value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
    };
    const [one, other] = [light(front), light(back)];
    return Math.max(one, other) / Math.min(one, other);
}"""
COLOURS = """(element) => {
    const style = getComputedStyle(document.documentElement);
    return [getComputedStyle(element).backgroundColor, style.getPropertyValue("--sunk"), style.getPropertyValue("--surface")];
}"""


class Polls:
    """The panel of one page."""

    def __init__(self, participant: Participant) -> None:
        self.participant, self.page = participant, participant.page

    def open(self) -> Polls:
        if not self.page.is_visible("#polls-panel"):
            self.page.click("#show-polls")
        expect(self.page.get_by_role("complementary", name="Polls")).to_be_visible()
        return self

    def ask(self, question: str, *answers: str, several: bool = False, anonymous: bool = False) -> None:
        """By the keyboard: Enter goes from field to field, and makes another answer."""
        self.page.get_by_role("button", name="New poll").press("Enter")
        form = self.page.get_by_role("form", name="New poll")
        expect(form.get_by_label("Question")).to_be_focused()
        self.page.keyboard.insert_text(question)
        for number, answer in enumerate(answers, 1):
            self.page.keyboard.press("Enter")
            expect(form.get_by_label(f"Answer {number}", exact=True)).to_be_focused()
            self.page.keyboard.insert_text(answer)
        if several:
            form.get_by_label("Several answers may be chosen").check()
        if anonymous:
            form.get_by_label("Anonymous").check()
        form.get_by_role("button", name="Ask everybody").click()
        expect(form).to_be_hidden()

    def card(self, question: str) -> Locator:
        return self.page.get_by_role("listitem", name=question, exact=True)

    def vote(self, question: str, *answers: str, again: bool = False) -> None:
        card = self.card(question)
        for answer in answers:
            card.get_by_label(answer, exact=True).and_(card.locator("input")).check()
        card.get_by_role("button", name="Change vote" if again else "Vote", exact=True).click()
        expect(card.get_by_role("button", name="Change vote")).to_be_visible()

    def wait(self, question: str, **answers: str) -> None:
        """What the meters say, by answer: `3 votes, 60 percent`."""
        for answer, words in answers.items():
            meter = self.card(question).get_by_role("meter", name=answer, exact=True)
            expect(meter).to_have_attribute("aria-valuetext", words, timeout=10_000)


class Room:
    """A meeting whose first one, Red, is its host; everybody has a host of the lab."""

    def __init__(self, stage: Stage) -> None:
        self.lab = stage.make_lab(clients=3)
        self.server = stage.start_server()
        token = self.server.call("GET", "/api/v1/dev/token")["token"]
        made = self.server.call("POST", "/api/v1/meetings", {"topic": "Polls", "type": "instant"}, token)
        self.meeting, self.host_key = made["meeting_id"], made["host_key"]
        hosts = (("client1", "red"), ("client2", "blue"), ("client3", "green"))
        self.browsers: dict[str, Chromium] = {colour: stage.chromium(host, colour) for host, colour in hosts}

    def enter(self, colour: str) -> Polls:
        browser, origin, name = self.browsers[colour], self.server.origin(), colour.capitalize()
        if colour == "red":
            address = f"{origin}/?meeting={self.meeting}&name={name}&autojoin=1&slots=4#host_key={self.host_key}"
            participant = Participant(browser.open(address), name, colour)
        else:
            participant = browser.join(origin, self.meeting, name)
        participant.wait_connected()
        return Polls(participant)


def test_a_poll_is_made_voted_changed_closed_and_seen_after_a_reload(stage: Stage) -> None:
    room = Room(stage)
    red, blue, green = (room.enter(colour) for colour in ("red", "blue", "green"))
    # Who cannot ask has no button before somebody has asked.
    expect(blue.page.locator("#show-polls")).to_be_hidden()
    red.open().ask("Tea?", "Yes", "No", "Later")

    for guest in (blue, green):
        notice = guest.page.get_by_role("status").filter(has_text="Red asks: Tea?")
        expect(notice).to_have_count(1)
        expect(guest.page.get_by_role("button", name="Polls, 1 to answer")).to_be_visible()
        notice.get_by_role("button", name="Answer").click()
        expect(guest.page.get_by_role("complementary", name="Polls")).to_be_visible()
        expect(notice).to_have_count(0)
        expect(guest.page.get_by_role("button", name="New poll")).to_be_hidden()
    expect(red.page.get_by_role("status").filter(has_text="asks")).to_have_count(0)

    blue.vote("Tea?", "Yes")
    green.vote("Tea?", "No")
    for each in (red, blue, green):
        expect(each.card("Tea?")).to_contain_text("2 people voted", timeout=10_000)
    red.wait("Tea?", Yes="1 vote, 50 percent", No="1 vote, 50 percent", Later="0 votes, 0 percent")
    blue.wait("Tea?", Yes="1 vote, 50 percent, your answer")
    blue.vote("Tea?", "No", again=True)
    green.wait("Tea?", Yes="0 votes, 0 percent", No="2 votes, 100 percent, your answer")

    # The host sees who chose what, and nobody else does.
    red.card("Tea?").get_by_text("Who voted (2)").click()
    expect(red.card("Tea?").get_by_role("listitem")).to_have_text(["Blue: No", "Green: No"])
    expect(blue.page.get_by_text("Who voted")).to_be_hidden()

    red.card("Tea?").get_by_role("button", name="Close poll").click()
    for each in (red, blue, green):
        expect(each.card("Tea?")).to_contain_text("Closed")
        expect(each.card("Tea?").get_by_role("radio")).to_have_count(0)
        expect(each.card("Tea?").get_by_role("button", name="Change vote")).to_be_hidden()

    blue.page.close()
    blue = room.enter("blue")
    blue.open().wait("Tea?", Yes="0 votes, 0 percent")
    expect(blue.card("Tea?")).to_contain_text("2 people voted")

    red.card("Tea?").get_by_role("button", name="Delete").click()
    red.page.get_by_role("dialog", name="Delete this poll?").get_by_role("button", name="Delete").click()
    for each in (red, blue, green):
        expect(each.card("Tea?")).to_have_count(0)


def test_an_anonymous_poll_names_nobody(stage: Stage) -> None:
    room = Room(stage)
    red, blue = (room.enter(colour) for colour in ("red", "blue"))
    red.open().ask("Secret?", "<b>Left</b>", "Right", several=True, anonymous=True)
    blue.open()
    blue.vote("Secret?", "<b>Left</b>", "Right")
    red.vote("Secret?", "Right")
    red.wait("Secret?", Right="2 votes, 100 percent, your answer")
    for each in (red, blue):
        expect(each.card("Secret?")).to_contain_text("anonymous")
        expect(each.card("Secret?").get_by_text("<b>Left</b>", exact=True).first).to_be_visible()
        expect(each.page.get_by_text("Who voted")).to_be_hidden()
    red.card("Secret?").get_by_role("button", name="Close poll").click()
    expect(red.card("Secret?")).to_contain_text("Closed")

    said = "\n".join(browser.said_last(100_000) for browser in room.browsers.values())
    assert "poll_ballots" not in said and '"ballots"' not in said
    token = room.server.call("GET", "/api/v1/dev/token")["token"]
    polls = room.server.call("GET", f"/api/v1/meetings/{room.meeting}/polls", None, token)["polls"]
    assert polls[0]["counts"] == [1, 2] and "ballots" not in polls[0] and "vote" not in polls[0]

    # Who comes late reads it, and is told of nothing to answer.
    green = room.enter("green")
    green.page.wait_for_selector("#show-polls:not([hidden])")
    assert green.page.get_attribute("#show-polls", "aria-label") == "Polls"
    green.page.keyboard.press("o")
    green.wait("Secret?", Right="2 votes, 100 percent")
    green.page.keyboard.press("Escape")
    expect(green.page.locator("#polls-panel")).to_be_hidden()


def test_it_fits_on_a_phone_and_in_both_colour_schemes(stage: Stage) -> None:
    room = Room(stage)
    red, blue = (room.enter(colour) for colour in ("red", "blue"))
    long = "Which of all the days of the coming week would suit you best? " * 3
    red.open().ask(long, *(f"Answer number {number} with words that take more than one line" for number in range(5)))
    blue.page.set_viewport_size({"width": 360, "height": 640})
    blue.open()
    card = blue.card(long.strip())
    blue.vote(long.strip(), "Answer number 2 with words that take more than one line")
    for each in (red, blue):
        each.page.set_viewport_size({"width": 360, "height": 640})
        wide = each.page.evaluate(
            """() => [...document.querySelectorAll("#polls-panel, #polls-panel *, #controls button")]
                .filter((each) => each.getBoundingClientRect().right > innerWidth + 1 && each.checkVisibility())
                .map((each) => each.id || each.className || each.tagName)"""
        )
        assert wide == [], wide
    bar = card.locator(".mine .poll-bar i")
    widths = "(each) => [each.offsetWidth, each.parentElement.offsetWidth]"

    def is_full() -> bool:
        width, track = bar.evaluate(widths)
        return width == track > 100

    wait_until("the bar to be full", is_full, timeout=10, explain=lambda: (bar.evaluate(widths), card.inner_text()))
    for scheme in ("light", "dark"):
        blue.page.emulate_media(color_scheme=scheme)
        for each in (bar, card.locator(".answer:not(.mine) .poll-bar i").first):
            fill, track, surface = each.evaluate(COLOURS)
            assert blue.page.evaluate(CONTRAST, [fill, track]) >= 3, (scheme, fill, track)
            assert blue.page.evaluate(CONTRAST, [fill, surface]) >= 3, (scheme, fill, surface)
    # Everything that can be used has a name.
    snapshot = blue.page.locator("#polls-panel").aria_snapshot()
    assert '- button "Close the polls"' in snapshot and '- button "Change vote"' in snapshot
    for line in snapshot.splitlines():
        role = line.strip().removeprefix("- ").split(" ")[0].rstrip(":")
        assert role not in ("button", "radio", "meter", "heading") or '"' in line, line
