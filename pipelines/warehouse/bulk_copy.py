"""Bulk loading: a frame becomes Postgres's binary COPY format and streams into a table.

Columns and types of a frame are checked before the first byte is sent. Values are checked only when the server refuses
one, to name its row. `replace.py` decides which rows a load replaces.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import polars as pl
import psycopg
import pyarrow as pa
from pgpq import ArrowToPostgresBinaryEncoder
from pgpq.encoders import LargeStringEncoderBuilder
from pgpq.schema import Jsonb
from psycopg import sql
from psycopg.copy import QueuedLibpqWriter

from pipelines.outside import worded
from pipelines.warehouse.errors import LoadError
from pipelines.warehouse.names import table_name
from pipelines.warehouse.tables import Column, Table

_BATCH_ROWS = 20_000  # a batch of core.request is then some 10 MB of COPY data
_ESCAPED_NUL = r"(?:^|[^\\])(?:\\\\)*\\u0000"  # an odd number of backslashes: \u0000, not a backslash before "u0000"


def copy_frame(
    connection: psycopg.Connection[Any], table: Table, frame: pl.DataFrame, *, into: sql.Identifier | None = None
) -> int:
    """Append `frame` to `table`, or to another one of the same columns, in the connection's transaction; the rows copied.

    `frame` has the columns and types of `table.polars_schema`: uuid as 16 bytes, jsonb as JSON text. Raises LoadError for a frame that does
    not fit, and for values Postgres can't hold, by column and row.
    """
    check_schema(table, frame)
    with CopyStream(connection, table, into or table_name(table)) as stream:
        stream.write(frame)
    return frame.height


class CopyStream:
    """One COPY into `into`, a table of the columns of `table`, that frames are appended to until the block ends.

    pgpq encodes the Arrow columns, decimals exactly; a uuid goes out as its 16 bytes, which is Postgres's own binary
    form. A thread of its own sends, so that the server works while the next rows are made ready; until the block ends the
    connection can do nothing else. Besides the frames, one batch and the bytes that wait to be sent are in memory.
    `unsent` columns are left to their defaults. `freeze`, for a table that the same transaction made, writes rows that no
    vacuum has to come back for.
    Raises LoadError for values Postgres can't hold, at the latest at the end; by column and row where they are in one of
    the last frames.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        table: Table,
        into: sql.Identifier,
        *,
        unsent: Collection[str] = (),
        freeze: bool = False,
    ) -> None:
        self.into, self.unsent = into, frozenset(unsent)
        self._table = table
        self._sent = [column for column in table.columns if column.name not in unsent]
        self._recent: deque[pl.DataFrame] = deque(maxlen=2)
        self._encoder = _encoder(self._sent)
        columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in self._sent)
        options = sql.SQL("format binary, freeze" if freeze else "format binary")
        statement = sql.SQL("copy {} ({}) from stdin ({})").format(into, columns, options)
        cursor = connection.cursor()
        self._context = cursor.copy(statement, writer=QueuedLibpqWriter(cursor))

    def __enter__(self) -> Self:
        self._copy = self._context.__enter__()
        self._copy.write(self._encoder.write_header())
        return self

    def write(self, frame: pl.DataFrame) -> None:
        """Append a frame of the table's schema; its `unsent` columns must hold the table's defaults."""
        self._recent.append(frame)
        rows = frame.select(column.name for column in self._sent)
        with self._naming_rows():
            for part in rows.iter_slices(_BATCH_ROWS):
                for batch in part.rechunk().to_arrow().to_batches():
                    self._copy.write(self._encoder.write_batch(batch))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._naming_rows():
            if error is None:
                self._copy.write(self._encoder.finish())
            self._context.__exit__(kind, error, trace)

    @contextmanager
    def _naming_rows(self) -> Iterator[None]:
        try:
            yield
        except (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.ProtocolViolation) as error:
            for frame in self._recent:
                _check_values(self._table, frame)
            raise LoadError(f"{self._table.qualified}: Postgres refused the rows: {worded(error)}") from None


def check_schema(table: Table, frame: pl.DataFrame) -> None:
    """Raise LoadError unless `frame` has the table's columns and types, in any order."""
    expected = table.polars_schema
    if dict(frame.schema) != dict(expected):
        raise LoadError(f"{table.qualified}: {_schema_difference(expected, frame.schema)}")


def _check_values(table: Table, frame: pl.DataFrame) -> None:
    for column in table.columns:
        fault = _fault(column, frame[column.name])
        if fault is not None:
            reason, rows = fault
            raise LoadError(
                f"{table.qualified}.{column.name}: {reason}, in {rows.sum()} rows; the first is row {rows.arg_max()} (from 0)"
            )


def _fault(column: Column, values: pl.Series) -> tuple[str, pl.Series] | None:
    """The fault that Postgres would refuse a column for, in words, and a mask of its rows; None if there is none."""
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
    return next(((reason, rows.fill_null(value=False)) for reason, rows in checks if rows.any()), None)


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
    return ". ".join(part for part in parts if part)


def _encoder(columns: Sequence[Column]) -> ArrowToPostgresBinaryEncoder:
    empty = pl.DataFrame(schema={column.name: column.polars_type for column in columns})
    schema: pa.Schema = empty.to_arrow().schema
    builders: dict[str, Any] = {}
    for column, arrow in zip(columns, schema, strict=True):
        if column.type == "jsonb":
            builders[column.name] = LargeStringEncoderBuilder.new_with_output(arrow, Jsonb())
        else:
            builders[column.name] = ArrowToPostgresBinaryEncoder.infer_encoder(arrow)
    return ArrowToPostgresBinaryEncoder.new_with_encoders(schema, builders)
