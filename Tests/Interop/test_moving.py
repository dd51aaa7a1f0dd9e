"""A client whose network changes in the middle of a meeting: sound and picture come back, in the same place."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from itertools import count

import pytest
from checks import check_everyone_gets_everyone
from chromium import Participant
from conftest import Stage
from lab import Lab, wait_until

TIMES = 3
# Of flow before the next change, so that what follows is a gap; and of nothing that makes one. In seconds.
STEADY = 1.5
GAP = 0.6

# Notes when sound and picture come in, ms since the epoch.
WATCH = """() => {
    const { pc } = window.needletail;
    const last = {};
    window.flow = { audio: [], video: [] };
    const look = async () => {
        const sums = { audio: 0, video: 0 };
        for (const report of (await pc.getStats()).values()) {
            if (report.type !== "inbound-rtp") continue;
            sums[report.kind] += report.kind === "audio" ? report.packetsReceived : report.framesDecoded;
        }
        for (const kind in sums) {
            if (sums[kind] > last[kind]) window.flow[kind].push(performance.timeOrigin + performance.now());
            last[kind] = sums[kind];
        }
        setTimeout(look, 30);
    };
    look();
}"""

# The UDP ports that ICE uses.
PORTS = """async () => [...new Set([...(await window.needletail.pc.getStats()).values()]
    .filter(({ type, protocol, port }) => type === "local-candidate" && protocol === "udp" && port)
    .map(({ port, relatedPort }) => relatedPort || port))]"""


def give_address(lab: Lab, number: int) -> None:
    """Takes every address of client1 away, and its connections with them, and gives it others. New ones each time: ICE
    finds one that it had before without a restart."""
    commands = [
        "ip addr flush dev eth0 scope global",
        f"ip addr add 10.66.0.{number}/24 dev eth0",
        f"ip addr add fd66::{number}/64 dev eth0 nodad",
        "ip route replace default via 10.66.0.1",
        "ip -6 route replace default via fd66::1",
    ]
    done = lab.run("client1", "sh", "-ec", "; ".join(commands))
    assert done.returncode == 0, done.stderr
    # A kernel still sends from an IPv6 address that is gone; no network would route it.
    lab.filter("client1", chain("output", f"ip6 saddr fd66::/64 ip6 saddr != fd66::{number} drop"))


def chain(hook: str, rule: str) -> str:
    return f"chain {hook} {{ type filter hook {hook} priority 0;\n{rule}\n}}\n"


class Address:
    """Another address from one moment to the next: the socket falls too, and nothing says so."""

    def __init__(self, lab: Lab) -> None:
        self._lab, self._numbers = lab, count(151)

    def change(self, _: Participant) -> float:
        began = time.time()
        give_address(self._lab, next(self._numbers))
        return began


class Gap:
    """No network for two seconds, then one with another address."""

    def __init__(self, lab: Lab) -> None:
        self._lab, self._numbers = lab, count(151)

    def change(self, _: Participant) -> float:
        self._lab.run("client1", "ip", "link", "set", "eth0", "down")
        time.sleep(2)
        began = time.time()
        self._lab.run("client1", "ip", "link", "set", "eth0", "up")
        give_address(self._lab, next(self._numbers))
        return began


class Mapping:
    """A middlebox drops what comes from the media's ports and what goes there; the socket stays."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def change(self, page: Participant) -> float:
        ports = ", ".join(map(str, page.page.evaluate(PORTS)))
        began = time.time()
        rules = (("output", f"udp sport {{ {ports} }} drop"), ("input", f"udp dport {{ {ports} }} drop"))
        self._lab.filter("client1", "".join(chain(*each) for each in rules))
        return began


def is_steady(page: Participant, kind: str) -> bool:
    """Whether something has come in for a while without a gap until now."""
    times = [moment / 1000 for moment in page.page.evaluate("(kind) => window.flow[kind]", kind)]
    now = time.time()
    times = [moment for moment in times if moment > now - STEADY - GAP] + [now]
    return times[0] < now - STEADY and all(later - earlier < GAP for earlier, later in zip(times, times[1:]))


def flows_again(page: Participant, kind: str, began: float) -> float | None:
    """Seconds from `began` (seconds since the epoch) to the end of the gap in what comes in; None before that end."""
    times = [moment / 1000 for moment in page.page.evaluate("(kind) => window.flow[kind]", kind)]
    ends = [later for earlier, later in zip(times, times[1:]) if later > began and later - earlier > GAP]
    # It goes on after that, and nothing came in just before it was looked at.
    return ends[-1] - began if ends and times[-1] > ends[-1] + 0.5 else None


@pytest.mark.parametrize("network", [Address, Gap, Mapping])
def test_a_client_that_moves_comes_back_by_itself(
    stage: Stage, network: Callable[[Lab], Address | Gap | Mapping], say: Callable[[str], None]
) -> None:
    lab = stage.make_lab(clients=2)
    server = stage.start_server()
    red, blue = stage.red_and_blue(server.create_meeting())
    check_everyone_gets_everyone(red, blue)
    places = (red.participant_id, blue.participant_id)
    for page in (red, blue):
        page.page.evaluate(WATCH)

    ways = [(page, kind) for page in (red, blue) for kind in ("audio", "video")]
    world, longest = network(lab), []
    for _ in range(TIMES):
        for page, kind in ways:
            wait_until(
                f"{page.name} to get {kind} without a gap",
                lambda page=page, kind=kind: is_steady(page, kind),
                timeout=20,
            )
        began = world.change(red)
        times = [
            wait_until(
                f"{page.name} to get {kind} again",
                lambda page=page, kind=kind: flows_again(page, kind, began),
                timeout=20,
                explain=lambda: (red.words(), red.transport()),
            )
            for page, kind in ways
        ]
        longest.append(max(times))
    seconds = ", ".join(f"{each:.2f}" for each in sorted(longest))
    name = network.__name__.lower()
    say(f"{name}: sound and picture both ways after {statistics.median(longest):.2f} s, median of {seconds}")
    assert statistics.median(longest) < 10

    check_everyone_gets_everyone(red, blue)
    assert (red.participant_id, blue.participant_id) == places
    assert red.others() == {places[1]} and blue.others() == {places[0]}
    assert "cannot get through" not in red.words()
    assert server.metric("needletail_sessions") == 2
