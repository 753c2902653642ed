"""The ledger as people read it: every change of a price, when we learnt of it, and where feeds disagree.

Reads rows of `core.price`. `ledger.py` makes them, and `rate_card.py` decides which price is charged.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import polars as pl

from pipelines.config.sources import PriceFeed
from pipelines.instants import holds_at
from pipelines.prices.feed_snapshot import CONDITIONS, per_million
from pipelines.prices.ledger import believed
from pipelines.prices.rate_card import ranked
from pipelines.prices.wording import amount_text, conditions_text, day_text, plural_unit

_SKU = ("feed", "provider_id", "model_id", "meter", *CONDITIONS)
_PRICES = ("unit", "pricing_currency", "price_before", "price_after", "change_share")
_CHANGE = (*_PRICES, "changed_at", "date_basis", "learnt_at", "price_id_before", "price_id_after", "summary")
AGAIN = "stated again"
"""Stands for the name of a price that a feed states a second time for the same model; the first counts."""
COMPARED_ON = ("provider_id", "model_id", "meter", *(name for name in CONDITIONS if name != "context_to_tokens"))
"""What feeds are compared on. Without the upper bound: a feed that prices only short prompts can still disagree on those."""


def price_changes(prices: pl.DataFrame, *, known_at: datetime | None = None) -> pl.DataFrame:
    """Every change from one price to another, as believed at `known_at` (None: now), newest first.

    Columns: those of the SKU (feed, provider_id, model_id, meter and conditions), unit, pricing_currency, price_before
    and price_after (in that currency per million units, Decimal(38,12)), change_share (Float64: after less before, over
    before; null from zero), changed_at, date_basis, learnt_at (when the later price was first believed),
    price_id_before, price_id_after and summary (String), a sentence. A price that ends without a successor is no
    change: see supersede_reason. Nor is a change of currency, because its size depends on the day.
    """
    stated = prices.with_columns(_per_million(prices))
    rows = believed(stated, known_at).sort(*_SKU, "valid_from")
    # A row that a later snapshot merely closed is recorded anew: the price was learnt when its start was first believed.
    first = ["sku_id", "valid_from", "price", "pricing_currency"]
    learnt = stated.group_by(first).agg(pl.col("recorded_at").min().alias("learnt_at"))
    before = {name: pl.col(name).shift().over(_SKU) for name in ("price", "pricing_currency", "valid_to", "price_id")}
    changes = (
        rows.join(learnt, on=first, how="left", maintain_order="left")
        .with_columns(
            before["price"].alias("price_before"),
            before["pricing_currency"].alias("currency_before"),
            before["valid_to"].alias("ended_at"),
            before["price_id"].alias("price_id_before"),
        )
        .filter(
            pl.col("ended_at") == pl.col("valid_from"),
            pl.col("price_before") != pl.col("price"),
            pl.col("currency_before") == pl.col("pricing_currency"),
        )
        .with_columns(
            pl.when(pl.col("price_before") != 0)
            .then((pl.col("price") - pl.col("price_before")).cast(pl.Float64) / pl.col("price_before").cast(pl.Float64))
            .alias("change_share")
        )
        .rename({"price": "price_after", "valid_from": "changed_at", "price_id": "price_id_after"})
    )
    return (
        changes.with_columns(
            pl.Series("summary", [_sentence(row) for row in changes.iter_rows(named=True)], dtype=pl.String)
        )
        .select(*_SKU, *_CHANGE)
        .sort("changed_at", *_SKU, descending=[True] + [False] * len(_SKU))
    )


def price_conflicts(
    prices: pl.DataFrame,
    feeds: Sequence[PriceFeed],
    *,
    at: datetime,
    tolerance: float = 0.01,
    others: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Every price on which feeds disagree at `at` by more than `tolerance` (a share of the smaller), largest first.

    `prices` are rows of core.price; pass them through `in_usd` first where some are in other currencies. `others` are
    prices that a feed states for the same thing and that don't count, under another name or once more: columns feed,
    and those of `price_lists.OTHER_NAMES`; each stands as `feed (name)` or `feed (stated again)` after its feed. Columns:
    provider_id, model_id, meter and conditions, unit; usd_used (USD per million units, Decimal(38,12)) and
    feed_used, by precedence; usd_lowest, usd_highest; spread_share (Float64: highest less lowest over lowest; null
    where the lowest is zero); values (String: a JSON object of feed to USD per million units) and precedences (the same of
    feed to precedence).
    """
    lowest, highest = pl.col("usd_lowest").cast(pl.Float64), pl.col("usd_highest").cast(pl.Float64)
    # JSON is joined as text: polars' encoder would write amounts as strings.
    pair = pl.format("{}: {}", "stated_by", pl.col("usd_per_million").cast(pl.String))
    stated = believed(prices, None).filter(holds_at(at), pl.col("usd_per_million").is_not_null())
    compared = ["feed", "raw_model", *COMPARED_ON, "unit", "usd_per_million"]
    again = pl.when(pl.col("raw_model") == pl.col("spoken_by")).then(pl.lit(AGAIN)).otherwise("raw_model")
    stated = pl.concat(
        [
            stated.select(*compared, other=pl.lit(None, pl.String), is_other=False),
            *([] if others is None else [others.select(*compared, other=again, is_other=True)]),
        ]
    )
    return (
        ranked(stated.with_columns(_stated_by(stated)), feeds)
        .sort(*COMPARED_ON, "precedence", "position", "is_other", "raw_model")
        .with_columns(pair.alias("pair"), pl.format("{}: {}", "stated_by", "precedence").alias("ranking"))
        .group_by(COMPARED_ON, maintain_order=True)
        .agg(
            pl.col("unit").first(),
            # A feed may state only another name's price of this meter: that is not the one which is charged.
            pl.col("usd_per_million").filter(~pl.col("is_other")).first().alias("usd_used"),
            pl.col("feed").filter(~pl.col("is_other")).first().alias("feed_used"),
            pl.col("usd_per_million").min().alias("usd_lowest"),
            pl.col("usd_per_million").max().alias("usd_highest"),
            pl.concat_str([pl.lit("{"), pl.col("pair").str.join(", "), pl.lit("}")]).first().alias("values"),
            pl.concat_str([pl.lit("{"), pl.col("ranking").str.join(", "), pl.lit("}")]).first().alias("precedences"),
        )
        .with_columns(pl.when(lowest > 0).then((highest - lowest) / lowest).alias("spread_share"))
        .filter(
            pl.col("feed_used").is_not_null(),
            pl.col("usd_lowest") != pl.col("usd_highest"),
            pl.col("spread_share").is_null() | (pl.col("spread_share") > tolerance),
        )
        .sort(
            pl.col("spread_share").is_null(),
            "spread_share",
            *COMPARED_ON,
            descending=[True, True] + [False] * len(COMPARED_ON),
        )
        .select(
            *COMPARED_ON,
            "unit",
            "usd_used",
            "feed_used",
            "usd_lowest",
            "usd_highest",
            "spread_share",
            "values",
            "precedences",
        )
    )


def _stated_by(stated: pl.DataFrame) -> pl.Series:
    """The feed, with the name where it is not the one that counts, as JSON text; numbered where one name has several prices."""
    key = ["feed", "other", *COMPARED_ON]
    rows = stated.select("feed", "other", number=pl.int_range(1, pl.len() + 1).over(key)).iter_rows()
    statements = [
        feed if other is None else f"{feed} ({other})" if number == 1 else f"{feed} ({other}, {number})"
        for feed, other, number in rows
    ]
    return pl.Series("stated_by", [json.dumps(text) for text in statements], dtype=pl.String)


def _per_million(prices: pl.DataFrame) -> pl.Series:
    """The price as found per million units, in its own currency."""
    amounts = prices.select("unit_price", "pricing_quantity").iter_rows()
    return pl.Series("price", [per_million(*row) for row in amounts], dtype=pl.Decimal(38, 12))


def _sentence(row: dict[str, Any]) -> str:
    """`input_uncached 3 to 2.5 USD per million tokens (-16.7 %) from 1 March 2026, announced 12 February 2026`."""
    where = conditions_text(row)
    changed, learnt = row["changed_at"], row["learnt_at"]
    when = day_text(changed)
    if row["date_basis"] == "first_observed":
        when += " (first observed)"
    elif learnt < changed:
        when += f", announced {day_text(learnt)}"
    prices = f"{amount_text(row['price_before'])} to {amount_text(row['price_after'])}"
    share = "" if row["change_share"] is None else f" ({row['change_share'] * 100:+.1f} %)"
    per = f"{row['pricing_currency']} per million {plural_unit(row['unit'])}"
    return f"{row['meter']}{where} {prices} {per}{share} from {when}"
