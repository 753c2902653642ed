"""A batch: what a reader gives, some records at a time, each as a row or as a fault, with its place in the file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from pipelines.records.line_chunks import Fault

POSITION: dict[str, pl.DataType] = {
    "line_no": pl.Int64(),
    "item_no": pl.Int32(),
    "byte_from": pl.Int64(),
    "byte_to": pl.Int64(),
}
"""The place of a record: its line (of Parquet its row) from 1, its number there, and its bytes (null of Parquet)."""


@dataclass(frozen=True)
class Batch:
    """Records: rows of `flat` (POSITION and one String column per path), rows of `typed`, and faults.

    `record` gives the bytes of the record at a place (line_no, byte_from, byte_to). Rows of `typed` (POSITION and typed
    columns of `json_columns.py`) are not in `flat`; `again` reads those of its rows that are marked true as texts. `written` are the
    paths of `flat` whose values all were texts, not numbers, in the file.
    """

    flat: pl.DataFrame
    faults: list[Fault]
    record: Callable[[int, int | None, int | None], bytes]
    typed: pl.DataFrame | None = None
    again: Callable[[pl.Series], Batch] | None = None
    written: frozenset[str] = frozenset()
