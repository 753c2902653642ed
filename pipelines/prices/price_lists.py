"""One model under several names of one feed: which price lists of a seller are apart, and which names lose their price.

Which name speaks for a model is decided in `ledger.py`, conflicts between feeds are in `history.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import polars as pl

from pipelines.instants import holds_at
from pipelines.models import Registry
from pipelines.prices.feed_snapshot import CONDITIONS, FeedSnapshot
from pipelines.prices.ledger import one_name_per_model, one_per_sku, resolved
from pipelines.prices.statements import gathered, lines, numbered

_STATED = ("region", "meter", *(name for name in CONDITIONS if name != "region"), "valid_from")
_PRICE = ("unit_price", "pricing_currency", "pricing_quantity")
OTHER_NAMES = ("raw_model", "spoken_by", "provider_id", "model_id", "meter", *CONDITIONS, "unit", "usd_per_million")
"""Columns of `other_names`."""


def with_separate_lists(registry: Registry, snapshots: Sequence[FeedSnapshot]) -> Registry:
    """`registry` with each further price list of a seller as a seller of its own, for the models that it prices otherwise.

    So `azure_ai/mistral-large-latest` at 2 USD is not `azure/mistral-large-latest` at 8. One snapshot that states two
    prices for the same tokens suffices: once apart they stay apart, whatever arrives later and in any order.
    """
    sellers = {seller for name, seller in registry.sellers.items() if name != seller}
    stated = gathered(snapshots)
    tokens = stated.distinct.filter(pl.col("unit") == "token", pl.col("alias_of") == "")
    names = [name for name in tokens["provider"].unique() if registry.provider(name) in sellers]
    tokens = tokens.filter(pl.col("provider").is_in(names))
    facts = resolved(tokens, registry).with_columns(seller="provider_id", provider_id="price_list")
    facts = numbered(facts, "group", ("seller", "model_id"))
    spoken = one_name_per_model(lines(stated, facts.select("row", "group")).said, facts)
    rows = spoken.join(facts.select("row", "seller", "price_list", "model_id", *_STATED, *_PRICE), on="row")
    on = ["k", "seller", "model_id", *_STATED]
    own, further = (
        rows.filter(pl.col("price_list") == pl.col("seller")),
        rows.filter(pl.col("price_list") != pl.col("seller")),
    )
    both = further.join(own, on=on, nulls_equal=True, suffix="_own")
    differs = pl.any_horizontal(pl.col(name) != pl.col(f"{name}_own") for name in _PRICE)
    found = set(both.filter(differs).select("price_list", "model_id").unique().iter_rows())
    return replace(registry, separate=frozenset(found)) if found else registry


def other_names(snapshot: FeedSnapshot, registry: Registry, at: datetime) -> pl.DataFrame:
    """The prices in USD that the snapshot states for the instant `at` and that do not count for their model.

    That is the prices of names that do not speak for it, and of the name that does those that it states for a thing once
    more (an entry that stands twice). Columns OTHER_NAMES: `spoken_by` is the name that speaks; the others are those of
    core.price.
    """
    stated = gathered([snapshot])
    facts = resolved(stated.distinct, registry)
    spoken = one_name_per_model(stated.said(), facts)
    place = ["provider_id", "model_id", "region"]
    # Another name may speak for a tier; the one that speaks for the standard prices is the model's.
    said = facts.join(spoken, on="row", how="semi").sort(pl.col("service_tier") != "standard", maintain_order=True)
    by = said.group_by(place, maintain_order=True).agg(pl.col("raw_model").first().alias("spoken_by"))
    silent = facts.join(one_per_sku(spoken, facts), on="row", how="anti").filter(
        pl.col("usd_per_million").is_not_null(), holds_at(at)
    )
    return silent.join(by, on=place, how="left").select(OTHER_NAMES).unique().sort(OTHER_NAMES)
