"""How the installation stands: the last run of each day, the age of feeds, open alarms and sizes; for people, probes and Prometheus (`prometheus.py`).

Read from the warehouse and from the tables of Dagster's run history, without Dagster, so that a probe costs little.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

from pipelines.daily.report import feeds_in_use
from pipelines.finops.report import FeedLine
from pipelines.retention.removed import size_of
from pipelines.settings import Settings
from pipelines.warehouse import WarehouseError
from pipelines.warehouse.cluster import locate
from pipelines.warehouse.database import DAGSTER_SCHEMA, Database
from pipelines.warehouse.names import is_made
from pipelines.warehouse.unfinished import Progress
from pipelines.workspace import Workspace

_RUNS_LOOKED_AT = 1000
"""More than the history keeps by default: of a failed day that nobody ran again the newest run may be three months old."""
_RUNS = """
    select
        coalesce(first.value, partition.value) as first_day, coalesce(last.value, partition.value) as last_day,
        runs.status, runs.start_time, runs.end_time,
        failed.warnings, failed.errors
    from runs
    cross join lateral (
        select
            count(*) filter (where evaluation_event not like '%%AssetCheckSeverity.ERROR%%') as warnings,
            count(*) filter (where evaluation_event like '%%AssetCheckSeverity.ERROR%%') as errors
        from asset_check_executions as checked
        where checked.run_id = runs.run_id and checked.execution_status = 'FAILED'
    ) as failed
    left join run_tags as first on first.run_id = runs.run_id and first.key = 'dagster/asset_partition_range_start'
    left join run_tags as last on last.run_id = runs.run_id and last.key = 'dagster/asset_partition_range_end'
    left join run_tags as partition on partition.run_id = runs.run_id and partition.key = 'dagster/partition'
    where runs.pipeline_name = 'daily'
    order by runs.id desc
    limit %s
"""
_CLOCKS = timedelta(hours=1)
"""By how much clocks may differ. A run of a clock that was years ahead would pass for the last success until then."""
_UNSENT = "alerts that could not be sent"
_ALARMS = {
    "silent changes of models": (
        "mart.request_drift",
        "select count(*) from mart.request_drift where is_alarm and event_date = (select max(event_date) from mart.request_drift)",
    ),
    "budgets crossed": (
        "mart.budget_status",
        "select count(*) from mart.budget_status where state = 'crossed' and event_date = (select max(event_date) from mart.budget_status)",
    ),
    _UNSENT: (
        "core.alert_delivery",
        "select count(*) from core.alert_delivery where sent_at is null and attempted_at > now() - interval '2 days'",
    ),
}
"""What is open: the table that says so, and how many there are on its newest day. Alerts are tried again at each run, for a week."""


@dataclass(frozen=True)
class LastRun:
    """The newest daily run of a stretch of days."""

    first_day: date
    last_day: date
    status: str
    started_at: datetime | None
    ended_at: datetime | None
    checks: dict[str, int]
    """How many failed, by the words that the run has for them: warn and error."""

    @property
    def succeeded(self) -> bool:
        """Whether every step and blocking check passed."""
        return self.status == "SUCCESS"

    @property
    def has_ended(self) -> bool:
        """Whether it is known how it ended."""
        return self.status in ("SUCCESS", "FAILURE")

    @property
    def days(self) -> set[date]:
        """Every day that it was about."""
        return {self.first_day + timedelta(days=number) for number in range((self.last_day - self.first_day).days + 1)}


@dataclass(frozen=True)
class Status:
    """Everything that a person on call or a probe wants to know first."""

    at: datetime
    newest_day: date | None
    runs: tuple[LastRun, ...]
    """The newest of each stretch of days, the newest first."""
    last_success_at: datetime | None
    feeds: tuple[FeedLine, ...]
    alarms: dict[str, int]
    sizes: dict[str, int]
    rebuild: str | None = None
    """What is to be said of a rebuild that has not come to its end."""

    def problems(self, max_age: timedelta) -> list[str]:
        """What is wrong, a sentence each; none where all is well."""
        if not self.runs:
            return ["no daily run is in the history"]
        found = [self.rebuild] if self.rebuild else []
        current = self.current()
        found += [f"the last daily run for {_days(run)} failed" for run in current if not run.succeeded]
        found += [_errors(run) for run in self.recent(max_age) if run.succeeded and run.checks.get("error")]
        if self.last_success_at is None:
            found.append("no daily run has succeeded")
        elif self.at - self.last_success_at > max_age:
            hours = f"{max_age.total_seconds() / 3600:g} h"
            found.append(
                f"no daily run has succeeded for {hours}: the last one ended at {self.last_success_at:%Y-%m-%d %H:%M} UTC"
            )
        found += [f"{feed.kind} {feed.name} is stale" for feed in self.feeds if feed.is_stale]
        if absent := [f"{feed.kind} {feed.name}" for feed in self.feeds if feed.is_stale is None]:
            found.append(f"never fetched: {', '.join(absent)}")
        if unsent := self.alarms.get(_UNSENT):
            found.append(f"{_UNSENT}: {unsent} (`modelmeter alerts` says why)")
        return found

    def current(self) -> list[LastRun]:
        """The runs that ended, but for those of whose days each was run again since."""
        found, seen = [], set[date]()
        for run in self.runs:
            if run.has_ended and not run.days <= seen:
                found.append(run)
                seen |= run.days
        return found

    def recent(self, max_age: timedelta) -> list[LastRun]:
        """Those of them that ended lately: what a check found long ago, a later day may not find."""
        return [run for run in self.current() if run.ended_at and self.at - run.ended_at <= max_age]


def status_of(workspace: Workspace) -> Status:
    """How the installation stands now. Fetches nothing."""
    with workspace.database.connect(read_only=True) as connection:
        newest = _one(connection, "mart.daily_charge", "select max(event_date) from mart.daily_charge")
        alarms = {name: _one(connection, table, query) or 0 for name, (table, query) in _ALARMS.items()}
    runs = _runs(workspace)
    now = datetime.now(UTC)
    ended = [run.ended_at for run in runs if run.succeeded and run.ended_at and run.ended_at <= now + _CLOCKS]
    return Status(
        at=now,
        newest_day=newest,
        runs=_newest(runs),
        last_success_at=max(ended, default=None),
        feeds=() if workspace.settings.is_offline else tuple(feeds_in_use(workspace)),
        alarms=alarms,
        sizes=sizes_of(workspace.settings, workspace.database),
        rebuild=Progress(workspace.settings.home).said(),
    )


def sizes_of(settings: Settings, database: Database) -> dict[str, int]:
    """Bytes of what grows: databases, and folders of the home and the reports."""
    names = {"warehouse": database.owner.dbname, "run history": database.dagster_database}
    with database.connect(read_only=True) as connection:
        found = {
            name: connection.execute(
                "select pg_database_size(oid) from pg_database where datname = %s", [dbname]
            ).fetchone()
            for name, dbname in names.items()
        }
    folders = {
        "parsed files": settings.home / "parsed",
        "days as files": settings.home / "requests",
        "logs of runs": settings.home / "dagster",
        "caches": settings.home / "cache",
        "dbt": settings.home / "dbt",
        "reports": settings.reports,
    }
    if settings.database_url is None:
        folders["log of changes (WAL)"] = locate(settings.home).data / "pg_wal"
    databases = {name: row[0] for name, row in found.items() if row}
    if names["warehouse"] == names["run history"]:
        del databases["run history"]
    return {**databases, **{name: size_of(folder) for name, folder in folders.items()}}


def _runs(workspace: Workspace) -> list[LastRun]:
    with _history(workspace) as connection:
        if connection is None:
            return []
        return [
            LastRun(
                date.fromisoformat(first),
                date.fromisoformat(last),
                status,
                _at(started),
                _at(ended),
                {"warn": warnings, "error": errors},
            )
            for first, last, status, started, ended, warnings, errors in connection.execute(_RUNS, [_RUNS_LOOKED_AT])
            if first and last
        ]


def _newest(runs: Sequence[LastRun]) -> tuple[LastRun, ...]:
    """The newest run of each stretch of days, the newest first, as they come."""
    found: dict[tuple[date, date], LastRun] = {}
    for run in runs:
        found.setdefault((run.first_day, run.last_day), run)
    return tuple(found.values())


@contextmanager
def _history(workspace: Workspace) -> Iterator[psycopg.Connection[Any] | None]:
    """Dagster's tables; None before the first run has made them."""
    database = workspace.database
    is_shared = database.dagster_database == database.owner.dbname
    try:
        connection = database.named(database.dagster_database).connect()
    except WarehouseError:
        yield None
        return
    with connection:
        schema = DAGSTER_SCHEMA if is_shared else "public"
        connection.execute(sql.SQL("set search_path to {}").format(sql.Identifier(schema)))
        yield connection if is_made(connection, "runs") else None


def _one(connection: psycopg.Connection[Any], table: str, query: str) -> Any:  # noqa: ANN401, of any type
    if not is_made(connection, table):
        return None
    return (connection.execute(query.encode()).fetchone() or (None,))[0]


def _at(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _errors(run: LastRun) -> str:
    number = run.checks["error"]
    checks = "a check" if number == 1 else f"{number} checks"
    return f"{checks} of the daily run for {_days(run)} failed as an error"


def _days(run: LastRun) -> str:
    return str(run.first_day) if run.first_day == run.last_day else f"{run.first_day} to {run.last_day}"
