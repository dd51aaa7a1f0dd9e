"""Meetings of clients that nobody here wrote: Chromium and aiortc, through a DPDK port with two workers."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from checks import check_everyone_gets_everyone, check_gone, check_hears, check_sees, slot_of
from chromium import Chromium, Participant
from conftest import Stage
from lab import RESULTS, wait_until
from peer import Peer


# Keeps the signaling socket where a test can speak on it.
KEEP_SOCKET = """window.WebSocket = class extends WebSocket {
    constructor(...values) { super(...values); window.socket = this; }
};"""
# Shows one participant alone, in a tile of some height.
SHOW = """([id, height]) => window.socket.send(JSON.stringify(
    { type: "view", layout: "speaker", visible: [id], pinned: id, heights: { [id]: height } }))"""


class Meeting:
    """Two Chromium and one aiortc, each on its own host, connected."""

    def __init__(self, stage: Stage, family: int = 4) -> None:
        self.origin = stage.server.origin(family)
        self.id = stage.server.create_meeting()
        self.peer: Peer = stage.peer("client3", self.id, "Peer", "green", family)
        self.peer.join()
        self.browsers: list[Chromium] = [stage.chromium("client1", "red"), stage.chromium("client2", "blue")]
        self.red, self.blue = (self.join(browser) for browser in self.browsers)

    def join(self, browser: Chromium) -> Participant:
        participant = browser.join(self.origin, self.id, browser.colour.capitalize())
        participant.wait_connected()
        return participant


@pytest.mark.parametrize(
    ("driver", "family", "srtp", "cipher"),
    [
        pytest.param("af_packet", 4, None, "GCM", id="af_packet-IPv4-GCM"),
        pytest.param("af_packet", 6, None, "GCM", id="af_packet-IPv6-GCM"),
        pytest.param("af_packet", 4, "AES128_CM_SHA1_80", "SHA1_80", id="af_packet-IPv4-CM_SHA1"),
        pytest.param("af_xdp", 4, None, "GCM", id="af_xdp-IPv4-GCM"),
        pytest.param("packet_socket", 6, None, "GCM", id="packet_socket-IPv6-GCM"),
    ],
)
def test_three_people_see_and_hear_each_other(
    stage: Stage, driver: str, family: int, srtp: str | None, cipher: str
) -> None:
    lab = stage.make_lab(clients=3)
    server = stage.start_server(driver=driver, families=(family,), srtp=srtp)
    meeting = Meeting(stage, family)
    check_everyone_gets_everyone(meeting.red, meeting.blue, meeting.peer)
    for page in (meeting.red, meeting.blue):
        transport = page.transport()
        assert transport["remote"].strip("[]") == lab.address("pop1", family, media=True)
        assert transport["port"] == 3478
        assert transport["localType"] in ("host", "prflx"), "by the relay, where nothing is in the way"
        assert cipher in transport["srtpCipher"]
    assert server.metric("needletail_sessions") == 3
    assert server.metric("needletail_packets_total") > 0

    pictures = meeting.red.screenshot(RESULTS / f"meeting-{driver}-{family}-{cipher}.png")
    assert pictures == {person.participant_id: person.colour for person in (meeting.red, meeting.blue, meeting.peer)}


@pytest.mark.parametrize("codec", ["h264", "vp9", "av1"])
def test_two_people_meet_in_another_codec(stage: Stage, codec: str) -> None:
    stage.make_lab(clients=2)
    server = stage.start_server(codecs=codec)
    meeting = server.create_meeting()
    people = []
    for host, colour in (("client1", "red"), ("client2", "blue")):
        browser = stage.chromium(host, colour, size=(640, 360), script=KEEP_SOCKET)
        participant = browser.join(server.origin(4), meeting, colour.capitalize())
        participant.wait_connected()
        people.append(participant)
    for viewer, other in (people, reversed(people)):
        check_sees(viewer, other)
        assert viewer.video_codecs() == {f"video/{codec.upper()}"}
    # Without a mode for each layer, VP9 and AV1 leave in one stream, the smallest.
    for height, rid in ((360, "h"), (90, "q")):
        for viewer, other in (people, reversed(people)):
            viewer.page.evaluate(SHOW, [other.participant_id, height])
            wait_until(f"layer {rid} of {codec}", lambda: other.layers().get(rid) == "L1T3", timeout=20)


@pytest.mark.parametrize("codec", ["vp8", "h264", "vp9", "av1"])
def test_a_slot_changes_its_source_many_times(stage: Stage, say: Callable[[str], None], codec: str) -> None:
    """Each of 8 changes is decoded at once: nothing lies behind for the decoder."""
    stage.make_lab(clients=3)
    server = stage.start_server(codecs=codec)
    meeting = server.create_meeting()
    people = [
        stage.chromium(host, colour, size=(640, 360)).join(server.origin(4), meeting, colour.capitalize())
        for host, colour in (("client1", "red"), ("client2", "blue"))
    ]
    viewer = stage.chromium("client3", "green", script=KEEP_SOCKET).join(server.origin(4), meeting, "Green", slots=1)
    for participant in (*people, viewer):
        participant.wait_connected(40)
    waits = []
    for change in range(8):
        other = people[change % 2]
        viewer.page.evaluate(SHOW, [other.participant_id, 360 if change % 4 < 2 else 90])
        started = time.monotonic()
        wait_until(
            f"the Slot to be told for {other.name} (change {change})",
            lambda other=other: slot_of(viewer, other.participant_id, "video"),
            timeout=20,
            explain=viewer.observations,
        )
        slot = slot_of(viewer, other.participant_id, "video")
        wait_until(
            f"frames of {other.name} to be decoded (change {change})",
            lambda other=other, enough=slot["frames"] + 5: (
                slot_of(viewer, other.participant_id, "video")["frames"] > enough
            ),
            timeout=20,
            explain=viewer.observations,
        )
        wait_until(
            f"the colour of {other.name}",
            lambda other=other, mid=slot["mid"]: viewer.picture(mid) == other.colour,
            timeout=20,
            explain=viewer.observations,
        )
        waits.append(time.monotonic() - started)
    slot = slot_of(viewer, people[1].participant_id, "video")
    say(f"{codec}: 8 changes, {max(waits):.1f} s at most, {slot['freezeCount']} freezes, {slot['pliCount']} PLI")


def test_one_leaves_and_returns(stage: Stage) -> None:
    stage.make_lab(clients=3)
    server = stage.start_server()
    meeting = Meeting(stage)
    check_everyone_gets_everyone(meeting.red, meeting.blue, meeting.peer)
    left = meeting.blue.participant_id
    meeting.blue.leave()
    for viewer in (meeting.red, meeting.peer):
        check_gone(viewer, left, timeout=5)
    wait_until("the session to end", lambda: server.metric("needletail_sessions") == 2, timeout=10)
    check_sees(meeting.red, meeting.peer)
    meeting.blue.close()

    returned = meeting.join(meeting.browsers[1])
    assert returned.participant_id != left
    check_everyone_gets_everyone(meeting.red, returned, meeting.peer)


def test_who_is_killed_leaves_after_the_grace(stage: Stage) -> None:
    """A Chromium and an aiortc at the same moment; one of each stays."""
    stage.make_lab(clients=3)
    server = stage.start_server()
    meeting = Meeting(stage)
    stays = stage.peer("client3", meeting.id, "Stays", "yellow")
    stays.join()
    people = (meeting.red, meeting.blue, meeting.peer, stays)
    check_everyone_gets_everyone(*people)
    killed = (meeting.blue.participant_id, meeting.peer.participant_id)
    meeting.browsers[1].kill()
    meeting.peer.kill()
    began = time.monotonic()
    # A dropped socket may come back for 15 s, and until then the others keep the tile.
    check_gone(meeting.red, killed[0], timeout=30)
    assert 10 < time.monotonic() - began < 30
    for viewer in (meeting.red, stays):
        for participant in killed:
            check_gone(viewer, participant, timeout=5)
    check_everyone_gets_everyone(meeting.red, stays)
    wait_until("the sessions to end", lambda: server.metric("needletail_sessions") == 2, timeout=40)


def one_chromium_and_one_aiortc(stage: Stage) -> tuple[Participant, Peer]:
    """On client1 and client2, in a meeting of their own, getting each other."""
    meeting = stage.server.create_meeting()
    peer = stage.peer("client2", meeting, "Peer", "green")
    peer.join()
    red = stage.chromium("client1", "red").join(stage.server.origin(), meeting, "Red")
    red.wait_connected()
    check_everyone_gets_everyone(red, peer)
    return red, peer


def test_a_dropped_socket_comes_back_to_its_place(stage: Stage) -> None:
    lab = stage.make_lab(clients=2)
    stage.start_server()
    red, peer = one_chromium_and_one_aiortc(stage)
    lab.filter("client1", "chain out { type filter hook output priority 0; tcp dport 8080 reject with tcp reset\n}")
    red.page.wait_for_function("() => window.needletail.state === 'reconnecting'")
    check_sees(red, peer)
    check_sees(peer, red)
    lab.filter("client1", "")
    red.page.wait_for_function("() => window.needletail.state === 'meeting'")
    check_everyone_gets_everyone(red, peer)
    assert peer.messages("participant_left") == []


def test_a_rebound_port_keeps_the_call(stage: Stage) -> None:
    lab = stage.make_lab(clients=2)
    server = stage.start_server()
    red, peer = one_chromium_and_one_aiortc(stage)
    before = slot_of(red, peer.participant_id, "video")["packetsLost"]
    # What a NAT does that has forgotten the binding: from now on another source port.
    port = red.transport()["localPort"]
    lab.filter(
        "client1",
        f"""chain out {{ type filter hook output priority -300; udp dport 3478 udp sport {port} udp sport set 55555
        }}
        chain in {{ type filter hook prerouting priority -300; udp sport 3478 udp dport 55555 udp dport set {port}
        }}""",
    )
    check_everyone_gets_everyone(red, peer)
    assert slot_of(red, peer.participant_id, "video")["packetsLost"] == before
    assert server.metric("needletail_sessions") == 2


def test_video_flows_through_loss_both_ways(stage: Stage, say: Callable[[str], None]) -> None:
    lab = stage.make_lab(clients=2)
    server = stage.start_server()
    meeting = server.create_meeting()
    people = []
    for host, colour in (("client1", "red"), ("client2", "blue")):
        browser = stage.chromium(host, colour, size=(640, 360))
        people.append(browser.join(server.origin(), meeting, colour.capitalize()))
    for person in people:
        person.wait_connected()
    check_everyone_gets_everyone(*people)
    lab.impair("client1", "--loss", "5%")
    red, blue = people
    answered = server.metric("needletail_retransmits_total")

    # The loser asks us for what it misses, and we ask it for what we miss.
    def repaired() -> bool:
        asked = slot_of(red, blue.participant_id, "video")
        return (
            (asked["nackCount"] or 0) > 0
            # Not there before the first of them.
            and (asked["retransmittedPacketsReceived"] or 0) > 0
            and (red.sent()["retransmittedPacketsSent"] > 0)
        )

    wait_until(
        "losses to be repaired both ways", repaired, timeout=30, explain=lambda: (red.observations(), red.sent())
    )
    ways = ((red, blue), (blue, red))

    def frames() -> list[int]:
        return [slot_of(viewer, other.participant_id, "video")["frames"] for viewer, other in ways]

    began, before = time.monotonic(), frames()
    for way, (viewer, other) in enumerate(ways):
        wait_until(
            "150 more frames",
            lambda way=way: frames()[way] >= before[way] + 150,
            timeout=30,
            explain=viewer.observations,
        )
    seconds, seen = time.monotonic() - began, [after - first for after, first in zip(frames(), before, strict=True)]
    for (viewer, other), count in zip(ways, seen, strict=True):
        rate = count / seconds
        say(f"5% loss both ways at client1: {viewer.name} sees {other.name} at {rate:.1f} of 15 frames/s")
        assert rate > 7.5
    retransmitted = server.metric("needletail_retransmits_total") - answered
    say(f"retransmissions by the server: {retransmitted:.0f}; by the browser: {red.sent()['retransmittedPacketsSent']}")
    assert retransmitted > 0
    check_hears(red, blue)
    check_hears(blue, red)


def test_first_frame_comes_within_a_second_of_joining(stage: Stage, say: Callable[[str], None]) -> None:
    stage.make_lab(clients=2)
    server = stage.start_server()
    meeting = server.create_meeting()
    stage.peer("client2", meeting, "Peer", "green").join()
    browser = stage.chromium("client1", "red")
    times = []
    for number in range(5):
        page = browser.open(f"{server.origin()}/?meeting={meeting}&name=Red{number}&slots=4")
        page.wait_for_function("() => document.querySelector('#preview-video').readyState >= 2")
        page.click("#join-button")
        page.wait_for_function("() => window.needletail.timings.firstRemoteFrame", polling=20)
        timings = page.evaluate("() => window.needletail.timings")
        times.append(timings["firstRemoteFrame"] - timings["joinClicked"])
        Participant(page, "Red", "red").leave()
        page.context.close()
    median = sorted(times)[2]
    say(f"join to first frame, ms: {', '.join(f'{each:.0f}' for each in times)}; median {median:.0f}")
    assert median < 1000
