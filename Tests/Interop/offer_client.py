"""Joins a meeting once for each offer of a folder, and lets aiortc take the answer as one to an offer of its own with the
same m-lines. Prints a line of JSON for each: the client's name, each m-line's direction (null: refused), and what is wrong."""

from __future__ import annotations

import argparse
import asyncio
import json
import urllib.parse
from pathlib import Path

import signaling
import websockets
from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.sdp import SessionDescription


async def ask(origin: str, meeting: str, name: str, offer: str) -> dict:
    """What the server answers to a join with the offer."""
    url = urllib.parse.urljoin(origin.replace("http", "ws", 1), "/api/v1/signal")
    async with websockets.connect(url, proxy=None) as socket:
        join = {"type": "join", "id": 1, "meeting": meeting, "display_name": name, "offer": offer}
        await socket.send(json.dumps(join))
        text = await asyncio.wait_for(socket.recv(), 10)
        if wrong := signaling.complaint("server", text):
            raise RuntimeError(wrong)
        await socket.send(json.dumps({"type": "leave"}))
    return json.loads(text)


def sections(text: str) -> list[list[str]]:
    """The session's lines, and those of each m-line."""
    parts: list[list[str]] = [[]]
    for line in text.split("\r\n"):
        if line.startswith("m="):
            parts.append([])
        if line:
            parts[-1].append(line)
    return parts


def renamed(answer: str, mids: list[str]) -> str:
    """The answer's accepted m-lines under other mids."""
    session, *media = sections(answer)
    accepted = [part for part in media if not part[0].split()[1] == "0"]
    for part, mid in zip(accepted, mids, strict=True):
        part[:] = [f"a=mid:{mid}" if line.startswith("a=mid:") else line for line in part]
    session[:] = [f"a=group:BUNDLE {' '.join(mids)}" if line.startswith("a=group:") else line for line in session]
    return "".join(f"{line}\r\n" for part in (session, *accepted) for line in part)


async def take(offer: str, answer: str) -> list[str | None]:
    """Lets aiortc take the answer; its transceivers' directions, in the order of the m-lines."""
    offered, answered = SessionDescription.parse(offer).media, SessionDescription.parse(answer).media
    assert [media.kind for media in answered] == [media.kind for media in offered]
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
    try:
        for theirs, ours in zip(offered, answered, strict=True):
            if ours.port:
                connection.addTransceiver(theirs.kind, direction=theirs.direction or "sendrecv")
        await connection.setLocalDescription(await connection.createOffer())
        mids = [media.rtp.muxId for media in SessionDescription.parse(connection.localDescription.sdp).media]
        await connection.setRemoteDescription(RTCSessionDescription(renamed(answer, mids), "answer"))
        assert connection.signalingState == "stable"
        directions = iter(transceiver.currentDirection for transceiver in connection.getTransceivers())
        return [next(directions) if media.port else None for media in answered]
    finally:
        await connection.close()


async def hold(origin: str, meeting: str, path: Path) -> dict:
    offer = path.read_text().replace("\n", "\r\n")
    try:
        joined = await ask(origin, meeting, path.stem, offer)
        if joined["type"] == "error":
            return {"client": path.stem, "wrong": joined["message"]}
        return {"client": path.stem, "directions": await take(offer, joined["sdp"])}
    except Exception as error:  # told to the test, which fails with it
        return {"client": path.stem, "wrong": f"{type(error).__name__}: {error}"}


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for option in ("origin", "meeting", "folder"):
        parser.add_argument(f"--{option}", required=True)
    options = parser.parse_args()
    for path in sorted(Path(options.folder).glob("*.sdp")):
        print(json.dumps(await hold(options.origin, options.meeting, path)), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
