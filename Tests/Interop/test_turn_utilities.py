"""The relay and coturn's own test programs: turnutils_uclient as the client, turnutils_peer as the peer that echoes."""

from __future__ import annotations

import itertools
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import Stage
from lab import Lab
from turn_clients import PASSWORD, PORTS, USER, turn_section

MESSAGES = 20
CLIENT, PEER = "client1", "client2"

# The program chooses channels as RFC 5766 had them, leaves an allocation behind for each connection, and all are one user's.
SETTINGS = 'rfc5766_channels: "yes"\nallocations_per_user: 500\nalternate_udp_ports: [443]'


@dataclass
class Way:
    """How a client reaches the relay: port and options; UDP at the data plane, streams at the kernel's addresses. And what
    the data plane's port is."""

    port: int
    options: tuple[str, ...] = ()
    driver: str = "af_packet"

    def address(self, lab: Lab, family: int) -> str:
        return lab.address("pop1", family, media="-t" not in self.options)


WAYS = {
    "udp": Way(PORTS["udp"]),
    "udp 443": Way(443, driver="packet_socket"),
    "tcp": Way(PORTS["tcp"], ("-t",)),
    "tls": Way(PORTS["tls"], ("-t", "-S")),
}
RELAYED = {4: (), 6: ("-x",)}
# Without -s a channel is bound for each peer.
METHODS = {"channels": (), "indications": ("-s",)}
# With -y the clients of a run are each other's peers, both at relayed addresses. Without -c each client has a second
# allocation for RTCP, at the odd port above (EVEN-PORT, RESERVATION-TOKEN), and the messages go over both.
PARTNERS = {"peer": ("-c",), "peer, RTP and RTCP": (), "each other": ("-y", "-c")}
SESSIONS = {"peer": 1, "peer, RTP and RTCP": 2, "each other": 2}


@dataclass
class Run:
    """One run of the program under way."""

    name: str
    # Allocations that send and receive.
    sessions: int
    program: subprocess.Popen

    def check(self, log: str) -> tuple[int, int]:
        """Its own summary: messages sent and received."""
        assert self.program.returncode == 0, f"{self.name}: ended with {self.program.returncode}:\n{log}"
        totals = re.findall(r"start_mclient: tot_send_msgs=(\d+), tot_recv_msgs=(\d+)", log)
        lost = re.findall(r"Total lost packets (\d+) \([^)]*\), total send dropped (\d+)", log)
        assert totals and lost, f"{self.name}: no summary in:\n{log}"
        sent, received = map(int, totals[-1])
        assert (sent, received) == (self.sessions * MESSAGES,) * 2, f"{self.name}: {totals[-1]}\n{log}"
        assert set(lost) == {("0", "0")}, f"{self.name}: lost {lost}\n{log}"
        return sent, received


def start(stage: Stage, name: str, way: Way, client: int, partner: str, relayed: int, *options: str) -> Run:
    """`client` and `relayed`: the families of the client's and of the relayed address."""
    lab = stage.lab
    command = ["turnutils_uclient", "-u", USER, "-w", PASSWORD, "-n", str(MESSAGES), "-p", str(way.port), *way.options]
    command += [*RELAYED[relayed], *PARTNERS[partner], *options]
    if "-y" not in command:
        command += ["-e", lab.address(PEER, relayed)]
    return Run(name, SESSIONS[partner], stage.run(CLIENT, *command, way.address(lab, client)))


def finish(stage: Stage, runs: list[Run]) -> str:
    """Waits for all and checks each; the counts together."""
    sent = received = 0
    for run in runs:
        try:
            run.program.wait(timeout=40)
        except subprocess.TimeoutExpired:
            pytest.fail(f"{run.name}: still running:\n{stage.log(run.program)}")
        counts = run.check(stage.log(run.program))
        sent, received = sent + counts[0], received + counts[1]
    return f"{len(runs)} runs passed, {sent} messages sent, {received} received, {sent - received} lost"


def prepare(stage: Stage, folder: Path, driver: str = "af_packet") -> None:
    """A relay and a peer."""
    lab = stage.make_lab(clients=2)
    section, _ = turn_section(lab, folder, more=SETTINGS)
    stage.start_server(sections=section, driver=driver)
    stage.run(PEER, "turnutils_peer")


@pytest.mark.parametrize("way", list(WAYS))
def test_turnutils_relay(stage: Stage, tmp_path: Path, say: Callable[[str], None], way: str) -> None:
    """Every family on either side, channels and indications, a peer and each other: all at once."""
    prepare(stage, tmp_path, WAYS[way].driver)
    runs = []
    for client, relayed, method, partner in itertools.product((4, 6), (4, 6), METHODS, PARTNERS):
        name = f"{way}: IPv{client} client, IPv{relayed} relayed address, {method}, {partner}"
        runs.append(start(stage, name, WAYS[way], client, partner, relayed, *METHODS[method]))
    for partner in PARTNERS:
        chosen = [run for run in runs if run.name.endswith(f", {partner}")]
        say(f"turnutils_uclient by {way}, with {partner}: {finish(stage, chosen)}")
    metrics = stage.server.metrics()
    messages = sum(run.sessions for run in runs) * MESSAGES
    # A message to the peer comes back; one between two clients goes to the relay and comes from it.
    for direction in ("to_peer", "to_client"):
        assert metrics[f'needletail_turn_relayed_packets_total{{direction="{direction}"}}'] == messages
    between = sum(run.sessions for run in runs if run.name.endswith("each other")) * MESSAGES
    assert metrics["needletail_turn_short_circuit_packets_total"] == between


def test_turnutils_options(stage: Stage, tmp_path: Path, say: Callable[[str], None]) -> None:
    """DONT-FRAGMENT, padded ChannelData, tickets of mobility (RFC 8016), requests again and again."""
    prepare(stage, tmp_path)
    options = {"DONT-FRAGMENT": "-g", "padding": "-D", "mobility": "-M", "requests again": "-G"}
    runs = [
        start(stage, f"{name}, {partner}", WAYS["udp"], family, partner, family, option)
        for (name, option), partner, family in itertools.product(options.items(), ("peer", "each other"), (4, 6))
    ]
    say(f"turnutils_uclient with {', '.join(options)}: {finish(stage, runs)}")
    assert stage.server.metrics()["needletail_allocations"] > 0
