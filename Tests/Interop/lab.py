"""appliance/lab, for tests: hosts in network namespaces, and what runs on them."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "appliance" / "lab"
RESULTS = ROOT / ".build-test"

_numbers = itertools.count(1)
# A run of appliance/test takes away the labs of its name.
_RUN = os.environ.get("NEEDLETAIL_TEST_RUN", str(os.getpid()))


def wait_until(
    what: str,
    probe: Callable[[], Any],
    timeout: float,
    every: float = 0.1,
    explain: Callable[[], Any] | None = None,
) -> Any:
    """Polls until `probe` answers something true, and answers that; else fails with `what` and `explain`."""
    deadline = time.monotonic() + timeout
    while not (answer := probe()):
        if time.monotonic() > deadline:
            why = explain() if explain else answer
            raise AssertionError(f"gave up after {timeout} s waiting for {what}; last seen: {why!r}")
        time.sleep(every)
    return answer


class Lab:
    """A lab of its own for each use, gone after `with`."""

    def __init__(self, clients: int = 2, pops: int = 1) -> None:
        self.name = f"test-{_RUN}-{next(_numbers)}"
        self.pops = pops
        self._shape = ["--clients", str(clients), "--pops", str(pops)]

    def __enter__(self) -> Lab:
        self._tool("up", *self._shape)
        return self

    def __exit__(self, *_: object) -> None:
        self._tool("down")

    def _tool(self, verb: str, *arguments: str) -> str:
        command = [str(TOOL), verb, self.name, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
        return done.stdout

    def impair(self, host: str, *options: str) -> None:
        self._tool("impair", host, *options)

    def downlink(self, host: str, *options: str) -> None:
        """As `impair`, of what goes to `host` alone; it takes the place of an impairment."""
        self._tool("downlink", host, *options)

    def delay(self, host: str, milliseconds: int, jitter: int = 0) -> None:
        self._tool("delay", host, str(milliseconds), str(jitter))

    def show(self) -> str:
        return self._tool("show")

    def command(self, host: str, *command: str) -> list[str]:
        """What to start so that `command` runs on `host`; it replaces the tool, so its pid is the command's."""
        return [str(TOOL), "exec", self.name, host, *command]

    def run(self, host: str, *command: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(host, *command), capture_output=True, text=True, timeout=timeout)

    def filter(self, host: str, rules: str) -> None:
        """Gives `host` this nftables table `inet test` and no other; empty rules take it away."""
        text = "table inet test\ndelete table inet test\n" + (f"table inet test {{\n{rules}\n}}\n" if rules else "")
        done = subprocess.run(self.command(host, "nft", "-f", "-"), input=text, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def http(
        self, host: str, method: str, url: str, body: dict | None = None, token: str | None = None
    ) -> tuple[int, str]:
        """Status and body as `host` gets them; status 0 when there is no server."""
        command = ["curl", "-sS", "-g", "--max-time", "5", "-X", method, "-w", "\n%{http_code}", url]
        if body is not None:
            command += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
        if token is not None:
            command += ["-H", f"Authorization: Bearer {token}"]
        text, _, status = self.run(host, *command).stdout.rpartition("\n")
        return int(status or 0), text

    @staticmethod
    def address(host: str, family: int = 4, media: bool = False) -> str:
        """The address of a host; of a PoP's data plane with `media`."""
        kind, number = host.rstrip("0123456789"), int(host.lstrip("abcdefghijklmnopqrstuvwxyz"))
        last = {"client": 100, "pop": 20 if media else 10}[kind] + number
        return f"10.66.0.{last}" if family == 4 else f"fd66::{last}"
