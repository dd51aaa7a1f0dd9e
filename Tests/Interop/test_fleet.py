"""Two PoPs of a fleet with Redis between them: who asks one for a meeting of the other is sent there."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable

from conftest import Stage
from lab import Lab, wait_until
from server import BINARY, Server

REDIS = "10.66.0.1"


def start_redis(stage: Stage) -> subprocess.Popen:
    options = ["--bind", REDIS, "--protected-mode", "no", "--save", "", "--appendonly", "no", "--dir", "/"]
    redis = stage.run("switch", "redis-server", *options)
    wait_until("Redis", lambda: "Ready to accept connections" in stage.log(redis), timeout=5)
    return redis


def origin(lab: Lab, host: str) -> str:
    return f"http://{lab.address(host)}:8080"


def second_join(lab: Lab, meeting: str) -> str:
    """The address of a join at pop2."""
    return f"{origin(lab, 'pop2')}/api/v1/meetings/{meeting}/join"


def fleet_status(server: Server) -> subprocess.CompletedProcess[str]:
    return server.lab.run(server.host, str(BINARY), "fleet", "status", "--ops", "127.0.0.1:9090")


def post(lab: Lab, url: str, *options: str) -> tuple[int, str, dict]:
    """Status, final address and body of a join from client1."""
    body = json.dumps({"display_name": "Curl"})
    command = ["curl", "-sS", "--max-time", "5", "-w", "\n%{http_code} %{url_effective}", "-d", body, *options, url]
    text, _, last = lab.run("client1", *command, "-H", "Content-Type: application/json").stdout.rpartition("\n")
    status, _, address = last.partition(" ")
    return int(status), address, json.loads(text)


def start_pop(stage: Stage, host: str, core: int) -> Server:
    section = f'fleet: {{name: {host}, signaling_url: "{origin(stage.lab, host)}", redis: ["{REDIS}"]}}\n'
    return stage.start_server(host=host, families=(4,), cores=(core,), sections=section)


def test_who_asks_a_pop_for_a_meeting_of_another_is_sent_there(stage: Stage, say: Callable[[str], None]) -> None:
    lab = stage.make_lab(clients=1, pops=2)
    pops = first, second = start_pop(stage, "pop1", 0), start_pop(stage, "pop2", 1)
    # They start without Redis, and are ready.
    assert all(pop.metric("needletail_fleet_registry_up") == 0 for pop in pops)
    early = first.create_meeting("Made before Redis was there")
    status, _, answer = post(lab, second_join(lab, early))
    assert (status, answer["code"]) == (503, "registry_unavailable")
    redis = start_redis(stage)
    began = time.monotonic()
    wait_until("both to be listed", lambda: fleet_status(second).stdout.count("serving") == 2, timeout=12)
    listed = time.monotonic() - began

    wait_until("the new PoP to send people on", lambda: post(lab, second_join(lab, early))[0] == 307, timeout=10)
    # By REST: curl repeats the call there.
    status, address, answer = post(lab, second_join(lab, early), "--location")
    assert status == 200 and address == f"{origin(lab, 'pop1')}/api/v1/meetings/{early}/join?via=pop2"
    assert answer["signaling_url"] == f"ws://{lab.address('pop1')}:8080/api/v1/signal"

    # By the web client, with the page of the other PoP.
    meeting = first.create_meeting("Here")
    page = stage.chromium("client1", "red").join(second.origin(), meeting, "Red")
    page.wait_connected()
    assert (first.metric("needletail_sessions"), second.metric("needletail_sessions")) == (1, 0)

    # Its page may talk to the REST of that PoP: neither its own policy nor that PoP's rule of origins is in the way.
    leave = f"{origin(lab, 'pop1')}/api/v1/meetings/{meeting}/leave"
    call = "(url) => fetch(url, { method: 'POST', headers: { Authorization: 'Bearer x' } }).then(({ status }) => status)"
    assert page.page.evaluate(call, leave) == 401

    # Without Redis the call goes on, and meetings are made.
    redis.terminate()
    redis.wait()
    wait_until("both to miss Redis", lambda: all(p.metric("needletail_fleet_registry_up") == 0 for p in pops), timeout=5)
    made = first.create_meeting("Made without Redis")
    assert all(lab.http(p.host, "GET", "http://127.0.0.1:9090/readyz")[0] == 200 for p in pops)
    assert fleet_status(second).returncode == 1
    start_redis(stage)
    began = time.monotonic()
    join = second_join(lab, made)
    wait_until("the meeting to be found", lambda: post(lab, join)[0] == 307, timeout=10)
    found = time.monotonic() - began
    wait_until("both to be listed", lambda: fleet_status(second).stdout.count("serving") == 2, timeout=12)
    assert first.metric("needletail_sessions") == 1
    assert first.metric("needletail_fleet_epoch_changes_total") == 0
    status, _, answer = post(lab, second_join(lab, "m_none"))
    assert (status, answer["code"]) == (404, "meeting_not_found")

    shown = fleet_status(second)
    assert shown.returncode == 0, shown.stdout
    print(shown.stdout)
    say(f"listed {listed:.1f} s after Redis came; a meeting made without it found {found:.1f} s after it was back")


def test_a_pop_that_is_killed_is_lost_and_one_that_is_stopped_is_not(stage: Stage, say: Callable[[str], None]) -> None:
    lab = stage.make_lab(clients=1, pops=3)
    start_redis(stage)
    killed, stopped = start_pop(stage, "pop1", 0), start_pop(stage, "pop3", 0)
    asked = start_pop(stage, "pop2", 1)
    wait_until("all to be listed", lambda: fleet_status(asked).stdout.count("serving") == 3, timeout=12)
    meeting = killed.create_meeting()
    join = second_join(lab, meeting)
    wait_until("the new PoP to send people on", lambda: post(lab, join)[0] == 307, timeout=10)
    began = time.monotonic()
    killed.crash()
    stopped.process.terminate()
    wait_until("the killed PoP to be lost", lambda: "lost" in fleet_status(asked).stdout, timeout=18)
    lost = time.monotonic() - began
    wait_until("the stopped PoP to be gone", lambda: "pop3" not in fleet_status(asked).stdout, timeout=18)
    wait_until("the meeting to be unknown", lambda: post(lab, join)[0] == 404, timeout=18)
    shown = fleet_status(asked)
    assert shown.returncode == 1 and shown.stdout.count("lost") == 1 and "pop3" not in shown.stdout, shown.stdout
    metrics = asked.metrics()
    states = {state: metrics[f'needletail_fleet_peers{{state="{state}"}}'] for state in ("serving", "draining", "lost")}
    assert states == {"serving": 0, "draining": 0, "lost": 1}
    say(f"lost {lost:.1f} s after it was killed")
