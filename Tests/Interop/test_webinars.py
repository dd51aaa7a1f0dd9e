"""Webinars, as a host and two who watch see and hear them in the web client."""

from __future__ import annotations

from checks import check_gone, check_hears, check_sees
from chromium import Chromium, Participant
from conftest import Stage
from lab import RESULTS, wait_until
from playwright.sync_api import Locator, expect

# How often the page asked for camera or microphone, and all that it was given.
WATCH_DEVICES = """
window.asked = 0;
window.given = [];
if (navigator.mediaDevices) {
    const getUserMedia = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (constraints) => {
        window.asked += 1;
        const stream = await getUserMedia(constraints);
        window.given.push(...stream.getTracks());
        return stream;
    };
}"""
LIVE = "() => window.given.filter(({ readyState }) => readyState === 'live').map(({ kind }) => kind).sort()"
GIVING = ("mute", "camera", "share", "show-settings")


class Person(Participant):
    """A page in the webinar."""

    def show(self, button: str, panel: str) -> None:
        if not self.page.is_visible(f"#{panel}"):
            self.page.click(f"#{button}")
        self.page.wait_for_selector(f"#{panel}:visible")

    def questions(self) -> Locator:
        self.show("show-questions", "questions-panel")
        return self.page.get_by_role("complementary", name="Q&A")

    def card(self, question: str) -> Locator:
        return self.questions().get_by_role("listitem", name=question, exact=True)

    def act(self, other: Person, label: str) -> None:
        """From the list of people."""
        self.show("show-people", "panel")
        self.page.get_by_role("button", name=f"Actions for {other.name}", exact=True).click()
        self.page.get_by_role("menuitem", name=label, exact=True).click()

    def live(self) -> list[str]:
        """Which of its camera and microphone are open."""
        return self.page.evaluate(LIVE)

    def wait_live(self, *kinds: str) -> None:
        wait_until(f"{self.name} to have open {kinds}", lambda: self.live() == list(kinds), timeout=10, explain=self.live)

    def check_watches(self, attendees: int) -> None:
        """It gives nothing, and has nothing to give with."""
        expect(self.page.locator("#webinar-words")).to_have_text(
            f"You are watching · {attendees} attendees", timeout=10_000
        )
        for button in GIVING:
            expect(self.page.locator(f"#{button}")).to_be_hidden()
        expect(self.page.locator("#board .tile.self")).to_have_count(0)
        self.wait_live()

    def tiles(self) -> set[str]:
        return set(self.page.locator("#board .tile").evaluate_all("(all) => all.map((each) => each.dataset.participant)"))


class Webinar:
    """Red is its host; Blue follows its link, and Green one that does not say that it is a webinar."""

    def __init__(self, stage: Stage) -> None:
        stage.make_lab(clients=3)
        self.server = stage.start_server()
        token = self.server.call("GET", "/api/v1/dev/token")["token"]
        plan = {"topic": "All hands", "type": "instant", "settings": {"webinar": True}}
        self.made = self.server.call("POST", "/api/v1/meetings", plan, token)
        hosts = (("client1", "red"), ("client2", "blue"), ("client3", "green"))
        browsers = {colour: stage.chromium(host, colour, script=WATCH_DEVICES) for host, colour in hosts}
        self.red = self._enter(browsers["red"], f"#host_key={self.made['host_key']}")
        self.blue = self._enter(browsers["blue"], "&webinar=1")
        self.green = self._enter(browsers["green"], "")

    def _enter(self, browser: Chromium, rest: str) -> Person:
        name = browser.colour.capitalize()
        query = f"meeting={self.made['meeting_id']}&name={name}&autojoin=1&slots=4{rest}"
        person = Person(browser.open(f"{self.server.origin()}/?{query}"), name, browser.colour)
        person.wait_connected()
        return person


def test_who_watches_sees_and_hears_the_panel_and_asks_it(stage: Stage) -> None:
    webinar = Webinar(stage)
    red, blue, green = webinar.red, webinar.blue, webinar.green
    for each in (blue, green):
        check_sees(each, red)
        check_hears(each, red)
        each.check_watches(attendees=2)
        assert each.others() == {red.participant_id}
    assert blue.page.evaluate("() => window.asked") == 0
    # The host knows who watches, and sees nobody of them.
    wait_until("Red to know both", lambda: red.others() == {blue.participant_id, green.participant_id}, timeout=10)
    assert red.tiles() == {red.participant_id}
    red.show("show-people", "panel")
    expect(red.page.locator("#audience-title")).to_have_text("Attendees (2)")
    red.page.screenshot(path=RESULTS / "webinar-host.png")

    question = "Why <b>seven</b>?"
    form = blue.questions().get_by_role("form", name="Ask the panel")
    form.get_by_label("Your question").fill(question)
    form.get_by_role("button", name="Ask", exact=True).click()
    expect(blue.card(question)).to_contain_text("Not answered yet")
    expect(red.page.get_by_role("button", name="Questions and answers, 1 new question")).to_be_visible()
    expect(green.questions().get_by_role("listitem")).to_have_count(0)
    red.card(question).get_by_role("button", name="Answer", exact=True).click()
    red.card(question).get_by_label("Your answer").fill("It is <i>prime</i>.")
    red.card(question).get_by_role("button", name="Send answer").click()
    for each in (blue, green):
        expect(each.card(question)).to_contain_text("It is <i>prime</i>.", timeout=10_000)
        expect(each.card(question)).to_contain_text("Answered by Red")
        expect(each.card(question).get_by_role("button")).to_have_count(0)
    green.page.screenshot(path=RESULTS / "webinar-questions.png")


def test_a_host_brings_somebody_on_the_panel_and_back(stage: Stage) -> None:
    webinar = Webinar(stage)
    red, blue, green = webinar.red, webinar.blue, webinar.green
    for each in (blue, green):
        check_sees(each, red)
        each.page.evaluate("() => { window.needletail.pc.isTheSame = true; }")
    blue.page.click("#hand")
    red.show("show-people", "panel")
    expect(red.page.locator("#audience-list .who")).to_have_text(["Blue", "Green"])

    red.act(blue, "Bring on the panel")
    told = blue.page.locator("#announcer p", has_text="You are on the panel now")
    expect(told.first).to_be_attached(timeout=10_000)
    for button in ("mute", "camera"):
        expect(blue.page.locator(f"#{button}")).to_be_visible()
        assert "off" in blue.page.get_attribute(f"#{button}", "class").split()
    # Nothing is opened by itself.
    assert blue.live() == []
    expect(green.page.locator("#webinar-words")).to_have_text("You are watching · 1 attendee", timeout=10_000)

    blue.page.click("#camera")
    blue.wait_live("video")
    blue.page.click("#mute")
    blue.wait_live("audio", "video")
    for each in (green, red):
        check_sees(each, blue)
        check_hears(each, blue)
    for each in (blue, green):
        assert each.page.evaluate("() => window.needletail.pc.isTheSame === true"), "another connection"
    red.page.screenshot(path=RESULTS / "webinar-panel.png")

    red.act(blue, "Make an attendee")
    blue.wait_live()
    blue.check_watches(attendees=2)
    check_gone(green, blue.participant_id, timeout=10)
    wait_until("Red to see nobody else", lambda: red.tiles() == {red.participant_id}, timeout=10, explain=red.tiles)
    assert blue.participant_id in red.others()
    check_sees(blue, red)
