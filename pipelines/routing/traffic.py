"""Which requests of a day can be routed, and what they cost on a given model.

Costs are sums of exact per-request costs; policies, shares and rows are in `projection.py` beside this file.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Literal

import polars as pl

from pipelines.config.routing import RoutingConfig
from pipelines.meters import TOKEN_METERS
from pipelines.prices import rate

_CACHE_METERS = tuple(meter for meter in TOKEN_METERS if meter.cache_action != "Uncached")
_OTHER_MODALITY = tuple(
    meter for meter in TOKEN_METERS if any(word in meter.name for word in ("audio", "image", "video"))
)
_RATED = ("rate_id", "list_cost_usd", "contracted_cost_usd", "effective_cost_usd", "unpriced_reason")


@dataclass(frozen=True)
class Cost:
    """A sum in USD, exact; None with the reason where a request of it has no rate."""

    usd: Decimal | None
    reason: str | None = None


@dataclass
class Traffic:
    """One day's routable requests: rows of core.request, rated. Costs per model are computed once and kept."""

    requests: pl.DataFrame
    excluded: dict[str, int]
    """Requests that no policy moves, by reason; both sides of the comparison leave them out."""
    rate_card: pl.DataFrame
    _known: dict[tuple[str, str, str], Cost] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Routable requests."""
        return self.requests.height

    @cached_property
    def actual(self) -> Cost:
        """What the requests did cost: the sum of their effective cost."""
        return Cost(_total(self.requests["effective_cost_usd"]))

    def cost_on(self, provider_id: str, model_id: str, cache: Literal["kept", "lost"]) -> Cost:
        """What the requests would cost on one model: same tokens, standard tier, its rates at each request's instant.

        A request that ran on this very model keeps its own exact cost, tier, region and cache included.
        """
        key = (provider_id, model_id, cache)
        if key not in self._known:
            self._known[key] = self._cost_on(provider_id, model_id, cache)
        return self._known[key]

    def _cost_on(self, provider_id: str, model_id: str, cache: str) -> Cost:
        ran_there = (
            pl.col("provider_id").eq_missing(provider_id)
            & pl.col("model_id").eq_missing(model_id)
            & pl.col("effective_cost_usd").is_not_null()
        )
        own, moved = self.requests.filter(ran_there), self.requests.filter(~ran_there)
        cost = _total(own["effective_cost_usd"])
        if moved.is_empty():
            return Cost(cost)
        asked = moved.with_columns(
            pl.lit(provider_id).alias("provider_id"),
            pl.lit(model_id).alias("model_id"),
            pl.lit("standard").alias("service_tier"),
            pl.lit("").alias("region"),
        )
        rated = rate((_without_cache(asked) if cache == "lost" else asked).drop(_RATED, strict=False), self.rate_card)
        failed = rated.filter(pl.col("effective_cost_usd").is_null())
        if failed.height:
            reasons = Counter(failed["unpriced_reason"].fill_null("no_price").to_list()).most_common()
            told = ", ".join(f"{reason} for {number}" for reason, number in reasons)
            return Cost(None, f"{model_id} at {provider_id}: {told} of {self.count} requests")
        return Cost(cost + _total(rated["effective_cost_usd"]))


def routable(
    requests: pl.DataFrame, rate_card: pl.DataFrame, config: RoutingConfig, *, must_be_priced: bool
) -> Traffic:
    """The requests of one day that a policy can move, and how many it can't, by the first reason that holds.

    not_billable: free, whoever answers. operation: not in `config.operations`. usage_missing: no tokens to price.
    modality: audio, image or video tokens. provider_tool: the provider's own web search. unpriced (only where
    `must_be_priced`): what it did cost is not known, so there is nothing to compare with.
    """
    other_modality = pl.sum_horizontal(meter.tokens_column for meter in _OTHER_MODALITY) > 0
    rules = [
        ("not_billable", ~pl.col("is_billable")),
        ("operation", ~pl.col("operation").is_in(list(config.operations))),
        ("usage_missing", pl.col("usage_basis").is_in(["missing", "partial"])),
        ("modality", other_modality),
        ("provider_tool", pl.col("web_search_count") > 0),
    ]
    if must_be_priced:
        rules.append(("unpriced", pl.col("effective_cost_usd").is_null()))
    reason = pl.coalesce([pl.when(rule).then(pl.lit(name)) for name, rule in rules])
    told = requests.with_columns(reason.alias("excluded"))
    counts = told.filter(pl.col("excluded").is_not_null())["excluded"].value_counts().sort("excluded")
    kept = told.filter(pl.col("excluded").is_null()).drop("excluded")
    return Traffic(kept, dict(counts.iter_rows()), rate_card)


def _without_cache(requests: pl.DataFrame) -> pl.DataFrame:
    """The same requests with every cached token as a plain one: reads and writes become their uncached meter."""
    tokens: dict[str, pl.Expr] = {}
    for meter in _CACHE_METERS:
        plain = _uncached(meter.name)
        tokens[plain] = tokens.get(plain, pl.col(plain)) + pl.col(meter.tokens_column)
    zeros = [pl.lit(0, pl.Int32).alias(meter.tokens_column) for meter in _CACHE_METERS]
    return requests.with_columns(*(expr.alias(name) for name, expr in tokens.items()), *zeros)


def _uncached(name: str) -> str:
    """Tokens column of the nearest ancestor of a cache meter that is no cache meter."""
    by_name = {meter.name: meter for meter in TOKEN_METERS}
    meter = by_name[name]
    while meter.cache_action != "Uncached" and meter.parent is not None:
        meter = by_name[meter.parent]
    return meter.tokens_column


def _total(costs: pl.Series) -> Decimal:
    return Decimal(0) if costs.is_empty() else Decimal(costs.sum() or 0)
