"""GStreamer's webrtcbin as a participant, in meetings with aiortc, Chromium and its like."""

from __future__ import annotations

import time

import pytest
from checks import check_everyone_gets_everyone, check_gone, slot_of
from chromium import Participant
from conftest import Stage
from lab import wait_until
from peer import Member, WebRTCBin


def webrtcbin(stage: Stage, host: str, meeting: str, colour: str, codec: str, checks: bool = False) -> WebRTCBin:
    member = stage.webrtcbin(host, meeting, colour, codec, checks)
    member.join()
    return member


def aiortc(stage: Stage, host: str, meeting: str) -> Member:
    peer = stage.peer(host, meeting, "Peer", "green")
    peer.join()
    return peer


@pytest.mark.parametrize("codec", ["vp8", "h264"])
def test_webrtcbin_and_aiortc_see_and_hear_each_other(stage: Stage, codec: str) -> None:
    stage.make_lab(clients=2)
    meeting = stage.start_server(codecs=codec).create_meeting()
    peer, member = aiortc(stage, "client1", meeting), webrtcbin(stage, "client2", meeting, "red", codec)
    check_everyone_gets_everyone(peer, member)
    member.leave()
    check_gone(peer, member.participant_id, timeout=5)


def test_webrtcbin_chromium_and_aiortc_see_and_hear_each_other(stage: Stage) -> None:
    stage.make_lab(clients=3)
    server = stage.start_server()
    meeting = server.create_meeting()
    people: list[Participant | Member] = [aiortc(stage, "client1", meeting)]
    blue = stage.chromium("client2", "blue").join(server.origin(), meeting, "Blue")
    blue.wait_connected()
    people += [blue, webrtcbin(stage, "client3", meeting, "red", "vp8")]
    check_everyone_gets_everyone(*people)


def test_webrtcbin_stays_when_it_renews_no_consent(stage: Stage) -> None:
    """Its pictures go on beyond the 30 s of consent (RFC 7675), after which nothing is sent to it; one that sends checks
    goes on to see."""
    stage.make_lab(clients=3)
    meeting = stage.start_server().create_meeting()
    peer, silent = aiortc(stage, "client1", meeting), webrtcbin(stage, "client2", meeting, "red", "vp8")
    checking = webrtcbin(stage, "client3", meeting, "blue", "vp8", checks=True)
    check_everyone_gets_everyone(peer, silent, checking)

    def frames(viewer: Member, other: Member) -> int:
        return (slot_of(viewer, other.participant_id, "video") or {}).get("frames", 0)

    pairs = [(peer, silent), (peer, checking), (checking, silent), (checking, peer)]
    began = time.monotonic()
    while (passed := time.monotonic() - began) < 40:
        before = {pair: frames(*pair) for pair in pairs}
        seen = frames(silent, peer)
        wait_until(
            f"all pictures to go on after {passed:.0f} s",
            lambda before=before: all(frames(*pair) > before[pair] + 5 for pair in pairs),
            timeout=5,
            explain=lambda: {f"{viewer.name}, {other.name}": frames(viewer, other) for viewer, other in pairs},
        )
    assert frames(silent, peer) == seen
    assert peer.messages("participant_left") == []
