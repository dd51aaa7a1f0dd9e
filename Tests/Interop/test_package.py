"""The package as an operator gets it: into a fresh Debian, as a service with the fewest rights, and away again."""

from __future__ import annotations

import gzip
import os
import re
import shutil
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


# Puts itself under a filter that refuses any other system call, as systemd does, and becomes the program.
FILTERED = """
import errno, os, seccomp, sys
filter = seccomp.SyscallFilter(seccomp.ERRNO(errno.EPERM))
for name in sys.argv[1].split(","):
    try:
        filter.add_rule(seccomp.ALLOW, name)
    except (RuntimeError, OSError):
        pass  # of another architecture
filter.load()
os.execvp(sys.argv[2], sys.argv[2:])
"""


def run(*command: str | Path, timeout: float = 120, **options: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=timeout, **options)
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def settings(unit: Path, name: str) -> list[str]:
    """The values that a unit gives to a setting, in order."""
    return re.findall(rf"^{name}=(.*)$", unit.read_text(), re.MULTILINE)


def allowed_calls(unit: Path) -> set[str]:
    """The system calls that the unit's filter lets pass (systemd.exec(5), SystemCallFilter)."""

    def members(name: str) -> set[str]:
        if not name.startswith("@"):
            return {name}
        lines = run("systemd-analyze", "--no-pager", "syscall-filter", name).stdout.splitlines()[1:]
        names = [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
        return set().union(*map(members, names))

    allowed = members("@default")
    for setting in settings(unit, "SystemCallFilter"):
        named = set().union(*map(members, setting.removeprefix("~").split()))
        allowed = allowed - named if setting.startswith("~") else allowed | named
    return allowed


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
        text = unit.read_text().replace("=/usr/bin/needletail", f"={tree}/usr/lib/needletail/needletail")
        local.write_text(text.replace("=/usr/lib/needletail/", f"={tree}/usr/lib/needletail/"))
        # Its manual page is not installed here.
        run("systemd-analyze", "verify", "--man=no", local)
        done = run("systemd-analyze", "--no-pager", "security", "--offline=true", f"--threshold={EXPOSURE}", local)
        say(done.stdout.strip().splitlines()[-1])


def test_the_manual_page_has_all_commands_and_options(tree: Path) -> None:
    page = gzip.decompress((tree / "usr/share/man/man8/needletail.8.gz").read_bytes()).decode()
    done = subprocess.run(
        ["groff", "-man", "-ww", "-z", "-Tutf8"], input=page, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0 and done.stdout + done.stderr == ""
    page = page.replace("\\-", "-")
    options = page.partition(".SH OPTIONS")[2]
    program = tree / "usr/lib/needletail/needletail"
    commands = re.findall(r"^  ([a-z]+) ", run(program, "--help").stdout.partition("SUBCOMMANDS:")[2], re.MULTILINE)
    assert {"serve", "drain", "version"} <= set(commands)
    for command in set(commands) - {"help"}:
        assert f"\n.B {command}\n" in page, f"the page has no {command}"
        for option in set(re.findall(r"--[a-z-]+", run(program, command, "--help").stdout)) - {"--help", "--version"}:
            described = re.search(rf"^\.(B|BI) .*{option}\b", options, re.MULTILINE)
            assert described, f"the page has no {option} of {command}"


def test_the_shells_complete_commands(tree: Path) -> None:
    script = tree / "usr/share/bash-completion/completions/needletail"
    complete = """
        source "$1"
        COMP_WORDS=(needletail und) COMP_CWORD=1 COMP_LINE="needletail und" COMP_POINT=14
        _needletail needletail und needletail
        echo "${COMPREPLY[@]}"
    """
    # Bash's own completion does the rest; here only what the script itself finds.
    done = run("bash", "-c", complete, "bash", script)
    assert done.stdout.split() == ["undrain"], done.stdout + done.stderr
    for path in ("zsh/vendor-completions/_needletail", "fish/vendor_completions.d/needletail.fish"):
        assert "undrain" in (tree / "usr/share" / path).read_text()


def test_the_documentation_leads_from_page_to_page(tree: Path) -> None:
    folder = tree / "usr/share/doc/needletail"
    pages = {page.name: page.read_text() for page in folder.glob("*.md")}
    assert {"README.md", "Operation.md", "Metrics.md"} <= set(pages)
    for name, text in pages.items():
        assert "doc:" not in text, name
        for target in re.findall(r"\]\((\w+\.(?:md|svg))(?:#\w+)?\)", text):
            assert (folder / target).exists(), f"{name}: {target}"


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
    looked_at = [Path("/usr/bin/needletail"), Path("/etc/needletail"), Path("/etc/default/needletail")]
    before = [path.exists() for path in looked_at]
    done = run(APPLIANCE / script[0], *script[1:], "--dry-run")
    assert "would run:" in done.stdout
    assert before == [path.exists() for path in looked_at]


def test_a_dry_run_needs_no_program_and_ends_with_a_summary(tmp_path: Path) -> None:
    for name in ("appliance", "Sources/needletail/Documentation.docc"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "README.md", tmp_path)
    done = run(tmp_path / "appliance" / "install", "--dry-run", "--root", tmp_path / "root")
    assert "would build: swift build -c release --product needletail" in done.stdout
    assert re.search(r"^Would change: [1-9]\d* files new, 0 changed, 0 the same\. Nothing was done\.$", done.stdout, re.M)
    assert not (tmp_path / "root").exists()


def test_the_package_says_whose_work_it_bundles(tree: Path) -> None:
    text = (tree / "usr/share/doc/needletail/copyright").read_text()
    for name in ("swift", "swift-nio", "swift-nio/Sources/CNIOLLHTTP", "hummingbird", "Yams", "swift-argument-parser"):
        assert f"\n  {name}\n" in text, f"nothing of {name}"
    assert "Apache License" in text and "notice of swift-nio\n" in text and "Unicode License" in text


@pytest.mark.parametrize(("old", "is_due"), [("0.0.9", True), ("", False)])
def test_an_upgrade_says_that_a_restart_is_due(tree: Path, tmp_path: Path, old: str, is_due: bool) -> None:
    for name in ("adduser", "chown", "systemctl"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 0\n")
        (tmp_path / name).chmod(0o755)
    script = (tree / "DEBIAN/postinst").read_text().replace("/run/systemd/system", str(tmp_path))
    done = run("sh", "-c", script, "postinst", "configure", old, env={"PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert (f"a restart is due, needletail still runs version {old}: systemctl restart needletail" in done.stdout) == is_due


# Where a kernel shows its pool of hugepages; here files that keep what is written. Others have 100, of which 60 are
# free, and 10 of these promised to those who mapped them.
POOL = "sys/kernel/mm/hugepages/hugepages-2048kB"
FILL_POOL = "mkdir -p {pool}; cd {pool}; echo 100 >nr_hugepages; echo 60 >free_hugepages; echo 10 >resv_hugepages"

# A copy of this machine whose changes stay in memory: /proc cannot be written to, /dev has what a shell needs, and the
# PCI bus one NIC. driverctl only says what it was asked for. It ends with what is left of us among the changes.
# argv: an empty folder, the repository, what to run there.
COPY = r"""
set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
root=$1/root
mkdir -p "$root$2" "$root/sys/bus/pci/devices/0000:01:00.0"
mount --bind "$2" "$root$2"
mount -t proc -o ro proc "$root/proc"
mount -t tmpfs tmpfs "$root/dev"
mknod "$root/dev/null" c 1 3
ln -s /proc/self/fd "$root/dev/fd"
printf '#!/bin/sh\necho "driverctl $*"\n' >"$root/usr/local/sbin/driverctl"
chmod 755 "$root/usr/local/sbin/driverctl"
chroot "$root" sh -c "cd '$2' && $3"
echo TRACES
cd "$1/upper"
find . -name "*needletail*" -not -type c -not -path ".$2"
! grep -s needletail etc/passwd etc/group
"""


def on_a_copy(folder: Path, script: str) -> str:
    script = f"({FILL_POOL.format(pool=f'/{POOL}')}) && {script}"
    command = ["unshare", "--mount", "--pid", "--fork", "sh", "-c", COPY, "sh", str(folder), str(ROOT), script]
    return run(*command).stdout


def test_hugepages_of_others_stay_theirs(tmp_path: Path) -> None:
    """Those that are missing are reserved beside what others have, once, and as many are given back."""
    tool = "appliance/hugepages"
    pages = f"cat /{POOL}/nr_hugepages /run/needletail-hugepages"
    said = on_a_copy(
        tmp_path,
        f"{tool} reserve 224 && {pages} && {tool} reserve 224 && {pages}"
        # Meanwhile others took 30 more.
        f" && echo 304 >/{POOL}/nr_hugepages && {tool} release && {tool} release && cat /{POOL}/nr_hugepages"
        # With enough of them free nothing is reserved, and nothing given back.
        f" && {tool} reserve 50 && {tool} release && cat /{POOL}/nr_hugepages",
    )
    assert said.partition("TRACES\n")[0].split() == ["274", "174", "274", "174", "130", "130"]
    assert said.partition("TRACES\n")[2] == ""


def test_what_is_installed_is_taken_away_again(tmp_path: Path) -> None:
    install = "appliance/install --no-build --nic 0000:01:00.0"
    said = on_a_copy(
        tmp_path,
        f"{install} && echo AGAIN && {install} && needletail version && cat /var/lib/needletail/nics"
        f" && stat -c %U:%G:%a /etc/needletail/needletail.yaml && cat /{POOL}/nr_hugepages && appliance/uninstall"
        f" && cat /{POOL}/nr_hugepages && echo KEPT && ls /etc/needletail && appliance/uninstall --purge",
    )
    first, again = said.split("AGAIN\n")
    assert "driverctl set-override 0000:01:00.0 vfio-pci" in first and "systemctl enable --now needletail" in first
    placed, rest = again.split("driverctl set-override", 1)
    assert all(line.startswith(("same: ", "kept: ")) for line in placed.splitlines()), placed
    assert re.search(r"^needletail [\d.]+ \([0-9a-f]{12}(-dirty)?\)$", rest, re.MULTILINE)
    assert "SRTP by ipsec-mb" in rest
    # Asked for twice, the NIC is remembered once.
    assert "\n0000:01:00.0\nroot:needletail:640\n274\n" in rest
    assert "driverctl unset-override 0000:01:00.0\n100\nKEPT\nneedletail.yaml\n" in rest
    assert rest.partition("TRACES\n")[2] == ""


@pytest.mark.parametrize("arguments", [("--nic", "eth0"), ("--hugepages", "many"), ("--frobnicate",)], ids=str)
def test_wrong_arguments_are_refused_before_anything_is_done(arguments: tuple[str, ...]) -> None:
    command = [APPLIANCE / "install", "--no-build", *arguments]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith("install: ") and len(done.stderr.splitlines()) == 1, done.stderr


def test_the_service_needs_no_root(stage: Stage, package: Path, tmp_path: Path) -> None:
    """With the unit's user, capabilities, system calls and no new privileges it drives a port, and a way to the
    kernel."""
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
            *("--api", "0.0.0.0:8080", "--exception", "nt0", "--drain", "0"),
        ).stdout
    )
    privileges = [
        *("setpriv", "--reuid", SERVICE_ID, "--regid", SERVICE_ID, "--clear-groups", "--no-new-privs"),
        *(f"--inh-caps={CAPABILITIES}", f"--ambient-caps={CAPABILITIES}", f"--bounding-set={CAPABILITIES}"),
    ]
    unit = tmp_path / "tree/lib/systemd/system/needletail.service"
    names = {name.lower().removeprefix("cap_") for name in settings(unit, "AmbientCapabilities")[0].split()}
    assert names == set(re.findall(r"\+(\w+)", CAPABILITIES))
    assert settings(unit, "SystemCallErrorNumber") == ["EPERM"]
    filtered = ["/usr/bin/python3", "-c", FILTERED, ",".join(sorted(allowed_calls(unit)))]
    serve = [str(tmp_path / "tree/usr/lib/needletail/needletail"), "serve", "--config", str(config)]
    log = (tmp_path / "service.log").open("wb")
    server = subprocess.Popen(
        lab.command("pop1", *privileges, *filtered, *serve),
        stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
        env={"XDG_RUNTIME_DIR": str(home), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
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
        assert f"Uid:\t{SERVICE_ID}" in status and "Seccomp:\t2" in status
        # The API too, and by the kernel's interface on the port.
        page = lab.http("client1", "GET", f"http://{lab.address('pop1', media=True)}:8080/")
        assert page[0] == 200, page
    finally:
        server.terminate()
        assert server.wait(timeout=20) == 0, (tmp_path / "service.log").read_text()


def test_the_announcement_needs_no_rights_at_all(stage: Stage, tree: Path) -> None:
    stage.make_lab(clients=1)
    unit = tree / "lib/systemd/system/needletail-announce.service"
    assert settings(unit, "SystemCallErrorNumber") == ["EPERM"] and settings(unit, "CapabilityBoundingSet") == [""]
    helper = stage.run(
        *("pop1", "setpriv", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"),
        *("/usr/bin/python3", "-c", FILTERED, ",".join(sorted(allowed_calls(unit)))),
        *(str(tree / "usr/lib/needletail/needletail"), "announce", "--bird", "/nowhere/bird.ctl"),
    )
    # It asks the node, and would tell BIRD; neither is here.
    wait_until(
        "the helper to look for BIRD",
        lambda: "BIRD at /nowhere/bird.ctl was not told" in stage.log(helper),
        timeout=10,
        explain=lambda: (helper.poll(), stage.log(helper)),
    )
    assert helper.poll() is None


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
        """In the tree, with a /proc of its own that goes away with the command and through which nothing is changed."""
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
    debian.outside("sh", "-c", FILL_POOL.format(pool=debian.root / POOL))
    done = inside(f"apt-get update -q && apt-get install -q -y --no-install-recommends /tmp/{package.name}")
    assert done.returncode == 0, done.stdout + done.stderr
    version = inside("needletail version")
    assert "SRTP by ipsec-mb" in version.stdout, version.stdout + version.stderr
    # As installed the configuration is valid; a machine without its NIC gets findings, not a stack trace.
    check = inside("needletail check --config /etc/needletail/needletail.yaml")
    assert "cores:" in check.stdout and "hugepages:" in check.stdout, check.stdout + check.stderr
    assert inside("stat -c %U:%G:%a /etc/needletail/needletail.yaml").stdout == "root:needletail:640\n"
    assert inside("zcat /usr/share/man/man8/needletail.8.gz").stdout.startswith(".TH NEEDLETAIL 8")
    assert inside(f"cat /{POOL}/nr_hugepages").stdout == "274\n"
    removed = inside("apt-get purge -q -y needletail && ! test -e /usr/lib/needletail && ! id needletail")
    assert removed.returncode == 0, removed.stdout + removed.stderr
    assert inside(f"cat /{POOL}/nr_hugepages").stdout == "100\n"
