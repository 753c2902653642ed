"""Step `mart.request_drift`: each day of the log compared with its reference; `mart.request_profile` holds the days.

A day's requests are read once, into its profile; days are compared profile with profile. What is compared, and when a
difference is an alarm, is in `pipelines.behaviour`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl
import psycopg

from pipelines.behaviour import (
    PROFILE_COLUMNS,
    REFERENCE_DAYS,
    Alarms,
    ProfileCounts,
    detect_request_drift,
    profiles_of,
    taken_apart,
)
from pipelines.behaviour.alarms import RHYTHM_DAYS
from pipelines.config.watch import Watch
from pipelines.daily.days import Window
from pipelines.warehouse.day_files import parts_of_day
from pipelines.warehouse.partitions import loaded_days
from pipelines.warehouse.read import read_table
from pipelines.warehouse.replace import replace_days
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.mart_behaviour import REQUEST_DRIFT, REQUEST_PROFILE
from pipelines.workspace import Workspace

_REACH = timedelta(days=REFERENCE_DAYS)
_STATE = ["event_date", "provider_id", "model_id", "use_case", "metric", "opened_on"]


@dataclass(frozen=True)
class RequestDriftOutcome:
    """What a window came to: histograms of its days, and the comparisons of the window and of the days after it."""

    profiled: int
    judged_days: int
    drift: pl.DataFrame


def refresh_request_drift(workspace: Workspace, window: Window) -> RequestDriftOutcome:
    """Profile the window's days, and judge every loaded day that they may decide.

    Those are its own days and the ones after it that have one of them in their reference, and further ones for as long as
    other alarms are open than before, so the rows are the same in whatever order days are loaded. A day of a reference
    that was never profiled, or whose profile was removed, is profiled too. Where retention removed its requests as well, what was
    found of the days that are compared with it stays.
    """
    with workspace.database.connect() as connection, connection.transaction():
        profiles = _Profiles(workspace, connection)
        profiles.make(window.days)
        drift, until = _judge(profiles, window, window.to_date + _REACH, workspace.config.watch)
        # One statement per stretch of days; a day without requests becomes empty with the rest.
        if until > window.from_date:
            replace_days(connection, REQUEST_DRIFT, drift, window.from_date, until)
    return RequestDriftOutcome(profiles.rows, drift["event_date"].n_unique(), drift)


class _Profiles:
    """The profiles of days, each made when it is asked for and lacks. `known` are the days that ever had requests, in order."""

    def __init__(self, workspace: Workspace, connection: psycopg.Connection[Any]) -> None:
        self.connection, self._workspace, self.rows = connection, workspace, 0
        self._loaded = set(loaded_days(connection, REQUEST))
        counted = connection.execute("select distinct event_date from raw.loaded_file where requests > 0").fetchall()
        self.known = sorted(self._loaded.union(day for (day,) in counted))

    def make(self, days: Iterable[date]) -> None:
        """Replace the profiles of some days."""
        for day in days:
            counts = ProfileCounts(self._workspace.config.watch.strata)
            if day in self._loaded:
                for part in parts_of_day(self.connection, self._workspace.day_files, day, PROFILE_COLUMNS):
                    counts.add(part)
            self.rows += replace_days(self.connection, REQUEST_PROFILE, counts.profile(), day, day + timedelta(days=1))

    def are_whole(self, first: date, last: date) -> bool:
        """Whether every known day from `first` to `last` has its profile, once those were made whose requests are there."""
        made = self.connection.execute(
            "select distinct event_date from mart.request_profile where event_date between %s and %s", [first, last]
        )
        lacking = {day for day in self.known if first <= day <= last}.difference(day for (day,) in made)
        self.make(sorted(lacking & self._loaded))
        return lacking <= self._loaded

    def read(self, days: Sequence[date], alarms: Alarms) -> pl.DataFrame | None:
        """The profile, taken apart, of the days and of all that can be their reference: of open alarms the days before their first. None if
        some of it is gone for good."""
        first = days[0] - _REACH
        stretches: list[tuple[date, date, str | None]] = [(first, days[-1], None)]
        older = alarms.open.filter(pl.col("opened_on") < days[0]).select("opened_on", "model_id").unique()
        for opened_on, model_id in older.sort("opened_on", "model_id").iter_rows():
            stretches.append((opened_on - _REACH, min(opened_on, first) - timedelta(days=1), model_id))
        if not all(self.are_whole(low, high) for low, high, _ in stretches):
            return None
        found = [self._rows(*stretch) for stretch in stretches]
        return (
            found[0] if len(found) == 1 else pl.concat(found).unique(REQUEST_PROFILE.primary_key, maintain_order=True)
        )

    def _rows(self, first: date, last: date, model_id: str | None) -> pl.DataFrame:
        if model_id is None:
            return profiles_of(self.connection, self._workspace.profiles, first, last)
        condition = "event_date between %s and %s and model_id = %s"
        return taken_apart(read_table(self.connection, REQUEST_PROFILE, condition, [first, last, model_id]))


def _judge(profiles: _Profiles, window: Window, reach: date, watch: Watch) -> tuple[pl.DataFrame, date]:
    """The comparisons of the window's days and of those after it, and the day up to which they are all there are.

    Beyond `reach` no day has one of the window's in its reference: from there on it ends with the first stretch of
    REFERENCE_DAYS on which alarms are as they were stored, if none is open whose reference the window belongs to, because
    then nothing that follows can differ.
    """
    connection = profiles.connection
    alarms = _alarms_before(connection, [day for day in profiles.known if day < window.from_date])
    stored = read_table(connection, REQUEST_DRIFT, "event_date >= %s and is_alarm", [window.from_date])
    stored = stored.with_columns(pl.coalesce("opened_on", "event_date")).select(_STATE)
    found = [REQUEST_DRIFT.empty()]
    after = [day for day in profiles.known if day >= window.from_date]
    same_since, until = reach, reach
    for chunk in (after[start : start + REFERENCE_DAYS] for start in range(0, len(after), REFERENCE_DAYS)):
        profile = profiles.read(chunk, alarms)
        if profile is None:
            return pl.concat(found), chunk[0]
        for day in chunk:
            touched = alarms.open.filter(pl.col("opened_on").is_between(window.from_date, reach, closed="none"))
            if day >= reach and day - same_since >= _REACH and touched.is_empty():
                return pl.concat(found), until
            rows = detect_request_drift(profile, day, alarms, watch.changes)
            found.append(rows)
            alarms, until = alarms.after(rows, day), max(reach, day + timedelta(days=1))
            now = rows.filter("is_alarm").select(_STATE).sort(_STATE)
            if not now.equals(stored.filter(pl.col("event_date") == day).sort(_STATE)):
                same_since = day + timedelta(days=1)
    return pl.concat(found), until


def _alarms_before(connection: psycopg.Connection[Any], days: Sequence[date]) -> Alarms:
    """What was found up to the last loaded day, as far back as the references of open alarms reach."""
    if not days:
        return Alarms.none()
    last = days[-1]
    open_rows = read_table(connection, REQUEST_DRIFT, "event_date = %s and is_alarm", [last])
    first = min([last, *open_rows["opened_on"].drop_nulls().to_list()]) - timedelta(days=RHYTHM_DAYS)
    return Alarms.of(
        read_table(connection, REQUEST_DRIFT, "event_date between %s and %s and is_alarm", [first, last]), last
    )
