"""What books cost over a year of charges: asking what became known of closed months, and replacing one day.

A year of `charges` is made in the database, copies of one charge with ids of their own; all of its months are booked. Then one day changes.

    python -m perf.books CHARGES
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import psycopg

from pipelines.books.periods import pending
from pipelines.settings import Settings
from pipelines.warehouse.ddl import create_table
from pipelines.warehouse.open import open_database
from pipelines.warehouse.tables.core_books import BOOKED_CHARGE
from pipelines.warehouse.tables.mart_charges import DAILY_CHARGE

_DAYS, _LAST = 365, date(2025, 12, 31)
_VALUES = {
    "event_date": "date '2025-01-01' + (n % 365)::int",
    "charge_id": "md5(n::text)::uuid",
    "openness": "'closed'",
    "meter": "'input_uncached'",
    "unit": "'token'",
    "quantity": "n % 100000",
    **dict.fromkeys(
        ("list_cost_usd", "contracted_cost_usd", "effective_cost_usd", "billed_cost_usd"), "(n % 100000) * 0.000003"
    ),
}


def main(charges: int) -> None:
    """Print seconds of the reading process and on the clock."""
    with tempfile.TemporaryDirectory() as home, open_database(Settings(home=Path(home))) as database:
        with database.connect() as connection:
            _fill(connection, charges)
        with database.connect() as connection:
            _timed(f"{charges:,} charges, nothing became known", lambda: pending(connection).height)
            connection.execute("update mart.daily_charge set quantity = quantity + 1 where event_date = %s", [_LAST])
            _timed("one day became known", lambda: pending(connection).height)
            _timed("one day is replaced", lambda: _replaced(connection))


def _fill(connection: psycopg.Connection[Any], charges: int) -> None:
    connection.execute(create_table(DAILY_CHARGE).encode())
    columns = {
        column.name: _VALUES.get(column.name, "null" if column.nullable else "'x'") for column in DAILY_CHARGE.columns
    }
    connection.execute(
        f"insert into mart.daily_charge ({', '.join(columns)}) select {', '.join(columns.values())} "
        f"from generate_series(1, {charges}) as n".encode()
    )
    booked = ", ".join(name for name in columns if name in BOOKED_CHARGE.polars_schema)
    connection.execute(
        f"insert into core.booked_charge (period, {booked}) select date_trunc('month', event_date), {booked} from mart.daily_charge".encode()
    )
    connection.execute(
        "insert into core.period_act (period, acted_at, act, charges, billed_cost_usd) "
        "select distinct period, now(), 'close', 0, 0 from core.booked_charge"
    )
    connection.commit()
    connection.autocommit = True
    connection.execute("vacuum analyze mart.daily_charge")
    connection.execute("vacuum analyze core.booked_charge")


def _replaced(connection: psycopg.Connection[Any]) -> int:
    connection.execute("create temporary table day as select * from mart.daily_charge where event_date = %s", [_LAST])
    connection.execute("delete from mart.daily_charge where event_date = %s", [_LAST])
    return connection.execute("insert into mart.daily_charge select * from day").rowcount


def _timed(what: str, ask: Callable[[], int]) -> None:
    begun, used = time.perf_counter(), time.process_time()
    rows = ask()
    took = time.perf_counter() - begun
    sys.stdout.write(f"{what}: {rows:,} rows, {took:.2f} s, {time.process_time() - used:.2f} of them in this process\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
