"""What joining and meeting costs Needletail, an earlier build of it, and janus, in one run: see benchmarks/README.md.

Runs in the namespace of the servers; benchmarks/joins made it, the generator's, and the cables between them."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass

import crowd
from cable import Cable
from crowd import Case, Crowd, Machine
from machine import describe
from processes import Mapping
from table import Column, show

# Parts of a run.
PARTS = ("handshake", "small", "large", "media", "crowd", "minute", "janus")


@dataclass(frozen=True)
class Goal:
    """`least`: how many times as much the other build, or janus, must take; otherwise the value's own limit."""

    least: float | None = None
    at_most: float | None = None
    at_least: float | None = None


GOALS = {
    "join, meeting of 10": Goal(least=12),
    "join, large meeting": Goal(least=20),
    "mute alone": Goal(least=10),
    "mute in company": Goal(least=10),
    "mute of a speaker alone": Goal(least=10),
    "mute of a speaker in company": Goal(least=10),
    "hand alone": Goal(least=10),
    "hand in company": Goal(least=10),
    "crowd: whole": Goal(at_most=10),
    "crowd in a minute: max": Goal(at_most=1500),
    "joins with DTLS, meetings of 5": Goal(at_least=700),
    "memory, without media": Goal(at_most=32),
    "memory, connected": Goal(at_most=32),
    "control at rest": Goal(at_most=0.02),
}


@dataclass
class Row:
    what: str
    case: Case | None
    value: float
    unit: str
    note: str = ""
    ratio: float | None = None
    goal: Goal = Goal()

    @property
    def is_reached(self) -> bool | None:
        goal = self.goal
        if goal.at_most is not None:
            return self.value <= goal.at_most
        if goal.at_least is not None:
            return self.value >= goal.at_least
        return None if goal.least is None or self.ratio is None else self.ratio >= goal.least


@dataclass
class Sizes:
    """How many people, and of what they do."""

    small: int = 10
    large: int = 500
    crowd: int = 1000
    # Meetings of ten and of five; a server makes 60 for one address at once.
    tens: int = 30
    fives: int = 55
    alone: int = 30
    company: int = 200
    # Seconds for which the server is watched at rest: before changes, and at the end.
    calm: float = 2
    rest: float = 10
    rooms: int = 3


# How many times as much janus should take.
JANUS_GOAL = 4
# Changes a second.
ALONE, IN_COMPANY, CHATTING = 8, 100, 20
# A rate: more is better.
PER_CORE = "1/s core"

SHORT = Sizes(small=10, large=100, crowd=200, tens=6, fives=20, alone=5, company=40, calm=0.5, rest=2, rooms=1)


def milliseconds(seconds: float) -> float:
    return seconds * 1e3


class Run:
    """All rows, the other build's before ours."""

    def __init__(self, machine: Machine, sizes: Sizes, cases: list[Case], parts: list[str]) -> None:
        self._machine, self._sizes, self._cases, self._parts = machine, sizes, cases, parts
        # They are for the whole run's sizes.
        self._goals = GOALS if sizes == Sizes() else {}
        self._handshake = 0.0
        # Our join into a meeting of ten, ms, with the last of our clients.
        self._ours = 0.0
        # Today's client with the other build, which the rest is compared with.
        self._first: dict[str, float] = {}

    def _row(self, what: str, case: Case, value: float, unit: str, note: str = "") -> Row:
        if case.build == "before" and case.offer == "browser":
            self._first[what] = value
        first = self._first.get(what)
        ratio = None
        if first and value:
            ratio = value / first if unit == PER_CORE else first / value
        goal = self._goals.get(what) if case.build == "now" else None
        return Row(what, case, value, unit, note, ratio, goal or Goal())

    async def rows(self) -> AsyncIterator[Row]:
        if {"handshake", "media", "janus"} & set(self._parts):
            self._handshake = await crowd.handshake(self._machine, 1000)
            note = "OpenSSL alone, the server's side, certificates of ECDSA P-256"
            yield Row("DTLS handshake", None, milliseconds(self._handshake), "ms", note)
        if "crowd" in self._parts:
            cpu = await crowd.writes(self._machine, self._sizes.large, 40, ALONE)
            yield Row("bare writes", None, milliseconds(cpu), "ms", f"one to each of {self._sizes.large} sockets")
        for part, measure, connects in (
            ("small", self._small, False), ("large", self._large, False), ("media", self._media, True),
            ("crowd", self._crowd, True), ("minute", self._minute, True),
        ):  # fmt: skip
            for case in self._cases if part in self._parts else []:
                if not self._is_worth(part, case):
                    continue
                async with Crowd(self._machine, case, connects=connects) as people:
                    async for row in measure(people, case):
                        yield row
        if "janus" in self._parts:
            yield await self._janus()

    def _is_worth(self, part: str, case: Case) -> bool:
        """A crowd is for one client of each build; 1,000 in a minute are more than the other build has time for."""
        if part not in ("crowd", "minute"):
            return True
        mates = [other for other in self._cases if other.build == case.build]
        return case == (mates[0] if case.build == "before" else mates[-1]) and (part == "crowd" or case.build == "now")

    async def _small(self, people: Crowd, case: Case) -> AsyncIterator[Row]:
        # What is needed only once is not a join's.
        await people.join(dict.fromkeys(await people.meetings(1), self._sizes.small))
        meetings = await people.meetings(self._sizes.tens)
        cpu, arrived = await people.join(dict.fromkeys(meetings, self._sizes.small))
        if case.build == "now":
            self._ours = milliseconds(cpu / arrived["arrived"])
        yield self._row("join, meeting of 10", case, milliseconds(cpu / arrived["arrived"]), "ms", self._times(arrived))

    async def _large(self, people: Crowd, case: Case) -> AsyncIterator[Row]:
        meeting = (await people.meetings(1))[0]
        await asyncio.sleep(1)
        before = people.program.memory()
        last = max(self._sizes.large // 10, 10)
        begin, _ = await people.join({meeting: self._sizes.large - last})
        end, arrived = await people.join({meeting: last})
        note = f"the last {last} of {self._sizes.large}; all took {begin + end:.2f} s; {self._times(arrived)}"
        yield self._row("join, large meeting", case, milliseconds(end / last), "ms", note)
        yield self._memory("memory, without media", people, case, before)

    async def _media(self, people: Crowd, case: Case) -> AsyncIterator[Row]:
        await people.join(dict.fromkeys(await people.meetings(1), 5))
        meetings = await people.meetings(self._sizes.fives if case.build == "now" else self._sizes.fives // 4)
        cpu, arrived = await people.join(dict.fromkeys(meetings, 5))
        each = cpu / arrived["arrived"]
        note = (
            f"{milliseconds(each):.2f} ms each, {self._handshake / each:.0%} of it the handshake; "
            f"{arrived['arrived'] / arrived['took'] * 1e9:.0f} a second by the clock"
        )
        yield self._row("joins with DTLS, meetings of 5", case, 1 / each, PER_CORE, note)

    async def _crowd(self, people: Crowd, case: Case) -> AsyncIterator[Row]:
        """1,000 people as fast as they can; what 500 of them do in between."""
        meeting = (await people.meetings(1))[0]
        await asyncio.sleep(1)
        before = people.program.memory()
        half, first = await people.join({meeting: self._sizes.large})
        async for row in self._changes(people, case):
            yield row
        rest, second = await people.join({meeting: self._sizes.crowd - people.size})
        took = (first["took"] + second["took"]) / 1e9
        note = f"{people.size} people; {took:.1f} s by the clock; {self._times(second)}"
        yield self._row("crowd: whole", case, half + rest, "s", note)
        yield self._memory("memory, connected", people, case, before)
        control, workers = await people.rest(self._sizes.rest)
        note = f"{people.size} people; and {workers:.3f} of the worker"
        yield self._row("control at rest", case, control, "cores", note)

    async def _changes(self, people: Crowd, case: Case) -> AsyncIterator[Row]:
        """The first three are in everybody's Slots, and so is who follows on one of them; the middle is not."""
        sizes, middle = self._sizes, people.size // 2
        for what, kind, first in (("mute", "mute", middle), ("mute of a speaker", "mute", 0), ("hand", "hand", middle)):
            cpu, changed = await people.change(kind, first, sizes.alone, ALONE, sizes.calm)
            note = f"of {people.size}; heard by all after {self._spread(changed)}"
            yield self._row(f"{what} alone", case, milliseconds(cpu), "ms", note)
            cpu, _ = await people.change(kind, first + sizes.alone, sizes.company, IN_COMPANY, sizes.calm)
            note = f"of {people.size}, {IN_COMPANY} a second"
            yield self._row(f"{what} in company", case, milliseconds(cpu), "ms", note)
        # Earlier builds have none.
        if case.build == "now":
            cpu, changed = await people.change("chat", 0, sizes.company, CHATTING, sizes.calm)
            note = f"of {people.size}, {CHATTING} a second; heard by all after {self._spread(changed)}"
            yield self._row("chat", case, milliseconds(cpu), "ms", note)

    def _memory(self, what: str, people: Crowd, case: Case, before: dict[str, Mapping]) -> Row:
        whole, tables = crowd.growth(before, people.program.memory())
        each = (whole - tables) / people.size / 1024
        note = f"of control; and {tables / people.size / 1024:.1f} of workers' tables"
        return self._row(what, case, each, "KiB each", note)

    async def _minute(self, people: Crowd, case: Case) -> AsyncIterator[Row]:
        meeting = (await people.meetings(1))[0]
        cpu, arrived = await people.join({meeting: self._sizes.crowd}, rate=self._sizes.crowd // 60)
        p50, p99, most = (milliseconds(time / 1e9) for time in arrived["placed"])
        note = f"p50 {p50:.1f}, p99 {p99:.1f} from asking to Slots; {self._sizes.crowd} people, {cpu:.1f} s of CPU"
        yield self._row("crowd in a minute: max", case, most, "ms", note)

    async def _janus(self) -> Row:
        cpu, handshakes = await crowd.janus(self._machine, self._sizes.rooms, self._sizes.small)
        without = cpu - handshakes * self._handshake
        note = f"{milliseconds(cpu):.2f} with {handshakes:.1f} DTLS handshakes"
        if self._ours:
            note += f"; {milliseconds(without) / self._ours:.1f} times ours, which should be {JANUS_GOAL}"
        return Row("janus: join, room of 10", None, milliseconds(without), "ms", note)

    @staticmethod
    def _times(arrived: dict) -> str:
        p50, p99, most = (milliseconds(time / 1e9) for time in arrived["placed"])
        return f"Slots after {p50:.0f}, {p99:.0f}, {most:.0f} ms"

    @staticmethod
    def _spread(changed: dict) -> str:
        p50, _, most = (milliseconds(time / 1e9) for time in changed["delays"])
        return f"{p50:.0f}, at most {most:.0f} ms"


COLUMNS = (
    Column("what", 32, True), Column("build", 8, True), Column("client", 16, True), Column("value", 9),
    Column("", 1, True), Column("unit", 9, True), Column("x before", 9), Column("goal", 9), Column(" ", 1, True),
    Column("", 4, True), Column("note", 0, True),
)  # fmt: skip


def goal_text(goal: Goal) -> str:
    if goal.least is not None:
        return f">= {goal.least:g}x"
    if goal.at_most is not None:
        return f"<= {goal.at_most:g}"
    return "" if goal.at_least is None else f">= {goal.at_least:g}"


def cells(row: Row) -> list[str]:
    client = f"{row.case.way}, {row.case.offer}" if row.case else ""
    ratio = "" if row.ratio is None else f"{row.ratio:.1f}"
    verdict = {None: "", True: "ok", False: "NO"}[row.is_reached]
    build = row.case.build if row.case else ""
    return [
        row.what, build, client, f"{row.value:.3f}", "", row.unit, ratio, goal_text(row.goal), "", verdict, row.note
    ]  # fmt: skip


def record(row: Row) -> dict:
    case = row.case
    return {
        "name": row.what, "build": case and case.build, "way": case and case.way, "offer": case and case.offer,
        "value": round(row.value, 4), "unit": row.unit, "ratio": row.ratio and round(row.ratio, 2),
        "goal": goal_text(row.goal), "ok": row.is_reached, "note": row.note,
    }  # fmt: skip


def make_cases(needletail: str, before: str, is_short: bool, way: str) -> list[Case]:
    """Each build with today's client, and with the one that offers less; ours with its own way in."""
    theirs = [("steps", "browser"), ("steps", "trimmed")] if before else []
    ours = list(dict.fromkeys([("steps", "browser"), (way, "browser"), (way, "trimmed")]))
    if is_short:
        theirs, ours = theirs[:1], ours[-1:]
    cases = [Case("before", before, *client) for client in theirs]
    return cases + [Case("now", needletail, *client) for client in ours]


async def main(run: Run, machine: Machine, is_json: bool) -> None:
    # What was started is ended on the way out.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asyncio.current_task().cancel)
    for name in ("media0", "signal0"):
        Cable(name, machine.namespace, machine.server_core, machine.generator_core).steer("own")
    head = describe("janus", "libssl3", "libdpdk-dev")
    await show(head, COLUMNS, run.rows(), cells, record if is_json else None)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one object a line instead of the table")
    parser.add_argument("--short", action="store_true", help="fewer people, nobody else's servers: for tests")
    parser.add_argument("--only", choices=PARTS, action="append", help="these rows alone")
    parser.add_argument("--build", choices=["before", "now"], help="this one alone, for profilers")
    parser.add_argument("--offer", choices=["browser", "trimmed"], help="this one alone, for profilers")
    parser.add_argument("--way", choices=["steps", "once"], default="once", help="how our own client joins (once)")
    for name in ("namespace", "generator", "needletail", "before"):
        parser.add_argument(f"--{name}", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        parser.error("two cores are needed, one for the servers and one for the generator")
    machine = Machine(options.namespace, options.generator, server_core=cores[0], generator_core=cores[1])
    parts = options.only or [part for part in PARTS if not options.short or part not in ("minute", "janus")]
    cases = make_cases(options.needletail, options.before, options.short, options.way)
    cases = [case for case in cases if case.build == (options.build or case.build)]
    cases = [case for case in cases if case.offer == (options.offer or case.offer)]
    asyncio.run(main(Run(machine, SHORT if options.short else Sizes(), cases, parts), machine, options.json))
