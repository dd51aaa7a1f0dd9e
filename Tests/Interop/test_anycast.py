"""An anycast address that follows the PoPs' readiness, and the kernel's traffic on the data plane's port."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from anycast import (
    ANYCAST,
    announce,
    make_routed_lab,
    measure,
    next_hop,
    pop_bird,
    router,
    start_pop,
    stopped,
    wait_route,
)
from checks import check_sees, slot_of
from conftest import Stage
from lab import ROOT, wait_until
from peer import Peer
from server import Server

Say = Callable[[str], None]
ORIGIN = f"http://{ANYCAST[4]}:8080"


def drain(server: Server, method: str) -> None:
    url = "http://127.0.0.1:9090/api/v1/node/drain"
    status, text = server.lab.http(server.host, method, url, {"deadline_s": 60} if method == "POST" else None)
    assert status in (200, 202, 204), f"{method} {url}: {status} {text}"


def start_call(stage: Stage, server: Server, origin: str) -> list[Peer]:
    meeting = server.create_meeting()
    people = [stage.peer("client1", meeting, colour, colour, origin=origin) for colour in ("red", "blue")]
    for person in people:
        person.join()
    check_sees(*people)
    check_sees(*reversed(people))
    return people


def frames(viewer: Peer, other: Peer) -> int:
    return slot_of(viewer, other.participant_id, "video")["frames"]


def losses(people: list[Peer]) -> tuple[int, int]:
    received, lost = zip(*(person.losses() for person in people), strict=True)
    return sum(received), sum(lost)


def joins(server: Server, meeting: str) -> bool:
    """Whether someone who asks the anycast address gets into a meeting that only `server` knows."""
    url = f"{ORIGIN}/api/v1/meetings/{meeting}/join"
    return server.lab.http("client1", "POST", url, {"display_name": "Newcomer"})[0] == 200


def test_the_anycast_address_follows_readiness(stage: Stage, tmp_path: Path, say: Say) -> None:
    lab = make_routed_lab(stage, pops=2)
    router(stage, tmp_path, {host: lambda family, host=host: lab.address(host, family) for host in ("pop1", "pop2")})
    for host in ("pop1", "pop2"):
        announce(stage, pop_bird(stage, tmp_path, host, by_port=False))
    assert next_hop(lab, 4) is None and next_hop(lab, 6) is None
    b = start_pop(stage, "pop2", core=1)
    wait_route(lab, "pop2", timeout=20)
    a = start_pop(stage, "pop1", core=0)
    # Two equal paths: the router takes the lower router id.
    wait_route(lab, "pop1", timeout=20)

    people = start_call(stage, a, ORIGIN)
    elsewhere = b.create_meeting()
    assert not joins(b, elsewhere)
    before = losses(people)
    seen = frames(*people)

    began = time.monotonic()
    withdrawn = measure(lambda: drain(a, "POST"), lab, "pop2", limit=3)
    wait_until("a join at the other PoP", lambda: joins(b, elsewhere), timeout=10, every=0.05)
    moved = time.monotonic() - began
    assert moved < 3, f"new joins went to the other PoP after {moved:.2f} s"
    newcomer = stage.peer("client1", elsewhere, "green", "green", origin=ORIGIN)
    newcomer.join()
    wait_until("the call to go on", lambda: frames(*people) > seen + 45, timeout=20)
    received, lost = (after - first for after, first in zip(losses(people), before, strict=True))
    assert lost == 0 and received > 100, f"{lost} of {received} packets of the running call were lost"
    say(f"drained: route moved in {withdrawn:.2f} s, new joins in {moved:.2f} s; running call: 0 of {received} lost")
    check_sees(*people)

    back = measure(lambda: drain(a, "DELETE"), lab, "pop1", limit=6)
    for person in (*people, newcomer):
        person.close()
    killed = measure(a.crash, lab, "pop2", limit=3)
    restarted = time.monotonic()
    a = start_pop(stage, "pop1", core=0)
    ready = time.monotonic() - restarted
    assert next_hop(lab, 4) == "pop2", "it was announced before it was ready for long enough"
    wait_route(lab, "pop1", timeout=10)
    announced = time.monotonic() - restarted
    began = time.monotonic()
    with stopped(a):
        hung = measure(lambda: None, lab, "pop2", limit=3)
    wait_route(lab, "pop1", timeout=10)
    say(f"undrained: back in {back:.2f} s; killed: route gone in {killed:.2f} s; hanging: {hung:.2f} s")
    say(f"started again: ready after {ready:.2f} s, announced after {announced:.2f} s")


NODE = """
import http.server, json, sys
class Node(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        headroom = float(open(sys.argv[1]).read())
        print("asked", flush=True)
        body = json.dumps({"load": {"headroom": headroom}}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", 9090), Node).serve_forever()
"""


def test_a_loaded_pop_is_preferred_less(stage: Stage, tmp_path: Path) -> None:
    lab = make_routed_lab(stage, pops=1)
    headroom = tmp_path / "headroom"
    headroom.write_text("0.9")
    there = router(stage, tmp_path, {"pop1": lambda family: lab.address("pop1", family)})
    bird = pop_bird(stage, tmp_path, "pop1", by_port=False)
    node = stage.run("pop1", sys.executable, "-c", NODE, str(headroom))
    helper = announce(stage, bird)

    def polls() -> int:
        return stage.log(node).count("asked")

    def path(family: int) -> str:
        text = there.tell("show", "route", "all", "for", ANYCAST[family], "table", f"master{family}")
        return next((line.split(":")[1].strip() for line in text.splitlines() if "BGP.as_path" in line), "none")

    def wait_path(expected: str) -> None:
        wait_until(
            f"the path {expected}",
            lambda: path(4) == path(6) == expected,
            timeout=15,
            explain=lambda: (path(4), path(6), bird.tell("show", "protocols")),
        )

    wait_path("65010")
    headroom.write_text("0.1")
    wait_path("65010 65010 65010")
    headroom.write_text("0.25")  # not yet far enough from the threshold
    asked = polls()
    wait_until("a few polls", lambda: polls() >= asked + 6, timeout=10)
    assert path(4) == "65010 65010 65010"
    headroom.write_text("0.5")
    wait_path("65010")
    # Ended in order, the helper leaves nothing announced.
    helper.terminate()
    assert helper.wait(timeout=5) == 0
    wait_path("none")
    # Killed, it can do nothing; what the unit has systemd do then does.
    killed = announce(stage, bird)
    wait_path("65010")
    killed.kill()
    killed.wait()
    assert path(4) == "65010"
    program, *arguments = stop_command()
    done = lab.run("pop1", program, "-s", str(bird.socket), *arguments)
    assert done.returncode == 0, done.stdout
    wait_path("none")


def stop_command() -> list[str]:
    """What systemd runs when the helper has ended, its quotes taken off as systemd does (systemd.service(5))."""
    unit = (ROOT / "appliance" / "systemd" / "needletail-announce.service").read_text()
    found = re.search(r"^ExecStopPost=(.+)$", unit, re.MULTILINE)
    assert found is not None
    return shlex.split(found[1])


ECHO = """
import socket, threading
def serve(connection):
    while part := connection.recv(65536):
        connection.sendall(part)
with socket.create_server(("::", 7), family=socket.AF_INET6, dualstack_ipv6=True) as server:
    while True:
        threading.Thread(target=serve, args=[server.accept()[0]], daemon=True).start()
"""
ECHO_CLIENT = """
import hashlib, random, socket, sys, threading, time
data = random.Random(1).randbytes(int(sys.argv[2]))
began = time.monotonic()
with socket.create_connection((sys.argv[1], 7), timeout=10) as s:
    threading.Thread(target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR)), daemon=True).start()
    answer = b"".join(iter(lambda: s.recv(65536), b""))
assert answer == data, (len(answer), len(data))
print(f"{8 * len(data) / (time.monotonic() - began) / 1e6:.0f}")
"""


def test_the_kernels_traffic_shares_the_port_with_media(stage: Stage, tmp_path: Path, say: Say) -> None:
    lab = make_routed_lab(stage, pops=1)
    # All that reaches the PoP comes by the port.
    assert lab.run("pop1", "ip", "link", "set", "eth0", "down").returncode == 0
    router(stage, tmp_path, {"pop1": lambda family: lab.address("pop1", family, media=True)}, bfd=True)
    server = start_pop(stage, "pop1", core=0)
    bird = pop_bird(stage, tmp_path, "pop1", by_port=True, bfd=True)
    announce(stage, bird)
    stage.run("pop1", sys.executable, "-c", ECHO)
    up = wait_route(lab, "pop1", timeout=20)
    # The API, too, is reached through the kernel's interface on the port, by both families' addresses.
    for address in (lab.address("pop1", 4, media=True), *ANYCAST.values()):
        origin = f"http://[{address}]:8080" if ":" in address else f"http://{address}:8080"
        assert lab.http("client1", "GET", f"{origin}/")[0] == 200, origin
    people = start_call(stage, server, ORIGIN)

    before, seen = losses(people), frames(*people)
    rates = []
    for family in (4, 6):
        for address in (lab.address("pop1", family, media=True), ANYCAST[family]):
            done = lab.run("client1", sys.executable, "-c", ECHO_CLIENT, address, "10000000")
            assert done.returncode == 0, f"echo at {address}: {done.stderr}"
            rates.append(done.stdout.strip())
    wait_until("the call to go on", lambda: frames(*people) > seen + 15, timeout=20)
    received, lost = (after - first for after, first in zip(losses(people), before, strict=True))
    assert lost == 0, f"{lost} of {received} media packets were lost beside TCP"
    passed = server.metric("needletail_exception_packets_total")
    say(f"BGP over the port up in {up:.1f} s; echo both ways {', '.join(rates)} Mbit/s; 0 of {received} media lost")
    assert passed > 20_000
    # BFD takes a pause for a death; when it is over the route is soon back.
    with stopped(server):
        wait_route(lab, None, timeout=3)
    back = measure(lambda: None, lab, "pop1", limit=10)
    say(f"paused with BGP on the port: route back {back:.2f} s after the pause")
    # With the server the port is gone; only BFD tells the router.
    gone = measure(server.crash, lab, None, limit=3)
    say(f"killed with BGP on the port: route gone in {gone:.2f} s")
    assert lab.run("pop1", "ip", "link", "show", "nt0").returncode != 0
    assert subprocess.run(lab.command("pop1", "ip", "route", "show", "dev", "nt0"), capture_output=True).stdout == b""
