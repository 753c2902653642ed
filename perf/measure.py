"""Running one command and saying what it took, and what the machine is.

Wall time, processor time and peak memory of a child process and of its own children come from the kernel's account of
it (`launch.py`); the database server's processor time is read from the server's. What is run is in `contenders.py`.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
LAUNCHER = ROOT / "perf" / "launch.py"


@dataclass(frozen=True)
class Run:
    """One run of one command. `answer` is the JSON object that it printed last."""

    wall_s: float
    cpu_s: float
    server_cpu_s: float
    peak_mb: float
    load_before: float
    answer: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for `results.json`."""
        return asdict(self)


class RunError(RuntimeError):
    """A measured command failed; the message holds the end of what it wrote."""


def run(command: Sequence[str], environment: dict[str, str], server_pid: int | None = None) -> Run:
    """Run `command` from the project's root in a process of its own. Raises RunError where it fails."""
    load = os.getloadavg()[0]
    server_before = server_seconds(server_pid)
    launched = subprocess.run(
        [sys.executable, "-I", str(LAUNCHER), *command],
        cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if launched.returncode:
        raise RunError(f"{' '.join(command)} failed:\n{launched.stderr[-3000:]}")
    *written, account = launched.stdout.strip().split("\n")
    took = json.loads(account)
    return Run(
        wall_s=took["wall_s"],
        cpu_s=took["cpu_s"],
        server_cpu_s=server_seconds(server_pid) - server_before,
        peak_mb=took["peak_mb"],
        load_before=load,
        answer=json.loads(written[-1]) if written else {},
    )


def server_seconds(pid: int | None) -> float:
    """Processor seconds of a Postgres server: of the postmaster, its helpers and the sessions that have ended."""
    if pid is None:
        return 0.0
    total = 0.0
    postmaster = psutil.Process(pid)
    for process in (postmaster, *postmaster.children()):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
        if process == postmaster:
            total += times.children_user + times.children_system
    return total


def machine() -> dict[str, str]:
    """What the figures were measured on."""
    info = Path("/proc/cpuinfo")
    names = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "python": sys.version.split()[0],
    }
