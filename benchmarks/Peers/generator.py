"""The load generator (benchmarks/Generator) in its namespace, commanded by lines and answering by JSON."""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from processes import start

CLIENT_ADDRESS = "10.67.0.2"
FIRST_PORT = 20_000
# Of the first participant's signaling; the others' follow, so that no server takes them for one who asks too much.
SIGNAL_ADDRESS = "10.70.0.1"


@dataclass
class Transport:
    """What a session description says about the way to its author."""

    ufrag: str
    password: str
    fingerprint: str
    address: str
    port: int


class Generator:
    def __init__(self, binary: str, namespace: str | None, core: int, profile: str) -> None:
        """`namespace`: another one than where this runs."""
        within = ["ip", "netns", "exec", namespace] if namespace else []
        self._command, self._core = [*within, binary, profile], core
        self._connected: set[int] = set()

    async def __aenter__(self) -> Generator:
        pipe = asyncio.subprocess.PIPE
        self._process = await start(self._command, self._core, stdin=pipe, stdout=pipe, limit=1 << 20)
        self.hello = await self._answer()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), 5)
        except asyncio.TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def _answer(self, patience: float = 15) -> dict:
        line = await asyncio.wait_for(self._process.stdout.readline(), patience)
        if not line:
            raise RuntimeError("the generator ended")
        return json.loads(line)

    def _say(self, *words: object) -> None:
        self._process.stdin.write((" ".join(map(str, words)) + "\n").encode())

    def own_transport(self, number: int) -> Transport:
        """Of client `number`, new each time."""
        return Transport(
            secrets.token_hex(4), secrets.token_hex(12), self.hello["fingerprint"], CLIENT_ADDRESS, FIRST_PORT + number
        )

    async def connect(self, number: int, own: Transport, server: Transport) -> None:
        """ICE and DTLS with the server; answers when the SRTP keys are there."""
        self._say(
            "client", number, f"{own.address}:{own.port}", f"{server.address}:{server.port}", own.ufrag, own.password,
            server.ufrag, server.password, server.fingerprint,
        )  # fmt: skip
        await self._wait_for(number)

    async def allocate(self, number: int, server: tuple[str, int], user: str, password: str) -> None:
        """A TURN allocation with a channel to a peer of ours."""
        client, peer = (f"{CLIENT_ADDRESS}:{FIRST_PORT + base + number}" for base in (0, 1000))
        self._say("relay", number, client, peer, f"{server[0]}:{server[1]}", user, password)
        await self._wait_for(number)

    async def _wait_for(self, number: int) -> None:
        while number not in self._connected:
            answer = await self._answer()
            if "connected" in answer:
                self._connected.add(answer["connected"])

    def publish(self, rate: int, payload_type: int, ssrc: int) -> None:
        self._say("publish", rate, payload_type, ssrc)

    def send(self, rate: int, size: int) -> None:
        self._say("send", rate, size)

    def gather(self, server: str, hello: Path, offer: Path | None, *, connects: bool) -> None:
        """Who will join: at `server`, with the messages of these files, with media or without."""
        local = f"{SIGNAL_ADDRESS}:0", f"{CLIENT_ADDRESS}:{FIRST_PORT}"
        self._say("people", server, *local, hello, offer or "-", int(connects))

    async def join(self, meetings: dict[str, int], rate: int = 0, window: int = 16) -> dict:
        """So many people into each of the meetings, `rate` a second or as fast as `window` at a time allow."""
        for meeting, count in meetings.items():
            self._say("join", count, meeting, rate, window)
        return await self._hear("arrived")

    async def change(self, kind: str, first: int, count: int, rate: float) -> dict:
        """Changes of state, `mute` or `hand`, or messages, `chat`; each another person's from number `first` on."""
        self._say(kind, first, count, rate)
        return await self._hear("changed")

    async def dismiss(self) -> None:
        """The server may go now."""
        self._say("dismiss")
        await self.mark()

    async def handshakes(self, count: int) -> float:
        """The processor seconds of a DTLS handshake at its server."""
        self._say("handshakes", count)
        return (await self._hear("handshakes"))["server"] / count / 1e9

    def listen(self, address: str) -> None:
        """As a server, for `write`."""
        self._say("listen", address)

    def read(self, count: int, server: str) -> None:
        """Connects so often to one that listens."""
        self._say("read", count, f"{SIGNAL_ADDRESS}:0", server)

    async def write(self, size: int) -> int:
        """So many bytes to everybody who has connected; how many these are."""
        self._say("write", size)
        return (await self._hear("written"))["written"]

    async def _hear(self, word: str, patience: float = 150) -> dict:
        while word not in (answer := await self._answer(patience)):
            pass
        return answer

    async def mark(self) -> dict:
        """Everything counted so far; `mark` is the time and `cpu` its own processor time, ns."""
        self._say("mark")
        return await self._hear("mark", 15)
