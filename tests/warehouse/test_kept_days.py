"""Histograms of large days in files: the table's rows, read again from it only if they were written anew."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pytest

from pipelines.behaviour import build_request_profile, kept_days, profiles_of, taken_apart
from pipelines.warehouse.database import Database
from pipelines.warehouse.replace import replace_days
from pipelines.warehouse.tables.mart_behaviour import REQUEST_PROFILE
from tests.unit.behaviour.test_drift import DAY, requests

BEFORE = DAY - timedelta(days=1)
KEY = [*REQUEST_PROFILE.primary_key]


def write(database: Database, tokens: list[int], day: date = DAY) -> pl.DataFrame:
    profile = build_request_profile(requests(day, tokens, latency_ms=120.0))
    replace_days(database, REQUEST_PROFILE, profile, day, day + timedelta(days=1))
    return taken_apart(profile).sort(KEY)


def test_a_large_day_is_read_from_its_file_until_its_rows_are_written_anew(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_days, "_LARGE", 0)
    before, day = write(database, [7, 8], BEFORE), write(database, [40, 41, 41])
    asked: list[date] = []
    of_table = kept_days._of_table

    def counted(connection: psycopg.Connection[Any], days: list[date]) -> pl.DataFrame:
        asked.extend(days)
        return of_table(connection, days)

    def read() -> pl.DataFrame:
        asked.clear()
        with database.connect() as connection:
            return profiles_of(connection, tmp_path, BEFORE, DAY).sort(KEY)

    monkeypatch.setattr(kept_days, "_of_table", counted)
    assert read().equals(pl.concat([before, day]).sort(KEY))
    assert asked == [BEFORE, DAY]
    assert read().equals(pl.concat([before, day]).sort(KEY))
    assert asked == []
    day = write(database, [50, 51, 51])  # as many rows, with the same sum of requests
    assert read().equals(pl.concat([before, day]).sort(KEY))
    assert asked == [DAY]
    assert len(list(tmp_path.iterdir())) == 2
    for file in tmp_path.iterdir():
        file.write_bytes(file.read_bytes()[:-100])
    assert read().equals(pl.concat([before, day]).sort(KEY))
    assert asked == [BEFORE, DAY]


def test_a_small_day_has_no_file(database: Database, tmp_path: Path) -> None:
    day = write(database, [40, 41, 41])
    with database.connect() as connection:
        assert profiles_of(connection, tmp_path, DAY, DAY).sort(KEY).equals(day)
    assert list(tmp_path.iterdir()) == []
