"""Webhooks of the released program, to a receiver that fails half of the time, through a kill."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path

from conftest import Stage
from jsonschema import Draft202012Validator
from lab import ROOT, wait_until
from server import BINARY, Server

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SCHEMA = ROOT / "Sources" / "Api" / "Schemas" / "webhooks.schema.json"
RECEIVER = Path(__file__).with_name("webhook_receiver.py")
# It was made, locked, opened and ended, each with a line of the audit trail.
EVENTS = 8


def live(server: Server, token: str) -> str:
    meeting = server.create_meeting()
    for verb in ("lock", "unlock"):
        server.call("POST", f"/api/v1/meetings/{meeting}/{verb}", token=token)
    server.call("DELETE", f"/api/v1/meetings/{meeting}", token=token)
    return meeting


def test_a_receiver_that_fails_half_of_the_time_gets_all_in_order_through_a_kill(stage: Stage, tmp_path: Path) -> None:
    stage.make_lab(clients=1)
    taken = tmp_path / "taken.jsonl"
    taken.touch()
    stage.run("pop1", sys.executable, str(RECEIVER), "8099", str(taken), SECRET)
    sections = f'store: {{path: "{tmp_path / "meetings.db"}"}}\n' + (
        "webhooks:\n  retry_s: [" + ", ".join(["1"] * 20) + "]\n  endpoints:\n"
        f'    - {{name: half, url: "http://127.0.0.1:8099/hook", secret: "{SECRET}"}}\n'
    )
    server = stage.start_server(sections=sections)
    token = server.call("GET", "/api/v1/dev/token")["token"]
    meetings = [live(server, token) for _ in range(4)]
    server.crash()
    server = stage.start_server(sections=sections)
    token = server.call("GET", "/api/v1/dev/token")["token"]
    meetings += [live(server, token) for _ in range(2)]

    def notes() -> list[dict]:
        return [json.loads(line) for line in taken.read_text().splitlines()]

    def all_taken() -> bool:
        return len({note["id"] for note in notes() if note["status"] == 204}) == len(meetings) * EVENTS

    wait_until("all to be taken", all_taken, timeout=60)
    validator = Draft202012Validator(json.loads(SCHEMA.read_text()))
    sequences: dict[str, list[int]] = defaultdict(list)
    for note in notes():
        assert note["status"] != 400, f"its signature is wrong: {note}"
        body = json.loads(note["body"])
        validator.validate(body)
        assert note["id"] == f"{body['data']['meeting_id']}_{body['sequence']}"
        assert "host_key" not in note["body"]
        if note["status"] == 204 and sequences[body["data"]["meeting_id"]][-1:] != [body["sequence"]]:
            sequences[body["data"]["meeting_id"]].append(body["sequence"])
    assert dict(sequences) == {meeting: list(range(1, EVENTS + 1)) for meeting in meetings}
    wait_until("nothing to wait", lambda: server.metric("needletail_webhook_pending") == 0, timeout=10)
    said = stage.lab.run("pop1", str(BINARY), "webhooks", "--ops", "127.0.0.1:9090").stdout
    assert "half" in said and "ID" not in said, said
