"""Debian's Firefox on a host of the lab, driven by WebDriver BiDi (W3C). Its camera and microphone are Firefox's own fakes: a
changing colour and a tone.

Run as a program on the browser's host, this file carries messages between standard input and output, one a line, and the
browser's socket, which is on that host's loopback.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from queue import Empty, Queue
from typing import Any
from urllib.parse import urlencode

from chromium import Participant
from lab import Lab, wait_until
from websockets.sync.client import connect

EXECUTABLE = "/usr/bin/firefox-esr"

PREFERENCES = {
    "media.navigator.permission.disabled": True,
    "media.navigator.streams.fake": True,
    "media.autoplay.default": 0,
    # It would fetch a codec.
    "media.gmp-manager.updateEnabled": False,
    "media.gmp-provider.enabled": False,
    # Nothing leaves the lab, though nothing could.
    "app.normandy.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
}


class Firefox:
    """A browser with one page; what it has in common with a page of Playwright a Participant can use."""

    def __init__(self, lab: Lab, host: str, folder: Path) -> None:
        self._log = folder / f"firefox-{host}.log"
        profile = folder / f"firefox-{host}"
        temporary = profile / "tmp"
        temporary.mkdir(parents=True)
        # A camera needs a secure context; this lab has no certificates.
        secure = {"dom.securecontext.allowlist": lab.address("pop1", 4)}
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in (PREFERENCES | secure).items()]
        (profile / "user.js").write_text("\n".join(lines) + "\n")
        options = ["--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"]
        self._browser = subprocess.Popen(
            ["env", f"HOME={profile}", f"TMPDIR={temporary}", *lab.command(host, EXECUTABLE, *options)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._log.open("wb"),
        )  # fmt: skip
        self._relay: subprocess.Popen | None = None
        self._answers: Queue[str] = Queue()
        self._number = 0
        try:
            self._connect(lab, host)
        except BaseException:
            self.close()
            raise

    def _connect(self, lab: Lab, host: str) -> None:
        address = wait_until("Firefox", self._address, timeout=30, explain=self._log.read_text)
        self._relay = subprocess.Popen(
            lab.command(host, sys.executable, __file__, address + "/session"),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        threading.Thread(target=self._listen, daemon=True).start()
        self._ask("session.new", {"capabilities": {}})
        self._context = self._ask("browsingContext.getTree", {})["contexts"][0]["context"]

    def _address(self) -> str | None:
        mark = "WebDriver BiDi listening on "
        return next(
            (line.partition(mark)[2] for line in self._log.read_text().splitlines() if line.startswith(mark)), None
        )

    def _listen(self) -> None:
        for line in self._relay.stdout:
            self._answers.put(line)

    def _ask(self, method: str, parameters: dict, timeout: float = 30) -> dict:
        self._number += 1
        self._relay.stdin.write(json.dumps({"id": self._number, "method": method, "params": parameters}) + "\n")
        self._relay.stdin.flush()
        while True:
            try:
                answer = json.loads(self._answers.get(timeout=timeout))
            except Empty:
                raise AssertionError(f"Firefox gave no answer to {method}: {self._log.read_text()[-2000:]}") from None
            if answer.get("id") == self._number:
                assert answer["type"] == "success", answer
                return answer["result"]

    def open(self, url: str) -> None:
        self._ask("browsingContext.navigate", {"context": self._context, "url": url, "wait": "complete"})

    def evaluate(self, function: str, argument: object = None) -> Any:
        """Calls an (async) function of the page, as Playwright does; what it answers must be JSON."""
        expression = f"(async () => JSON.stringify(await ({function})({json.dumps(argument)})) ?? 'null')()"
        target = {"context": self._context}
        found = self._ask(
            "script.evaluate", {"expression": expression, "target": target, "awaitPromise": True}, timeout=40
        )
        assert found["type"] == "success", found["exceptionDetails"]["text"]
        return json.loads(found["result"]["value"])

    def join(self, origin: str, meeting: str, name: str, slots: int = 4) -> Participant:
        """Opens the web client, which joins by itself."""
        self.open(f"{origin}/?{urlencode({'meeting': meeting, 'name': name, 'autojoin': 1, 'slots': slots})}")
        self.wait_for(f"{name} to connect", "window.needletail?.pc?.connectionState === 'connected'")
        return Participant(self, name, colour="")

    def wait_for(self, what: str, condition: str, timeout: float = 30) -> Any:
        """Polls an expression of the page until it is true."""
        return wait_until(what, lambda: self.evaluate(f"() => {condition}"), timeout=timeout)

    def __enter__(self) -> Firefox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for process in (self._relay, self._browser):
            if process:
                process.terminate()
                process.wait(timeout=20)


def main(address: str) -> None:
    with connect(address, proxy=None, max_size=None, ping_interval=None) as socket:

        def speak() -> None:
            for line in sys.stdin:
                socket.send(line)

        threading.Thread(target=speak, daemon=True).start()
        for message in socket:
            print(message.replace("\n", " "), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
