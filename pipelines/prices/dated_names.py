"""Which dated names are the undated model, by what feeds charge: `gpt-5.2-2025-12-11` costs what `gpt-5.2` costs.

Only the evidence of prices is weighed here; what names mean otherwise is settled in `pipelines.models`.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from pipelines.config.models import ModelsConfig
from pipelines.models import build_registry
from pipelines.models.names import DATE_SUFFIX, key_of
from pipelines.prices.feed_snapshot import CONDITIONS, FeedSnapshot
from pipelines.prices.statements import by_number, facts_of, gathered, lines, numbered

_PLACE = ("k", "provider_id", "_region")
_SAME = (*_PLACE, "meter", *CONDITIONS, "valid_from")
_PRICE = ("unit_price", "pricing_currency", "pricing_quantity")
_SCHEMA = {"key": pl.String, "same_as": pl.String, "feed": pl.String}


def dated_aliases(snapshots: Sequence[FeedSnapshot], config: ModelsConfig) -> pl.DataFrame:
    """Dated names that mean the undated model, for `build_registry`: columns key, same_as (a key) and feed (String).

    A dated name is the undated model where at least one snapshot states the same token prices for both at one seller,
    all of them, and no snapshot of any feed states a different one for any seller. So gpt-4o-2024-05-13, which was
    dearer than gpt-4o ever since, stays a model of its own. Any order of `snapshots` gives the same answer.
    """
    stated = gathered(snapshots)
    names = stated.distinct.filter(pl.col("unit") == "token", pl.col("alias_of") == "")
    names = names.join(_places(names, config), on=["provider", "raw_model"], how="left")
    names = numbered(names, "group", ("provider_id", "_region", "same_as"))
    dated = names.filter(pl.col("same_as") != pl.col("key"))
    place = ["provider_id", "_region", "key"]
    undated = names.join(dated.select("provider_id", "_region", key="same_as").unique(), on=place, how="semi")
    found = lines(stated, pl.concat([dated, undated]).unique("row").select("row", "group"))
    feeds = found.instants.join(by_number(facts_of(snapshots), "feed"), on="snapshot").select("k", "feed")
    prices = found.said.join(pl.concat([dated, undated]).unique("row"), on="row").join(feeds, on="k")
    compared = _compared(prices)
    whole = (pl.col("equal") == pl.col("stated")) & (pl.col("equal") == pl.col("stated_undated"))
    return (
        compared.group_by("key", "same_as")
        .agg(
            pl.col("feed").filter(whole).min(),
            whole.any().alias("is_same"),
            (pl.col("equal") < pl.col("shared")).any().alias("differs"),
        )
        .filter(pl.col("is_same"), ~pl.col("differs"))
        .select(*_SCHEMA)
        .sort("key")
    )


def _compared(prices: pl.DataFrame) -> pl.DataFrame:
    """One row per pair of names in one snapshot: how many prices each states, how many both, and how many are equal."""
    dated = prices.filter(pl.col("same_as") != pl.col("key"))
    undated = prices.join(dated.select(*_PLACE, key="same_as").unique(), on=[*_PLACE, "key"], how="semi")
    pairs = (
        dated.select(*_PLACE, "key", "same_as", "raw_model", "feed", stated=pl.len().over("k", "provider", "raw_model"))
        .unique()
        .join(
            undated.select(
                *_PLACE, "raw_model", same_as="key", stated=pl.len().over("k", "provider", "raw_model")
            ).unique(),
            on=[*_PLACE, "same_as"],
            suffix="_undated",
        )
    )
    shared = dated.join(
        undated.rename({"key": "undated_key"}),
        left_on=[*_SAME, "same_as"],
        right_on=[*_SAME, "undated_key"],
        nulls_equal=True,
        suffix="_undated",
    )
    equal = pl.all_horizontal(pl.col(name) == pl.col(f"{name}_undated") for name in _PRICE)
    compared = shared.group_by(*_PLACE, "raw_model", "raw_model_undated").agg(
        pl.len().alias("shared"), equal.sum().alias("equal")
    )
    return pairs.join(compared, on=[*_PLACE, "raw_model", "raw_model_undated"], how="inner")


def _places(prices: pl.DataFrame, config: ModelsConfig) -> pl.DataFrame:
    """Seller, region and key of each name, and the key without its date."""
    split = build_registry(config, [])
    rows = []
    for provider, raw in prices.select("provider", "raw_model").unique().iter_rows():
        parts = split.split(raw, provider)
        key = key_of(parts.name)
        rows.append((provider, raw, split.provider(provider), parts.region, key, DATE_SUFFIX.sub("", key)))
    columns = ("provider", "raw_model", "provider_id", "_region", "key", "same_as")
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
