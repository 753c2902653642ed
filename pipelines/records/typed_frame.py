"""A frame of texts to a frame of typed columns, as a layout declares them. The conversions are in `conversions.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import polars as pl

from pipelines.constant import repeated
from pipelines.records import conversions
from pipelines.records.batches import POSITION
from pipelines.records.json_record import UNREADABLE
from pipelines.records.layout import Kind, Layout, Paths

_CONVERSIONS: dict[Kind, Callable[[pl.Series], pl.Series]] = {
    "integer": conversions.to_integers,
    "number": conversions.to_floats,
    "boolean": conversions.to_booleans,
    "decimal": conversions.to_decimals,
}
_TYPES: dict[Kind, pl.DataType] = {
    "text": pl.String(), "integer": pl.Int64(), "number": pl.Float64(), "boolean": pl.Boolean(),
    "decimal": conversions.MONEY, "instant": conversions.INSTANT,
}  # fmt: skip


def typed_frame(rows: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """POSITION and each column of `layout`, typed, from `rows`: POSITION and a column per path that holds anything.

    Where a value does not convert, the frame also has `text.<name>` (the texts) and `failed.<name>` (which did not).
    Columns of `rows` are texts, or already of the type of their column.
    """
    series = [rows[name] for name in POSITION]
    constants: list[pl.Expr] = []
    held = filled(rows)
    for name, paths, kind in layout.columns:
        column = _first_counted(held, paths) if name in layout.yielding else first_filled(held, paths)
        constant = layout.constants.get(name) if kind == "text" else None
        if column is None:
            constants.append(_constant(name, constant, kind))
            continue
        values = _converted(column, kind, layout)
        if name in layout.described_by and (values == UNREADABLE).any():
            series.append((values == UNREADABLE).rename(f"failed.{name}"))
            values = pl.select(pl.when(values != UNREADABLE).then(values)).to_series()
        if kind != "text" and values.null_count() != column.null_count():
            column = _first_with_value(rows, paths)
            values = _converted(column, kind, layout)
        if constant is not None:
            values = values.fill_null(constant)
        series.append(values.rename(name))
        if kind != "text" and values.null_count() != column.null_count():
            series += [column.rename(f"text.{name}"), (values.is_null() & column.is_not_null()).alias(f"failed.{name}")]
    return pl.DataFrame(series).with_columns(constants)


@cache
def _constant(name: str, value: str | None, kind: Kind) -> pl.Expr:
    """Made once: a file fills less than half of its columns, and most files are small."""
    return pl.lit(value, dtype=_TYPES[kind]).alias(name)


def filled(rows: pl.DataFrame) -> dict[str, pl.Series]:
    """The columns that hold anything, by name."""
    height = rows.height
    return {column.name: column for column in rows.get_columns() if column.null_count() < height}


def first_filled(columns: Mapping[str, pl.Series], paths: Paths) -> pl.Series | None:
    """The first of the paths that is among `columns` (`filled`) and not empty, row by row; None if none of them is."""
    present = [columns[path] for path in paths if path in columns]
    if not present:
        return None
    if len({column.dtype for column in present}) > 1:
        present = [column.cast(pl.String) for column in present]
    if present[0].dtype == pl.String:
        present = [_not_empty(column) for column in present]
    if len(present) == 1 or not present[0].null_count():
        return present[0]
    return pl.select(pl.coalesce(present)).to_series()


def _first_counted(columns: Mapping[str, pl.Series], paths: Paths) -> pl.Series | None:
    """As `first_filled`, but a 0 gives way to a count in a later path.

    LiteLLM's proxy states the cached tokens of a stream of Claude as `cached_tokens` 0 and as `cache_read_input_tokens`.
    """
    column = first_filled(columns, paths)
    present = [columns[path] for path in paths if path in columns]
    if column is None or len(present) == 1 or not _is_zero(column).any():
        return column
    counts = pl.select(pl.when(~_is_zero(found)).then(found).alias(found.name) for found in present)
    later = first_filled(filled(counts), paths)
    return column if later is None else pl.select(pl.coalesce(later.cast(column.dtype), column)).to_series()


def _is_zero(column: pl.Series) -> pl.Series:
    return column == ("0" if column.dtype == pl.String else 0)


def _first_with_value(rows: pl.DataFrame, paths: Paths) -> pl.Series:
    """As `first_filled` of paths that hold something, but a text such as `n/a` counts as absent too."""
    texts = rows.select(pl.col(path).cast(pl.String) for path in paths if path in rows.columns)
    found = first_filled(filled(texts.select(conversions.with_value(column) for column in texts)), paths)
    return repeated(None, rows.height, pl.String()) if found is None else found


def _not_empty(texts: pl.Series) -> pl.Series:
    empty = texts == ""
    return pl.select(pl.when(~empty).then(texts)).to_series() if empty.any() else texts


def _converted(column: pl.Series, kind: Kind, layout: Layout) -> pl.Series:
    """`column` in the type of its kind, null where it does not convert."""
    if column.dtype == _TYPES[kind]:
        return column
    if kind == "instant":
        return conversions.to_instants(column, layout.time)
    text = column if column.dtype == pl.String else column.cast(pl.String)
    return text if kind == "text" else _CONVERSIONS[kind](text)
