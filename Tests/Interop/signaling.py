"""The JSON Schema of the signaling socket, to hold what clients and server say against."""

from __future__ import annotations

import json
from pathlib import Path

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

SCHEMA = Path(__file__).resolve().parents[2] / "Sources" / "Api" / "Schemas" / "signaling.schema.json"


def _validator(side: str) -> Draft202012Validator:
    schema = json.loads(SCHEMA.read_text())
    del schema["anyOf"]
    return Draft202012Validator({**schema, "$ref": f"#/$defs/{side}"})


_VALIDATORS = {side: _validator(side) for side in ("client", "server")}


def complaint(side: str, text: str) -> str | None:
    """What is wrong with a message of the `client` or the `server`; None when it is as described."""
    try:
        wrong = best_match(_VALIDATORS[side].iter_errors(json.loads(text)))
    except ValueError as error:
        return f"the {side} said {text[:200]!r}: {error}"
    return f"the {side} said {text[:200]!r}: {wrong.message[:200]}" if wrong else None
