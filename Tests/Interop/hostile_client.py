"""A client of one protocol that keeps to no rule, over many connections at once: floods, never reads, reads slowly, stalls.

What each connection does is drawn from a seed. `hostile_client.py PROTOCOL ADDRESS SEED CONNECTIONS SECONDS MEETING`, where
the protocol is one of PROTOCOLS, or `http2/pages` for one of its behaviours alone, and `MEETING` the identifier of a
meeting; it ends by itself and prints how often each behaviour was begun.
"""

from __future__ import annotations

import collections
import hashlib
import hmac
import json
import os
import random
import socket
import ssl
import struct
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from turn_clients import PASSWORD, PORTS, USER

# What a behaviour does next: send these bytes, read so many, or wait for so many seconds.
Step = bytes | int | float
Behaviour = Callable[["Client", random.Random], Iterator[Step]]


@dataclass
class Client:
    """What a behaviour needs to know."""

    protocol: str
    address: str
    meeting: str
    deadline: float
    socket: socket.socket | None = None
    opened: list[socket.socket] | None = None

    def connect(self) -> socket.socket:
        turn = self.protocol.startswith("turn")
        port = PORTS[self.protocol.removeprefix("turn-")] if turn else 8080
        plain = socket.create_connection((self.address, port), timeout=5)
        plain.settimeout(0.5)
        if self.protocol != "turn-tcp":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            if not turn:
                context.set_alpn_protocols(["h2" if self.protocol == "http2" else "http/1.1"])
            plain = context.wrap_socket(plain)
        self.opened.append(plain)
        return plain


def frames(number: int, opcode: int, payload: bytes, first: int = 0x80) -> bytes:
    """So many WebSocket frames of a client, masked with zeros (RFC 6455 section 5.2)."""
    length = len(payload)
    if length < 126:
        header = bytes([first | opcode, 0x80 | length])
    elif length < 65536:
        header = struct.pack("!BBH", first | opcode, 0x80 | 126, length)
    else:
        header = struct.pack("!BBQ", first | opcode, 0x80 | 127, length)
    return (header + bytes(4) + payload) * number


def deflated(text: bytes) -> bytes:
    """RFC 7692 section 7.2.1."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


def opening(client: Client, extensions: str = "") -> bytes:
    return (
        f"GET /api/v1/signal HTTP/1.1\r\nHost: {client.address}\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
        f"{extensions}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ).encode()


def said(message: dict) -> bytes:
    return frames(1, 1, json.dumps(message).encode())


# MARK: the signaling socket


def pings(client: Client, chance: random.Random) -> Iterator[Step]:
    yield opening(client)
    while True:
        yield frames(500, 9, bytes(chance.choice([0, 1, 125])))


def messages(client: Client, chance: random.Random) -> Iterator[Step]:
    yield opening(client)
    yield said({"type": "join", "id": 1, "meeting": client.meeting, "display_name": "Flood"})
    while True:
        yield said({"type": chance.choice(["ping", "dance", "media_state"]), "id": "x" * 64}) * 50


def slow_member(client: Client, chance: random.Random) -> Iterator[Step]:
    yield opening(client)
    yield said({"type": "join", "id": 1, "meeting": client.meeting, "display_name": "Slow"})
    while True:
        yield said({"type": "media_state", "audio": chance.random() < 0.5, "hand_raised": chance.random() < 0.5})
        yield 0.02
        yield 1


def fragments(client: Client, chance: random.Random) -> Iterator[Step]:
    """One byte of a message in each read, which pings fill."""
    yield opening(client)
    yield frames(1, 1, b"{", first=0)
    for number in range(1_000):
        yield frames(1, 0, b" ", first=0) + (frames(31, 9, bytes(125)) if number < 3 else bytes(0))
        yield 0.001


def half_a_message(client: Client, chance: random.Random) -> Iterator[Step]:
    yield opening(client)
    yield frames(1, 1, bytes([0x20]) * chance.choice([200_000, 262_144]))[: -chance.randint(1, 100)]


def bombs(client: Client, chance: random.Random) -> Iterator[Step]:
    """Each of some 300 bytes is a message of 256 KiB."""
    yield opening(client, "Sec-WebSocket-Extensions: permessage-deflate\r\n")
    text = deflated(b'{"type":"view","visible":[' + b"1," * 131_000 + b"1]}")
    while True:
        yield frames(20, 1, text, first=0xC0)


# MARK: HTTP/1.1


def request(client: Client, method: str, path: str, more: str = "") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: {client.address}\r\n{more}\r\n".encode()


def pages(client: Client, chance: random.Random) -> Iterator[Step]:
    path = chance.choice(["/", "/meeting.js", "/api/v1/openapi.json", "/nothing"])
    while True:
        yield request(client, "GET", path) * 100


def slow_reader(client: Client, chance: random.Random) -> Iterator[Step]:
    while True:
        yield request(client, "GET", "/api/v1/openapi.json") * 10
        yield 50
        yield 0.01


def half_a_body(client: Client, chance: random.Random) -> Iterator[Step]:
    path = f"/api/v1/meetings/{client.meeting}/join"
    yield request(client, "POST", path, "Content-Type: application/json\r\nContent-Length: 65000\r\n") + b" " * 64_990


def endless_body(client: Client, chance: random.Random) -> Iterator[Step]:
    path = chance.choice([f"/api/v1/meetings/{client.meeting}/join", "/"])
    more = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
    yield request(client, chance.choice(["POST", "GET"]), path, more)
    while True:
        yield b"4000\r\n" + bytes([0x20]) * 0x4000 + b"\r\n"


def endless_head(client: Client, chance: random.Random) -> Iterator[Step]:
    yield request(client, "GET", "/")[:-2]
    while True:
        yield b"A" * chance.choice([100, 10_000]) + chance.choice([b"", b": b\r\n"])


def endless_line(client: Client, chance: random.Random) -> Iterator[Step]:
    yield b"GET /"
    while True:
        yield b"a" * 10_000


def upgrade(client: Client, chance: random.Random) -> Iterator[Step]:
    """What stands behind such a request is another protocol's, and nobody's."""
    path, protocol = chance.choice([("/", "h2c"), ("/api/v1/signal", "h2c"), ("/nothing", "websocket")])
    yield request(client, chance.choice(["GET", "POST"]), path, f"Connection: upgrade\r\nUpgrade: {protocol}\r\n")
    while True:
        yield os.urandom(16_384)


def tunnel(client: Client, chance: random.Random) -> Iterator[Step]:
    yield request(client, "CONNECT", "example.org:443")
    while True:
        yield os.urandom(16_384)


# MARK: HTTP/2


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """RFC 9113 section 4.1."""
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def literal(name: int | bytes, value: bytes) -> bytes:
    """RFC 7541 section 6.2.2; no length of these reaches 127."""
    start = bytes([name]) if isinstance(name, int) else bytes([0, len(name)]) + name
    return start + bytes([len(value)]) + value


def head(client: Client, stream: int, path: bytes, post: bool = False) -> bytes:
    """The head of a request: `:method`, `:scheme https`, `:authority`, `:path`."""
    fields = bytes([0x83 if post else 0x82, 0x87]) + literal(1, client.address.encode()) + literal(4, path)
    if post:
        fields += literal(b"content-type", b"application/json")
    return frame(1, 0x4 if post else 0x5, stream, fields)


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0)


# As many streams as the server lets a connection have at once.
STREAMS = range(1, 64, 2)


def opened(client: Client) -> int:
    """Reads a frame; answers by how much it opens the connection's window (RFC 9113 section 6.9)."""

    def take(count: int) -> bytes:
        got = b""
        while len(got) < count:
            part = client.socket.recv(count - len(got))
            if not part:
                raise ConnectionError
            got += part
        return got

    header = take(9)
    payload = take(int.from_bytes(header[:3], "big"))
    return int.from_bytes(payload, "big") if header[3] == 8 and header[5:] == bytes(4) else 0


def many_pages(client: Client, chance: random.Random) -> Iterator[Step]:
    """Answers that wait for a window that never opens."""
    yield PREFACE
    path = chance.choice([b"/meeting.js", b"/api/v1/openapi.json", b"/nothing"])
    for stream in STREAMS:
        yield head(client, stream, path)
    while True:
        yield 0.1


def too_many_pages(client: Client, chance: random.Random) -> Iterator[Step]:
    """More than the server allows, which it may not hold against us before we acknowledge its settings."""
    yield PREFACE
    for stream in range(1, 1_000, 2):
        yield head(client, stream, b"/meeting.js")
    while True:
        yield 0.1


def many_bodies(client: Client, chance: random.Random) -> Iterator[Step]:
    """As many bodies at once as the server takes, each but for its end."""
    yield PREFACE
    path = f"/api/v1/meetings/{client.meeting}/join".encode()
    for stream in STREAMS:
        yield head(client, stream, path, post=True)
    window = 65_535
    for _ in range(8):
        for stream in STREAMS:
            while window < 8_000:
                window += opened(client)
            window -= 8_000
            yield frame(0, 0, stream, bytes([0x20]) * 8_000)
    while True:
        yield 0.1


def control_frames(client: Client, chance: random.Random) -> Iterator[Step]:
    yield PREFACE
    flood = chance.choice([frame(6, 0, 0, bytes(8)), frame(4, 0, 0), frame(2, 0, 1, bytes(5)), frame(8, 0, 0, b"\0\0\0\1")])
    while True:
        yield flood * 200


def continuations(client: Client, chance: random.Random) -> Iterator[Step]:
    yield PREFACE + frame(1, 0, 1, bytes([0x82, 0x87, 0x84]))
    while True:
        yield frame(9, 0, 1, literal(b"a", b"b" * 100) * 100)


# MARK: TURN over TCP and TLS


def stun(kind: int, attributes: bytes = b"", key: bytes | None = None) -> bytes:
    """RFC 8489 section 5, with MESSAGE-INTEGRITY where there is a key."""
    identity = struct.pack("!I", 0x2112A442) + os.urandom(12)
    if key is None:
        return struct.pack("!HH", kind, len(attributes)) + identity + attributes
    message = struct.pack("!HH", kind, len(attributes) + 24) + identity + attributes
    return message + struct.pack("!HH", 8, 20) + hmac.new(key, message, "sha1").digest()


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def answer(connection: socket.socket) -> tuple[int, dict[int, bytes]]:
    def take(count: int) -> bytes:
        got = b""
        while len(got) < count:
            part = connection.recv(count - len(got))
            if not part:
                raise ConnectionError
            got += part
        return got

    kind, length = struct.unpack("!HH", take(20)[:4])
    body, attributes = take(length), {}
    while body:
        name, size = struct.unpack("!HH", body[:4])
        attributes[name] = body[4 : 4 + size]
        body = body[4 + size + (-size % 4) :]
    return kind, attributes


class Allocation:
    """A relayed address that `connection` asked for, and how to ask for more (RFC 8656 section 7)."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        wanted = attribute(0x0019, bytes([17, 0, 0, 0]))
        connection.sendall(stun(0x0003, wanted))
        _, challenge = answer(connection)
        self.credentials = (
            attribute(0x0006, USER.encode()) + attribute(0x0014, challenge[0x0014]) + attribute(0x0015, challenge[0x0015])
        )
        self.key = hashlib.md5(b":".join([USER.encode(), challenge[0x0014], PASSWORD.encode()])).digest()
        self.relayed = self.ask(0x0003, wanted)[0x0016]

    def ask(self, kind: int, attributes: bytes) -> dict[int, bytes]:
        self.connection.sendall(stun(kind, attributes + self.credentials, self.key))
        got, found = answer(self.connection)
        if got & 0x0110 != 0x0100:
            raise ConnectionError
        return found


def bindings(client: Client, chance: random.Random) -> Iterator[Step]:
    while True:
        yield stun(0x0001) * 200


def refreshes(client: Client, chance: random.Random) -> Iterator[Step]:
    """Answers of some 100 bytes that nobody reads."""
    mine = Allocation(client.socket)
    while True:
        yield stun(0x0004, mine.credentials, mine.key) * 50


def relayed(client: Client, chance: random.Random) -> Iterator[Step]:
    """One that never reads is sent media by another."""
    deaf, loud = Allocation(client.socket), Allocation(client.connect())
    deaf.ask(0x0008, attribute(0x0012, loud.relayed))
    loud.ask(0x0009, attribute(0x000C, b"\x40\0\0\0") + attribute(0x0012, deaf.relayed))
    size = chance.choice([1, 1_200])
    packet = struct.pack("!HH", 0x4000, size) + bytes(size) + bytes(-size % 4)
    while True:
        loud.connection.sendall(packet * 50)
        yield 0.002


def half_a_frame(client: Client, chance: random.Random) -> Iterator[Step]:
    yield stun(0x0001)
    yield struct.pack("!HH", 0x4000, chance.choice([1_400, 65_535])) + bytes(chance.randint(0, 1_300))


def slow_listener(client: Client, chance: random.Random) -> Iterator[Step]:
    while True:
        yield stun(0x0001) * 20
        yield 40
        yield 0.01


def silence(client: Client, chance: random.Random) -> Iterator[Step]:
    yield 60.0


SIGNALING = [pings, messages, slow_member, fragments, half_a_message, bombs]
TURN = [bindings, refreshes, relayed, half_a_frame, slow_listener, silence]
PROTOCOLS: dict[str, list[Behaviour]] = {
    "signaling": SIGNALING,
    "http1": [pages, slow_reader, half_a_body, endless_body, endless_head, endless_line, upgrade, tunnel, silence],
    "http2": [many_pages, too_many_pages, many_bodies, control_frames, continuations, silence],
    "turn-tcp": TURN,
    "turn-tls": TURN,
}


def act(client: Client, behaviour: Behaviour, chance: random.Random) -> None:
    """Until the time is over, the server ends the connection, or it takes no more: then the connection is just held."""
    client.opened = []
    client.socket = client.connect()
    try:
        for step in behaviour(client, chance):
            if time.monotonic() > client.deadline:
                return
            if isinstance(step, float):
                time.sleep(min(step, max(client.deadline - time.monotonic(), 0)))
            elif isinstance(step, int):
                client.socket.recv(step)
            else:
                client.socket.sendall(step)
    except TimeoutError:
        pass
    while time.monotonic() < client.deadline:
        time.sleep(0.05)


def run(protocol: str, address: str, seed: int, number: int, seconds: float, meeting: str) -> dict[str, int]:
    protocol, _, only = protocol.partition("/")
    behaviours = [found for found in PROTOCOLS[protocol] if not only or found.__name__ == only]
    begun: collections.Counter[str] = collections.Counter()
    deadline = time.monotonic() + seconds

    def connection(index: int) -> None:
        chance = random.Random(f"{seed} {index}")
        # Each behaviour is seen; which one comes next is chance.
        behaviour = behaviours[index % len(behaviours)]
        while time.monotonic() < deadline:
            client = Client(protocol, address, meeting, deadline)
            begun[behaviour.__name__] += 1
            try:
                act(client, behaviour, chance)
            except (OSError, KeyError):
                # The server has ended it, as it should.
                time.sleep(0.05)
            finally:
                for opened in client.opened or []:
                    opened.close()
            behaviour = chance.choice(behaviours)

    threads = [threading.Thread(target=connection, args=(index,), daemon=True) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds + 10)
    return dict(begun)


if __name__ == "__main__":
    name, host, seed, connections, seconds, meeting = sys.argv[1:]
    print(json.dumps(run(name, host, int(seed), int(connections), float(seconds), meeting)))
