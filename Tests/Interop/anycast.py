"""PoPs behind a router of the lab: the switch becomes the router, BIRD 2 runs on it and in each PoP, and client1 sits in
a network of its own, so that all it sends to a PoP is routed."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from conftest import Stage
from lab import ROOT, Lab, wait_until
from server import BINARY, Server

ANYCAST = {4: "198.51.100.1", 6: "2001:db8:5::1"}
LENGTH = {4: 32, 6: 128}
ROUTER = {4: "10.66.0.1", 6: "fd66::1"}

ROUTER_CONF = """
router id 10.66.0.1;
protocol device { scan time 1; }
protocol kernel { ipv4 { export where source = RTS_BGP; }; }
protocol kernel { ipv6 { export where source = RTS_BGP; }; }
protocol bfd { interface "br0" { interval 100 ms; multiplier 3; }; }
template bgp pop { local as 65000; bfd BFD; error wait time 1, 4; connect delay time 1; }
"""
NEIGHBOR = """
protocol bgp POP_vFAMILY from pop {{
    source address {router};
    neighbor {neighbor} as 65010;
    ipvFAMILY {{ import all; export none; }};
}}
"""


def make_routed_lab(stage: Stage, pops: int) -> Lab:
    """client1 in 10.67.0.0/24 and fd67::/64, the PoPs where they are, the router between them."""
    lab = stage.make_lab(clients=1, pops=pops)

    def configure(host: str, *lines: str) -> None:
        for line in lines:
            done = lab.run(host, *line.split())
            assert done.returncode == 0, f"{line}: {done.stderr}"

    configure(
        "switch",
        "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1",
        "ip link set client1 nomaster",
        "ip addr add 10.67.0.1/24 dev client1",
        "ip addr add fd67::1/64 dev client1 nodad",
    )
    configure(
        "client1",
        "ip addr flush dev eth0 scope global",
        "ip addr add 10.67.0.101/24 dev eth0",
        "ip addr add fd67::101/64 dev eth0 nodad",
        "ip route replace default via 10.67.0.1",
        "ip -6 route replace default via fd67::1",
    )
    return lab


class Bird:
    """BIRD 2 on a host, in the foreground, with a control socket of its own."""

    def __init__(self, stage: Stage, folder: Path, host: str, conf: str) -> None:
        self.lab, self.host = stage.lab, host
        self.socket = folder / f"{host}.ctl"
        path = folder / f"{host}-bird.conf"
        path.write_text(conf)
        stage.run(host, "bird", "-f", "-c", str(path), "-s", str(self.socket), "-P", str(folder / f"{host}-bird.pid"))
        wait_until(f"BIRD on {host}", self.socket.exists, timeout=10)

    def tell(self, *command: str) -> str:
        return self.lab.run(self.host, "birdc", "-s", str(self.socket), *command).stdout


def router(stage: Stage, folder: Path, neighbors: dict[str, Callable[[int], str]], bfd: bool = False) -> Bird:
    """The router's BIRD; each PoP's sessions come from what its function answers for a family."""
    conf = ROUTER_CONF.replace("bfd BFD", f"bfd {'on' if bfd else 'off'}")
    for name, address in neighbors.items():
        for family in (4, 6):
            text = NEIGHBOR.format(router=ROUTER[family], neighbor=address(family))
            conf += text.replace("POP", name).replace("FAMILY", str(family))
    return Bird(stage, folder, "switch", conf)


def pop_bird(stage: Stage, folder: Path, host: str, by_port: bool, bfd: bool = False) -> Bird:
    """A PoP's BIRD, with the template's own text; its sessions take the port, or the management interface."""
    conf = (ROOT / "appliance" / "bird.conf").read_text()
    values = {"ROUTER_V4": ROUTER[4], "ROUTER_V6": ROUTER[6]}
    for family in (4, 6):
        values[f"MY_V{family}"] = stage.lab.address(host, family, media=True)
        values[f"SESSION_V{family}"] = stage.lab.address(host, family, media=by_port)
        values[f"SERVICE_V{family}"] = f"{ANYCAST[family]}/{LENGTH[family]}"
    for name, value in values.items():
        conf, count = re.subn(rf"^define {name} = [^;]*;", f"define {name} = {value};", conf, flags=re.MULTILINE)
        assert count == 1, name
    # The router prefers the lower one of two equal paths.
    conf = re.sub(r"^router id .*;", f"router id {stage.lab.address(host)};", conf, flags=re.MULTILINE)
    conf = conf.replace("log syslog", "log stderr")
    if bfd:
        conf = conf.replace("# bfd on;", "bfd on;").replace("# protocol bfd", "protocol bfd")
    return Bird(stage, folder, host, conf)


def announce(stage: Stage, bird: Bird, *options: str) -> subprocess.Popen:
    return stage.run(bird.host, str(BINARY), "announce", "--bird", str(bird.socket), *options)


def start_pop(stage: Stage, host: str, core: int) -> Server:
    """A PoP whose signaling, like its media, comes by the port: the kernel's interface on it is nt0."""
    lab = stage.lab
    more = ["--exception", "nt0", "--signaling-url", f"http://{lab.address(host, media=True)}:8080"]
    for family in (4, 6):
        more += ["--gateway", ROUTER[family], "--anycast", f"{ANYCAST[family]}/{LENGTH[family]}"]
    return stage.start_server(host=host, cores=(core,), more=tuple(more))


def next_hop(lab: Lab, family: int) -> str | None:
    """Which PoP the router sends the anycast address to."""
    text = lab.run("switch", "ip", "-j", f"-{family}", "route", "show", ANYCAST[family]).stdout
    routes = json.loads(text or "[]")
    if not routes:
        return None
    # By IPv6 the router takes the link-local address, which is made from the port's MAC address.
    gateway = routes[0]["gateway"]
    for host in ("pop1", "pop2"):
        if gateway in (lab.address(host, family, media=True), link_local(lab, host)):
            return host
    return gateway


def link_local(lab: Lab, host: str) -> str | None:
    done = lab.run(host, "cat", "/sys/class/net/media0/address")
    if done.returncode != 0:
        return None
    octets = [int(part, 16) for part in done.stdout.strip().split(":")]
    octets[0] ^= 2
    words = [octets[0] << 8 | octets[1], octets[2] << 8 | 0xFF, 0xFE00 | octets[3], octets[4] << 8 | octets[5]]
    return "fe80::" + ":".join(f"{word:x}" for word in words)


def wait_route(lab: Lab, host: str | None, timeout: float) -> float:
    """Waits until the anycast addresses of both families lead to `host`; the seconds it took."""
    began = time.monotonic()
    wait_until(
        f"the anycast routes to lead to {host}",
        lambda: all(next_hop(lab, family) == host for family in (4, 6)),
        timeout,
        every=0.02,
        explain=lambda: [next_hop(lab, family) for family in (4, 6)],
    )
    return time.monotonic() - began


def measure(act: Callable[[], object], lab: Lab, host: str | None, limit: float) -> float:
    """Acts, and waits until the routes lead to `host`: the seconds since the act began, which must be within `limit`."""
    began = time.monotonic()
    act()
    wait_route(lab, host, timeout=limit + 5)
    seconds = time.monotonic() - began
    assert seconds < limit, f"{seconds:.2f} s instead of {limit}"
    return seconds


@contextmanager
def stopped(server: Server) -> Iterator[None]:
    """The server hangs for a while, as a process that the kernel does not schedule."""
    server.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        server.process.send_signal(signal.SIGCONT)
