"""What TURN clients that nobody here wrote need: a relay with a certificate, and a Chromium that uses relays only."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lab import Lab

SECRET = "a shared secret of the tests"
USER, PASSWORD = "lab", "a password of the lab"
PORTS = {"udp": 3478, "tcp": 3478, "tls": 5349}


@dataclass
class Certificate:
    chain: Path
    key: Path

    @classmethod
    def make(cls, folder: Path, *addresses: str) -> Certificate:
        """Self-signed, for these addresses."""
        made = cls(folder / "turn.pem", folder / "turn.key")
        names = ",".join(f"IP:{address}" for address in addresses)
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        command += ["-days", "2", "-subj", "/CN=turn.test", "-addext", f"subjectAltName={names}"]
        command += ["-out", str(made.chain), "-keyout", str(made.key)]
        subprocess.run(command, check=True, capture_output=True)
        return made

    @property
    def spki(self) -> str:
        """The SHA-256 of its public key, as Chromium's list of exceptions has it."""
        public = subprocess.run(
            ["openssl", "x509", "-in", str(self.chain), "-pubkey", "-noout"], check=True, capture_output=True
        ).stdout
        der = subprocess.run(
            ["openssl", "pkey", "-pubin", "-outform", "der"], input=public, check=True, capture_output=True
        ).stdout
        return base64.b64encode(hashlib.sha256(der).digest()).decode()


def turn_section(lab: Lab, folder: Path, host: str = "pop1", more: str = "") -> tuple[str, Certificate]:
    """The relay's part of a configuration: TCP and TLS on the kernel's addresses, and the lab's hosts as peers.

    `more`: further keys, a line each."""
    addresses = [lab.address(host, family) for family in (4, 6)]
    certificate = Certificate.make(folder, *addresses)
    tcp, tls = (
        ", ".join(f'"{address}"' for address in (f"{addresses[0]}:{port}", f"[{addresses[1]}]:{port}"))
        for port in (PORTS["tcp"], PORTS["tls"])
    )
    text = f"""
turn:
  secrets: ["{SECRET}"]
  users: ["{USER}:{PASSWORD}"]
  tcp_listen: [{tcp}]
  tls_listen: [{tls}]
  certificate: "{certificate.chain}"
  private_key: "{certificate.key}"
  allow_peers: ["10.66.0.0/24", "fd66::/64"]
"""
    return text + "".join(f"  {line}\n" for line in more.splitlines()), certificate


# Every connection of a page goes through a relay.
RELAY_ONLY = """
window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(configuration) { super({ ...configuration, iceTransportPolicy: "relay" }); }
};
"""

# How the selected pair's own candidate came about.
LOCAL_CANDIDATE = """async () => {
    const stats = await window.needletail.pc.getStats();
    for (const transport of stats.values()) {
        if (transport.type !== "transport") continue;
        const pair = stats.get(transport.selectedCandidatePairId);
        const { candidateType, relayProtocol, address, port } = stats.get(pair.localCandidateId);
        return { candidateType, relayProtocol, address, port };
    }
}"""
