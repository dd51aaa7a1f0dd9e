"""Clients as processes on hosts of the lab: every call is one line to the process and one line back."""

from __future__ import annotations

import json
import select
import subprocess
import sys
import time
from pathlib import Path

from lab import Lab
from signaling import complaint

# Debian's own, which GStreamer's bindings are made for.
SYSTEM_PYTHON = "/usr/bin/python3"


class Program:
    """A program of this folder, run by the Python `python`."""

    def __init__(
        self, lab: Lab, host: str, name: str, folder: Path, program: str, *options: str, python: str = sys.executable
    ) -> None:
        self.name = name
        self._log = folder / f"{host}-{name}.log"
        path = Path(__file__).with_name(program)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                lab.command(host, python, str(path), *options),
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

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        self.kill()
        self._process.stdin.close()
        self._process.stdout.close()


class Member(Program):
    """A participant that speaks the signaling."""

    colour: str
    participant_id: str | None = None

    def join(self) -> None:
        self.participant_id = self._ask("join", timeout=40)["participant_id"]

    def leave(self) -> None:
        self._ask("leave")

    def observations(self) -> list[dict]:
        """Each receive Slot: `participant_id` and `source` as told by the server, `frames` and `sound` as decoded."""
        return self._ask("observe")["slots"]

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


class Peer(Member):
    """An aiortc participant."""

    def __init__(
        self, lab: Lab, host: str, origin: str, meeting: str, name: str, colour: str, folder: Path, videos: int = 3,
        flash: bool = False,
    ) -> None:
        """`videos`: Slots for pictures. With more than one it takes no retransmission of any (see findings). `flash`: its
        picture is bright while its tone is on."""
        self.colour = colour
        options = ["--origin", origin, "--meeting", meeting, "--name", name, "--colour", colour, "--videos", str(videos)]
        options += ["--flash"] if flash else []
        super().__init__(lab, host, name, folder, "meeting_client.py", *options)

    def losses(self) -> tuple[int, int]:
        """RTP packets received, and those that were missing in between, over all Slots."""
        answer = self._ask("losses")
        return answer["received"], answer["lost"]


class Publisher(Program):
    """A participant that sends a recording in three layers, and receives nothing."""

    def __init__(
        self, lab: Lab, host: str, origin: str, meeting: str, colour: str, folder: Path, first: int = 0
    ) -> None:
        """`first`: the group of the recording to begin with."""
        name = f"Publisher {colour}"
        options = ["--origin", origin, "--meeting", meeting, "--name", name, "--colour", colour, "--first", str(first)]
        super().__init__(lab, host, name, folder, "simulcast_client.py", *options)

    def join(self) -> None:
        self.participant_id: str = self._ask("join", timeout=60)["participant_id"]

    def counts(self) -> dict:
        return self._ask("counts")


class Counter(Program):
    """A participant that receives two pictures and all sounds, and counts their packets."""

    def __init__(self, lab: Lab, host: str, origin: str, meeting: str, folder: Path) -> None:
        options = ["--origin", origin, "--meeting", meeting, "--name", "Counter"]
        super().__init__(lab, host, "Counter", folder, "counting_client.py", *options)

    def join(self) -> None:
        self._ask("join", timeout=40)

    def take(self) -> dict:
        """What came since the last call."""
        return self._ask("take")


class Talkers(Program):
    """Several aiortc participants on one host, who talk in few packets and count what they hear."""

    def __init__(
        self, lab: Lab, host: str, origin: str, members: list[tuple[str, bool]], others: int, folder: Path
    ) -> None:
        """`members`: the meeting of each, and whether it has a camera. `others`: how many each hears."""
        options = ["--origin", origin, "--name", f"Talker-{host}", "--others", str(others)]
        for meeting, shows in members:
            options += ["--member", f"{meeting}:pictures" if shows else meeting]
        super().__init__(lab, host, f"Talkers-{host}", folder, "crowd_client.py", *options)

    def join(self) -> list[str]:
        """The participants' ids."""
        return self._ask("join", timeout=60)["ids"]

    def heard(self) -> dict:
        """`cpu_s` of the process, and of its `members`: `id`, `others` whom it knows of, and its `sources`: `from` whom,
        `kind`, `received` and `lost` packets since the beginning, `gap_s` the longest time without one since the last call."""
        return self._ask("heard")

    def leave(self) -> None:
        self._ask("leave")


class WebRTCBin(Member):
    """A participant made of GStreamer's webrtcbin, that joins by one message. It has no validator of schemas: what was said
    on its socket is held against the signaling's here."""

    def __init__(
        self, lab: Lab, host: str, origin: str, meeting: str, colour: str, codec: str, checks: bool, folder: Path
    ) -> None:
        """`checks`: it renews consent, which webrtcbin does not by itself."""
        self.colour = colour
        name = f"GStreamer {colour}"
        options = ["--origin", origin, "--meeting", meeting, "--name", name, "--colour", colour, "--codec", codec]
        options += ["--checks"] if checks else []
        super().__init__(lab, host, name, folder, "webrtcbin_client.py", *options, python=SYSTEM_PYTHON)

    def _ask(self, command: str, timeout: float = 20) -> dict:
        answer = super()._ask(command, timeout)
        wrong = [complaint(side, text) for side, text in super()._ask("said")["said"]]
        assert not any(wrong), f"not as the schema says: {list(filter(None, wrong))}"
        return answer


class Streamer(Program):
    """A client of WHIP or WHEP made of GStreamer's webrtcbin."""

    def __init__(
        self, lab: Lab, host: str, url: str, token: str, codec: str, colour: str | None, folder: Path
    ) -> None:
        """`colour`: what it publishes; None plays."""
        options = ["--url", url, "--token", token, "--codec", codec, *(["--colour", colour] if colour else [])]
        name = colour or "player"
        super().__init__(lab, host, name, folder, "whip_client.py", *options, python=SYSTEM_PYTHON)

    def open(self) -> dict:
        answer = self._ask("open")
        assert answer["status"] == 201, answer
        return answer

    def trickle(self) -> int:
        return self._ask("trickle")["status"]

    def observe(self) -> dict:
        return self._ask("observe")

    def end(self) -> int:
        """The status of DELETE."""
        return self._ask("close")["status"]

    def stop(self) -> None:
        """Ends its media without a word by HTTP."""
        self._ask("stop")
