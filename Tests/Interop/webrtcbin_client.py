"""A participant made of GStreamer's webrtcbin and websocket-client: joins by the socket in one step, sends one colour and
one tone, and tells what its Slots show. For Debian's own Python, which has GStreamer's bindings. Takes one command a line on
stdin, and answers one JSON object a line."""

from __future__ import annotations

import argparse
import itertools
import json
import queue
import threading
import urllib.parse

import media
import webrtcbin
import websocket

SLOTS = 2  # of each kind


class MeetingClient:
    """One participant. `join` answers when the media path stands."""

    def __init__(self, origin: str, meeting: str, name: str, codec: str, colour: str, checks: bool) -> None:
        self._url = urllib.parse.urljoin(origin.replace("http", "ws", 1), "/api/v1/signal")
        self._meeting, self._name = meeting, name
        self._connection = webrtcbin.Connection(codec, colour, SLOTS, SLOTS, checks)
        self._slots: dict[str, dict] = {}
        self._others: set[str] = set()
        self._messages: list[dict] = []
        # All that was said on the socket since the test was told: pairs of `client` or `server`, and the text.
        self._said: list[tuple[str, str]] = []
        self._replies: queue.Queue[dict] = queue.Queue()
        self._ids = itertools.count(1)

    def join(self) -> dict:
        self._socket = websocket.create_connection(self._url, timeout=10, http_no_proxy=["*"])
        self._socket.settimeout(None)
        threading.Thread(target=self._read, daemon=True).start()
        joined = self._request(
            "join",
            meeting=self._meeting,
            display_name=self._name,
            offer=self._connection.offer(),
            media_state={"audio": True, "video": True},
            view={"layout": "gallery"},
        )
        self._connection.take_answer(joined["sdp"])
        if not self._connection.connected.wait(15):
            raise TimeoutError(f"not connected in 15 s: {self._connection.state}")
        return {"participant_id": joined["you"]["participant_id"]}

    def _request(self, kind: str, **fields: object) -> dict:
        """The answer; requests are made one after the other."""
        text = json.dumps({"type": kind, "id": next(self._ids), **fields})
        self._said.append(("client", text))
        self._socket.send(text)
        reply = self._replies.get(timeout=10)
        if reply["type"] == "error":
            raise RuntimeError(f"{kind}: {reply}")
        return reply

    def _read(self) -> None:
        try:
            while text := self._socket.recv():
                self._said.append(("server", text))
                message = json.loads(text)
                self._messages.append(message)
                self._follow(message)
                if "id" in message:
                    self._replies.put(message)
        except (OSError, websocket.WebSocketException):
            pass

    def _follow(self, message: dict) -> None:
        kind = message["type"]
        if kind == "joined":
            self._others = {other["participant_id"] for other in message["participants"]}
        if kind in ("joined", "slots"):
            self._slots.update({slot["mid"]: slot for slot in message["slots"]})
        elif kind == "participant_joined":
            self._others.add(message["participant"]["participant_id"])
        elif kind == "participant_left":
            self._others.discard(message["participant_id"])

    def observe(self) -> dict:
        """What each receive Slot shows now, with whom the server says is in it."""
        slots = [
            {"participant_id": None, "source": None, **self._slots.get(mid, {}), "mid": mid, **seen}
            for mid, seen in self._connection.slots().items()
        ]
        return {"slots": slots}

    def others(self) -> dict:
        return {"participants": sorted(self._others)}

    def messages(self) -> dict:
        return {"messages": self._messages}

    def said(self) -> dict:
        said, self._said = self._said, []
        return {"said": said}

    def leave(self) -> dict:
        self._request("leave")
        self.stop()
        return {}

    def stop(self) -> None:
        self._connection.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for option in ("origin", "meeting", "name"):
        parser.add_argument(f"--{option}", required=True)
    parser.add_argument("--codec", choices=webrtcbin.FORMATS, required=True)
    parser.add_argument("--colour", choices=media.COLOURS, required=True)
    parser.add_argument("--checks", action="store_true", help="renews consent, which webrtcbin does not by itself")
    options = parser.parse_args()
    webrtcbin.start()
    client = MeetingClient(options.origin, options.meeting, options.name, options.codec, options.colour, options.checks)
    webrtcbin.serve({name: getattr(client, name) for name in ("join", "leave", "observe", "others", "messages", "said")})
    client.stop()


if __name__ == "__main__":
    main()
