"""Frames go into every table and come back the same, extremes included; what Postgres can't hold is refused by name."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from psycopg import sql

from pipelines.warehouse.bulk_copy import copy_frame
from pipelines.warehouse.database import Database
from pipelines.warehouse.errors import LoadError, QueryError
from pipelines.warehouse.read import count_rows, read_frame, read_table
from pipelines.warehouse.tables import TABLES, Column, Table
from pipelines.warehouse.tables.core import MODEL, REQUEST
from pipelines.warehouse.tables.raw import SNAPSHOT
from tests.warehouse.rows import frame, requests, uuid_bytes

LOWEST = {
    "text": "",
    "text[]": [],
    "uuid": bytes(16),
    "boolean": False,
    "smallint": -(2**15),
    "integer": -(2**31),
    "bigint": -(2**63),
    "double precision": -math.inf,
    "numeric(38,18)": Decimal("-99999999999999999999.999999999999999999"),
    "numeric(38,12)": Decimal("-99999999999999999999999999.999999999999"),
    "date": date(1, 1, 1),
    "date[]": [],
    "timestamptz": datetime(1, 1, 1, tzinfo=UTC),
    "jsonb": "null",
}
HIGHEST = {
    "text": 'quote " comma , tab \t line\nfeed \\N \\. \U0001f9ee',
    "text[]": ["", None, "NULL", '{"a,\\'],
    "uuid": b"\xff" * 16,
    "boolean": True,
    "smallint": 2**15 - 1,
    "integer": 2**31 - 1,
    "bigint": 2**63 - 1,
    "double precision": 5e-324,
    "numeric(38,18)": Decimal("99999999999999999999.999999999999999999"),
    "numeric(38,12)": Decimal("99999999999999999999999999.999999999999"),
    "date": date(9999, 12, 31),
    "date[]": [date(1, 1, 1), None, date(9999, 12, 31)],
    "timestamptz": datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    "jsonb": '{"": [1.50, "\\\\u0000", null]}',
}
TINY = {
    **HIGHEST,
    "numeric(38,18)": Decimal("-1e-18"),
    "numeric(38,12)": Decimal("1e-12"),
    "text": "x",
    "date": date(1970, 1, 1),
}
TINY |= {"uuid": uuid_bytes("tiny"), "double precision": math.nan}


def extreme_rows(table: Table) -> pl.DataFrame:
    def null(column: Column) -> Any:
        return None if column.nullable else {**LOWEST, "uuid": uuid_bytes("null"), "text": "null"}[column.type]

    values: tuple[Callable[[Column], Any], ...] = (
        lambda c: LOWEST[c.type],
        lambda c: HIGHEST[c.type],
        lambda c: TINY[c.type],
        null,
    )
    return frame(table, [{column.name: value(column) for column in table.columns} for value in values])


@pytest.mark.parametrize("table", [t for t in TABLES if t.built_by == "python"], ids=lambda table: table.qualified)
def test_every_table_gives_back_what_was_copied(database: Database, table: Table) -> None:
    rows = extreme_rows(table)
    with database.connect() as connection:
        # A copy of the columns without keys and checks, which extreme values would break for a good reason.
        connection.execute(sql.SQL("create schema probe"))
        probe = Table("probe", table.name, "", "", table.columns, table.primary_key)
        connection.execute(
            sql.SQL("create table {} (like {})").format(
                sql.Identifier("probe", table.name), sql.Identifier(table.schema, table.name)
            )
        )
        assert copy_frame(connection, probe, rows) == 4
        assert count_rows(connection, probe.qualified) == 4
        assert count_rows(connection, probe.qualified, "false") == 0
        assert_frame_equal(read_table(connection, probe), rows, check_exact=True)


def test_postgres_itself_sees_the_same_decimals(database: Database) -> None:
    """Counter-check without our reader: the server's own text of the numbers that were sent."""
    costs = [Decimal("99999999999999999999.999999999999999999"), Decimal(0), Decimal("1e-18"), Decimal("-0.5")]
    rows = pl.concat([requests(1, label=str(cost), cost=cost) for cost in costs])
    with database.connect() as connection:
        connection.execute("create table probe (like core.request)")
        copy_frame(connection, REQUEST, rows, into=sql.Identifier("public", "probe"))
        stored = connection.execute("select effective_cost_usd::text from probe order by effective_cost_usd").fetchall()
        total = connection.execute("select sum(effective_cost_usd)::text from probe").fetchone()
    assert [text for (text,) in stored] == [f"{cost:.18f}" for cost in sorted(costs)]
    assert total == ("99999999999999999999.500000000000000000",)


def test_columns_go_by_their_names(database: Database) -> None:
    rows = requests(3)
    with database.connect() as connection:
        connection.execute("create table probe (like core.request)")
        copy_frame(connection, REQUEST, rows.select(reversed(rows.columns)), into=sql.Identifier("public", "probe"))
        found = read_frame(connection, f"select {', '.join(rows.columns)} from probe")
    assert found.sort("request_uid").equals(rows.sort("request_uid"))


def test_a_frame_of_many_batches_arrives_whole(database: Database) -> None:
    rows = pl.concat([requests(30_000, label="a"), requests(20_001, label="b")], rechunk=False)
    with database.connect() as connection:
        connection.execute("create table probe (like core.request)")
        assert copy_frame(connection, REQUEST, rows, into=sql.Identifier("public", "probe")) == 50_001
        found = connection.execute(
            "select count(*), count(distinct request_uid), sum(input_uncached_tokens) from probe"
        )
        assert found.fetchone() == (50_001, 50_001, 500_010)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop("team"), "columns are missing: team"),
        (lambda f: f.with_columns(extra=1), "columns are not in the table: extra"),
        (lambda f: f.with_columns(pl.col("line_no").cast(pl.Int32)), "line_no is Int32, accepted is Int64"),
        (lambda f: f.with_columns(pl.col("effective_cost_usd").cast(pl.Float64)), "effective_cost_usd is Float64"),
        (
            lambda f: f.with_columns(status=pl.lit(None, pl.String)),
            r"request.status: null .* in 3 rows; the first is row 0",
        ),
        (
            lambda f: f.with_columns(team=pl.Series(["a", "b\0c", None])),
            r"team: a NUL .* in 1 rows; the first is row 1",
        ),
        (
            lambda f: f.with_columns(tags=pl.Series([None, "{}", '{"a":"\\u0000"}'])),
            "tags: a NUL .* the first is row 2",
        ),
        (
            lambda f: f.with_columns(rate_id=pl.Series([None, b"short", None])),
            "rate_id: a uuid must be 16 bytes, in 1 rows",
        ),
        (
            lambda f: f.with_columns(tags=pl.lit("{")),
            "Postgres refused the rows: psycopg.errors.InvalidTextRepresentation .22P02",
        ),
    ],
)
def test_a_frame_that_does_not_fit_is_refused_by_name(
    database: Database, change: Callable[[pl.DataFrame], pl.DataFrame], message: str
) -> None:
    with database.connect() as connection:
        connection.execute("create table probe (like core.request)")
        place = sql.Identifier("public", "probe")
        assert copy_frame(connection, REQUEST, requests(3), into=place) == 3
        with pytest.raises(LoadError, match=message), connection.transaction():
            copy_frame(connection, REQUEST, change(requests(3)), into=place)
        assert count_rows(connection, "public.probe") == 3


def test_an_escaped_backslash_before_u0000_is_no_nul(database: Database) -> None:
    rows = requests(1).with_columns(tags=pl.lit('{"path": "C:\\\\u0000"}'))
    with database.connect() as connection:
        connection.execute("create table probe (like core.request)")
        copy_frame(connection, REQUEST, rows, into=sql.Identifier("public", "probe"))
        assert connection.execute("select tags ->> 'path' from probe").fetchone() == ("C:\\u0000",)


def test_a_query_becomes_a_frame_of_exact_types(database: Database) -> None:
    with database.connect(read_only=True) as connection:
        found = read_frame(
            connection,
            """select 1::numeric(38,12) / 3 as third, 0.1::numeric(38,12) as tenth, sum(x) as total, 'a,"b' as words,
               null::text as nothing, '' as empty, %(id)s::uuid as id, array['x', null] as list,
               timestamptz '2026-02-14 23:59:59.999999+02' as at, date '2026-02-14' as day, true as yes,
               '{"b": 1.50}'::jsonb as document, interval '1 day' as unknown_to_polars
               from generate_series(1, 3) as x -- a comment at the end""".replace(
                "1::numeric(38,12) / 3", "1.5::numeric"
            ),
            {"id": "00112233-4455-6677-8899-aabbccddeeff"},
        )
    assert found.to_dicts() == [
        {
            "third": Decimal("1.5"),
            "tenth": Decimal("0.1"),
            "total": 6,
            "words": 'a,"b',
            "nothing": None,
            "empty": "",
            "id": bytes.fromhex("00112233445566778899aabbccddeeff"),
            "list": ["x", None],
            "at": datetime(2026, 2, 14, 21, 59, 59, 999999, tzinfo=UTC),
            "day": date(2026, 2, 14),
            "yes": True,
            "document": '{"b": 1.50}',
            "unknown_to_polars": "1 day",
        }
    ]
    assert found.schema["third"] == pl.Decimal(38, 18)
    assert found.schema["tenth"] == pl.Decimal(38, 12)
    assert found.schema["total"] == pl.Int64()


def test_an_empty_result_keeps_its_types(database: Database) -> None:
    with database.connect(read_only=True) as connection:
        assert read_table(connection, SNAPSHOT).schema == SNAPSHOT.polars_schema
        assert read_frame(connection, "select 1.5 as n, 'a' as t where false").schema == {
            "n": pl.Decimal(38, 18),
            "t": pl.String(),
        }


def test_what_a_frame_can_not_hold_is_reported(database: Database) -> None:
    with database.connect(read_only=True) as connection:
        with pytest.raises(QueryError, match="more than 18 decimals needs round"), connection.transaction():
            read_frame(connection, "select 1::numeric / 3 as third")
        with pytest.raises(QueryError, match="names columns twice: a"), connection.transaction():
            read_frame(connection, "select 1 as a, 2 as a")


def test_read_table_takes_a_condition_with_values(database: Database) -> None:
    model = {"display_name": "M", "openness": "closed", "decided_by": "tests"}
    rows = frame(MODEL, [{**model, "model_id": name} for name in ("a", "b%s", "c")])
    with database.connect() as connection:
        copy_frame(connection, MODEL, rows)
        found = read_table(connection, MODEL, "model_id = any(%s)", [["b%s", "c"]])
        assert found["model_id"].to_list() == ["b%s", "c"]
        assert read_table(connection, MODEL, "model_id like 'b%'")["model_id"].to_list() == ["b%s"]
