"""The same load through Needletail and through servers that others wrote, in one run: see benchmarks/README.md.

Runs in the namespace of the servers; benchmarks/peers made it, the generator's, and the cable between them."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import signal
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from cable import Cable
from coturn import Coturn
from generator import Generator
from janus import Janus
from machine import describe
from pop import Pop
from processes import Program, start, wait_until
from table import Column, show

VIEWERS = 20
RELAYED_BYTES = 1000
# How many times as much the peer should spend on a packet.
VETH_GOALS = {"forward": 8, "relay": 3}
IN_PROCESS_GOALS = {"forward": 80, "relay": 40}
# How often a disturbed row is taken, and the seconds in which it may be taken again.
TRIES = 3
AGAIN_WITHIN = 150
# As OpenSSL and Needletail's configuration name the two that everybody has.
PROFILES = {
    "AEAD_AES_128_GCM": "SRTP_AEAD_AES_128_GCM",
    "AES128_CM_SHA1_80": "SRTP_AES128_CM_SHA1_80",
}
# As the registry of DTLS-SRTP protection profiles has them.
NUMBERS = {"AEAD_AES_128_GCM": 7, "AES128_CM_SHA1_80": 1}


class Server(Protocol):
    program: Program


@dataclass
class Row:
    """One server under one load. `pays`: for both halves of the kernel's way of what it sends, or for its own."""

    work: str
    server: str
    profile: str
    port: str
    pays: str = ""
    # Packets a second that came out of the server, and its CPU seconds for a million of them: the median of windows
    # of a second, and the least.
    rate: float = 0
    cpu: float = 0
    least: float = 0
    # The same by the worker's own count: without the time in which it looked for packets and found none.
    working: float | None = None
    # Cores that the server took, with traffic and before it, that others took while it was ready to run, and that the
    # generator took.
    busy: float = 0
    rest: float = 0
    waited: float = 0
    generator: float = 0
    lost: int = 0
    # What the server's packets were checked for: authentic ones, and those that were not, or not in their place.
    checked: int = 0
    wrong: int = 0
    threads: int = 0
    # The CPU seconds of the peer that it is compared with, by its own.
    ratio: float | None = None
    goal: float | None = None

    def beside(self, *peers: Row) -> Row:
        """Compared with the peer at its best."""
        self.ratio = min(peer.cpu for peer in peers) / self.cpu
        return self


# Who pays for the receiver's half of the way of what a server sends: itself, or the end that receives.
PAYS = ("both", "own")


@dataclass
class Load:
    """One of Needletail's ports, how many times as much as the peer it has to do, and what it pays for."""

    driver: str
    factor: int
    pays: str


LOADS = (
    Load("packet_socket", 1, "own"), Load("packet_socket", 4, "own"), Load("packet_socket", 1, "both"),
    Load("packet_socket", 4, "both"), Load("af_packet", 4, "both"), Load("af_xdp", 4, "both"),
)  # fmt: skip


@dataclass
class Options:
    namespace: str
    generator: str
    needletail: str
    in_process: str
    server_core: int
    generator_core: int
    rate: int
    seconds: int
    only: str | None

    def make_generator(self, profile: str = "SRTP_AEAD_AES_128_GCM") -> Generator:
        return Generator(self.generator, self.namespace, self.generator_core, profile)


async def measure(options: Options, row: Row, server: Server, generator: Generator, kind: str) -> None:
    """Fills `row` from windows of a second; the traffic runs already."""
    marks, working = [], []
    waited = server.program.waited_seconds()
    for _ in range(options.seconds + 1):
        await asyncio.sleep(1)
        marks.append((await generator.mark(), server.program.cpu_seconds()))
        if isinstance(server, Pop):
            working.append(await server.working())
    server.program.check()
    row.waited = (server.program.waited_seconds() - waited) / (options.seconds + 1)
    costs = []
    for (before, begin), (after, end) in itertools.pairwise(marks):
        packets = after[kind]["received"] - before[kind]["received"]
        if packets == 0:
            raise RuntimeError(f"{row.server} forwards nothing: {after[kind]}\n{server.program.tail()}")
        costs.append((end - begin) / packets * 1e6)
    (before, begin), (after, end) = marks[0], marks[-1]
    wall = (after["mark"] - before["mark"]) / 1e9
    row.rate = (after[kind]["received"] - before[kind]["received"]) / wall
    row.cpu, row.least = statistics.median(costs), min(costs)
    if working:
        row.working = statistics.median(working[1:]) / row.rate * 1e6
    row.busy = (end - begin) / wall
    row.generator = (after["cpu"] - before["cpu"]) / 1e9 / wall
    row.threads = server.program.threads()


async def settle(row: Row, generator: Generator, kind: str) -> None:
    """What was lost, once the traffic has ended and everything that was under way has come."""
    await asyncio.sleep(0.5)
    seen = (await generator.mark())[kind]
    row.lost = seen["lost"] + max(seen["under_way"], 0)
    row.checked = seen.get("authentic", 0)
    row.wrong = seen.get("forged", 0) + seen.get("shifted", 0) + seen.get("late", 0)


async def at_rest(program: Program) -> float:
    """Cores that a server takes with its clients connected and nothing to forward."""
    before = program.cpu_seconds()
    await asyncio.sleep(1)
    return program.cpu_seconds() - before


async def forward(options: Options, row: Row, server: Janus | Pop, rate: int) -> None:
    """One publisher and VIEWERS who watch it."""
    async with server, options.make_generator(PROFILES[row.profile]) as generator:
        await server.fill(generator, VIEWERS)
        row.rest = await at_rest(server.program)
        server.publish(generator, rate)

        async def all_watch() -> bool:
            return (await generator.mark())["media"]["watching"] == VIEWERS

        await wait_until("every client to receive media", all_watch, 10)
        await measure(options, row, server, generator, "media")
        server.publish(generator, 0)
        await settle(row, generator, "media")


async def relay(options: Options, row: Row, server: Coturn | Pop, rate: int) -> None:
    """As many clients and their peers, who send to each other through the relay."""
    async with server, options.make_generator() as generator:
        await server.fill_relay(generator, VIEWERS)
        row.rest = await at_rest(server.program)
        # Half as many packets leave the server as with a publisher of `rate`: coturn loses some of more.
        generator.send(rate // 4, RELAYED_BYTES)
        await measure(options, row, server, generator, "relay")
        generator.send(0, 0)
        await settle(row, generator, "relay")


async def in_process(options: Options, work: str, profile: str = "") -> Row:
    """Needletail's worker on a port without a kernel, with as many receivers, or allocations: see benchmarks/run."""
    process = await start(
        [options.in_process, str(options.server_core), str(VIEWERS), str(RELAYED_BYTES)], options.server_core,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    if process.returncode != 0:
        raise RuntimeError(f"{options.in_process} ended with {process.returncode}")
    costs = (json.loads(line) for line in output.splitlines())
    cost = next(cost for cost in costs if (cost["work"], cost.get("profile")) == (work, NUMBERS.get(profile)))
    return Row(
        work, "needletail", profile, "in process", rate=1e9 / cost["ns"], cpu=cost["ns"] / 1e3,
        least=cost["least"] / 1e3, busy=1, goal=IN_PROCESS_GOALS[work],
    )  # fmt: skip


class Comparison:
    """All rows of one run."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._cable = Cable("media0", options.namespace, options.server_core, options.generator_core)
        self._again_until = time.monotonic() + AGAIN_WITHIN

    async def _row(self, blank: Row, take: Callable[[Path, Row], Awaitable[None]]) -> Row:
        """A row in which packets were lost is taken again while there is time: something else had the cores."""
        self._cable.steer(blank.pays)
        for number in range(TRIES):
            row = replace(blank)
            with tempfile.TemporaryDirectory(prefix="needletail-peers-") as folder:
                await take(Path(folder), row)
            if row.lost == 0 or number == TRIES - 1 or time.monotonic() > self._again_until:
                return row
        raise AssertionError("a row is taken at least once")

    async def _janus(self, profile: str, pays: str) -> Row:
        async def take(folder: Path, row: Row) -> None:
            server = Janus(folder, self._options.server_core, event_loops=1)
            await forward(self._options, row, server, self._options.rate)

        return await self._row(Row("forward", "janus", profile, "veth, sockets", pays), take)

    async def _coturn(self, pays: str) -> Row:
        async def take(folder: Path, row: Row) -> None:
            await relay(self._options, row, Coturn(folder, self._options.server_core, 1), self._options.rate)

        return await self._row(Row("relay", "coturn", "", "veth, sockets", pays), take)

    async def _pop(self, work: str, profile: str, load: Load) -> Row:
        async def take(folder: Path, row: Row) -> None:
            offered = profile or next(iter(PROFILES))
            server = Pop(folder, self._options.server_core, self._options.needletail, load.driver, offered)
            rate = self._options.rate * load.factor
            await (forward if work == "forward" else relay)(self._options, row, server, rate)

        port = f"veth, {load.driver}"
        return await self._row(Row(work, "needletail", profile, port, load.pays, goal=VETH_GOALS[work]), take)

    async def _beside(self, work: str, profile: str, *peers: Row) -> AsyncIterator[Row]:
        for load in LOADS:
            yield (await self._pop(work, profile, load)).beside(*peers)
        yield (await in_process(self._options, work, profile)).beside(*peers)

    async def rows(self) -> AsyncIterator[Row]:
        """Every row as it comes; Needletail's with their ratios to the peer before them."""
        for profile in PROFILES:
            if self._options.only not in (None, "forward", profile):
                continue
            peers = [await self._janus(profile, pays) for pays in PAYS]
            for row in peers:
                yield row
            async for row in self._beside("forward", profile, *peers):
                yield row
        if self._options.only in (None, "relay"):
            peers = [await self._coturn(pays) for pays in PAYS]
            for row in peers:
                yield row
            async for row in self._beside("relay", "", *peers):
                yield row


COLUMNS = (
    Column("work", 8, True), Column("server", 11, True), Column("profile", 18, True), Column("port", 20, True),
    Column("pays", 5, True), Column("packets/s", 10), Column("CPU s/million", 14), Column("least", 7),
    Column("working", 8), Column("x peer", 7), Column("goal", 5), Column("cores", 6), Column("at rest", 8),
    Column("waited", 7), Column("generator", 10), Column("lost", 8), Column("wrong", 6),
)  # fmt: skip


def cells(row: Row) -> list[str]:
    def optional(value: float | None, form: str) -> str:
        return "" if value is None else format(value, form)

    real = row.port != "in process"
    return [
        row.work, row.server, row.profile, row.port, row.pays, f"{row.rate:,.0f}", f"{row.cpu:.3f}", f"{row.least:.3f}",
        optional(row.working, ".3f"), optional(row.ratio, ".1f"), optional(row.goal, ".0f"), f"{row.busy:.2f}",
        f"{row.rest:.3f}" if real else "", f"{row.waited:.2f}" if real else "",
        f"{row.generator:.2f}" if real else "", str(row.lost) if real else "", str(row.wrong) if real else "",
    ]  # fmt: skip


def record(row: Row) -> dict:
    return {
        "name": f"{row.work}, {row.server}, {row.port}", "unit": "CPU s/million packets", "value": round(row.cpu, 4),
        "least": round(row.least, 4), "working": row.working and round(row.working, 4), "profile": row.profile,
        "pays": row.pays, "packets_per_second": round(row.rate), "ratio": row.ratio and round(row.ratio, 2),
        "goal": row.goal, "ok": None if row.goal is None else row.ratio >= row.goal, "cores": round(row.busy, 4),
        "cores_at_rest": round(row.rest, 4), "cores_waited_for": round(row.waited, 4),
        "generator_cores": round(row.generator, 4), "lost": row.lost, "checked": row.checked, "wrong": row.wrong,
        "threads": row.threads,
    }  # fmt: skip


async def main(options: Options, is_json: bool) -> None:
    # What was started is ended on the way out.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asyncio.current_task().cancel)
    head = describe("janus", "coturn", "libdpdk-dev", "libsrtp2-1", "libipsec-mb1")
    await show(head, COLUMNS, Comparison(options).rows(), cells, record if is_json else None)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one object a line instead of the table")
    parser.add_argument("--rate", type=int, default=2000, help="published packets a second (2000)")
    parser.add_argument("--seconds", type=int, default=5, help="measured time of each row (5)")
    parser.add_argument("--only", choices=["forward", "relay", *PROFILES], help="these rows alone")
    for name in ("namespace", "generator", "needletail", "in-process"):
        parser.add_argument(f"--{name}", required=True, help=argparse.SUPPRESS)
    arguments = vars(parser.parse_args())
    is_json = arguments.pop("json")
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        parser.error("two cores are needed, one for the servers and one for the generator")
    asyncio.run(main(Options(server_core=cores[0], generator_core=cores[1], **arguments), is_json))
