"""A viewer whose line does not carry what is published, or loses some of it: it gets what fits and all of the sound, at once,
and others do not notice."""

from __future__ import annotations

from collections.abc import Callable

import recording
from conftest import Stage
from viewing import ASK_FOR_ALL, Viewing

RATE = "500kbit"
# The line is full at once; what is sent has this long to become what fits.
REACTION_S, SECONDS, LOSSY_SECONDS = 3, 10, 6


def test_a_viewer_behind_half_a_megabit_hears_all_and_sees_something(
    stage: Stage, say: Callable[[str], None]
) -> None:
    """Two publishers send 2.4 Mbit/s each; benchmarks/browsers has the other lines."""
    recording.pictures()
    lab = stage.make_lab(clients=4)
    server = stage.start_server(cores=(0,))
    meeting = server.create_meeting()
    publishers = [stage.publisher(f"client{n + 1}", meeting, colour, n) for n, colour in enumerate(("red", "blue"))]
    for publisher in publishers:
        publisher.join()
    counter = stage.counter("client4", meeting)
    counter.join()
    viewer = stage.chromium("client3", "green", script=ASK_FOR_ALL).join(server.origin(), meeting, "Viewer")
    viewer.wait_connected()
    viewer.page.click("#camera")
    people = [publisher.participant_id for publisher in publishers]
    viewing = Viewing(viewer)
    assert viewing.wait_for_size(people, 720, timeout=15), "the pictures are no larger than the tiles without a limit"

    counter.take()
    sent_again = server.metric("needletail_retransmits_total")
    lab.downlink("client3", "--rate", RATE)
    limited, ended = viewing.watch(REACTION_S + SECONDS)
    sent_again = server.metric("needletail_retransmits_total") - sent_again
    other = counter.take()
    lab.downlink("client3")

    began = limited + REACTION_S
    rates = [viewing.picture(each, began, ended).frames_per_second for each in people]
    sound, got = viewing.concealed(began, ended), viewing.sum("packetsReceived", limited, ended)
    say(f"at {RATE}: {rates[0]:.1f} and {rates[1]:.1f} frames/s, {sound.made_up:.1%} of the sound made up, {sound.silent:.1%}")
    say(f"silent; {sent_again:.0f} packets sent again beside {got:.0f} that came; the other viewer: {other}")
    assert max(rates) > 8, "no picture moves"
    assert sound.made_up + sound.silent < 0.02
    assert sent_again < 0.2 * got
    # Of 600 packets a second; a busy machine may take one from it, a neighbour's queue may not.
    assert other["lost"] < 0.005 * other["received"]
    assert viewing.wait_for_size(people, 720, timeout=10), "the pictures stay small on a line without a limit"

    redundant = server.metric("needletail_redundant_packets_total")
    lab.downlink("client3", "--loss", "10%")
    lossy, ended = viewing.watch(REACTION_S + LOSSY_SECONDS)
    redundant = server.metric("needletail_redundant_packets_total") - redundant
    began = lossy + REACTION_S
    sound = viewing.concealed(began, ended)
    say(f"with 10% of packets lost: {sound.made_up:.1%} of the sound made up, {redundant:.0f} packets with earlier sounds")
    assert redundant > 0
    assert sound.made_up + sound.silent < 0.03
