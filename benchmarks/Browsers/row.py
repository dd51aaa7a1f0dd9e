"""A line of the table: one phase with one build."""

from __future__ import annotations

import os
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from goals import REACTION_S, Goal, verdict
from phases import Phase
from stage import VIEWER, Meeting
from viewing import Concealment, Picture

# How long both pictures may take to be as before.
PATIENCE_S = 25


@dataclass
class Row:
    downlink: str
    build: str
    goals: tuple[Goal, ...]
    # Of all cores, while it was measured, %.
    busy: float
    load: float
    seconds: float
    pictures: list[Picture]
    concealed: Concealment
    # Both once the server has had time to react.
    settled: list[Picture]
    settled_sound: Concealment
    lost: float
    received: float
    nacks: float
    retransmitted: float
    fec: float
    rtt: float | None
    sent_again: float
    queue_drops: int
    moves: list[float | None]
    back_moves: list[float | None]
    back: float | None
    other: dict
    # What every metric of the server grew by.
    metrics: dict[str, float]


def measure(meeting: Meeting, phase: Phase, build: str, seconds: float) -> Row:
    viewing = meeting.viewing
    meeting.settle()
    meeting.counter.take()
    metrics, ticks = meeting.server.metrics(), _processor_ticks()
    phase.begin(meeting.lab, VIEWER)
    began, ended = viewing.watch(seconds)
    after, ticks_after = meeting.server.metrics(), _processor_ticks()
    other, drops = meeting.counter.take(), meeting.queue_drops()
    phase.end(meeting.lab, VIEWER)
    lifted = time.time()
    meeting.wait_until_back(lifted, PATIENCE_S)
    grown = {name: value - metrics.get(name, 0) for name, value in after.items() if value != metrics.get(name, 0)}
    return Row(
        downlink=phase.words,
        build=build,
        goals=phase.goals,
        busy=100 * (1 - (ticks_after[1] - ticks[1]) / (ticks_after[0] - ticks[0])),
        load=os.getloadavg()[0],
        seconds=ended - began,
        pictures=[viewing.picture(each, began, ended) for each in meeting.people],
        concealed=viewing.concealed(began, ended),
        settled=[viewing.picture(each, began + REACTION_S, ended) for each in meeting.people],
        settled_sound=viewing.concealed(began + REACTION_S, ended),
        lost=viewing.sum("packetsLost", began, ended),
        received=viewing.sum("packetsReceived", began, ended),
        nacks=viewing.sum("nackCount", began, ended),
        retransmitted=viewing.sum("retransmittedPacketsReceived", began, ended),
        fec=viewing.sum("fecPacketsReceived", began, ended),
        rtt=viewing.round_trip(began, ended),
        sent_again=grown.get("needletail_retransmits_total", 0),
        queue_drops=drops,
        moves=meeting.moves_after(began, ended),
        back_moves=meeting.moves_after(lifted),
        back=meeting.back_after(lifted),
        other=other,
        metrics=grown,
    )


def _processor_ticks() -> tuple[int, int]:
    """Of all cores: all, and idle ones (proc(5))."""
    fields = list(map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]))
    return sum(fields), fields[3] + fields[4]


COLUMNS = (
    "downlink",
    "build",
    "picture",
    "frames/s",
    "s without a frame",
    "freezes, frozen s",
    "sound concealed, silent",
    f"from {REACTION_S} s on: frames/s, frozen s, sound",
    "lost / got",
    "NACK, RTX got, FEC got",
    "RTT (ICE) ms",
    "sent again (dropped in the queue)",
    "moves after s",
    "lifted: moves, 720 again after s",
    "other viewer: lost / got, longest gap ms, lines",
    "busy %, load",
    "goals",
)


def cells(row: Row) -> list[str]:
    def both(values: list[str]) -> str:
        return values[0] if len(set(values)) == 1 else " and ".join(values)

    pictures, other = row.pictures, row.other
    gap = other["longest_gap_s"]
    return [
        row.downlink,
        row.build,
        both([_sizes(each.sizes) for each in pictures]),
        both([f"{each.frames_per_second:.1f}" for each in pictures]),
        both([f"{each.empty_seconds}" for each in pictures]),
        both([f"{each.freezes}, {each.frozen_s:.1f}" for each in pictures]),
        f"{row.concealed.made_up:.1%}, {row.concealed.silent:.1%}",
        ", ".join(
            (
                both([f"{each.frames_per_second:.1f}" for each in row.settled]),
                both([f"{each.frozen_s:.1f}" for each in row.settled]),
                f"{row.settled_sound.made_up + row.settled_sound.silent:.1%}",
            )
        ),
        f"{row.lost:.0f} / {row.received:.0f}",
        f"{row.nacks:.0f}, {row.retransmitted:.0f}, {row.fec:.0f}",
        "-" if row.rtt is None else f"{1000 * row.rtt:.0f}",
        f"{row.sent_again:.0f} ({row.queue_drops})",
        both([_seconds(each) for each in row.moves]),
        f"{both([_seconds(each) for each in row.back_moves])}; {_seconds(row.back)}",
        f"{other['lost']} / {other['received']}, {'-' if gap is None else f'{1000 * gap:.0f}'}, "
        + "/".join(map(str, other["heights"])),
        f"{row.busy:.0f}, {row.load:.1f}",
        verdict(row.goals, row),
    ]


def record(row: Row) -> dict:
    goals = {goal.words: goal.is_reached(row) for goal in row.goals}
    return {**asdict(replace(row, goals=())), "goals": goals}


def _sizes(sizes: list[str]) -> str:
    """In the order in which they were shown; of many the first and the last ones."""
    shown = sizes if len(sizes) <= 5 else [*sizes[:2], f"({len(sizes) - 4} more)", *sizes[-2:]]
    return " > ".join(shown) or "none"


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.1f}"
