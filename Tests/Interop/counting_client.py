"""An aiortc participant that sends nothing and decodes nothing: it counts what it receives. As a program, it takes one command
a line on stdin and answers one JSON object a line."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time

import aiortc.rtcrtpreceiver
from aiortc import MediaStreamTrack, RTCRtpTransceiver
from aiortc.jitterbuffer import JitterFrame
from aiortc.rtp import RtpPacket
from meeting_client import MeetingClient


class FrameCounter:
    """In the place of aiortc's decoders; tells the size of VP8's keyframes (RFC 6386 section 9.1)."""

    def __init__(self, codec: object) -> None:
        self._is_vp8 = codec.mimeType.lower() == "video/vp8"

    def decode(self, frame: JitterFrame) -> list:
        data = frame.data
        if self._is_vp8 and len(data) > 10 and not data[0] & 1:
            heights.append(int.from_bytes(data[8:10], "little") & 0x3FFF)
        return []


# Of the keyframes of all Slots, in the order of coming.
heights: list[int] = []


class Arrivals:
    """What came of one SSRC: numbers that are missing in between, and the longest time without a packet."""

    def __init__(self) -> None:
        self.received = self.repeated = 0
        self._numbers: set[int] = set()
        self._highest: int | None = None
        self._latest: float | None = None
        self.longest_gap = 0.0

    def add(self, packet: RtpPacket) -> None:
        now = time.monotonic()
        if self._latest is not None:
            self.longest_gap = max(self.longest_gap, now - self._latest)
        self._latest = now
        highest = packet.sequence_number if self._highest is None else self._highest
        # The number of 16 bits goes on where the highest one is (RFC 3550 appendix A.1).
        number = highest + (packet.sequence_number - highest + 0x8000) % 0x10000 - 0x8000
        self._highest = max(highest, number)
        self.repeated += number in self._numbers
        self._numbers.add(number)
        self.received += 1

    def missing(self) -> int:
        return max(self._numbers) - min(self._numbers) + 1 - len(self._numbers) if self._numbers else 0

    def take_gap(self) -> float:
        """The longest time since the last call, and until now, in seconds."""
        gap, self.longest_gap = self.longest_gap, 0.0
        return max(gap, time.monotonic() - self._latest if self._latest else 0.0)

    def take(self) -> dict:
        """The counts since the last call."""
        counts = {
            "received": self.received,
            "lost": self.missing(),
            "repeated": self.repeated,
            "longest_gap_s": self.take_gap(),
        }
        self.received = self.repeated = 0
        self._numbers.clear()
        return counts


class CountingClient(MeetingClient):
    def __init__(self, origin: str, meeting: str, name: str) -> None:
        super().__init__(origin, meeting, name, "green", videos=2)
        self._arrivals: dict[int, Arrivals] = {}

    def _tracks(self) -> list[MediaStreamTrack]:
        return []

    def _watch(self, transceiver: RTCRtpTransceiver) -> None:
        receiver = transceiver.receiver
        handle = receiver._handle_rtp_packet

        async def count_and_handle(packet: RtpPacket, arrival_time_ms: int) -> None:
            self._arrivals.setdefault(packet.ssrc, Arrivals()).add(packet)
            await handle(packet, arrival_time_ms=arrival_time_ms)

        receiver._handle_rtp_packet = count_and_handle

    def take(self) -> dict:
        """The counts of all Slots since the last call, and the heights of the keyframes."""
        counts = [arrivals.take() for arrivals in self._arrivals.values()]
        counts = [each for each in counts if each["received"]]
        seen, heights[:] = sorted(set(heights)), []
        return {
            "streams": len(counts),
            "received": sum(each["received"] for each in counts),
            "lost": sum(each["lost"] for each in counts),
            "repeated": sum(each["repeated"] for each in counts),
            "longest_gap_s": max((each["longest_gap_s"] for each in counts), default=None),
            "heights": seen,
        }


async def _serve(client: CountingClient) -> None:
    loop = asyncio.get_running_loop()
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := await commands.readline():
        try:
            match line.decode().strip():
                case "join":
                    await client.join()
                    answer: dict = {"participant_id": client.participant_id}
                case "take":
                    answer = client.take()
                case "leave":
                    await client.leave()
                    answer = {}
                case other:
                    answer = {"error": f"there is no command '{other}'"}
        except Exception as error:  # told to the test, which fails with it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for option in ("origin", "meeting", "name"):
        parser.add_argument(f"--{option}", required=True)
    options = parser.parse_args()
    aiortc.rtcrtpreceiver.get_decoder = FrameCounter
    asyncio.run(_serve(CountingClient(options.origin, options.meeting, options.name)))


if __name__ == "__main__":
    main()
