"""appliance/run as a person starts it: a TAP port, and browsers on the same machine at http://localhost:8080."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from checks import check_everyone_gets_everyone
from conftest import Stage
from lab import ROOT, Lab, wait_until

HOST = "client1"


@contextmanager
def running(lab: Lab, log_file: Path) -> Iterator[subprocess.Popen]:
    with log_file.open("wb") as log:
        command = lab.command(HOST, str(ROOT / "appliance" / "run"), "--no-build")
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=ROOT)
    try:
        wait_until(
            "the page's address",
            lambda: "http://localhost:8080" in log_file.read_text(),
            timeout=30,
            explain=log_file.read_text,
        )
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(timeout=20)


def tap_exists(lab: Lab) -> bool:
    return lab.run(HOST, "ip", "link", "show", "needletail0").returncode == 0


def create_meeting(lab: Lab) -> str:
    token = json.loads(lab.http(HOST, "GET", "http://localhost:8080/api/v1/dev/token")[1])["token"]
    body = {"topic": "On one machine", "type": "instant"}
    status, text = lab.http(HOST, "POST", "http://localhost:8080/api/v1/meetings", body, token)
    assert status == 201, text
    return json.loads(text)["meeting_id"]


def test_two_browsers_on_the_machine_meet(stage: Stage, tmp_path: Path) -> None:
    lab = stage.make_lab(clients=1, pops=0)
    with running(lab, tmp_path / "run.log") as process:
        meeting = create_meeting(lab)
        people = [
            stage.chromium(HOST, colour).join("http://localhost:8080", meeting, colour.capitalize())
            for colour in ("red", "blue")
        ]
        for person in people:
            person.wait_connected()
        check_everyone_gets_everyone(*people)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
    assert not tap_exists(lab)


def test_a_crash_leaves_no_interface(stage: Stage, tmp_path: Path) -> None:
    lab = stage.make_lab(clients=1, pops=0)
    with running(lab, tmp_path / "run.log") as process:
        assert tap_exists(lab)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        server = next(int(pid) for pid in children if Path(f"/proc/{pid}/exe").resolve().name == "needletail")
        subprocess.run(["kill", "-9", str(server)], check=True)
        assert process.wait(timeout=20) != 0
    wait_until("the TAP to be gone", lambda: not tap_exists(lab), timeout=5)


def test_a_second_one_is_refused_with_the_reason(stage: Stage) -> None:
    lab = stage.make_lab(clients=1, pops=0)
    assert lab.run(HOST, "ip", "tuntap", "add", "needletail0", "mode", "tap").returncode == 0
    refused = lab.run(HOST, str(ROOT / "appliance" / "run"), "--no-build")
    assert refused.returncode != 0 and "needletail0" in refused.stderr
