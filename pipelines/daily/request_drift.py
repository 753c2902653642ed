"""Step `mart.request_drift`: each day of the log held against the 28 days before it, by way of `mart.request_profile`.

A day's requests are read once, into its profile; days are compared profile with profile. What is compared, and when a
difference is an alarm, is in `pipelines.benchmarks`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl
import psycopg

from pipelines.benchmarks import PROFILE_COLUMNS, REFERENCE_DAYS, build_request_profile, detect_request_drift
from pipelines.daily.days import Window
from pipelines.daily.workspace import Workspace
from pipelines.warehouse.read import read_frame, read_table
from pipelines.warehouse.replace import loaded_days, replace_days
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.mart_benchmarks import REQUEST_DRIFT, REQUEST_PROFILE

_REACH = timedelta(days=REFERENCE_DAYS)


@dataclass(frozen=True)
class RequestDriftOutcome:
    """What a window came to: histograms of its days, and the comparisons of the window and of the days after it."""

    profiled: int
    judged_days: int
    drift: pl.DataFrame


def refresh_request_drift(workspace: Workspace, window: Window) -> RequestDriftOutcome:
    """Profile the window's days, and judge every loaded day that has one of them as its own or in its reference.

    Days after the window are judged again because their reference has changed, so the rows are the same in whatever
    order days are loaded. A day of the reference that is loaded and was never profiled is profiled too.
    """
    reached = Window(window.from_date - _REACH, window.to_date + _REACH)
    with workspace.database.connect() as connection, connection.transaction():
        loaded = {day for day in loaded_days(connection, REQUEST) if reached.from_date <= day < reached.to_date}
        missing = loaded - _profiled(connection, reached) - set(window.days)
        profiled = sum(_profile(connection, day, is_loaded=day in loaded) for day in sorted({*window.days, *missing}))
        judged = [day for day in sorted(loaded) if day >= window.from_date]
        drift = _judge(connection, judged)
        # One statement per stretch of days; a day without requests becomes empty with the rest.
        replace_days(connection, REQUEST_DRIFT, drift, window.from_date, reached.to_date)
    return RequestDriftOutcome(profiled, len(judged), drift)


def _profiled(connection: psycopg.Connection[Any], reached: Window) -> set[date]:
    rows = connection.execute(
        "select distinct event_date from mart.request_profile where event_date >= %s and event_date < %s",
        [reached.from_date, reached.to_date],
    )
    return {day for (day,) in rows}


def _profile(connection: psycopg.Connection[Any], day: date, *, is_loaded: bool) -> int:
    """Replace the profile of one day; one at a time, so that memory holds no more than a day of requests."""
    profile = REQUEST_PROFILE.empty()
    if is_loaded:
        columns = ", ".join(PROFILE_COLUMNS)
        profile = build_request_profile(
            read_frame(connection, f"select {columns} from core.request where event_date = %s", [day])
        )
    return replace_days(connection, REQUEST_PROFILE, profile, day, day + timedelta(days=1))


def _judge(connection: psycopg.Connection[Any], days: Iterable[date]) -> pl.DataFrame:
    found = [REQUEST_DRIFT.empty()]
    days = list(days)
    if days:
        profile = read_table(
            connection, REQUEST_PROFILE, "event_date >= %s and event_date <= %s", [days[0] - _REACH, days[-1]]
        )
        found += [detect_request_drift(profile, day) for day in days]
    return pl.concat(found)
