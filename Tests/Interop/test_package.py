"""The package as an operator gets it: into a fresh Debian, as a service with the fewest rights, and away again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Stage
from lab import ROOT, wait_until

APPLIANCE = ROOT / "appliance"
# The exposure that `systemd-analyze security` may give the service, in tenths: "OK" ends at 5.
EXPOSURE = 30
# What the unit leaves to the service.
CAPABILITIES = "-all,+net_admin,+net_raw,+net_bind_service"
# Nobody's.
SERVICE_ID = "64087"


def run(*command: str | Path, timeout: float = 120, **options: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=timeout, **options)
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def package() -> Path:
    return ROOT / run(APPLIANCE / "package", "--no-build").stdout.strip()


@pytest.fixture(scope="module")
def tree(package: Path) -> Path:
    """What is in the package."""
    return package.parent / "tree"


def test_the_unit_is_right_and_exposes_little(tree: Path, tmp_path: Path, say: Callable[[str], None]) -> None:
    for unit in sorted((tree / "lib/systemd/system").glob("*.service")):
        # The program lies below the tree here.
        local = tmp_path / unit.name
        local.write_text(unit.read_text().replace("=/usr/bin/needletail", f"={tree}/usr/lib/needletail/needletail"))
        run("systemd-analyze", "verify", local)
        done = run("systemd-analyze", "--no-pager", "security", "--offline=true", f"--threshold={EXPOSURE}", local)
        say(done.stdout.strip().splitlines()[-1])


def test_installing_again_changes_nothing(tmp_path: Path) -> None:
    root = tmp_path / "root"
    first = run(APPLIANCE / "install", "--no-build", "--root", root)
    assert "same" not in first.stdout
    configuration = root / "etc/needletail/needletail.yaml"
    configuration.write_text("# the operator's\n")
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()}
    again = run(APPLIANCE / "install", "--no-build", "--root", root)
    assert all(line.startswith(("same: ", "kept: ")) for line in again.stdout.splitlines()), again.stdout
    assert before == {path: path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("script", [("install", "--no-build"), ("uninstall", "--purge")], ids=lambda names: names[0])
def test_a_dry_run_only_says_what_it_would_do(script: tuple[str, ...]) -> None:
    looked_at = [Path("/usr/bin/needletail"), Path("/etc/needletail"), Path("/etc/sysctl.d/60-needletail.conf")]
    before = [path.exists() for path in looked_at]
    done = run(APPLIANCE / script[0], *script[1:], "--dry-run")
    assert "would run:" in done.stdout
    assert before == [path.exists() for path in looked_at]


@pytest.mark.parametrize("arguments", [("--nic", "eth0"), ("--hugepages", "many"), ("--frobnicate",)], ids=str)
def test_wrong_arguments_are_refused_before_anything_is_done(arguments: tuple[str, ...]) -> None:
    command = [APPLIANCE / "install", "--no-build", *arguments]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith("install: ") and len(done.stderr.splitlines()) == 1, done.stderr


def test_the_service_needs_no_root(stage: Stage, package: Path, tmp_path: Path) -> None:
    """With the unit's user, capabilities and no new privileges it drives a port."""
    run("dpkg-deb", "-x", package, tmp_path / "tree")
    # Every folder on the way is to be entered by anybody.
    for folder in (tmp_path, *tmp_path.parents):
        if str(folder).startswith("/tmp/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    home = tmp_path / "run"
    home.mkdir()
    os.chown(home, int(SERVICE_ID), int(SERVICE_ID))
    lab = stage.make_lab(clients=1)
    config = tmp_path / "needletail.yaml"
    config.write_text(
        run(
            *(APPLIANCE / "config", "--device", "net_af_packet0,iface=media0"),
            *("--address", f"{lab.address('pop1', media=True)}/24", "--ops", "127.0.0.1:9090"),
        ).stdout
    )
    privileges = [
        *("setpriv", "--reuid", SERVICE_ID, "--regid", SERVICE_ID, "--clear-groups", "--no-new-privs"),
        *(f"--inh-caps={CAPABILITIES}", f"--ambient-caps={CAPABILITIES}", f"--bounding-set={CAPABILITIES}"),
    ]
    serve = [str(tmp_path / "tree/usr/lib/needletail/needletail"), "serve", "--config", str(config)]
    log = (tmp_path / "service.log").open("wb")
    server = subprocess.Popen(
        lab.command("pop1", *privileges, *serve),
        stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={"XDG_RUNTIME_DIR": str(home)}, cwd="/",
    )  # fmt: skip
    try:
        wait_until(
            "the service to be ready",
            lambda: server.poll() is not None or lab.http("pop1", "GET", "http://127.0.0.1:9090/readyz")[0] == 200,
            timeout=30,
            explain=(tmp_path / "service.log").read_text,
        )
        assert server.poll() is None, (tmp_path / "service.log").read_text()
        ping = lab.run("client1", "ping", "-n", "-q", "-c", "2", "-i", "0.1", lab.address("pop1", media=True))
        assert " 2 received" in ping.stdout, ping.stdout
        status = Path(f"/proc/{server.pid}/status").read_text()
        assert f"Uid:\t{SERVICE_ID}" in status
    finally:
        server.terminate()
        server.wait(timeout=20)


class Debian:
    """A fresh Debian in memory, in a mount namespace of its own: gone with the process that holds it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        hold = f'mount -t tmpfs tmpfs "{root}" && echo held && exec cat'
        self._holder = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._holder.stdout.readline() == b"held\n"

    def close(self) -> None:
        self._holder.stdin.close()
        self._holder.stdout.close()
        self._holder.wait(timeout=20)

    def outside(self, *command: str | Path, timeout: float = 300) -> str:
        """Runs a program of this machine, which sees the tree."""
        enter = ["nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt", *command]
        return run(*enter, timeout=timeout).stdout

    def inside(self, script: str) -> subprocess.CompletedProcess[str]:
        """In the tree, with a /proc of its own that goes away with the command, and through which nothing is changed."""
        command = f'mount -t proc -o ro proc "{self.root}/proc" && exec chroot "{self.root}" sh -c "$1"'
        enter = ["nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt"]
        return subprocess.run(
            [*enter, "unshare", "--mount", "--pid", "--fork", "sh", "-c", command, "sh", script],
            capture_output=True, text=True, timeout=300, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        )  # fmt: skip


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Debian]:
    made = Debian(tmp_path_factory.mktemp("debian"))
    try:
        suite = run("sh", "-c", ". /etc/os-release && echo $VERSION_CODENAME").stdout.strip()
        made.outside("debootstrap", "--variant=minbase", suite, made.root)
        # This machine's own way to its packages.
        made.outside("cp", "-rT", "/etc/apt/apt.conf.d", made.root / "etc/apt/apt.conf.d")
        yield made
    finally:
        made.close()


@pytest.mark.timeout(500)
def test_the_package_installs_into_a_fresh_debian(debian: Debian, package: Path) -> None:
    inside = debian.inside
    debian.outside("cp", package, debian.root / "tmp" / package.name)
    done = inside(f"apt-get update -q && apt-get install -q -y --no-install-recommends /tmp/{package.name}")
    assert done.returncode == 0, done.stdout + done.stderr
    version = inside("needletail version")
    assert "SRTP by ipsec-mb" in version.stdout, version.stdout + version.stderr
    # As installed the configuration is valid; a machine without its NIC gets findings, not a stack trace.
    check = inside("needletail check --config /etc/needletail/needletail.yaml")
    assert "cores:" in check.stdout and "hugepages:" in check.stdout, check.stdout + check.stderr
    assert inside("stat -c %U:%G:%a /etc/needletail/needletail.yaml").stdout == "root:needletail:640\n"
    removed = inside("apt-get purge -q -y needletail && ! test -e /usr/lib/needletail && ! id needletail")
    assert removed.returncode == 0, removed.stdout + removed.stderr
