"""Charges as few bytes, with nothing rounded: the explorer multiplies and adds whole numbers only.

A series is one seller, model, team, project, cost centre, meter and rate; it holds a quantity for each of its days. A cost is
quantity times rate, in units of 1e-18 USD. A cost that no rate explains is split into digits of base 2^32, each a quantity at a
rate of its own, so that sums of a million of them stay exact in the doubles of a browser.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl

NAMES = ("provider_id", "model_id", "team", "project", "cost_centre", "meter")
_SERIES = (*NAMES, "rate")
_BASE = 32
_Numbers = np.ndarray[Any, np.dtype[np.uint64]]


def packed(charges: pl.DataFrame) -> dict[str, Any]:
    """What the script unpacks: names by column, rates, the first day, and the numbers as gzip in base64.

    `charges` has the columns event_date, those of `NAMES`, rate (1e-18 USD a unit as text, or unknown), quantity, cost_usd, and
    is_explained: whether the cost is quantity times rate.
    """
    rows = _whole_numbers(charges).sort(*_SERIES, "event_date")
    rates = rows["rate"].unique().sort().to_list()
    names = {name: rows[name].unique().sort().to_list() for name in NAMES}
    coded = rows.with_columns(
        *(_index(name, known) for name, known in names.items()),
        _index("rate", rates),
        day=(pl.col("event_date") - pl.col("event_date").min()).dt.total_days(),
    )
    series = coded.group_by(*_SERIES, maintain_order=True).agg(pl.len().alias("size"))
    gaps = coded.select(pl.col("day") - pl.col("day").shift(1).over(*_SERIES).fill_null(0)).to_series()
    streams = [series[name] for name in (*_SERIES, "size")] + [gaps, _zigzag(coded["units"])]
    content = b"".join(_varints(stream.cast(pl.UInt64).to_numpy()) for stream in streams)
    return {
        "first": str(charges["event_date"].min() or date.min),
        "last": str(charges["event_date"].max() or date.min),
        "names": names,
        "rates": rates,
        "series": series.height,
        "entries": coded.height,
        "bytes": base64.b64encode(gzip.compress(content, 6, mtime=0)).decode(),
    }


def _whole_numbers(charges: pl.DataFrame) -> pl.DataFrame:
    """The rows with `units` in the place of quantity and cost: a row that its rate explains as it is, any other as digits.

    Digits stand at rates that no price has: a d before the number.
    """
    kept = [*NAMES, "event_date"]
    explained = charges.select(
        *kept,
        pl.when("is_explained").then("rate").otherwise(pl.lit("0")).alias("rate"),
        units="quantity",
    )
    split = [
        (*row[:-1], f"d{2 ** (_BASE * place)}", digit)
        for row in charges.filter(~pl.col("is_explained")).select(*kept, "cost_usd").iter_rows()
        for place, digit in enumerate(_digits(int(Fraction(row[-1]) * 10**18)))
        if digit
    ]
    digits = pl.DataFrame(split, schema=explained.schema, orient="row")
    return pl.concat([explained, digits]).group_by(*kept, "rate").agg(pl.col("units").sum())


def _digits(whole: int) -> list[int]:
    """A whole number in base 2^32, the lowest digit first; each digit has the sign of the number."""
    sign, left, found = (-1 if whole < 0 else 1), abs(whole), []
    while left:
        found.append(sign * (left % 2**_BASE))
        left >>= _BASE
    return found


def _index(name: str, known: Sequence[str]) -> pl.Expr:
    return pl.col(name).replace_strict(known, range(len(known)), return_dtype=pl.Int64)


def _zigzag(numbers: pl.Series) -> pl.Series:
    """Whole numbers as ones that are not negative: 0, -1, 1, -2 become 0, 1, 2, 3."""
    doubled = numbers * 2
    return pl.select(pl.when(numbers < 0).then(-doubled - 1).otherwise(doubled)).to_series()


def _varints(numbers: _Numbers) -> bytes:
    """LEB128: seven bits a byte, the lowest first, the high bit set on all but the last."""
    if not numbers.size:
        return b""
    places = np.arange(10, dtype=np.uint64) * np.uint64(7)
    parts = numbers[:, None] >> places
    used = np.maximum((parts > 0).sum(axis=1), 1)
    is_used = np.arange(10)[None, :] < used[:, None]
    more = np.arange(10)[None, :] < used[:, None] - 1
    content = (parts & np.uint64(127)) | np.where(more, np.uint64(128), np.uint64(0))
    return bytes(content[is_used].astype(np.uint8).tobytes())
