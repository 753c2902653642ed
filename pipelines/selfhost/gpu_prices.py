"""The ledger of GPU prices: when a price held, and when we believed so. Pure functions of everything that was ever stated.

A later statement with the same start corrects an earlier one. Prices of calls are `pipelines.prices.ledger`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import polars as pl

from pipelines.config.selfhost import GpuPrice
from pipelines.ids import id_bytes
from pipelines.instants import holds_at
from pipelines.warehouse.tables.selfhost import GPU_PRICE

_Key = tuple[str, str, str, str, bool]


@dataclass(frozen=True)
class StatedPrice:
    """One statement: a declared price, whether it is one's own, and the file that states it."""

    price: GpuPrice
    is_own: bool
    snapshot_id: bytes | None = None

    @property
    def known_from(self) -> date:
        """The day since when it is known."""
        return self.price.known_from or self.price.valid_from


def gpu_ledger(stated: Iterable[StatedPrice]) -> pl.DataFrame:
    """Rows of core.gpu_price, in any order of the statements the same."""
    by_key: dict[_Key, list[StatedPrice]] = defaultdict(list)
    for item in stated:
        price = item.price
        by_key[(price.gpu, price.source, price.region, price.term, item.is_own)].append(item)
    rows = [row for key in sorted(by_key) for row in _rows(key, by_key[key])]
    return pl.DataFrame(rows, schema=GPU_PRICE.polars_schema, orient="row")


def _rows(key: _Key, stated: list[StatedPrice]) -> list[tuple[object, ...]]:
    """The rows of one series: what held when, as known after each day on which something new was stated."""
    rows, believed = [], dict[tuple[date, date | None, Decimal], tuple[date, bytes | None]]()
    days = sorted({item.known_from for item in stated})
    for day in days:
        now = _timeline([item for item in stated if item.known_from <= day])
        for period in [period for period in believed if period not in now]:
            recorded, snapshot = believed.pop(period)
            rows.append(_row(key, period, recorded, day, snapshot))
        for period, snapshot in now.items():
            believed.setdefault(period, (day, snapshot))
    rows += [_row(key, period, recorded, None, snapshot) for period, (recorded, snapshot) in believed.items()]
    return rows


def _timeline(stated: list[StatedPrice]) -> dict[tuple[date, date | None, Decimal], bytes | None]:
    """Each price with its period, to the file that states it; of two with one start the one known later, then the dearer."""
    newest = {
        item.price.valid_from: item for item in sorted(stated, key=lambda i: (i.known_from, i.price.usd_per_hour))
    }
    starts = sorted(newest)
    ends: list[date | None] = [*starts[1:], None]
    return {
        (start, end, newest[start].price.usd_per_hour): newest[start].snapshot_id
        for start, end in zip(starts, ends, strict=True)
    }


def _row(
    key: _Key,
    period: tuple[date, date | None, Decimal],
    recorded: date,
    superseded: date | None,
    snapshot: bytes | None,
) -> tuple[object, ...]:
    gpu, source, region, term, is_own = key
    valid_from, valid_to, usd = period
    row_id = id_bytes(*map(str, key), str(valid_from), str(valid_to), str(usd), str(recorded))
    return row_id, gpu, source, region, term, usd, is_own, valid_from, valid_to, recorded, superseded, snapshot


def price_on(
    ledger: pl.DataFrame, gpu: str, day: date, *, term: str, region: str = "", known_on: date | None = None
) -> dict[str, object] | None:
    """The price of a GPU on a day, as known on `known_on` (by default the same day), or None.

    One's own rows go before public ones, a row of the wanted region before one that names none; of several the newest, then the cheapest.
    """
    known = known_on or day
    holds = (
        (pl.col("gpu") == gpu)
        & holds_at(day)
        & holds_at(known, "recorded_at", "superseded_at")
        & (pl.col("region").is_in([region, ""]) if region else pl.lit(value=True))
        & (pl.col("term") == term)
    )
    found = ledger.filter(holds).sort(
        pl.col("is_own").not_(),
        pl.col("region") != region,
        pl.col("valid_from").dt.epoch("d").neg(),
        "usd_per_hour",
        "source",
    )
    return found.row(0, named=True) if found.height else None
