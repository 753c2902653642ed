"""The installation under attack, and what must be true after each attack."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from pipelines.settings import Settings
from pipelines.warehouse import server
from pipelines.warehouse.database import Database
from pipelines.warehouse.open import open_database
from tests.assets.conftest import SmallSample, small_sample
from tests.end_to_end.forked import stop_server
from tests.end_to_end.installation import Finished, Installation, Run, differences, installation, undisturbed
from tests.warehouse_fixtures import lay_cluster

__all__ = ["installation", "small_sample", "undisturbed"]

PATIENCE = 900
"""Seconds that a run may take where much else runs on the machine."""
ROUNDS = int(os.environ.get("MODELMETER_FAULT_ROUNDS", "5"))
"""How often each attack at a random instant is repeated."""


@dataclass
class Attacked:
    """An installation, the day that it runs, and the run left alone that it is held against."""

    installation: Installation
    undisturbed: Finished
    day: str

    def start(self) -> Run:
        return self.installation.start("daily", "--date", self.day)

    def run(self) -> None:
        """Run the day, to its end."""
        out, err = self.start().communicate(timeout=PATIENCE)
        assert self.installation.started[-1].returncode == 0, f"{out}\n{err}"

    def database(self) -> AbstractContextManager[Database]:
        return open_database(Settings(home=self.installation.home))

    def ends_in_words(self, run: Run, *words: str) -> str:
        """Wait for a run that was attacked: it succeeds, or fails and says why without a traceback. What it wrote."""
        out, err = run.communicate(timeout=PATIENCE)
        assert run.returncode in {0, 1, 2}, f"{out}\n{err}"
        assert "Traceback" not in err, err
        assert "please report it" not in err, err
        assert run.returncode == 0 or not words or any(word in f"{out}{err}" for word in words), f"{out}\n{err}"
        return " ".join(f"{out}{err}".split())  # lines are broken where the terminal ends

    def until(self, process: Run, seen: Callable[[str], bool]) -> None:
        """Wait for a line of progress."""
        assert process.stderr is not None
        shown = []
        for line in process.stderr:
            if seen(line):
                return
            shown.append(line)
        raise AssertionError("the run ended before the moment of the attack:\n" + "".join(shown))

    def recovers(self) -> None:
        """The next run succeeds, gives the same tables, and nothing is left of the attack."""
        self.run()
        assert self.differences() == set()
        assert self.leftovers() == []

    def differences(self) -> set[str]:
        """The tables whose rows are not those of the run left alone."""
        return differences(self.installation, self.undisturbed)

    def leftovers(self) -> list[str]:
        """Processes, leases, drafts and half-made tables that no command needs any more."""
        home = self.installation.home
        found = [f"process {p.pid}" for p in psutil.process_iter(["cmdline"]) if _is_of(p, home)]
        found += [str(path) for path in (home / "postgres" / "leases").glob("*")]
        found += [str(path) for path in home.rglob("*.draft")] + [str(path) for path in (home / "dbt").glob("parse-*")]
        with self.database() as database, database.connect() as connection:
            staged = connection.execute(
                "select oid::regclass::text from pg_class where relname ~ '_[0-9]{8}_[0-9a-f]{8}$' and relkind = 'r'"
            ).fetchall()
        return found + [f"table {name}" for (name,) in staged]


@contextlib.contextmanager
def left_alone(folder: Path, sample: SmallSample) -> Iterator[Installation]:
    """A second installation on the same landing zone, to hold an attacked one against that ran more than one day."""
    home = folder / "calm"
    home.mkdir()
    lay_cluster(home)
    calm = Installation(home, sample.root)
    try:
        yield calm
    finally:
        calm.remove()


def all_days(sample: SmallSample) -> tuple[str, ...]:
    """The options that run every day of the sample."""
    return ("--from", str(sample.days[0]), "--to", str(sample.days[-1]))


def kill(process: Run) -> None:
    """End a run and all that it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _is_of(process: psutil.Process, home: Path) -> bool:
    return str(home) in " ".join(process.info["cmdline"] or ())


@pytest.fixture
def attacked(installation: Installation, undisturbed: Finished, small_sample: SmallSample) -> Attacked:
    return Attacked(installation, undisturbed, str(small_sample.days[1]))


@pytest.fixture(scope="session")
def length(undisturbed: Finished) -> float:
    """Seconds that the steps of an undisturbed run took."""
    return sum(float(line.split()[2]) for line in undisturbed.err.splitlines() if line.split()[:1] == ["done"])


def wait_for_server(home: Path, seconds: float = 60) -> server.Running:
    """The server of a home, once it runs."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = server.running(home)
        if found is not None and found.is_ready:
            return found
        time.sleep(0.05)
    raise AssertionError("no server has started")


@pytest.fixture(scope="session", autouse=True)
def end_the_forking_process() -> Iterator[None]:
    yield
    stop_server()
