"""A browser's offer with all its receive Slots, and what is left of it when Slots name only what they need.

chromium.sdp has the parts that Chromium 156 wrote: session, microphone, camera, a Slot for audio and one for video."""

from __future__ import annotations

import re
from pathlib import Path

AUDIO_SLOTS, VIDEO_SLOTS = 3, 25
# What a generator fills in.
UFRAG, PASSWORD, FINGERPRINT = "@UFRAG@", "@PASSWORD@", "@FINGERPRINT@"
# What a trimmed Slot keeps.
CODECS = ("opus/48000/2", "VP8/90000")
EXTENSIONS = ("ssrc-audio-level", "transport-wide-cc-extensions-01", "sdes:mid", "dependency-descriptor")


def _parts() -> list[str]:
    text = Path(__file__).with_name("chromium.sdp").read_text()
    for name, value in (("ice-ufrag", UFRAG), ("ice-pwd", PASSWORD), ("fingerprint", f"sha-256 {FINGERPRINT}")):
        text = re.sub(rf"^a={name}:.*$", f"a={name}:{value}", text, flags=re.MULTILINE)
    return re.split(r"(?=^m=)", text, flags=re.MULTILINE)


def _trim(part: str) -> str:
    """An m-line with CODECS, their retransmission, and EXTENSIONS alone."""
    formats = re.findall(r"^a=rtpmap:(\d+) (\S+)$", part, re.MULTILINE)
    kept = {number for number, name in formats if name in CODECS}
    kept |= {number for number, origin in re.findall(r"^a=fmtp:(\d+) apt=(\d+)$", part, re.MULTILINE) if origin in kept}

    def stays(line: str) -> bool:
        about = re.match(r"a=(?:rtpmap|fmtp|rtcp-fb):(\d+)", line)
        if about:
            return about[1] in kept
        return not line.startswith("a=extmap:") or any(name in line for name in EXTENSIONS)

    head, *lines = part.splitlines()
    words = head.split(" ")
    head = " ".join(words[:3] + [number for number in words[3:] if number in kept])
    return "".join(line + "\n" for line in [head, *filter(stays, lines)])


def _assemble(session: str, media: list[str]) -> str:
    numbered = [re.sub(r"^a=mid:.*$", f"a=mid:{mid}", part, flags=re.MULTILINE) for mid, part in enumerate(media)]
    bundle = " ".join(map(str, range(len(media))))
    text = session.replace("a=group:BUNDLE\n", f"a=group:BUNDLE {bundle}\n") + "".join(numbered)
    return text.replace("\n", "\r\n")


def write(kind: str) -> str:
    """With places for what is a client's own.

    `kind`: `browser`, every codec and extension in every Slot; or `trimmed`, what is needed."""
    session, microphone, camera, audio, video = _parts()
    if kind == "trimmed":
        audio, video = _trim(audio), _trim(video)
    return _assemble(session, [microphone, camera, *[audio] * AUDIO_SLOTS, *[video] * VIDEO_SLOTS])


def write_publisher() -> str:
    """Microphone and camera alone, for a server that would otherwise begin the DTLS handshake itself."""
    session, microphone, camera, _, _ = _parts()
    return _assemble(session, [microphone, camera]).replace("a=setup:actpass", "a=setup:active")


def fill(offer: str, ufrag: str, password: str, fingerprint: str) -> str:
    return offer.replace(UFRAG, ufrag).replace(PASSWORD, password).replace(FINGERPRINT, fingerprint)
