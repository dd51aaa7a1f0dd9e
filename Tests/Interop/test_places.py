"""Who gets into a meeting: a host by the start link, and five hundred people behind one address."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

from chromium import Participant
from conftest import Stage
from lab import wait_until
from playwright.sync_api import Page


def words(page: Page, selector: str, text: str) -> None:
    """Waits until an element says it."""
    page.wait_for_function(
        "([selector, text]) => document.querySelector(selector).innerText.includes(text)", arg=[selector, text]
    )


def test_a_start_link_makes_a_host(stage: Stage) -> None:
    stage.make_lab(clients=2)
    server = stage.start_server()
    token = server.call("GET", "/api/v1/dev/token")["token"]
    plan = {"topic": "Tea", "type": "instant", "settings": {"join_before_host": False}}
    meeting = server.call("POST", "/api/v1/meetings", plan, token)
    number, key = meeting["meeting_number"], meeting["host_key"]
    guest = stage.chromium("client2", "blue").join(server.origin(), number, "Guest")
    words(guest.page, "#lobby-problem", "not open yet")

    query, _, fragment = meeting["start_url"].partition("?")[2].partition("#")
    assert fragment == f"host_key={key}"
    start = f"{server.origin()}/?{query}&name=Host&autojoin=1#{fragment}"
    page = stage.chromium("client1", "red").open(start)
    host = Participant(page, "Host", "red")
    host.wait_connected()
    assert page.evaluate("() => window.needletail.you.role") == "host"
    assert key not in page.evaluate("() => location.href + JSON.stringify(history.state) + document.body.innerHTML")
    assert page.evaluate("() => history.length") <= 2

    guest.page.click("#join-button")
    guest.wait_connected()
    assert guest.page.is_hidden("#lock") and guest.page.is_hidden("#end")
    page.click("#lock")
    words(page, "#lock", "Unlock")
    guest.page.wait_for_selector("#locked:not([hidden])")
    late = stage.chromium("client2", "green").join(server.origin(), number, "Late")
    words(late.page, "#lobby-problem", "locked")

    # The page that is loaded again is the host's still.
    page.goto(f"{server.origin()}/?{query}&name=Host&autojoin=1")
    host.wait_connected()
    assert page.evaluate("() => window.needletail.you.role") == "host"
    page.click("#lock")
    words(page, "#lock", "Lock")
    late.page.click("#join-button")
    late.wait_connected()
    page.click("#end")
    page.click("#end-for-all")
    for each in (page, guest.page, late.page):
        words(each, "#ended-title", "has ended")
    assert server.metric("needletail_participants") == 0


def test_five_hundred_behind_one_address_are_in(stage: Stage, say: Callable[[str], None]) -> None:
    lab = stage.make_lab(clients=1)
    server = stage.start_server()
    token = server.call("GET", "/api/v1/dev/token")["token"]
    plan = {"topic": "Assembly", "type": "instant", "settings": {"max_participants": 500}}
    meeting = server.call("POST", "/api/v1/meetings", plan, token)["meeting_number"]
    program = str(Path(__file__).with_name("office.py"))
    options = ["--origin", server.origin(), "--meeting", meeting, "--people", "500"]
    done = lab.run("client1", sys.executable, program, *options, timeout=120)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    say(f"500 people behind one address within 10 s: {told}")
    assert told["failures"] == [] and told["in"] == 500
    assert told["last"] <= 30


# Sockets of several addresses, which never have media, and which leave and join again every two seconds: URL, meeting, how many
# of each address, addresses. With a minus before it: so many visits one after the other, and prints how each is answered.
SQUAT = """
import asyncio, itertools, json, sys, websockets
url, meeting, each, *addresses = sys.argv[1:]
async def join(address):
    socket = await websockets.connect(url, local_addr=(address, 0), proxy=None)
    await socket.send(json.dumps({"type": "join", "id": 1, "meeting": meeting, "display_name": "Nobody"}))
    return socket, json.loads(await socket.recv())
async def squat(address):
    while True:
        try:
            socket, answer = await join(address)
            if answer["type"] == "joined":
                await asyncio.sleep(2)
                await socket.send(json.dumps({"type": "leave"}))
            await socket.close()
        except (OSError, websockets.WebSocketException):
            pass
async def visit(address, times):
    for _ in range(times):
        socket, answer = await join(address)
        print(answer.get("code", answer["type"]), flush=True)
        await socket.send(json.dumps({"type": "leave"}))
        await socket.close()
        await asyncio.sleep(0.5)
async def main():
    if each.startswith("-"):
        return await visit(addresses[0], -int(each))
    await asyncio.gather(*(squat(address) for address, _ in itertools.product(addresses, range(int(each)))))
asyncio.run(main())
"""


def test_who_leaves_and_joins_again_keeps_nobody_out(stage: Stage) -> None:
    """Four addresses have a quarter of a node each, without media and never for long."""
    lab = stage.make_lab(clients=2)
    server = stage.start_server(cores=(0,), sections="capacity: {sessions: 64}\n")
    addresses = [f"10.66.0.{number}" for number in range(150, 154)]
    for address in addresses:
        assert lab.run("client1", "ip", "address", "add", f"{address}/24", "dev", "eth0").returncode == 0
    url = server.origin().replace("http", "ws", 1) + "/api/v1/signal"
    stage.run("client1", sys.executable, "-c", SQUAT, url, server.create_meeting(), "16", *addresses)
    # All but the hosts' four, again and again: what anybody may do for a while.
    wait_until("a full node", lambda: server.metric("needletail_participants_medialess") >= 60, timeout=30)
    joined = server.log.read_text().count("participant joined")
    wait_until("three more times", lambda: server.log.read_text().count("participant joined") > joined + 240, timeout=60)
    visitor = stage.run("client2", sys.executable, "-c", SQUAT, url, server.create_meeting(), "-10", lab.address("client2"))
    assert visitor.wait(timeout=60) == 0
    assert stage.log(visitor).split() == ["joined"] * 10


# One wrong password from each source address: URL, meeting, addresses.
GUESS = """
import asyncio, json, sys, websockets
async def main(url, meeting, *addresses):
    for address in addresses:
        async with websockets.connect(url, local_addr=(address, 0), proxy=None) as socket:
            join = {"type": "join", "id": 1, "meeting": meeting, "display_name": "Eve", "password": address}
            await socket.send(json.dumps(join))
            print(json.loads(await socket.recv())["code"], flush=True)
asyncio.run(main(*sys.argv[1:]))
"""


def test_many_subnets_of_one_customer_guess_as_one(stage: Stage) -> None:
    lab = stage.make_lab(clients=1)
    server = stage.start_server()
    subnets = [f"fd66:0:0:{number:x}::1" for number in range(1, 26)]
    assert lab.run("pop1", "ip", "-6", "route", "add", "fd66::/48", "dev", "eth0").returncode == 0
    for address in subnets:
        assert lab.run("client1", "ip", "address", "add", f"{address}/64", "dev", "eth0", "nodad").returncode == 0
    token = server.call("GET", "/api/v1/dev/token")["token"]
    plan = {"topic": "Tea", "type": "instant", "password": "sesame"}
    meeting = server.call("POST", "/api/v1/meetings", plan, token)["meeting_id"]
    url = server.origin(6).replace("http", "ws", 1) + "/api/v1/signal"
    guesses = stage.run("client1", sys.executable, "-c", GUESS, url, meeting, *subnets)
    assert guesses.wait(timeout=60) == 0
    assert stage.log(guesses).split() == ["wrong_password"] * 21 + ["too_many_guesses"] * 4


# So many of each address come to a waiting room, print how they are answered, and wait: URL, meeting, how many, addresses.
WAIT = """
import asyncio, json, sys, websockets
async def come(url, meeting, address):
    socket = await websockets.connect(url, local_addr=(address, 0), proxy=None)
    await socket.send(json.dumps({"type": "join", "id": 1, "meeting": meeting, "display_name": "Guest"}))
    answer = json.loads(await socket.recv())
    print(answer.get("code", answer["type"]), flush=True)
    return socket
async def main(url, meeting, count, *addresses):
    sockets = [await come(url, meeting, address) for address in addresses for _ in range(int(count))]
    await asyncio.gather(*(socket.wait_closed() for socket in sockets))
asyncio.run(main(*sys.argv[1:]))
"""


def test_four_addresses_leave_room_in_a_waiting_room(stage: Stage) -> None:
    lab = stage.make_lab(clients=2)
    server = stage.start_server()
    addresses = [f"10.66.0.{number}" for number in range(150, 154)]
    for address in addresses:
        assert lab.run("client1", "ip", "address", "add", f"{address}/24", "dev", "eth0").returncode == 0
    token = server.call("GET", "/api/v1/dev/token")["token"]
    plan = {"topic": "Tea", "type": "instant", "settings": {"waiting_room": True}}
    meeting = server.call("POST", "/api/v1/meetings", plan, token)["meeting_id"]
    url = server.origin().replace("http", "ws", 1) + "/api/v1/signal"
    crowd = stage.run("client1", sys.executable, "-c", WAIT, url, meeting, "25", *addresses)
    wait_until("a full room", lambda: stage.log(crowd).split() == ["waiting"] * 100, timeout=30)
    guest = stage.run("client2", sys.executable, "-c", WAIT, url, meeting, "1", lab.address("client2"))
    wait_until("an answer", lambda: stage.log(guest), timeout=10)
    assert stage.log(guest).split() == ["waiting"]
