"""Meetings that last: the released program, killed and started again on the same file."""

from __future__ import annotations

import sqlite3
import subprocess
from pathlib import Path

from conftest import Stage
from server import BINARY


def meetings(stage: Stage) -> set[str]:
    token = stage.server.call("GET", "/api/v1/dev/token")["token"]
    return {meeting["meeting_id"] for meeting in stage.server.call("GET", "/api/v1/meetings", token=token)["meetings"]}


def test_meetings_outlive_a_kill_and_a_newer_schema_ends_the_start(stage: Stage, tmp_path: Path) -> None:
    file = tmp_path / "meetings.db"
    stage.make_lab(clients=1)
    made: set[str] = set()
    for start in range(3):
        server = stage.start_server(sections=f'store: {{path: "{file}"}}\n')
        assert meetings(stage) == made
        made |= {server.create_meeting(f"Meeting {start}.{number}") for number in range(3)}
        if start:
            token = server.call("GET", "/api/v1/dev/token")["token"]
            over = made.pop()
            server.call("DELETE", f"/api/v1/meetings/{over}", token=token)
        assert server.metric("needletail_store_up") == 1
        server.crash()

    # As the page Operation has it done, while a node runs or not.
    with sqlite3.connect(file) as source, sqlite3.connect(tmp_path / "copy.db") as copy:
        source.backup(copy)
        found = {row[0] for row in copy.execute("SELECT id FROM meeting WHERE ended_at IS NULL")}
        assert found == made
        copy.execute("INSERT INTO grdb_migrations VALUES ('99')")
    config = server.log.with_suffix(".yaml")
    config.write_text(config.read_text().replace(str(file), str(tmp_path / "copy.db")))
    command = stage.lab.command("pop1", str(BINARY), "serve", "--config", str(config))
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith(f"needletail: {tmp_path}/copy.db has schema 99, and"), done.stderr
