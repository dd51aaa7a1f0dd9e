"""What is measured of a server that people join: see benchmarks/README.md."""

from __future__ import annotations

import asyncio
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import people
from generator import Generator
from janus import Janus
from pop import Pop
from processes import Mapping, Program, wait_until
from rooms import Rooms

API = "10.69.0.1:8080"
PROFILE = "SRTP_AEAD_AES_128_GCM"
# Needletail's own name of it.
OFFERED = "AEAD_AES_128_GCM"
# Bytes of a change of somebody's state, with the frame's header.
NEWS = 150
# Memory that a worker was given at its start and had not touched is in mappings at least as large.
TABLE = 1 << 20


@dataclass
class Machine:
    namespace: str
    generator: str
    server_core: int
    generator_core: int

    def make_generator(self) -> Generator:
        return Generator(self.generator, self.namespace, self.generator_core, PROFILE)


@dataclass
class Case:
    """A build, and the client that joins it: its way in and its offer."""

    build: str
    binary: str
    way: str
    offer: str


class Crowd:
    """A server of its own, and the people who join it, by ICE and DTLS or by signaling alone."""

    def __init__(self, machine: Machine, case: Case, *, connects: bool) -> None:
        self._machine, self._case, self._connects = machine, case, connects

    async def __aenter__(self) -> Crowd:
        self._folder = tempfile.TemporaryDirectory(prefix="needletail-joins-")
        folder = Path(self._folder.name)
        core = self._machine.server_core
        self._pop = Pop(folder, core, self._case.binary, "packet_socket", OFFERED, api=API)
        self._generator = self._machine.make_generator()
        self.size = 0
        await self._pop.__aenter__()
        try:
            await self._generator.__aenter__()
        except BaseException as error:
            await self._pop.__aexit__(type(error))
            raise
        hello, offer = people.write_messages(folder, self._case.way, self._case.offer)
        self._generator.gather(API, hello, offer, connects=self._connects)
        return self

    async def __aexit__(self, kind: type | None, *error: object) -> None:
        # A server that says goodbye to a thousand people takes longer than it is worth.
        if kind is None:
            await self._generator.dismiss()
            await self.program.kill()
        await self._pop.__aexit__(kind, *error)
        await self._generator.__aexit__()
        self._folder.cleanup()

    @property
    def program(self) -> Program:
        return self._pop.program

    async def meetings(self, count: int) -> list[str]:
        return [await self._pop.create_meeting(max_participants=1000) for _ in range(count)]

    async def join(self, meetings: dict[str, int], rate: int = 0) -> tuple[float, dict]:
        """The CPU seconds of it, with what follows until all is quiet, and what the generator says."""
        before = self.program.cpu_seconds()
        arrived = await self._generator.join(meetings, rate)
        since = time.monotonic()
        await self._quiet()
        spent, waited = self.program.cpu_seconds() - before, time.monotonic() - since
        self.size += sum(meetings.values())
        if arrived["arrived"] != sum(meetings.values()):
            raise RuntimeError(f"not everybody arrived: {arrived}")
        return spent - waited * sum(await self.rest(0.5)), arrived

    async def _quiet(self, patience: float = 10) -> None:
        """Returns when the people have heard nothing for a while, which gathered messages take."""
        deadline, frames, since = time.monotonic() + patience, -1, time.monotonic()
        while time.monotonic() < deadline and time.monotonic() - since < 0.3:
            await asyncio.sleep(0.1)
            seen = (await self._generator.mark())["people"]["frames"]
            if seen != frames:
                frames, since = seen, time.monotonic()

    async def change(self, kind: str, first: int, count: int, rate: float, calm: float) -> tuple[float, dict]:
        """The CPU seconds of control for each change, beyond what it takes at rest (for `calm` seconds before)."""
        rest, _ = await self.rest(calm)
        heard = (await self._generator.mark())["people"]["heard"] + count * (self.size - 1)

        async def all_heard() -> bool:
            return (await self._generator.mark())["people"]["heard"] >= heard

        before, start = self._control_seconds(), time.monotonic()
        changed = await self._generator.change(kind, first, count, rate)
        await wait_until("everybody to hear of every change", all_heard, 20)
        wall = time.monotonic() - start
        return (self._control_seconds() - before - rest * wall) / count, changed

    async def rest(self, seconds: float) -> tuple[float, float]:
        """Cores of the control plane and of the workers while nobody does anything."""
        control, workers = self._control_seconds(), self.program.worker_seconds()
        await asyncio.sleep(seconds)
        return (
            (self._control_seconds() - control) / seconds, (self.program.worker_seconds() - workers) / seconds
        )  # fmt: skip

    def _control_seconds(self) -> float:
        return self.program.cpu_seconds() - self.program.worker_seconds()


def growth(before: dict[str, Mapping], after: dict[str, Mapping]) -> tuple[int, int]:
    """Bytes of resident memory that came to a process: in all, and in tables that it reserved at its start."""
    whole = tables = 0
    for first, mapping in after.items():
        old = before.get(first, Mapping(0, 0, ""))
        whole += mapping.resident - old.resident
        if mapping.size == old.size and mapping.size >= TABLE and mapping.name != "[heap]":
            tables += mapping.resident - old.resident
    whole -= sum(mapping.resident for first, mapping in before.items() if first not in after)
    return whole, tables


async def janus(machine: Machine, rooms: int, size: int) -> tuple[float, float]:
    """CPU seconds, and DTLS handshakes, of a person who joins a room of janus with all subscriptions."""
    with tempfile.TemporaryDirectory(prefix="needletail-joins-") as folder:
        server = Janus(Path(folder), machine.server_core, event_loops=1)
        async with server, machine.make_generator() as generator:
            before, transports = server.program.cpu_seconds(), 0
            filling = Rooms(server, generator)
            for room in range(1, rooms + 1):
                transports += await filling.fill(room, size)
            server.program.check()
            return (server.program.cpu_seconds() - before) / (rooms * size), transports / (rooms * size)


async def writes(machine: Machine, people: int, rounds: int, rate: float) -> float:
    """CPU seconds of a server that does nothing but write once to each of so many sockets, `rate` times a second."""
    server = Generator(machine.generator, None, machine.server_core, PROFILE)
    async with server, machine.make_generator() as load:
        server.listen(API)
        await server.mark()
        load.read(people, API)

        async def all_connected() -> bool:
            return await server.write(NEWS) == people

        await wait_until("everybody to connect", all_connected)
        await asyncio.sleep(0.5)
        before = (await server.mark())["cpu"]
        for _ in range(rounds):
            await server.write(NEWS)
            await asyncio.sleep(1 / rate)
        return ((await server.mark())["cpu"] - before) / rounds / 1e9


async def handshake(machine: Machine, count: int) -> float:
    async with machine.make_generator() as generator:
        return await generator.handshakes(count)
