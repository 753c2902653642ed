"""Columns of a frame that hold one value throughout: of the columns of a request, a log fills less than half.

Used where rows are kept (`pipelines.records.store`) and where they are sent (`pipelines.warehouse`): what all rows share
need not be written row by row. Frames without rows are here too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import polars as pl


def same_throughout(frame: pl.DataFrame, names: Iterable[str]) -> dict[str, Any]:
    """Those of the columns `names` that hold one value in every row, and that value; none of a frame without rows."""
    if frame.is_empty():
        return {}
    return {name: frame[name][0] for name in names if holds_only(frame[name], frame[name][0])}


def repeated(value: object, height: int, dtype: pl.DataType) -> pl.Series:
    """A column of `height` rows that all hold `value`. `pl.repeat` runs a query for it, forty times as long where rows are few."""
    return pl.Series([value], dtype=dtype).new_from_index(0, height)


def holds_only(values: pl.Series, value: object) -> bool:
    """Whether every one of `values` is `value`, which may be None."""
    if value is None:
        return values.null_count() == len(values)
    # A glance at the ends spares most columns the comparison of every row.
    if values.null_count() or values[-1] != value or values[len(values) // 2] != value:
        return False
    return bool((values == pl.Series([value], dtype=values.dtype)).all())


def empty(schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """A frame of `schema` without rows. Polars makes a column for each name, which took a fourth of comparing small exports."""
    return _empty(tuple(schema.items())).clone()


@lru_cache(128)
def _empty(columns: tuple[tuple[str, pl.DataType], ...]) -> pl.DataFrame:
    return pl.DataFrame(schema=dict(columns))
