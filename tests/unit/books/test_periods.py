"""A month that is closed, then a late line and a corrected price: the closed figures stay, the open month gets the difference."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from pipelines.books.periods import book, close_period, closed_periods, pending, reopen_period
from pipelines.settings import Settings
from pipelines.warehouse.database import Database
from pipelines.warehouse.errors import WarehouseError
from pipelines.warehouse.open import open_database
from pipelines.warehouse.tables.mart_charges import COSTS, DAILY_CHARGE
from tests.marts import create_spend_tables
from tests.unit.quality.rows import good_row, insert
from tests.warehouse_fixtures import fresh_database

JANUARY, FEBRUARY, MARCH = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)


@pytest.fixture(scope="module")
def migrated(postgres_home: Path) -> Iterator[Database]:
    with open_database(Settings(home=postgres_home), migrate=False) as shared:
        database = fresh_database(shared)
        with database.connect() as connection:
            create_spend_tables(connection)
        yield database


@pytest.fixture
def books(migrated: Database) -> Database:
    """January: charge 1 of 1000 tokens for 3.00 USD, and charge 2 of unknown cost. February: charge 3 of 5.00 USD."""
    with migrated.connect() as connection:
        connection.execute("truncate mart.daily_charge, core.booked_charge, core.period_act")
        insert(connection, DAILY_CHARGE, [
            charge(1, date(2026, 1, 31), 1000, "3"),
            charge(2, date(2026, 1, 31), 7, None, unpriced_reason="no_price"),
            charge(3, date(2026, 2, 1), 500, "5"),
        ])  # fmt: skip
    return migrated


def charge(number: int, day: date, quantity: int, cost: str | None, **more: Any) -> dict[str, Any]:
    costs = dict.fromkeys(COSTS, None if cost is None else Decimal(cost))
    fixed = {"meter": "input_uncached", "unit": "token", "openness": "closed", "team": "search"}
    return good_row(
        DAILY_CHARGE, charge_id=UUID(int=number), event_date=day, quantity=quantity, **fixed, **costs, **more
    )


def changed(database: Database, *statements: str) -> None:
    with database.connect() as connection:
        for statement in statements:
            connection.execute(statement.encode())


def shown(database: Database, month: date) -> list[tuple[Any, ...]]:
    """Class, day, quantity and billed cost of each row of a month's book."""
    with database.connect() as connection:
        rows = book(connection, month)
    return rows.select("charge_class", "event_date", "quantity", "billed_cost_usd").rows()


def late_line_and_corrected_price(database: Database) -> None:
    """500 more tokens of charge 1; then all of it at 2.00 for a thousand: another rate, so another charge, 4."""
    with database.connect() as connection:
        connection.execute("delete from mart.daily_charge where charge_id = %s", [UUID(int=1)])
        insert(connection, DAILY_CHARGE, [charge(4, date(2026, 1, 31), 1500, "3")])


def test_a_closed_month_stays_and_the_open_one_gets_the_difference(books: Database) -> None:
    done = close_period(books, JANUARY)
    assert (done.charges, done.corrections, done.billed_cost_usd) == (2, 0, Decimal(3))
    january = shown(books, JANUARY)
    late_line_and_corrected_price(books)
    changed(books, "update mart.daily_charge set list_cost_usd = 1, contracted_cost_usd = 1, effective_cost_usd = 1, "
            "billed_cost_usd = 1, unpriced_reason = null where quantity = 7")  # fmt: skip
    assert shown(books, JANUARY) == january
    day, corrected = date(2026, 1, 31), "Correction"
    expected = [
        (corrected, day, -1000, Decimal(-3)),  # the charge at the old rate is taken back
        (corrected, day, 0, Decimal(1)),  # a cost that became known
        (corrected, day, 1500, Decimal(3)),
        (None, date(2026, 2, 1), 500, Decimal(5)),
    ]
    assert shown(books, FEBRUARY) == expected
    done = close_period(books, FEBRUARY)
    assert (done.charges, done.corrections, done.billed_cost_usd) == (1, 3, Decimal(6))
    assert shown(books, FEBRUARY) == expected
    with books.connect() as connection:
        assert pending(connection).is_empty(), "a correction is booked once"


def test_the_books_are_the_charges_however_often_they_change(books: Database) -> None:
    """Closed months and the open one together come to what the charges come to now, for each cost."""
    close_period(books, JANUARY)
    late_line_and_corrected_price(books)
    close_period(books, FEBRUARY)
    changed(
        books, "update mart.daily_charge set billed_cost_usd = 0.000000000000000001, quantity = 9 where quantity = 500"
    )
    with books.connect() as connection:
        insert(connection, DAILY_CHARGE, [charge(9, MARCH, 1, "0.5")])
    with books.connect() as connection:
        months = [book(connection, month) for month in (JANUARY, FEBRUARY, MARCH)]
        for name in (*COSTS, "quantity"):
            (truth,) = connection.execute(f"select sum({name}) from mart.daily_charge".encode()).fetchone() or (None,)
            assert sum(rows[name].sum() for rows in months) == truth, name


def test_a_reopened_month_follows_what_is_known_and_its_reason_is_kept(books: Database) -> None:
    close_period(books, JANUARY)
    late_line_and_corrected_price(books)
    done = reopen_period(books, JANUARY, "the seller corrected its invoice")
    assert (done.charges, done.billed_cost_usd) == (2, Decimal(3))
    assert [row[2] for row in shown(books, JANUARY)] == [7, 1500]
    with books.connect() as connection:
        assert closed_periods(connection) == set()
        acts = connection.execute("select act, reason, charges from core.period_act order by acted_at").fetchall()
    assert acts == [("close", None, 2), ("reopen", "the seller corrected its invoice", 2)]
    close_period(books, JANUARY)
    assert len(shown(books, FEBRUARY)) == 1, "nothing is left to correct"


def test_months_close_in_order_and_once(books: Database) -> None:
    with pytest.raises(WarehouseError, match="close 2026-01 first"):
        close_period(books, FEBRUARY)
    with pytest.raises(WarehouseError, match="is not closed"):
        reopen_period(books, JANUARY, "no")
    close_period(books, JANUARY)
    with pytest.raises(WarehouseError, match="closed already"):
        close_period(books, JANUARY)
    close_period(books, FEBRUARY)
    with pytest.raises(WarehouseError, match="reopen 2026-02 first"):
        reopen_period(books, JANUARY, "no")
    with pytest.raises(WarehouseError, match="has no charges"):
        close_period(books, MARCH)
    with pytest.raises(WarehouseError, match="is not over"):
        close_period(books, date(2199, 1, 1))


def test_a_booked_charge_is_booked_once(books: Database) -> None:
    close_period(books, JANUARY)
    with books.connect() as connection, pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute("insert into core.booked_charge select * from core.booked_charge")
