"""A node beside a node that runs: the second harms nothing; and what others do to the exception interface is mended."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Stage
from lab import Lab, wait_until
from server import BINARY, Server
from test_health import condition, ops
from test_start import complaint, configure

MORE = ("--exception", "nt0", "--gateway", "10.66.0.1", "--gateway", "fd66::1")


def kernel(lab: Lab) -> list[str]:
    """All that the kernel has of the exception interface."""
    asked = [
        # Link-local addresses are the kernel's own.
        *(["ip", family, "address", "show", "dev", "nt0", "scope", "global"] for family in ("-4", "-6")),
        *(["ip", family, "route", "show", "table", "3478"] for family in ("-4", "-6")),
        *(["ip", family, "rule"] for family in ("-4", "-6")),
    ]
    return [lab.run("pop1", *command).stdout for command in asked]


def start(stage: Stage) -> Server:
    server = stage.start_server(driver="packet_socket", more=MORE)
    assert condition(server, "exception")["met"] is True
    return server


def test_a_second_start_names_the_first_and_harms_nothing(stage: Stage, tmp_path: Path) -> None:
    lab = stage.make_lab(clients=1)
    server = start(stage)
    before = kernel(lab)
    assert before[0] and "default via 10.66.0.1" in before[2] and "lookup 3478" in before[4]
    port = lab.run("pop1", str(BINARY), "serve", "--config", str(server._config), timeout=30)
    assert port.returncode == 1
    pid = re.search(r"port\.device media0: a node that runs has it \(process (\d+)\)", complaint(port))
    assert pid and int(pid[1]) == server.process.pid, port.stderr
    # Another port and other listeners: there is one routing table for the exception path.
    folder = tmp_path / "second"
    folder.mkdir()
    config = configure(lab, folder, "--exception", "nt1", "--api", "127.0.0.1:8081", "--ops", "127.0.0.1:9091")
    config.write_text(config.read_text().replace("iface=media0", "iface=other0"))
    exception = lab.run("pop1", str(BINARY), "serve", "--config", str(config), timeout=30)
    assert exception.returncode == 1
    assert f"port.exception: a node that runs has it (process {server.process.pid})" in complaint(exception)
    assert kernel(lab) == before
    assert ops(server, "/readyz")[0] == 200
    assert "mended" not in server.log_tail()


def test_of_three_that_start_at_once_one_runs(stage: Stage, tmp_path: Path) -> None:
    """On a device that anybody may have, the listeners are what there is one of."""
    lab = stage.make_lab(clients=1)
    config = configure(lab, tmp_path)
    config.write_text(config.read_text().replace("net_af_packet0,iface=media0", "net_null0"))
    nodes = [stage.run("pop1", str(BINARY), "serve", "--config", str(config)) for _ in range(3)]
    wait_until("two to end", lambda: sum(node.poll() is not None for node in nodes) == 2, timeout=20)
    (runs,) = [node for node in nodes if node.poll() is None]
    for node in nodes:
        if node is runs:
            continue
        assert node.returncode == 1
        said = stage.log(node).splitlines()
        # The one line, and nothing of a port or a worker before it.
        assert len(said) == 1 and f"a node that runs has it (process {runs.pid})" in said[0], said
    wait_until("the first to be up", lambda: "9090" in lab.run("pop1", "ss", "-Hltn").stdout, timeout=20)
    assert runs.poll() is None


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        ("ip link set nt0 down", "nt0 is down"),
        ("ip address flush dev nt0", "nt0 does not have"),
        ("ip route flush table 3478", "table 3478 has no route"),
        ("ip rule flush table 3478", "no rule leads from"),
    ],
)
def test_what_others_take_away_is_given_back(stage: Stage, harm: str, says: str, say: Callable[[str], None]) -> None:
    lab = stage.make_lab(clients=1)
    server = start(stage)
    before = kernel(lab)
    assert lab.run("pop1", *harm.split()).returncode == 0
    assert kernel(lab) != before
    wait_until("what was there", lambda: kernel(lab) == before, timeout=5, explain=lambda: kernel(lab))
    wait_until("the log", lambda: "exception interface mended" in server.log_tail(), timeout=2)
    assert says in server.log_tail()
    wait_until("the node to be ready", lambda: ops(server, "/readyz")[0] == 200, timeout=5)


def test_an_interface_that_is_gone_takes_the_node_out(stage: Stage) -> None:
    lab = stage.make_lab(clients=1)
    server = start(stage)
    assert lab.run("pop1", "ip", "link", "del", "nt0").returncode == 0
    wait_until("the node to be out", lambda: ops(server, "/readyz")[0] == 503, timeout=5)
    assert "nt0 is gone" in condition(server, "exception")["detail"]
    assert ops(server, "/livez")[0] == 200
