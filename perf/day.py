"""What a whole day takes: `modelmeter daily` as its users run it, stage by stage.

The command runs unchanged in a process of its own; a stage ends where the command says that it is done. For each stage: wall
time, processor seconds of the run with all its processes and of the Postgres server, the largest memory of the run's processes
together, and the bytes that either reads, from the page cache too.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil

from perf.behind import copy_newest
from perf.bench import Say, environment
from perf.day_table import PARSING, WARM
from perf.generate import Dataset, generate
from perf.measure import ROOT, RunError, server_seconds
from pipelines.settings import Settings
from pipelines.warehouse import server
from pipelines.warehouse.database import Database, embedded_database
from pipelines.warehouse.names import is_made
from pipelines.warehouse.partitions import loaded_days
from pipelines.warehouse.tables.core import REQUEST

_DONE = re.compile(r"^\s+done\s+(\S+)\s+[\d.]+ s")
_STARTED = re.compile(r"^daily run for ")
_SAMPLE_S = 0.1


@dataclass(frozen=True)
class Stage:
    """One stage of a run. `peak_mb` is what the processes of the run held together at most."""

    name: str
    wall_s: float
    cpu_s: float
    server_cpu_s: float
    peak_mb: float
    read_mb: float
    server_read_mb: float


def measure_day(home: Path, rows: int, rounds: int, say: Say, behind: int = 0) -> dict[str, Any]:
    """Runs of one day of `rows` lines: of each round one that parses them, and one that has nothing to parse.

    Before the second one `behind` copies of the day are put before it, but for their requests, and a run that does not count makes what
    is kept of them, as each day's own run would have done.
    """
    home = home / ("behind" if behind else "day")
    if behind:  # else the days of an earlier measurement would lie behind the run that parses
        shutil.rmtree(home, ignore_errors=True)
    data = generate(home / "input" / f"{rows}-people", rows, is_dirty=True, has_people=True)
    settings = {**environment(home, data), "MODELMETER_REPORTS": str(home / "reports")}
    os.environ.update(settings)
    runs: list[dict[str, Any]] = []
    with server.lease(Settings().home) as running:
        database = embedded_database(running)
        for number in range(rounds):
            forget(home, database)
            for kind in (PARSING, WARM):
                if kind == WARM and behind:
                    copy_newest(database, [data.days[0] - timedelta(days=n) for n in range(behind, -1, -1)], say)
                    run_day(data, settings, running.pid)
                stages = run_day(data, settings, running.pid)
                runs.append({"kind": kind, "load_before": os.getloadavg()[0], "stages": [asdict(s) for s in stages]})
                say(f"{rows:,} lines, round {number + 1} of {rounds}, {kind}: {sum(s.wall_s for s in stages):.1f} s")
    page = home / "reports" / str(data.days[0]) / "index.html"
    return {"rows": rows, "behind": behind, "page_kb": page.stat().st_size / 1000, "runs": runs}


def forget(home: Path, database: Database) -> None:
    """Nothing parsed, nothing loaded."""
    for folder in ("parsed", "cache"):
        shutil.rmtree(home / folder, ignore_errors=True)
    with database.owner.connect({}, autocommit=True) as connection:
        if not is_made(connection, "raw.snapshot"):
            return
        connection.execute("truncate raw.snapshot, raw.quarantine, raw.duplicate, raw.loaded_file cascade")
        for day in loaded_days(connection, REQUEST):
            connection.execute(f"drop table core.request_{day:%Y%m%d}")


def run_day(data: Dataset, settings: dict[str, str], server_pid: int) -> list[Stage]:
    """The stages of one run of the day. Raises RunError where it fails."""
    program = "import sys; from assets.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "daily", "--date", str(data.days[0]), "--json"]
    with (
        tempfile.TemporaryFile("w+") as written,
        subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **settings}, stdout=written, stderr=subprocess.PIPE, text=True
        ) as process,
    ):
        meter = _Meter(process.pid, server_pid)
        said = []
        for line in process.stderr or ():
            said.append(line)
            if _STARTED.match(line):
                meter.ends("start")
            elif done := _DONE.match(line):
                meter.ends(done[1])
        meter.ends("end")
        process.wait()
        written.seek(0)
        answer = written.read()
    if process.returncode:
        raise RunError(f"the day failed:\n{''.join(said)[-3000:]}{answer[-2000:]}")
    _check(data, json.loads(answer)["summary"])
    return meter.stages


def _check(data: Dataset, summary: dict[str, Any]) -> None:
    found = (summary["loaded"], Decimal(summary["spend_usd"]))
    wanted = (data.truth["requests"], Decimal(str(data.truth["cost_usd"])))
    if found != wanted:
        raise RunError(f"the day holds {found}, the file {wanted}")


@dataclass(frozen=True)
class _Reading:
    """Totals of the run's processes and of the server up to a moment."""

    at: float
    cpu_s: float
    server_cpu_s: float
    read: float
    server_read: float


class _Meter:
    """Reads the kernel's accounts of the run's processes and of the server at the end of every stage, and memory all the while."""

    def __init__(self, pid: int, server_pid: int) -> None:
        self.stages: list[Stage] = []
        self._process, self._server = psutil.Process(pid), psutil.Process(server_pid)
        self._most = _Reading(0.0, 0.0, 0.0, 0.0, 0.0)
        self._last, self._peak, self._ended = self._read(), 0.0, threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def ends(self, name: str) -> None:
        """Note what was used since the stage before as the stage `name`."""
        now, was = self._read(), self._last
        self.stages.append(
            Stage(
                name,
                now.at - was.at,
                now.cpu_s - was.cpu_s,
                now.server_cpu_s - was.server_cpu_s,
                self._peak / 2**20,
                (now.read - was.read) / 2**20,
                (now.server_read - was.server_read) / 2**20,
            )
        )
        self._last, self._peak = now, 0.0
        if name == "end":
            self._ended.set()

    def _watch(self) -> None:
        while not self._ended.wait(_SAMPLE_S):
            held = 0
            for process in _tree(self._process):
                try:
                    held += process.memory_info().rss
                except psutil.Error:
                    continue
            self._peak = max(self._peak, held)
            self._most = max(self._most, self._read(), key=lambda reading: reading.cpu_s)

    def _read(self) -> _Reading:
        own, read = _used(self._process)
        if own < self._most.cpu_s:  # ended: what it had used when it was last seen
            own, read = self._most.cpu_s, self._most.read
        server_read = _used(self._server)[1]
        self._most = _Reading(time.perf_counter(), own, server_seconds(self._server.pid), read, server_read)
        return self._most


def _tree(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _used(process: psutil.Process) -> tuple[float, float]:
    """Processor seconds, and bytes given to read calls, of a process and its children, those that ended included."""
    seconds, read = 0.0, 0.0
    for each in _tree(process):
        try:
            times = each.cpu_times()
            seconds += times.user + times.system + times.children_user + times.children_system
            read += each.io_counters().read_chars
        except psutil.Error:
            continue
    return seconds, read
