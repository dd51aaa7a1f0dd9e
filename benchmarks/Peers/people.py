"""What participants say to Needletail: the ways into a meeting, as messages that the generator fills in."""

from __future__ import annotations

import json
from pathlib import Path

import offers

# With REST first, a message for each thing; or all of it in one.
WAYS = ("steps", "once")
STATE = {"audio": True, "video": True}
VIEW = {"layout": "gallery", "visible": []}


def _line(**message: object) -> str:
    return json.dumps(message) + "\n"


def write_messages(folder: Path, way: str, kind: str) -> tuple[Path, Path | None]:
    """The files of what is said first and, where it takes steps, when the server says `joined`."""
    offer = offers.write(kind)
    hello, after = folder / "hello", folder / "after"
    if way == "once":
        hello.write_text(
            _line(
                type="join", id=1, meeting="@MEETING@", display_name="@NAME@", offer=offer,
                media_state=STATE | {"screen": False}, view=VIEW,
            )  # fmt: skip
        )
        return hello, None
    hello.write_text(_line(type="join", id=1, session_token="@TOKEN@"))
    messages = [
        _line(type="media_state", id=2, **STATE), _line(type="offer", id=3, sdp=offer), _line(type="view", id=4, **VIEW)
    ]  # fmt: skip
    after.write_text("".join(messages))
    return hello, after
