"""What crosses an interface, as lines of JSON: run on a host of a lab as `capture.py INTERFACE SECONDS`.

A packet is its time in seconds, whether this host sent it, its kind (tcp, stun, dtls, media, rtcp), this host's port
and its payload's bytes;
TCP without payload is left out.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from typing import NamedTuple

ETH_P_ALL = 3
TCP, UDP = 6, 17
# The server's; others are of a browser's own doing, such as mDNS.
MEDIA_PORT = 3478
IPV4, IPV6 = b"\x08\x00", b"\x86\xdd"


class Packet(NamedTuple):
    time: float
    is_sent: bool
    kind: str
    #: This host's.
    port: int
    length: int


def kind_of_datagram(payload: bytes) -> str:
    """RFC 7983 section 7 and RFC 5761 section 4."""
    first = payload[0]
    if first < 4:
        return "stun"
    if 20 <= first < 64:
        return "dtls"
    if not 128 <= first < 192:
        return "other"
    return "rtcp" if 192 <= payload[1] < 224 else "media"


def read(frame: bytes, is_sent: bool) -> tuple[str, int, int] | None:
    """Kind, port and bytes of what an IP frame without extension headers carries."""
    if frame[12:14] == IPV4 and len(frame) >= 34:
        start, end = 14 + (frame[14] & 15) * 4, 14 + int.from_bytes(frame[16:18])
        protocol = frame[23]
    elif frame[12:14] == IPV6 and len(frame) >= 54:
        start, end = 54, 54 + int.from_bytes(frame[18:20])
        protocol = frame[20]
    else:
        return None
    ports = [int.from_bytes(frame[at : at + 2]) for at in (start, start + 2)]
    own, remote = ports if is_sent else reversed(ports)
    if protocol == TCP:
        length = end - start - (frame[start + 12] >> 4) * 4
        return ("tcp", own, length) if length > 0 else None
    if protocol == UDP and remote == MEDIA_PORT and end - start > 9:
        return kind_of_datagram(frame[start + 8 : end]), own, end - start - 8
    return None


def main(interface: str, seconds: str) -> None:
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    tap.bind((interface, 0))
    end = time.monotonic() + float(seconds)
    print(json.dumps("ready"), flush=True)
    while (left := end - time.monotonic()) > 0:
        tap.settimeout(left)
        try:
            frame, source = tap.recvfrom(65_535)
        except TimeoutError:
            break
        is_sent = source[2] == socket.PACKET_OUTGOING
        if found := read(frame, is_sent):
            print(json.dumps([time.time(), is_sent, *found]), flush=True)


def parse(lines: str) -> list[Packet]:
    """What `main` has printed; its last line may be cut."""
    return [Packet(*json.loads(line)) for line in lines.splitlines() if line.endswith("]")]


if __name__ == "__main__":
    main(*sys.argv[1:])
