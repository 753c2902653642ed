"""The prices that are gone or moved from one snapshot to the next, and the other feeds that still state them.

Whether that is a market or a mistake is judged by `anomalies.py`, what follows from it by `review.py`.
Nothing here depends on our own traffic: two files give the same answer in every database.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import polars as pl

from pipelines.instants import holds_at
from pipelines.models import Registry
from pipelines.models.names import key_of
from pipelines.prices.feed_snapshot import CONDITIONS, FeedSnapshot, per_million

MODEL = ("provider_id", "model")
_SOLD = ("provider", "raw_model")
_METERED = (
    "meter", "service_tier", "region", "context_from_tokens", "context_to_tokens", "time_window", "contract_id",
    "reasoning_mode",
)  # fmt: skip
_SKU = (*MODEL, *_METERED)
_SAID = (*_SOLD, "meter", *CONDITIONS, "unit_price", "pricing_quantity", "pricing_currency", "valid_from", "valid_to")
_CLOSE = 0.01
"""Two feeds state one price where they differ by no more than this share."""

CHANGES = pl.Schema(
    {
        "provider_id": pl.String(), "model": pl.String(), "raw_model": pl.String(), "change": pl.String(),
        "meter": pl.String(), "service_tier": pl.String(), "region": pl.String(), "context_from_tokens": pl.Int64(),
        "context_to_tokens": pl.Int64(), "time_window": pl.String(), "contract_id": pl.String(),
        "reasoning_mode": pl.String(), "unit": pl.String(), "price_before": pl.Decimal(38, 12),
        "price_after": pl.Decimal(38, 12), "currency_before": pl.String(), "currency_after": pl.String(),
        "factor": pl.Float64(), "still_says": pl.String(), "also_says": pl.String(),
    }
)  # fmt: skip
"""A price that a snapshot no longer states or states otherwise: `change` is model_gone, price_gone or moved.

Prices are per million units in their currencies; factor is how many times dearer or cheaper (infinite from or to zero, null
where the currency changed). `still_says` names the other feeds that state the price before (of a model that is gone: any
price), `also_says` those that state the price after."""


class Names:
    """Sellers and models by their raw names, so that feeds that spell one model differently can be compared.

    `registry` is that of the declarations alone: what feeds introduce depends on which of them count.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._known: dict[tuple[str, str], tuple[str, str, str]] = {}

    def frame(self, prices: pl.DataFrame) -> pl.DataFrame:
        """provider, raw_model, provider_id, model and region_of_name of every name in `prices`, each once."""
        found = [(*sold, *self._taken_apart(*sold)) for sold in prices.select(_SOLD).unique().iter_rows()]
        return pl.DataFrame(found, schema=dict.fromkeys((*_SOLD, *MODEL, "region_of_name"), pl.String), orient="row")

    def _taken_apart(self, provider: str, raw: str) -> tuple[str, str, str]:
        if (provider, raw) not in self._known:
            parts = self._registry.split(raw, provider)
            seller = self._registry.price_list(provider, parts)
            self._known[provider, raw] = (seller, key_of(parts.name), parts.region)
        return self._known[provider, raw]


@dataclass(frozen=True)
class View:
    """A snapshot as it is compared."""

    snapshot: FeedSnapshot
    names: Names

    @cached_property
    def prices(self) -> pl.DataFrame:
        """The snapshot's prices with `said`, a number that equal statements share within this process."""
        return self.snapshot.prices.with_columns(said=self.snapshot.prices.select(_SAID).hash_rows())

    @cached_property
    def sold(self) -> pl.DataFrame:
        """`Names.frame` of the prices."""
        return self.names.frame(self.snapshot.prices)

    @property
    def models(self) -> pl.DataFrame:
        """The models, each once."""
        return self.sold.select(MODEL).unique()

    def at(self, instant: datetime) -> pl.DataFrame:
        """The prices that hold at an instant, as this snapshot says."""
        return self.prices.filter(holds_at(instant))

    def named(self, prices: pl.DataFrame) -> pl.DataFrame:
        """Rows of `prices` under seller and model, one per thing; the cheapest where two names state it."""
        region = pl.when(pl.col("region") == "").then("region_of_name").otherwise("region")
        amount = pl.col("unit_price").cast(pl.Float64) / pl.col("pricing_quantity")  # to judge a size, not to charge by
        rows = prices.join(self.sold, on=list(_SOLD)).with_columns(region.alias("region"), amount.alias("amount"))
        return rows.sort("amount", *_SOLD).unique(list(_SKU), keep="first", maintain_order=True)


@dataclass(frozen=True)
class Moves:
    """The prices that are gone or moved between two snapshots of a feed, at the instant of the later one.

    `models_before` and `models_after` are all models that have a price in force; `changes` has the columns of CHANGES and
    `is_token`; `prices_that_stay` counts the prices before of the models that are still there.
    """

    gap: timedelta
    models_before: pl.DataFrame
    models_after: pl.DataFrame
    prices_before: pl.DataFrame
    prices_that_stay: int
    changes: pl.DataFrame

    @property
    def gone(self) -> pl.DataFrame:
        """The models that are gone."""
        return self.changes.filter(pl.col("change") == "model_gone")

    @property
    def lost(self) -> pl.DataFrame:
        """Prices that are gone of models that are still there."""
        return self.changes.filter(pl.col("change") == "price_gone")

    @property
    def moved(self) -> pl.DataFrame:
        """Prices that are others."""
        return self.changes.filter(pl.col("change") == "moved")


def moves(before: View, after: View, others: Iterable[tuple[str, View]]) -> Moves | None:
    """The changes from one snapshot to a later one; None if every price of the first stays as it was. `others` are views by feed."""
    at = after.snapshot.observed_at
    was, now = before.at(at), after.at(at)
    differing = was.filter(~pl.col("said").is_in(now["said"].implode()))
    if differing.is_empty():
        return None
    touched = pl.concat(
        [differing.select(_SOLD), now.filter(~pl.col("said").is_in(was["said"].implode())).select(_SOLD)]
    )
    old = before.named(was.join(touched.unique(), on=list(_SOLD), how="semi"))
    new = after.named(now.join(touched.unique(), on=list(_SOLD), how="semi"))
    models_before, models_after = (
        view.sold.join(rows.select(_SOLD).unique(), on=list(_SOLD), how="semi").select(MODEL).unique()
        for view, rows in ((before, was), (after, now))
    )
    gone = models_before.join(models_after, on=list(MODEL), how="anti")
    stays = old.join(gone, on=list(MODEL), how="anti")
    pairs = stays.join(new, on=list(_SKU), how="left", suffix="_after", nulls_equal=True)
    changed = pairs.filter(
        pl.col("amount_after").is_null()
        | (pl.col("amount") != pl.col("amount_after"))
        | (pl.col("pricing_currency") != pl.col("pricing_currency_after"))
    )
    left = old.join(gone, on=list(MODEL), how="semi")
    evidence = list(others)
    changes = pl.concat([_in_columns(_gone(left, evidence, at)), _in_columns(_moved(changed, evidence, at))])
    if changes.is_empty():
        return None
    return Moves(
        gap=at - before.snapshot.observed_at,
        models_before=models_before,
        models_after=models_after,
        prices_before=was.join(before.sold, on=list(_SOLD)),
        prices_that_stay=was.height - left.height,
        changes=changes.sort(*_SKU, "change"),
    )


def _gone(rows: pl.DataFrame, others: Iterable[tuple[str, View]], at: datetime) -> pl.DataFrame:
    """Rows of models that are gone, with the feeds that still price them."""
    models = rows.select(MODEL).unique()
    still = [
        view.sold.join(view.at(at).select(_SOLD).unique(), on=list(_SOLD), how="semi")
        .join(models, on=list(MODEL), how="semi")
        .select(*MODEL, feed=pl.lit(name))
        .unique()
        for name, view in (others if rows.height else ())
    ]
    stated_prices = pl.concat([pl.DataFrame(schema=dict.fromkeys((*MODEL, "feed"), pl.String)), *still])
    feeds = stated_prices.group_by(MODEL).agg(pl.col("feed").sort().str.join(", ").alias("still_says"))
    return rows.join(feeds, on=list(MODEL), how="left").with_columns(
        pl.lit("model_gone").alias("change"),
        pl.lit(None, pl.Float64).alias("amount_after"),
        pl.lit(None, pl.Decimal(38, 18)).alias("unit_price_after"),
        pl.lit(None, pl.Int64).alias("pricing_quantity_after"),
        pl.lit(None, pl.String).alias("pricing_currency_after"),
        pl.lit("").alias("also_says"),
    )


def _moved(rows: pl.DataFrame, others: Iterable[tuple[str, View]], at: datetime) -> pl.DataFrame:
    """Rows whose price is another or gone, with the feeds that state the price before and the one after."""
    models = rows.select(MODEL).unique()
    stated = [pl.DataFrame(schema=rows.select(*_SKU, "amount", "pricing_currency").schema | {"feed": pl.String()})]
    for name, view in others if rows.height else ():
        sold = view.sold.join(models, on=list(MODEL), how="semi")
        theirs = view.named(view.at(at).join(sold, on=list(_SOLD), how="semi"))
        stated.append(theirs.select(*_SKU, "amount", "pricing_currency", feed=pl.lit(name)))
    stated_prices = pl.concat(stated)
    for column, amount, currency in (
        ("still_says", "amount", "pricing_currency"),
        ("also_says", "amount_after", "pricing_currency_after"),
    ):
        near = (pl.col(f"{amount}_mine") - pl.col("amount")).abs() <= _CLOSE * pl.col("amount")
        mine = rows.select(*_SKU, pl.col(amount).alias(f"{amount}_mine"), pl.col(currency).alias("currency_mine"))
        agreeing = stated_prices.join(mine, on=list(_SKU), nulls_equal=True).filter(
            near, pl.col("currency_mine") == pl.col("pricing_currency")
        )
        feeds = agreeing.group_by(_SKU).agg(pl.col("feed").unique().sort().str.join(", ").alias(column))
        rows = rows.join(feeds, on=list(_SKU), how="left", nulls_equal=True)
    change = pl.when(pl.col("amount_after").is_null()).then(pl.lit("price_gone")).otherwise(pl.lit("moved"))
    return rows.with_columns(change.alias("change"))


def _in_columns(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with the columns of CHANGES."""
    low, high = (f("amount", "amount_after") for f in (pl.min_horizontal, pl.max_horizontal))
    known = (pl.col("change") == "moved") & (pl.col("pricing_currency") == pl.col("pricing_currency_after"))
    prices = {
        name: [
            None if amount is None else per_million(amount, quantity)
            for amount, quantity in rows.select(f"unit_price{end}", f"pricing_quantity{end}").iter_rows()
        ]
        for name, end in (("price_before", ""), ("price_after", "_after"))
    }
    return rows.with_columns(
        *(pl.Series(name, values, dtype=CHANGES[name]) for name, values in prices.items()),
        pl.when(known).then(high / low).alias("factor"),
        pl.col("pricing_currency").alias("currency_before"),
        pl.col("pricing_currency_after").alias("currency_after"),
        pl.col("still_says", "also_says").fill_null(""),
    ).select(pl.col(name).cast(kind) for name, kind in CHANGES.items())
