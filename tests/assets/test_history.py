"""Dagster's history by age: an old run goes with its events, checks and logs; the newest run and those that are young stay."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
from sqlalchemy import func, select

from assets.history import prune_history


@dg.asset(check_specs=[dg.AssetCheckSpec("whole", asset="thing")])
def thing() -> dg.MaterializeResult:
    return dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=True)])


def checks_kept(instance: dg.DagsterInstance) -> int:
    with instance.event_log_storage.index_connection() as connection:  # type: ignore[attr-defined]
        return connection.execute(select(func.count()).select_from(AssetCheckExecutionsTable)).scalar_one()


def test_old_runs_go_with_all_that_is_theirs(tmp_path: Path) -> None:
    later = datetime.now(UTC) + timedelta(days=100)
    with dg.DagsterInstance.ephemeral() as instance:
        old, newest = (dg.materialize([thing], instance=instance).run_id for _ in range(2))
        young_folder = tmp_path / "being-made"
        for folder in (tmp_path / old, tmp_path / newest, tmp_path / "killed"):
            folder.mkdir()
            (folder / "out").write_text("12345")
            os.utime(folder, (0, 0))
        young_folder.mkdir()
        os.utime(young_folder, (later.timestamp(), later.timestamp()))

        assert prune_history(instance, tmp_path, None, later).count == 0
        assert prune_history(instance, tmp_path, 101, later).count == 0
        removed = prune_history(instance, tmp_path, 90, later)

        assert (removed.count, removed.size_bytes) == (1, 5)
        assert instance.get_run_ids() == [newest]
        assert instance.all_logs(old) == []
        assert checks_kept(instance) == 1
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted([newest, "being-made"])
