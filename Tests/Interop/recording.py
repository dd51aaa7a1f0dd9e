"""What a publisher sends without an encoder of its own: a picture in three layers of real bitrate and a sound that is never
silent, encoded once and kept."""

from __future__ import annotations

import array
import fractions
import math
import os
from dataclasses import dataclass
from pathlib import Path

import av
import media
from av.video.frame import PictureType
from lab import ROOT

FRAMES_PER_SECOND = 15
# A keyframe begins each group; who asks for a keyframe gets the next group. Long groups leave keyframes to those who ask.
GROUP_FRAMES, GROUPS = 100, 3
PACKET_SAMPLES = media.SAMPLE_RATE // 50
SOUND_PACKETS = 300

FOLDER = ROOT / ".build" / "recordings"


@dataclass(frozen=True)
class Layer:
    rid: str
    width: int
    height: int
    bits_per_second: int


# As the web client asks a browser for them (Sources/Api/Web/layers.js), lowest first.
LAYERS = (Layer("q", 320, 180, 150_000), Layer("h", 640, 360, 500_000), Layer("f", 1280, 720, 1_700_000))


def pictures() -> dict[str, list[list[bytes]]]:
    """By rid, groups of VP8 frames, each group decodable by itself."""
    paths = {layer.rid: FOLDER / f"{layer.height}-{layer.bits_per_second}-{GROUPS}x{GROUP_FRAMES}.ivf" for layer in LAYERS}
    if not all(path.exists() for path in paths.values()):
        _record_pictures(paths)
    return {rid: _groups(path) for rid, path in paths.items()}


def sound(colour: str) -> list[bytes]:
    """Opus packets of 20 ms, with the tone of the colour; they can be sent in a loop."""
    path = FOLDER / f"{colour}.ogg"
    if not path.exists():
        _record_sound(path, media.TONES[colour])
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def _groups(path: Path) -> list[list[bytes]]:
    groups: list[list[bytes]] = []
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            frame = bytes(packet)
            if not frame:
                continue
            # RFC 7741 section 4.3: the inverse key frame flag.
            if not frame[0] & 1:
                groups.append([])
            groups[-1].append(frame)
    return groups


def _scene() -> av.filter.Graph:
    """A test picture that moves in all of its parts, with grain, so that its rate is the encoder's target."""
    graph = av.filter.Graph()
    largest = LAYERS[-1]
    source = graph.add("testsrc2", size=f"{largest.width}x{largest.height}", rate=str(FRAMES_PER_SECOND))
    moving = graph.add("scroll", "horizontal=0.004:vertical=0.003")
    grain = graph.add("noise", "alls=8:allf=t+u:all_seed=1")
    shape, sink = graph.add("format", "pix_fmts=yuv420p"), graph.add("buffersink")
    for first, second in zip((source, shape, moving, grain), (shape, moving, grain, sink), strict=True):
        first.link_to(second)
    graph.configure()
    return graph


def _record_pictures(paths: dict[str, Path]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    scene, outputs = _scene(), []
    for layer in LAYERS:
        container = av.open(str(_unfinished(paths[layer.rid])), "w", format="ivf")
        outputs.append((layer, container, _add_encoder(container, layer)))
    for number in range(GROUPS * GROUP_FRAMES):
        picture = scene.pull()
        for layer, container, encoder in outputs:
            frame = picture.reformat(layer.width, layer.height, "yuv420p")
            frame.pts, frame.time_base = number, fractions.Fraction(1, FRAMES_PER_SECOND)
            frame.pict_type = PictureType.I if number % GROUP_FRAMES == 0 else PictureType.NONE
            container.mux(encoder.encode(frame))
    for layer, container, encoder in outputs:
        container.mux(encoder.encode())
        container.close()
        _unfinished(paths[layer.rid]).rename(paths[layer.rid])


def _add_encoder(container: av.container.OutputContainer, layer: Layer) -> av.VideoStream:
    """VP8 as a browser encodes a camera: at a constant rate, in real time."""
    encoder = container.add_stream("libvpx", rate=FRAMES_PER_SECOND)
    encoder.width, encoder.height, encoder.pix_fmt = layer.width, layer.height, "yuv420p"
    encoder.bit_rate = layer.bits_per_second
    encoder.gop_size = GROUP_FRAMES
    # More threads than free cores wait for each other with all that they have.
    encoder.codec_context.thread_count = 1
    encoder.options = {
        "deadline": "realtime",
        "cpu-used": "12",
        "lag-in-frames": "0",
        "minrate": str(layer.bits_per_second),
        "maxrate": str(layer.bits_per_second),
        "bufsize": str(layer.bits_per_second // 2),
        "max-intra-rate": "400",
    }
    return encoder


def _record_sound(path: Path, hertz: int) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with av.open(str(_unfinished(path)), "w", format="ogg") as container:
        encoder = container.add_stream("libopus", rate=media.SAMPLE_RATE, layout="mono")
        encoder.bit_rate = 32_000
        encoder.options = {"application": "voip", "frame_duration": "20", "vbr": "off"}
        samples = _tremolo(hertz, SOUND_PACKETS * PACKET_SAMPLES)
        for number in range(SOUND_PACKETS):
            frame = av.AudioFrame(format="s16", layout="mono", samples=PACKET_SAMPLES)
            frame.planes[0].update(samples[2 * PACKET_SAMPLES * number :][: 2 * PACKET_SAMPLES])
            frame.sample_rate, frame.pts = media.SAMPLE_RATE, number * PACKET_SAMPLES
            container.mux(encoder.encode(frame))
        container.mux(encoder.encode())
    _unfinished(path).rename(path)


def _tremolo(hertz: int, count: int) -> bytes:
    """Mono signed 16-bit samples of a tone that swells and falls five times a second, and is never silent."""
    step, swell = 2 * math.pi * hertz / media.SAMPLE_RATE, 2 * math.pi * 5 / media.SAMPLE_RATE
    return array.array("h", (int((6000 + 3000 * math.sin(swell * n)) * math.sin(step * n)) for n in range(count))).tobytes()


def _unfinished(path: Path) -> Path:
    """Where it is written first: what has the name of a recording is whole."""
    return path.with_name(f"{path.name}-{os.getpid()}")
