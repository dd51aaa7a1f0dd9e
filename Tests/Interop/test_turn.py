"""The relay, used by Chromium over UDP, TCP and TLS, and by strangers."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from checks import check_everyone_gets_everyone
from conftest import Stage
from lab import wait_until
from turn_clients import LOCAL_CANDIDATE, PORTS, RELAY_ONLY, turn_section

# What keeps a client from all but one way: its own kernel drops the others. With all of them open, the way is a race:
# Chromium's first Allocate over UDP is lost in its own socket, which is still opening, and TCP answers before the next.
WAYS = {
    "udp": f"tcp dport {{ {PORTS['tcp']}, {PORTS['tls']} }} drop",
    "tcp": f"meta l4proto udp drop; tcp dport {PORTS['tls']} drop",
    "tls": f"meta l4proto udp drop; tcp dport {PORTS['tcp']} drop",
}


def test_strangers_are_refused_and_counted(stage: Stage, tmp_path: Path) -> None:
    lab = stage.make_lab(clients=1)
    section, _ = turn_section(lab, tmp_path)
    server = stage.start_server(sections=section)
    done = lab.run(
        "client1", "turnutils_uclient", "-u", "lab", "-w", "guessed", "-y", "-c", "-n", "1",
        lab.address("pop1", media=True), timeout=30,
    )  # fmt: skip
    assert done.returncode != 0
    metrics = server.metrics()
    assert metrics['needletail_turn_refusals_total{reason="challenge"}'] > 0
    assert metrics['needletail_turn_refusals_total{reason="unauthorized"}'] > 0
    assert metrics["needletail_allocations"] == 0
    # Of turn.tls_listen; the API has none here.
    assert metrics['needletail_certificate_expiry_timestamp_seconds{listener="turn"}'] > time.time()


@pytest.mark.parametrize("way", list(WAYS))
def test_chromium_meets_through_the_relay_only(
    stage: Stage, tmp_path: Path, say: Callable[[str], None], way: str
) -> None:
    lab = stage.make_lab(clients=2)
    section, certificate = turn_section(lab, tmp_path)
    server = stage.start_server(sections=section)
    lab.filter("client1", f"chain out {{ type filter hook output priority 0; {WAYS[way]}; }}")
    meeting = server.create_meeting()
    peer = stage.peer("client2", meeting, "Peer", "green")
    peer.join()
    browser = stage.chromium(
        "client1", "red", script=RELAY_ONLY, arguments=(f"--ignore-certificate-errors-spki-list={certificate.spki}",)
    )
    red = browser.join(server.origin(), meeting, "Red")
    red.wait_connected(30)
    check_everyone_gets_everyone(red, peer)
    candidate = red.page.evaluate(LOCAL_CANDIDATE)
    assert candidate["candidateType"] == "relay" and candidate["relayProtocol"] == way, candidate
    before = server.metric("needletail_turn_short_circuit_packets_total")
    wait_until(
        "the short circuit to go on",
        lambda: server.metric("needletail_turn_short_circuit_packets_total") > before + 50,
        timeout=10,
    )
    relayed = server.metric("needletail_turn_relayed_packets_total")
    say(f"Chromium by {way}: {candidate}; {relayed:.0f} packets relayed")
