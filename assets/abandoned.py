"""Runs whose process is gone: a run that was killed stays "started" in Dagster's history, where only one may run at a time.

Whoever comes next ends it: a command before its own run, the daemon every half minute. How a run shows that it lives is in
`pipelines/warehouse/advisory_locks.py`; the resource `mm` does so for every run.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import dagster as dg

from pipelines.warehouse.advisory_locks import is_alive, sign_of_life
from pipelines.warehouse.database import Database
from pipelines.workspace import open_workspace

SHOWS_LIFE = ".dagster/modelmeter_shows_life"
"""Tag of a run whose process holds, or held, its sign of life. Dagster's pages leave tags with this beginning out."""
_TIME_TO_START = timedelta(minutes=10)
"""A run that shows no sign of life so long after it started never came as far."""
_TIME_TO_END = 5.0
"""Seconds that a run may take to say how it ended once it has closed everything."""
_MESSAGE = (
    "The process of this run is gone: it was killed, or its machine stopped. "
    "The next run of these days makes what it had not finished."
)
_UNFINISHED = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


@contextmanager
def living(database: Database, instance: dg.DagsterInstance | None, run_id: str | None) -> Iterator[None]:
    """Show that the run is alive until the block ends; does nothing outside a run."""
    if instance is None or not run_id or not instance.has_run(run_id):
        yield
        return
    with sign_of_life(database, run_id):
        instance.add_run_tags(run_id, {SHOWS_LIFE: "true"})
        yield


def end_abandoned_runs(instance: dg.DagsterInstance, database: Database) -> list[str]:
    """Report every run as failed, or as cancelled where that was asked for, whose process is gone; their ids."""
    if not _gone(instance, database):
        return []
    time.sleep(_TIME_TO_END)
    gone = _gone(instance, database)
    for run in gone:
        is_cancelled = run.status is dg.DagsterRunStatus.CANCELING
        report = instance.report_run_canceled if is_cancelled else instance.report_run_failed
        report(run, _MESSAGE)
    return [run.run_id for run in gone]


def _gone(instance: dg.DagsterInstance, database: Database) -> list[dg.DagsterRun]:
    """The unfinished runs without a sign of life."""
    started = datetime.now(UTC) - _TIME_TO_START
    return [
        record.dagster_run
        for record in instance.get_run_records(dg.RunsFilter(statuses=_UNFINISHED))
        if (SHOWS_LIFE in record.dagster_run.tags or record.update_timestamp.replace(tzinfo=UTC) < started)
        and not is_alive(database, record.dagster_run.run_id)
    ]


@dg.sensor(
    name="abandoned_runs",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Every half minute: end the runs whose process is gone, so that the next one in the queue can start.",
)
def abandoned_runs_sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """End abandoned runs; ask for none."""
    with open_workspace() as workspace:
        ended = end_abandoned_runs(context.instance, workspace.database)
    return dg.SkipReason(f"ended {', '.join(ended)}" if ended else "every run that has started is alive")
