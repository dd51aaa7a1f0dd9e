"""What a viewer's Chromium gets over time, from getStats: sampled in the page, so that nothing is asked of it meanwhile, and
added up over a stretch of time."""

from __future__ import annotations

import itertools
import math
import time
from dataclasses import dataclass

from chromium import Participant

EVERY_S = 0.2
# A picture that moves has so many frames a second; it is looked at over so many seconds.
MOVING_FRAMES_PER_SECOND, MOVING_S = 10, 2.0

# The sums that grow, of each received stream.
_GROWING = (
    "framesDecoded",
    "freezeCount",
    "totalFreezesDuration",
    "concealedSamples",
    "silentConcealedSamples",
    "totalSamplesReceived",
    "packetsReceived",
    "packetsLost",
    "nackCount",
    "pliCount",
    "retransmittedPacketsReceived",
    "fecPacketsReceived",
)

# Keeps the page from asking for less than the largest layer: its tiles are small, and large ones cost processor time.
ASK_FOR_ALL = """{
    const { send } = WebSocket.prototype;
    WebSocket.prototype.send = function (text) {
        const message = JSON.parse(text);
        const views = [message, message.view].filter((each) => each?.heights);
        for (const view of views) for (const id in view.heights) view.heights[id] = 720;
        send.call(this, JSON.stringify(message));
    };
}"""

_SAMPLE = """([every, names]) => {
    window.samples = [];
    setInterval(async () => {
        const { pc, slots } = window.needletail, at = Date.now() / 1000, streams = {};
        const stats = await pc.getStats();
        let path = null;
        for (const report of stats.values()) {
            if (report.type === "transport") path = stats.get(report.selectedCandidatePairId) ?? path;
            if (report.type !== "inbound-rtp") continue;
            const { kind, frameWidth, frameHeight } = report;
            const stream = { kind, participant: slots[report.mid]?.participant_id ?? null, frameWidth, frameHeight };
            for (const name of names) stream[name] = report[name] ?? 0;
            streams[report.id] = stream;
        }
        const { totalRoundTripTime = 0, responsesReceived = 0 } = path ?? {};
        window.samples.push({ at, streams, totalRoundTripTime, responsesReceived });
    }, every * 1000);
}"""

_TAKE = "() => window.samples.splice(0)"


@dataclass
class Picture:
    """One participant's picture over a stretch of time."""

    sizes: list[str]
    frames_per_second: float
    frozen_s: float
    freezes: int
    # Whole seconds in which no frame was decoded.
    empty_seconds: int


@dataclass
class Concealment:
    """Shares of the sound that was played: made up from what came before, and silence, where nothing came for longer."""

    made_up: float
    silent: float


class Viewing:
    """All samples of a viewer's page so far."""

    def __init__(self, viewer: Participant) -> None:
        self._page = viewer.page
        self._samples: list[dict] = []
        self._page.evaluate(_SAMPLE, [EVERY_S, list(_GROWING)])

    def watch(self, seconds: float) -> tuple[float, float]:
        """Waits, and takes the samples of meanwhile. Its beginning and its end."""
        began = time.time()
        self._page.wait_for_timeout(seconds * 1000)
        self.take()
        return began, time.time()

    def take(self) -> None:
        self._samples += self._page.evaluate(_TAKE)

    def wait_for_size(self, participants: list[str], height: int, timeout: float) -> bool:
        """Until the pictures of all have so many lines."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            self.watch(EVERY_S)
            if self._samples and all(self._height(self._samples[-1], each) == height for each in participants):
                return True
        return False

    def picture(self, participant: str, began: float, ended: float) -> Picture:
        samples = self._between(began, ended)
        sizes = (self._size(sample, participant) for sample in samples)
        streams = ("video", participant)
        frozen, still = self._growth(samples, "totalFreezesDuration", *streams), self._still(samples, participant)
        return Picture(
            sizes=[size for size, _ in itertools.groupby(sizes) if size],
            frames_per_second=self._growth(samples, "framesDecoded", *streams) / _span(samples),
            # A freeze is told when it is over: one that lasts is added.
            frozen_s=frozen + still,
            freezes=round(self._growth(samples, "freezeCount", *streams)) + (still > 0),
            empty_seconds=sum(
                self._growth(self._between(began + second, began + second + 1), "framesDecoded", *streams) == 0
                for second in range(int(ended - began))
            ),
        )

    def sum(self, name: str, began: float, ended: float, kind: str | None = None) -> float:
        """What a statistic of all streams grew by."""
        return self._growth(self._between(began, ended), name, kind)

    def concealed(self, began: float, ended: float) -> Concealment:
        names = ("concealedSamples", "silentConcealedSamples", "totalSamplesReceived")
        samples = [_heard(sample) for sample in self._between(began, ended)]
        concealed, silent, played = (self._growth(samples, name, "audio") for name in names)
        return Concealment((concealed - silent) / played, silent / played) if played else Concealment(0.0, 1.0)

    def round_trip(self, began: float, ended: float) -> float | None:
        """The mean of ICE's checks, seconds; None: none was answered."""
        samples = self._between(began, ended)
        if not samples:
            return None
        first, last = samples[0], samples[-1]
        answers = last["responsesReceived"] - first["responsesReceived"]
        return (last["totalRoundTripTime"] - first["totalRoundTripTime"]) / answers if answers > 0 else None

    def moves_after(self, participant: str, began: float, ended: float = math.inf) -> float | None:
        """Seconds from a moment until the picture moves; None: it did not until the end."""
        samples = self._between(began, ended)
        for n in range(len(samples) - 1):
            start = samples[n]["at"]
            following = [sample for sample in samples[n:] if sample["at"] <= start + MOVING_S]
            seconds = following[-1]["at"] - start
            if seconds < MOVING_S - 2 * EVERY_S:
                return None
            frames = self._growth(following, "framesDecoded", "video", participant)
            at_once = self._growth(following[:2], "framesDecoded", "video", participant)
            if at_once > 0 and frames >= MOVING_FRAMES_PER_SECOND * seconds:
                return max(0.0, start - began)
        return None

    def sized_after(self, participants: list[str], height: int, moment: float) -> float | None:
        """Seconds from a moment until all pictures have so many lines and go on having them; None: they never did."""
        first = None
        for sample in self._samples:
            if sample["at"] < moment:
                continue
            if any(self._height(sample, each) != height for each in participants):
                first = None
            elif first is None:
                first = sample["at"]
        return None if first is None else first - moment

    def _between(self, began: float, ended: float) -> list[dict]:
        """From the sample before to the last one in between."""
        inside = [n for n, sample in enumerate(self._samples) if began <= sample["at"] <= ended]
        return self._samples[max(0, inside[0] - 1) : inside[-1] + 1] if inside else []

    @staticmethod
    def _growth(samples: list[dict], name: str, kind: str | None = None, participant: str | None = None) -> float:
        """Of streams that were there before; a sum that began anew counts from there."""
        total = 0.0
        for before, after in itertools.pairwise(samples):
            for key, stream in after["streams"].items():
                if kind not in (None, stream["kind"]) or participant not in (None, stream["participant"]):
                    continue
                first = before["streams"].get(key)
                total += max(0, stream[name] - first[name]) if first else stream[name]
        return total

    def _still(self, samples: list[dict], participant: str) -> float:
        """Seconds without a frame at the end, where they are a freeze by any measure."""
        for n in range(len(samples) - 1, 0, -1):
            if self._growth(samples[n - 1 : n + 1], "framesDecoded", "video", participant) > 0:
                still = samples[-1]["at"] - samples[n]["at"]
                return still if still > 1 else 0.0
        return samples[-1]["at"] - samples[0]["at"] if samples else 0.0

    @staticmethod
    def _stream(sample: dict, participant: str) -> dict | None:
        streams = sample["streams"].values()
        return next((each for each in streams if each["kind"] == "video" and each["participant"] == participant), None)

    def _height(self, sample: dict, participant: str) -> int | None:
        stream = self._stream(sample, participant)
        return stream and stream.get("frameHeight")

    def _size(self, sample: dict, participant: str) -> str | None:
        stream = self._stream(sample, participant)
        return f"{stream['frameWidth']}x{stream['frameHeight']}" if stream and stream.get("frameHeight") else None


def _heard(sample: dict) -> dict:
    """Without the streams of which nothing came yet: all of them is concealed, and nobody misses it."""
    streams = {key: stream for key, stream in sample["streams"].items() if stream["packetsReceived"] > 0}
    return {**sample, "streams": streams}


def _span(samples: list[dict]) -> float:
    """Seconds that the samples are of."""
    return samples[-1]["at"] - samples[0]["at"] if len(samples) > 1 else math.inf
