"""Rooms of janus's videoroom in which everybody publishes and watches all the others."""

from __future__ import annotations

import re

import descriptions
import offers
from generator import Generator, Transport
from janus import Janus


def _answer(offer: str, own: Transport) -> str:
    """Takes everything that janus offers, as a browser does."""
    session, *media = re.split(r"(?=^m=)", offer.replace("\r\n", "\n"), flags=re.MULTILINE)
    bundle = re.search(r"^a=group:BUNDLE.*$", session, re.MULTILINE)
    lines = [
        "v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", bundle[0], f"a=ice-ufrag:{own.ufrag}",
        f"a=ice-pwd:{own.password}", f"a=fingerprint:sha-256 {own.fingerprint}", "a=setup:active",
    ]  # fmt: skip
    for part in media:
        lines += [part.split("\n", 1)[0], "c=IN IP4 0.0.0.0", "a=recvonly", "a=rtcp-mux"]
        lines += re.findall(r"^a=(?:mid|rtpmap|fmtp|rtcp-fb|extmap):.*$", part, re.MULTILINE)
    return "".join(line + "\r\n" for line in lines)


class Watcher:
    """A subscriber with one transport for all feeds."""

    def __init__(self, janus: Janus, generator: Generator, room: int, number: int) -> None:
        self._janus, self._generator, self._room, self._number = janus, generator, room, number
        self._own = generator.own_transport(number)

    async def watch(self, feeds: list[int]) -> None:
        self._handle = await self._janus.attach()
        streams = [{"feed": feed} for feed in feeds]
        offer = await self._janus.tell(
            self._handle, request="join", room=self._room, ptype="subscriber", streams=streams
        )
        await self._take(offer["jsep"]["sdp"])
        await self._generator.connect(self._number, self._own, descriptions.read(offer["jsep"]["sdp"]))

    async def add(self, feed: int) -> None:
        offer = await self._janus.tell(self._handle, request="update", subscribe=[{"feed": feed}])
        await self._take(offer["jsep"]["sdp"])

    async def _take(self, offer: str) -> None:
        answer = {"type": "answer", "sdp": _answer(offer, self._own)}
        await self._janus.tell(self._handle, answer, request="start")


class Rooms:
    """People come one after the other; each has a transport to publish with, and one to watch with."""

    def __init__(self, janus: Janus, generator: Generator) -> None:
        self._janus, self._generator = janus, generator
        self._transports = 0

    def _next(self) -> int:
        self._transports += 1
        return self._transports - 1

    async def fill(self, room: int, people: int) -> int:
        """How many transports they made."""
        first = self._transports
        manager = await self._janus.attach()
        await self._janus.tell(manager, request="create", room=room, publishers=people, bitrate=0, videocodec="vp8")
        feeds: list[int] = []
        watchers: list[Watcher] = []
        for number in range(people):
            feed = await self._publish(room)
            for watcher in watchers:
                await watcher.add(feed)
            # The first one begins to watch when there is somebody.
            begin = [feeds] if number > 1 else [[feed], feeds] if number == 1 else []
            for seen in begin:
                watcher = Watcher(self._janus, self._generator, room, self._next())
                await watcher.watch(list(seen))
                watchers.append(watcher)
            feeds.append(feed)
        return self._transports - first

    async def _publish(self, room: int) -> int:
        """Publishes with a browser's microphone and camera; the feed."""
        number = self._next()
        own = self._generator.own_transport(number)
        handle = await self._janus.attach()
        sdp = offers.fill(offers.write_publisher(), own.ufrag, own.password, own.fingerprint)
        joined = await self._janus.tell(
            handle, {"type": "offer", "sdp": sdp}, request="joinandconfigure", room=room, ptype="publisher",
            audio=True, video=True,
        )  # fmt: skip
        await self._generator.connect(number, own, descriptions.read(joined["jsep"]["sdp"]))
        return joined["plugindata"]["data"]["id"]
