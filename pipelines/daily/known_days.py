"""Days whose spend is known: those with requests, and those that a run found without any.

A company that works five days a week has no requests at weekends. These days cost nothing, and only a day that was never run is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import psycopg

from pipelines.daily.days import Window
from pipelines.warehouse.partitions import loaded_days
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.raw import QUIET_DAY

_QUIET = "select event_date from raw.quiet_day"


def quiet_days(window: Window, with_requests: Iterable[date]) -> pl.DataFrame:
    """Rows of raw.quiet_day: the days of a window that have ended and have no requests."""
    today, busy = datetime.now(UTC).date(), set(with_requests)
    days = [day for day in window.days if day not in busy and day < today]
    return pl.DataFrame({"event_date": days}, schema=QUIET_DAY.polars_schema)


def all_known_days(connection: psycopg.Connection[Any]) -> list[date]:
    """Every known day, also where the requests of old days were removed and their charges stay."""
    summed = {day for (day,) in connection.execute("select distinct event_date from mart.spend_series")}
    return known_days(connection, summed.union(loaded_days(connection, REQUEST)))


def known_days(connection: psycopg.Connection[Any], with_requests: Iterable[date]) -> list[date]:
    """The days with requests, and the quiet days after the first of them, in order. Before it nothing is known to have begun."""
    busy = set(with_requests)
    first = min(busy, default=date.max)
    return sorted(day for day in run_days(connection, busy) if day >= first)


def run_days(connection: psycopg.Connection[Any], with_requests: Iterable[date]) -> frozenset[date]:
    """The days with requests, and every quiet day, also before the first of them: what is billed for such a day is in no log."""
    return frozenset(with_requests).union(day for (day,) in connection.execute(_QUIET))
