"""Programs that are measured: started on a core, timed, and ended by their own ids."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

NICE = -10


async def wait_until(what: str, probe: Callable[[], Awaitable[bool]], timeout: float = 15) -> None:
    deadline = time.monotonic() + timeout
    while not await probe():
        if time.monotonic() > deadline:
            raise RuntimeError(f"gave up after {timeout} s waiting for {what}")
        await asyncio.sleep(0.05)


async def start(command: list[str], core: int | None, **options: object) -> asyncio.subprocess.Process:
    """Runs `command` on `core`, or on any, before what else the machine does."""
    # taskset and nice become the program, so the id is the program's.
    command = ["nice", "-n", str(NICE), *command]
    if core is not None:
        command = ["taskset", "-c", str(core), *command]
    process = await asyncio.create_subprocess_exec(*command, start_new_session=True, **options)
    # With autogroups (sched(7)) a nice value counts within its session alone, and the session's against others.
    with contextlib.suppress(FileNotFoundError):
        Path(f"/proc/{process.pid}/autogroup").write_text(str(NICE))
    return process


@dataclass
class Mapping:
    """A piece of a process's memory, bytes."""

    size: int
    resident: int
    name: str


class Ended(RuntimeError):
    """A program that should run does not."""


class Program:
    """A process on one core; its output goes to a file. With `starts_anywhere` it is on one core after `pin`."""

    def __init__(self, command: list[str], core: int, log: Path, *, starts_anywhere: bool = False) -> None:
        self._name = Path(command[0]).name
        self._command, self._core = command, core
        self._first_core = None if starts_anywhere else core
        self.log = log

    async def __aenter__(self) -> Program:
        with self.log.open("wb") as log:
            self._process = await start(
                self._command, self._first_core, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
            )
        return self

    async def __aexit__(self, kind: type | None, *_: object) -> None:
        if self._process.returncode is None:
            self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), 10)
            except asyncio.TimeoutError:
                self._process.kill()
                await self._process.wait()
        if kind is not None:
            print(self.tail(), flush=True, file=sys.stderr)

    async def kill(self) -> None:
        """Without a chance to say goodbye to its clients."""
        self._process.kill()
        await self._process.wait()

    def tail(self) -> str:
        return f"{self._name} said last:\n" + "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])

    def check(self) -> None:
        if self._process.returncode is not None:
            raise Ended(f"{self._name} ended with {self._process.returncode}\n{self.tail()}")

    def pin(self) -> None:
        for thread in os.listdir(f"/proc/{self._process.pid}/task"):
            # Some end meanwhile.
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(int(thread), {self._core})

    def cpu_seconds(self) -> float:
        """What all its threads ran so far: utime + stime of /proc, to the nanosecond."""
        # The process's CPU clock, as clock_getcpuclockid(3) names it.
        return time.clock_gettime(~self._process.pid << 3 | 2)

    def worker_seconds(self) -> float:
        """Of them, those of Needletail's workers: the data plane."""
        seconds = 0.0
        for thread in Path(f"/proc/{self._process.pid}/task").iterdir():
            # Some end meanwhile.
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                if (thread / "comm").read_text().startswith("worker-"):
                    seconds += int((thread / "schedstat").read_text().split()[0]) / 1e9
        return seconds

    def memory(self) -> dict[str, Mapping]:
        """Its mappings by their first address."""
        text = Path(f"/proc/{self._process.pid}/smaps").read_text()
        record = r"^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ \S+ *(.*)\n(?:.*\n)*?Rss: +(\d+) kB"
        found = re.findall(record, text, re.MULTILINE)
        return {
            first: Mapping(int(end, 16) - int(first, 16), int(resident) * 1024, name)
            for first, end, name, resident in found
        }

    def waited_seconds(self) -> float:
        """For how long its threads were ready to run and others had the core."""
        records = Path(f"/proc/{self._process.pid}/task").glob("*/schedstat")
        return sum(int(record.read_text().split()[1]) for record in records) / 1e9

    def threads(self) -> int:
        return len(os.listdir(f"/proc/{self._process.pid}/task"))
