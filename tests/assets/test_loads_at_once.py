"""Two commands load different days at the same time: both finish, whichever comes first."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

import pipelines.daily.requests
import pipelines.warehouse.partitions
from assets.requests import core_request
from pipelines.daily import ingest_requests, refresh_prices, refresh_rate_card
from pipelines.models import Registry, alias_frame
from pipelines.workspace import open_workspace
from tests.assets.conftest import DailyJob
from tests.assets.test_money import landing


def slowly(registry: Registry, names: pl.DataFrame) -> pl.DataFrame:
    """The same, long enough after the rows were staged for the other load to have staged its own."""
    time.sleep(1)
    return alias_frame(registry, names)


def load(job: DailyJob, day: date) -> int:
    with dg.build_resources({"mm": job.resource()}) as resources:
        made = core_request(dg.build_asset_context(partition_key=str(day)), mm=resources.mm)
        return sum(
            int(str(item.metadata["dagster/row_count"])) for item in made if item.asset_key.path[-1] == "request"
        )


def test_two_loads_of_different_days_at_once(
    fresh_job: Callable[[], DailyJob], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone, config = landing(tmp_path)
    made = fresh_job()
    job = DailyJob(made.database, made.home, zone, config)
    with open_workspace(job.settings()) as workspace:
        ingest_requests(workspace, None)
        refresh_prices(workspace)
        refresh_rate_card(workspace)
    days = [date(2026, 2, 15), date(2026, 2, 16)]
    first = [load(job, day) for day in days]
    assert all(first)
    monkeypatch.setattr(pipelines.daily.requests, "alias_frame", slowly)
    monkeypatch.setattr(pipelines.warehouse.partitions, "_SWAP_PATIENCE_SECONDS", 6.0)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda day: load(job, day), days)) == first
