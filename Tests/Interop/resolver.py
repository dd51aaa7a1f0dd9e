"""A DNS server on a host of the lab that knows one address, and a host that asks it. As a program: ADDRESS OF_THE_NAMES."""

from __future__ import annotations

import ipaddress
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import Lab, wait_until

# RFC 1035 section 3.2.2
TYPE_A, CLASS_IN = 1, 1


def answer(query: bytes, address: str) -> tuple[str, bytes]:
    """The name that is asked for, and what the server says (RFC 1035 section 4.1): every name has the address."""
    labels, at = [], 12
    while length := query[at]:
        labels.append(query[at + 1 : at + 1 + length].decode("ascii", "replace"))
        at += 1 + length
    question = query[12 : at + 5]
    is_known = question[-4:] == struct.pack("!HH", TYPE_A, CLASS_IN)
    # A response to a recursive query, without an error.
    header = query[:2] + struct.pack("!HHHHH", 0x8180, 1, is_known, 0, 0)
    record = struct.pack("!HHHIH", 0xC00C, TYPE_A, CLASS_IN, 1, 4) + ipaddress.IPv4Address(address).packed
    return ".".join(labels), header + question + (record if is_known else b"")


def serve(own: str, address: str) -> None:
    """Answers until SIGUSR1, and again after SIGUSR2."""
    is_silent = False

    def hear(number: int, _: object) -> None:
        nonlocal is_silent
        is_silent = number == signal.SIGUSR1

    for number in (signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, hear)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((own, 53))
        print("listening", flush=True)
        while True:
            query, sender = server.recvfrom(512)
            name, reply = answer(query, address)
            print("asked for", name, flush=True)
            if not is_silent:
                server.sendto(reply, sender)


class Resolver:
    """The server, as a process."""

    def __init__(self, lab: Lab, host: str, names: str, folder: Path) -> None:
        """`names`: the address of every name."""
        self._log = folder / "resolver.log"
        command = lab.command(host, sys.executable, __file__, lab.address(host), names)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until("the resolver", lambda: "listening" in self._log.read_text(), timeout=10)

    def questions(self) -> list[str]:
        """The names that it was asked for, answered or not."""
        return [line.partition("for ")[2] for line in self._log.read_text().splitlines() if line.startswith("asked")]

    def fall_silent(self) -> None:
        """It takes questions and answers none, which is worse than to be gone."""
        self._process.send_signal(signal.SIGUSR1)

    def answer_again(self) -> None:
        self._process.send_signal(signal.SIGUSR2)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


@contextmanager
def asks(lab: Lab, host: str, server: str) -> Iterator[None]:
    """What is started on `host` meanwhile asks the resolver on `server`, and nobody else (ip-netns(8))."""
    folder = Path("/etc/netns") / f"nt-{lab.name}-{host}"
    folder.mkdir(parents=True)
    try:
        (folder / "resolv.conf").write_text(f"nameserver {lab.address(server)}\n")
        yield
    finally:
        (folder / "resolv.conf").unlink()
        folder.rmdir()


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2])
