"""Datagrams that cross the packet sockets' port several in one: what leaves together, and what a kernel sends together."""

from __future__ import annotations

import json
import sys

import pytest
from conftest import Stage

# A burst of STUN Binding requests (RFC 8489) from one socket, as single datagrams or, with a size of segments, as few that
# the kernel takes apart (UDP_SEGMENT, udp(7)); the responses, and the frames that brought them as a packet socket of the host
# sees them. argv: address, requests, datagrams in one. Prints JSON.
BURST = """
import json, socket, struct, sys
address, count, together = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
family = socket.AF_INET6 if ":" in address else socket.AF_INET
seen = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
seen.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
out = socket.socket(family, socket.SOCK_DGRAM)
out.connect((address, 3478))
requests = [struct.pack("!HHIQI", 1, 0, 0x2112a442, 0x6e65656c65, number) for number in range(count)]
if together > 1:
    out.setsockopt(socket.SOL_UDP, 103, len(requests[0]))  # UDP_SEGMENT
for first in range(0, count, together):
    out.send(b"".join(requests[first:first + together]))
out.settimeout(5)
answered = []
try:
    while len(answered) < count:
        response = out.recv(2048)
        assert response[:2] == b"\\x01\\x01", response
        answered.append(int.from_bytes(response[16:20], "big"))
except TimeoutError:
    pass
seen.settimeout(0)
lengths = []
try:
    while True:
        frame, (_, _, kind, _, _) = seen.recvfrom(65536)
        udp = 34 if family == socket.AF_INET else 54
        if kind != socket.PACKET_OUTGOING and len(frame) > udp + 28 and frame[udp:udp + 2] == b"\\x0d\\x96":
            lengths.append(len(frame))
except BlockingIOError:
    pass
print(json.dumps({"answered": answered, "lengths": lengths}))
"""
REQUESTS = 240


def burst(stage: Stage, family: int, together: int) -> dict:
    address = stage.lab.address("pop1", family, media=True)
    done = stage.lab.run("client1", sys.executable, "-c", BURST, address, str(REQUESTS), str(together))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("device", ["segments", "does not segment"])
def test_what_leaves_together_arrives_singly_and_whole(stage: Stage, device: str) -> None:
    lab = stage.make_lab(clients=1)
    stage.start_server(driver="packet_socket", cores=(0,))
    if device == "does not segment":
        # The kernel takes apart and sums up what leaves, and the client's kernel verifies the checksums.
        for feature in ("tx-udp-segmentation", "tx-checksum-ip-generic"):
            done = lab.run("pop1", "ethtool", "-K", "media0", feature, "off")
            assert done.returncode == 0, done.stderr
    for family in (4, 6):
        seen = burst(stage, family, 1)
        assert sorted(seen["answered"]) == list(range(REQUESTS))
        frames = len(seen["lengths"])
        assert (frames < REQUESTS / 2) if device == "segments" else (frames == REQUESTS), seen["lengths"]


def test_what_a_kernel_sends_together_is_taken_apart(stage: Stage) -> None:
    stage.make_lab(clients=1)
    stage.start_server(driver="packet_socket", cores=(0,))
    for family in (4, 6):
        for together in (20, 3):
            assert sorted(burst(stage, family, together)["answered"]) == list(range(REQUESTS))
