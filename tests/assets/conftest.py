"""Fixtures of the asset tests: a small sample landing zone, and the daily job run on it into a database of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import psycopg
import pytest
from dagster._core.errors import DagsterExecutionInterruptedError

from assets.definitions import build_defs
from assets.resources import WorkspaceResource
from pipelines.sample import SampleSummary, generate_sample
from pipelines.settings import Settings
from pipelines.warehouse.database import Database
from pipelines.warehouse.open import open_database
from pipelines.warehouse.read import read_frame
from pipelines.warehouse.tables import TABLES
from pipelines.warehouse.tables.core_alerts import CORE_ALERT_TABLES
from pipelines.warehouse.tables.mart import SPEND_TABLES
from tests.end_to_end.forked import stop_server, warm_dbt
from tests.once import made_once
from tests.warehouse_fixtures import fresh_database

OF_A_DAY = (
    "raw.snapshot", "raw.quarantine", "core.request", "raw.duplicate", "raw.loaded_file", "raw.quiet_day", "core.model_alias", "staging.stg_request",
    "core.request_charge", "core.price_in_force", "mart.daily_charge",
    *(table.qualified for table in SPEND_TABLES), "mart.unit_cost", "mart.daily_item_spend", "mart.daily_meter_spend", "mart.daily_explorer_spend", "mart.daily_end_user_spend", "mart.daily_tag_spend",
)  # fmt: skip
"""The tables made of a day's requests, with their checks; prices and boards are those of the first run."""
SAMPLE_CONFIG = Path(__file__).resolve().parents[2] / "pipelines" / "sample" / "config"


@dataclass(frozen=True)
class SmallSample:
    """Three days of the sample, a few hundred requests each, with everything that is injected into the big one."""

    root: Path
    summary: SampleSummary

    @property
    def days(self) -> list[date]:
        return [date.fromisoformat(day) for day in self.summary.days]


@pytest.fixture(scope="session")
def small_sample() -> SmallSample:
    """Read only: tests that change the landing zone copy it."""
    return made_once("sample", _small_sample)


def _small_sample(folder: Path) -> SmallSample:
    root = folder / "landing"
    return SmallSample(root, generate_sample(root, days=3, requests_per_day=600))


def quick_dbt() -> AbstractContextManager[None]:
    """The dbt process of a run is forked. A single file of tests would wait longer for what forks than it gains."""
    return warm_dbt() if "PYTEST_XDIST_WORKER" in os.environ else nullcontext()


@dataclass
class DailyJob:
    """The daily job on one landing zone and one database; every run is a run of the real job, in process."""

    database: Database
    home: Path
    landing: Path
    config: Path = SAMPLE_CONFIG

    def _given(self) -> dict[str, Any]:
        return {
            "home": str(self.home),
            "landing": str(self.landing),
            "config": str(self.config),
            "database_url": self.database.url.render_as_string(hide_password=False),
            "offline": True,
            "reports": str(self.home / "reports"),
        }

    def resource(self) -> WorkspaceResource:
        return WorkspaceResource(**self._given())

    def settings(self) -> Settings:
        return Settings(**self._given())

    def run(
        self,
        first: date,
        last: date | None = None,
        *,
        raise_on_error: bool = True,
        only: Sequence[str] = (),
        instance: dg.DagsterInstance | None = None,
    ) -> dg.ExecuteInProcessResult:
        """Run the job for a day or a range, in one pass; of `only` these tables and their checks where any are named."""
        job = build_defs({"mm": self.resource()}).resolve_job_def("daily")
        with nullcontext(instance) if instance else dg.DagsterInstance.ephemeral() as used, quick_dbt():
            try:
                return job.execute_in_process(
                    instance=used,
                    raise_on_error=raise_on_error,
                    asset_selection=[dg.AssetKey(table.split(".")) for table in only] or None,
                    run_config={"loggers": {"progress": {}}},
                    tags={
                        "dagster/asset_partition_range_start": str(first),
                        "dagster/asset_partition_range_end": str(last or first),
                    },
                )
            except DagsterExecutionInterruptedError as error:
                raise KeyboardInterrupt from error  # Dagster's own error would cost one test, and the session would go on

    def query(self, sql: str) -> pl.DataFrame:
        with self.database.connect(read_only=True) as connection:
            return read_frame(connection, sql)

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table, as text, in a fixed order: what "identical tables" means."""
        with self.database.connect(read_only=True) as connection:
            # Events are of a run: when it saw them, and that it failed.
            return {t.qualified: _rows(connection, t.qualified) for t in TABLES if t not in CORE_ALERT_TABLES}


def _rows(connection: psycopg.Connection[Any], qualified: str) -> list[tuple[Any, ...]]:
    return connection.execute(f"select t::text from {qualified} as t order by 1").fetchall()


@pytest.fixture(scope="session")
def fresh_job(
    postgres_home: Path, small_sample: SmallSample, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], DailyJob]]:
    """Makes daily jobs on the small sample, each with a database and a home of its own."""
    with open_database(Settings(home=postgres_home), migrate=False) as shared:
        yield lambda: DailyJob(fresh_database(shared), tmp_path_factory.mktemp("home"), small_sample.root)


@dataclass(frozen=True)
class RangedRun:
    """All days of the small sample in one pass: run once, read by many tests."""

    job: DailyJob
    result: dg.ExecuteInProcessResult


@pytest.fixture(scope="session")
def ranged(fresh_job: Callable[[], DailyJob], small_sample: SmallSample) -> RangedRun:
    job = fresh_job()
    return RangedRun(job, job.run(small_sample.days[0], small_sample.days[-1]))


def pytest_sessionfinish() -> None:
    """Stop the server that `forked.py` has started."""
    stop_server()
