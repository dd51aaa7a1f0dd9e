"""What the node says of itself when something of it fails, to those who decide whether it gets traffic."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from conftest import Stage
from lab import wait_until
from server import BINARY, Server

# ptrace(2), waitpid(2)
PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
WALL = 0x40000000


def ops(server: Server, path: str) -> tuple[int, dict]:
    status, text = server.lab.http(server.host, "GET", f"http://127.0.0.1:9090{path}")
    return status, json.loads(text) if text else {}


def condition(server: Server, name: str) -> dict:
    _, answer = ops(server, "/readyz")
    return next((each for each in answer.get("conditions", []) if each["name"] == name), {})


@contextmanager
def frozen(server: Server, thread: str) -> Iterator[None]:
    """One thread of the server does nothing any more, as one that waits for a device that is gone; the others go on."""
    tasks = Path(f"/proc/{server.process.pid}/task").iterdir()
    found = next(int(task.name) for task in tasks if (task / "comm").read_text().strip() == thread)
    libc = ctypes.CDLL(None, use_errno=True)

    def trace(request: int) -> None:
        arguments = [ctypes.c_long(request), ctypes.c_long(found), ctypes.c_void_p(), ctypes.c_void_p()]
        assert libc.ptrace(*arguments) == 0, os.strerror(ctypes.get_errno())

    trace(PTRACE_SEIZE)
    trace(PTRACE_INTERRUPT)
    os.waitpid(found, WALL)
    try:
        yield
    finally:
        trace(PTRACE_DETACH)


def test_a_worker_that_hangs_is_named_and_the_rest_still_answers(stage: Stage, say: Callable[[str], None]) -> None:
    stage.make_lab(clients=1)
    server = stage.start_server(cores=(0, 1))
    assert ops(server, "/livez") == (200, {"live": True, "silent_workers": []})
    began = time.monotonic()
    with frozen(server, "worker-1"):
        wait_until("the node not to be alive", lambda: ops(server, "/livez")[0] == 503, timeout=5, every=0.02)
        seconds = time.monotonic() - began
        assert 1.9 < seconds < 3.5, f"noticed after {seconds:.2f} s"
        assert ops(server, "/livez")[1] == {"live": False, "silent_workers": [1]}
        assert ops(server, "/readyz")[0] == 503
        assert condition(server, "workers")["detail"] == "worker 1 does not poll"
        assert server.metrics()["needletail_ready"] == 0
        shown = server.lab.run(server.host, str(BINARY), "status")
        assert shown.returncode == 1 and "NOT MET  workers: worker 1 does not poll" in shown.stdout
    wait_until("the node to be ready again", lambda: ops(server, "/readyz")[0] == 200, timeout=5)
    say(f"a worker that hangs is noticed after {seconds:.2f} s")


def test_a_process_that_slept_is_not_taken_for_dead(stage: Stage) -> None:
    """After a pause of the whole machine nothing is wrong, and an orchestrator must not end what has just woken."""
    stage.make_lab(clients=1)
    server = stage.start_server(cores=(0, 1))
    server.process.send_signal(signal.SIGSTOP)
    # Asked while it sleeps, it answers as the first thing that it does.
    question = stage.run(server.host, "curl", "-sS", "-m", "20", "http://127.0.0.1:9090/livez")
    paused = time.monotonic()
    wait_until("a long pause", lambda: time.monotonic() > paused + 2.5, timeout=5)
    server.process.send_signal(signal.SIGCONT)
    assert question.wait(timeout=10) == 0
    assert json.loads(stage.log(question))["live"] is True


def test_a_port_without_a_link_takes_no_traffic(stage: Stage) -> None:
    lab = stage.make_lab(clients=1)
    server = stage.start_server()
    up = condition(server, "port")
    assert up["met"] is True
    assert lab.run("pop1", "ip", "link", "set", "media0", "down").returncode == 0
    wait_until("the node to be out", lambda: ops(server, "/readyz")[0] == 503, timeout=5)
    down = condition(server, "port")
    assert down["met"] is False and down["since"] >= up["since"]
    assert ops(server, "/livez")[0] == 200
    assert lab.run("pop1", "ip", "link", "set", "media0", "up").returncode == 0
    wait_until("the node to be back", lambda: ops(server, "/readyz")[0] == 200, timeout=5)
