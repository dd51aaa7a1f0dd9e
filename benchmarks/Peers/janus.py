"""Debian's janus with its videoroom plugin, spoken to by WebSocket: its Unix socket takes messages of 8 KiB."""

from __future__ import annotations

import asyncio
import itertools
import json
from pathlib import Path

import descriptions
import websockets
from generator import Generator
from processes import Ended, Program, wait_until

SERVER_ADDRESS = "10.67.0.1"
LIBRARIES = "/usr/lib/x86_64-linux-gnu/janus"
SSRC = 0x20000000
ROOM = 1
API_PORT = 8188


class Janus:
    """ICE-lite, without logs, and `event_loops` threads for all handles instead of one each, which costs it more."""

    def __init__(self, folder: Path, core: int, event_loops: int) -> None:
        (folder / "janus.jcfg").write_text(f"""
general: {{
  configs_folder = "{folder}"
  plugins_folder = "{LIBRARIES}/plugins"
  transports_folder = "{LIBRARIES}/transports"
  events_folder = "{LIBRARIES}/events"
  loggers_folder = "{LIBRARIES}/loggers"
  debug_level = 2
  event_loops = {event_loops}
}}
nat: {{ ice_lite = true, ice_enforce_list = "{SERVER_ADDRESS}" }}
plugins: {{ disable = "{self._others("plugins", "videoroom")}" }}
transports: {{ disable = "{self._others("transports", "websockets")}" }}
""")
        (folder / "janus.transport.websockets.jcfg").write_text(
            f'general: {{ json = "compact", ws = true, ws_ip = "127.0.0.1", ws_port = {API_PORT} }}\n'
        )
        (folder / "janus.plugin.videoroom.jcfg").write_text("general: { }\n")
        self.program = Program(["janus", "-F", str(folder)], core, folder / "janus.log", starts_anywhere=True)
        self._numbers = itertools.count(1)

    @staticmethod
    def _others(folder: str, wanted: str) -> str:
        names = (path.name for path in Path(LIBRARIES, folder).glob("*.so"))
        return ",".join(name for name in names if wanted not in name)

    async def __aenter__(self) -> Janus:
        await self._start()
        self._session = (await self._ask(janus="create"))["data"]["id"]
        return self

    async def _start(self, tries: int = 10) -> None:
        # Janus 1.1.2 ends at once when its socket's thread runs before the flag is set that keeps it running: on one
        # core mostly, on two seldom.
        for number in range(tries):
            await self.program.__aenter__()
            try:
                await wait_until("janus", self._connects)
                return self.program.pin()
            except Ended:
                if number == tries - 1:
                    raise

    async def __aexit__(self, *error: object) -> None:
        await self._socket.close()
        await self.program.__aexit__(*error)

    async def _connects(self) -> bool:
        self.program.check()
        try:
            self._socket = await websockets.connect(
                f"ws://127.0.0.1:{API_PORT}", subprotocols=["janus-protocol"], ping_interval=None, max_size=None
            )
            return True
        except OSError:
            return False

    async def _ask(self, **message: object) -> dict:
        """The answer to a request; an asynchronous one is acknowledged first, and answered by an event."""
        number = message["transaction"] = str(next(self._numbers))
        await self._socket.send(json.dumps(message))
        while True:
            answer = json.loads(await asyncio.wait_for(self._socket.recv(), 15))
            if answer.get("transaction") != number or answer["janus"] == "ack":
                continue
            error = answer.get("error") or answer.get("plugindata", {}).get("data", {}).get("error")
            if error:
                raise RuntimeError(f"janus: {error}")
            return answer

    async def attach(self) -> int:
        answer = await self._ask(janus="attach", session_id=self._session, plugin="janus.plugin.videoroom")
        return answer["data"]["id"]

    async def tell(self, handle: int, jsep: dict | None = None, **body: object) -> dict:
        message = {"janus": "message", "session_id": self._session, "handle_id": handle, "body": body}
        return await self._ask(**message, **({"jsep": jsep} if jsep else {}))

    async def fill(self, generator: Generator, viewers: int) -> None:
        """A room with client 0 as its publisher, and as many who watch it."""
        handle = await self.attach()
        await self.tell(handle, request="create", room=ROOM, publishers=1, bitrate=0, fir_freq=0, videocodec="vp8")
        own = generator.own_transport(0)
        offer = {"type": "offer", "sdp": descriptions.write(own, "sendonly", "active", ssrc=SSRC)}
        joined = await self.tell(handle, offer, request="joinandconfigure", room=ROOM, ptype="publisher", video=True)
        await generator.connect(0, own, descriptions.read(joined["jsep"]["sdp"]))
        feed = joined["plugindata"]["data"]["id"]
        for number in range(1, viewers + 1):
            await self._watch(generator, number, feed)

    async def _watch(self, generator: Generator, number: int, feed: int) -> None:
        handle = await self.attach()
        offer = await self.tell(handle, request="join", room=ROOM, ptype="subscriber", streams=[{"feed": feed}])
        text = offer["jsep"]["sdp"]
        own = generator.own_transport(number)
        answer = descriptions.write(
            own, "recvonly", "active", descriptions.mid(text), descriptions.payload_type(text)
        )
        await self.tell(handle, {"type": "answer", "sdp": answer}, request="start")
        await generator.connect(number, own, descriptions.read(text))

    def publish(self, generator: Generator, rate: int) -> None:
        generator.publish(rate, descriptions.PAYLOAD_TYPE, SSRC)
