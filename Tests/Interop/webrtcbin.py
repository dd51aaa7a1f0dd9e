"""The media of one client, made of GStreamer's webrtcbin: publishes one colour and one tone, and tells what it plays. For
Debian's own Python, which has GStreamer's bindings."""

from __future__ import annotations

import array
import json
import sys
import threading
import time
from collections import deque
from collections.abc import Callable

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
import media  # noqa: E402
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

WIDTH, HEIGHT, RATE = 320, 240, 15
# RTP of each codec as offered: encoding name, payload type, and what a player says beside that; of a publisher the
# payloader knows it.
FORMATS = {
    "vp8": ("VP8", 96, ""),
    "h264": ("H264", 102, ",packetization-mode=(string)1,profile-level-id=(string)42e01f"),
}
ENCODERS = {
    "vp8": "vp8enc deadline=1 keyframe-max-dist=300 target-bitrate=500000 ! rtpvp8pay picture-id-mode=15-bit",
    "h264": "openh264enc bitrate=500000 gop-size=300 ! video/x-h264,profile=constrained-baseline"
    " ! h264parse config-interval=-1 ! rtph264pay aggregate-mode=zero-latency",
}
DECODERS = {
    "VP8": "rtpvp8depay ! vp8dec ! videoconvert ! video/x-raw,format=RGB",
    "H264": "rtph264depay ! h264parse ! openh264dec ! videoconvert ! video/x-raw,format=RGB",
    "OPUS": "rtpopusdepay ! opusdec ! audioconvert ! audioresample ! audio/x-raw,format=S16LE,channels=1,rate=48000",
}
SINK = " ! appsink name=sink emit-signals=true sync=false max-buffers=100 drop=true"
RECVONLY = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
SENDONLY = GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY


def video_caps(codec: str, publishes: bool) -> str:
    name, payload_type, more = FORMATS[codec]
    return (
        f"application/x-rtp,media=video,encoding-name={name},clock-rate=90000,payload={payload_type}"
        f",rtcp-fb-nack-pli=(boolean)true,rtcp-fb-nack=(boolean)true{'' if publishes else more}"
    )


AUDIO_CAPS = "application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,payload=111,encoding-params=(string)2"


class Seen:
    """What one receive Slot shows."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._frames = 0
        self._first: float | None = None
        self._last = b""
        self._sound: deque[bytes] = deque(maxlen=100)

    def take(self, data: bytes) -> None:
        self._first = self._first or time.monotonic()
        self._frames += 1
        if self.kind == "video":
            self._last = data
        else:
            self._sound.append(data)

    def observation(self) -> dict:
        seen: dict = {"kind": self.kind, "frames": self._frames, "first": self._first, "sound": 0}
        if self._last:
            start = len(self._last) // 2 // 3 * 3
            row = self._last[start : start + 3 * 64]
            seen["colour"] = media.nearest_colour(tuple(sum(row[each::3]) / len(row[each::3]) for each in range(3)))
        if self._sound:
            samples = max((array.array("h", part) for part in list(self._sound)), key=lambda each: max(each, default=0))
            seen["sound"], seen["tone"] = max(samples, default=0), media.loudest_tone(samples)
        return seen


class Connection:
    """One webrtcbin. It offers; the one who made it carries the offer out and the answer in."""

    def __init__(self, codec: str, colour: str | None, audios: int, videos: int, checks: bool = False) -> None:
        """`colour`: what it publishes, or nothing. `audios`, `videos`: how many receive Slots it offers. `checks`: renews
        consent (RFC 7675); by itself libnice sends indications once it is connected."""
        self._codec = codec
        self.candidates: list[str] = []
        self.gathered, self.connected = threading.Event(), threading.Event()
        self._seen: dict[GstWebRTC.WebRTCRTPTransceiver, Seen] = {}
        self._pipeline = Gst.Pipeline.new()
        self._bin = Gst.ElementFactory.make("webrtcbin")
        self._bin.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        # Held, as the bindings take webrtcbin's only reference and give it up with the object.
        self._ice = self._bin.get_property("ice-agent")
        self._ice.get_property("agent").set_property("keepalive-conncheck", checks)
        self._bin.connect("on-ice-candidate", lambda _, index, line: self.candidates.append(line))
        self._bin.connect("notify::ice-gathering-state", self._gathering)
        self._bin.connect("notify::connection-state", self._connecting)
        self._bin.connect("pad-added", self._play)
        self._pipeline.add(self._bin)
        bus = self._pipeline.get_bus()
        bus.add_signal_watch()
        # What comes later changes the latency that all must keep to.
        bus.connect("message::latency", lambda *_: self._pipeline.recalculate_latency())
        bus.connect("message::error", lambda _, message: print(message.parse_error(), file=sys.stderr, flush=True))
        if colour:
            self._publish(colour)
        slots = (("audio", AUDIO_CAPS, audios), ("video", video_caps(codec, publishes=False), videos))
        for kind, caps, count in slots:
            for _ in range(count):
                transceiver = self._bin.emit("add-transceiver", RECVONLY, Gst.Caps.from_string(caps))
                self._seen[transceiver] = Seen(kind)

    def _gathering(self, *_: object) -> None:
        if self._bin.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            self.gathered.set()

    def _connecting(self, *_: object) -> None:
        if self.state == "connected":
            self.connected.set()

    def _publish(self, colour: str) -> None:
        red, green, blue = media.COLOURS[colour]
        sources = (
            f"audiotestsrc is-live=true freq={media.TONES[colour]} volume=0.3 ! audioconvert"
            f' ! opusenc ! rtpopuspay ! capsfilter caps="{AUDIO_CAPS}"',
            f"videotestsrc is-live=true pattern=solid-color foreground-color={0xFF000000 | red << 16 | green << 8 | blue}"
            f" ! video/x-raw,width={WIDTH},height={HEIGHT},framerate={RATE}/1 ! videoconvert"
            f' ! {ENCODERS[self._codec]} ! capsfilter caps="{video_caps(self._codec, publishes=True)}"',
        )
        for source in sources:
            part = Gst.parse_bin_from_description(source, True)
            self._pipeline.add(part)
            part.link(self._bin)
        for index in range(2):
            self._bin.emit("get-transceiver", index).set_property("direction", SENDONLY)

    def _play(self, _: Gst.Element, pad: Gst.Pad) -> None:
        if pad.get_direction() != Gst.PadDirection.SRC:
            return
        name = pad.get_current_caps().get_structure(0).get_string("encoding-name")
        part = Gst.parse_bin_from_description(DECODERS[name] + SINK, True)
        part.get_by_name("sink").connect("new-sample", self._take, self._seen[pad.get_property("transceiver")])
        self._pipeline.add(part)
        part.sync_state_with_parent()
        pad.link(part.get_static_pad("sink"))

    @staticmethod
    def _take(sink: Gst.Element, seen: Seen) -> Gst.FlowReturn:
        buffer = sink.emit("pull-sample").get_buffer()
        seen.take(buffer.extract_dup(0, buffer.get_size()))
        return Gst.FlowReturn.OK

    def _ask(self, signal: str, *arguments: object) -> Gst.Structure | None:
        """The reply, which owns what is in it."""
        promise = Gst.Promise.new()
        self._bin.emit(signal, *arguments, promise)
        promise.wait()
        return promise.get_reply()

    def offer(self) -> str:
        """Starts, and answers what it has set as its local description."""
        self._pipeline.set_state(Gst.State.PLAYING)
        self._pipeline.get_state(5 * Gst.SECOND)
        made = self._ask("create-offer", None)
        offer = made.get_value("offer")
        self._ask("set-local-description", offer)
        return offer.sdp.as_text()

    def take_answer(self, text: str) -> None:
        _, answer = GstSdp.SDPMessage.new_from_text(text)
        kind = GstWebRTC.WebRTCSDPType.ANSWER
        self._ask("set-remote-description", GstWebRTC.WebRTCSessionDescription.new(kind, answer))

    def slots(self) -> dict[str, dict]:
        """What each receive Slot shows, by mid: webrtcbin tells these once the answer is taken."""
        return {each.get_property("mid"): seen.observation() for each, seen in self._seen.items()}

    @property
    def state(self) -> str:
        """As `connected`."""
        return self._bin.get_property("connection-state").value_nick

    def stop(self) -> None:
        self._pipeline.set_state(Gst.State.NULL)


def start() -> None:
    """GStreamer, and the loop that hands out its messages; before the first Connection."""
    Gst.init(None)
    threading.Thread(target=GLib.MainLoop().run, daemon=True).start()


def serve(commands: dict[str, Callable[[], dict]]) -> None:
    """The program's loop: one command a line on stdin, one JSON object a line for each; ends at end of input."""
    for line in sys.stdin:
        try:
            answer = commands[line.strip()]()
        except Exception as error:  # told to the test, which fails with it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
