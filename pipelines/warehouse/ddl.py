"""SQL that makes the tables and comments on them, derived from their descriptions.

The descriptions are in `tables/`. This module translates them, and holds the checks, exclusions, foreign keys
and indexes that a description can't express. `python -m pipelines.warehouse.ddl` prints the tables, for a migration to copy from;
`migrate.py` runs the migrations and applies the comments.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from pipelines.meters import COUNT_COLUMNS
from pipelines.warehouse.database import create_schema
from pipelines.warehouse.tables import TABLES, Column, Table

SCHEMAS = {
    "raw": "What arrived, file by file, and what could not become a row.",
    "core": "The facts: models, prices, rates, requests and benchmark scores.",
    "mart": "What finance, engineers and analysts read, one question per table.",
}

# A range over uuid lets a GiST exclusion compare ids for equality without the extension btree_gist, which not
# every server has.
_UUID_RANGE = "create type core.uuidrange as range (subtype = uuid);"

_COSTS = "list_cost_usd, contracted_cost_usd, effective_cost_usd"

CONSTRAINTS: dict[str, dict[str, str]] = {
    "raw.snapshot": {
        "snapshot_kind": "check (kind in ('requests', 'bills', 'shadow', 'prices', 'leaderboards', 'selfhost'))",
        "snapshot_counts": "check (least(size_bytes, lines, valid, quarantined) >= 0)",
    },
    "raw.quarantine": {"quarantine_severity": "check (severity in ('error', 'info'))"},
    "core.model_alias": {
        "model_alias_model": "foreign key (model_id) references core.model deferrable initially deferred",
    },
    "core.price": {
        "price_valid_period": "check (valid_to > valid_from)",
        "price_belief_period": "check (superseded_at > recorded_at)",
        "price_quantity": "check (pricing_quantity > 0 and context_from_tokens >= 0)",
        "price_context": "check (context_to_tokens > context_from_tokens)",
        "price_one_at_a_time": (
            "exclude using gist (core.uuidrange(sku_id, sku_id, '[]') with &&, tstzrange(valid_from, valid_to) with &&, "
            "tstzrange(recorded_at, superseded_at) with &&)"
        ),
    },
    "core.rate_card": {
        "rate_card_period": "check (valid_to > valid_from)",
        "rate_card_context": "check (context_from_tokens >= 0 and context_to_tokens > context_from_tokens)",
    },
    "core.request": {
        "request_event_date": "check (event_date = (event_at at time zone 'UTC')::date)",
        "request_counts": f"check (least({', '.join(COUNT_COLUMNS)}) >= 0)",
        "request_cost_or_reason": (
            f"check (num_nonnulls({_COSTS}) = case when unpriced_reason is null then 3 else 0 end)"
        ),
    },
    "core.benchmark_version": {
        "benchmark_version_benchmark": (
            "foreign key (benchmark_id) references core.benchmark deferrable initially deferred"
        ),
    },
    "core.benchmark_score": {
        "benchmark_score_version": (
            "foreign key (benchmark_version_id) references core.benchmark_version deferrable initially deferred"
        ),
        "benchmark_score_belief_period": "check (superseded_at > observed_at)",
        "benchmark_score_one_at_a_time": (
            "exclude using gist (core.uuidrange(md5(board || e'\\x1f' || source_row_key || e'\\x1f' || "
            "benchmark_version_id)::uuid, md5(board || e'\\x1f' || source_row_key || e'\\x1f' || "
            "benchmark_version_id)::uuid, '[]') with &&, daterange(as_of, as_of, '[]') with &&, "
            "tstzrange(observed_at, superseded_at) with &&)"
        ),
    },
    "core.reported_cost": {
        "reported_cost_bucket": (
            "check (bucket_to > bucket_from and event_date = (bucket_from at time zone 'UTC')::date)"
        ),
        "reported_cost_belief_period": (
            "check (superseded_at > observed_at and (superseded_at is null) = (supersede_reason is null))"
        ),
        "reported_cost_amount": "check ((amount is null) = (currency is null))",
    },
    "core.gpu_price": {
        "gpu_price_valid_period": "check (valid_to > valid_from)",
        "gpu_price_belief_period": "check (superseded_at > recorded_at)",
    },
    "mart.benchmark_drift": {"benchmark_drift_severity": "check (severity in ('info', 'warn', 'error'))"},
}
"""Table constraints beyond the primary key and the accepted values of single columns, by table and name."""

INDEXES: dict[str, dict[str, str]] = {
    # 3 MB for a million rows instead of a btree of hundreds: rows of a day lie roughly in the order of their instants, and a filter of
    # each block's ids says where an id can't be.
    "core.request": {"brin": "using brin (event_at, source_request_id text_bloom_ops)"},
    # Each file that is read asks which one had its path before. A path may be longer than a btree takes.
    "raw.snapshot": {"landing_path": "using hash (landing_path)"},
    "raw.duplicate": {"event_date": "(event_date)"},
    "core.reported_cost": {"event_date": "(event_date, provider_id)"},
    "core.price": {"model": "(model_id, provider_id)"},
}
"""Indexes beyond the primary key, by table and the last part of their name."""


def tables_sql() -> str:
    """The schemas and the tables that Python fills, without comments; dbt makes its own tables in `mart`."""
    parts = [create_schema(name) for name in SCHEMAS]
    parts.append(_UUID_RANGE)
    parts += [create_table(table) for table in _python_tables()]
    return "\n\n".join(parts) + "\n"


def comments_sql() -> str:
    """The meaning of every schema and of every table that Python fills; dbt comments on its own tables."""
    lines = [_comment("schema", name, text) for name, text in SCHEMAS.items()]
    for table in _python_tables():
        lines.append(_comment("table", table.qualified, table_comment(table)))
        lines += [_comment("column", f"{table.qualified}.{c.name}", column_comment(c)) for c in table.columns]
    return "\n".join(lines) + "\n"


def create_table(table: Table) -> str:
    """`create table` with constraints and indexes; a range-partitioned table is made without partitions."""
    lines = [f"    {column.name} {column.type}{'' if column.nullable else ' not null'}" for column in table.columns]
    lines.append(f"    constraint {table.name}_pkey {primary_key(table)}")
    lines += [
        f"    constraint {accepted_constraint(table, c)} check ({accepted_values(c)})"
        for c in table.columns
        if c.accepted
    ]
    lines += [f"    constraint {name} {text}" for name, text in CONSTRAINTS.get(table.qualified, {}).items()]
    partition = f" partition by range ({table.day_column})" if table.range_partitioned else ""
    statements = [f"create table {table.qualified} (\n" + ",\n".join(lines) + f"\n){partition};"]
    statements += index_statements(table, table.name)
    return "\n".join(statements)


def primary_key(table: Table) -> str:
    """The key as a table constraint."""
    return f"primary key ({', '.join(table.primary_key)})"


def index_statements(table: Table, name: str) -> Iterator[str]:
    """`create index` for every index of `table` but that of its key, on the table `name` of the same schema."""
    for suffix, text in INDEXES.get(table.qualified, {}).items():
        yield f"create index {name}_{suffix} on {table.schema}.{name} {text};"


def table_comment(table: Table) -> str:
    """The description of a table in Postgres, dbt and the data dictionary."""
    return f"{table.description} Grain: {table.grain}."


def column_comment(column: Column) -> str:
    """The description of a column in Postgres, dbt and the data dictionary."""
    return f"{column.description} Unit: {column.unit}." if column.unit else column.description


def _python_tables() -> list[Table]:
    return [table for table in TABLES if table.built_by == "python"]


def accepted_constraint(table: Table, column: Column) -> str:
    """The name of the constraint that holds `column` to its accepted values."""
    return f"{table.name}_{column.name}_accepted"


def accepted_values(column: Column) -> str:
    """The SQL condition that the column holds one of its accepted values."""
    values = ", ".join("'" + value.replace("'", "''") + "'" for value in column.accepted)
    return f"{column.name} in ({values})"


def _comment(kind: str, name: str, text: str) -> str:
    quoted = text.replace("'", "''")
    return f"comment on {kind} {name} is '{quoted}';"


if __name__ == "__main__":
    sys.stdout.write(tables_sql())
