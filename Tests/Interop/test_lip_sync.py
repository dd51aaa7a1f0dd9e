"""Whether a viewer's Chromium plays the voice and the picture of a participant in step."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from checks import check_hears, check_sees
from chromium import Participant
from conftest import Stage

LOOKS, SECONDS = 3, 20

# How far the picture that is played is ahead of the voice, in ms: both by the sender's clock (webrtc-stats).
AHEAD = """async (participant) => {
    const { pc, slots } = window.needletail;
    const played = {};
    for (const report of (await pc.getStats()).values()) {
        if (report.type !== "inbound-rtp" || slots[report.mid]?.participant_id !== participant) continue;
        played[report.kind] = report.estimatedPlayoutTimestamp;
    }
    return played.audio && played.video ? played.video - played.audio : null;
}"""


def test_voice_and_picture_are_played_in_step(stage: Stage, say: Callable[[str], None]) -> None:
    """With 2% loss on the viewer's line."""
    lab = stage.make_lab(clients=2)
    red, blue = stage.red_and_blue(stage.start_server().create_meeting())
    lab.impair("client1", "--loss", "2%")
    check_sees(red, blue)
    check_hears(red, blue)
    places = {
        slot["kind"]: number
        for kind in ("audio", "video")
        for number, slot in enumerate(each for each in red.observations() if each["kind"] == kind)
        if slot.get("participant_id") == blue.participant_id
    }
    assert places["audio"] == places["video"], "the answer puts Slots of the same number into one stream"
    red.page.wait_for_timeout(5_000)
    # A machine that lacks its core for a moment only adds to the distance: one of a few looks is enough.
    assert any(_distance(red, blue, say) <= 150 for _ in range(LOOKS))


def _distance(red: Participant, blue: Participant, say: Callable[[str], None]) -> float:
    """What 95% of the distances are within, in ms."""
    found = []
    for _ in range(4 * SECONDS):
        red.page.wait_for_timeout(250)
        if (ahead := red.page.evaluate(AHEAD, blue.participant_id)) is not None:
            found.append(ahead)
    assert len(found) > 2 * SECONDS
    distances = sorted(map(abs, found))
    median, most = statistics.median(found), distances[len(distances) * 95 // 100]
    share = sum(distance <= 40 for distance in distances) / len(distances)
    say(f"the picture is ahead by {median:.0f} ms in the middle; 95% within {most:.0f} ms, {share:.0%} within 40 ms")
    return most
