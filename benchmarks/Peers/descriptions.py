"""Session descriptions (RFC 8866) of one VP8 stream, and what is read from a server's."""

from __future__ import annotations

import re

from generator import Transport

PAYLOAD_TYPE = 96


def write(
    own: Transport, direction: str, setup: str, mid: str = "0", payload_type: int = PAYLOAD_TYPE, ssrc: int = 0
) -> str:
    """An offer or answer with its one candidate; no header extensions, no RTX, no estimates by the receiver."""
    lines = [
        "v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", f"a=group:BUNDLE {mid}",
        f"m=video 9 UDP/TLS/RTP/SAVPF {payload_type}", "c=IN IP4 0.0.0.0", f"a=mid:{mid}", f"a={direction}",
        f"a=ice-ufrag:{own.ufrag}", f"a=ice-pwd:{own.password}", f"a=fingerprint:sha-256 {own.fingerprint}",
        f"a=setup:{setup}", "a=rtcp-mux", "a=rtcp-rsize", f"a=rtpmap:{payload_type} VP8/90000",
        f"a=rtcp-fb:{payload_type} nack", f"a=rtcp-fb:{payload_type} nack pli", f"a=rtcp-fb:{payload_type} ccm fir",
        f"a=candidate:1 1 udp 2130706431 {own.address} {own.port} typ host", "a=end-of-candidates",
    ]  # fmt: skip
    if ssrc:
        lines += ["a=msid:camera camera", f"a=ssrc:{ssrc} cname:generator"]
    return "".join(line + "\r\n" for line in lines)


def _attribute(text: str, name: str) -> str:
    found = re.search(rf"^a={name}:(.*?)\r?$", text, re.MULTILINE)
    if not found:
        raise RuntimeError(f"the server's description has no {name}:\n{text}")
    return found[1]


def read(text: str) -> Transport:
    candidates = re.findall(r"^a=candidate:\S+ 1 udp \d+ (\d+\.\d+\.\d+\.\d+) (\d+) typ host", text, re.M | re.I)
    if not candidates:
        raise RuntimeError(f"the server's description has no IPv4 candidate:\n{text}")
    fingerprint = _attribute(text, "fingerprint").split()
    if fingerprint[0].lower() != "sha-256":
        raise RuntimeError(f"the server's fingerprint is of {fingerprint[0]}")
    address, port = candidates[0]
    return Transport(
        _attribute(text, "ice-ufrag"), _attribute(text, "ice-pwd"), fingerprint[1], address, int(port)
    )


def mid(text: str) -> str:
    return _attribute(text, "mid")


def payload_type(text: str) -> int:
    """VP8's."""
    found = re.search(r"^a=rtpmap:(\d+) VP8/90000", text, re.MULTILINE | re.IGNORECASE)
    if not found:
        raise RuntimeError(f"the server's description has no VP8:\n{text}")
    return int(found[1])
