"""meeting_client.py as a process on a host of the lab."""

from __future__ import annotations

import json
import select
import subprocess
import sys
import time
from pathlib import Path

from lab import Lab


class Peer:
    """An aiortc participant; every call is one line to the process and one line back."""

    def __init__(self, lab: Lab, host: str, origin: str, meeting: str, name: str, colour: str, folder: Path) -> None:
        self.name, self.colour = name, colour
        self.participant_id: str | None = None
        self._log = folder / f"{host}-{name}.log"
        program = Path(__file__).with_name("meeting_client.py")
        options = ["--origin", origin, "--meeting", meeting, "--name", name, "--colour", colour]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                lab.command(host, sys.executable, str(program), *options),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )

    def _ask(self, command: str, timeout: float = 20) -> dict:
        self._process.stdin.write(command.encode() + b"\n")
        self._process.stdin.flush()
        deadline, line = time.monotonic() + timeout, b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([self._process.stdout], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"{self.name} gave no answer to {command} in {timeout} s: {self._log.read_text()[-2000:]}"
            part = self._process.stdout.read1()
            assert part, f"{self.name} ended: {self._log.read_text()[-2000:]}"
            line += part
        answer = json.loads(line)
        assert "error" not in answer, f"{self.name} could not {command}: {answer['error']}"
        return answer

    def join(self) -> None:
        self.participant_id = self._ask("join", timeout=40)["participant_id"]

    def leave(self) -> None:
        self._ask("leave")

    def observations(self) -> list[dict]:
        """Each receive Slot: `participant_id` and `source` as told by the server, `frames` and `sound` as decoded."""
        return self._ask("observe")["slots"]

    def losses(self) -> tuple[int, int]:
        """RTP packets received, and those that were missing in between, over all Slots."""
        answer = self._ask("losses")
        return answer["received"], answer["lost"]

    def others(self) -> set[str]:
        """Whom the server's messages make the others."""
        return set(self._ask("others")["participants"])

    def _slot(self, mid: str) -> dict:
        return next(slot for slot in self.observations() if slot["mid"] == mid)

    def picture(self, mid: str) -> str | None:
        """Whose colour a Slot shows."""
        return self._slot(mid).get("colour")

    def tone(self, mid: str) -> str | None:
        """Whose tone a Slot plays."""
        return self._slot(mid).get("tone")

    def messages(self, kind: str) -> list[dict]:
        return [message for message in self._ask("messages")["messages"] if message["type"] == kind]

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        self.kill()
        self._process.stdin.close()
        self._process.stdout.close()
