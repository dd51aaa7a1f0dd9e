"""Many aiortc participants in one process, who talk and count what each hears of each other. Nothing is encoded or decoded while
they do: their sound and pictures were made before, in few packets a second, so that many leave a node its core. As a program, it
takes one command a line on stdin and answers one JSON object a line."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from fractions import Fraction

import aiortc.rtcrtpreceiver
import av
import media
from aiortc import MediaStreamTrack, RTCRtpTransceiver
from aiortc.rtp import RtpPacket
from counting_client import Arrivals
from meeting_client import VIDEO_CLOCK, MeetingClient, Paced

# The longest frame that Opus has as a whole (RFC 6716 section 2.1.4).
SOUND_MS = 60
SOUND_SAMPLES = media.SAMPLE_RATE * SOUND_MS // 1_000
PICTURES_PER_SECOND = 5
# How many come in at a time: each computes a handshake.
AT_ONCE = 4


def encode_sound(count: int = 20) -> list[bytes]:
    codec = av.CodecContext.create("libopus", "w")
    codec.sample_rate, codec.layout, codec.format, codec.bit_rate = media.SAMPLE_RATE, "mono", "s16", 16_000
    codec.options = {"frame_duration": str(SOUND_MS), "application": "voip"}
    packets = []
    for number in range(count):
        frame = av.AudioFrame(format="s16", layout="mono", samples=SOUND_SAMPLES)
        frame.planes[0].update(media.tone_samples(media.TONES["green"], number * SOUND_SAMPLES, SOUND_SAMPLES))
        frame.sample_rate, frame.pts = media.SAMPLE_RATE, number * SOUND_SAMPLES
        packets += map(bytes, codec.encode(frame))
    return packets


def encode_pictures(count: int = PICTURES_PER_SECOND) -> list[bytes]:
    """VP8 of a picture that fits into a packet; each is a keyframe, as nobody here makes one when asked."""
    codec = av.CodecContext.create("libvpx", "w")
    codec.width, codec.height, codec.pix_fmt, codec.bit_rate = 160, 120, "yuv420p", 50_000
    codec.gop_size = 1
    codec.time_base = Fraction(1, PICTURES_PER_SECOND)
    codec.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "error-resilient": "1"}
    packets = []
    for number in range(count):
        frame = av.VideoFrame(160, 120, "yuv420p")
        for plane, value in zip(frame.planes, (60 + number % 8, 100, 100), strict=True):
            plane.update(bytes([value]) * plane.buffer_size)
        frame.pts = number
        packets += map(bytes, codec.encode(frame))
    return packets


class Ready(Paced):
    """A track of packets that were made before, in a loop."""

    def __init__(self, kind: str, packets: list[bytes], period: Fraction, clock: int) -> None:
        super().__init__()
        self.kind, self._packets, self.period, self._clock = kind, packets, float(period), clock
        self._ticks = int(period * clock)

    async def recv(self) -> av.Packet:
        number = await self._next()
        packet = av.Packet(self._packets[number % len(self._packets)])
        packet.pts, packet.time_base = number * self._ticks, Fraction(1, self._clock)
        return packet


class Undecoded:
    """In the place of aiortc's decoders."""

    def __init__(self, codec: object) -> None:
        pass

    def decode(self, frame: object) -> list:
        return []


class Talker(MeetingClient):
    """One of the many, with a Slot for the voice of each other in its meeting and one for pictures."""

    def __init__(self, origin: str, meeting: str, name: str, tracks: list[MediaStreamTrack], others: int) -> None:
        super().__init__(origin, meeting, name, "green", videos=1, audios=others)
        self._sent = tracks
        self._arrivals: list[tuple[RTCRtpTransceiver, Arrivals]] = []

    def _tracks(self) -> list[MediaStreamTrack]:
        return self._sent

    def _check(self, side: str, text: str) -> None:
        """What is said is held against its schema elsewhere: here that would take more than the media."""

    def _watch(self, transceiver: RTCRtpTransceiver) -> None:
        receiver, arrivals = transceiver.receiver, Arrivals()
        handle = receiver._handle_rtp_packet
        self._arrivals.append((transceiver, arrivals))

        async def count_and_handle(packet: RtpPacket, arrival_time_ms: int) -> None:
            arrivals.add(packet)
            await handle(packet, arrival_time_ms=arrival_time_ms)

        receiver._handle_rtp_packet = count_and_handle

    def heard(self) -> dict:
        """What came since the beginning, by whom the server says that it is from, and the longest gap since the last call."""
        sources = []
        for transceiver, arrivals in self._arrivals:
            slot = self.slots.get(transceiver.mid, {})
            if slot.get("participant_id") is not None:
                sources.append({
                    "from": slot["participant_id"],
                    "kind": transceiver.kind,
                    "received": arrivals.received,
                    "lost": arrivals.missing(),
                    "gap_s": arrivals.take_gap(),
                })
        return {"id": self.participant_id, "others": sorted(self.others), "sources": sources}


async def join_all(talkers: list[Talker]) -> None:
    gate = asyncio.Semaphore(AT_ONCE)

    async def join(talker: Talker) -> None:
        async with gate:
            await talker.join()

    await asyncio.gather(*map(join, talkers))


async def serve(talkers: list[Talker]) -> None:
    loop = asyncio.get_running_loop()
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := await commands.readline():
        try:
            match line.decode().strip():
                case "join":
                    await join_all(talkers)
                    answer: dict = {"ids": [talker.participant_id for talker in talkers]}
                case "heard":
                    answer = {"cpu_s": time.process_time(), "members": [talker.heard() for talker in talkers]}
                case "leave":
                    await asyncio.gather(*(talker.leave() for talker in talkers))
                    answer = {}
                case other:
                    answer = {"error": f"there is no command '{other}'"}
        except Exception as error:  # told to the test, which fails with it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


async def run(options: argparse.Namespace) -> None:
    sound, pictures = encode_sound(), encode_pictures()
    talkers = []
    for number, member in enumerate(options.member):
        meeting, *shows = member.split(":")
        tracks: list[MediaStreamTrack] = [Ready("audio", sound, Fraction(SOUND_MS, 1_000), media.SAMPLE_RATE)]
        if shows:
            tracks.append(Ready("video", pictures, Fraction(1, PICTURES_PER_SECOND), VIDEO_CLOCK))
        talkers.append(Talker(options.origin, meeting, f"{options.name}-{number + 1}", tracks, options.others))
    await serve(talkers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--origin", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--others", type=int, required=True, help="members of a meeting beside oneself")
    parser.add_argument("--member", action="append", required=True, help="MEETING, or MEETING:pictures with a camera")
    aiortc.rtcrtpreceiver.get_decoder = Undecoded
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
