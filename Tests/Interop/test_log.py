"""A log that cannot be written: lines are lost and counted, and nobody inside notices."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import Stage
from lab import Lab, wait_until
from server import BINARY
from test_start import configure

URL = "http://127.0.0.1"
DROPPED = "needletail_log_lines_dropped_total"


@contextmanager
def full_pipe() -> Iterator[int]:
    """A pipe that nobody reads."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, bytes(4096))
    except BlockingIOError:
        os.set_blocking(writer, True)
    try:
        yield writer
    finally:
        os.close(reader)
        os.close(writer)


@contextmanager
def output(kind: str) -> Iterator[tuple[int | None, str]]:
    """Where standard error goes, and what the shell has to do about it."""
    if kind == "closed":
        yield subprocess.DEVNULL, "2>&-"
    elif kind == "full disk":
        with open("/dev/full", "wb") as full:
            yield full.fileno(), ""
    elif kind == "pipe without a reader":
        reader, writer = os.pipe()
        os.close(reader)
        yield writer, ""
        os.close(writer)
    else:
        with full_pipe() as writer:
            yield writer, ""


def answers(lab: Lab, port: int, path: str) -> str:
    status, text = lab.http("pop1", "GET", f"{URL}:{port}{path}")
    return text if status == 200 else ""


def dropped(lab: Lab) -> float:
    lines = answers(lab, 9090, "/metrics").splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{DROPPED} "))


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize("kind", ["closed", "full disk", "pipe without a reader", "pipe that nobody reads"])
def test_nothing_ends_for_want_of_a_log(stage: Stage, tmp_path: Path, kind: str, form: str) -> None:
    lab = stage.make_lab(clients=1)
    config = configure(lab, tmp_path, more=f"log:\n  format: {form}\n")
    with output(kind) as (error, redirection):
        command = f'exec "{BINARY}" serve --config "{config}" --dev {redirection}'
        server = subprocess.Popen(
            lab.command("pop1", "sh", "-c", command), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=error
        )
        try:
            wait_until("the server", lambda: server.poll() is not None or answers(lab, 9090, "/readyz"), timeout=30)
            assert server.poll() is None, f"it ended ({server.returncode})"
            before = dropped(lab)
            assert before > 0
            # A signal makes a line, too, and so does each meeting.
            server.send_signal(signal.SIGPIPE)
            assert answers(lab, 8080, "/api/v1/dev/token")
            server.send_signal(signal.SIGTERM)
            assert server.wait(timeout=10) == 0
        finally:
            server.kill()
            server.wait()
