"""Measures each line with each build, and prints a row of a Markdown table as soon as it is there."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import recording
from lab import ROOT
from phases import PHASES, Phase
from playwright.sync_api import sync_playwright
from row import COLUMNS, Row, cells, measure, record
from stage import Meeting

sys.path.append(str(ROOT / "benchmarks" / "Peers"))

from machine import describe


def main() -> None:
    # As SIGINT does it: what was made is taken away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(prog="benchmarks/browsers", description=__doc__)
    built = ROOT / ".build" / "release" / "needletail"
    parser.add_argument("--binary", type=Path, action="append", help="a build; may be repeated")
    parser.add_argument("--phase", choices=[phase.name for phase in PHASES], action="append", help="may be repeated")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    phases = [phase for phase in PHASES if not options.phase or phase.name in options.phase]
    recording.pictures()
    _print_head(options.json)
    for binary in options.binary or [built]:
        for phase in phases:
            row = _measure(binary.resolve(), phase, options.seconds)
            print(json.dumps(record(row)) if options.json else f"| {' | '.join(cells(row))} |", flush=True)


def _measure(binary: Path, phase: Phase, seconds: float) -> Row:
    """In a meeting of its own: what a build does not recover from is not counted twice."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        playwright = stack.enter_context(sync_playwright())
        meeting = Meeting(stack, playwright, binary, Path(folder))
        return measure(meeting, phase, binary.parent.name, seconds)


def _print_head(as_json: bool) -> None:
    head = describe("chromium", "iproute2", "nftables", "vde2")
    if as_json:
        print(json.dumps({"machine": head}), flush=True)
        return
    print(f"{head}\n\n| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}", flush=True)


if __name__ == "__main__":
    main()
