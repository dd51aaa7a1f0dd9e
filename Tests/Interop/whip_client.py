"""A client of WHIP or WHEP: publishes one colour and one tone, or tells what it plays. For Debian's own Python, which has
GStreamer's bindings. Takes one command a line on stdin, and answers one JSON object a line."""

from __future__ import annotations

import argparse
import time
import urllib.error
import urllib.parse
import urllib.request

import media
import webrtcbin


def call(method: str, url: str, token: str, body: str = "", **headers: str) -> tuple[int, dict, str]:
    """Status, headers and body of an answer."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(
        url, body.encode() or None, {"Authorization": f"Bearer {token}", **fields}, method=method
    )
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as response:
            return response.status, dict(response.headers), response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read().decode()


class Client:
    def __init__(self, url: str, token: str, codec: str, colour: str | None) -> None:
        self.url, self.token = url, token
        self.session, self.tag = "", ""
        slots = 0 if colour else 1
        self.connection = webrtcbin.Connection(codec, colour, audios=slots, videos=slots)

    def open(self) -> dict:
        """Answers when the server's answer is taken; `posted` is the time of the request."""
        offer = self.connection.offer()
        posted = time.monotonic()
        status, headers, body = call("POST", self.url, self.token, offer, Content_Type="application/sdp")
        if status != 201:
            return {"status": status, "body": body, "offer": offer}
        answered = time.monotonic()
        self.session, self.tag = urllib.parse.urljoin(self.url, headers["Location"]), headers["ETag"]
        self.connection.take_answer(body)
        return {"status": status, "posted": posted, "answered": answered, "session": self.session, "answer": body}

    def trickle(self) -> dict:
        """Tells all candidates, as RFC 9725 section 4.3.2 has it."""
        if not self.connection.gathered.wait(10):
            return {"error": "no candidates in 10 s"}
        candidates = self.connection.candidates
        fragment = "".join(f"a={line}\r\n" for line in candidates) + "a=end-of-candidates\r\n"
        status, _, _ = call(
            "PATCH", self.session, self.token, fragment, Content_Type="application/trickle-ice-sdpfrag", If_Match=self.tag
        )
        return {"status": status, "candidates": len(candidates)}

    def observe(self) -> dict:
        """Of a player, what each kind shows."""
        played = self.connection.slots().values()
        return {"state": self.connection.state, **{slot["kind"]: slot for slot in played}}

    def close(self) -> dict:
        status, _, _ = call("DELETE", self.session, self.token)
        self.stop()
        return {"status": status}

    def stop(self) -> dict:
        """Ends the media without a word by HTTP."""
        self.connection.stop()
        return {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--codec", choices=webrtcbin.FORMATS, default="vp8")
    parser.add_argument("--colour", choices=media.COLOURS, help="publishes it; plays without")
    options = parser.parse_args()
    webrtcbin.start()
    client = Client(options.url, options.token, options.codec, options.colour)
    webrtcbin.serve({name: getattr(client, name) for name in ("open", "trickle", "observe", "close", "stop")})
    client.stop()


if __name__ == "__main__":
    main()
