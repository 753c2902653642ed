"""The accounting checks on real Postgres: books that add up, and each way in which they may not."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from pipelines.quality import (
    ExpectationOutcome,
    lines_accounted,
    loaded_files_agree,
    look_alikes,
    priced_coverage,
    records_accounted,
    spend_agrees,
)
from pipelines.warehouse.database import Database
from pipelines.warehouse.tables import TABLES_BY_NAME, Table
from pipelines.warehouse.tables.mart import DAILY_END_USER_SPEND, SPEND_TABLES
from pipelines.warehouse.tables.mart_charges import DAILY_CHARGE
from tests.marts import build_spend_tables
from tests.unit.quality.rows import DAY, FILE, good_row, insert

ONE = timedelta(days=1)
WINDOW = (DAY, DAY + ONE)


def add(database: Database, name: str, *rows: dict[str, Any]) -> None:
    with database.connect() as connection:
        insert(connection, TABLES_BY_NAME[name], [good_row(TABLES_BY_NAME[name], **row) for row in rows])


def run(database: Database, check: Any, *args: Any, **options: Any) -> ExpectationOutcome:
    with database.connect(read_only=True) as connection:
        outcome: ExpectationOutcome = check(connection, *args, **options)
    return outcome


@pytest.fixture
def books(bare: Database) -> Database:
    """One file of four lines: two requests, a duplicate of the first, a broken line; 0.25 USD each."""
    add(bare, "raw.snapshot", {"landing_path": "a.jsonl", "lines": 4, "valid": 3, "quarantined": 1})
    add(bare, "raw.quarantine", {"snapshot_id": FILE, "line_no": 4})
    add(bare, "core.request", {"request_uid": UUID(int=1), "line_no": 1}, {"request_uid": UUID(int=2), "line_no": 2})
    add(bare, "raw.duplicate", {"snapshot_id": FILE, "line_no": 3, "event_date": DAY})
    add(bare, "raw.loaded_file", {"event_date": DAY, "snapshot_id": FILE, "requests": 2})
    with bare.connect() as connection:
        connection.execute("grant usage on schema raw, core, mart to modelmeter_reader")
        connection.execute("grant select on all tables in schema raw, core, mart to modelmeter_reader")
    return bare


def test_books_that_add_up(books: Database) -> None:
    lines = run(books, lines_accounted)
    assert (lines.success, lines.observed, lines.unexpected_count, lines.sample) == (True, 4, 0, ())
    records = run(books, records_accounted, *WINDOW, {DAY})
    assert (records.success, records.observed, records.sample) == (True, 1, ())


@pytest.mark.parametrize(
    ("damage", "sample"),
    [
        ("update raw.snapshot set lines = 5",
         {"file": "a.jsonl", "lines": "5", "valid": "3", "quarantined": "1", "in raw.quarantine": "1"}),
        ("delete from raw.quarantine",
         {"file": "a.jsonl", "lines": "4", "valid": "3", "quarantined": "1", "in raw.quarantine": "0"}),
    ],
)  # fmt: skip
def test_a_lost_line_is_found(books: Database, damage: str, sample: dict[str, str]) -> None:
    with books.connect() as connection:
        connection.execute(damage)
    outcome = run(books, lines_accounted)
    assert (outcome.success, outcome.blocks, outcome.sample) == (False, True, (sample,))


def test_the_books_of_bills_add_up_or_not(books: Database) -> None:
    bill = UUID(int=9)
    add(
        books,
        "raw.snapshot",
        {"snapshot_id": bill, "kind": "bills", "landing_path": "b.json", "lines": 4, "valid": 3, "quarantined": 1},
    )
    add(books, "core.reported_cost", {"snapshot_id": bill, "line_no": 1}, {"snapshot_id": bill, "line_no": 2})
    assert not run(books, lines_accounted).success, "what is set aside of a bill must be there to be looked at"
    add(books, "raw.quarantine", {"snapshot_id": bill, "line_no": 4})
    assert run(books, lines_accounted).success
    lost = run(books, records_accounted, *WINDOW, {DAY})
    assert (lost.success, lost.sample) == (False, ({"file": "b.json", "valid": "3", "loaded": "2", "duplicates": "0"},))
    add(books, "raw.bill_duplicate", {"snapshot_id": bill, "line_no": 3, "rule": "same_record"})
    found = run(books, records_accounted, *WINDOW, {DAY})
    assert (found.success, found.observed) == (True, 2)


def test_a_price_file_need_not_hold_what_it_did_not_understand(books: Database) -> None:
    add(books, "raw.snapshot", {"snapshot_id": UUID(int=8), "kind": "prices", "lines": 9, "valid": 7, "quarantined": 2})
    assert run(books, lines_accounted).success


@pytest.mark.parametrize(
    ("damage", "loaded", "dropped"),
    [
        ("delete from core.request where line_no = 2", "1", "1"),
        ("delete from raw.duplicate", "2", "0"),
        ("insert into core.request select * from core.request where line_no = 2", "3", "1"),
    ],
)
def test_a_lost_or_doubled_record_is_found(books: Database, damage: str, loaded: str, dropped: str) -> None:
    with books.connect() as connection:
        connection.execute(damage)
    outcome = run(books, records_accounted, *WINDOW, {DAY})
    assert outcome.blocks
    assert outcome.sample == ({"file": "a.jsonl", "valid": "3", "loaded": loaded, "duplicates": dropped},)


@pytest.mark.parametrize(
    ("damage", "held", "stated"),
    [
        ("delete from core.request where line_no = 2", "1", "2"),
        ("delete from raw.loaded_file", "2", "0"),
        ("update raw.loaded_file set requests = 3", "2", "3"),
    ],
)
def test_a_wrong_count_of_a_loaded_file_is_found(books: Database, damage: str, held: str, stated: str) -> None:
    assert run(books, loaded_files_agree, *WINDOW).success
    with books.connect() as connection:
        connection.execute(damage)
    outcome = run(books, loaded_files_agree, *WINDOW)
    assert outcome.blocks
    assert outcome.sample == (
        {"event_date": str(DAY), "snapshot_id": str(FILE), "requests": held, "in raw.loaded_file": stated},
    )


def test_a_file_waits_until_all_its_days_are_loaded(books: Database) -> None:
    with books.connect() as connection:
        connection.execute("update raw.snapshot set event_dates = %s", [[DAY, DAY + ONE]])
        connection.execute("update core.request set event_date = %s where line_no = 2", [DAY + ONE])
        connection.execute("update raw.loaded_file set requests = 1")
        connection.execute("insert into raw.loaded_file select event_date + 1, snapshot_id, 1 from raw.loaded_file")
    assert run(books, records_accounted, *WINDOW, {DAY}).observed == 0
    both = run(books, records_accounted, *WINDOW, {DAY, DAY + ONE})
    assert (both.success, both.observed) == (True, 1)
    assert run(books, records_accounted, DAY + 2 * ONE, DAY + 3 * ONE, {DAY, DAY + ONE}).observed == 0


def test_a_duplicate_may_wait_for_the_day_of_its_kept_record(books: Database) -> None:
    """The pair straddles midnight: its row in raw.duplicate is written when the next day is loaded."""
    with books.connect() as connection:
        connection.execute("delete from raw.duplicate")
    neighbour = {
        "snapshot_id": UUID(int=7),
        "landing_path": "b.jsonl",
        "event_dates": [DAY + ONE],
        "valid": 0,
        "lines": 1,
    }
    add(books, "raw.snapshot", neighbour)
    waiting = run(books, records_accounted, *WINDOW, {DAY})
    assert (waiting.success, waiting.observed) == (True, 0)
    assert run(books, records_accounted, *WINDOW, {DAY, DAY + ONE}).success is False
    with books.connect() as connection:
        connection.execute("insert into core.request select * from core.request")
    assert run(books, records_accounted, *WINDOW, {DAY}).success is False, "an excess never waits"


@pytest.fixture
def spent(books: Database) -> Database:
    """The books with the spend tables that dbt makes of them: two calls of 100 and 50 tokens, 0.25 USD each at list."""
    with books.connect() as connection:
        build_spend_tables(connection)
    return books


def test_spend_that_agrees(spent: Database) -> None:
    outcome = run(spent, spend_agrees, *WINDOW)
    assert (outcome.success, outcome.observed, outcome.sample) == (True, "0.500000000000000000", ())


@pytest.mark.parametrize("table", [table.qualified for table in (DAILY_CHARGE, *SPEND_TABLES, DAILY_END_USER_SPEND)])
def test_a_spend_table_that_lacks_a_day_or_has_one_more_is_found(spent: Database, table: str) -> None:
    with spent.connect() as connection:
        connection.execute(f"update {table} set event_date = event_date + 1")
    outcome = run(spent, spend_agrees, DAY, DAY + 2 * ONE)
    assert outcome.blocks
    assert outcome.sample == (
        {"day": str(DAY), "table": table, "sum": "requests", "there": "no row", "in core.request": "2"},
        {"day": str(DAY + ONE), "table": table, "sum": "requests", "there": "2", "in core.request": "no row"},
    )


COMPARED = [
    (table, column.name) for table in (*SPEND_TABLES, DAILY_END_USER_SPEND) for column in table.columns
    if column.unit and column.type != "double precision"
]  # fmt: skip


@pytest.mark.parametrize(("table", "column"), COMPARED, ids=lambda value: getattr(value, "name", value))
def test_every_sum_of_every_spend_table_is_compared_to_the_last_digit(
    spent: Database, table: Table, column: str
) -> None:
    least = "1e-18" if table.column(column).type == "numeric(38,18)" else "1"
    with spent.connect() as connection:
        connection.execute(f"update {table.qualified} set {column} = coalesce({column}, 0) + {least}".encode())
    outcome = run(spent, spend_agrees, *WINDOW)
    assert outcome.blocks
    assert (outcome.sample[0]["day"], outcome.sample[0]["table"], outcome.sample[0]["sum"]) == (
        str(DAY),
        table.qualified,
        column,
    )


@pytest.mark.parametrize(
    ("damage", "sum_"),
    [
        ("list_cost_usd = list_cost_usd + 1e-18 where meter = 'rest'", "list_cost_usd"),
        ("effective_cost_usd = 0 where meter = 'rest'", "effective_cost_usd"),
        ("quantity = quantity + 1 where meter = 'output_text'", "output_tokens"),
        ("meter = 'input_image' where meter = 'input_uncached'", "input_uncached_tokens"),
        ("quantity = 3 where meter = 'request'", "requests"),
        ("unpriced_reason = 'no_price' where meter = 'request'", "priced_requests"),
        ("reported_cost_usd = 1 where meter = 'request'", "reported_cost_usd"),
    ],
)
def test_every_sum_of_the_charges_is_compared_to_the_last_digit(spent: Database, damage: str, sum_: str) -> None:
    with spent.connect() as connection:
        connection.execute(f"update {DAILY_CHARGE.qualified} set {damage}".encode())
    outcome = run(spent, spend_agrees, *WINDOW)
    assert outcome.blocks
    assert (outcome.sample[0]["table"], outcome.sample[0]["sum"]) == (DAILY_CHARGE.qualified, sum_)


@pytest.mark.parametrize(
    ("damage", "sum_"),
    [
        ("effective_cost_usd = effective_cost_usd + 1e-18 where dimension = 'team'", "effective_cost_usd"),
        ("unpriced_requests = 1 where dimension = 'all'", "unpriced_requests"),
        ("event_date = event_date - 1 where dimension = 'model'", "requests"),
    ],
)
def test_every_dimension_of_unit_costs_shares_out_the_day(spent: Database, damage: str, sum_: str) -> None:
    with spent.connect() as connection:
        connection.execute(f"update mart.unit_cost set {damage}".encode())
    (row,) = run(spent, spend_agrees, *WINDOW).sample
    assert (row["day"], row["table"], row["sum"]) == (str(DAY), "mart.unit_cost", sum_)


def test_a_request_that_moves_from_priced_to_a_reason_is_found(spent: Database) -> None:
    with spent.connect() as connection:
        connection.execute("update mart.cost_coverage set reason = 'no_price'")
    (row,) = run(spent, spend_agrees, *WINDOW).sample
    assert (row["table"], row["sum"], row["there"], row["in core.request"]) == (
        "mart.cost_coverage",
        "priced_requests",
        "null",
        "2",
    )


def test_priced_coverage_has_a_floor_per_day(books: Database) -> None:
    unpriced = {"list_cost_usd": None, "unpriced_reason": "no_price"}
    add(books, "core.request", {"event_date": DAY + ONE}, {"event_date": DAY + ONE, **unpriced})
    assert run(books, priced_coverage, *WINDOW).observed == 1.0
    low = run(books, priced_coverage, DAY, DAY + 2 * ONE)
    assert (low.success, low.observed, low.severity, low.blocks) == (False, 0.75, "warning", False)
    assert low.sample == ({"day": str(DAY + ONE), "priced share": "0.5000", "unpriced requests": "1"},)
    assert run(books, priced_coverage, DAY, DAY + 2 * ONE, minimum_share=0.5).success
    assert run(books, priced_coverage, DAY, DAY + 2 * ONE, severity="blocking").blocks


def test_priced_coverage_of_no_requests_is_not_evaluable(books: Database) -> None:
    outcome = run(books, priced_coverage, date(2020, 1, 1), date(2020, 1, 2))
    assert outcome.state == "not evaluable"
    assert "there are no requests from 2020-01-01" in (outcome.problem or "")


def test_a_span_around_calls_that_it_does_not_add_up_to_is_found(books: Database) -> None:
    assert run(books, look_alikes, *WINDOW).success
    with books.connect() as connection:
        connection.execute("""update core.request set tags = '{"calls_inside": "2"}' where line_no = 2""")
    outcome = run(books, look_alikes, *WINDOW)
    assert (outcome.success, outcome.unexpected_count, outcome.observed) == (False, 1, "0.250000 USD")
