"""Prices against our own traffic: what a change or a disagreement is worth on it.

Computes the rows of `mart.price_change` and `mart.price_conflict` from those of `history.py`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import polars as pl

from pipelines.config.sources import PriceFeed
from pipelines.ids import id_column
from pipelines.prices.feed_snapshot import CONDITIONS
from pipelines.prices.history import AGAIN, COMPARED_ON, price_changes, price_conflicts
from pipelines.prices.wording import amount_text, conditions_text, plural_unit
from pipelines.warehouse.tables.mart_prices import PRICE_CHANGE, PRICE_CONFLICT

PRICED_BY = ("provider_id", "model_id", "meter", *CONDITIONS)
"""What a price is for, whichever feed states it."""
_MONEY = pl.Decimal(38, 18)
_MILLION = Decimal(1_000_000)


@dataclass(frozen=True)
class Traffic:
    """The prices that some days of requests were charged by: the total is all priced spend.

    `charges` has the columns PRICED_BY, once each, quantity (Int64) and cost_usd (Decimal(38,18)).
    """

    charges: pl.DataFrame
    total_usd: Decimal
    days: int


def price_change_rows(prices: pl.DataFrame, rate_card: pl.DataFrame, traffic: Traffic) -> pl.DataFrame:
    """Rows of mart.price_change from all rows of core.price and core.rate_card, newest change first."""
    changes = price_changes(prices).rename({"changed_at": "valid_from", "summary": "change"})
    used = {UUID(found).bytes for ids in rate_card["price_ids"].unique() for found in json.loads(ids).values()}
    total = float(traffic.total_usd)
    rows = changes.join(
        traffic.charges, on=PRICED_BY, how="left", maintain_order="left", nulls_equal=True
    ).with_columns(
        pl.col("price_id_after").is_in(list(used)).alias("is_used"),
        pl.col("cost_usd").fill_null(0).cast(_MONEY).alias("spend_30d_usd"),
    )
    share = pl.col("spend_30d_usd").cast(pl.Float64) / total if total else pl.lit(None, pl.Float64)
    rows = rows.with_columns(share.alias("spend_30d_share"))
    summaries = [_change_summary(row, traffic.days) for row in rows.iter_rows(named=True)]
    ids = rows.select(pl.col("price_id_before", "price_id_after").bin.encode("hex"))
    return rows.with_columns(
        pl.Series("summary", summaries, dtype=pl.String),
        id_column(ids, ids.columns, prefix=["price_change"]).alias("change_id"),
    ).select(PRICE_CHANGE.polars_schema.names())


def price_conflict_rows(
    prices: pl.DataFrame,
    feeds: Sequence[PriceFeed],
    traffic: Traffic,
    *,
    at: datetime,
    others: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Rows of mart.price_conflict at `at` from rows of core.price in USD (`in_usd`), the highest stakes first.

    `others` are the prices of names that don't speak for their model, for `price_conflicts`.
    """
    found = price_conflicts(prices, feeds, at=at, others=others).rename({"values": "prices"})
    charges = traffic.charges.group_by(COMPARED_ON).agg(pl.col("quantity").sum())
    rows = found.join(charges, on=COMPARED_ON, how="left", maintain_order="left").with_columns(
        pl.lit(at).cast(PRICE_CONFLICT.column("as_of").polars_type).alias("as_of"),
        pl.col("quantity").fill_null(0).alias("quantity_30d"),
    )
    stakes = [
        (row["usd_highest"] - row["usd_lowest"]) * row["quantity_30d"] / _MILLION for row in rows.iter_rows(named=True)
    ]
    rows = rows.with_columns(pl.Series("at_stake_30d_usd", stakes, dtype=_MONEY))
    decided = [_decided(row["feed_used"], json.loads(row["precedences"])) for row in rows.iter_rows(named=True)]
    rows = rows.with_columns(pl.Series("decided_by", decided, dtype=pl.String))
    summaries = [_conflict_summary(row, traffic.days) for row in rows.iter_rows(named=True)]
    return (
        rows.with_columns(pl.Series("summary", summaries, dtype=pl.String))
        .sort("at_stake_30d_usd", "spread_share", descending=True, nulls_last=False, maintain_order=True)
        .select(PRICE_CONFLICT.polars_schema.names())
    )


def _change_summary(row: dict[str, Any], days: int) -> str:
    """`m at acme: input_uncached 3 to 2.5 ... from 1 March 2026; affects 14.0 % of the spend of the last 30 days`."""
    touched = row["spend_30d_share"] or 0
    affects = "none" if not touched else "less than 0.1 %" if touched < 0.001 else f"{touched * 100:.1f} %"
    text = f"{row['model_id']} at {row['provider_id']}: {row['change']}; affects {affects} of the spend of the last {days} days"
    return text if row["is_used"] else f"{text}, which another feed's price decides"


def _conflict_summary(row: dict[str, Any], days: int) -> str:
    by_feed = json.loads(row["prices"], parse_float=Decimal, parse_int=Decimal)
    prices = ", ".join(f"{feed} says {amount_text(usd)}" for feed, usd in by_feed.items())
    return (
        f"{row['model_id']} at {row['provider_id']}, {row['meter']}{conditions_text(row)}, USD per million "
        f"{plural_unit(row['unit'])}: {prices}; {row['feed_used']} is used; "
        f"{row['at_stake_30d_usd']:.2f} USD are at stake on the traffic of the last {days} days"
    )


def _decided(used: str, precedence: dict[str, int]) -> str:
    """Why `used` won over the other feeds, and which of their statements don't count (`feed (name)`)."""
    unheard: dict[str, list[str]] = {}
    for feed, _, name in (stated_by.partition(" (") for stated_by in precedence):
        if name:
            unheard.setdefault(feed, []).append(name.removesuffix(")").partition(", ")[0])
    reasons = []
    for feed, names in unheard.items():
        if AGAIN in names:
            reasons.append(f"{feed} states it more than once, and the first counts")
        if silent := [name for name in dict.fromkeys(names) if name != AGAIN]:
            reasons.append(f"in {feed} one name speaks for the model, not {', '.join(silent)}")
    own = "; ".join(reasons)
    others = [feed for feed in precedence if feed != used and " (" not in feed]
    losers = ", ".join(f"{feed} ({precedence[feed]})" for feed in others)
    if not others:
        return own
    if any(precedence[feed] == precedence[used] for feed in others):
        why = f"{used} (precedence {precedence[used]}) stands in sources.yaml before {losers}"
    else:
        why = f"{used} has precedence {precedence[used]}, before {losers}"
    return f"{why}; {own}" if own else why
