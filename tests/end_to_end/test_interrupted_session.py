"""A test session that is interrupted leaves no server, no run and no file behind, whichever of its processes is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
HANGING = """
import subprocess, sys, tempfile, time
from pathlib import Path
from pipelines.warehouse import server

def test_hangs(tmp_path):
    home = Path(tempfile.mkdtemp())
    home.chmod(0o711)
    postgres = server.keep_up(home)
    run = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    Path(READY).write_text(f"{tempfile.gettempdir()} {postgres.pid} {run.pid}")
    time.sleep(600)
"""
MAKEFILE = "test:\n\t@'{python}' -m pytest -q -n {workers} -p tests.conftest -c pytest.ini test_hanging.py\n"


@dataclass(frozen=True)
class Session:
    """A session under make, in which a test has started an embedded server and a process and hangs."""

    make: subprocess.Popen[bytes]
    folder: Path
    started: list[int]

    @property
    def pytest(self) -> psutil.Process:
        return psutil.Process(self.make.pid).children()[0]

    @property
    def worker(self) -> psutil.Process:
        return next(child for child in self.pytest.children() if "watchdog.py" not in " ".join(child.cmdline()))

    def remains(self) -> list[object]:
        """What of the session is still there: its folder, what its test started, and whatever names the folder."""
        processes = [
            process
            for process in psutil.process_iter(["cmdline", "status"])
            if process.info["status"] != psutil.STATUS_ZOMBIE
            and (process.pid in self.started or str(self.folder) in " ".join(process.info["cmdline"] or ()))
        ]
        return [*processes, self.folder] if self.folder.exists() else [*processes]


def interrupt(session: Session, how: str) -> None:
    match how:
        case "Ctrl-C":
            os.killpg(session.make.pid, signal.SIGINT)
        case "SIGTERM of pytest":
            session.pytest.terminate()
        case "SIGKILL of make":
            session.make.kill()
        case "SIGKILL of pytest":
            session.pytest.kill()
        case "SIGKILL of a worker":
            session.worker.kill()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --maxfail=1\n")
    (tmp_path / "test_hanging.py").write_text(f"READY = {str(tmp_path / 'ready')!r}\n{HANGING}")
    return tmp_path


def start(folder: Path, workers: int) -> Session:
    (folder / "Makefile").write_text(MAKEFILE.format(python=sys.executable, workers=workers))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "MAKE"))}
    # A shell that starts the tests in the background makes them, and what they start, deaf to Ctrl-C.
    heard = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with (folder / "output").open("w") as output:
            make = subprocess.Popen(
                ["make", "test"],
                cwd=folder,
                env=environment | {"PYTHONPATH": str(ROOT)},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
    finally:
        signal.signal(signal.SIGINT, heard)
    ready = folder / "ready"
    while not (ready.exists() and len(ready.read_text().split()) == 3):
        assert make.poll() is None, (folder / "output").read_text()
        time.sleep(0.05)
    session_folder, *started = ready.read_text().split()
    return Session(make, Path(session_folder), [int(pid) for pid in started])


@pytest.mark.parametrize(
    ("how", "workers"),
    [
        ("Ctrl-C", 1),
        ("SIGTERM of pytest", 0),
        ("SIGKILL of make", 0),
        ("SIGKILL of pytest", 1),
        ("SIGKILL of a worker", 1),
    ],
)
def test_nothing_is_left(folder: Path, how: str, workers: int) -> None:
    session = start(folder, workers)
    assert len(session.remains()) >= 4, "folder, server, run and watchdog are found while the session lasts"
    interrupt(session, how)
    session.make.communicate(timeout=60)
    deadline = time.monotonic() + 20
    while (remains := session.remains()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert remains == []
