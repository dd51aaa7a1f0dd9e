"""needletail as a PoP of the lab, started and stopped as an operator would."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from pathlib import Path

from lab import ROOT, Lab, wait_until

# Another build (debug, a sanitizer) can take the place of the released one.
BINARY = Path(os.environ.get("NEEDLETAIL_BINARY", ROOT / ".build" / "release" / "needletail"))
# A veth has one queue for AF_XDP: with two workers, one of them hands packets over.
DEVICES = {
    "af_packet": "net_af_packet0,iface=media0,qpairs={workers}",
    "packet_socket": "packet_socket0,iface=media0",
    "af_xdp": "net_af_xdp0,iface=media0,start_queue=0,queue_count=1",
}


class Server:
    """One PoP on `host`, whose kernel has the API and whose data plane has media0."""

    def __init__(
        self,
        lab: Lab,
        folder: Path,
        host: str = "pop1",
        driver: str = "af_packet",
        families: tuple[int, ...] = (4, 6),
        cores: tuple[int, ...] = (0, 1),
        srtp: str | None = None,
        codecs: str | None = None,
        more: tuple[str, ...] = (),
        drain: int = 0,
        certificate: tuple[Path, Path] | None = None,
        sections: str = "",
        joins: str | None = None,
        environment: dict[str, str] | None = None,
        limit: int | None = None,
        binary: Path = BINARY,
    ) -> None:
        """`more`: further options of appliance/config. `sections`: further sections of the configuration.
        `joins`: the value of `api.joins`.
        `environment`: variables beside our own. `limit`: of its descriptors."""
        self._binary, self._limit = binary, limit
        self.lab, self.host = lab, host
        self._environment = {**os.environ, **(environment or {})}
        self.log = folder / f"{host}.log"
        self._config = folder / f"{host}.yaml"
        options = ["--device", DEVICES[driver].format(workers=len(cores)), "--cores", ",".join(map(str, cores))]
        for family in families:
            options += ["--address", lab.address(host, family, media=True) + ("/24" if family == 4 else "/64")]
        options += ["--api", "[::]:8080", "--ops", "127.0.0.1:9090"]
        if srtp is not None:
            options += ["--srtp", srtp]
        if codecs is not None:
            options += ["--codecs", codecs]
        options += ["--drain", str(drain)]
        if certificate is not None:
            options += ["--certificate", str(certificate[0]), "--key", str(certificate[1])]
        options += more
        made = subprocess.run([ROOT / "appliance" / "config", *options], capture_output=True, text=True, check=True)
        text = made.stdout + sections
        if joins is not None:
            text = text.replace("\napi:\n", f"\napi:\n  joins: {joins}\n")
        self._config.write_text(text)

    def __enter__(self) -> Server:
        assert self._binary.exists(), f"there is no {self._binary}: swift build -c release --product needletail"
        command = self.lab.command(self.host, str(self._binary), "serve", "--config", str(self._config), "--dev")
        if self._limit is not None:
            command = ["prlimit", f"--nofile={self._limit}", *command]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=ROOT, env=self._environment
            )
        try:
            wait_until("the server to be ready", self._is_ready, timeout=30)
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        """Ends the server by SIGTERM, as a service manager does. A test that went well fails if this does not."""
        if self.process.poll() == -signal.SIGKILL:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            status = "none in 15 s"
        if kind is None:
            assert status in (0, -signal.SIGTERM), (
                f"exit status {status} after SIGTERM; its log ends:\n{self.log_tail()}"
            )

    def crash(self) -> None:
        """Ends the server as nobody would wish."""
        self.process.kill()
        self.process.wait()

    def log_tail(self, lines: int = 30) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, f"the server ended ({self.process.returncode}):\n{self.log_tail()}"
        return self.lab.http(self.host, "GET", "http://127.0.0.1:9090/readyz")[0] == 200

    def origin(self, family: int = 4) -> str:
        address = self.lab.address(self.host, family)
        return f"http://{address}:8080" if family == 4 else f"http://[{address}]:8080"

    def call(self, method: str, path: str, body: dict | None = None, token: str | None = None) -> dict:
        """An API call from the PoP itself; fails unless it answers 2xx."""
        status, text = self.lab.http(self.host, method, f"http://127.0.0.1:8080{path}", body, token)
        assert 200 <= status < 300, f"{method} {path}: {status} {text}"
        return json.loads(text) if text else {}

    def create_meeting(self, topic: str = "Interop") -> str:
        token = self.call("GET", "/api/v1/dev/token")["token"]
        return self.call("POST", "/api/v1/meetings", {"topic": topic, "type": "instant"}, token)["meeting_id"]

    def metrics(self) -> dict[str, float]:
        """Every sample by its full name with labels."""
        status, text = self.lab.http(self.host, "GET", "http://127.0.0.1:9090/metrics")
        assert status == 200, f"/metrics: {status} {text}"
        samples = re.findall(r"^(\w+(?:\{[^}]*\})?) (\S+)", text, re.MULTILINE)
        return {name: float(value) for name, value in samples}

    def metric(self, name: str) -> float:
        """The sum of a metric over all its labels; fails when there is none."""
        values = [value for full, value in self.metrics().items() if full.partition("{")[0] == name]
        assert values, f"/metrics has no {name}"
        return sum(values)
