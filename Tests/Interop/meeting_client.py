"""A participant made of aiortc and websockets: speaks the signaling and holds it against its schema, sends one colour
and one tone, and tells what it receives. As a program, it takes one JSON command a line on stdin and answers one JSON object a
line."""

from __future__ import annotations

import argparse
import array
import asyncio
import audioop
import fractions
import itertools
import json
import sys
import time
import urllib.parse
import urllib.request
from collections import deque

import av
import media
import signaling
import websockets
from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError

VIDEO_CLOCK = 90_000
FRAMES_PER_SECOND = 15
AUDIO_SAMPLES = media.SAMPLE_RATE // 50
# Frames: as long as the tone is on, and as its period.
FLASH_ON, FLASH_PERIOD = round(media.TONE_ON_S * FRAMES_PER_SECOND), round(media.TONE_PERIOD_S * FRAMES_PER_SECOND)


class Paced(MediaStreamTrack):
    """A track whose next frame is due a fixed time after the one before."""

    period: float

    def __init__(self, begin: float | None = None) -> None:
        """`begin`: when the first frame is due, by the loop's clock; by itself when it is asked for."""
        super().__init__()
        self._begin = begin
        self._due: float | None = None
        self._count = 0

    async def _next(self) -> int:
        now = asyncio.get_running_loop().time()
        self._due = (self._begin or now) if self._due is None else self._due + self.period
        await asyncio.sleep(max(0.0, self._due - now))
        self._count += 1
        return self._count - 1


class ColourTrack(Paced):
    kind = "video"
    period = 1 / FRAMES_PER_SECOND

    def __init__(self, colour: str, begin: float | None = None, width: int = 320, height: int = 240) -> None:
        """With a `begin` it is dark while the tone of a track with the same one is silent."""
        super().__init__(begin)
        self._flashes = begin is not None
        self._size = (width, height)
        self._yuv = media.yuv(media.COLOURS[colour])

    async def recv(self) -> av.VideoFrame:
        number = await self._next()
        frame = av.VideoFrame(*self._size, "yuv420p")
        # The brightness breathes, so that no two frames are the same.
        luma = self._yuv[0] + number % 8
        if self._flashes and number % FLASH_PERIOD >= FLASH_ON:
            luma = 20 + number % 8
        for plane, value in zip(frame.planes, (luma, *self._yuv[1:]), strict=True):
            plane.update(bytes([value]) * plane.buffer_size)
        frame.pts = number * VIDEO_CLOCK // FRAMES_PER_SECOND
        frame.time_base = fractions.Fraction(1, VIDEO_CLOCK)
        return frame


class ToneTrack(Paced):
    kind = "audio"
    period = AUDIO_SAMPLES / media.SAMPLE_RATE

    def __init__(self, colour: str, begin: float | None = None) -> None:
        super().__init__(begin)
        whole = int(media.TONE_PERIOD_S * media.SAMPLE_RATE)
        samples = media.tone_samples(media.TONES[colour], 0, whole)
        self._frames = [samples[n : n + 2 * AUDIO_SAMPLES] for n in range(0, len(samples), 2 * AUDIO_SAMPLES)]

    async def recv(self) -> av.AudioFrame:
        number = await self._next()
        frame = av.AudioFrame(format="s16", layout="mono", samples=AUDIO_SAMPLES)
        frame.planes[0].update(self._frames[number % len(self._frames)])
        frame.sample_rate = media.SAMPLE_RATE
        frame.pts = number * AUDIO_SAMPLES
        frame.time_base = fractions.Fraction(1, media.SAMPLE_RATE)
        return frame


class Watcher:
    """Drains one received track and keeps the little that tells whose it is."""

    def __init__(self, track: MediaStreamTrack) -> None:
        self.kind = track.kind
        self.frames = 0
        self.first: float | None = None
        self._last: av.VideoFrame | None = None
        self._sound: deque[tuple[int, bytes]] = deque(maxlen=100)  # 2 s of (loudness, stereo samples)
        self.task = asyncio.create_task(self._drain(track))

    async def _drain(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                frame = await track.recv()
                self.first = self.first or time.monotonic()
                self.frames += 1
                if self.kind == "video":
                    self._last = frame
                else:
                    samples = bytes(frame.planes[0])[: frame.samples * 4]
                    self._sound.append((audioop.rms(samples, 2), samples))
        except MediaStreamError:
            pass

    def observation(self) -> dict:
        seen: dict = {"kind": self.kind, "frames": self.frames, "first": self.first, "sound": 0}
        if self._last is not None:
            frame = self._last.reformat(format="yuv420p")
            means = []
            for plane in frame.planes:
                row = bytes(plane)[plane.line_size * (plane.height // 2) :][: plane.width]
                means.append(sum(row) / len(row))
            seen["colour"] = media.nearest_colour(media.rgb(*means))
            seen["size"] = [frame.width, frame.height]
        if self._sound:
            loudness, samples = max(self._sound)
            seen["sound"] = loudness
            seen["tone"] = media.loudest_tone(array.array("h", samples)[::2])
        return seen


class MeetingClient:
    """One participant. `join` answers when the media path stands."""

    def __init__(
        self, origin: str, meeting: str, name: str, colour: str, videos: int = 3, audios: int = 3, flash: bool = False
    ) -> None:
        """`flash`: the picture is bright while the tone is on, and dark while it is silent."""
        self.flash = flash
        self.origin, self.meeting, self.name, self.colour = origin, meeting, name, colour
        self.slot_counts = {"audio": audios, "video": videos}
        self.participant_id: str | None = None
        self.others: set[str] = set()
        self.messages: list[dict] = []
        # What the schema of the signaling does not describe.
        self.violations: list[str] = []
        self.slots: dict[str, dict] = {}
        self.watchers: dict[str, Watcher] = {}
        self._waiting: dict[str, asyncio.Future] = {}
        self._ids = itertools.count(1)

    async def join(self, timeout: float = 15) -> None:
        admitted = await asyncio.to_thread(
            self._post, f"/api/v1/meetings/{self.meeting}/join", {"display_name": self.name}
        )
        base = self.origin.replace("http", "ws", 1)
        self.socket = await websockets.connect(urllib.parse.urljoin(base, admitted["signaling_url"]), proxy=None)
        self._reader = asyncio.create_task(self._read())
        joined = await self.request("join", session_token=admitted["session_token"])
        self.participant_id = joined["you"]["participant_id"]
        await self.request("media_state", audio=True, video=True)
        self._open_connection()
        await self.pc.setLocalDescription(await self.pc.createOffer())
        answer = await self.request("offer", sdp=self.pc.localDescription.sdp)
        await self.pc.setRemoteDescription(RTCSessionDescription(answer["sdp"], "answer"))
        for transceiver in self.pc.getTransceivers():
            if transceiver.direction == "recvonly":
                self.watchers[transceiver.mid] = Watcher(transceiver.receiver.track)
        await asyncio.wait_for(self._connected.wait(), timeout)

    def _open_connection(self) -> None:
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        self._connected = asyncio.Event()

        @self.pc.on("connectionstatechange")
        def changed() -> None:
            if self.pc.connectionState == "connected":
                self._connected.set()

        for track in self._tracks():
            self.pc.addTransceiver(track, direction="sendonly")
        for kind, count in self.slot_counts.items():
            for _ in range(count):
                self._watch(self.pc.addTransceiver(kind, direction="recvonly"))

    def _tracks(self) -> list[MediaStreamTrack]:
        """What it sends."""
        begin = asyncio.get_running_loop().time() + 1 if self.flash else None
        return [ToneTrack(self.colour, begin), ColourTrack(self.colour, begin)]

    def _watch(self, transceiver: RTCRtpTransceiver) -> None:
        """A Slot before anything comes in it."""

    async def leave(self) -> None:
        await self.request("leave")
        await self.close()

    async def close(self) -> None:
        await self.pc.close()
        await self.socket.close()
        self._reader.cancel()

    async def request(self, kind: str, timeout: float = 10, **fields: object) -> dict:
        number = str(next(self._ids))
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        text = json.dumps({"type": kind, "id": number, **fields})
        self._check("client", text)
        await self.socket.send(text)
        reply = await asyncio.wait_for(answer, timeout)
        if reply["type"] == "error":
            raise RuntimeError(f"{kind}: {reply}")
        return reply

    def _check(self, side: str, text: str) -> None:
        if wrong := signaling.complaint(side, text):
            self.violations.append(wrong)

    async def _read(self) -> None:
        try:
            async for text in self.socket:
                message = json.loads(text)
                self.messages.append(message)
                self._check("server", text)
                self._follow(message)
                waiting = self._waiting.pop(str(message.get("id")), None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(message)
        except websockets.ConnectionClosed:
            pass

    def _follow(self, message: dict) -> None:
        match message["type"]:
            case "joined":
                self.others = {other["participant_id"] for other in message["participants"]}
            case "slots":
                self.slots.update({slot["mid"]: slot for slot in message["slots"]})
            case "participant_joined":
                self.others.add(message["participant"]["participant_id"])
            case "participant_left":
                self.others.discard(message["participant_id"])

    def _post(self, path: str, body: dict) -> dict:
        request = urllib.request.Request(
            self.origin + path, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
        )
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(request, timeout=10) as response:
            return json.load(response)

    async def losses(self) -> dict:
        """RTP packets received, and those that were missing in between (RFC 3550 appendix A.3), over all Slots."""
        reports = [report for report in (await self.pc.getStats()).values() if report.type == "inbound-rtp"]
        return {
            "received": sum(report.packetsReceived for report in reports),
            "lost": sum(report.packetsLost for report in reports),
        }

    def observations(self) -> list[dict]:
        """What each receive Slot shows now, with whom the server says is in it."""
        return [
            {"participant_id": None, "source": None, **self.slots.get(mid, {}), "mid": mid, **watcher.observation()}
            for mid, watcher in self.watchers.items()
        ]


async def _serve(client: MeetingClient) -> None:
    """The program's loop: join, leave, observe, messages; ends at end of input."""
    loop = asyncio.get_running_loop()
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := await commands.readline():
        try:
            match line.decode().strip():
                case "join":
                    await client.join()
                    answer: dict = {"participant_id": client.participant_id}
                case "leave":
                    await client.leave()
                    answer = {}
                case "observe":
                    answer = {"slots": client.observations()}
                case "losses":
                    answer = await client.losses()
                case "others":
                    answer = {"participants": sorted(client.others)}
                case "messages":
                    answer = {"messages": client.messages}
                case other:
                    answer = {"error": f"there is no command '{other}'"}
        except Exception as error:  # told to the test, which fails with it
            answer = {"error": f"{type(error).__name__}: {error}"}
        if client.violations:
            answer = {"error": f"not as the schema says: {client.violations}"}
        print(json.dumps(answer), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for option in ("origin", "meeting", "name"):
        parser.add_argument(f"--{option}", required=True)
    parser.add_argument("--colour", choices=media.COLOURS, required=True)
    parser.add_argument("--videos", type=int, default=3)
    parser.add_argument("--flash", action="store_true")
    options = parser.parse_args()
    client = MeetingClient(
        options.origin, options.meeting, options.name, options.colour, options.videos, flash=options.flash
    )
    asyncio.run(_serve(client))


if __name__ == "__main__":
    main()
