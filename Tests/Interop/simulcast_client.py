"""A participant that publishes a recording in three layers, with real bitrate and next to no processor time: signaling by
websockets, ICE, DTLS and SRTP by aiortc, RTP by simulcast.py. As a program, it takes one command a line on stdin and answers one
JSON object a line."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import resource
import sys
import time
import urllib.parse
from collections import deque

import media
import recording
import signaling
import websockets
from aiortc import rtp
from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsTransport
from aiortc.rtcicetransport import RTCIceGatherer, RTCIceTransport
from aiortc.sdp import SessionDescription
from simulcast import (
    AUDIO_PAYLOAD,
    LEVEL,
    MID,
    RID,
    VIDEO_PAYLOAD,
    Camera,
    Microphone,
    Stream,
)

TICK_S = 0.005
SOUND_S = 0.02
REPORT_S = 1.0
# Browsers send a frame's packets at this many times the rate of their target, not at once.
PACE = 2.5

OFFER = f"""v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
m=audio 9 UDP/TLS/RTP/SAVPF {AUDIO_PAYLOAD}
c=IN IP4 0.0.0.0
a=mid:0
a=sendonly
a=rtcp-mux
{{transport}}
a=extmap:{MID} urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:{LEVEL} urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=rtpmap:{AUDIO_PAYLOAD} opus/48000/2
m=video 9 UDP/TLS/RTP/SAVPF {VIDEO_PAYLOAD}
c=IN IP4 0.0.0.0
a=mid:1
a=sendonly
a=rtcp-mux
{{transport}}
a=extmap:{MID} urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:{RID} urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
a=rtpmap:{VIDEO_PAYLOAD} VP8/90000
a=rtcp-fb:{VIDEO_PAYLOAD} nack
a=rtcp-fb:{VIDEO_PAYLOAD} nack pli
{{rids}}
"""


class Transport:
    """ICE, DTLS and SRTP toward a server that is ICE-lite and waits for the ClientHello."""

    def __init__(self) -> None:
        self._ice = RTCIceTransport(RTCIceGatherer([]))
        self._dtls = RTCDtlsTransport(self._ice, [RTCCertificate.generateCertificate()])
        self._dtls._set_role("client")
        self.send = self._dtls._send_rtp

    async def describe(self) -> str:
        """The lines of an m-line about it."""
        await self._ice.iceGatherer.gather()
        ours = self._ice.iceGatherer.getLocalParameters()
        prints = self._dtls.getLocalParameters().fingerprints
        lines = [f"a=ice-ufrag:{ours.usernameFragment}", f"a=ice-pwd:{ours.password}", "a=setup:active"]
        lines += [f"a=fingerprint:{each.algorithm} {each.value}" for each in prints if each.algorithm == "sha-256"]
        return "\r\n".join(lines)

    async def connect(self, answer: str) -> None:
        section = SessionDescription.parse(answer).media[0]
        for candidate in section.ice_candidates:
            await self._ice.addRemoteCandidate(candidate)
        await self._ice.addRemoteCandidate(None)
        section.ice.iceLite = True
        # ICE-lite: we control.
        self._ice._connection.ice_controlling = True
        await self._ice.start(section.ice)
        await self._dtls.start(section.dtls)
        if self._dtls.state != "connected":
            raise RuntimeError(f"ICE is {self._ice.state}, DTLS is {self._dtls.state}")

    def route_feedback(self, ssrc: int, receiver: object) -> None:
        self._dtls._rtp_router.senders[ssrc] = receiver

    async def close(self) -> None:
        await self._dtls.stop()
        await self._ice.stop()


class Feedback:
    """What the server says about a stream; the router of aiortc hands it over."""

    def __init__(self, publisher: Publisher, stream: Stream, camera: Camera | None = None) -> None:
        self._publisher, self._stream, self._camera = publisher, stream, camera

    async def _handle_rtcp_packet(self, packet: rtp.AnyRtcpPacket) -> None:
        if isinstance(packet, rtp.RtcpPsfbPacket) and packet.fmt == rtp.RTCP_PSFB_PLI and self._camera:
            self._camera.ask_for_keyframe()
        elif isinstance(packet, rtp.RtcpRtpfbPacket) and packet.fmt == rtp.RTCP_RTPFB_NACK:
            self._publisher.repeat(self._stream.again(packet.lost))


class Publisher:
    def __init__(self, origin: str, meeting: str, name: str, colour: str, first: int) -> None:
        self.origin, self.meeting, self.name = origin, meeting, name
        self.microphone = Microphone(colour)
        pictures = recording.pictures()
        self.layers = {layer.rid: Camera(layer.rid, pictures[layer.rid], first) for layer in recording.LAYERS}
        self._waiting: deque[bytes] = deque()
        self._repeated = 0

    async def join(self) -> dict:
        self.transport = Transport()
        rids = [layer.rid for layer in recording.LAYERS]
        lines = [f"a=rid:{rid} send" for rid in rids] + [f"a=simulcast:send {';'.join(rids)}"]
        offer = OFFER.replace("\n", "\r\n").format(transport=await self.transport.describe(), rids="\r\n".join(lines))
        url = urllib.parse.urljoin(self.origin.replace("http", "ws", 1), "/api/v1/signal")
        self._socket = await websockets.connect(url, proxy=None)
        state = {"audio": True, "video": True}
        message = {"type": "join", "id": 1, "meeting": self.meeting, "display_name": self.name, "offer": offer}
        text = json.dumps({**message, "media_state": state})
        if wrong := signaling.complaint("client", text):
            raise RuntimeError(f"not as the schema says: {wrong}")
        await self._socket.send(text)
        joined = json.loads(await asyncio.wait_for(self._socket.recv(), 10))
        if joined["type"] != "joined":
            raise RuntimeError(str(joined))
        self._listening = asyncio.create_task(self._listen())
        await self.transport.connect(joined["sdp"])
        self.transport.route_feedback(self.microphone.stream.ssrc, Feedback(self, self.microphone.stream))
        for camera in self.layers.values():
            self.transport.route_feedback(camera.stream.ssrc, Feedback(self, camera.stream, camera))
        self._sending = asyncio.create_task(self._send())
        return {"participant_id": joined["you"]["participant_id"]}

    def repeat(self, packets: list[bytes]) -> None:
        self._repeated += len(packets)
        self._waiting.extendleft(packets)

    def counts(self) -> dict:
        """What was sent so far; `processor_s` is this process's time."""
        if self._sending.done():
            self._sending.result()
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "packets": {rid: camera.stream.packets for rid, camera in self.layers.items()},
            "keyframes_asked": {rid: camera.keyframes_asked for rid, camera in self.layers.items()},
            "repeated": self._repeated,
            "waiting": len(self._waiting),
            "processor_s": usage.ru_utime + usage.ru_stime,
        }

    async def _listen(self) -> None:
        """Nothing that the server says concerns who only sends."""
        try:
            async for _ in self._socket:
                pass
        except websockets.ConnectionClosed:
            pass

    async def _send(self) -> None:
        began = time.monotonic()
        sound, frames, reports = (itertools.count(began, each) for each in (SOUND_S, 1 / recording.FRAMES_PER_SECOND, REPORT_S))
        sound_due, frame_due, report_due = next(sound), next(frames), next(reports)
        tick_bytes = PACE * sum(layer.bits_per_second for layer in recording.LAYERS) / 8 * TICK_S
        budget = 0.0
        for tick in itertools.count(began, TICK_S):
            await asyncio.sleep(tick - time.monotonic())
            now = time.monotonic()
            while sound_due <= now:
                await self.transport.send(self.microphone.next_packet(sound_due))
                sound_due = next(sound)
            while frame_due <= now:
                for camera in self.layers.values():
                    self._waiting.extend(camera.next_frame(frame_due))
                frame_due = next(frames)
            if report_due <= now:
                report_due = next(reports)
                for stream in (self.microphone.stream, *(camera.stream for camera in self.layers.values())):
                    await self.transport.send(stream.report(now))
            budget = min(budget + tick_bytes, 2 * tick_bytes)
            while self._waiting and budget > 0:
                packet = self._waiting.popleft()
                budget -= len(packet)
                await self.transport.send(packet)

    async def leave(self) -> dict:
        self._sending.cancel()
        await self.transport.close()
        await self._socket.close()
        return {}


async def _serve(publisher: Publisher) -> None:
    loop = asyncio.get_running_loop()
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := await commands.readline():
        try:
            match line.decode().strip():
                case "join":
                    answer = await publisher.join()
                case "counts":
                    answer = publisher.counts()
                case "leave":
                    answer = await publisher.leave()
                case other:
                    answer = {"error": f"there is no command '{other}'"}
        except Exception as error:  # told to the test, which fails with it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for option in ("origin", "meeting", "name"):
        parser.add_argument(f"--{option}", required=True)
    parser.add_argument("--colour", choices=media.COLOURS, required=True)
    parser.add_argument("--first", type=int, default=0, help="the group of the recording to begin with")
    options = parser.parse_args()
    asyncio.run(_serve(Publisher(options.origin, options.meeting, options.name, options.colour, options.first)))


if __name__ == "__main__":
    main()
