"""The machine that a table is of."""

from __future__ import annotations

import os
import subprocess


def describe(*packages: str) -> str:
    """Its processor, system and load, and the versions of Debian's packages."""

    def package(name: str) -> str:
        done = subprocess.run(["dpkg-query", "-W", "-f=${Version}", name], capture_output=True, text=True)
        return f"{name} {done.stdout or 'unknown'}"

    with open("/proc/cpuinfo") as lines:
        model = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return (
        f"{model}, Linux {os.uname().release}, load {os.getloadavg()[0]:.1f}; {', '.join(map(package, packages))}"
    )
