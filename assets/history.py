"""Dagster's history by age: runs with their events, checks and logs, and logs of runs that are in no history any more.

How long is `retention.yaml`; everything else that is removed by age is `pipelines.retention`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from dagster._core.storage.dagster_run import FINISHED_STATUSES

from pipelines.retention.removed import Removed, remove_folder

_AT_ONCE = 100
_YOUNG = timedelta(days=1)
"""A folder of logs is made before its run is written down."""


def prune_history(instance: dg.DagsterInstance, logs: Path, days: int | None, now: datetime | None = None) -> Removed:
    """Remove finished runs older than `days` (None: none), and what is left of runs that are gone. The newest run stays."""
    now = now or datetime.now(UTC)
    removed = list(_old_runs(instance, now - timedelta(days=days))) if days else []
    for start in range(0, len(removed), _AT_ONCE):
        _forget_checks(instance, removed[start : start + _AT_ONCE])
    for run_id in removed:
        instance.delete_run(run_id)
    bytes_freed = sum(remove_folder(folder)[1] for folder in _orphans(instance, logs, now - _YOUNG))
    return Removed("runs of Dagster's history", len(removed), bytes_freed)


def _old_runs(instance: dg.DagsterInstance, before: datetime) -> Iterator[str]:
    newest = {run.run_id for run in instance.get_runs(limit=1)}
    old = dg.RunsFilter(statuses=FINISHED_STATUSES, created_before=before)
    return (run_id for run_id in instance.get_run_ids(old) if run_id not in newest)


def _forget_checks(instance: dg.DagsterInstance, run_ids: list[str]) -> None:
    """Dagster keeps the results of checks when it deletes a run: some eighty rows each."""
    # They bring a library that takes a while to load, and this module is part of the code location.
    from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
    from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage

    storage = instance.event_log_storage
    if isinstance(storage, SqlEventLogStorage):
        with storage.index_connection() as connection:
            of_runs = AssetCheckExecutionsTable.c.run_id.in_(run_ids)
            connection.execute(AssetCheckExecutionsTable.delete().where(of_runs))


def _orphans(instance: dg.DagsterInstance, logs: Path, before: datetime) -> list[Path]:
    """Folders of logs whose run is in no history."""
    if not logs.is_dir():
        return []
    old = [path for path in logs.iterdir() if path.is_dir() and path.stat().st_mtime < before.timestamp()]
    return [path for path in old if not instance.has_run(path.name)]
