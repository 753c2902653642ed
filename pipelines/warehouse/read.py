"""Reading tables and queries into frames, exactly: numeric as Decimal, uuid as 16 bytes, jsonb as text.

`bulk_copy.py` goes the other way, from a frame into a table: `copy_frame` accepts every frame that `read_table` returns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl
import psycopg
import pyarrow as pa
from psycopg import sql
from pyarrow import csv

from pipelines.warehouse.errors import QueryError
from pipelines.warehouse.tables import Table

_PARSE_BYTES = 32 * 2**20

_ARROW_TYPES: dict[str, pa.DataType] = {
    "bool": pa.bool_(),
    "int2": pa.int16(),
    "int4": pa.int32(),
    "int8": pa.int64(),
    "float4": pa.float32(),
    "float8": pa.float64(),
    "date": pa.date32(),
    "timestamptz": pa.timestamp("us", "UTC"),
    "timestamp": pa.timestamp("us"),
}
_LIST_TYPES: dict[str, pl.DataType] = {
    "_text": pl.String(),
    "_date": pl.Date(),
    "_int4": pl.Int32(),
    "_int8": pl.Int64(),
    "_float8": pl.Float64(),
}


def read_frame(
    connection: psycopg.Connection[Any], query: str, params: Sequence[Any] | dict[str, Any] | None = None
) -> pl.DataFrame:
    """The rows of `query` (one select, psycopg placeholders where `params` are given) in the connection's transaction.

    numeric(p,s) becomes Decimal(p,s); a numeric without bounds, such as a sum, becomes Decimal(38,18). Types that
    polars has no equal for arrive as Postgres writes them. Raises QueryError where a value does not fit its type
    or two columns share a name, and psycopg's own errors for a query that Postgres refuses.
    """
    text = query.strip().rstrip(";")
    if params:
        text = psycopg.ClientCursor(connection).mogrify(text, params)
    # A newline closes a comment at the end of the query.
    inner = sql.SQL("({}\n) as query").format(sql.SQL(text))
    described = connection.execute(sql.SQL("select * from {} limit 0").format(inner)).description or []
    names = [column.name for column in described]
    if len(set(names)) != len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise QueryError(f"the query names columns twice: {', '.join(twice)}; give each a name of its own with `as`")
    types = [_Type(connection, column) for column in described]
    outputs = sql.SQL(", ").join(kind.output for kind in types)
    statement = sql.SQL("copy (select {} from {}) to stdout (format csv)").format(outputs, inner)
    schema = pa.schema([(kind.name, kind.arrow) for kind in types])
    batches = [_parse(part, schema) for part in _parts(connection, statement)]
    raw = pl.DataFrame(pa.concat_tables(batches) if batches else pa.Table.from_batches([], schema))
    return raw.select(kind.decode() for kind in types)


def read_table(
    connection: psycopg.Connection[Any], table: Table, where_sql: str = "", params: Sequence[Any] = ()
) -> pl.DataFrame:
    """The rows of `table`, with exactly `table.polars_schema`, that satisfy `where_sql` (all where it is empty)."""
    columns = ", ".join(column.name for column in table.columns)
    condition = f" where {where_sql}" if where_sql else ""
    frame = read_frame(connection, f"select {columns} from {table.qualified}{condition}", params)
    if frame.schema != table.polars_schema:
        raise QueryError(f"{table.qualified} in the database is not as described here: run `modelmeter db migrate`")
    return frame


def count_rows(
    connection: psycopg.Connection[Any], qualified: str, condition: str = "true", values: Sequence[object] = ()
) -> int:
    """How many rows a table or view, named `schema.table`, holds now, of those that fulfil the condition."""
    statement = sql.SQL("select count(*) from {} where ").format(sql.Identifier(*qualified.split(".")))
    row = connection.execute(statement + sql.SQL(condition), values).fetchone()
    return 0 if row is None else int(row[0])


class _Type:
    """How one column of a query is asked for, parsed and turned into its polars type."""

    def __init__(self, connection: psycopg.Connection[Any], column: psycopg.Column) -> None:
        self.name = column.name
        known = connection.adapters.types.get(column.type_code)
        element = known is not None and column.type_code == known.array_oid
        self.postgres = "" if known is None else f"_{known.name}" if element else known.name
        if self.postgres == "numeric":
            self.arrow: pa.DataType = pa.decimal128(column.precision or 38, _scale(column))
        else:
            self.arrow = _ARROW_TYPES.get(self.postgres, pa.large_string())
        name = sql.Identifier(column.name)
        self.output: sql.Composable = sql.SQL("to_json({})").format(name) if self.postgres in _LIST_TYPES else name

    def decode(self) -> pl.Expr:
        column = pl.col(self.name)
        if self.postgres == "uuid":
            return column.str.replace_all("-", "", literal=True).str.decode("hex")
        if self.postgres == "bytea":
            return column.str.strip_prefix("\\x").str.decode("hex")
        if self.postgres in _LIST_TYPES:
            return column.str.json_decode(pl.List(_LIST_TYPES[self.postgres]))
        return column


def _scale(column: psycopg.Column) -> int:
    return 18 if column.precision is None else column.scale or 0


def _parts(connection: psycopg.Connection[Any], statement: sql.Composed) -> Iterator[bytes]:
    """Whole rows of CSV, some megabytes at a time: Postgres sends one message per row."""
    rows: list[bytes] = []
    size = 0
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in copy:
            rows.append(bytes(row))
            size += len(row)
            if size > _PARSE_BYTES:
                yield b"".join(rows)
                rows, size = [], 0
    if rows:
        yield b"".join(rows)


def _parse(part: bytes, schema: pa.Schema) -> pa.Table:
    """CSV to Arrow: an empty field without quotes is null, `""` is the empty text."""
    try:
        return csv.read_csv(
            pa.BufferReader(part),
            read_options=csv.ReadOptions(column_names=schema.names, block_size=len(part) + 1),
            parse_options=csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
            convert_options=csv.ConvertOptions(
                column_types=schema,
                null_values=[""],
                true_values=["t"],
                false_values=["f"],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        raise QueryError(
            f"a value of {_column_in(str(error), schema)} does not fit its type in a frame. "
            "A numeric with more than 18 decimals needs round(..., 18) or a cast."
        ) from None


def _column_in(message: str, schema: pa.Schema) -> str:
    """The column that Arrow's message counts from 0, by name; the rest of the message quotes the value."""
    counted = re.search(r"column #(\d+)", message)
    return f"column {schema.names[int(counted[1])]}" if counted else "the query"
