"""Debian's coturn as a TURN relay over UDP with long-term credentials."""

from __future__ import annotations

from pathlib import Path

from generator import Generator
from processes import Program

SERVER_ADDRESS = "10.67.0.1"
PORT = 3478
USER, PASSWORD = "load", "load-password"


class Coturn:
    """`threads` relay threads; neither TCP nor TLS nor a command line, and no log of sessions."""

    def __init__(self, folder: Path, core: int, threads: int) -> None:
        options = [
            "-n", f"--listening-ip={SERVER_ADDRESS}", f"--relay-ip={SERVER_ADDRESS}", f"--listening-port={PORT}",
            f"--relay-threads={threads}", "--lt-cred-mech", f"--user={USER}:{PASSWORD}", "--realm=load", "--no-cli",
            "--no-tcp", "--no-tls", "--no-dtls", "--no-tcp-relay", f"--pidfile={folder}/pid", "--log-file=stdout",
            "--min-port=50000", "--max-port=50999", "--no-stdout-log", f"--userdb={folder}/users",
        ]  # fmt: skip
        self.program = Program(["turnserver", *options], core, folder / "coturn.log")

    async def __aenter__(self) -> Coturn:
        await self.program.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.program.__aexit__(*error)

    async def fill_relay(self, generator: Generator, clients: int) -> None:
        """Allocations, each with a channel to a peer. The first request is repeated until the server is up."""
        for number in range(clients):
            await generator.allocate(number, (SERVER_ADDRESS, PORT), USER, PASSWORD)
