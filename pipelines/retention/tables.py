"""Rows by age: the requests of old days, whose charges stay, and what was set aside in old files, whose counts stay."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import psycopg

from pipelines.quality import spend_agrees
from pipelines.retention.removed import Removed
from pipelines.warehouse.partitions import loaded_days, swap_in
from pipelines.warehouse.tables.core import REQUEST


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
