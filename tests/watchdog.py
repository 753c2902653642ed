"""Ends what a test session started and removes its folder, however the session ends: normally, by Ctrl-C, or killed.

`tests/conftest.py` starts this program next to pytest and holds the other end of its standard input, which closes with
pytest in every case. All that the tests start can be found by the session's folder, where they keep all files:
a process has the folder in TMPDIR, works in it, or works in an embedded cluster whose home is in it.
"""

from __future__ import annotations

import contextlib
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

CLUSTERS_OF_ROOT = Path("/var/lib/modelmeter")
"""Where root's clusters lie; a file `home` in each names its home (`pipelines/warehouse/cluster.py`)."""
LOOK_SECONDS = 0.5
PATIENCE_SECONDS = 5.0
"""So long may Postgres take to release its shared memory; it is killed afterwards."""


def await_end(session: int, caller: int | None) -> None:
    """Return when pytest (process `session`) has closed our input, or kill it when its `caller` is gone."""
    watched = psutil.Process(caller) if caller and psutil.pid_exists(caller) else None
    while not select.select([sys.stdin], [], [], LOOK_SECONDS)[0]:
        if caller and not (watched and watched.is_running() and watched.status() != psutil.STATUS_ZOMBIE):
            with contextlib.suppress(psutil.NoSuchProcess):
                psutil.Process(session).kill()
            return


def folders_of(session_folder: Path) -> list[Path]:
    """The session's folder and the clusters of root whose homes are in it."""
    records = CLUSTERS_OF_ROOT.glob("*/home") if CLUSTERS_OF_ROOT.is_dir() else ()
    return [
        session_folder,
        *(record.parent for record in records if is_below(record.read_text().strip(), session_folder)),
    ]


def is_below(path: str, folder: Path) -> bool:
    """Whether `path` is `folder` or in it; a folder that was removed is shown with a suffix by Linux."""
    return path.removesuffix(" (deleted)") == str(folder) or path.startswith(f"{folder}/")


def left_behind(folders: list[Path]) -> Iterator[psutil.Process]:
    """Every process of the session that still runs, but Python's trackers of shared memory, which end with their parents."""
    for process in psutil.process_iter():
        if process.pid == psutil.Process().pid:
            continue
        with contextlib.suppress(psutil.Error, OSError):
            if "multiprocessing.resource_tracker" in " ".join(process.cmdline()):
                continue
            places = [process.environ().get("TMPDIR", ""), process.cwd()]
            if any(is_below(place, folder) for place in places for folder in folders):
                yield process


def end(session_folder: Path) -> list[str]:
    """End every process of the session and remove its folders. Returns the commands that it ended, of a server the first one."""
    ended: dict[int, str] = {}
    deadline = time.monotonic() + PATIENCE_SECONDS
    while found := list(left_behind(folders := folders_of(session_folder))):
        for process in found:
            with contextlib.suppress(psutil.Error):
                ended.setdefault(process.pid, " ".join(process.cmdline())[:200])
                is_postgres = process.name() == "postgres" and time.monotonic() < deadline
                process.send_signal(signal.SIGQUIT if is_postgres else signal.SIGKILL)
        if time.monotonic() > 2 * PATIENCE_SECONDS + deadline:
            break
        psutil.wait_procs(found, timeout=0.2)
    # Tests make folders that are closed to their owner, and some that are too deep for Python to remove.
    subprocess.run(["chmod", "-R", "u+rwX", *folders], stderr=subprocess.DEVNULL, check=False)
    subprocess.run(["rm", "-rf", *folders], stderr=subprocess.DEVNULL, check=False)
    return [command for command in ended.values() if not command.startswith("postgres: ")]


def main() -> None:
    """Arguments: the session's folder, pytest's process, and the process without which pytest is to end (0: none)."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    folder, session, caller = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    await_end(session, caller or None)
    for command in end(folder):
        print(f"the tests left a process behind; it is ended now: {command}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
