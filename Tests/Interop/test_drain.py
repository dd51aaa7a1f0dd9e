"""A PoP is emptied as operators do it: by the program's own commands, and by SIGTERM while a call runs."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from checks import check_sees, slot_of
from conftest import Stage
from lab import wait_until
from server import BINARY, Server

OPS = "127.0.0.1:9090"


def call(server: Server, method: str, path: str, body: dict | None = None, token: str | None = None) -> tuple[int, dict]:
    port = 9090 if path == "/readyz" or path.startswith("/api/v1/node") else 8080
    status, text = server.lab.http(server.host, method, f"http://127.0.0.1:{port}{path}", body, token)
    return status, json.loads(text) if text else {}


def command(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    return server.lab.run(server.host, str(BINARY), *arguments, "--ops", OPS)


class Manager:
    """The service manager's end of sd_notify(3)."""

    def __init__(self, folder: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = folder / "notify"
        self._socket.bind(str(path))
        self._socket.setblocking(False)
        self.environment = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "10000000"}
        self._heard: list[str] = []

    def heard(self) -> list[str]:
        """All assignments so far, in order."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self._heard += self._socket.recv(4096).decode().splitlines()
        return self._heard

    def count(self, assignment: str) -> int:
        return self.heard().count(assignment)


TURN_SECRET = "a-secret-of-the-relay-that-nobody-sees"
LOG = f'log: {{format: json, level: trace}}\nturn: {{secrets: ["{TURN_SECRET}"]}}\n'


def secrets(server: Server) -> set[str]:
    """What the node gave away to somebody, and must not tell anybody else."""
    token = server.call("GET", "/api/v1/dev/token")["token"]
    plan = {"topic": "x", "type": "instant", "password": "correct horse battery"}
    made = server.call("POST", "/api/v1/meetings", plan, token)
    join = {"display_name": "Nobody comes", "password": plan["password"]}
    place = server.call("POST", f"/api/v1/meetings/{made['meeting_id']}/join", join)
    credentials = {ice["credential"] for ice in place["ice_servers"]}
    server.call("POST", f"/api/v1/meetings/{made['meeting_id']}/end", token=token)
    assert credentials
    return {TURN_SECRET, token, plan["password"], made["host_key"], place["session_token"], *credentials}


def check_log(server: Server, people: list[str], kept: set[str]) -> None:
    """One line for each session's start and one for its end, with the reason; of JSON; without a secret."""
    text = server.log.read_text()
    assert not {secret for secret in kept if secret in text or ", ".join(map(str, secret.encode())) in text}
    lines = [json.loads(line) for line in text.splitlines() if not line.startswith("development API key")]
    for message, more in (("session opened", {}), ("session closed", {"reason": "left", "connected": "true"})):
        found = [line for line in lines if line["message"] == message]
        assert sorted(line["participant_id"] for line in found) == sorted(people), found
        assert all(line[name] == value for line in found for name, value in more.items()), found
        assert all(line["level"] == "info" and line["meeting_id"] and line["time"] for line in found)


def test_a_call_goes_on_until_it_ends_while_the_pop_drains(
    stage: Stage, tmp_path: Path, say: Callable[[str], None]
) -> None:
    stage.make_lab(clients=2)
    manager = Manager(tmp_path)
    server = stage.start_server(families=(4,), drain=25, environment=manager.environment, sections=LOG)
    kept = secrets(server)
    wait_until("the service manager to be told", lambda: manager.count("READY=1") == 1, timeout=5)
    wait_until("a sign of life", lambda: manager.count("WATCHDOG=1") >= 2, timeout=5)
    assert manager.count("STOPPING=1") == 0
    meeting = server.create_meeting()
    red, blue = (stage.peer(f"client{n}", meeting, c.capitalize(), c) for n, c in ((1, "red"), (2, "blue")))
    for peer in (red, blue):
        peer.join()
    check_sees(red, blue)
    check_sees(blue, red)

    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    wait_until("readiness to go", lambda: call(server, "GET", "/readyz")[0] == 503, timeout=2)
    gone = time.monotonic() - began
    status, refused = call(server, "POST", f"/api/v1/meetings/{meeting}/join", {"display_name": "Late"})
    assert (status, refused["code"]) == (503, "draining")
    wait_until("both to be told", lambda: red.messages("migrate") and blue.messages("migrate"), timeout=5)
    told = red.messages("migrate")[0]
    assert told["reason"] == "drain" and 20 <= told["deadline_s"] <= 25
    refused = command(server, "undrain")
    assert refused.returncode == 1 and "not taken back" in refused.stderr

    before = slot_of(red, blue.participant_id, "video")["frames"]
    wait_until(
        "the call to go on", lambda: slot_of(red, blue.participant_id, "video")["frames"] > before + 30, timeout=8
    )
    assert server.process.poll() is None
    # The service manager waits as long as it is asked to, and longer than its own limit.
    wait_until("more time", lambda: manager.count("EXTEND_TIMEOUT_USEC=30000000") >= 2, timeout=5)
    assert manager.count("STOPPING=1") == 1
    red.leave()
    blue.leave()
    left = time.monotonic()
    assert server.process.wait(timeout=8) == 0
    check_log(server, [red.participant_id, blue.participant_id], kept)
    say(f"not ready {gone * 1000:.0f} ms after SIGTERM; ended {time.monotonic() - left:.1f} s after the last one left")


def test_a_second_sigterm_ends_it_at_once(stage: Stage) -> None:
    stage.make_lab(clients=1)
    server = stage.start_server(families=(4,), drain=60)
    token = server.call("GET", "/api/v1/dev/token")["token"]
    meeting = server.call("POST", "/api/v1/meetings", {"topic": "x", "type": "instant"}, token)["meeting_id"]
    server.call("POST", f"/api/v1/meetings/{meeting}/join", {"display_name": "Nobody comes"})
    server.process.send_signal(signal.SIGTERM)
    wait_until("readiness to go", lambda: call(server, "GET", "/readyz")[0] == 503, timeout=2)
    assert server.process.poll() is None
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=8) == 0


def test_people_drain_and_undrain_it(stage: Stage) -> None:
    stage.make_lab(clients=1)
    server = stage.start_server(families=(4,))
    shown = command(server, "status")
    assert shown.returncode == 0, shown.stderr
    assert "PoP 1 serves: 0 participants inside" in shown.stdout
    assert "ok       workers: all polling" in shown.stdout
    drained = command(server, "drain", "--deadline", "30", "--wait")
    assert drained.returncode == 0, drained.stderr
    assert "PoP 1 is drained" in drained.stdout
    shown = command(server, "status")
    assert shown.returncode == 1 and "NOT MET  accepting" in shown.stdout
    back = command(server, "undrain")
    assert back.returncode == 0 and "PoP 1 serves" in back.stdout
    assert call(server, "GET", "/readyz")[0] == 200


def make_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        + ["-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"]
        + ["-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )
    return certificate, key


def test_curl_speaks_http2_with_it_and_gets_a_renewed_certificate(stage: Stage, tmp_path: Path) -> None:
    lab = stage.make_lab(clients=1)
    first, key = make_certificate(tmp_path, "first")
    server = stage.start_server(families=(4,), certificate=(first, key))

    def curl(address: str, trusted: str) -> subprocess.CompletedProcess[str]:
        options = ["-sS", "--http2", "--cacert", "/dev/stdin", "-o", "/dev/null", "-D", "-", "-w", "%{http_version}"]
        return subprocess.run(
            lab.command(server.host, "curl", *options, f"https://{address}:8080/"),
            input=trusted, capture_output=True, text=True, timeout=20,
        )  # fmt: skip

    old = first.read_text()
    for address in ("127.0.0.1", "[::1]", "localhost"):
        answer = curl(address, old)
        assert answer.returncode == 0, answer.stderr
        assert answer.stdout.endswith("\n2") and "strict-transport-security: max-age=31536000" in answer.stdout
    second, second_key = make_certificate(tmp_path, "second")
    new = second.read_text()
    second.replace(first)
    second_key.replace(key)
    wait_until("the renewed certificate", lambda: curl("localhost", new).returncode == 0, timeout=5)
    assert curl("localhost", old).returncode != 0
