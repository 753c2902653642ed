"""A batch: what a reader gives, some records at a time, each as a row or as a fault, with its place in the file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

import polars as pl

from pipelines.constant import empty
from pipelines.records.line_chunks import Fault

POSITION: dict[str, pl.DataType] = {
    "line_no": pl.Int64(),
    "item_no": pl.Int32(),
    "byte_from": pl.Int64(),
    "byte_to": pl.Int64(),
}
"""The place of a record: its line (of Parquet its row) from 1, its number there, and its bytes (null of Parquet)."""

Record = Callable[[int, int | None, int | None], bytes]
"""Gives the bytes of the record at a place: line_no, byte_from, byte_to."""


@dataclass(frozen=True)
class Batch:
    """Records: rows of `texts` (POSITION and one String column per path), rows of `typed`, and faults.

    Rows of `typed` (POSITION and typed columns per path, of `json_columns.py`) are not in `texts`; `reread` reads those of
    its rows that are marked true as texts. `text_paths` are the paths of `texts` whose values all were texts, not numbers,
    in the file.
    """

    texts: pl.DataFrame
    faults: list[Fault]
    record: Record
    typed: pl.DataFrame | None = None
    reread: Callable[[pl.Series], Batch] | None = None
    text_paths: frozenset[str] = frozenset()


def placed(places: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` with POSITION in place of their index; `places` has index, line_no, byte_from and byte_to."""
    own = places if rows.height == places.height else places[rows["index"]]
    position = own.select(
        own[name].cast(dtype) if name in own.columns else pl.lit(0, dtype).alias(name)
        for name, dtype in POSITION.items()
    )
    return position.hstack([column for column in rows.get_columns() if column.name != "index"])


def only_faults(faults: list[Fault], paths: Iterable[str]) -> Batch:
    """A batch without a record."""
    return Batch(_no_texts(tuple(paths)), faults, lambda *_: b"")


@cache
def _no_texts(paths: tuple[str, ...]) -> pl.DataFrame:
    return empty({**POSITION, **dict.fromkeys(paths, pl.String())})
