"""A viewer whose line is too slow for a picture sees why, and the picture again when there is room."""

from __future__ import annotations

import time
from collections.abc import Callable

from checks import check_sees
from conftest import Stage

# What the tile of a person shows, and what the page says of our own line.
TILE = """(id) => {
    const tile = document.querySelector(`#board .tile[data-participant="${id}"]`);
    const mark = tile.querySelector(".pause-mark");
    return {
        paused: tile.classList.contains("paused"),
        live: tile.classList.contains("live"),
        words: mark.checkVisibility() ? mark.innerText : "",
        heard: tile.querySelector(":scope > .visually-hidden").innerText,
        grade: document.querySelector("#own-quality").dataset.grade,
    };
}"""


def test_a_picture_without_room_says_so(stage: Stage, say: Callable[[str], None]) -> None:
    lab = stage.make_lab(clients=2)
    server = stage.start_server()
    meeting = server.create_meeting()
    red = stage.chromium("client1", "red", size=(160, 90)).join(server.origin(), meeting, "Red")
    blue = stage.chromium("client2", "blue", size=(640, 360)).join(server.origin(), meeting, "Blue")
    for page in (red, blue):
        page.wait_connected()
    check_sees(red, blue)
    tile = red.page.evaluate(TILE, blue.participant_id)
    assert (tile["paused"], tile["live"], tile["words"]) == (False, True, "")

    # Room for the sound and what is said beside it, and for no picture. The way up stays wide: with a sound of Red's own it
    # would be full, and what the server says would wait for its acknowledgement.
    started = time.monotonic()
    lab.downlink("client1", "--rate", "90kbit")
    selector = f'#board .tile[data-participant="{blue.participant_id}"]'
    red.page.wait_for_selector(f"{selector}.paused:not(.live)", timeout=30_000)
    paused = time.monotonic() - started
    tile = red.page.evaluate(TILE, blue.participant_id)
    assert tile["words"] == "Paused: slow connection"
    assert "paused: slow connection" in tile["heard"]
    red.page.wait_for_selector('#own-quality[data-grade="poor"]', timeout=10_000)

    started = time.monotonic()
    lab.downlink("client1")
    red.page.wait_for_selector(f"{selector}.live:not(.paused)", timeout=10_000)
    back = time.monotonic() - started
    check_sees(red, blue)
    assert red.page.evaluate(TILE, blue.participant_id)["words"] == ""
    say(f"paused after {paused:.1f} s on a line of 90 kbit/s, back {back:.1f} s after it was wide again")
