"""An installation as a person has it: a home with an embedded server, and the command run in processes of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from pipelines.settings import Settings
from pipelines.warehouse import server
from pipelines.warehouse.open import open_database
from pipelines.warehouse.tables import TABLES
from pipelines.warehouse.tables.core_alerts import CORE_ALERT_TABLES
from tests.assets.conftest import SAMPLE_CONFIG, SmallSample
from tests.end_to_end.forked import Forked
from tests.once import made_once
from tests.warehouse_fixtures import lay_cluster

ROOT = Path(__file__).resolve().parents[2]
MODELMETER = str(Path(sys.executable).parent / "modelmeter")
Tables = dict[str, list[tuple[Any, ...]]]
Run = subprocess.Popen[str] | Forked


@dataclass
class Installation:
    """A home with an embedded server, and the small sample as its landing zone."""

    home: Path
    landing: Path
    started: list[Run] = field(default_factory=list)
    extra: dict[str, str] = field(default_factory=dict)
    command: str | None = None
    folder: Path | None = None
    read_only: Path | None = None

    @property
    def environment(self) -> dict[str, str]:
        left_out = ("MODELMETER_", "PYTHONPATH") if self.folder else ("MODELMETER_",)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
        return kept | {
            "MODELMETER_HOME": str(self.home),
            "MODELMETER_LANDING": str(self.landing),
            "MODELMETER_CONFIG": str(SAMPLE_CONFIG),
            "MODELMETER_REPORTS": str(self.home / "reports"),
            "MODELMETER_OFFLINE": "true",
            **self.extra,
        }

    def start(self, *arguments: str) -> Run:
        """Start the command: forked from a warm process, or, where it is to be another one, as a program."""
        process = (
            Forked(arguments, self.environment, read_only=self.read_only)
            if self.command is None
            else self._program(arguments)
        )
        self.started.append(process)
        return process

    def _program(self, arguments: Sequence[str]) -> subprocess.Popen[str]:
        assert self.command is not None
        return subprocess.Popen(
            [self.command, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def remove(self) -> None:
        """End what a failed test left running, and the server with it."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.communicate()
        if (self.home / "postgres").exists():
            server.shut_down(self.home, force=True)
            server.remove(self.home)

    def run(self, *arguments: str, status: int = 0, patience: float = 300) -> tuple[str, str]:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=patience)
        assert process.returncode == status, f"{out}\n{err}"
        return out, err

    def statuses(self) -> list[str]:
        """How each run of Dagster's history ended, the first one first."""
        with open_database(Settings(home=self.home)) as database:
            history = database.named(database.dagster_database)
            with history.connect() as connection:
                return [status for (status,) in connection.execute("select status from runs order by id")]

    def tables(self) -> Tables:
        url = self.extra.get("MODELMETER_DATABASE_URL")
        settings = Settings(home=self.home, database_url=SecretStr(url) if url else None)
        with open_database(settings) as database, database.connect(read_only=True) as connection:
            return {
                t.qualified: connection.execute(f"select t::text from {t.qualified} as t order by 1").fetchall()
                for t in TABLES
                if t not in CORE_ALERT_TABLES  # events are of a run: when it saw them, and that it failed
            }


@pytest.fixture
def installation(tmp_path: Path, small_sample: SmallSample) -> Iterator[Installation]:
    home = tmp_path / "a home with spaces"
    home.mkdir()
    lay_cluster(home)
    made = Installation(home, small_sample.root)
    yield made
    made.remove()


@dataclass(frozen=True)
class Finished:
    """A run that was left alone: its command and home, what it wrote to the terminal, and every row of every table afterwards."""

    command: str
    home: Path
    out: str
    err: str
    tables: Tables


@pytest.fixture(scope="session")
def undisturbed(small_sample: SmallSample, request: pytest.FixtureRequest) -> Finished:
    """The middle day of the sample, run once by the wheel away from any checkout; `--quick` builds none and takes the checkout's
    command. Every other history must give the same tables."""

    def make(folder: Path) -> Finished:
        folder.chmod(0o711)
        command = MODELMETER if request.config.getoption("--quick") else installed_wheel()
        installation = Installation(folder, small_sample.root, command=command, folder=folder.parent)
        out, err = installation.run("daily", "--date", str(small_sample.days[1]))
        return Finished(command, folder, out, err, installation.tables())

    return made_once("undisturbed", make)


def installed_wheel() -> str:
    """`modelmeter` from the built wheel, in an environment of its own. The locked packages come from this environment, by a path
    that leads to them and not to the editable installation: a test may not fetch."""
    return made_once("wheel", _installed_wheel)


def _installed_wheel(folder: Path) -> str:
    built = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(built, cwd=ROOT, check=True, capture_output=True, timeout=300)
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    site = next((environment / "lib").glob("python*/site-packages"))
    (site / "locked.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    (wheel,) = folder.glob("*.whl")
    install = [sys.executable, "-m", "pip", "--python", str(environment / "bin" / "python"), "install", "--no-index"]
    subprocess.run([*install, "--no-deps", "--ignore-installed", str(wheel)], check=True, capture_output=True)
    return str(environment / "bin" / "modelmeter")


def differences(installation: Installation, undisturbed: Finished) -> set[str]:
    """The tables in which the two differ."""
    mine = installation.tables()
    assert mine["core.request"]
    return {name for name in mine if mine[name] != undisturbed.tables[name]}
