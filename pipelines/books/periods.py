"""`modelmeter close`, `reopen` and `restate`: months that are booked once, and what becomes known of them later.

A closed month is what was booked when it was closed. What becomes known of it afterwards (a late line, a corrected price) is a
correction in the first open month. The differences are in `corrections.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import psycopg

from pipelines.books.corrections import corrections
from pipelines.warehouse.advisory_locks import exclusive
from pipelines.warehouse.bulk_copy import copy_frame
from pipelines.warehouse.database import Database
from pipelines.warehouse.errors import WarehouseError
from pipelines.warehouse.read import read_table
from pipelines.warehouse.tables.core_books import BOOKED_CHARGE, PERIOD_ACT
from pipelines.warehouse.tables.mart_charges import DAILY_CHARGE


@dataclass(frozen=True)
class Booked:
    """What a closing booked, or a reopening took back."""

    period: date
    charges: int
    corrections: int
    billed_cost_usd: Decimal


def close_period(database: Database, period: date) -> Booked:
    """Book the month that begins with `period`, with the corrections of the months before. Months close in order.

    Raises WarehouseError where the month is not over, is closed, has no charges, or an earlier one is open.
    """
    end = following(period)
    if end > datetime.now(UTC).date():
        raise WarehouseError(f"{period:%Y-%m} is not over: it can be closed from {end} on")
    with exclusive(database, "books"), database.connect() as connection, connection.transaction():
        closed = closed_periods(connection)
        if period in closed:
            raise WarehouseError(f"{period:%Y-%m} is closed already")
        first = _first_open(connection, closed)
        if first is None or first > period:
            raise WarehouseError(f"{period:%Y-%m} has no charges: there is nothing to close")
        if first < period:
            raise WarehouseError(f"close {first:%Y-%m} first: it has charges and is open")
        rows = book(connection, period)
        copy_frame(connection, BOOKED_CHARGE, rows)
        return _noted(connection, period, "close", None, rows)


def reopen_period(database: Database, period: date, reason: str) -> Booked:
    """Take back what was booked in the month that was closed last. Raises WarehouseError for any other."""
    with exclusive(database, "books"), database.connect() as connection, connection.transaction():
        closed = closed_periods(connection)
        if period not in closed:
            raise WarehouseError(f"{period:%Y-%m} is not closed")
        if period != max(closed):
            raise WarehouseError(f"reopen {max(closed):%Y-%m} first: it was closed after {period:%Y-%m}")
        rows = read_table(connection, BOOKED_CHARGE, "period = %s", (period,))
        connection.execute("delete from core.booked_charge where period = %s", [period])
        return _noted(connection, period, "reopen", reason, rows)


def book(connection: psycopg.Connection[Any], period: date) -> pl.DataFrame:
    """Rows of core.booked_charge for a month: as booked where it is closed, else its charges as known now. The first open
    month has what became known of closed ones too."""
    closed = closed_periods(connection)
    if period in closed:
        return read_table(connection, BOOKED_CHARGE, "period = %s", (period,)).sort(BOOKED_CHARGE.primary_key)
    first_open = _first_open(connection, closed)
    own = read_table(connection, DAILY_CHARGE, "event_date >= %s and event_date < %s", (period, following(period)))
    rows = [own.with_columns(charge_class=pl.lit(None, pl.String))]
    if period == first_open:
        rows.append(pending(connection))
    together = pl.concat(rows, how="diagonal").with_columns(period=pl.lit(period))
    return together.select(BOOKED_CHARGE.polars_schema.names()).sort(BOOKED_CHARGE.primary_key)


def pending(connection: psycopg.Connection[Any]) -> pl.DataFrame:
    """What became known of closed months since they were booked: rows of core.booked_charge without a period."""
    closed = closed_periods(connection)
    if not closed:
        return BOOKED_CHARGE.empty().drop("period")
    days = (min(closed), following(max(closed)))
    now = read_table(connection, DAILY_CHARGE, "event_date >= %s and event_date < %s", days)
    return corrections(now, read_table(connection, BOOKED_CHARGE).drop("period", "charge_class"))


def closed_periods(connection: psycopg.Connection[Any]) -> set[date]:
    """The months that are closed, by their first days."""
    rows = connection.execute(
        "select distinct on (period) period, act from core.period_act order by period, acted_at desc"
    ).fetchall()
    return {period for period, act in rows if act == "close"}


def following(period: date) -> date:
    """The first day of the next month."""
    return (period.replace(day=28) + timedelta(days=4)).replace(day=1)


def _first_open(connection: psycopg.Connection[Any], closed: set[date]) -> date | None:
    """The first month with charges that is not closed; None where there is none. Raises WarehouseError before the first run."""
    if connection.execute("select to_regclass('mart.daily_charge')").fetchone() == (None,):
        raise WarehouseError("the warehouse has no charges yet: run `modelmeter daily` first")
    rows = connection.execute("select distinct date_trunc('month', event_date)::date from mart.daily_charge").fetchall()
    return min({period for (period,) in rows} - closed, default=None)


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
