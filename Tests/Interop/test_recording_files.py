"""`needletail record` and `compose`: what is captured plays, in step, and is there after a kill; the film shows it."""

from __future__ import annotations

import array
import json
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import av
import media
from conftest import Stage
from lab import wait_until
from server import BINARY
from test_drain import make_certificate
from test_host import Person
from test_screen import COLOUR, TITLE, show_slides


class Recorder:
    """The recorder, on client2."""

    def __init__(self, stage: Stage, meeting: dict, folder: Path) -> None:
        key = folder / "key"
        key.write_text(meeting["host_key"] + "\n")
        self._stage, self.folder = stage, folder / "recordings"
        self.folder.mkdir()
        self.program = stage.run(
            "client2", str(BINARY), "record", "--url", stage.server.origin(), "--meeting", meeting["meeting_number"],
            "--folder", str(self.folder), "--host-key-file", str(key),
        )  # fmt: skip

    def said(self) -> str:
        return self._stage.log(self.program)

    def manifest(self) -> dict:
        found = list(self.folder.glob("*/recording.json"))
        return json.loads(found[0].read_text()) if found else {"files": []}

    def path(self, source: str) -> Path:
        name = next(file["file"] for file in self.manifest()["files"] if file["source"] == source)
        return next(self.folder.glob("*")) / name

    def events(self) -> list[dict]:
        lines = next(self.folder.glob("*/events.jsonl")).read_text().splitlines()
        return [json.loads(line) for line in lines]

    def compose(self) -> Path:
        """The film of what was captured."""
        folder = next(self.folder.glob("*"))
        command = [str(BINARY), "compose", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stderr
        assert done.stderr.splitlines()[-1] == "100%", done.stderr
        check_plays(folder / "composition/meeting.mp4")
        return folder / "composition/meeting.mp4"

    def wait_for(self, *sources: str) -> None:
        def captured() -> bool:
            return {file["source"] for file in self.manifest()["files"]} >= set(sources)

        wait_until(f"{sources} to be captured", captured, timeout=20, explain=self.said)


def meeting_of(stage: Stage) -> dict:
    server = stage.start_server()
    token = server.call("GET", "/api/v1/dev/token")["token"]
    return server.call("POST", "/api/v1/meetings", {"topic": "Recorded", "type": "instant"}, token)


def check_plays(path: Path) -> None:
    """Without a complaint of ffmpeg's."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-enc_time_base", "-1", "-f", "null", "-"]
    played = subprocess.run(command, capture_output=True, text=True, check=True)
    assert played.stdout + played.stderr == "", path


def pictures(path: Path) -> list[tuple[float, str | None, float]]:
    """Time, colour and brightness of each."""
    found = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            means = []
            for plane in frame.reformat(format="yuv420p").planes:
                row = bytes(plane)[plane.line_size * (plane.height // 2) :][: plane.width]
                means.append(sum(row) / len(row))
            found.append((frame.time, media.nearest_colour(media.rgb(*means)), means[0]))
    return found


def sounds(path: Path) -> list[tuple[float, array.array]]:
    """Time and samples of 48 kHz, of the first channel, of each packet."""
    found = []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            samples = array.array("f", bytes(frame.planes[0])[: frame.samples * 4])
            found.append((frame.time, array.array("h", (int(32767 * max(-1, min(1, s))) for s in samples))))
    return found


def starts_of_sound(heard: list[tuple[float, array.array]]) -> list[float]:
    """When the tone begins each time, s: behind 0.1 s of silence."""
    found, loud = [], 0.0
    for begin, samples in heard:
        for index in range(0, len(samples), 48):
            now = begin + index / media.SAMPLE_RATE
            if max(map(abs, samples[index : index + 48]), default=0) > 2_000:
                if now - loud > 0.1:
                    found.append(now)
                loud = now
    return found


def starts_of_light(seen: list[tuple[float, str | None, float]]) -> list[float]:
    """When the picture becomes bright each time, s."""
    return [now for (_, _, before), (now, _, bright) in zip(seen, seen[1:]) if bright - before > 25]


def test_a_meeting_is_captured(stage: Stage, tmp_path: Path, say: Callable[[str], None]) -> None:
    stage.make_lab(clients=2)
    meeting = meeting_of(stage)
    ada = stage.peer("client1", meeting["meeting_id"], "Ada", "red", flash=True)
    ada.join()
    recorder = Recorder(stage, meeting, tmp_path)
    recorder.wait_for("audio", "video")
    time.sleep(10)
    recorder.program.send_signal(signal.SIGTERM)
    assert recorder.program.wait(timeout=20) == 0, recorder.said()
    manifest = recorder.manifest()
    assert manifest["state"] == "complete" and len(manifest["files"]) == 2, manifest
    assert [each["display_name"] for each in manifest["participants"]] == ["Ada"]
    kinds = [event["event"] for event in recorder.events()]
    assert kinds[0] == "began" and kinds[-1] == "ended" and kinds.count("joined") == 1 and "gap" not in kinds, kinds
    for source in ("audio", "video"):
        check_plays(recorder.path(source))
    seen, heard = pictures(recorder.path("video")), sounds(recorder.path("audio"))
    assert seen[-1][0] - seen[0][0] > 9 and heard[-1][0] - heard[0][0] > 9
    bright = [colour for _, colour, _ in seen if colour is not None]
    assert bright and set(bright) == {"red"}
    voice = array.array("h", (sample for _, samples in heard[100:200] for sample in samples))
    assert media.loudest_tone(voice) == "red"
    light, sound = starts_of_light(seen), starts_of_sound(heard)
    apart = sorted(min((each - begin for each in sound), key=abs) for begin in light[1:-1])
    middle = apart[len(apart) // 2]
    say(f"sound begins {middle * 1000:.0f} ms after the picture, {apart[0] * 1000:.0f} to {apart[-1] * 1000:.0f} ms")
    assert len(light) > 10 and abs(middle) < 0.04
    film = recorder.compose()
    light, sound = starts_of_light(pictures(film)), starts_of_sound(sounds(film))
    composed = sorted(min((each - begin for each in sound), key=abs) for begin in light[1:-1])
    in_film = composed[len(composed) // 2]
    say(f"in the film {in_film * 1000:.0f} ms, {composed[0] * 1000:.0f} to {composed[-1] * 1000:.0f} ms")
    assert len(light) > 10 and abs(in_film - middle) < 0.02


def test_a_kill_costs_a_second(stage: Stage, tmp_path: Path, say: Callable[[str], None]) -> None:
    stage.make_lab(clients=2)
    meeting = meeting_of(stage)
    ada = stage.peer("client1", meeting["meeting_id"], "Ada", "red")
    ada.join()
    recorder = Recorder(stage, meeting, tmp_path)
    recorder.wait_for("audio", "video")
    time.sleep(5)
    recorder.program.kill()
    killed = time.time()
    recorder.program.wait()
    manifest = recorder.manifest()
    assert manifest["state"] == "recording"
    began = datetime.fromisoformat(manifest["started_at"]).timestamp()
    for source, found in (("video", pictures), ("audio", sounds)):
        path = recorder.path(source)
        lost = killed - (began + found(path)[-1][0])
        say(f"a kill cost {lost * 1000:.0f} ms of {source}")
        assert lost < 1
    # The meeting goes on, and is captured anew.
    again = tmp_path / "again"
    again.mkdir()
    recorder = Recorder(stage, meeting, again)
    recorder.wait_for("audio", "video")


def test_a_screen_is_captured(stage: Stage, tmp_path: Path) -> None:
    """With who shares it, a browser."""
    stage.make_lab(clients=2)
    meeting = meeting_of(stage)
    browser = stage.chromium("client1", "blue", shared_tab=TITLE)
    address = f"{stage.server.origin()}/?meeting={meeting['meeting_id']}&name=Blue&autojoin=1&slots=4"
    blue = Person(browser.open(address), "Blue", browser.colour)
    blue.wait_connected()
    show_slides(blue.page)
    recorder = Recorder(stage, meeting, tmp_path)
    recorder.wait_for("audio", "video")
    blue.page.click("#share")
    recorder.wait_for("screen")
    blue.page.wait_for_timeout(3_000)
    blue.page.click("#share")

    def is_stopped() -> bool:
        states = [event["screen"] for event in recorder.events() if event["event"] == "media_state"]
        return True in states and not states[-1]

    wait_until("the end of the screen to be in the log", is_stopped, timeout=10, explain=recorder.events)
    recorder.program.send_signal(signal.SIGTERM)
    assert recorder.program.wait(timeout=20) == 0, recorder.said()
    for source in ("audio", "video", "screen"):
        check_plays(recorder.path(source))
    assert pictures(recorder.path("screen"))[-1][1] == COLOUR
    assert {colour for _, colour, _ in pictures(recorder.path("video"))[5:]} == {"blue"}


def test_the_server_is_known_by_its_certificate(stage: Stage, tmp_path: Path) -> None:
    lab = stage.make_lab(clients=1)
    certificate, secret = make_certificate(tmp_path, "first")
    server = stage.start_server(families=(4,), certificate=(certificate, secret))

    def call(method: str, path: str, token: str = "") -> dict:
        command = ["curl", "-sSk", "-X", method, f"https://127.0.0.1:8080{path}"]
        if token:
            command += ["-H", f"Authorization: Bearer {token}", "-H", "Content-Type: application/json"]
            command += ["-d", '{"topic": "Recorded"}']
        return json.loads(lab.run(server.host, *command).stdout)

    meeting = call("POST", "/api/v1/meetings", call("GET", "/api/v1/dev/token")["token"])
    key = tmp_path / "key"
    key.write_text(meeting["host_key"])
    command = [
        str(BINARY), "record", "--url", "https://localhost:8080", "--meeting", meeting["meeting_id"],
        "--folder", str(tmp_path), "--host-key-file", str(key),
    ]  # fmt: skip
    known = stage.run(server.host, *command, "--authorities", str(certificate))
    unknown = stage.run(server.host, *command)
    for recorder, word in ((known, "recording"), (unknown, "certificate")):
        wait_until(
            f"{word} to be said",
            lambda recorder=recorder, word=word: word in stage.log(recorder),
            timeout=20,
            explain=lambda recorder=recorder: stage.log(recorder),
        )
    assert "recording" not in stage.log(unknown)
