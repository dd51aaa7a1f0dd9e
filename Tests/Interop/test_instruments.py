"""The instruments of the other tests, against peers of their own kind: they must see what is there, and what is not."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import media
import pytest
from chromium import Participant
from conftest import Stage
from lab import wait_until

HERE = Path(__file__).parent

# A page with the web client's hook, whose two Slots carry its own camera and microphone, and a third nothing.
PAGE = """<!doctype html><title>loopback</title>
<ul id="board"><li class="tile"><video autoplay muted></video></li></ul><audio autoplay></audio><script>
const far = new RTCPeerConnection(), near = new RTCPeerConnection();
window.needletail = { pc: near, slots: { 0: { participant_id: "self", source: "audio" },
                                         1: { participant_id: "self", source: "video" } } };
(async () => {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
    far.onicecandidate = ({ candidate }) => near.addIceCandidate(candidate);
    near.onicecandidate = ({ candidate }) => far.addIceCandidate(candidate);
    for (const kind of ["audio", "video", "video"]) near.addTransceiver(kind, { direction: "recvonly" });
    await near.setLocalDescription(await near.createOffer());
    await far.setRemoteDescription(near.localDescription);
    const senders = far.getTransceivers();
    for (const track of stream.getTracks()) {
        const transceiver = senders.find((each) => each.receiver.track.kind === track.kind);
        transceiver.direction = "sendonly";
        await transceiver.sender.replaceTrack(track);
    }
    await far.setLocalDescription(await far.createAnswer());
    await near.setRemoteDescription(far.localDescription);
    const [audio, video] = near.getTransceivers().map(({ receiver }) => new MediaStream([receiver.track]));
    document.querySelector("audio").srcObject = audio;
    document.querySelector("video").srcObject = video;
})();
</script>"""

# Two aiortc ends in one process, as meeting_client.py uses them.
LOOPBACK = """
import asyncio, json
from aiortc import RTCConfiguration, RTCPeerConnection
from meeting_client import ColourTrack, ToneTrack, Watcher

async def main():
    alone = RTCConfiguration(iceServers=[])
    sender, receiver, watchers = RTCPeerConnection(alone), RTCPeerConnection(alone), {}
    receiver.on("track", lambda track: watchers.update({track.kind: Watcher(track)}))
    sender.addTransceiver(ToneTrack("green"), direction="sendonly")
    sender.addTransceiver(ColourTrack("green"), direction="sendonly")
    await sender.setLocalDescription(await sender.createOffer())
    await receiver.setRemoteDescription(sender.localDescription)
    await receiver.setLocalDescription(await receiver.createAnswer())
    await sender.setRemoteDescription(receiver.localDescription)
    for _ in range(200):
        await asyncio.sleep(0.1)
        seen = {kind: watcher.observation() for kind, watcher in watchers.items()}
        if len(seen) == 2 and seen["video"]["frames"] > 20 and seen["audio"].get("tone"):
            break
    print(json.dumps(seen))
    await sender.close()
    await receiver.close()

asyncio.run(main())
"""


@pytest.mark.parametrize("colour", media.COLOURS)
def test_colours_survive_the_way_to_yuv_and_back(colour: str) -> None:
    assert media.nearest_colour(media.rgb(*media.yuv(media.COLOURS[colour]))) == colour


def test_black_and_grey_are_nobodys_colour() -> None:
    assert media.nearest_colour((0, 0, 0)) is None
    assert media.nearest_colour((128, 128, 128)) is None


def test_chromium_in_a_namespace_shows_its_colour_and_plays_its_tone(stage: Stage, tmp_path: Path) -> None:
    lab = stage.make_lab(clients=1)
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "index.html").write_text(PAGE)
    stage.serve_folder(tmp_path / "web")
    browser = stage.chromium("client1", "blue")
    page = Participant(browser.open(f"http://{lab.address('pop1')}:8080/"), "loopback", "blue")
    page.wait_connected()

    def decoding() -> list[dict] | None:
        seen = page.observations()
        full = seen[1].get("framesDecoded", 0) > 10 and seen[0].get("totalAudioEnergy", 0) > 0
        return seen if full else None

    audio, video, empty = wait_until("pictures and sound", decoding, timeout=20)
    assert (audio["kind"], video["kind"]) == ("audio", "video")
    assert video["participant_id"] == "self" and video["source"] == "video"
    assert empty.get("framesDecoded", 0) == 0 and "participant_id" not in empty
    assert page.picture(video["mid"]) == "blue"
    wait_until("the tone", lambda: page.tone(audio["mid"]) == "blue", timeout=15)
    assert page.tile_brightness()[0] > 20
    assert page.transport()["srtpCipher"]
    browser.kill()


def test_aiortc_tells_colours_and_tones(stage: Stage) -> None:
    lab = stage.make_lab(clients=1)
    done = lab.run("client1", "env", f"PYTHONPATH={HERE}", sys.executable, "-c", LOOPBACK, timeout=60)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["video"]["colour"] == "green"
    assert seen["audio"]["tone"] == "green"


def test_waiting_gives_up_and_says_for_what() -> None:
    began = time.monotonic()
    with pytest.raises(AssertionError, match="rain"):
        wait_until("rain", lambda: None, timeout=0.3)
    assert time.monotonic() - began < 3
