"""Requests of a cell (a stratum of a test) scored against each other: mid-ranks, or of a rate the values themselves.

A month of a million requests a day has twelve million values with their counts. They lie in arrays as they were counted, day
after day, and each is looked up by a number, so that none is grouped or joined. What the sums mean is in `drift.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.uncertainty import Floats

_SPARSE = 8
"""Numbers for each one in use above which numbers are sorted and not looked up."""


@dataclass(frozen=True)
class Scored:
    """What histograms of cells come to."""

    days: pl.DataFrame
    """Per test, day and cell: requests `n`, `sum` of their scores, and of the cell total, mean, variance, weight and is_rate."""
    sides: pl.DataFrame
    """Per cell, side (is_day) and value: test, is_rate and requests `n`."""


def scored(compared: pl.DataFrame) -> Scored:
    """`compared` has one row per cell and day: cell (numbers from 0), test, is_rate, event_date, is_day, and the lists value and n."""
    rows = compared.filter(pl.col("value").list.len() > 0)
    lengths = rows["value"].list.len().cast(pl.Int64).to_numpy()
    flat = rows["value"].explode()
    levels = flat.unique().sort()
    n = rows["n"].explode().cast(pl.Float64).to_numpy()
    seen, place, cell = _numbered(rows, flat.to_numpy(), levels.to_numpy(), lengths)
    on_day = np.repeat(rows["is_day"].to_numpy(), lengths)
    of_all = np.bincount(place, n, seen.size)
    of_day = np.bincount(place[on_day], n[on_day], seen.size)
    facts = rows.select("cell", "test", "is_rate").unique("cell")
    pooled = pl.DataFrame({"cell": cell, "value": levels.gather(seen), "n": of_all, "of_day": of_day}).join(
        facts, on="cell", maintain_order="left"
    )
    values, cells = _scores(pooled)
    starts = np.cumsum(lengths) - lengths
    days = rows.select(
        "cell",
        "test",
        "event_date",
        "is_day",
        n=_sums(n, starts),
        sum=_sums(n * values["score"].to_numpy()[place], starts),
    ).sort("test", "event_date", "cell")
    side = pooled.select("cell", "test", "is_rate", "value")
    sides = [
        side.with_columns(pl.lit(value=True).alias("is_day"), pooled["of_day"].alias("n")),
        side.with_columns(pl.lit(value=False).alias("is_day"), (pooled["n"] - pooled["of_day"]).alias("n")),
    ]
    # Sorted, so that sums of fractions are taken in one order and the same requests give the same last digit.
    return Scored(days.join(cells, on="cell", maintain_order="left"), pl.concat(sides).filter(pl.col("n") > 0))


def _numbered(
    rows: pl.DataFrame, value: Floats, levels: Floats, lengths: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.uint32]]:
    """The values that occur in each cell, as numbers in `levels`; each value's place among them; and their cells.

    A cell has a stretch of numbers from its smallest value to its largest.
    """
    code, cell = np.searchsorted(levels, value), rows["cell"].to_numpy()
    bounds = rows.group_by("cell").agg(pl.col("value").list.min().min(), pl.col("value").list.max().max().alias("max"))
    bounds = bounds.sort("cell")
    numbers = bounds["cell"].to_numpy()
    low = np.searchsorted(levels, bounds["value"].to_numpy())
    width = np.searchsorted(levels, bounds["max"].to_numpy()) - low + 1
    first = np.cumsum(width) - width
    shift = np.repeat((first - low)[np.searchsorted(numbers, cell)], lengths)
    seen, place = _in_use(code + shift, int(width.sum()))
    at = np.searchsorted(first, seen, side="right") - 1
    return seen - first[at] + low[at], place, numbers[at]


def _in_use(number: npt.NDArray[np.int64], size: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The numbers below `size` that occur, in order, and each one's place among them."""
    if size > _SPARSE * number.size:
        return np.unique(number, return_inverse=True)
    place = np.zeros(size, np.int64)
    place[number] = 1
    seen = np.flatnonzero(place)
    place[seen] = np.arange(seen.size)
    return seen, place[number]


def _sums(values: Floats, starts: npt.NDArray[np.int64]) -> pl.Series:
    return pl.Series(np.add.reduceat(values, starts) if starts.size else np.zeros(0))


def _scores(pooled: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The values of cells, in order, with their score; and per cell: total, mean and variance of the score, weight, is_rate."""
    n, up_to = pl.col("n"), pl.col("n").cum_sum().over("cell")
    values = pooled.with_columns(
        pl.when("is_rate").then("value").otherwise(up_to - (n - 1) / 2).alias("score")
    ).with_columns(((n * pl.col("score")).sum() / n.sum()).over("cell").alias("mean"))
    spread = (n * (pl.col("score") - pl.col("mean")).pow(2)).sum() / n.sum()
    cells = (
        values.group_by("cell", maintain_order=True)
        .agg(n.sum().alias("total"), pl.col("mean", "is_rate").first(), spread.alias("variance"))
        .with_columns(pl.when("is_rate").then(1.0).otherwise(1 / (pl.col("total") + 1)).alias("weight"))
    )
    return values, cells
