"""Fixtures: a lab, a server in it, and clients on its hosts; whatever a test leaves behind is taken away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from chromium import Chromium, Participant
from crowd import Crowd
from lab import RESULTS, Lab, wait_until
from peer import Counter, Peer, Publisher, Streamer, WebRTCBin
from playwright.sync_api import Playwright, sync_playwright
from server import Server


def pytest_configure() -> None:
    if os.geteuid() != 0:
        pytest.exit("network namespaces need root", returncode=2)
    RESULTS.mkdir(exist_ok=True)
    signal.signal(signal.SIGTERM, end)


def end(*_: object) -> None:
    """As SIGINT does it: the fixtures take away what they made. They are not asked twice."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as driver:
        yield driver


class Stage:
    """Makes what a test asks for, in the lab that the test made first, and takes it away in the opposite order."""

    def __init__(self, playwright: Playwright, folder: Path) -> None:
        self._playwright, self._folder = playwright, folder
        self._stack = ExitStack()
        self._logs: dict[int, Path] = {}
        self._servers: list[Server] = []
        self._browsers: list[Chromium] = []
        self.lab: Lab
        self.server: Server

    def make_lab(self, clients: int = 3, pops: int = 1) -> Lab:
        self.lab = self._stack.enter_context(Lab(clients, pops))
        return self.lab

    def start_server(self, **options: object) -> Server:
        self.server = self._stack.enter_context(Server(self.lab, self._folder, **options))
        self._servers.append(self.server)
        return self.server

    def chromium(self, host: str, colour: str, **options: object) -> Chromium:
        browser = Chromium(self._playwright, self.lab, host, colour, self._folder, **options)
        self._stack.callback(browser.close)
        self._browsers.append(browser)
        return browser

    def red_and_blue(self, meeting: str) -> tuple[Participant, Participant]:
        """Two browsers in a meeting, on client1 and client2."""
        red, blue = (
            self.chromium(host, colour).join(self.server.origin(), meeting, colour.capitalize())
            for host, colour in (("client1", "red"), ("client2", "blue"))
        )
        for page in (red, blue):
            page.wait_connected()
        return red, blue

    def peer(
        self, host: str, meeting: str, name: str, colour: str, family: int = 4, origin: str | None = None,
        videos: int = 3, flash: bool = False,
    ) -> Peer:
        origin = origin or self.server.origin(family)
        peer = Peer(self.lab, host, origin, meeting, name, colour, self._folder, videos, flash)
        self._stack.callback(peer.close)
        return peer

    def publisher(self, host: str, meeting: str, colour: str, first: int = 0) -> Publisher:
        publisher = Publisher(self.lab, host, self.server.origin(), meeting, colour, self._folder, first)
        self._stack.callback(publisher.close)
        return publisher

    def counter(self, host: str, meeting: str) -> Counter:
        counter = Counter(self.lab, host, self.server.origin(), meeting, self._folder)
        self._stack.callback(counter.close)
        return counter

    def crowd(self, name: str = "") -> Crowd:
        """Twenty who are in meetings of the server."""
        crowd = Crowd(self.lab, self._folder, self.server, name)
        self._stack.callback(crowd.close)
        crowd.join()
        return crowd

    def webrtcbin(self, host: str, meeting: str, colour: str, codec: str, checks: bool = False) -> WebRTCBin:
        member = WebRTCBin(self.lab, host, self.server.origin(), meeting, colour, codec, checks, self._folder)
        self._stack.callback(member.close)
        return member

    def streamer(self, host: str, path: str, token: str, codec: str, colour: str | None = None) -> Streamer:
        """`path`: of WHIP with a colour, of WHEP without."""
        streamer = Streamer(self.lab, host, self.server.origin() + path, token, codec, colour, self._folder)
        self._stack.callback(streamer.close)
        return streamer

    def run(self, host: str, *command: str) -> subprocess.Popen:
        """A program on `host`, ended with the test."""
        path = self._folder / f"{host}-{Path(command[0]).name}-{len(self._logs)}.log"
        log = self._stack.enter_context(path.open("wb"))
        program = subprocess.Popen(self.lab.command(host, *command), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._logs[program.pid] = path
        self._stack.callback(program.wait)
        self._stack.callback(program.kill)
        return program

    def log(self, program: subprocess.Popen) -> str:
        """What a program has said so far."""
        return self._logs[program.pid].read_text(errors="replace")

    def serve_folder(self, folder: Path) -> None:
        """A plain web server where needletail's API would be."""
        command = [sys.executable, "-m", "http.server", "8080", "--directory", str(folder)]
        log = self._stack.enter_context((self._folder / "web.log").open("wb"))
        web = subprocess.Popen(self.lab.command("pop1", *command), stdout=log, stderr=log)
        self._stack.callback(web.wait)
        self._stack.callback(web.kill)
        wait_until(
            "the web server", lambda: self.lab.http("pop1", "GET", "http://127.0.0.1:8080/")[0] == 200, timeout=10
        )

    def tell(self) -> None:
        """Prints what a reader of a failure wants to know."""
        for server in self._servers:
            print(f"---- the log of {server.host} ends:\n{server.log_tail(60)}")
        for browser in self._browsers:
            print(f"---- the signaling of {browser.colour} ends:\n{browser.said_last()}")

    def close(self, error: BaseException | None) -> None:
        self._stack.__exit__(type(error) if error else None, error, None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator:
    report = yield
    if report.when == "call" and call.excinfo is not None:
        item.failure = call.excinfo.value
    return report


# Tests that failed and are tried once more, until what they printed was shown: pytest shows that of final failures alone.
_tried_again: set[str] = set()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.outcome == "rerun":
        _tried_again.add(report.nodeid)
        with (RESULTS / "again").open("a") as names:
            print(report.nodeid, file=names)
    elif report.when == "teardown" and report.nodeid in _tried_again:
        _tried_again.remove(report.nodeid)
        print(f"\n{report.nodeid} failed, and is tried once more. It printed:\n{report.capstdout}")


@pytest.fixture
def stage(request: pytest.FixtureRequest, playwright: Playwright, tmp_path: Path) -> Iterator[Stage]:
    made = Stage(playwright, tmp_path)
    yield made
    failure = getattr(request.node, "failure", None)
    if failure is not None:
        made.tell()
    made.close(failure)


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Prints past pytest's capture: measurements that a reader of the output wants to see."""

    def print_now(text: str) -> None:
        with capsys.disabled():
            print(f"\n    {text}", flush=True)

    return print_now
