"""What many snapshots of prices say, each statement kept once: a daily map says hardly anything that it did not say before.

Everything that spans snapshots works on the numbers that are given here; a year of daily maps as rows in full is more than
memory holds. What follows from the statements is in `ledger.py` and `dated_names.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from pipelines.prices.feed_snapshot import PRICE_SCHEMA, FeedSnapshot

_COLUMNS = PRICE_SCHEMA.names()


@dataclass(frozen=True)
class Statements:
    """`distinct` has the columns of PRICE_SCHEMA and `row`, their number; `said` has a line per snapshot `k` and `row`."""

    distinct: pl.DataFrame
    said: pl.DataFrame


def gathered(snapshots: Sequence[FeedSnapshot]) -> Statements:
    """The statements of `snapshots`, which are numbered by `k` in their order; a statement made twice counts twice."""
    known = pl.DataFrame(schema={"row": pl.UInt32, **PRICE_SCHEMA})
    said = [pl.DataFrame(schema={"k": pl.Int64, "row": pl.UInt32})]
    for k, snapshot in enumerate(snapshots):
        rows = _rows(snapshot.prices, known)
        if rows.has_nulls():
            places = rows.is_null().arg_true()
            unknown = snapshot.prices[places]
            new = unknown.unique(maintain_order=True).with_row_index("row", offset=known.height)
            rows = rows.scatter(places, _rows(unknown, new))
            known = pl.concat([known, new])
        said.append(pl.DataFrame({"k": pl.repeat(k, rows.len(), dtype=pl.Int64, eager=True), "row": rows}))
    return Statements(known, pl.concat(said))


def _rows(prices: pl.DataFrame, known: pl.DataFrame) -> pl.Series:
    return prices.join(known, on=_COLUMNS, how="left", nulls_equal=True, maintain_order="left")["row"]


def numbered(frame: pl.DataFrame, name: str, columns: Sequence[str]) -> pl.DataFrame:
    """`frame` with a column `name` that numbers the distinct contents of `columns`, in their order, nulls first."""
    numbers = frame.select(columns).unique().sort(columns).with_row_index(name)
    return frame.join(numbers, on=list(columns), how="left", nulls_equal=True, maintain_order="left")
