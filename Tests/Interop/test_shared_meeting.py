"""One meeting whose people are at three PoPs: each client talks to its own, and the media crosses between them."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from checks import check_everyone_gets_everyone, check_hears, check_sees, slot_of
from chromium import Participant
from conftest import Stage
from lab import Lab, wait_until
from server import BINARY, Server
from test_fleet import REDIS, origin, start_redis

# Sound that was made up because none had come, ms, over all Slots of a page.
CONCEALED = """async () => {
    const all = [...(await window.needletail.pc.getStats()).values()];
    const sounds = all.filter(({ type, kind }) => type === "inbound-rtp" && kind === "audio");
    const made = sounds.map((each) => (each.concealedSamples ?? 0) - (each.silentConcealedSamples ?? 0));
    return made.reduce((sum, samples) => sum + samples, 0) / 48;
}"""
# Notes when frames of the others are shown, and which participants are listed.
WATCH = """() => {
    window.watched = { gaps: 0, last: performance.now(), sizes: new Set() };
    setInterval(() => window.watched.sizes.add(window.needletail.participants.length), 20);
}"""


class Authority:
    """Certificates of a fleet's PoPs, as the documentation says how to make them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.certificate = folder / "ca.pem"
        self._openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=fleet", "-keyout", str(folder / "ca.key"), "-out", str(self.certificate),
        )  # fmt: skip

    def issue(self, pop: str) -> tuple[Path, Path]:
        certificate, key = self._folder / f"{pop}.pem", self._folder / f"{pop}.key"
        self._openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-CA", str(self.certificate), "-CAkey", str(self._folder / "ca.key"), "-subj", f"/CN={pop}",
            "-addext", f"subjectAltName=DNS:{pop}", "-addext", "basicConstraints=critical,CA:FALSE",
            "-keyout", str(key), "-out", str(certificate),
        )  # fmt: skip
        return certificate, key

    @staticmethod
    def _openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)


class Fleet:
    """PoPs that share meetings, linked with one another."""

    def __init__(self, stage: Stage, folder: Path, family: int = 4, pops: int = 3, delay: int = 0) -> None:
        self.stage, self.family = stage, family
        self.lab: Lab = stage.make_lab(clients=3, pops=pops)
        authority = Authority(folder)
        self.redis = start_redis(stage)
        self.servers = [self._start(f"pop{number}", authority) for number in range(1, pops + 1)]
        for server in self.servers:
            wait_until(
                f"{server.host} to be linked",
                lambda server=server: server.metric("needletail_fleet_links") == pops - 1,
                timeout=15,
                explain=server.log_tail,
            )

    def _start(self, pop: str, authority: Authority) -> Server:
        certificate, key = authority.issue(pop)
        listen = f"{self.lab.address(pop, 4)}:7443"
        section = (
            f'fleet: {{name: {pop}, signaling_url: "{origin(self.lab, pop)}", redis: ["{REDIS}"], '
            f'listen: ["{listen}"], certificate: "{certificate}", key: "{key}", ca: "{authority.certificate}"}}\n'
        )
        core = int(pop[-1]) % 2
        return self.stage.start_server(host=pop, families=(self.family,), cores=(core,), sections=section)

    def browser(self, client: str, colour: str, server: Server, meeting: str) -> Participant:
        page = self.stage.chromium(client, colour).join(server.origin(self.family), meeting, colour.capitalize())
        page.wait_connected()
        return page

    def status(self, server: Server) -> str:
        return self.lab.run(server.host, str(BINARY), "fleet", "status", "--ops", "127.0.0.1:9090").stdout


@pytest.mark.parametrize("family", [4, 6], ids=["IPv4", "IPv6"])
def test_people_of_three_pops_see_and_hear_one_another(
    stage: Stage, tmp_path: Path, say: Callable[[str], None], family: int
) -> None:
    fleet = Fleet(stage, tmp_path, family)
    first, second, third = fleet.servers
    meeting = first.create_meeting("Everywhere")
    red = fleet.browser("client1", "red", first, meeting)
    began = time.monotonic()
    blue = fleet.browser("client2", "blue", second, meeting)
    joined = time.monotonic() - began
    green = stage.peer("client3", meeting, "Green", "green", family, third.origin(family), videos=1)
    green.join()
    check_everyone_gets_everyone(red, blue)
    for page in (red, blue):
        check_sees(page, green)
        check_hears(page, green)
    for other in (red, blue):
        check_hears(green, other)
    check_sees(green, red)
    assert [server.metric("needletail_sessions") for server in fleet.servers] == [1, 1, 1]
    shown = fleet.status(second)
    print(shown)
    for pop in ("pop1", "pop3"):
        assert re.search(rf"^{pop} +open +[1-9]\d* +[1-9]\d* .* [\d.]+ ms +[1-9]\d* +[1-9]\d* in, [1-9]\d* out$", shown, re.MULTILINE), shown
        rtt = second.metrics()[f'needletail_trunk_rtt_seconds{{pop="{pop}"}}']
        assert 0 < rtt < 1
    green.leave()
    for page in (red, blue):
        wait_until(f"{page.name} to see Green go", lambda page=page: green.participant_id not in page.others(), timeout=5)
    say(f"the second PoP's first participant connected {joined:.1f} s after its page was opened")


def concealed(page: Participant) -> float:
    return page.page.evaluate(CONCEALED)


def test_a_drained_pop_hands_its_people_over(stage: Stage, tmp_path: Path, say: Callable[[str], None]) -> None:
    """Red moves from the first PoP to the second, with 80 ms between the two and 40 ms to each client."""
    fleet = Fleet(stage, tmp_path)
    first, second, third = fleet.servers
    for pop in fleet.servers:
        fleet.lab.delay(pop.host, 20)
    meeting = first.create_meeting("Moving")
    red = fleet.browser("client1", "red", first, meeting)
    blue = fleet.browser("client2", "blue", second, meeting)
    green = fleet.browser("client3", "green", third, meeting)
    check_everyone_gets_everyone(red, blue, green)
    for page in (red, blue, green):
        page.page.evaluate(WATCH)
    before = {page.name: concealed(page) for page in (blue, green)}
    began = time.monotonic()
    drained = fleet.lab.run(first.host, str(BINARY), "drain", "--deadline", "60", "--ops", "127.0.0.1:9090")
    assert drained.returncode == 0, drained.stderr
    there = fleet.lab.address(second.host, 4, media=True)
    wait_until("Red to be at the other PoP", lambda: red.transport()["remote"] == there, timeout=15)
    moved = time.monotonic() - began
    wait_until("the old PoP to be empty", lambda: first.metric("needletail_sessions") == 0, timeout=10)
    check_everyone_gets_everyone(red, blue, green)
    sizes = [page.page.evaluate("() => [...window.watched.sizes]") for page in (red, blue, green)]
    assert sizes == [[2], [2], [2]], "somebody was in the list twice, or not at all"
    gaps = {page.name: concealed(page) - before[page.name] for page in (blue, green)}
    words = ", ".join(f"{gap:.0f} ms for {name}" for name, gap in gaps.items())
    say(f"moved {moved:.1f} s after the drain began; sound of Red that was made up: {words}")
    # A word is not lost, also on a busy machine.
    assert max(gaps.values()) < 600


def wait_until_back(page: Participant, other: Participant, addresses: set[str]) -> None:
    """Its media is at another PoP, and it sees the other there."""
    wait_until(
        f"{page.name} to be at another PoP",
        lambda: page.transport()["remote"] in addresses,
        timeout=20,
        every=0.05,
        explain=lambda: (page.page.evaluate("() => window.needletail.state"), page.words()),
    )
    wait_until(
        f"{page.name} to see {other.name} again",
        lambda: (slot_of(page, other.participant_id, "video") or {}).get("frames", 0) > 0,
        timeout=20,
        every=0.05,
        explain=page.observations,
    )


def media_addresses(fleet: Fleet, *servers: Server) -> set[str]:
    return {fleet.lab.address(server.host, 4, media=True) for server in servers}


def test_people_of_a_killed_pop_come_back_at_another(
    stage: Stage, tmp_path: Path, say: Callable[[str], None]
) -> None:
    fleet = Fleet(stage, tmp_path)
    first, second, third = fleet.servers
    meeting = first.create_meeting("Home is lost")
    red = fleet.browser("client1", "red", first, meeting)
    blue = fleet.browser("client2", "blue", second, meeting)
    green = fleet.browser("client3", "green", third, meeting)
    check_everyone_gets_everyone(red, blue, green)
    frames = slot_of(blue, green.participant_id, "video")["frames"]
    first.crash()
    began = time.monotonic()
    wait_until_back(red, blue, media_addresses(fleet, second, third))
    seen = time.monotonic() - began
    check_everyone_gets_everyone(red, blue, green)
    assert slot_of(blue, green.participant_id, "video")["frames"] > frames
    assert red.others() == {blue.participant_id, green.participant_id}
    say(f"Red saw Blue again {seen:.1f} s after its PoP was killed")


def drop(lab: Lab, drops: str | None) -> None:
    """Has the switch drop what these rules say; None: nothing any more."""
    rules = f"table bridge cut {{ chain way {{ type filter hook forward priority 0; {drops}}}; }}"
    done = lab.run("switch", "nft", rules if drops else "delete table bridge cut")
    assert done.returncode == 0, done.stderr


def test_people_of_a_pop_that_is_cut_off_come_back_at_another_and_are_there_once(
    stage: Stage, tmp_path: Path, say: Callable[[str], None]
) -> None:
    """Its machine, or all of its network, is silently gone; later it is back, and knows nothing of what was meanwhile."""
    fleet = Fleet(stage, tmp_path)
    first, second, third = fleet.servers
    meeting = first.create_meeting("Cut off")
    red = fleet.browser("client1", "red", first, meeting)
    blue = fleet.browser("client2", "blue", second, meeting)
    green = fleet.browser("client3", "green", third, meeting)
    check_everyone_gets_everyone(red, blue, green)
    drop(fleet.lab, "".join(f'iifname "{port}" drop; oifname "{port}" drop; ' for port in ("pop1", "pop1-media")))
    began = time.monotonic()
    wait_until_back(red, blue, media_addresses(fleet, second, third))
    seen = time.monotonic() - began
    check_everyone_gets_everyone(red, blue, green)
    drop(fleet.lab, None)
    for metric, count in (("needletail_fleet_links", 2), ("needletail_sessions", 0)):
        wait_until(f"{metric} of the first PoP", lambda: first.metric(metric) == count, timeout=30)
    check_everyone_gets_everyone(red, blue, green)
    people = (red, blue, green)
    assert [page.others() for page in people] == [
        {other.participant_id for other in people if other is not page} for page in people
    ]
    say(f"Red saw Blue again {seen:.1f} s after its PoP was cut off")


def test_people_who_were_all_at_a_killed_pop_come_back_together(
    stage: Stage, tmp_path: Path, say: Callable[[str], None]
) -> None:
    fleet = Fleet(stage, tmp_path)
    first, *others = fleet.servers
    meeting = first.create_meeting("All at one PoP")
    red = fleet.browser("client1", "red", first, meeting)
    blue = fleet.browser("client2", "blue", first, meeting)
    check_everyone_gets_everyone(red, blue)
    wait_until(
        "another PoP to have a copy",
        lambda: sum(server.metric("needletail_meetings") for server in others) == 1,
        timeout=10,
        explain=first.log_tail,
    )
    standby = next(server for server in others if server.metric("needletail_meetings") == 1)
    first.crash()
    began = time.monotonic()
    for page, other in ((red, blue), (blue, red)):
        wait_until_back(page, other, media_addresses(fleet, standby))
    seen = time.monotonic() - began
    check_everyone_gets_everyone(red, blue)
    assert (red.others(), blue.others()) == ({blue.participant_id}, {red.participant_id})
    say(f"both saw one another again {seen:.1f} s after the PoP of both was killed")


def cut(lab: Lab, is_cut: bool) -> None:
    """All ways between the first PoP and the second."""
    ports = [f"pop1{end}" for end in ("", "-media")], [f"pop2{end}" for end in ("", "-media")]
    ways = [(a, b) for a in ports[0] for b in ports[1]]
    drops = "".join(f'iifname "{a}" oifname "{b}" drop; iifname "{b}" oifname "{a}" drop; ' for a, b in ways)
    drop(lab, drops if is_cut else None)


def test_both_sides_of_a_cut_go_on_and_are_one_meeting_again(
    stage: Stage, tmp_path: Path, say: Callable[[str], None]
) -> None:
    """The way between two PoPs is gone for 20 s, and Redis with it."""
    fleet = Fleet(stage, tmp_path, pops=2)
    first, second = fleet.servers
    meeting = first.create_meeting("Cut")
    red = fleet.browser("client1", "red", first, meeting)
    green = fleet.browser("client3", "green", first, meeting)
    blue = fleet.browser("client2", "blue", second, meeting)
    check_everyone_gets_everyone(red, green, blue)
    fleet.redis.terminate()
    fleet.redis.wait()
    cut(fleet.lab, True)
    began = time.monotonic()
    frames = slot_of(red, green.participant_id, "video")["frames"]
    wait_until("each side to miss the other", lambda: not blue.others() and len(red.others()) == 1, timeout=30)
    missed = time.monotonic() - began
    time.sleep(max(0, 20 - missed))
    assert slot_of(red, green.participant_id, "video")["frames"] > frames + 10 * missed
    cut(fleet.lab, False)
    began = time.monotonic()
    for page in (red, green, blue):
        wait_until(f"{page.name} to have all others", lambda page=page: len(page.others()) == 2, timeout=20)
    whole = time.monotonic() - began
    check_everyone_gets_everyone(red, green, blue)
    say(f"each side missed the other after {missed:.1f} s; all were there again {whole:.1f} s after the cut")
    fleet.redis = start_redis(stage)
    wait_until("the registry to be up", lambda: second.metric("needletail_fleet_registry_up") == 1, timeout=10)
    check_everyone_gets_everyone(red, green, blue)
