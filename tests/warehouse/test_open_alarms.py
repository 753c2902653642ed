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
from pipelines.retention.tables import prune_profiles
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


def log_that_changes_on_the_tenth_day() -> dict[int, pl.DataFrame]:
    generator = np.random.default_rng(8)
    means = [400] * 10 + [200] * (DAYS - 10)
    return {
        day: requests(
            START + timedelta(days=day),
            generator.lognormal(np.log(mean), 0.5, 60).astype(int).tolist(),
            unpriced_reason="no_price",
        )
        for day, mean in enumerate(means)
    }


def watching(database: Database, folder: Path, *changes: KnownChange) -> Any:
    watch = Watch(strata=("prompt_version",), changes=changes)
    return SimpleNamespace(
        database=database,
        day_files=folder / "requests",
        profiles=folder / "profiles",
        config=SimpleNamespace(watch=watch),
    )


def test_open_alarms_are_the_same_in_whatever_order_days_are_loaded(database: Database, tmp_path: Path) -> None:
    log = log_that_changes_on_the_tenth_day()
    known = KnownChange.model_validate({"from": START + timedelta(days=40)})
    workspace = watching(database, tmp_path, known)
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


def profiled_days(database: Database) -> set[int]:
    with database.connect(read_only=True) as connection:
        found = connection.execute("select distinct event_date from mart.request_profile").fetchall()
    return {(day - START).days for (day,) in found}


def remove_requests(database: Database, days: range) -> None:
    """As retention does: what each file gave stays counted."""
    with database.connect() as connection, connection.transaction():
        connection.execute(
            "insert into raw.loaded_file select event_date, gen_random_uuid(), count(*) from core.request group by event_date"
        )
        replace_days(
            connection, REQUEST, REQUEST.empty(), START + timedelta(days=days.start), START + timedelta(days=days.stop)
        )


def test_profiles_that_were_removed_change_no_comparison(database: Database, tmp_path: Path) -> None:
    """They are made again of the requests; those that an open alarm is compared with stay; without either the rows stay as they are."""
    log, workspace = log_that_changes_on_the_tenth_day(), watching(database, tmp_path)
    load_at_once(database, workspace, log)
    first = rows(database)
    assert first.filter(event_date=START + timedelta(days=DAYS - 1))["is_alarm"].any()
    with database.connect() as connection:
        assert prune_profiles(connection, START + timedelta(days=40)).count > 0
    assert profiled_days(database) == {*range(10), *range(40, DAYS)}, (
        "the reference of the open alarm, and what is young"
    )
    load(database, workspace, [DAYS - 1, 20], log)
    assert rows(database).equals(first)
    assert profiled_days(database) == {*range(DAYS)}

    # Requests are gone, profiles are not: they are enough.
    remove_requests(database, range(15))
    load(database, workspace, [20, 12], log)
    assert rows(database).equals(first)

    # Both are gone: what was found stays, of the day itself too.
    remove_requests(database, range(12, 13))
    with database.connect() as connection:
        connection.execute("delete from mart.request_profile where event_date < %s", [START + timedelta(days=14)])
    load(database, workspace, [20, 9, DAYS - 1], log)
    assert rows(database).equals(first)


def test_a_day_whose_records_were_all_dropped_hides_no_comparison(database: Database, tmp_path: Path) -> None:
    """Its file stands there with no request, and it has no profile: no day of the four weeks after it was compared."""
    log, workspace = log_that_changes_on_the_tenth_day(), watching(database, tmp_path)
    empty = START + timedelta(days=30)
    del log[30]
    with database.connect() as connection, connection.transaction():
        connection.execute("insert into raw.loaded_file values (%s, gen_random_uuid(), 0)", [empty])
    load_at_once(database, workspace, log)
    assert rows(database)["event_date"].max() == START + timedelta(days=DAYS - 1)
