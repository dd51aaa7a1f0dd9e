"""People behind one address who all go in at about the same time: each by the socket, and again when told to wait.

Prints one JSON object: how many are in, how often they were refused, and when the last was in, seconds after the first came.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import time

import websockets


class Office:
    def __init__(self, origin: str, meeting: str, people: int, spread: float) -> None:
        self._url = origin.replace("http", "ws", 1) + "/api/v1/signal"
        self._meeting, self._people, self._spread = meeting, people, spread
        self._sockets: list[websockets.ClientConnection] = []
        self._began = time.monotonic()
        self.entered: list[float] = []
        self.refusals: list[int] = []
        self.failures: list[str] = []

    async def run(self) -> dict:
        arrivals = random.Random(7)
        await asyncio.gather(*(self._come(number, arrivals.uniform(0, self._spread)) for number in range(self._people)))
        for socket in self._sockets:
            socket.transport.abort()
        return {
            "in": len(self.entered),
            "last": round(max(self.entered, default=0), 1),
            "refused": sum(self.refusals),
            "most_refusals": max(self.refusals, default=0),
            "failures": self.failures[:3],
        }

    async def _come(self, number: int, arrival: float) -> None:
        await asyncio.sleep(arrival)
        refused = 0
        try:
            while wait := await self._try(number):
                refused += 1
                await asyncio.sleep(wait + random.uniform(0, 0.5))
            self.entered.append(time.monotonic() - self._began)
        except (OSError, websockets.WebSocketException, ValueError) as error:
            self.failures.append(repr(error))
        self.refusals.append(refused)

    async def _try(self, number: int) -> int:
        """Seconds to wait; 0 once in. Those who are in read on, as a page does."""
        socket = await websockets.connect(self._url, proxy=None, compression=None, max_size=None)
        self._sockets.append(socket)
        join = {"type": "join", "id": 1, "meeting": self._meeting, "display_name": f"Colleague {number}"}
        await socket.send(json.dumps(join))
        while (answer := json.loads(await socket.recv())).get("id") != 1:
            pass
        if answer["type"] == "joined":
            asyncio.get_running_loop().create_task(drain(socket))
            return 0
        await socket.close()
        if answer["code"] != "too_many_requests":
            raise ValueError(answer["code"])
        return answer["retry_after_s"]


async def drain(socket: websockets.ClientConnection) -> None:
    try:
        async for _ in socket:
            pass
    except websockets.WebSocketException:
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--origin", required=True)
    parser.add_argument("--meeting", required=True)
    parser.add_argument("--people", type=int, default=500)
    parser.add_argument("--spread", type=float, default=10, help="seconds over which they come")
    options = parser.parse_args()
    office = Office(options.origin, options.meeting, options.people, options.spread)
    print(json.dumps(asyncio.run(asyncio.wait_for(office.run(), 90))))


if __name__ == "__main__":
    main()
