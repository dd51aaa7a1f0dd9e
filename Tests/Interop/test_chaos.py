"""What goes wrong around a node while people talk: who can go on loses nothing, and how long the others take is told.

`appliance/test chaos` runs these, and the stage interop leaves them out."""

from __future__ import annotations

import resource
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Stage
from crowd import Crowd
from lab import wait_until
from peer import Peer
from resolver import Resolver, asks
from server import BINARY, Server
from test_fleet import REDIS, start_redis
from test_health import ops
from test_signals import HOLD, TOKEN

pytestmark = pytest.mark.chaos

SAY = Callable[[str], None]
SECRET = "c" * 32
DAY = 86_400


class Pictures:
    """Two aiortc participants beside the crowd, who decode each other's pictures. They have one Slot for these, as with more they
    take no retransmissions (see findings)."""

    def __init__(self, stage: Stage) -> None:
        meeting = stage.server.create_meeting()
        self.peers = [
            stage.peer(host, meeting, colour.capitalize(), colour, videos=1)
            for host, colour in (("client1", "red"), ("client2", "blue"))
        ]
        for peer in self.peers:
            peer.join()
        wait_until("both to see each other", lambda: all(self.frames(peer) > 10 for peer in self.peers), timeout=30)

    @staticmethod
    def frames(peer: Peer) -> int:
        return sum(slot["frames"] for slot in peer.observations() if slot["kind"] == "video")

    def recovery(self, timeout: float = 30) -> float:
        """Seconds from now until both decode again."""
        began, before = time.monotonic(), [self.frames(peer) for peer in self.peers]
        wait_until(
            "both to see each other again",
            lambda: all(self.frames(peer) > count + 5 for peer, count in zip(self.peers, before, strict=True)),
            timeout=timeout,
            every=0.05,
        )
        return time.monotonic() - began


def pause(seconds: float) -> None:
    """Lets the calls go on as they are."""
    began = time.monotonic()
    wait_until("a while", lambda: time.monotonic() > began + seconds, timeout=seconds + 10)


def tell_recovery(crowd: Crowd, pictures: Pictures, say: SAY, what: str) -> None:
    """All have each other again within 10 s, of those whom nothing could be sent to meanwhile."""
    voices, seen = crowd.recovery(), pictures.recovery()
    assert not crowd.missing() and all(len(peer.others()) == 1 for peer in pictures.peers)
    wait_until("the node to be ready", lambda: ops(crowd.server, "/readyz")[0] == 200, timeout=10)
    say(f"{what}: all heard after {voices:.2f} s, pictures after {voices + seen:.2f} s")
    assert voices + seen < 10


def test_sigkill(stage: Stage, say: SAY) -> None:
    """Meetings are in memory, so nobody can go on; the node is back, and so is who joins again."""
    stage.make_lab(clients=2)
    server = stage.start_server(more=("--exception", "nt0"))
    crowd = stage.crowd()
    began = time.monotonic()
    server.crash()
    again = stage.start_server(more=("--exception", "nt0"))
    ready = time.monotonic() - began
    crowd.kill()
    stage.crowd("-again")
    assert again.process.pid != server.process.pid
    say(f"SIGKILL: ready after {ready:.1f} s, all who start anew in after {time.monotonic() - began:.1f} s")


def test_sigstop(stage: Stage, say: SAY) -> None:
    stage.make_lab(clients=2)
    server = stage.start_server()
    crowd, pictures = stage.crowd(), Pictures(stage)
    server.process.send_signal(signal.SIGSTOP)
    pause(3)
    server.process.send_signal(signal.SIGCONT)
    tell_recovery(crowd, pictures, say, "SIGSTOP of 3 s")


@pytest.mark.parametrize("form", ["json", "text"])
def test_full_disk(stage: Stage, tmp_path: Path, say: SAY, form: str) -> None:
    lab = stage.make_lab(clients=2)
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk], check=True)
    try:
        with Server(lab, disk, sections=f"log: {{format: {form}}}\n") as stage.server:
            crowd = stage.crowd()
            with (disk / "filler").open("wb", buffering=0) as filler, pytest.raises(OSError, match="No space"):
                while True:
                    filler.write(bytes(4096))
            dropped = stage.server.metric("needletail_log_lines_dropped_total")
            with crowd.loses_nothing(say, f"full disk, {form}"):
                for _ in range(30):
                    stage.server.create_meeting()
            assert stage.server.metric("needletail_log_lines_dropped_total") > dropped
    finally:
        # Its log goes with the disk.
        vars(stage).pop("server", None)
        subprocess.run(["umount", "--lazy", disk], check=True)


def test_no_descriptors(stage: Stage, say: SAY) -> None:
    stage.make_lab(clients=3)
    server = stage.start_server()
    crowd = stage.crowd()
    used = len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))
    _, hard = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
    with crowd.loses_nothing(say, "no descriptors"):
        # What leaks elsewhere would leave no more than this.
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (used + 40, hard))
        flood = stage.run("client3", sys.executable, "-c", HOLD, server.lab.address("pop1"), "8080", "200")
        wait_until("the log", lambda: "no descriptors left" in server.log_tail(), timeout=20)
        assert ops(server, "/livez")[0] == 200
        assert server.metric("needletail_ready") == 1
        pause(2)
        flood.kill()
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (hard, hard))
    wait_until("a newcomer", lambda: server.lab.http("pop1", "GET", "http://127.0.0.1:8080/")[0] == 200, timeout=10)


@pytest.fixture
def memory_group() -> Iterator[Path]:
    """A cgroup of memory below ours, of either version."""
    lines = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    own = next((path for _, names, path in lines if "memory" in names.split(",")), None)
    below = Path("/sys/fs/cgroup/memory") / own.strip("/") if own is not None else Path("/sys/fs/cgroup")
    group = below / f"needletail-chaos-{time.monotonic_ns()}"
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"there is no cgroup of memory to write to: {error}")
    limits = [group / name for name in ("memory.limit_in_bytes", "memory.max") if (group / name).exists()]
    try:
        if not limits:
            pytest.skip("the cgroups of this machine do not limit memory")
        yield limits[0]
    finally:
        # Whoever is in it goes back first.
        for member in (group / "cgroup.procs").read_text().split():
            (below / "cgroup.procs").write_text(member)
        wait_until("the group to be empty", lambda: not (group / "cgroup.procs").read_text(), timeout=5)
        group.rmdir()


def test_no_memory(stage: Stage, say: SAY, memory_group: Path) -> None:
    """With 32 MiB more than it has, whatever asks; packets may come late while the kernel looks for pages."""
    stage.make_lab(clients=3)
    server = stage.start_server()
    crowd = stage.crowd()
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) * 1024
    # What is charged is what it takes from now on.
    (memory_group.parent / "cgroup.procs").write_text(str(server.process.pid))
    memory_group.write_text(str(32 << 20))
    with crowd.loses_nothing(say, f"32 MiB of memory beside {resident >> 20}"):
        flood = stage.run("client3", sys.executable, "-c", HOLD, server.lab.address("pop1"), "8080", "300")
        for _ in range(30):
            server.create_meeting()
        pause(3)
        flood.kill()


def test_clock_step(stage: Stage, tmp_path: Path, say: SAY) -> None:
    """The machine's own clock belongs to others, too: only the node's view of it is set."""
    lab = stage.make_lab(clients=2)
    library, step = tmp_path / "clock.so", tmp_path / "step"
    source = Path(__file__).with_name("clock.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library, source], check=True, timeout=60)
    step.write_bytes(struct.pack("q", 0))
    variables = {"LD_PRELOAD": str(library), "CHAOS_CLOCK": str(step)}
    sections = f'auth: {{keys: ["ops:{SECRET}"]}}\n'
    with Server(lab, tmp_path, environment=variables, sections=sections, drain=600) as stage.server:
        crowd = stage.crowd()

        def create() -> int:
            """The answer to a token of our own clock, good for a minute."""
            made = subprocess.run([sys.executable, "-c", TOKEN, SECRET], capture_output=True, text=True, check=True)
            url, body = "http://127.0.0.1:8080/api/v1/meetings", {"topic": "t", "type": "instant"}
            return lab.http("pop1", "POST", url, body, made.stdout.strip())[0]

        assert create() == 201
        assert lab.http("pop1", "POST", "http://127.0.0.1:9090/api/v1/node/drain", {"deadline_s": 600})[0] == 202
        for seconds in (DAY, -DAY):
            with crowd.loses_nothing(say, f"clock set by {seconds} s"):
                with step.open("r+b") as file:
                    file.write(struct.pack("q", seconds))
                assert ops(stage.server, "/api/v1/node")[1]["state"] == "draining"
                left = ops(stage.server, "/api/v1/node")[1]["drain_deadline_s"]
                assert 500 < left <= 600, left
                if seconds > 0:
                    assert create() == 401, "the clock was not set"
                pause(3)
                assert ops(stage.server, "/livez")[0] == 200
        assert lab.http("pop1", "DELETE", "http://127.0.0.1:9090/api/v1/node/drain")[0] == 204
        crowd.leave()


def test_second_start(stage: Stage, say: SAY) -> None:
    lab = stage.make_lab(clients=2)
    server = stage.start_server(more=("--exception", "nt0"))
    crowd = stage.crowd()
    with crowd.loses_nothing(say, "second start"):
        for _ in range(3):
            done = lab.run("pop1", str(BINARY), "serve", "--config", str(server._config), timeout=30)
            assert done.returncode == 1 and f"process {server.process.pid}" in done.stderr
        assert ops(server, "/readyz")[0] == 200


def test_flapping_link(stage: Stage, say: SAY) -> None:
    lab = stage.make_lab(clients=2)
    stage.start_server(driver="packet_socket")
    crowd, pictures = stage.crowd(), Pictures(stage)
    for _ in range(5):
        for state in ("down", "up"):
            assert lab.run("pop1", "ip", "link", "set", "media0", state).returncode == 0
            pause(0.3)
    tell_recovery(crowd, pictures, say, "5 flaps of the link")


@pytest.fixture
def resolver(stage: Stage, tmp_path: Path) -> Iterator[Resolver]:
    """Of pop1, in a lab of three clients; every name is the switch's."""
    lab = stage.make_lab(clients=3)
    made = Resolver(lab, "client3", REDIS, tmp_path)
    try:
        with asks(lab, "pop1", "client3"):
            yield made
    finally:
        made.close()


def test_lost_dns_of_a_single_node(stage: Stage, resolver: Resolver, say: SAY) -> None:
    """It has nothing to ask, neither at its start nor later."""

    def ask(name: str) -> None:
        assert stage.lab.run("pop1", "getent", "ahostsv4", name).returncode == 0
        assert resolver.questions()[-1] == name, "pop1 asks another resolver"

    ask("before.test")
    count = len(resolver.questions())
    resolver.fall_silent()
    began = time.monotonic()
    stage.start_server()
    ready = time.monotonic() - began
    crowd = stage.crowd()
    with crowd.loses_nothing(say, f"no DNS from the start, ready after {ready:.1f} s"):
        pause(2)
    assert resolver.questions()[count:] == []


def test_lost_dns_of_a_fleet(stage: Stage, resolver: Resolver, say: SAY) -> None:
    """Its Redis is known by name. Without DNS it starts, says what it lacks, serves all the same, and finds it later."""
    redis = start_redis(stage)
    resolver.fall_silent()
    began = time.monotonic()
    section = f'fleet: {{name: pop1, signaling_url: "http://{stage.lab.address("pop1")}:8080", redis: ["redis.test"]}}\n'
    server = stage.start_server(families=(4,), sections=section)
    ready = time.monotonic() - began

    def is_up() -> bool:
        return server.metric("needletail_fleet_registry_up") == 1

    def find() -> float:
        """Seconds from the resolver's return to the registry's."""
        resolver.answer_again()
        began = time.monotonic()
        wait_until("the registry", is_up, timeout=30)
        return time.monotonic() - began

    crowd = stage.crowd()
    said = "redis.test:6379: Temporary failure in name resolution"
    wait_until("the log", lambda: said in server.log.read_text(), timeout=30, explain=server.log_tail)
    assert not is_up()
    say(f"a fleet's start without DNS: ready after {ready:.1f} s, the registry {find():.1f} s after DNS")
    with crowd.loses_nothing(say, "no DNS, and then no Redis"):
        resolver.fall_silent()
        pause(2)
        # Connected as it is.
        assert is_up()
        redis.terminate()
        redis.wait()
        wait_until("the registry to be missed", lambda: not is_up(), timeout=5)
        redis = start_redis(stage)
        pause(3)
        assert not is_up()
        server.create_meeting()
        assert ops(server, "/readyz")[0] == 200
    say(f"no DNS, and then no Redis: the registry is there {find():.1f} s after DNS")
    # Asking when the node is ended, which does not wait for the answer.
    resolver.fall_silent()
    redis.terminate()
    wait_until("the registry to be missed", lambda: not is_up(), timeout=5)
