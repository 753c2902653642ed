"""Pages that state a price without a date and its successor with one: `$0.75 through 31 December, $1.50 from then on`.

What such a page says at each observation is put together here into periods with a start and an end, which the ledger
(`ledger.py`) then treats as those of any dated feed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

import polars as pl

_Row = dict[str, Any]


def with_periods(asserted: pl.DataFrame, instants: pl.DataFrame) -> pl.DataFrame:
    """`asserted` (lines with numbers of instant, group, `sku` and `amount`) with periods in place of undated prices that dates bear upon.

    `instants` has `k`, `group` and `at`: every observation of the groups that these prices are in, and null after the last.
    Only SKUs of which some snapshot states both a date and a price without one are touched. Of these an undated price holds
    from the observation since which it has been stated without a break (or from the day that was announced for it), up to
    its stated end or the start of a stated successor; what was believed before stays stated, up to then. An undated price
    whose stated end has passed, or whose successor has begun, no longer holds and is left out.
    """
    mixed = asserted.group_by("sku").agg(dates_bear().alias("is_mixed"), pl.col("group").first()).filter("is_mixed")
    if mixed.is_empty():
        return asserted
    rows = asserted.join(mixed, on="sku", how="semi")
    rest = asserted.join(mixed, on="sku", how="anti")
    by_sku: dict[int, dict[int, list[_Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows.iter_rows(named=True):
        by_sku[row["sku"]][row["k"]].append(row)
    observed: dict[int, list[tuple[int, datetime]]] = defaultdict(list)
    known = instants.filter(pl.col("at").is_not_null()).join(mixed, on="group", how="semi").sort("k")
    for group, k, at in known.select("group", "k", "at").iter_rows():
        observed[group].append((k, at))
    group_of = dict(mixed.select("sku", "group").iter_rows())
    periods = [row for sku, stated in by_sku.items() for row in _timeline(stated, observed[group_of[sku]])]
    return pl.concat([rest, pl.DataFrame(periods, schema=asserted.schema)])


def dates_bear() -> pl.Expr:
    """Whether dates bear upon a price without one in a group: it has an end, or a sibling has a date."""
    is_undated = pl.col("valid_from").is_null()
    return (is_undated & pl.col("valid_to").is_not_null()).any() | (is_undated.any() & ~is_undated.all())


def _timeline(stated: dict[int, list[_Row]], observed: Sequence[tuple[int, datetime]]) -> Iterator[_Row]:
    """Everything that each snapshot of one SKU says, its past included."""
    believed: list[_Row] = []
    for k, now in observed:
        if k not in stated:
            believed = _until(believed, now)
            continue
        said = _periods(stated[k], believed, now)
        begins = min((row["valid_from"] for row in said), default=now)
        believed = _until(believed, begins) + said
        yield from (row | {"k": k} for row in believed)


def _periods(rows: Sequence[_Row], believed: Sequence[_Row], now: datetime) -> list[_Row]:
    """What one snapshot says of now and later, in order of start."""
    dated = sorted((row for row in rows if row["valid_from"] is not None), key=_start)
    for row in rows:
        has_ended = row["valid_to"] is not None and row["valid_to"] <= now
        if row["valid_from"] is None and not has_ended:
            dated = _with_undated(row, dated, believed, now)
    for row, following in pairwise(dated):
        if row["valid_to"] is None or row["valid_to"] > following["valid_from"]:
            row["valid_to"] = following["valid_from"]
    return dated


def _with_undated(row: _Row, dated: list[_Row], believed: Sequence[_Row], now: datetime) -> list[_Row]:
    """`dated` with a price that the page states without a date: from now on, or from when it was first believed."""
    if begun := [other for other in dated if _holds(other, now)]:
        # The page still shows what held before a day that is past, or what holds again after a promotion.
        if any(other["valid_to"] is None for other in begun):
            return dated
        again = max(other["valid_to"] for other in begun)
        return sorted([*dated, row | {"valid_from": again, "date_basis": "announced"}], key=_start)
    same = [known for known in believed if _holds(known, now) and known["amount"] == row["amount"]]
    start = {"valid_from": now} if not same else {name: same[-1][name] for name in ("valid_from", "date_basis")}
    return [row | start, *(later for later in dated if later["valid_from"] > now)]


def _start(row: _Row) -> datetime:
    start: datetime = row["valid_from"]
    return start


def _holds(row: _Row, at: datetime) -> bool:
    return row["valid_from"] <= at and (row["valid_to"] is None or row["valid_to"] > at)


def _until(rows: Sequence[_Row], end: datetime) -> list[_Row]:
    """The part of `rows` before `end`."""
    cut = [row if row["valid_to"] is not None and row["valid_to"] <= end else row | {"valid_to": end} for row in rows]
    return [row for row in cut if row["valid_from"] < row["valid_to"]]
