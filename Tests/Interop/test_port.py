"""The port's own addresses on a wire with hosts that are nobody's friends."""

from __future__ import annotations

import sys

import pytest
from checks import check_sees
from conftest import Stage
from lab import wait_until
from server import Server

# Empty, short, long, and near-STUN/DTLS/RTP/RTCP/ChannelData datagrams; argv: address, count, seed.
NOISE = """
import random, socket, sys
address, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
numbers = random.Random(seed)
family = socket.AF_INET6 if ":" in address else socket.AF_INET
stun = bytes.fromhex("000100042112a442") + bytes(12)
heads = [b"", stun, stun[:11], *map(bytes.fromhex, ("16fefd", "8060", "80c8", "90e0", "4000", "0001ffff"))]
with socket.socket(family, socket.SOCK_DGRAM) as out:
    for _ in range(count):
        out.sendto(numbers.choice(heads) + numbers.randbytes(numbers.choice([0, 1, 7, 40, 400, 1400])), (address, 3478))
"""


def packets(server: Server, direction: str) -> float:
    samples = server.metrics().items()
    return sum(n for name, n in samples if name.startswith("needletail_packets_total") and f'"{direction}"' in name)


@pytest.mark.parametrize("driver", ["af_packet", "af_xdp", "packet_socket"])
def test_the_port_answers_pings_of_all_sizes(stage: Stage, driver: str) -> None:
    lab = stage.make_lab(clients=1)
    server = stage.start_server(driver=driver)
    for family in (4, 6):
        address = lab.address("pop1", family, media=True)
        for size in ("0", "56", "1400"):
            done = lab.run("client1", "ping", "-n", "-q", "-c", "5", "-i", "0.05", "-W", "2", "-s", size, address)
            assert " 5 received" in done.stdout, f"{size} bytes to {address}: {done.stdout}"
    if driver == "packet_socket":
        # The kernel shows a group of sockets what the host sends, too, unless it is told not to.
        wait_until("the last answer to be counted", lambda: packets(server, "transmit") >= 30, timeout=5)
        assert packets(server, "receive") < 1.5 * packets(server, "transmit")


@pytest.mark.parametrize("family", [4, 6])
def test_noise_is_counted_and_disturbs_nobody(stage: Stage, family: int) -> None:
    lab = stage.make_lab(clients=3)
    server = stage.start_server()
    meeting = server.create_meeting()
    people = [stage.peer(host, meeting, colour, colour) for host, colour in (("client1", "red"), ("client2", "blue"))]
    for person in people:
        person.join()
    check_sees(*people)
    dropped = server.metric("needletail_drops_total")
    address = lab.address("pop1", family, media=True)
    noise = lab.run("client3", sys.executable, "-c", NOISE, address, "20000", "7")
    assert noise.returncode == 0, noise.stderr
    # Of what does not authenticate nothing gets further; the socket's own queue may have lost some on the way.
    wait_until("the drops", lambda: server.metric("needletail_drops_total") >= dropped + 10_000, timeout=20)
    assert server.metric("needletail_sessions") == 2
    check_sees(*people)
    check_sees(*reversed(people))


@pytest.mark.parametrize("driver", ["af_packet", "packet_socket"])
def test_nothing_is_played_back_after_the_link_was_down(stage: Stage, driver: str) -> None:
    lab = stage.make_lab(clients=2)
    server = stage.start_server(driver=driver)
    meeting = server.create_meeting()
    # What is lost while the link comes back is sent again, which aiortc takes for one picture alone.
    both = (("client1", "red"), ("client2", "blue"))
    people = [stage.peer(host, meeting, colour, colour, videos=1) for host, colour in both]
    for person in people:
        person.join()
    check_sees(*people)

    def link(state: str) -> None:
        done = lab.run("pop1", "ip", "link", "set", "media0", state)
        assert done.returncode == 0, done.stderr

    def drops() -> float:
        samples = server.metrics().items()
        return sum(n for name, n in samples if name.startswith("needletail_drops_total") and '"link_down"' in name)

    link("down")
    # Reports and requests for keyframes go on, and are for nobody.
    wait_until("frames to be dropped", lambda: drops() > 0, timeout=10, explain=server.metrics)
    sent, lost = packets(server, "transmit"), drops()
    wait_until("more frames to be dropped", lambda: drops() > lost + 3, timeout=10, explain=server.metrics)
    assert packets(server, "transmit") == sent
    link("up")
    check_sees(*people)
    check_sees(*reversed(people))


@pytest.mark.parametrize("driver", ["af_packet", "af_xdp", "packet_socket"])
def test_a_crashed_server_starts_again(stage: Stage, driver: str) -> None:
    lab = stage.make_lab(clients=1)
    stage.start_server(driver=driver).crash()
    stage.start_server(driver=driver)
    done = lab.run("client1", "ping", "-n", "-q", "-c", "3", "-i", "0.05", "-W", "2", lab.address("pop1", media=True))
    assert " 3 received" in done.stdout, done.stdout
