"""The faults that Postgres refuses, one row of each kind: no other check looks for them again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.errors import (
    CheckViolation,
    ExclusionViolation,
    ForeignKeyViolation,
    IntegrityError,
    NotNullViolation,
    UniqueViolation,
)

from pipelines.meters import COUNT_COLUMNS
from pipelines.warehouse.database import Database
from pipelines.warehouse.ddl import accepted_constraint
from pipelines.warehouse.tables import TABLES, TABLES_BY_NAME, Table
from tests.unit.quality.rows import CONTEXT, NOON, good_row, insert

Connection = psycopg.Connection[Any]

PYTHON_BUILT = [table for table in TABLES if table.built_by == "python"]
LATER = NOON + timedelta(days=1)
OTHER = UUID(int=77)
SEVERITIES = {"raw.quarantine": {"severity": "error"}, "mart.benchmark_drift": {"severity": "info"}}
"""Closed lists that stand in a constraint and not in the description."""
UNPRICED = {"list_cost_usd": None, "contracted_cost_usd": None, "effective_cost_usd": None, "rate_id": None}
GOES_WITH = {"unpriced_reason": UNPRICED, "supersede_reason": {"superseded_at": LATER}}
"""What a row must have besides, for a value of the column to be its only fault."""


@pytest.fixture(scope="module")
def shared(postgres_home: Any) -> Iterator[Connection]:
    """A connection to a migrated database with the tables that others refer to; every test rolls back."""
    from pipelines.settings import Settings
    from pipelines.warehouse.open import open_database
    from tests.warehouse_fixtures import fresh_database

    with open_database(Settings(home=postgres_home), migrate=False) as server:
        database: Database = fresh_database(server)
        with database.connect() as connection:
            connection.execute("create table core.request_rest partition of core.request default")
            connection.commit()
            yield connection


@pytest.fixture
def connection(shared: Connection) -> Iterator[Connection]:
    yield shared
    shared.rollback()


def row(table: Table, **changes: Any) -> dict[str, Any]:
    """A row that every constraint admits, with changes."""
    listed = {c.name: c.accepted[0] for c in table.columns if c.accepted and not c.nullable}
    good = good_row(table)
    admitted = {name: value for name, value in listed.items() if good[name] not in table.column(name).accepted}
    return {**good, **admitted, **SEVERITIES.get(table.qualified, {}), **changes}


def refused(connection: Connection, table: Table, *rows: dict[str, Any]) -> IntegrityError:
    """What Postgres raises on the last of the rows, those before it being admitted."""
    insert(connection, table, rows[:-1])
    with pytest.raises(IntegrityError) as raised, connection.transaction():
        insert(connection, table, rows[-1:])
    return raised.value


@pytest.mark.parametrize("table", PYTHON_BUILT, ids=lambda table: table.qualified)
def test_grain_filled_and_accepted_values_are_held(connection: Connection, table: Table) -> None:
    twice = refused(connection, table, row(table), row(table))
    assert isinstance(twice, UniqueViolation)
    assert str(twice.diag.constraint_name).endswith("_pkey")
    connection.execute(f"delete from {table.qualified}".encode())
    for column in table.columns:
        if not column.nullable:
            empty = refused(connection, table, row(table, **{column.name: None}))
            assert isinstance(empty, NotNullViolation)
            assert empty.diag.column_name == column.name
        if column.accepted:
            strange = refused(
                connection, table, row(table, **GOES_WITH.get(column.name, {}), **{column.name: "something else"})
            )
            assert isinstance(strange, CheckViolation)
            assert strange.diag.constraint_name == accepted_constraint(table, column)
            assert values_admitted(connection, table, accepted_constraint(table, column)) == {*column.accepted}


def values_admitted(connection: Connection, table: Table, constraint: str) -> set[str]:
    """The values that a constraint of Postgres lists: one that only the description has would stop the run that writes it."""
    query = "select pg_get_constraintdef(oid) from pg_constraint where conname = %s and conrelid = %s::regclass"
    found = connection.execute(query, [constraint, table.qualified]).fetchone()
    return {*re.findall(r"'([^']*)'", found[0])} if found else set()


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("core.request", {"event_at": datetime(2026, 2, 17, tzinfo=UTC)}, "request_event_date"),
    *(("core.request", {column: -1}, "request_counts") for column in COUNT_COLUMNS),
    ("core.request", UNPRICED, "request_cost_or_reason"),
    ("core.request", {"unpriced_reason": "no_price"}, "request_cost_or_reason"),
    ("core.request", {"contracted_cost_usd": None}, "request_cost_or_reason"),
    ("core.price", {"context_from_tokens": -1}, "price_quantity"),
    ("core.price", {"pricing_quantity": 0}, "price_quantity"),
    ("core.price", {"context_to_tokens": -1}, "price_context"),
    ("core.price", {"valid_to": NOON}, "price_valid_period"),
    ("core.price", {"superseded_at": NOON, "supersede_reason": "changed"}, "price_belief_period"),
    ("core.rate_card", {"context_from_tokens": -1}, "rate_card_context"),
    ("core.rate_card", {"context_from_tokens": 5, "context_to_tokens": 5}, "rate_card_context"),
    ("core.rate_card", {"valid_to": NOON}, "rate_card_period"),
    ("core.benchmark_score", {"superseded_at": NOON, "supersede_reason": "revised"}, "benchmark_score_belief_period"),
    ("core.reported_cost", {"bucket_from": LATER, "bucket_to": LATER + timedelta(hours=1)}, "reported_cost_bucket"),
    ("core.reported_cost", {"bucket_to": NOON}, "reported_cost_bucket"),
    ("core.reported_cost", {"superseded_at": NOON, "supersede_reason": "revised"}, "reported_cost_belief_period"),
    ("core.reported_cost", {"supersede_reason": "removed"}, "reported_cost_belief_period"),
    ("core.reported_cost", {"currency": None}, "reported_cost_amount"),
    ("raw.snapshot", {"kind": "letters"}, "snapshot_kind"),
    ("raw.snapshot", {"lines": -1}, "snapshot_counts"),
    ("raw.quarantine", {"severity": "mild"}, "quarantine_severity"),
    ("mart.benchmark_drift", {"severity": "mild"}, "benchmark_drift_severity"),
]


@pytest.mark.parametrize(("name", "changes", "constraint"), REFUSED)
def test_a_row_that_contradicts_itself_is_refused(
    connection: Connection, name: str, changes: dict[str, Any], constraint: str
) -> None:
    raised = refused(connection, TABLES_BY_NAME[name], row(TABLES_BY_NAME[name], **changes))
    assert isinstance(raised, CheckViolation)
    assert raised.diag.constraint_name == constraint


@pytest.mark.parametrize(
    ("name", "second", "constraint"),
    [
        ("core.price", {"price_id": OTHER, "valid_from": NOON + timedelta(hours=1)}, "price_one_at_a_time"),
        ("core.benchmark_score", {"score_id": OTHER, "score": 51.0}, "benchmark_score_one_at_a_time"),
    ],
)
def test_one_fact_at_a_time(connection: Connection, name: str, second: dict[str, Any], constraint: str) -> None:
    table = TABLES_BY_NAME[name]
    raised = refused(connection, table, row(table), row(table, **second))
    assert isinstance(raised, ExclusionViolation)
    assert raised.diag.constraint_name == constraint


def test_a_score_of_an_unknown_version_is_refused(connection: Connection) -> None:
    for name in CONTEXT:
        insert(connection, TABLES_BY_NAME[name], [row(TABLES_BY_NAME[name])])
    connection.execute("set constraints all immediate")
    table = TABLES_BY_NAME["core.benchmark_score"]
    raised = refused(connection, table, row(table), row(table, score_id=OTHER, benchmark_version_id="aider@2#0"))
    assert isinstance(raised, ForeignKeyViolation)
    assert raised.diag.constraint_name == "benchmark_score_version"


def test_a_negative_amount_is_admitted_where_it_may_be_a_credit(connection: Connection) -> None:
    table = TABLES_BY_NAME["core.reported_cost"]
    credit = {"amount": Decimal("-1.5"), "amount_text": "-150", "amount_usd": Decimal("-1.5")}
    insert(connection, table, [row(table, **credit)])
