"""`modelmeter close`, `reopen` and `restate`: months that are booked once, and what becomes known of them later.

A closed month is what was booked when it was closed. What becomes known of it afterwards (a late line, a corrected price) is a
correction in the first open month. The differences are in `corrections.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import psycopg

from pipelines.books.allocation import SHARES, shares_of
from pipelines.books.corrections import commitment_corrections, correctable, corrections
from pipelines.config.allocation import Allocation
from pipelines.warehouse.advisory_locks import exclusive
from pipelines.warehouse.bulk_copy import copy_frame
from pipelines.warehouse.database import Database
from pipelines.warehouse.errors import WarehouseError
from pipelines.warehouse.names import is_made
from pipelines.warehouse.read import read_table
from pipelines.warehouse.replace import add_rows
from pipelines.warehouse.tables.core_books import BOOKED_CHARGE, BOOKED_COMMITMENT, BOOKED_SHARE, PERIOD_ACT
from pipelines.warehouse.tables.mart_charges import DAILY_CHARGE
from pipelines.warehouse.tables.mart_commitments import COMMITMENT_USAGE
from pipelines.warehouse.tables.spec import Table

NOTHING_SHARED = Allocation()


@dataclass(frozen=True)
class Booked:
    """What a closing booked, or a reopening took back."""

    period: date
    charges: int
    corrections: int
    billed_cost_usd: Decimal
    missing_days: int = 0
    """Days of the month that no run has loaded: what they bring is corrections."""
    unpriced_requests: int = 0


def close_period(database: Database, period: date, allocation: Allocation = NOTHING_SHARED) -> Booked:
    """Book the month that begins with `period`, with the corrections of the months before, and who shares which of its cost. Months close in order.

    Raises WarehouseError where the month is not over, is closed, has no charges, or an earlier one is open.
    """
    end = following(period)
    if end > datetime.now(UTC).date():
        raise WarehouseError(f"{period:%Y-%m} is not over: it can be closed from {end} on")
    with exclusive(database, "books"), database.connect() as connection, connection.transaction():
        closed = closed_periods(connection)
        if period in closed:
            raise WarehouseError(f"{period:%Y-%m} is closed already")
        # After the last charges there may be corrections that have to be booked all the same.
        first = _first_open(connection, closed) or (following(max(closed)) if closed else None)
        nothing = WarehouseError(f"{period:%Y-%m} has no charges: there is nothing to close")
        if first is None or first > period:
            raise nothing
        if first < period:
            raise WarehouseError(f"close {first:%Y-%m} first: it has charges and is open")
        rows = book(connection, period)
        shares, commitments = book_shares(connection, rows, allocation), book_commitments(connection, period)
        if rows.is_empty() and commitments.is_empty():
            raise nothing
        add_rows(connection, BOOKED_CHARGE, rows)
        copy_frame(connection, BOOKED_COMMITMENT, commitments)
        own = shares.filter(pl.col("event_date") >= period).with_columns(period=pl.lit(period))
        add_rows(connection, BOOKED_SHARE, own.select(BOOKED_SHARE.polars_schema.names()))
        done = _noted(connection, period, "close", None, rows)
        unpriced = int(measured(rows.filter(pl.col("charge_class").is_null()))["unpriced_requests"].sum())
        return replace(done, missing_days=_missing_days(connection, period), unpriced_requests=unpriced)


def reopen_period(database: Database, period: date, reason: str) -> Booked:
    """Take back what was booked in the month that was closed last. Raises WarehouseError for any other."""
    with exclusive(database, "books"), database.connect() as connection, connection.transaction():
        closed = closed_periods(connection)
        if period not in closed:
            raise WarehouseError(f"{period:%Y-%m} is not closed")
        if period != max(closed):
            raise WarehouseError(f"reopen {max(closed):%Y-%m} first: it was closed after {period:%Y-%m}")
        rows = read_table(connection, BOOKED_CHARGE, "period = %s", (period,))
        for table in (BOOKED_CHARGE, BOOKED_COMMITMENT, BOOKED_SHARE):
            connection.execute(f"delete from {table.qualified} where period = %s".encode(), [period])
        return _noted(connection, period, "reopen", reason, rows)


def book(connection: psycopg.Connection[Any], period: date) -> pl.DataFrame:
    """Rows of core.booked_charge for a month: as booked where it is closed, else its charges as known now. The first month
    with charges after the last closed one (the next one where none has any) has what became known of closed ones too."""
    return _book(connection, period, DAILY_CHARGE, BOOKED_CHARGE)


def book_commitments(connection: psycopg.Connection[Any], period: date) -> pl.DataFrame:
    """Rows of core.booked_commitment for a month, as `book` has its charges."""
    return _book(connection, period, COMMITMENT_USAGE, BOOKED_COMMITMENT)


def _book(connection: psycopg.Connection[Any], period: date, known: Table, booked: Table) -> pl.DataFrame:
    closed = closed_periods(connection)
    if period in closed:
        return read_table(connection, booked, "period = %s", (period,)).sort(booked.primary_key)
    own = read_table(connection, known, "event_date >= %s and event_date < %s", (period, following(period)))
    rows = [own.with_columns(charge_class=pl.lit(None, pl.String))]
    if closed and period == (_first_open(connection, closed, after=max(closed)) or following(max(closed))):
        rows.append((pending if known is DAILY_CHARGE else pending_commitments)(connection))
    together = pl.concat(rows, how="diagonal").with_columns(period=pl.lit(period))
    return together.select(booked.polars_schema.names()).sort(booked.primary_key)


def book_shares(connection: psycopg.Connection[Any], book: pl.DataFrame, allocation: Allocation) -> pl.DataFrame:
    """Who shares which cost on the days of a month's `book`, as SHARES: as booked where the day's month is closed, else by the rules of
    `allocation` and the day's charges as known now."""
    days: list[date] = book["event_date"].unique().sort().to_list()
    closed = closed_periods(connection)
    open_days = [day for day in days if day.replace(day=1) not in closed]
    on_days = "event_date = any(%s)"
    booked = read_table(connection, BOOKED_SHARE, on_days, (days,))
    now = read_table(connection, DAILY_CHARGE, on_days, (open_days,))
    return pl.concat([booked.select(SHARES.names()), shares_of(measured(now), allocation)])


def measured(charges: pl.DataFrame) -> pl.DataFrame:
    """Charges with what allocation looks at: tokens, and requests whose cost is not known."""
    is_unpriced = (pl.col("meter") == "request") & pl.col("unpriced_reason").is_not_null()
    return charges.with_columns(
        tokens=pl.when(pl.col("unit") == "token").then("quantity").otherwise(0),
        unpriced_requests=pl.when(is_unpriced).then("quantity").otherwise(0),
    )


def pending(connection: psycopg.Connection[Any]) -> pl.DataFrame:
    """What became known of closed months since they were booked: rows of core.booked_charge without a period."""
    return corrections(*_then_and_now(connection, DAILY_CHARGE, BOOKED_CHARGE))


def pending_commitments(connection: psycopg.Connection[Any]) -> pl.DataFrame:
    """What became known of the commitments of closed months: rows of core.booked_commitment without a period."""
    return commitment_corrections(*_then_and_now(connection, COMMITMENT_USAGE, BOOKED_COMMITMENT))


def _then_and_now(
    connection: psycopg.Connection[Any], known: Table, booked: Table
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows of the closed months as they are now, and all that was booked, on the days on which these differ.

    Postgres finds the days, so that a year in which nothing changed is read by nobody.
    """
    closed = closed_periods(connection)
    if not closed:
        return known.empty(), booked.empty()
    first, last = min(closed), following(max(closed))
    now, then = _checksums(known, "event_date >= %(first)s and event_date < %(last)s"), _checksums(booked, "true")
    differs = f"select event_date from ({now}) as now full join ({then}) as booked using (event_date) where now.sums is distinct from booked.sums"
    days = [day for (day,) in connection.execute(differs.encode(), {"first": first, "last": last})]
    on_days = "event_date = any(%s)"
    return read_table(
        connection, known, f"{on_days} and event_date >= %s and event_date < %s", (days, first, last)
    ), read_table(connection, booked, on_days, (days,))


def _checksums(table: Table, which: str) -> str:
    """For each day the sum of each amount, each row's weighted by a hash of its key: two days are alike where every key has the same amounts in sum.

    What was booked and corrected adds up to the charge as it is known, so its weighted sums do as well. Amounts that are not known count as 0.
    """
    known = DAILY_CHARGE if table is BOOKED_CHARGE else COMMITMENT_USAGE if table is BOOKED_COMMITMENT else table
    weight = f"hash_record_extended(row({', '.join(known.primary_key)}), 0)::numeric"
    sums = ", ".join(f"coalesce(sum({name} * weight), 0)" for name in correctable(known))
    return (
        f"select event_date, row({sums}) as sums from (select *, {weight} as weight from {table.qualified} where {which}) as weighed "
        "group by event_date"
    )


def closed_periods(connection: psycopg.Connection[Any]) -> set[date]:
    """The months that are closed, by their first days."""
    rows = connection.execute(
        "select distinct on (period) period, act from core.period_act order by period, acted_at desc"
    ).fetchall()
    return {period for period, act in rows if act == "close"}


def _missing_days(connection: psycopg.Connection[Any], period: date) -> int:
    """Days of the month that no run has loaded; one whose requests were removed by age was."""
    loaded = connection.execute("select event_date from raw.loaded_file union select event_date from raw.quiet_day")
    end = following(period)
    return (end - period).days - len([day for (day,) in loaded if period <= day < end])


def following(period: date) -> date:
    """The first day of the next month."""
    return (period.replace(day=28) + timedelta(days=4)).replace(day=1)


def _first_open(connection: psycopg.Connection[Any], closed: set[date], after: date = date.min) -> date | None:
    """The first month with charges, later than `after`, that is not closed; None if there is none. Raises WarehouseError before the first run."""
    if not is_made(connection, "mart.daily_charge"):
        raise WarehouseError("the warehouse has no charges yet: run `modelmeter daily` first")
    rows = connection.execute("select distinct date_trunc('month', event_date)::date from mart.daily_charge").fetchall()
    return min((period for (period,) in rows if period not in closed and period > after), default=None)


def _noted(
    connection: psycopg.Connection[Any], period: date, act: str, reason: str | None, rows: pl.DataFrame
) -> Booked:
    corrected = rows["charge_class"].count()
    billed = Decimal(rows["billed_cost_usd"].sum() or 0)
    noted = pl.DataFrame(
        [(period, datetime.now(UTC), act, reason, rows.height, billed)], schema=PERIOD_ACT.polars_schema, orient="row"
    )
    copy_frame(connection, PERIOD_ACT, noted)
    return Booked(period, rows.height - corrected, corrected, billed)
