"""Parquet files to rows of the columns that a layout reads; a row group that is damaged costs itself.

What the rows become is in `tables.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.outside import worded
from pipelines.records.line_chunks import Chunk, Fault, digest_of
from pipelines.records.tables import Naming, TableChunk, known_columns
from pipelines.records.tally import Tally

PARQUET_ROWS = 50_000
_DAMAGE = (OSError, pa.ArrowException, UnicodeDecodeError)
"""What reading a truncated or damaged Parquet file raises."""


def parquet_columns(path: Path) -> list[str] | Fault:
    """The column names of a Parquet file, or why it can't be opened."""
    try:
        with pq.ParquetFile(path) as file:
            return list(file.schema_arrow.names)
    except _DAMAGE as error:
        return _damaged(path, 1, error)


def parquet_chunks(path: Path, heads: frozenset[str], tally: Tally, named: Naming) -> Iterator[TableChunk | Chunk]:
    """A Parquet file's rows; `line_no` is the row from 1, and there are no byte positions.

    A row group that is damaged becomes one fault from its first row that can't be read; the others are read.
    """
    with pq.ParquetFile(path) as file:
        known = known_columns(file.schema_arrow.names, named, heads)
        tally.of_bytes = file.metadata.num_rows
        before = 0
        for group in range(file.num_row_groups):
            first = before + 1
            try:
                for batch in file.iter_batches(batch_size=PARQUET_ROWS, row_groups=[group], columns=list(known)):
                    yield _rows(batch, known, first)
                    first += batch.num_rows
            except _DAMAGE as error:
                fault = _damaged(path, first, error)
                tally.correct(first - before - file.metadata.row_group(group).num_rows)
                yield Chunk(b"", first, 0, np.empty(0, np.int64), [fault])
            before += file.metadata.row_group(group).num_rows


def _readable(column: pa.Array) -> pa.Array:
    """The column in types that polars takes: zones that are offsets, and decimals of 256 bits, it does not. Texts that older writers
    did not mark as such are bytes that are UTF-8; other bytes stay."""
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        try:
            return column.cast(pa.large_string())
        except pa.ArrowInvalid:
            return column
    wanted = _plain_type(column.type)
    return column if wanted == column.type else column.cast(wanted)


def _plain_type(held: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(held) and held.tz is not None:
        return pa.timestamp(held.unit, "UTC")
    if pa.types.is_decimal256(held):
        return pa.string()
    if pa.types.is_struct(held):
        return pa.struct([inner.with_type(_plain_type(inner.type)) for inner in held])
    if pa.types.is_list(held) or pa.types.is_large_list(held):
        return pa.list_(_plain_type(held.value_type))
    return held


def _rows(batch: pa.RecordBatch, known: dict[str, str], first: int) -> TableChunk:
    columns = [_readable(column) for column in batch.columns]
    table = pa.RecordBatch.from_arrays(columns, names=batch.schema.names)
    held = pl.DataFrame(pl.from_arrow(table)).rename(known) if known else pl.DataFrame({"": [None] * batch.num_rows})
    index = pl.int_range(held.height, eager=True)
    places = pl.DataFrame({"index": index, "line_no": index + first}).with_columns(
        byte_from=pl.lit(None, dtype=pl.Int64), byte_to=pl.lit(None, dtype=pl.Int64)
    )
    text_paths = frozenset(name for name, dtype in held.schema.items() if dtype in (pl.String, pl.Categorical))
    return TableChunk(held, places, [], text_paths=text_paths)


def _damaged(path: Path, row: int, error: Exception) -> Fault:
    detail = f"the Parquet file can't be read from row {row} on: {worded(error)}; what is damaged counts as one record"
    return Fault(row, 0, path.stat().st_size, "broken_parquet", detail, digest_of(b""))
