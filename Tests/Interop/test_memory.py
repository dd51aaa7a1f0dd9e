"""The memory of the server under clients that keep to no rule: bounded for each connection, whatever they do."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import hostile_client
import pytest
from conftest import Stage
from lab import Lab
from turn_clients import turn_section

CLIENT = Path(hostile_client.__file__)
# Of the process, while they all are open: MiB a connection.
LIMIT = 2
CONNECTIONS = 24
SECONDS = 4
# Each behaviour alone too.
IS_LONG = "HOSTILE_EACH" in os.environ
SEED = int(os.environ.get("HOSTILE_SEED", "1"))


def resident(pid: int, what: str) -> float:
    """MiB: `VmRSS` is now, `VmHWM` the most since `forget_peak`."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{what}:\s+(\d+) kB", status, re.MULTILINE).group(1)) / 1024


def forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def call(lab: Lab, method: str, path: str, token: str | None = None) -> dict:
    """A call of the API over TLS from the client's host."""
    command = ["curl", "-sSk", "--max-time", "5", "-X", method, f"https://{lab.address('pop1')}:8080{path}"]
    if token:
        command += ["-H", f"Authorization: Bearer {token}", "-H", "Content-Type: application/json", "-d", "{}"]
    return json.loads(lab.run("client1", *command).stdout)


def names() -> list[str]:
    found = list(hostile_client.PROTOCOLS)
    if IS_LONG:
        found += [
            f"{protocol}/{behaviour.__name__}"
            for protocol, behaviours in hostile_client.PROTOCOLS.items()
            for behaviour in behaviours
        ]
    return found


# Each with a server of its own: what another client had taken and given back would be taken again unseen.
@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", names())
def test_no_client_takes_more_than_its_share(
    stage: Stage, tmp_path: Path, say: Callable[[str], None], name: str
) -> None:
    lab = stage.make_lab(clients=1)
    section, certificate = turn_section(lab, tmp_path)
    files = (certificate.chain, certificate.key)
    server = stage.start_server(families=(4,), certificate=files, sections=section)
    token = call(lab, "GET", "/api/v1/dev/token")["token"]
    meeting = call(lab, "POST", "/api/v1/meetings", token)["meeting_id"]

    def besiege(connections: int, seconds: float) -> float:
        """How far the server's memory grows meanwhile."""
        before = resident(server.process.pid, "VmRSS")
        forget_peak(server.process.pid)
        arguments = [name, lab.address("pop1"), str(SEED), str(connections), str(seconds), meeting]
        done = lab.run("client1", sys.executable, str(CLIENT), *arguments, timeout=seconds + 30)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout), "no connection was begun"
        print(done.stdout)
        assert server.process.poll() is None, server.log_tail()
        return resident(server.process.pid, "VmHWM") - before

    # What the process takes once, for a first connection, is nobody's.
    besiege(1, 0.5)
    grown = besiege(CONNECTIONS, SECONDS) / CONNECTIONS
    say(f"{name}: {grown:.2f} MiB a connection")
    assert grown <= LIMIT
