"""The lab itself: what the other tests stand on."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from lab import TOOL, Lab, wait_until
from server import BINARY


def ping(lab: Lab, host: str, address: str, count: int = 3, interval: float = 0.01) -> tuple[int, float]:
    """Answers received, and the mean round trip in milliseconds."""
    done = lab.run(host, "ping", "-n", "-q", "-c", str(count), "-i", str(interval), "-W", "1", address)
    received = re.search(r"(\d+) received", done.stdout)
    assert received, done.stdout + done.stderr
    mean = re.search(r"= [\d.]+/([\d.]+)/", done.stdout)
    return int(received[1]), float(mean[1]) if mean else 0.0


@pytest.mark.parametrize("family", [4, 6])
def test_every_host_reaches_every_other(family: int) -> None:
    with Lab(clients=2, pops=2) as lab:
        for source, target in [("client1", "client2"), ("client1", "pop1"), ("pop1", "pop2"), ("pop2", "client2")]:
            assert ping(lab, source, lab.address(target, family))[0] == 3, f"{source} to {target}"


def test_nobody_answers_for_the_data_plane_while_it_is_down() -> None:
    with Lab(clients=1, pops=1) as lab:
        lab.run("client1", "ping", "-c", "1", "-W", "1", lab.address("pop1", media=True))
        neighbours = lab.run("client1", "ip", "neigh").stdout
        assert re.search(r"10\.66\.0\.21 .*(FAILED|INCOMPLETE)", neighbours), neighbours


def test_hosts_have_a_default_route_and_a_loopback() -> None:
    with Lab(clients=1, pops=1) as lab:
        for host in ("client1", "pop1"):
            assert "default via 10.66.0.1" in lab.run(host, "ip", "route").stdout
            assert "default via fd66::1" in lab.run(host, "ip", "-6", "route").stdout
            assert ping(lab, host, "127.0.0.1")[0] == 3


def test_loss_is_drawn_in_both_directions_and_taken_back() -> None:
    with Lab(clients=2, pops=0) as lab:
        lab.impair("client1", "--loss", "20%")
        received, _ = ping(lab, "client1", lab.address("client2"), count=1000, interval=0.002)
        # Both ways: 64% come back, 640 of 1000 with a standard deviation of 15; six of those to either side.
        assert 550 < received < 730
        lab.impair("client1")
        assert ping(lab, "client1", lab.address("client2"), count=200, interval=0.002)[0] == 200


def test_a_downlink_loses_and_holds_back_what_goes_to_a_host_alone() -> None:
    with Lab(clients=2, pops=0) as lab:
        address = lab.address("client2")
        lab.downlink("client1", "--loss", "20%")
        received, _ = ping(lab, "client1", address, count=1000, interval=0.002)
        # One way: 800 of 1000 with a standard deviation of 13; six of those to either side.
        assert 720 < received < 880
        lab.downlink("client1", "--rate", "500kbit")
        assert "tbf" in lab.run("switch", "tc", "qdisc", "show", "dev", "client1").stdout
        assert "tbf" not in lab.run("client1", "tc", "qdisc", "show", "dev", "eth0").stdout
        lab.impair("client1")
        assert ping(lab, "client1", address, count=200, interval=0.002)[0] == 200


RECEIVE = """
import socket, time
with socket.create_server(("", 9)) as server:
    print("listening", flush=True)
    connection, _ = server.accept()
    began, total = time.monotonic(), 0
    while part := connection.recv(65536):
        total += len(part)
    print(8 * total / (time.monotonic() - began))
"""
SEND = "import socket, sys; socket.create_connection((sys.argv[1], 9)).sendall(bytes(250_000))"


@pytest.mark.parametrize("impaired", ["client1", "client2"])
def test_a_rate_holds_in_both_directions(impaired: str) -> None:
    with Lab(clients=2, pops=0) as lab:
        lab.impair(impaired, "--rate", "2mbit")
        receiver = subprocess.Popen(
            lab.command("client2", sys.executable, "-c", RECEIVE), stdout=subprocess.PIPE, text=True
        )
        assert receiver.stdout.readline() == "listening\n"
        sent = lab.run("client1", sys.executable, "-c", SEND, lab.address("client2"))
        assert sent.returncode == 0, sent.stderr
        bits_per_second = float(receiver.communicate(timeout=30)[0])
        assert 1_000_000 < bits_per_second < 2_300_000


def test_delay_adds_to_the_round_trip_and_goes_away() -> None:
    with Lab(clients=2, pops=0) as lab:
        lab.delay("client1", 30)
        received, mean = ping(lab, "client1", lab.address("client2"), count=10, interval=0.1)
        assert received == 10 and mean >= 60
        lab.delay("client1", 0)
        received, mean = ping(lab, "client1", lab.address("client2"), count=10)
        assert received == 10 and mean < 30


def test_two_labs_exist_at_once_and_leave_nothing_behind() -> None:
    with Lab(clients=1, pops=0) as first, Lab(clients=1, pops=0) as second:
        assert first.name != second.name
        # What has not come into the namespace yet cannot be ended there.
        sleeper = subprocess.Popen(
            first.command("client1", "sh", "-c", "echo inside; exec sleep 600"), stdout=subprocess.PIPE
        )
        assert sleeper.stdout.readline() == b"inside\n"
        first._tool("down")
        assert sleeper.wait(timeout=10) != 0
        first._tool("down")
        assert ping(second, "client1", "10.66.0.1")[0] == 3
    assert not {first.name, second.name} & set(subprocess.check_output([TOOL, "list"], text=True).split())
    namespaces = subprocess.check_output(["ip", "netns", "list"], text=True)
    assert first.name not in namespaces and second.name not in namespaces


def test_run_ends_with_the_commands_status_and_removes_the_lab() -> None:
    name = "test-run-status"
    done = subprocess.run([TOOL, "run", name, "--clients", "1", "--", "sh", "-c", "exit 7"], timeout=60)
    assert done.returncode == 7
    assert name not in subprocess.check_output([TOOL, "list"], text=True).split()


def test_a_fleet_is_linked_and_apart_by_its_delay_until_ctrl_c(tmp_path: Path) -> None:
    # The tool makes it, and takes it away.
    lab = Lab(clients=2, pops=2)
    log = tmp_path / "fleet.log"
    with log.open("wb") as output:
        fleet = subprocess.Popen(
            [TOOL, "fleet", "2", "--delay", "20", "--name", lab.name],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, env={**os.environ, "NEEDLETAIL_BINARY": str(BINARY)},
        )  # fmt: skip
    try:

        def is_ready() -> bool:
            assert fleet.poll() is None, f"the fleet ended ({fleet.returncode})"
            return "The fleet is ready" in log.read_text()

        wait_until("the fleet", is_ready, timeout=70, explain=log.read_text)
        shown = lab.run("pop2", str(BINARY), "fleet", "status", "--ops", "127.0.0.1:9090")
        assert shown.returncode == 0 and shown.stdout.count(" serving ") == 2, shown.stdout
        assert re.search(r"^pop1 +open ", shown.stdout, re.MULTILINE), shown.stdout
        for address in (lab.address("pop2"), lab.address("client2", 6)):
            received, mean = ping(lab, "client1", address, count=5, interval=0.1)
            assert received == 5 and mean >= 40, f"{address}: {mean} ms"
        assert ping(lab, "client1", lab.address("pop1"))[1] < 20
        # What delays one host leaves it at its site.
        lab.delay("client1", 10)
        lab.delay("client1", 0)
        assert ping(lab, "client1", lab.address("pop1"))[1] < 20
    finally:
        fleet.send_signal(signal.SIGINT)
        status = fleet.wait(timeout=20)
    assert status == 0, log.read_text()
    assert lab.name not in subprocess.check_output([TOOL, "list"], text=True).split()
    assert lab.name not in subprocess.check_output(["ip", "netns", "list"], text=True)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["up", "Bad_Name"], "NAME must be"),
        (["exec", "no-such-lab", "client1", "true"], "there is no lab"),
        (["up", "test-refused", "--clients", "many"], "needs a number"),
        (["fleet", "1"], "2 to 9"),
        (["fleet", "2", "--delay", "5"], "even number"),
        (["fly"], "there is no 'fly'"),
    ],
)
def test_mistakes_are_named(arguments: list[str], says: str) -> None:
    done = subprocess.run([TOOL, *arguments], capture_output=True, text=True, timeout=30)
    assert done.returncode != 0 and says in done.stderr
