"""Alarms of the log in the database: the same rows in whatever order days are loaded, with open ones carried on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl

from pipelines.config.watch import KnownChange, Watch
from pipelines.daily.behaviour import refresh_request_drift
from pipelines.daily.days import Window
from pipelines.warehouse.database import Database
from pipelines.warehouse.read import read_table
from pipelines.warehouse.replace import replace_days
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.mart_behaviour import REQUEST_DRIFT, REQUEST_PROFILE
from tests.unit.behaviour.test_drift import requests

START, DAYS = date(2026, 1, 1), 45
IN_ORDER_FROM = 30
"""Alarms are open on this day; the days from it on come one after the other."""


def load(database: Database, workspace: Any, days: Sequence[int], log: dict[int, pl.DataFrame]) -> None:
    """Load days one by one, as the daily job does."""
    for day in days:
        at = START + timedelta(days=day)
        with database.connect() as connection, connection.transaction():
            replace_days(connection, REQUEST, log[day], at, at + timedelta(days=1))
        refresh_request_drift(workspace, Window(at, at + timedelta(days=1)))


def load_at_once(database: Database, workspace: Any, log: dict[int, pl.DataFrame]) -> None:
    """Load all days as one run over a range."""
    end = START + timedelta(days=DAYS)
    with database.connect() as connection, connection.transaction():
        replace_days(connection, REQUEST, pl.concat(log.values()), START, end)
    refresh_request_drift(workspace, Window(START, end))


def rows(database: Database) -> pl.DataFrame:
    with database.connect(read_only=True) as connection:
        return read_table(connection, REQUEST_DRIFT, "true").sort(REQUEST_DRIFT.primary_key)


def test_open_alarms_are_the_same_in_whatever_order_days_are_loaded(database: Database, tmp_path: Path) -> None:
    generator = np.random.default_rng(8)
    means = [400] * 10 + [200] * (DAYS - 10)
    log = {
        day: requests(
            START + timedelta(days=day),
            generator.lognormal(np.log(mean), 0.5, 60).astype(int).tolist(),
            unpriced_reason="no_price",
        )
        for day, mean in enumerate(means)
    }
    known = KnownChange.model_validate({"from": START + timedelta(days=40)})
    workspace: Any = SimpleNamespace(
        database=database,
        day_files=tmp_path,
        config=SimpleNamespace(watch=Watch(strata=("prompt_version",), changes=(known,))),
    )
    load_at_once(database, workspace, log)
    first = rows(database)
    alarms = first.filter((pl.col("metric") == "output_tokens") & pl.col("is_alarm")).sort("event_date")
    expected = [(START + timedelta(days=day), day - 10) for day in range(10, 40)]
    assert [
        row for row in alarms.select("event_date", "age_days").rows() if row[0] >= START + timedelta(days=10)
    ] == expected
    load(database, workspace, [3, 12, 3], log)  # again, in between
    assert rows(database).equals(first)
    with database.connect() as connection, connection.transaction():
        for table in (REQUEST_DRIFT, REQUEST_PROFILE, REQUEST):
            replace_days(connection, table, table.empty(), START, START + timedelta(days=DAYS))
    shuffled = np.random.default_rng(1).permutation(IN_ORDER_FROM).tolist()
    load(database, workspace, [*shuffled, *range(IN_ORDER_FROM, DAYS)], log)
    assert rows(database).equals(first)
