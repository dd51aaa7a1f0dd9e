"""The lines that a viewer is behind, and what is to be reached there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import goals
from goals import Goal
from lab import Lab


@dataclass(frozen=True)
class Phase:
    name: str
    words: str
    goals: tuple[Goal, ...]
    begin: Callable[[Lab, str], None]
    end: Callable[[Lab, str], None]


def _leave(lab: Lab, host: str) -> None:
    """The line as it is without us."""


def _downlink(*options: str) -> dict[str, Callable[[Lab, str], None]]:
    return {"begin": lambda lab, host: lab.downlink(host, *options), "end": lambda lab, host: lab.downlink(host)}


PHASES = (
    Phase("free", "free", (goals.FULL,), _leave, _leave),
    Phase(
        "1mbit",
        "1 Mbit/s",
        (goals.TWO_MOVE, goals.WHOLE, goals.UNBROKEN, goals.BACK),
        **_downlink("--rate", "1mbit"),
    ),
    Phase("500kbit", "500 kbit/s", (goals.ONE_MOVES, goals.UNBROKEN, goals.BACK), **_downlink("--rate", "500kbit")),
    Phase("150kbit", "150 kbit/s", (goals.UNBROKEN, goals.BACK), **_downlink("--rate", "150kbit")),
    Phase("loss", "10% loss", (goals.WHOLE, goals.UNBROKEN), **_downlink("--loss", "10%")),
    Phase(
        "jitter",
        "jitter 40 ± 40 ms",
        (goals.FEW_AGAIN,),
        lambda lab, host: lab.delay(host, 40, 40),
        lambda lab, host: lab.delay(host, 0),
    ),
)
