"""The description of REST, held against the running server by schemathesis: by calls that fit it and others."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

from conftest import Stage
from lab import ROOT
from server import Server

SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"
DESCRIPTION = ROOT / "Sources" / "Api" / "Schemas" / "openapi.json"
HOOKS = Path(__file__).with_name("schemathesis_hooks.py")
API = "http://127.0.0.1:8080"
OPENING = ["publishStream", "playStream"]
LIMITED = [f"--exclude-operation-id={name}" for name in ("createMeeting", "joinMeeting", *OPENING)]
# Calls of each operation in each phase; they are the same each time.
EXAMPLES = 20
# What the description cannot say makes the server refuse calls that fit it: that a start lies in the past, what a type
# of meeting wants, who asks, how often.
REFUSALS = ["400", "401", "403", "404", "406", "409", "412", "415", "422", "423", "426", "428", "429", "5xx"]


class Holder:
    """Runs schemathesis on the PoP's own host."""

    def __init__(self, server: Server, folder: Path) -> None:
        self._server, self._folder = server, folder
        self.calls = 0

    def hold(self, url: str, token: str | None, *options: str, meeting: str | None = None) -> None:
        """Fails with what is wrong. `meeting`: the one that all paths name."""
        configuration = self._folder / "schemathesis.toml"
        text = f'hooks = "{HOOKS}"\n'
        text += f'[parameters]\nid = "{meeting}"\n' if meeting else ""
        text += f'[checks.positive_data_acceptance]\nexpected-statuses = {json.dumps(["2xx", *REFUSALS])}\n'
        configuration.write_text(text)
        command = [
            *("env", "-C", str(self._folder), str(SCHEMATHESIS), "--no-color", "--config-file", str(configuration)),
            *("run", str(DESCRIPTION), "--url", url, "--max-examples", str(EXAMPLES), "--generation-deterministic"),
            *("--phases", "coverage,fuzzing", "--checks", "all"),
            *("--continue-on-failure", "--request-timeout", "5"),
            *options,
        ]
        if token:
            command += ["--header", f"Authorization: Bearer {token}"]
        done = self._server.lab.run(self._server.host, *command, timeout=120)
        print(done.stdout)
        assert done.returncode == 0, done.stderr
        self.calls += int(done.stdout.rpartition("Test cases:")[2].split()[0])


def only(*names: str) -> list[str]:
    return [f"--include-operation-id={name}" for name in names]


def test_the_server_does_what_its_description_says(
    stage: Stage, tmp_path: Path, say: Callable[[str], None]
) -> None:
    lab = stage.make_lab(clients=1)
    server = stage.start_server(joins="{burst: 100000, rate: 100000}")
    assert server.call("GET", "/api/v1/openapi.json") == json.loads(DESCRIPTION.read_text())
    service = server.call("GET", "/api/v1/dev/token")["token"]
    made = server.call("POST", "/api/v1/meetings", {"settings": {"max_participants": 1000}}, service)
    meeting, host = made["meeting_id"], {"display_name": "Host", "host_key": made["host_key"]}
    place = server.call("POST", f"/api/v1/meetings/{meeting}/join", host)["session_token"]
    holder = Holder(server, tmp_path)
    # Nothing that is here, then what is.
    holder.hold(API, service, "--exclude-tag", "node", *LIMITED)
    holder.hold(API, service, *only("readMeeting", "changeMeeting"), meeting=meeting)
    holder.hold(API, place, *only("lockMeeting", "unlockMeeting", "leaveMeeting"), meeting=meeting)
    holder.hold(API, service, *only("createMeeting"))
    holder.hold(API, None, *only("joinMeeting"), meeting=meeting)
    holder.hold(API, service, *only(*OPENING), meeting=meeting)
    holder.hold("http://127.0.0.1:9090", None, "--include-tag", "node")
    status, text = lab.http("pop1", "GET", "http://127.0.0.1:9090/api/v1/node")
    assert status == 200 and json.loads(text)["state"] in ("serving", "draining", "drained")
    say(f"{holder.calls} calls of schemathesis")
