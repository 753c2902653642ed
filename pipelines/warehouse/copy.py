"""Bulk loading: a frame becomes Postgres's binary COPY format and streams into a table.

A frame has the table's columns and types before the first byte is sent; its values are looked at once the server
refuses one, to name the row. Which rows a load replaces is
decided in `replace.py` beside this file; what a row means is decided long before, in `pipelines.requests`,
`pipelines.prices` and `pipelines.benchmarks`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import psycopg
import pyarrow as pa
from pgpq import ArrowToPostgresBinaryEncoder
from pgpq.encoders import LargeStringEncoderBuilder
from pgpq.schema import Jsonb
from psycopg import sql
from psycopg.copy import QueuedLibpqWriter

from pipelines.constant import holds_only
from pipelines.warehouse.errors import LoadError
from pipelines.warehouse.tables import Column, Table

_BATCH_ROWS = 20_000  # a batch of core.request is then some 10 MB of COPY data
_ESCAPED_NUL = r"(?:^|[^\\])(?:\\\\)*\\u0000"  # an odd number of backslashes: \u0000, not a backslash before "u0000"


def copy_frame(
    connection: psycopg.Connection[Any],
    table: Table,
    frame: pl.DataFrame,
    *,
    into: sql.Identifier | None = None,
    defaults: Mapping[str, Any] | None = None,
    freeze: bool = False,
) -> int:
    """Append `frame` to `table` in the connection's transaction; the number of rows copied.

    `frame` has exactly `table.polars_schema`: uuid as 16 bytes, jsonb as JSON text. pgpq encodes the Arrow
    columns, decimals exactly; a uuid goes out as its 16 bytes, which is Postgres's own binary form. Memory in
    use beside the frame is that of one batch. `into` names another table of the same columns, `defaults` what its
    columns hold where nothing is sent: a column that holds that throughout stays behind. `freeze`, for a table that the
    same transaction made, writes rows that no vacuum has to come back for.
    Raises LoadError for a frame that does not fit, and for values Postgres can't hold, by column and row.
    """
    _check_schema(table, frame)
    held = defaults or {}
    unsent = {name for name, value in held.items() if holds_only(frame[name], value)}
    target = into or sql.Identifier(table.schema, table.name)
    sent = [column for column in table.columns if column.name not in unsent]
    columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in sent)
    options = sql.SQL("format binary, freeze" if freeze else "format binary")
    statement = sql.SQL("copy {} ({}) from stdin ({})").format(target, columns, options)
    rows = frame.select(column.name for column in sent)
    encoder = _encoder(sent, rows)
    try:
        with connection.cursor() as cursor, cursor.copy(statement, writer=QueuedLibpqWriter(cursor)) as copy:
            copy.write(encoder.write_header())
            for part in rows.iter_slices(_BATCH_ROWS):
                for batch in part.rechunk().to_arrow().to_batches():
                    copy.write(encoder.write_batch(batch))
            copy.write(encoder.finish())
    except (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.ProtocolViolation) as error:
        _check_values(table, frame)  # says which row it is, where that can be told
        raise LoadError(f"{table.qualified}: Postgres refused the rows: {error}") from error
    return frame.height


def check_frame(table: Table, frame: pl.DataFrame) -> None:
    """Raise LoadError unless `frame` has the table's columns and types, in order, and values that Postgres can hold."""
    _check_schema(table, frame)
    _check_values(table, frame)


def _check_schema(table: Table, frame: pl.DataFrame) -> None:
    expected = table.polars_schema
    if frame.schema != expected:
        raise LoadError(f"{table.qualified}: {_schema_difference(expected, frame.schema)}")


def _check_values(table: Table, frame: pl.DataFrame) -> None:
    for column in table.columns:
        fault = _fault(column, frame[column.name])
        if fault is not None:
            what, rows = fault
            raise LoadError(
                f"{table.qualified}.{column.name}: {what}, in {rows.sum()} rows; the first is row {rows.arg_max()} (from 0)"
            )


def _fault(column: Column, values: pl.Series) -> tuple[str, pl.Series] | None:
    """What Postgres would refuse in a column, in words, with the rows concerned marked true."""
    checks: list[tuple[str, pl.Series]] = []
    if not column.nullable and values.null_count():
        checks.append(("null in a column that must not be null", values.is_null()))
    if column.type == "uuid":
        checks.append(("a uuid must be 16 bytes", values.bin.size() != 16))
    elif column.type == "text":
        checks.append(("a NUL character, which Postgres text can't hold", values.str.contains("\x00", literal=True)))
    elif column.type == "text[]":
        within = values.list.eval(pl.element().str.contains("\x00", literal=True)).list.any()
        checks.append(("a NUL character, which Postgres text can't hold", within))
    elif column.type == "jsonb":
        marked = values.str.contains("\x00", literal=True) | values.str.contains(_ESCAPED_NUL)
        checks.append(("a NUL character, which jsonb can't hold", marked))
    return next(((what, rows.fill_null(value=False)) for what, rows in checks if rows.any()), None)


def _schema_difference(expected: pl.Schema, found: pl.Schema) -> str:
    missing = [name for name in expected if name not in found]
    surplus = [name for name in found if name not in expected]
    wrong = [
        f"{name} is {found[name]}, accepted is {expected[name]}"
        for name in expected
        if name in found and found[name] != expected[name]
    ]
    parts = [
        f"columns are missing: {', '.join(missing)}" if missing else "",
        f"columns are not in the table: {', '.join(surplus)}" if surplus else "",
        f"types differ: {'; '.join(wrong)}" if wrong else "",
    ]
    told = ". ".join(part for part in parts if part)
    return told or f"columns are in another order; accepted is {', '.join(expected)}"


def _encoder(columns: Sequence[Column], rows: pl.DataFrame) -> ArrowToPostgresBinaryEncoder:
    schema: pa.Schema = rows.clear().to_arrow().schema
    builders: dict[str, Any] = {}
    for column, arrow in zip(columns, schema, strict=True):
        if column.type == "jsonb":
            builders[column.name] = LargeStringEncoderBuilder.new_with_output(arrow, Jsonb())
        else:
            builders[column.name] = ArrowToPostgresBinaryEncoder.infer_encoder(arrow)
    return ArrowToPostgresBinaryEncoder.new_with_encoders(schema, builders)
