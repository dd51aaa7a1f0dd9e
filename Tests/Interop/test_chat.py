"""The chat of a meeting, as three people see it in the web client."""

from __future__ import annotations

from chromium import Chromium, Participant
from conftest import Stage
from lab import RESULTS, wait_until
from playwright.sync_api import Locator

MARKUP = '<img src=x onerror="window.harm = 1"><script>window.harm = 1</script><b>bold</b>'
NAME = '<img src=x onerror="window.harm = 1">'


class Chat:
    """The panel of one page."""

    def __init__(self, participant: Participant) -> None:
        self.participant, self.page = participant, participant.page

    @property
    def id(self) -> str:
        return self.participant.participant_id

    def open(self) -> Chat:
        if not self.page.is_visible("#chat-panel"):
            self.page.click("#show-chat")
        self.page.wait_for_selector("#chat-field")
        return self

    def close(self) -> None:
        self.page.press("#chat-field", "Escape")
        self.page.wait_for_selector("#chat-panel", state="hidden")
        assert self.page.evaluate("() => document.activeElement.id") == "show-chat"

    def send(self, text: str, to: Chat | None = None) -> None:
        """Chooses whom it is for, and waits until it was taken."""
        self.page.select_option("#chat-to", to.id if to else "")
        self.enter(text)

    def enter(self, text: str) -> None:
        """Tries again where the server held it back; the enter key does nothing while an answer is awaited."""
        self.page.fill("#chat-field", text)

        def is_taken() -> bool:
            self.page.press("#chat-field", "Enter")
            return self.page.input_value("#chat-field") == ""

        wait_until(
            f"{text!r} to be taken",
            is_taken,
            timeout=20,
            every=0.3,
            explain=lambda: self.page.inner_text("#chat-problem"),
        )

    def texts(self) -> list[str]:
        return self.page.locator("#chat-list .words").all_text_contents()

    def wait(self, *texts: str) -> None:
        """The last ones in the list."""
        wait_until(
            f"{self.participant.name} to read {texts}",
            lambda: tuple(self.texts()[-len(texts) :]) == texts,
            timeout=10,
            explain=lambda: self.texts()[-10:],
        )

    def row(self, text: str) -> Locator:
        return self.page.locator("#chat-list li", has=self.page.get_by_text(text, exact=True)).last

    def act(self, text: str, name: str) -> None:
        row = self.row(text)
        row.hover()
        row.get_by_title(name, exact=True).click()

    def delete(self, text: str) -> None:
        self.act(text, "Delete")
        self.page.click("#chat-delete-confirm")

    def unread(self) -> str:
        """What the button says beside its icon; "" where there is nothing, "dot" where there is something earlier."""
        count = self.page.locator("#chat-count")
        if not count.is_visible():
            return ""
        return count.text_content() or "dot"

    def wait_unread(self, count: str) -> None:
        what = f"{self.participant.name} to have {count!r} unread"
        wait_until(what, lambda: self.unread() == count, timeout=10, explain=self.unread)


class Room:
    """A meeting whose first one, Red, is its host; everybody has a host of the lab."""

    def __init__(self, stage: Stage) -> None:
        self.lab = stage.make_lab(clients=3)
        self.server = stage.start_server()
        token = self.server.call("GET", "/api/v1/dev/token")["token"]
        made = self.server.call("POST", "/api/v1/meetings", {"topic": "Chat", "type": "instant"}, token)
        self.meeting, self.host_key = made["meeting_id"], made["host_key"]
        hosts = (("client1", "red"), ("client2", "blue"), ("client3", "green"))
        self.browsers: dict[str, Chromium] = {colour: stage.chromium(host, colour) for host, colour in hosts}

    def enter(self, colour: str, name: str | None = None) -> Chat:
        name = name or colour.capitalize()
        browser, origin = self.browsers[colour], self.server.origin()
        if colour == "red":
            address = f"{origin}/?meeting={self.meeting}&name={name}&autojoin=1&slots=4#host_key={self.host_key}"
            participant = Participant(browser.open(address), name, colour)
        else:
            participant = browser.join(origin, self.meeting, name)
        participant.wait_connected()
        return Chat(participant)


def test_everybody_reads_what_is_for_all_and_two_what_is_private(stage: Stage) -> None:
    room = Room(stage)
    red, blue, green = (room.enter(colour).open() for colour in ("red", "blue", "green"))
    red.send("Hello everyone")
    for each in (red, blue, green):
        each.wait("Hello everyone")
    blue.send("Only for you", to=red)
    for each in (red, blue):
        each.wait("Hello everyone", "Only for you")
    assert red.row("Only for you").locator(".only").text_content() == "Only to you"
    assert blue.row("Only for you").locator(".only").text_content() == "Only to Red"

    # An answer to what is private is private.
    red.act("Only for you", "Reply")
    assert red.page.input_value("#chat-to") == blue.id
    red.enter("And mine for you")
    blue.wait("Only for you", "And mine for you")
    assert "Only for you" in (blue.row("And mine for you").locator(".quote").text_content() or "")
    red.page.screenshot(path=RESULTS / "chat-private.png")

    # What comes later has come to the third: what is missing there does not come any more.
    green.send("First line\nsecond line")
    for each in (red, blue):
        each.wait("And mine for you", "First line\nsecond line")
    green.wait("Hello everyone", "First line\nsecond line")
    assert not [text for text in green.texts() if "for you" in text]

    # Who is written to leaves: nobody else reads it.
    blue.page.select_option("#chat-to", green.id)
    blue.page.fill("#chat-field", "A secret")
    green.participant.leave()
    blue.page.wait_for_selector("#chat-gone")
    blue.page.press("#chat-field", "Enter")
    assert blue.page.is_disabled("#chat-send")
    assert blue.page.input_value("#chat-field") == "A secret"
    red.send("After that")
    blue.wait("After that")
    assert "A secret" not in red.texts() + blue.texts()


def test_messages_are_answered_changed_and_taken_back(stage: Stage) -> None:
    room = Room(stage)
    red, blue, green = (room.enter(colour).open() for colour in ("red", "blue", "green"))
    blue.send("When do we meet?")
    green.wait("When do we meet?")
    green.act("When do we meet?", "Reply")
    green.enter("At nine")
    for each in (red, blue):
        each.wait("When do we meet?", "At nine")
        whose = "You" if each is blue else "Blue"
        assert (each.row("At nine").locator(".quote").text_content() or "").endswith(f"{whose}: When do we meet?")
    # The way to what was answered.
    red.row("At nine").locator(".quote").click()
    asked = "() => document.activeElement.querySelector('.words')?.textContent"
    wait_until("the question to have the focus", lambda: red.page.evaluate(asked) == "When do we meet?", timeout=5)

    green.act("At nine", "Edit")
    assert green.page.input_value("#chat-field") == "At nine"
    green.enter("At ten")
    for each in (red, blue, green):
        each.wait("When do we meet?", "At ten")
        assert each.row("At ten").locator(".edited").is_visible()

    # One's own may be taken back, a host's are all.
    blue.row("At ten").hover()
    assert blue.row("At ten").get_by_title("Delete", exact=True).count() == 0
    blue.delete("When do we meet?")
    for each in (red, blue, green):
        each.wait("This message was deleted", "At ten")
    red.delete("At ten")
    for each in (red, blue, green):
        each.wait("This message was deleted", "This message was deleted")
    green.page.screenshot(path=RESULTS / "chat-deleted.png")


def test_who_comes_late_reads_what_was_and_counts_what_comes(stage: Stage) -> None:
    """Also that names and texts are text, whatever they look like."""
    room = Room(stage)
    red, blue = room.enter("red").open(), room.enter("blue", NAME).open()
    assert red.unread() == ""
    for number in range(60):
        # Each may write so many at once, and then one a second.
        (red if number % 2 else blue).send("A pangolin" if number == 7 else f"Message {number}")
    blue.send(MARKUP)
    red.wait("Message 59", MARKUP)

    green = room.enter("green")
    green.wait_unread("dot")
    red.send("You are late")
    green.wait_unread("1")
    blue.send("One more")
    green.wait_unread("2")
    green.open()
    green.wait("Message 59", MARKUP, "You are late", "One more")
    # The page before comes when one looks up.
    green.page.evaluate("() => { document.querySelector('#chat-scroll').scrollTop = 0; }")
    wait_until(
        "the first message",
        lambda: green.texts()[:2] == ["Message 0", "Message 1"],
        timeout=10,
        explain=lambda: green.texts()[:3],
    )
    assert len(green.texts()) == 63
    red.send("Are you there?")
    green.page.wait_for_selector("#chat-latest")
    green.page.click("#chat-latest")
    green.wait("Are you there?")
    green.wait_unread("")

    for each in (red, blue, green):
        assert each.page.evaluate("() => window.harm") is None
        assert each.page.locator("#chat-panel img, #chat-panel script, #chat-list .words b").count() == 0
    for each in (red, green):
        assert NAME in each.page.locator("#chat-list .by").all_text_contents()

    green.page.click("#chat-search")
    green.page.fill("#chat-find", "pangolin")
    found = green.page.locator("#chat-found-list .words")
    wait_until(
        "what was looked for",
        lambda: found.all_text_contents() == ["A pangolin"],
        timeout=10,
        explain=found.all_text_contents,
    )
    found.first.click()
    green.page.wait_for_selector("#chat-list li.led")
    assert green.page.locator("#chat-list li.led .words").text_content() == "A pangolin"
    green.page.screenshot(path=RESULTS / "chat.png")

    green.close()
    for number in range(3):
        red.send(f"Behind {number}")
    green.wait_unread("3")


def test_a_page_that_loses_its_socket_reads_what_it_missed(stage: Stage) -> None:
    room = Room(stage)
    red, blue, green = (room.enter(colour).open() for colour in ("red", "blue", "green"))
    red.send("Before")
    for each in (blue, green):
        each.wait("Before")
    green.close()
    room.lab.filter("client3", "chain out { type filter hook output priority 0; tcp dport 8080 reject with tcp reset\n}")
    green.page.wait_for_function("() => window.needletail.state === 'reconnecting'")
    red.send("Missed")
    blue.send("Missed, for you", to=green)
    red.send("Not for Green", to=blue)
    # What is written meanwhile stays in the field, with the reason.
    green.open()
    green.page.fill("#chat-field", "From afar")
    green.page.press("#chat-field", "Enter")
    green.page.wait_for_selector("#chat-problem .problem")
    assert green.page.input_value("#chat-field") == "From afar"
    green.close()

    room.lab.filter("client3", "")
    green.page.wait_for_function("() => window.needletail.state === 'meeting'")
    green.wait_unread("2")
    green.open()
    green.wait("Before", "Missed", "Missed, for you")
    green.page.press("#chat-field", "Enter")
    for each in (red, green):
        each.wait("From afar")
    assert "Not for Green" not in green.texts()
