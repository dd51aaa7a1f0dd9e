"""A client of WHIP or WHEP made of GStreamer's webrtcbin: publishes one colour and one tone, or tells what it plays. For
Debian's own Python, which has GStreamer's bindings. Takes one command a line on stdin, and answers one JSON object a line."""

from __future__ import annotations

import argparse
import array
import json
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import deque

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


def call(method: str, url: str, token: str, body: str = "", **headers: str) -> tuple[int, dict, str]:
    """Status, headers and body of an answer."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(
        url, body.encode() or None, {"Authorization": f"Bearer {token}", **fields}, method=method
    )
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as response:
            return response.status, dict(response.headers), response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read().decode()


class Seen:
    """What one received stream shows."""

    def __init__(self) -> None:
        self.frames = 0
        self.first: float | None = None
        self.last = b""
        self.sound: deque[bytes] = deque(maxlen=100)

    def take(self, data: bytes, is_video: bool) -> None:
        self.first = self.first or time.monotonic()
        self.frames += 1
        if is_video:
            self.last = data
        else:
            self.sound.append(data)

    def observation(self) -> dict:
        seen: dict = {"frames": self.frames, "first": self.first}
        if self.last:
            start = len(self.last) // 2 // 3 * 3
            row = self.last[start : start + 3 * 64]
            seen["colour"] = media.nearest_colour(tuple(sum(row[each::3]) / len(row[each::3]) for each in range(3)))
        if self.sound:
            samples = max((array.array("h", part) for part in list(self.sound)), key=lambda each: max(each, default=0))
            seen["tone"] = media.loudest_tone(samples)
        return seen


class Client:
    def __init__(self, url: str, token: str, codec: str, colour: str | None) -> None:
        self.url, self.token, self.codec, self.colour = url, token, codec, colour
        self.session, self.tag = "", ""
        self.candidates: list[str] = []
        self.gathered = threading.Event()
        self.seen = {"audio": Seen(), "video": Seen()}
        self.pipeline = Gst.Pipeline.new()
        self.bin = Gst.ElementFactory.make("webrtcbin")
        self.bin.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self.bin.connect("on-ice-candidate", lambda _, index, line: self.candidates.append(line))
        self.bin.connect("notify::ice-gathering-state", self._gathering)
        self.bin.connect("pad-added", self._play)
        self.pipeline.add(self.bin)
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        # What comes later changes the latency that all must keep to.
        bus.connect("message::latency", lambda *_: self.pipeline.recalculate_latency())
        bus.connect("message::error", lambda _, message: print(message.parse_error(), file=sys.stderr, flush=True))
        if colour:
            self._publish(colour)
        else:
            for caps in (AUDIO_CAPS, video_caps(codec, publishes=False)):
                self.bin.emit("add-transceiver", RECVONLY, Gst.Caps.from_string(caps))

    def _gathering(self, *_: object) -> None:
        if self.bin.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            self.gathered.set()

    def _publish(self, colour: str) -> None:
        red, green, blue = media.COLOURS[colour]
        sources = (
            f"audiotestsrc is-live=true freq={media.TONES[colour]} volume=0.3 ! audioconvert"
            f' ! opusenc ! rtpopuspay ! capsfilter caps="{AUDIO_CAPS}"',
            f"videotestsrc is-live=true pattern=solid-color foreground-color={0xFF000000 | red << 16 | green << 8 | blue}"
            f" ! video/x-raw,width={WIDTH},height={HEIGHT},framerate={RATE}/1 ! videoconvert"
            f' ! {ENCODERS[self.codec]} ! capsfilter caps="{video_caps(self.codec, publishes=True)}"',
        )
        for source in sources:
            part = Gst.parse_bin_from_description(source, True)
            self.pipeline.add(part)
            part.link(self.bin)
        for index in range(2):
            self.bin.emit("get-transceiver", index).set_property("direction", SENDONLY)

    def _play(self, _: Gst.Element, pad: Gst.Pad) -> None:
        if pad.get_direction() != Gst.PadDirection.SRC:
            return
        name = pad.get_current_caps().get_structure(0).get_string("encoding-name")
        part = Gst.parse_bin_from_description(DECODERS[name] + SINK, True)
        part.get_by_name("sink").connect("new-sample", self._take, name != "OPUS")
        self.pipeline.add(part)
        part.sync_state_with_parent()
        pad.link(part.get_static_pad("sink"))

    def _take(self, sink: Gst.Element, is_video: bool) -> Gst.FlowReturn:
        buffer = sink.emit("pull-sample").get_buffer()
        data = buffer.extract_dup(0, buffer.get_size())
        self.seen["video" if is_video else "audio"].take(data, is_video)
        return Gst.FlowReturn.OK

    def _ask(self, signal: str, *arguments: object) -> Gst.Structure | None:
        """The reply, which owns what is in it."""
        promise = Gst.Promise.new()
        self.bin.emit(signal, *arguments, promise)
        promise.wait()
        return promise.get_reply()

    def open(self) -> dict:
        """Answers when the server's answer is taken; `posted` is the time of the request."""
        self.pipeline.set_state(Gst.State.PLAYING)
        self.pipeline.get_state(5 * Gst.SECOND)
        made = self._ask("create-offer", None)
        offer = made.get_value("offer")
        self._ask("set-local-description", offer)
        posted = time.monotonic()
        status, headers, body = call(
            "POST", self.url, self.token, offer.sdp.as_text(), Content_Type="application/sdp"
        )
        if status != 201:
            return {"status": status, "body": body, "offer": offer.sdp.as_text()}
        answered = time.monotonic()
        self.session, self.tag = urllib.parse.urljoin(self.url, headers["Location"]), headers["ETag"]
        _, answer = GstSdp.SDPMessage.new_from_text(body)
        kind = GstWebRTC.WebRTCSDPType.ANSWER
        self._ask("set-remote-description", GstWebRTC.WebRTCSessionDescription.new(kind, answer))
        return {"status": status, "posted": posted, "answered": answered, "session": self.session, "answer": body}

    def trickle(self) -> dict:
        """Tells all candidates, as RFC 9725 section 4.3.2 has it."""
        if not self.gathered.wait(10):
            return {"error": "no candidates in 10 s"}
        fragment = "".join(f"a={line}\r\n" for line in self.candidates) + "a=end-of-candidates\r\n"
        status, _, _ = call(
            "PATCH", self.session, self.token, fragment, Content_Type="application/trickle-ice-sdpfrag", If_Match=self.tag
        )
        return {"status": status, "candidates": len(self.candidates)}

    def observe(self) -> dict:
        state = self.bin.get_property("connection-state").value_nick
        return {"state": state, **{kind: seen.observation() for kind, seen in self.seen.items()}}

    def close(self) -> dict:
        status, _, _ = call("DELETE", self.session, self.token)
        self.stop()
        return {"status": status}

    def stop(self) -> dict:
        """Ends the media without a word by HTTP."""
        self.pipeline.set_state(Gst.State.NULL)
        return {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--codec", choices=FORMATS, default="vp8")
    parser.add_argument("--colour", choices=media.COLOURS, help="publishes it; plays without")
    options = parser.parse_args()
    Gst.init(None)
    loop = GLib.MainLoop()
    threading.Thread(target=loop.run, daemon=True).start()
    client = Client(options.url, options.token, options.codec, options.colour)
    commands = {name: getattr(client, name) for name in ("open", "trickle", "observe", "close", "stop")}
    for line in sys.stdin:
        try:
            answer = commands[line.strip()]()
        except Exception as error:  # told to the test, which fails with it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
    client.stop()


if __name__ == "__main__":
    main()
