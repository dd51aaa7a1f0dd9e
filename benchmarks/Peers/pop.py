"""Needletail as a PoP, spoken to as its clients do: REST, then a WebSocket for each participant; TURN."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import descriptions
import websockets
from generator import Generator
from processes import Program, wait_until

ROOT = Path(__file__).resolve().parents[2]
OPS = "http://127.0.0.1:9090"
MEDIA_ADDRESS = "10.67.0.3"
MEDIA_PORT = 3478
SSRC = 0x20000000
USER, PASSWORD = "load", "load-password"
# One user has all allocations; a private address is a peer; it does not come near the limit of its bandwidth.
RELAY = f"""
turn:
  users: ["{USER}:{PASSWORD}"]
  allow_peers: ["10.67.0.0/24"]
  allocations_per_user: 1000
  bits_per_second_per_user: 100000000000
"""
DEVICES = {
    "af_packet": "net_af_packet0,iface=media0,qpairs=1",
    "packet_socket": "packet_socket0,iface=media0",
    "af_xdp": "net_af_xdp0,iface=media0,start_queue=0,queue_count=1",
}


def _call(method: str, url: str, body: dict | None = None, token: str | None = None) -> str:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(url, json.dumps(body).encode() if body else None, headers, method=method)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as response:
        return response.read().decode()


class Pop:
    """One worker on the namespace's end of the cable; its idle mode is the one of ports of the kernel, adaptive."""

    def __init__(
        self, folder: Path, core: int, binary: str, driver: str, profile: str, api: str = "127.0.0.1:8080"
    ) -> None:
        """`api`: where REST and signaling are served."""
        self._origin = f"http://{api}"
        config = folder / "needletail.yaml"
        made = subprocess.run(
            [ROOT / "appliance" / "config", "--device", DEVICES[driver], "--address", f"{MEDIA_ADDRESS}/24",
             "--cores", str(core), "--srtp", profile, "--api", api],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        config.write_text(made.stdout + RELAY)
        command = [binary, "serve", "--config", str(config), "--dev"]
        self.program = Program(command, core, folder / "needletail.log")
        self._numbers = itertools.count(1)
        self._sockets: list[websockets.WebSocketClientProtocol] = []

    async def __aenter__(self) -> Pop:
        await self.program.__aenter__()
        await wait_until("needletail", self._is_ready, 30)
        return self

    async def __aexit__(self, *error: object) -> None:
        for socket in self._sockets:
            await socket.close()
        await self.program.__aexit__(*error)

    async def _is_ready(self) -> bool:
        self.program.check()
        try:
            await asyncio.to_thread(_call, "GET", OPS + "/readyz")
            return True
        except urllib.error.URLError:
            return False

    async def _call(self, method: str, path: str, body: dict | None = None, token: str | None = None) -> dict:
        return json.loads(await asyncio.to_thread(_call, method, self._origin + path, body, token))

    async def working(self) -> float:
        """Cores that the worker's turns with something to do took in the last second, by its own count."""
        text = await asyncio.to_thread(_call, "GET", OPS + "/metrics")
        return sum(map(float, re.findall(r"^needletail_worker_busy_ratio{[^}]*} (\S+)", text, re.MULTILINE)))

    async def create_meeting(self, **settings: object) -> str:
        """Its id."""
        token = (await self._call("GET", "/api/v1/dev/token"))["token"]
        plan = {"topic": "Load", "type": "instant", "settings": settings}
        return (await self._call("POST", "/api/v1/meetings", plan, token))["meeting_id"]

    async def fill(self, generator: Generator, viewers: int) -> None:
        """A meeting with client 0 as its publisher, and as many who watch it."""
        meeting = await self.create_meeting()
        for number in range(viewers + 1):
            await self._join(generator, number, meeting)

    async def fill_relay(self, generator: Generator, clients: int) -> None:
        """Allocations, each with a channel to a peer."""
        for number in range(clients):
            await generator.allocate(number, (MEDIA_ADDRESS, MEDIA_PORT), USER, PASSWORD)

    async def _join(self, generator: Generator, number: int, meeting: str) -> None:
        admitted = await self._call("POST", f"/api/v1/meetings/{meeting}/join", {"display_name": f"client {number}"})
        socket = await websockets.connect(self._origin.replace("http", "ws") + "/api/v1/signal")
        self._sockets.append(socket)
        await self._request(socket, "join", session_token=admitted["session_token"])
        own = generator.own_transport(number)
        if number == 0:
            await self._request(socket, "media_state", video=True)
            offer = descriptions.write(own, "sendonly", "active", ssrc=SSRC)
        else:
            offer = descriptions.write(own, "recvonly", "active")
        answer = await self._request(socket, "offer", sdp=offer)
        await generator.connect(number, own, descriptions.read(answer["sdp"]))

    async def _request(self, socket: websockets.WebSocketClientProtocol, kind: str, **fields: object) -> dict:
        number = str(next(self._numbers))
        await socket.send(json.dumps({"type": kind, "id": number, **fields}))
        while True:
            answer = json.loads(await asyncio.wait_for(socket.recv(), 10))
            if answer.get("id") != number:
                continue
            if answer["type"] == "error":
                raise RuntimeError(f"needletail: {kind}: {answer}")
            return answer

    def publish(self, generator: Generator, rate: int) -> None:
        generator.publish(rate, descriptions.PAYLOAD_TYPE, SSRC)
