"""Rows by age: the requests of old days, whose charges stay; what was set aside in old files, whose counts stay; and what only
later days and their own month need: sums of routing, profiles of the log, and projections."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import psycopg

from pipelines.behaviour import REFERENCE_DAYS
from pipelines.quality import spend_agrees
from pipelines.retention.removed import Removed
from pipelines.warehouse.names import is_made
from pipelines.warehouse.partitions import loaded_days, swap_in
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.mart_behaviour import REQUEST_DRIFT


def prune_requests(connection: psycopg.Connection[Any], before: date) -> Removed:
    """Drop the partitions of core.request before a day; only of days whose charges come to exactly what is dropped."""
    old = [day for day in loaded_days(connection, REQUEST) if day < before]
    kept = [day for day in old if spend_agrees(connection, day, day + timedelta(days=1)).success]
    if kept:
        swap_in(connection, REQUEST, kept, [])
    return Removed("days of requests", len(kept))


def prune_quarantine(connection: psycopg.Connection[Any], before: date) -> Removed:
    """Replace the rows of raw.quarantine by their counts for log files of which every day, and the arrival, are before a day."""
    counted = connection.execute(
        """
        with old as (
            select snapshot_id from raw.snapshot
            where kind = 'requests' and observed_at < %(before)s::date
            and not exists (select from unnest(event_dates) as day where day >= %(before)s::date)
        ),
        gone as (
            delete from raw.quarantine where snapshot_id in (select snapshot_id from old)
            returning snapshot_id, reason, severity
        ),
        counted as (
            insert into raw.quarantine_removed (snapshot_id, reason, severity, records)
            select snapshot_id, reason, severity, count(*) from gone group by snapshot_id, reason, severity
        )
        select count(*) from gone
        """,
        {"before": before},
    ).fetchone()
    return Removed("rows of the quarantine", counted[0] if counted else 0)


def prune_routing_sums(connection: psycopg.Connection[Any], before: date) -> Removed:
    """Remove what months of projections are added up from, of months that ended before a day: a month is made of all its days."""
    first = before.replace(day=1)
    counts = [
        connection.execute(f"delete from core.{table} where event_date < %s".encode(), [first]).rowcount
        for table in ("routing_traffic", "routing_cost")
    ]
    return Removed("rows of routing sums", sum(counts))


def prune_profiles(connection: psycopg.Connection[Any], before: date) -> Removed:
    """Remove the profiles of the log before a day, but for those that an open alarm is still compared with; none if alarms are not known."""
    if not is_made(connection, REQUEST_DRIFT.qualified):
        return Removed("rows of profiles of the log", 0)
    gone = connection.execute(
        """
        delete from mart.request_profile as profile
        where event_date < %(before)s and not exists (
            select from mart.request_drift as alarm
            where
                alarm.event_date = (select max(event_date) from mart.request_profile) and alarm.is_alarm
                and alarm.model_id = profile.model_id
                and profile.event_date < coalesce(alarm.opened_on, alarm.event_date)
                and profile.event_date >= coalesce(alarm.opened_on, alarm.event_date) - %(reach)s::integer
        )
        """,
        {"before": before, "reach": REFERENCE_DAYS},
    )
    return Removed("rows of profiles of the log", gone.rowcount)


def prune_projections(connection: psycopg.Connection[Any], before: date) -> Removed:
    """Remove the projections of days before a day; those of months stay."""
    gone = connection.execute("delete from mart.routing_projection where event_date < %s", [before])
    return Removed("rows of projections", gone.rowcount)
