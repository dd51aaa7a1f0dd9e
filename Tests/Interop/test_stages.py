"""appliance/test itself: what it leaves when it is told to end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from lab import ROOT, wait_until

# Stands in for the stage's program: it makes a lab as tests do, has a child, and comes to no end. It takes nothing away.
PROGRAM = """#!/bin/bash
appliance/lab up "test-$NEEDLETAIL_TEST_RUN-1" --clients 1 --pops 0
sleep 600 &
echo "$! test-$NEEDLETAIL_TEST_RUN-1" >{told}.part
mv {told}.part {told}
wait
"""


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=str)
def test_a_signal_ends_the_stage_that_runs(number: signal.Signals, tmp_path: Path) -> None:
    """In a tree that has only the scripts, with a program of the stage `web` that hangs."""
    (tmp_path / "appliance").mkdir()
    for name in ("test", "lab"):
        shutil.copy(ROOT / "appliance" / name, tmp_path / "appliance" / name)
    programs = tmp_path / "bin"
    programs.mkdir()
    told = tmp_path / "told"
    for path, text in (
        (tmp_path / "appliance" / "packages", "#!/bin/sh\n"),
        (programs / "node", PROGRAM.format(told=told)),
    ):
        path.write_text(text)
        path.chmod(0o755)
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
    command = [str(tmp_path / "appliance" / "test"), "web", "format"]
    tests = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
    try:
        wait_until("the stage's program", told.exists, timeout=20)
        child, lab = told.read_text().split()
        assert is_alive(int(child))
        tests.send_signal(number)
        said, _ = tests.communicate(timeout=20)
    finally:
        tests.kill()
    assert tests.returncode == 128 + number, said
    assert said.endswith("\n0 passed, 0 failed\n") and "==== format" not in said, said
    assert not is_alive(int(child))
    labs = subprocess.run([str(ROOT / "appliance" / "lab"), "list"], capture_output=True, text=True, check=True)
    assert lab not in labs.stdout.split()
