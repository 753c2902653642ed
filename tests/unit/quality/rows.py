"""Rows for quality tests: one good row per table, and SQL tables without constraints that bad rows can enter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from pipelines.warehouse.tables import TABLES, Table

DAY = date(2026, 2, 16)
NOON = datetime(2026, 2, 16, 12, tzinfo=UTC)
FILE = UUID(int=1)
RATE = UUID(int=2)
PRICE = UUID(int=3)

_DEFAULTS: dict[str, Any] = {
    "text": "", "uuid": UUID(int=9), "boolean": True, "integer": 0, "smallint": 0, "bigint": 0, "double precision": 0.0,
    "numeric(38,18)": Decimal(0), "numeric(38,12)": Decimal(0), "date": DAY, "timestamptz": NOON, "jsonb": Jsonb({}),
    "date[]": [DAY], "text[]": [],
}  # fmt: skip

GOOD: dict[str, dict[str, Any]] = {
    "raw.snapshot": {"snapshot_id": FILE, "kind": "requests", "lines": 3, "valid": 2, "quarantined": 1},
    "core.model": {"model_id": "model-a", "openness": "closed"},
    "core.benchmark": {"benchmark_id": "aider", "min_score": 0.0, "max_score": 100.0},
    "core.benchmark_version": {"benchmark_version_id": "aider@1#0", "benchmark_id": "aider"},
    "core.request": {
        "request_uid": UUID(int=100), "snapshot_id": FILE, "model_id": "model-a", "service_tier": "standard",
        "status": "ok", "usage_basis": "reported", "input_uncached_tokens": 100, "output_text_tokens": 50,
        "is_billable": True, "rate_id": RATE, "list_cost_usd": Decimal("0.25"), "contracted_cost_usd": Decimal("0.2"),
        "effective_cost_usd": Decimal("0.2"),
    },
    "core.price": {
        "price_id": PRICE, "sku_id": UUID(int=4), "snapshot_id": FILE, "model_id": "model-a", "meter": "output_text",
        "unit": "token", "service_tier": "standard", "context_bound": "gt", "context_scope": "whole_request",
        "unit_price": Decimal("0.0000025"), "pricing_currency": "USD", "pricing_quantity": 1,
        "usd_per_million": Decimal("2.5"), "date_basis": "documented", "recorded_at": NOON, "context_counts": "input",
    },
    "core.rate_card": {
        "rate_id": RATE, "model_id": "model-a", "service_tier": "standard", "valid_from": NOON,
        "output_text_usd_per_mtok": Decimal("2.5"), "price_ids": Jsonb({"output_text": str(PRICE)}),
        "context_counts": "input",
    },
    "core.benchmark_score": {
        "score_id": UUID(int=5), "snapshot_id": FILE, "benchmark_version_id": "aider@1#0", "board": "aider", "raw_model": "model-a", "score": 50.0, "ci_low": 45.0,
        "ci_high": 55.0, "ci_level": 0.95, "ci_method": "wilson", "measured_by": "independent", "n_items": 100,
        "n_success": 50,
    },
    "core.reported_cost": {
        "cost_uid": UUID(int=6), "snapshot_id": FILE, "bucket_from": NOON, "bucket_to": datetime(2026, 2, 16, 13, tzinfo=UTC),
        "observed_at": NOON, "amount": Decimal("1.5"), "amount_text": "150", "currency": "USD", "amount_usd": Decimal("1.5"),
    },
    "mart.daily_model_spend": {
        "provider_id": "openai", "model_id": "model-a", "openness": "closed", "requests": 3, "priced_requests": 2,
        "unpriced_requests": 1, "input_tokens": 300, "output_tokens": 150, "input_uncached_tokens": 300,
        "output_text_tokens": 150, "list_cost_usd": Decimal("0.5"), "contracted_cost_usd": Decimal("0.5"),
        "effective_cost_usd": Decimal("0.5"),
    },
}  # fmt: skip
"""One row per table that breaks no rule; columns not named hold null or the empty value of their type."""

CONTEXT = ("raw.snapshot", "core.model", "core.benchmark", "core.benchmark_version", "core.price", "core.rate_card")
"""Tables that others refer to, in an order in which they can be filled."""


def good_row(table: Table, **changes: Any) -> dict[str, Any]:
    """The good row of `table`, with changes."""
    blank = {column.name: None if column.nullable else _DEFAULTS[column.type] for column in table.columns}
    return {**blank, **GOOD.get(table.qualified, {}), **changes}


def insert(connection: psycopg.Connection[Any], table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert whole rows."""
    names = [column.name for column in table.columns]
    statement = sql.SQL("insert into {}.{} ({}) values ({})").format(
        sql.Identifier(table.schema),
        sql.Identifier(table.name),
        sql.SQL(", ").join(map(sql.Identifier, names)),
        sql.SQL(", ").join(sql.Placeholder() * len(names)),
    )
    with connection.cursor() as cursor:
        cursor.executemany(statement, [[row[name] for name in names] for row in rows])


SCHEMAS = sorted({table.schema for table in TABLES})


def empty_bare_tables(connection: psycopg.Connection[Any]) -> None:
    """Every table with columns and types alone, and no row: no key, no constraint, no null forbidden.

    Tables that the test before left as they were are emptied, which takes a tenth of the time of making them.
    """
    found = connection.execute(
        "select array_agg(relname || '.' || attname) from pg_attribute join pg_class as c on c.oid = attrelid "
        "join pg_namespace as n on n.oid = relnamespace "
        "where nspname = any(%s) and relkind = 'r' and attnum > 0 and not attisdropped",
        [SCHEMAS],
    ).fetchone()
    if found and sorted(found[0] or []) == sorted(f"{table.name}.{c.name}" for table in TABLES for c in table.columns):
        connection.execute("; ".join(f"delete from {table.qualified}" for table in TABLES))
        return
    for schema in SCHEMAS:
        connection.execute(f"drop schema if exists {schema} cascade; create schema {schema}")
    made = [
        f"create table {table.qualified} ({', '.join(f'{column.name} {column.type}' for column in table.columns)})"
        for table in TABLES
    ]
    connection.execute("; ".join(made))
