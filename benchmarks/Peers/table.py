"""Rows as they come, as a table or as a JSON object a line."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TypeVar

Row = TypeVar("Row")


@dataclass
class Column:
    name: str
    width: int
    is_text: bool = False


def _line(columns: tuple[Column, ...], cells: list[str]) -> str:
    return "".join(
        cell.ljust(column.width) if column.is_text else cell.rjust(column.width)
        for cell, column in zip(cells, columns, strict=True)
    ).rstrip()


async def show(
    head: str, columns: tuple[Column, ...], rows: AsyncIterator[Row], cells: Callable[[Row], list[str]],
    record: Callable[[Row], dict] | None,
) -> None:  # fmt: skip
    """`record`: what a row is in JSON, when that is wanted."""
    if record:
        print(json.dumps({"name": "machine", "unit": "text", "value": head}), flush=True)
    else:
        print(f"{head}\n{_line(columns, [column.name for column in columns])}", flush=True)
    async for row in rows:
        print(json.dumps(record(row)) if record else _line(columns, cells(row)), flush=True)
