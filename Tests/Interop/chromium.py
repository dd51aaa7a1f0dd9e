"""Debian's Chromium on a host of the lab: one browser process, whose pages are participants."""

from __future__ import annotations

import os
import shlex
import signal
import time
from collections import deque
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

import av
import media
from lab import Lab, wait_until
from playwright.sync_api import Page, Playwright, WebSocket
from signaling import complaint

EXECUTABLE = "/usr/bin/chromium"

# What every receive Slot of the page got so far, by mid, with the participant that the page shows in it.
OBSERVE = """async () => {
    const { pc, slots } = window.needletail;
    const owners = slots?.toJSON ? slots.toJSON() : slots instanceof Map ? Object.fromEntries(slots) : slots ?? {};
    const seen = [];
    for (const transceiver of pc.getTransceivers()) {
        if (transceiver.direction !== "recvonly") continue;
        const slot = { mid: transceiver.mid, kind: transceiver.receiver.track.kind, ...owners[transceiver.mid] };
        for (const report of (await pc.getStats(transceiver.receiver.track)).values()) {
            if (report.type !== "inbound-rtp") continue;
            const { framesDecoded, totalAudioEnergy, packetsReceived, packetsLost, nackCount, pliCount } = report;
            const { retransmittedPacketsReceived, frameHeight, freezeCount } = report;
            Object.assign(slot, { framesDecoded, totalAudioEnergy, packetsReceived, packetsLost, nackCount, pliCount,
                retransmittedPacketsReceived, frameHeight, freezeCount });
        }
        seen.push(slot);
    }
    return seen;
}"""

SENT = """async () => {
    const sums = { packetsSent: 0, retransmittedPacketsSent: 0, nackCount: 0, pliCount: 0, frameHeight: 0 };
    for (const report of (await window.needletail.pc.getStats()).values()) {
        if (report.type !== "outbound-rtp" || report.kind !== "video") continue;
        for (const name in sums) sums[name] += report[name] ?? 0;
    }
    return sums;
}"""

# What the encoders of the camera's layers do within half a second, by rid: frames and bits.
ENCODES = """async () => {
    const look = async () => [...(await window.needletail.pc.getStats()).values()]
        .filter(({ type, kind }) => type === "outbound-rtp" && kind === "video");
    const before = Object.fromEntries((await look()).map((report) => [report.rid, report]));
    await new Promise((resolve) => setTimeout(resolve, 500));
    return Object.fromEntries((await look()).map(({ rid, framesEncoded = 0, bytesSent = 0 }) => [rid, {
        frames: framesEncoded - (before[rid]?.framesEncoded ?? 0), bits: 8 * (bytesSent - (before[rid]?.bytesSent ?? 0)),
    }]));
}"""

# The selected candidate pair and the SRTP cipher.
TRANSPORT = """async () => {
    const stats = await window.needletail.pc.getStats();
    for (const transport of stats.values()) {
        if (transport.type !== "transport") continue;
        const pair = stats.get(transport.selectedCandidatePairId);
        const remote = pair && stats.get(pair.remoteCandidateId), local = pair && stats.get(pair.localCandidateId);
        return { remote: remote?.address, port: remote?.port, srtpCipher: transport.srtpCipher,
                 localPort: local?.port, localType: local?.candidateType };
    }
}"""

# The mean colour of the middle of a Slot's next picture, as [r, g, b].
PICTURE = """async (mid) => {
    const { pc } = window.needletail;
    const { track } = pc.getTransceivers().find((each) => each.mid === mid).receiver;
    const video = document.createElement("video");
    video.muted = true;
    video.srcObject = new MediaStream([track]);
    await video.play();
    await new Promise((resolve) => video.requestVideoFrameCallback(resolve));
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 16;
    const context = canvas.getContext("2d");
    context.drawImage(video, 0, 0, 16, 16);
    video.srcObject = null;
    const sums = [0, 0, 0];
    const { data } = context.getImageData(4, 4, 8, 8);
    data.forEach((value, index) => { if (index % 4 < 3) sums[index % 4] += value / 64; });
    return sums;
}"""

# The frequency (Hz) that stood out most in a Slot's sound within one period of our tones; 0 for 1.5 s of silence.
SOUND = """async (mid) => {
    const { pc } = window.needletail;
    const { track } = pc.getTransceivers().find((each) => each.mid === mid).receiver;
    const context = new AudioContext();
    await context.resume();
    const analyser = new AnalyserNode(context, { fftSize: 4096, smoothingTimeConstant: 0 });
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    const levels = new Float32Array(analyser.frequencyBinCount);
    let loudest = -70, hertz = 0;
    const began = performance.now(), heard = () => performance.now() - began;
    while (heard() < 700 || (hertz === 0 && heard() < 1500)) {
        await new Promise((resolve) => setTimeout(resolve, 40));
        analyser.getFloatFrequencyData(levels);
        levels.forEach((level, bin) => {
            if (level > loudest) [loudest, hertz] = [level, bin * context.sampleRate / analyser.fftSize];
        });
    }
    await context.close();
    return hertz;
}"""


# How bright each tile's picture is as it stands on the page: the mean over a shrunken copy, 0 to 255.
TILES = """() => [...document.querySelectorAll("#board .tile video")].map((video) => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 8;
    const context = canvas.getContext("2d");
    context.drawImage(video, 0, 0, 8, 8);
    return context.getImageData(0, 0, 8, 8).data.reduce((sum, value, n) => n % 4 < 3 ? sum + value / 192 : sum, 0);
})"""


# The middle of each tile, in CSS pixels, which are the screenshot's.
BOXES = """() => Object.fromEntries([...document.querySelectorAll("#board .tile")].map((tile) => {
    const { x, y, width, height } = tile.getBoundingClientRect();
    return [tile.dataset.participant, [Math.round(x + width / 2), Math.round(y + height / 2)]];
}))"""


class Participant:
    """A page of the web client in a meeting."""

    def __init__(self, page: Page, name: str, colour: str) -> None:
        self.page, self.name, self.colour = page, name, colour

    def wait_connected(self, timeout: float = 20) -> None:
        probe = "() => window.needletail?.pc?.connectionState === 'connected'"
        try:
            self.page.wait_for_function(probe, timeout=timeout * 1000, polling=50)
        except Exception as error:
            raise AssertionError(
                f"{self.name} did not connect in {timeout} s; the page says: {self.words()}"
            ) from error

    def video_codecs(self) -> set[str]:
        """Of the video that is decoded, as `video/VP8`."""
        return set(
            self.page.evaluate(
                """async () => {
                    const stats = await window.needletail.pc.getStats();
                    return [...stats.values()]
                        .filter(({ type, kind, framesDecoded }) => type === "inbound-rtp" && kind === "video" && framesDecoded)
                        .map(({ codecId }) => stats.get(codecId).mimeType);
                }"""
            )
        )

    def layers(self) -> dict[str, str]:
        """Of the camera's layers that are sent, by rid, the scalability mode that the encoder has."""
        return self.page.evaluate(
            """async () => {
                const stats = [...(await window.needletail.pc.getStats()).values()];
                const sent = stats.filter(({ type, kind, framesEncoded }) =>
                    type === "outbound-rtp" && kind === "video" && framesEncoded);
                return Object.fromEntries(sent.map(({ rid, scalabilityMode }) => [rid, scalabilityMode]));
            }"""
        )

    def words(self) -> str:
        return " / ".join(self.page.inner_text("body").split("\n"))[:600]

    @property
    def participant_id(self) -> str:
        return self.page.evaluate("() => window.needletail.you.participant_id")

    def others(self) -> set[str]:
        """Whom the page lists beside ourselves."""
        return set(self.page.evaluate("() => window.needletail.participants.map((each) => each.participant_id)"))

    def observations(self) -> list[dict]:
        """Each receive Slot: `participant_id` and `source` as told by the server, `frames` or `sound` as decoded."""
        slots = self.page.evaluate(OBSERVE)
        for slot in slots:
            slot["frames"] = slot.get("framesDecoded") or 0
            slot["sound"] = slot.get("totalAudioEnergy") or 0
        return slots

    def sent(self) -> dict[str, int]:
        """Sums over what this page sends."""
        return self.page.evaluate(SENT)

    def encodes(self) -> dict[str, dict[str, int]]:
        """Of each layer of the camera `frames` and `bits`, within half a second from now."""
        return self.page.evaluate(ENCODES)

    def transport(self) -> dict:
        return self.page.evaluate(TRANSPORT)

    def picture(self, mid: str) -> str | None:
        """Whose colour a Slot shows."""
        return media.nearest_colour(tuple(self.page.evaluate(PICTURE, mid)))

    def tone(self, mid: str) -> str | None:
        """Whose tone a Slot plays."""
        hertz = self.page.evaluate(SOUND, mid)
        name = min(media.TONES, key=lambda each: abs(media.TONES[each] - hertz))
        return name if abs(media.TONES[name] - hertz) < 40 else None

    def tile_brightness(self) -> list[float]:
        return self.page.evaluate(TILES)

    def timings(self) -> dict:
        return self.page.evaluate("() => window.needletail.timings")

    def screenshot(self, path: Path) -> dict[str, str | None]:
        """Saves what the page looks like, and tells the colour in the middle of each participant's tile in it."""
        boxes = self.page.evaluate(BOXES)
        self.page.screenshot(path=path)
        with av.open(str(path)) as image:
            picture = next(image.decode(video=0)).reformat(format="rgb24").planes[0]
        pixels, colours = bytes(picture), {}
        for participant, (x, y) in boxes.items():
            colours[participant] = media.nearest_colour(tuple(pixels[y * picture.line_size + 3 * x :][:3]))
        return colours

    def leave(self) -> None:
        self.page.click("#leave")

    def close(self) -> None:
        self.page.context.close()


class Chromium:
    """A browser on one host, whose camera shows `colour` and whose microphone plays that colour's tone."""

    def __init__(
        self,
        playwright: Playwright,
        lab: Lab,
        host: str,
        colour: str,
        folder: Path,
        size: tuple[int, int] = (320, 180),
        arguments: tuple[str, ...] = (),
        script: str = "",
        shared_tab: str = "",
    ) -> None:
        """`arguments`: further ones of the command line. `script`: runs in every page before its own. `shared_tab`: a page
        that wants to share something is given the tab of this title, with its sound."""
        self.colour = colour
        # An empty list takes all away: Chromium then hides its addresses, and looks at one network only.
        self._permissions = ["camera", "microphone"] if shared_tab else None
        # The user who says yes to everything shares a test pattern; permissions do for camera and microphone.
        user = f"--auto-select-tab-capture-source-by-title={shared_tab}" if shared_tab else "--use-fake-ui-for-media-stream"
        self._script = script
        self._killed = False
        # What the schema of the signaling does not describe.
        self._violations: list[str] = []
        # The latest messages of all sockets: when (as the servers' logs), from whom, what.
        self._said: deque[tuple[float, str, str]] = deque(maxlen=60)
        self._pid_file = folder / f"{host}-{colour}.pid"
        # A test's folder has too long a name for the socket that Chromium makes in it.
        self._temporary = TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
        camera = media.write_y4m(folder / f"{host}-{colour}.y4m", colour, *size)
        microphone = media.write_wav(folder / f"{host}-{colour}.wav", colour)
        pops = [f"pop{number}" for number in range(1, lab.pops + 1)]
        origins = [f"http://{lab.address(pop, 4)}:8080" for pop in pops]
        origins += [f"http://[{lab.address(pop, 6)}]:8080" for pop in pops]
        self._browser = playwright.chromium.launch(
            executable_path=self._write_launcher(lab, host, folder),
            # A tab that is muted has no sound to share.
            ignore_default_args=["--mute-audio"] if shared_tab else None,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--no-proxy-server",
                "--autoplay-policy=no-user-gesture-required",
                user,
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-video-capture={camera}",
                f"--use-file-for-fake-audio-capture={microphone}",
                # A camera needs a secure context; this lab has no certificates.
                f"--unsafely-treat-insecure-origin-as-secure={','.join(origins)}",
                *arguments,
            ],
        )

    def _write_launcher(self, lab: Lab, host: str, folder: Path) -> Path:
        """Playwright starts one program: this enters the namespace, tells its pid and becomes Chromium."""
        launcher = folder / f"chromium-{host}-{self.colour}"
        command = shlex.join(["env", f"TMPDIR={self._temporary.name}", *lab.command(host, EXECUTABLE)])
        launcher.write_text(f'#!/bin/sh\necho $$ >{shlex.quote(str(self._pid_file))}\nexec {command} "$@"\n')
        launcher.chmod(0o755)
        return launcher

    def open(self, url: str) -> Page:
        context = self._browser.new_context(
            viewport={"width": 960, "height": 600}, color_scheme="light", permissions=self._permissions
        )
        if self._script:
            context.add_init_script(self._script)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("websocket", self._listen)
        page.goto(url)
        return page

    def join(self, origin: str, meeting: str, name: str, slots: int = 4) -> Participant:
        """Opens the web client, which joins by itself."""
        query = urlencode({"meeting": meeting, "name": name, "autojoin": 1, "slots": slots})
        return Participant(self.open(f"{origin}/?{query}"), name, self.colour)

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: self._check("client", frame))
        socket.on("framereceived", lambda frame: self._check("server", frame))

    def _check(self, side: str, frame: str | bytes) -> None:
        text = frame if isinstance(frame, str) else frame.decode(errors="replace")
        self._said.append((time.time(), side, text))
        if wrong := complaint(side, text):
            self._violations.append(wrong)

    def said_last(self, width: int = 300) -> str:
        """The latest messages, each cut to so many characters."""
        return "\n".join(
            f"{time.strftime('%H:%M:%S', time.gmtime(when))}.{when % 1 * 1000:03.0f} {side}: {text[:width]}"
            for when, side, text in self._said
        )

    def kill(self) -> None:
        """Ends the browser as a crash would: no goodbye on any socket."""
        pid = int(self._pid_file.read_text())
        family = _descendants(pid)
        for each in [pid, *family]:
            try:
                os.kill(each, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self._killed = True
        wait_until("the browser to be gone", lambda: not any(map(_lives, [pid, *family])), timeout=5)

    def close(self) -> None:
        if not self._killed:
            self._browser.close()
        self._temporary.cleanup()
        assert not self._violations, f"not as the schema of the signaling says: {self._violations}"


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _descendants(pid: int) -> list[int]:
    """The processes that `pid` started, and theirs: sockets live in a child of Chromium's."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            parents.setdefault(parent, []).append(int(entry.name))
    found, todo = [], [pid]
    while todo:
        children = parents.get(todo.pop(), [])
        found += children
        todo += children
    return found
