"""A start that fails, or is broken off: one line that says why, an exit code, and nothing left behind."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import Stage
from lab import ROOT, Lab, wait_until
from server import BINARY

# EX_CONFIG: a service manager need not try again.
MISCONFIGURED = 78
LISTEN = """
import socket, sys, time
with socket.create_server(("127.0.0.1", int(sys.argv[1]))):
    time.sleep(60)
"""


def configure(lab: Lab, folder: Path, *options: str, more: str = "") -> Path:
    path = folder / "needletail.yaml"
    address = f"{lab.address('pop1', media=True)}/24"
    command = [ROOT / "appliance" / "config", "--device", "net_af_packet0,iface=media0", "--address", address, *options]
    path.write_text(subprocess.run(command, capture_output=True, text=True, check=True).stdout + more)
    return path


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    """The line that the program ends with."""
    return done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(("port", "key"), [("8080", "api.listen"), ("9090", "ops.listen"), ("3478", "turn.tcp_listen")])
def test_a_port_that_another_has_is_named(stage: Stage, tmp_path: Path, port: str, key: str) -> None:
    lab = stage.make_lab(clients=1)
    other = stage.run("pop1", sys.executable, "-c", LISTEN, port)
    wait_until("the other", lambda: port in lab.run("pop1", "ss", "-Hltn").stdout, timeout=10)
    config = configure(lab, tmp_path, more='turn:\n  tcp_listen: ["127.0.0.1:3478"]\n')
    done = lab.run("pop1", str(BINARY), "serve", "--config", str(config), timeout=30)
    assert done.returncode == 1 and other.poll() is None
    said = complaint(done)
    assert said.startswith(f"needletail: cannot listen on 127.0.0.1 port {port}: ") and key in said, done.stderr
    assert not any(each in said for each in {"api.listen", "ops.listen", "turn.tcp_listen"} - {key}), said


def test_a_wrong_configuration_is_one_line_and_not_tried_again(stage: Stage, tmp_path: Path) -> None:
    lab = stage.make_lab(clients=1)
    config = configure(lab, tmp_path, "--api", "nowhere")
    done = lab.run("pop1", str(BINARY), "serve", "--config", str(config))
    assert done.returncode == MISCONFIGURED
    assert "api.listen: must be host:port" in done.stderr and len(done.stderr.splitlines()) == 1
    unit = (ROOT / "appliance" / "systemd" / "needletail.service").read_text()
    assert str(MISCONFIGURED) in unit.partition("RestartPreventExitStatus=")[2].splitlines()[0]


def test_the_key_of_a_developer_is_there_at_once(stage: Stage) -> None:
    stage.make_lab(clients=1)
    server = stage.start_server()
    # Standard output is a file, which has it though the program goes on.
    assert "development API key: id dev, secret " in server.log.read_text()
    assert server.process.poll() is None


@pytest.mark.parametrize("limit", [24, 28])
def test_too_few_descriptors_are_named(stage: Stage, tmp_path: Path, limit: int) -> None:
    lab = stage.make_lab(clients=1)
    config = configure(lab, tmp_path)
    command = ["prlimit", f"--nofile={limit}:{limit}", str(BINARY), "serve", "--config", str(config)]
    done = lab.run("pop1", *command, timeout=30)
    assert done.returncode == 1, done.stderr
    said = re.search(r"the limit of open files is (\d+), and (\d+) are needed to start: raise LimitNOFILE", complaint(done))
    assert said and int(said[1]) == limit < int(said[2]), done.stderr


def test_the_version_is_an_option_too() -> None:
    said = [subprocess.run([BINARY, word], capture_output=True, text=True, check=True) for word in ("--version", "version")]
    assert said[0].stdout.startswith("needletail ") and said[0].stdout.strip() == said[1].stdout.splitlines()[0]


@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_at_any_moment_of_the_start_ends_it(stage: Stage, tmp_path: Path, kind: signal.Signals) -> None:
    lab = stage.make_lab(clients=1)
    config = configure(lab, tmp_path, "--exception", "nt0", "--drain", "60")
    for moment in (0.02, 0.1, 0.2, 0.3, 0.4, 0.6, 0.9):
        server = stage.run("pop1", str(BINARY), "serve", "--config", str(config))
        began = time.monotonic()
        wait_until("the moment", lambda: time.monotonic() > began + moment, timeout=5, every=0.005)
        server.send_signal(kind)
        try:
            status = server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{kind.name} after {moment} s did not end it: {stage.log(server)}") from None
        # Before the program takes signals into its own hands, they end it.
        assert status in (0, -kind), f"{kind.name} after {moment} s: {status}: {stage.log(server)}"
        assert lab.run("pop1", "ip", "link", "show", "nt0").returncode != 0
