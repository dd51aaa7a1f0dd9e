"""Signals, a clock that is set and a process without descriptors: nobody inside notices."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from conftest import Stage
from lab import wait_until
from server import Server
from test_health import ops

SECRETS = ["a" * 32, "b" * 32]
TOKEN = """
import base64, hashlib, hmac, json, sys, time
def part(data): return base64.urlsafe_b64encode(data).rstrip(b"=")
claims = {"iss": "ops", "sub": "us", "exp": int(time.time()) + 60, "meeting": ["create"]}
text = part(b'{"alg":"HS256"}') + b"." + part(json.dumps(claims).encode())
print((text + b"." + part(hmac.new(sys.argv[1].encode(), text, hashlib.sha256).digest())).decode())
"""
HOLD = """
import socket, sys, time
held, refused = [], 0
for _ in range(int(sys.argv[3])):
    try:
        held.append(socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=1))
    except OSError:
        refused += 1
print(len(held), refused, flush=True)
time.sleep(60)
"""


def create(server: Server, secret: str) -> int:
    done = subprocess.run([sys.executable, "-c", TOKEN, secret], capture_output=True, text=True, check=True)
    url = "http://127.0.0.1:8080/api/v1/meetings"
    return server.lab.http(server.host, "POST", url, {"topic": "t", "type": "instant"}, done.stdout.strip())[0]


def keys(path: Path, secret: str, level: str, more: str = "") -> None:
    text = path.read_text().partition("auth:")[0]
    path.write_text(f'{text}auth: {{keys: ["ops:{secret}"]}}\nlog: {{level: {level}}}\n{more}')


def test_a_hangup_reads_the_configuration_and_ends_nothing(stage: Stage) -> None:
    stage.make_lab(clients=1)
    server = stage.start_server(sections=f'auth: {{keys: ["ops:{SECRETS[0]}"]}}\n')
    assert (create(server, SECRETS[0]), create(server, SECRETS[1])) == (201, 401)
    meeting = server.create_meeting()
    keys(server._config, SECRETS[1], "info", "media: {retransmission_ms: 5}\n")
    server.process.send_signal(signal.SIGHUP)
    wait_until("the new key", lambda: create(server, SECRETS[1]) == 201, timeout=5)
    assert create(server, SECRETS[0]) == 401
    wait_until("the log", lambda: "configuration read again" in server.log_tail(60), timeout=5)
    assert "needs a restart=media.retransmission_ms" in server.log_tail(60)
    # Above the level of what it says of a reload.
    keys(server._config, SECRETS[0], "error")
    server.process.send_signal(signal.SIGHUP)
    wait_until("the first key", lambda: create(server, SECRETS[0]) == 201, timeout=5)
    assert server.log.read_text().count("configuration read again") == 1
    # A mistake is not taken.
    keys(server._config, SECRETS[1], "loud")
    server.process.send_signal(signal.SIGHUP)
    wait_until("the complaint", lambda: "configuration not taken" in server.log_tail(200), timeout=5)
    assert (create(server, SECRETS[0]), create(server, SECRETS[1])) == (201, 401)
    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE):
        server.process.send_signal(number)
    token = server.call("GET", "/api/v1/dev/token")["token"]
    assert server.call("GET", f"/api/v1/meetings/{meeting}", token=token)["meeting_id"] == meeting
    assert server.process.poll() is None


def seconds_of_work(server: Server) -> float:
    """What the process has computed, workers apart."""
    total = 0
    for task in Path(f"/proc/{server.process.pid}/task").iterdir():
        if not (task / "comm").read_text().startswith("worker-"):
            total += sum(map(int, (task / "stat").read_text().rpartition(")")[2].split()[11:13]))
    return total / 100


def work_in(server: Server, seconds: float) -> float:
    """The share of a core that it takes meanwhile."""
    before, began = seconds_of_work(server), time.monotonic()
    wait_until("a while", lambda: time.monotonic() > began + seconds, timeout=seconds + 5)
    return (seconds_of_work(server) - before) / (time.monotonic() - began)


def test_connections_leave_descriptors_for_health(stage: Stage, say: Callable[[str], None]) -> None:
    """With few from the start: connections take no more than the node can spare."""
    stage.make_lab(clients=1)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        raised = stage.start_server()
        limits = Path(f"/proc/{raised.process.pid}/limits").read_text()
        assert f"Max open files            {min(hard, 1 << 20)} " in limits
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    # What is taken away while it runs is below what its plan was made for.
    used = len(list(Path(f"/proc/{raised.process.pid}/fd").iterdir()))
    resource.prlimit(raised.process.pid, resource.RLIMIT_NOFILE, (used + 40, hard))
    address = raised.lab.address("pop1")
    flood = stage.run("client1", sys.executable, "-c", HOLD, address, "8080", "200")
    wait_until("the flood", lambda: stage.log(flood), timeout=30)
    wait_until("the log", lambda: "no descriptors left" in raised.log_tail(), timeout=10)
    share = work_in(raised, 3)
    for _ in range(20):
        assert ops(raised, "/livez")[0] == 200
        assert raised.lab.http("pop1", "GET", "http://127.0.0.1:9090/metrics")[0] == 200
    told = [line for line in raised.log.read_text().splitlines() if "no descriptors left" in line]
    assert sum("listener=api " in line for line in told) == 1, told
    assert share < 0.1, f"it takes {share:.0%} of a core"
    say(f"without descriptors the control side takes {share:.1%} of a core")
    flood.kill()
    flood.wait()
    wait_until("a newcomer", lambda: raised.lab.http("pop1", "GET", "http://127.0.0.1:8080/")[0] == 200, timeout=10)


def test_a_low_limit_is_planned_for(stage: Stage) -> None:
    stage.make_lab(clients=1)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    server = stage.start_server(limit=256)
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (soft, hard)
    assert "fewer connections than configured" in server.log.read_text()
    flood = stage.run("client1", sys.executable, "-c", HOLD, server.lab.address("pop1"), "8080", "400")
    wait_until("the flood", lambda: "as many connections as there may be" in server.log_tail(), timeout=30)
    assert ops(server, "/livez")[0] == 200
    assert server.metric("needletail_api_connections") > 50
    assert work_in(server, 2) < 0.1
    assert "no descriptors left" not in server.log_tail()
    assert json.loads(server.lab.http("pop1", "GET", "http://127.0.0.1:9090/api/v1/node")[1])
    flood.kill()
