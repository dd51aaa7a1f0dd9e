"""Offers in the shapes of clients that are not run here: each is answered, and aiortc takes the answer."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

from conftest import Stage
from lab import ROOT

OFFERS = ROOT / "Tests" / "Interop" / "offers"
DIRECTIONS = {
    "Chromium": ["sendonly", "sendonly", "sendonly", "sendonly", "recvonly"],
    "FFmpeg": ["sendonly", "sendonly"],
    "Firefox": ["sendonly", "sendonly", "recvonly", "recvonly"],
    "GStreamer": ["sendonly", "sendonly", "recvonly"],
    "Janus": ["sendonly", "sendonly", None],
    "JsSIP": ["sendrecv", "sendrecv"],
    "LiveKit": [None, "sendonly", "sendonly"],
    "OBS": ["sendonly", "sendonly"],
    "Safari": ["sendonly", "sendonly", "recvonly", "recvonly"],
    "aiortc": ["sendonly", "sendonly", "recvonly", "recvonly"],
    "libdatachannel": ["sendrecv", "sendrecv", None],
    "mediasoup-client": ["sendonly", "sendonly", "sendonly"],
    "pion": ["sendrecv", "sendrecv"],
}


def test_aiortc_takes_the_answer_to_each(stage: Stage, say: Callable[[str], None]) -> None:
    lab = stage.make_lab(clients=1)
    server = stage.start_server()
    meeting = server.create_meeting()
    program = str(Path(__file__).with_name("offer_client.py"))
    options = ["--origin", server.origin(), "--meeting", meeting, "--folder", str(OFFERS)]
    done = lab.run("client1", sys.executable, program, *options, timeout=120)
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer for answer in told if "wrong" in answer] == []
    assert {answer["client"]: answer["directions"] for answer in told} == DIRECTIONS
    say(f"answers to {len(told)} clients taken by aiortc")
