"""RTP of a recorded camera in three layers and of a recorded microphone: packets as they are due, sent again when they are
asked for by NACK, and the next keyframe of the recording when one is asked for by PLI (RFC 4585)."""

from __future__ import annotations

import itertools
import random
import struct
import time
from collections.abc import Iterator

import recording
from aiortc import rtp

AUDIO_PAYLOAD, VIDEO_PAYLOAD = 111, 96
# Ids of header extensions: MID, audio level, RID.
MID, LEVEL, RID = 1, 2, 3
AUDIO_CLOCK, VIDEO_CLOCK = 48_000, 90_000
PAYLOAD_BYTES = 1_150
HISTORY_PACKETS = 1_024
# What Chromium's encoder leaves between two keyframes that are asked for.
KEYFRAME_DISTANCE_S = 0.3
NTP_EPOCH_S = 2_208_988_800


class Stream:
    """One SSRC: numbers, header extensions, history."""

    def __init__(self, payload_type: int, clock: int, extensions: dict[int, bytes]) -> None:
        self.ssrc = random.randrange(1, 1 << 32)
        self._payload_type, self._clock = payload_type, clock
        self._first_timestamp, self._began = random.randrange(1 << 32), time.monotonic()
        self._sequence = random.randrange(1 << 16)
        self._extensions = _packed(extensions)
        self._history: dict[int, bytes] = {}
        self.packets = self.octets = 0

    def timestamp(self, now: float) -> int:
        return (self._first_timestamp + round((now - self._began) * self._clock)) & 0xFFFF_FFFF

    def packet(self, payload: bytes, timestamp: int, marker: bool) -> bytes:
        second = self._payload_type | (0x80 if marker else 0)
        packet = struct.pack("!BBHLL", 0x90, second, self._sequence, timestamp, self.ssrc) + self._extensions + payload
        self._history[self._sequence] = packet
        self._history.pop((self._sequence - HISTORY_PACKETS) & 0xFFFF, None)
        self._sequence = (self._sequence + 1) & 0xFFFF
        self.packets += 1
        self.octets += len(payload)
        return packet

    def again(self, numbers: list[int]) -> list[bytes]:
        return [packet for number in numbers if (packet := self._history.get(number & 0xFFFF)) is not None]

    def report(self, now: float) -> bytes:
        """A sender report (RFC 3550 section 6.4.1), with a name as each report has."""
        ntp = round((time.time() + NTP_EPOCH_S) * (1 << 32))
        info = rtp.RtcpSenderInfo(ntp, self.timestamp(now), self.packets & 0xFFFF_FFFF, self.octets & 0xFFFF_FFFF)
        name = rtp.RtcpSourceInfo(self.ssrc, [(1, b"recording")])
        return bytes(rtp.RtcpSrPacket(self.ssrc, info)) + bytes(rtp.RtcpSdesPacket([name]))


class Camera:
    """One layer of the picture."""

    def __init__(self, rid: str, groups: list[list[bytes]], first: int) -> None:
        """`first`: the group to begin with."""
        self.stream = Stream(VIDEO_PAYLOAD, VIDEO_CLOCK, {MID: b"1", RID: rid.encode()})
        self._groups = itertools.cycle(groups[first:] + groups[:first])
        self._frames: Iterator[bytes] = iter(())
        self._picture_id = random.randrange(1 << 15)
        self._keyframe_at = 0.0
        self._keyframe_wanted = False
        self.keyframes_asked = 0

    def ask_for_keyframe(self) -> None:
        self.keyframes_asked += 1
        self._keyframe_wanted = True

    def next_frame(self, due: float) -> list[bytes]:
        """Packets of the next frame, as RFC 7741 has them, all of about the same size."""
        frame = self._next(due)
        count = -(-len(frame) // PAYLOAD_BYTES)
        size = -(-len(frame) // count)
        timestamp = self.stream.timestamp(due)
        self._picture_id = (self._picture_id + 1) & 0x7FFF
        picture = struct.pack("!BH", 0x80, 0x8000 | self._picture_id)
        return [
            self.stream.packet(
                (b"\x90" if offset == 0 else b"\x80") + picture + frame[offset : offset + size],
                timestamp,
                offset + size >= len(frame),
            )
            for offset in range(0, len(frame), size)
        ]

    def _next(self, due: float) -> bytes:
        wanted = self._keyframe_wanted and due - self._keyframe_at >= KEYFRAME_DISTANCE_S
        frame = None if wanted else next(self._frames, None)
        if frame is None:
            self._keyframe_wanted, self._keyframe_at = False, due
            self._frames = iter(next(self._groups))
            frame = next(self._frames)
        return frame


class Microphone:
    def __init__(self, colour: str) -> None:
        # 24 dB below full scale, and voice (RFC 6464).
        self.stream = Stream(AUDIO_PAYLOAD, AUDIO_CLOCK, {MID: b"0", LEVEL: bytes([0x80 | 24])})
        self._packets = itertools.cycle(recording.sound(colour))

    def next_packet(self, due: float) -> bytes:
        first = self.stream.packets == 0
        return self.stream.packet(next(self._packets), self.stream.timestamp(due), marker=first)


def _packed(extensions: dict[int, bytes]) -> bytes:
    """The one-byte form of RFC 8285 section 4.2."""
    body = b"".join(bytes([(number << 4) | (len(value) - 1)]) + value for number, value in extensions.items())
    body += bytes(-len(body) % 4)
    return struct.pack("!HH", 0xBEDE, len(body) // 4) + body
