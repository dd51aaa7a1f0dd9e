"""What is to be reached on a line, from the moment on at which the server has had time to notice it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from row import Row

REACTION_S = 3


@dataclass(frozen=True)
class Goal:
    words: str
    is_reached: Callable[[Row], bool]


def verdict(goals: tuple[Goal, ...], row: Row) -> str:
    """All goals, with those that were missed."""
    return "; ".join(goal.words + ("" if goal.is_reached(row) else ": **missed**") for goal in goals)


FULL = Goal(
    "1280x720 twice, 15 frames/s",
    lambda row: all(each.sizes == ["1280x720"] and each.frames_per_second > 14 for each in row.settled),
)
TWO_MOVE = Goal(
    "two pictures of 10 frames/s", lambda row: all(each.frames_per_second >= 10 for each in row.settled)
)
ONE_MOVES = Goal(
    "one or two pictures of 10 frames/s", lambda row: any(each.frames_per_second >= 10 for each in row.settled)
)
WHOLE = Goal(
    "frozen < 1%", lambda row: all(each.frozen_s < 0.01 * (row.seconds - REACTION_S) for each in row.settled)
)
UNBROKEN = Goal("sound concealed < 1%", lambda row: row.settled_sound.made_up + row.settled_sound.silent < 0.01)
BACK = Goal("back at 1280x720 within 5 s", lambda row: row.back is not None and row.back <= 5)
FEW_AGAIN = Goal("sent again <= 2% of got", lambda row: row.sent_again <= 0.02 * row.received)
