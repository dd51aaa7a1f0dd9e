"""The load generator (benchmarks/Generator) in its namespace, commanded by lines and answering by JSON."""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import dataclass

from processes import start

CLIENT_ADDRESS = "10.67.0.2"
FIRST_PORT = 20_000


@dataclass
class Transport:
    """What a session description says about the way to its author."""

    ufrag: str
    password: str
    fingerprint: str
    address: str
    port: int


class Generator:
    def __init__(self, binary: str, namespace: str, core: int, profile: str) -> None:
        self._command, self._core = ["ip", "netns", "exec", namespace, binary, profile], core
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

    async def _answer(self) -> dict:
        line = await asyncio.wait_for(self._process.stdout.readline(), 15)
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

    async def mark(self) -> dict:
        """Everything counted so far; `mark` is the time and `cpu` its own processor time, ns."""
        self._say("mark")
        while "mark" not in (answer := await self._answer()):
            pass
        return answer
