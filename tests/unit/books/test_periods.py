"""A month that is closed, then a late line and a corrected price: the closed figures stay, the open month gets the difference."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import polars as pl
import psycopg
import pytest

from pipelines.books.allocation import allocate, passed_on
from pipelines.books.focus.cost_and_usage import cost_and_usage
from pipelines.books.periods import (
    book,
    book_commitments,
    book_shares,
    close_period,
    closed_periods,
    pending,
    reopen_period,
)
from pipelines.books.statement import statement_lines
from pipelines.config.allocation import Allocation
from pipelines.settings import Settings
from pipelines.warehouse.database import Database
from pipelines.warehouse.errors import WarehouseError
from pipelines.warehouse.open import open_database
from pipelines.warehouse.tables.mart_charges import COSTS, DAILY_CHARGE
from pipelines.warehouse.tables.mart_commitments import COMMITMENT_USAGE
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
        connection.execute(
            "truncate mart.daily_charge, core.booked_charge, core.booked_share, core.booked_commitment, core.period_act, "
            "mart.commitment_usage"
        )
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


@pytest.mark.slow
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


def test_changes_of_a_day_that_cancel_each_other_in_its_sums_are_found(books: Database) -> None:
    """3 USD of search turn out to be legal's: the day has as many tokens and costs as much as before."""
    close_period(books, JANUARY)
    with books.connect() as connection:
        connection.execute("delete from mart.daily_charge where charge_id = %s", [UUID(int=1)])
        insert(connection, DAILY_CHARGE, [charge(4, date(2026, 1, 31), 1000, "3") | {"team": "legal"}])
        found = pending(connection)
    assert sorted(found.select("team", "billed_cost_usd").rows()) == [("legal", Decimal(3)), ("search", Decimal(-3))]


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


def test_closing_counts_what_the_month_lacks(books: Database) -> None:
    """A quiet day was run, and one whose requests were removed by age; 29 days of January were not. Of two calls the price is not known."""
    changed(
        books,
        "insert into raw.loaded_file values ('2026-01-07', gen_random_uuid(), 3), ('2026-02-07', gen_random_uuid(), 3)",
        "insert into raw.quiet_day values ('2026-01-05'), ('2026-02-05') on conflict do nothing",
        "update mart.daily_charge set meter = 'request', unit = 'request', quantity = 2 where quantity = 7",
    )
    done = close_period(books, JANUARY)
    assert (done.charges, done.missing_days, done.unpriced_requests) == (2, 29, 2)


@pytest.mark.slow
def test_corrections_can_be_booked_in_a_month_without_charges(books: Database) -> None:
    """Usage ends in February; what becomes known then has to be closed all the same. A month in which nothing is booked is none."""
    for month in (JANUARY, FEBRUARY):
        close_period(books, month)
    with pytest.raises(WarehouseError, match="2026-03 has no charges"):
        close_period(books, MARCH)
    changed(books, "update mart.daily_charge set quantity = quantity + 1 where quantity = 500")
    with pytest.raises(WarehouseError, match="close 2026-03 first"):
        close_period(books, date(2026, 4, 1))
    done = close_period(books, MARCH)
    assert (done.charges, done.corrections) == (0, 1)
    with books.connect() as connection:
        assert pending(connection).is_empty()


def test_a_booked_charge_is_booked_once(books: Database) -> None:
    close_period(books, JANUARY)
    with books.connect() as connection, pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute("insert into core.booked_charge select * from core.booked_charge")


def shared(rule: str, to: str) -> Allocation:
    """What no team is named for goes to one."""
    given = {"name": rule, "when": {"team": "unattributed"}, "to": "team", "by": "weights", "weights": {to: 1}}
    return Allocation.model_validate({"rules": [given]})


def by_team(database: Database, month: date, allocation: Allocation) -> dict[str, Decimal]:
    with database.connect() as connection:
        charges = book(connection, month)
        parts = passed_on(allocate(charges, book_shares(connection, charges, allocation)))
    return dict(parts.group_by("team").agg(pl.col("billed_cost_usd").sum()).rows())


def test_who_shared_the_cost_of_a_closed_month_stays_whatever_the_rules_become(books: Database) -> None:
    """January's 3 USD are nobody's and booked on search. Then 1 USD more becomes known of it, and the rule names legal."""
    changed(books, "update mart.daily_charge set team = 'unattributed' where event_date = '2026-01-31'")
    then, now = shared("then", "search"), shared("now", "legal")
    close_period(books, JANUARY, then)
    late = "effective_cost_usd = 4, billed_cost_usd = 4, list_cost_usd = 4, contracted_cost_usd = 4"
    changed(books, f"update mart.daily_charge set {late} where effective_cost_usd = 3",
            "update mart.daily_charge set team = 'unattributed' where event_date = '2026-02-01'")  # fmt: skip
    assert by_team(books, JANUARY, now) == {"search": 3, "unattributed": 0}, "the charge of unknown cost is nobody's"
    assert by_team(books, FEBRUARY, now) == {"search": 1, "legal": 5}, "the correction goes where January went"
    close_period(books, FEBRUARY, now)
    reopen_period(books, FEBRUARY, "the gateway's bill was missing")
    assert by_team(books, FEBRUARY, shared("again", "ops")) == {"search": 1, "ops": 5}


def costs(usd: str) -> str:
    return ", ".join(f"{cost} = {usd}" for cost in COSTS)


def test_a_charge_that_is_corrected_twice_is_taken_back_to_its_last_state(books: Database) -> None:
    """3 USD in January, 4 in February's correction, 3.50 in March's."""
    close_period(books, JANUARY)
    changed(books, f"update mart.daily_charge set {costs('4')} where quantity = 1000")
    close_period(books, FEBRUARY)
    changed(books, f"update mart.daily_charge set {costs('3.5')} where quantity = 1000")
    with books.connect() as connection:
        insert(connection, DAILY_CHARGE, [charge(9, MARCH, 1, "0.5")])
    corrected = [[row[3] for row in shown(books, month) if row[0]] for month in (JANUARY, FEBRUARY, MARCH)]
    assert corrected == [[], [Decimal(1)], [Decimal("-0.5")]]


def test_a_month_that_is_closed_again_books_what_a_later_month_had_not(books: Database) -> None:
    """February is reopened: its correction of January goes with it, and comes back, with what became known since."""
    close_period(books, JANUARY)
    changed(books, f"update mart.daily_charge set {costs('4')} where quantity = 1000")
    close_period(books, FEBRUARY)
    first = shown(books, FEBRUARY)
    reopen_period(books, FEBRUARY, "a bill was missing")
    assert shown(books, FEBRUARY) == first
    changed(books, f"update mart.daily_charge set {costs('6')} where quantity = 500")
    close_period(books, FEBRUARY)
    assert [row[3] for row in shown(books, FEBRUARY)] == [Decimal(1), Decimal(6)]
    with books.connect() as connection:
        assert pending(connection).is_empty()
        assert [row[0] for row in connection.execute("select act from core.period_act order by acted_at")] == [
            "close", "close", "reopen", "close",
        ]  # fmt: skip


def test_a_rate_that_arrives_late_makes_a_cost_known_in_the_open_month(books: Database) -> None:
    """Seven requests had no exchange rate. With one they are another charge, of the new rate card: seven fewer without a price."""
    unknown = {"meter": "request", "unit": "request"}
    with books.connect() as connection:
        connection.execute("delete from mart.daily_charge where quantity = 7")
        insert(
            connection,
            DAILY_CHARGE,
            [charge(5, date(2026, 1, 30), 7, None, unpriced_reason="no_exchange_rate") | unknown],
        )
    close_period(books, JANUARY)
    with books.connect() as connection:
        connection.execute("delete from mart.daily_charge where charge_id = %s", [UUID(int=5)])
        insert(connection, DAILY_CHARGE, [charge(6, date(2026, 1, 30), 7, "0.7") | unknown])
        insert(connection, DAILY_CHARGE, [charge(7, date(2026, 2, 3), 2, None, unpriced_reason="no_price") | unknown])
        found = book(connection, FEBRUARY)
    corrected = found.filter(pl.col("charge_class").is_not_null()).sort("quantity")
    assert corrected.select("quantity", "billed_cost_usd", "unpriced_reason").rows() == [
        (-7, None, "no_exchange_rate"),
        (7, Decimal("0.7"), None),
    ]
    exported = cost_and_usage(described(found), FEBRUARY, "1.4", {})
    assert exported.rows["BilledCost"].sum() == Decimal("5.7")
    assert exported.unpriced_requests == 2, "those of February; that January has seven fewer is in its correction"


def described(charges: pl.DataFrame) -> pl.DataFrame:
    """The charges with what an export reads of prices and models."""
    texts = dict.fromkeys(
        ("price_region", "time_window", "reasoning_mode", "developer", "family"), pl.lit("", pl.String)
    )
    return charges.with_columns(**texts, context_from_tokens=pl.lit(0, pl.Int64))


def test_an_earlier_month_that_turns_up_late_gets_no_corrections_of_a_later_one(books: Database) -> None:
    """Logs of December arrive after January is closed: what became known of January belongs into February all the same."""
    close_period(books, JANUARY)
    with books.connect() as connection:
        insert(connection, DAILY_CHARGE, [charge(8, date(2025, 12, 31), 10, "0.2")])
    changed(books, f"update mart.daily_charge set {costs('4')} where quantity = 1000")
    assert shown(books, date(2025, 12, 1)) == [(None, date(2025, 12, 31), 10, Decimal("0.2"))]
    assert [row[3] for row in shown(books, FEBRUARY)] == [Decimal(1), Decimal(5)]


def usage(day: date, status: str, usd: str, covered: str | None = None, team: str = "") -> dict[str, Any]:
    return good_row(
        COMMITMENT_USAGE, commitment_id="ptu", kind="provisioned", provider_id="acme", event_date=day, commitment_discount_status=status,
        model_id="m" if team else "", team=team, project="", cost_centre="", environment="", application="", amount_usd=Decimal(usd),
        effective_cost_usd=Decimal(usd), covered_usd=None if covered is None else Decimal(covered), allocated_method_id="",
    )  # fmt: skip


def payable(database: Database, month: date) -> list[tuple[Any, ...]]:
    """Class, team, charges, what commitments cover and cost, and what is left to pay."""
    with database.connect() as connection:
        lines = statement_lines(book(connection, month), book_commitments(connection, month), ("charge_class", "team"))
    return lines.select(
        "charge_class", "team", "effective_cost_usd", "covered_usd", "commitment_usd", "payable_usd"
    ).rows()


def test_commitments_stand_in_the_books_of_the_month_like_charges(books: Database) -> None:
    """Throughput that spans two months: January's day covers 2 of search's 3 USD for 0.50, and 0.30 stood idle. After closing the idle part
    turns out to be 0.40, which February corrects."""
    day, last = date(2026, 1, 31), date(2026, 2, 1)
    with books.connect() as connection:
        insert(connection, COMMITMENT_USAGE, [
            usage(day, "Used", "0.5", "2", "search"), usage(day, "Unused", "0.3", "0"), usage(last, "Unused", "0.8", "0"),
        ])  # fmt: skip
    search = (None, "search", Decimal(3), Decimal(2), Decimal("0.5"), Decimal("1.5"))
    january = [search, (None, "unattributed", None, Decimal(0), Decimal("0.3"), Decimal("0.3"))]
    assert payable(books, JANUARY) == january
    close_period(books, JANUARY)
    changed(books, "update mart.commitment_usage set amount_usd = 0.4, effective_cost_usd = 0.4 where amount_usd = 0.3")
    assert payable(books, JANUARY) == january, "a closed month stays"
    assert payable(books, FEBRUARY) == [
        (None, "search", Decimal(5), None, None, Decimal(5)),
        (None, "unattributed", None, Decimal(0), Decimal("0.8"), Decimal("0.8")),
        ("Correction", "unattributed", None, Decimal(0), Decimal("0.1"), Decimal("0.1")),
    ]
