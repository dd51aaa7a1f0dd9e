"""Pictures and sounds that tell their sender: a colour and a tone for each participant."""

from __future__ import annotations

import array
import math
import random
import wave
from pathlib import Path

# RGB; far enough apart to survive a video encoder.
COLOURS = {
    "red": (200, 40, 40),
    "green": (40, 170, 40),
    "blue": (40, 60, 210),
    "yellow": (210, 200, 40),
}
# Hertz; no one a multiple of another.
TONES = {"red": 500, "green": 700, "blue": 1100, "yellow": 1300}

SAMPLE_RATE = 48_000
# A steady tone is noise to a browser's noise suppression; a tone that comes and goes is someone speaking.
TONE_ON_S, TONE_PERIOD_S = 0.4, 0.6


def yuv(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    """Limited-range BT.601 of an RGB colour."""
    r, g, b = colour
    y = 16 + (65.5 * r + 128.6 * g + 25.0 * b) / 255
    u = 128 + (-37.8 * r - 74.2 * g + 112.0 * b) / 255
    v = 128 + (112.0 * r - 93.8 * g - 18.2 * b) / 255
    return round(y), round(u), round(v)


def rgb(y: float, u: float, v: float) -> tuple[float, float, float]:
    y, u, v = 1.164 * (y - 16), u - 128, v - 128
    return y + 1.596 * v, y - 0.392 * u - 0.813 * v, y + 2.017 * u


def nearest_colour(seen: tuple[float, float, float]) -> str | None:
    """The name of the colour, or None when the picture is none of ours (black, grey, a test pattern)."""
    name = min(COLOURS, key=lambda each: math.dist(COLOURS[each], seen))
    return name if math.dist(COLOURS[name], seen) < 60 else None


def write_y4m(path: Path, colour: str, width: int = 320, height: int = 180, frames: int = 30, noise: int = 8) -> Path:
    """A camera for Chromium: one colour under a little noise, so that an encoder has work and makes real bitrate."""
    y, u, v = yuv(COLOURS[colour])
    random_bytes = random.Random(colour).randbytes
    grain = bytes(max(16, min(235, y + (value % (2 * noise + 1)) - noise)) for value in range(256))
    chroma = bytes([u]) * (width * height // 4) + bytes([v]) * (width * height // 4)
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F15:1 Ip A1:1 C420\n".encode())
        for _ in range(frames):
            file.write(b"FRAME\n" + random_bytes(width * height).translate(grain) + chroma)
    return path


def tone_samples(hertz: int, start: int, count: int) -> bytes:
    """Mono signed 16-bit samples of the pulsed tone, from sample `start` on."""
    period, on = int(TONE_PERIOD_S * SAMPLE_RATE), int(TONE_ON_S * SAMPLE_RATE)
    step = 2 * math.pi * hertz / SAMPLE_RATE
    return array.array(
        "h", (int(9000 * math.sin(step * n)) if n % period < on else 0 for n in range(start, start + count))
    ).tobytes()


def write_wav(path: Path, colour: str) -> Path:
    """A microphone for Chromium, which plays the file in a loop."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(tone_samples(TONES[colour], 0, int(10 * TONE_PERIOD_S * SAMPLE_RATE)))
    return path


def loudest_tone(samples: array.array) -> str | None:
    """Whose tone dominates mono samples at 48 kHz (Goertzel at each of our frequencies); None for silence."""

    def power(hertz: int) -> float:
        coefficient = 2 * math.cos(2 * math.pi * hertz / SAMPLE_RATE)
        s1 = s2 = 0.0
        for sample in samples:
            s1, s2 = sample + coefficient * s1 - s2, s1
        return s1 * s1 + s2 * s2 - coefficient * s1 * s2

    if not samples or max(samples) < 300:
        return None
    powers = {name: power(hertz) for name, hertz in TONES.items()}
    first, second = sorted(powers.values(), reverse=True)[:2]
    return max(powers, key=powers.get) if first > 4 * second else None
