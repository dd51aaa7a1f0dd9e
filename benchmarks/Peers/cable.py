"""A veth between the namespaces of benchmarks/namespaces."""

from __future__ import annotations

import subprocess


class Cable:
    """Which core does the receiver's half of the way of what is sent over it."""

    def __init__(self, name: str, namespace: str, server_core: int, generator_core: int) -> None:
        within = ("ip", "netns", "exec", namespace)
        self._name = name
        self._ends = {(): server_core, within: generator_core}

    def steer(self, pays: str) -> None:
        """`own`: the core of the end that receives, by receive packet steering; `both`: the one that sends."""
        for prefix, core in self._ends.items():
            mask = 1 << core if pays == "own" else 0
            script = f"echo {mask:x} >/sys/class/net/{self._name}/queues/rx-0/rps_cpus"
            subprocess.run([*prefix, "sh", "-c", script], check=True)
