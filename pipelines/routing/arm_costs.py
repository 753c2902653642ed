"""What strata of traffic cost on one model, taken apart by what could be otherwise: input, output, the cache, fees.

Strata are made in `strata.py`. The parts are exact; how they are put together under a policy is in `projection.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import reduce
from operator import add

import polars as pl

from pipelines.meters import FEE_METERS, INPUT_METERS, OUTPUT_METERS, TOKEN_METERS, Meter
from pipelines.prices.rating import cards_of, rate
from pipelines.routing.strata import REUSE
from pipelines.warehouse.tables.core_routing import PARTS

GROUP = ("model_id", "is_loop", "lane", "bucket")
_MONEY = pl.Decimal(38, 18)
_MILLION = 1_000_000
_READS = [meter for meter in INPUT_METERS if meter.cache_action == "Read"]
_WRITES = [meter for meter in INPUT_METERS if meter.cache_action == "Write"]


@dataclass(frozen=True)
class ArmCost:
    """Strata on one model, in USD (Decimal), one row per GROUP: the recorded model, whether it is a loop, lane and bucket.

    own: what already ran there, at its own cost. The rest at the recorded tokens: input (with every recorded cache read and write at the arm's
    cache rates), output, fees. gap_reuse_<lag> and sessionless_gap: what cache reads would cost more if none hit and the prompts
    were written anew, in the parts that strata distinguish. lost_gap: what no cache at all would cost more, reads and
    writes as plain input. `failed` counts the requests without a rate by reason.
    """

    parts: pl.DataFrame
    failed: Mapping[str, int] = field(default_factory=dict)


def added_up(costs: Sequence[ArmCost]) -> ArmCost:
    """The cost of several lots of traffic together, at least one."""
    failed: Counter[str] = Counter()
    for cost in costs:
        failed.update(cost.failed)
    parts = pl.concat([cost.parts.select(*GROUP, *PARTS) for cost in costs])
    return ArmCost(parts.group_by(GROUP).agg(pl.col(PARTS).sum()).sort(GROUP), dict(failed))


def arm_cost(
    strata: pl.DataFrame,
    grouped: pl.DataFrame,
    provider_id: str,
    model_id: str,
    rate_card: pl.DataFrame,
    *,
    calendars: Mapping[str, frozenset[date]],
) -> ArmCost:
    """The cost of all strata on one model: standard tier, no region, its rates at each stratum's hours and sizes.

    `grouped` are the requests that `strata` adds up: where a card charges by marginal tiers or a minimum, which sums can't show,
    each is rated for itself.
    """
    ran_there = (
        pl.col("provider_id").eq_missing(provider_id) & pl.col("model_id").eq_missing(model_id) & pl.col("is_priced")
    )
    own = strata.filter(ran_there).select(*GROUP, own=pl.col("effective_cost_usd").cast(_MONEY))
    moved = strata.filter(~ran_there)
    cards = rate_card.filter(
        (pl.col("provider_id") == provider_id)
        & (pl.col("model_id") == model_id)
        & (pl.col("service_tier") == "standard")
        & (pl.col("region") == "")
    )
    calls = moved.select(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("row"),
        pl.lit(provider_id).alias("provider_id"),
        pl.lit(model_id).alias("model_id"),
        pl.lit("standard").alias("service_tier"),
        pl.lit("").alias("request_region"),
        "event_at",
        *(name for name in moved.columns if name.startswith("size_")),
        request_mode=pl.when("is_thinking").then(pl.lit("thinking")).otherwise(pl.lit("non_thinking")),
    )
    card = cards_of(calls, cards, calendars=calendars)
    priced = _priced(moved, card, cards)
    if failed := _failed(priced, rate_card, provider_id, model_id):
        return ArmCost(own.clear().select(*GROUP, *(pl.lit(None, _MONEY).alias(name) for name in PARTS)), failed)
    if cards.filter((pl.col("marginal") != "{}") | pl.col("minimum_charge_usd").is_not_null()).height:
        calls_there = grouped.filter(~ran_there)
        priced = _rated_one_by_one(priced, calls_there, (provider_id, model_id), rate_card, calendars)
    both = pl.concat([own, priced.select(*GROUP, *PARTS[1:])], how="diagonal")
    empty = [pl.lit(None, _MONEY).alias(name) for name in PARTS if name not in both.columns]
    whole = both.with_columns(empty).group_by(GROUP).agg(pl.col(PARTS).fill_null(0).sum()).sort(GROUP)
    return ArmCost(whole.select(*GROUP, *PARTS))


def _priced(moved: pl.DataFrame, card: pl.Series, cards: pl.DataFrame) -> pl.DataFrame:
    """`moved` with PARTS but own, has_card, and lacks_rate."""
    rates = {meter.name: meter.rate_column for meter in TOKEN_METERS} | {
        fee.name: fee.rate_column for fee in FEE_METERS
    }
    per_unit = cards.select((pl.col(column).cast(_MONEY) / _MILLION).alias(name) for name, column in rates.items())
    frame = moved.with_columns(card, *(per_unit[name].gather(card).alias(f"rate_{name}") for name in rates))
    lacks = [(pl.col(meter.tokens_column) > 0) & pl.col(f"rate_{meter.name}").is_null() for meter in TOKEN_METERS]
    plain, miss = pl.col("rate_input_uncached"), pl.coalesce("rate_input_cache_write", "rate_input_uncached")
    gap = miss - pl.col("rate_input_cache_read")
    return frame.with_columns(
        has_card=pl.col("card").is_not_null(),
        has_rate=pl.any_horizontal(pl.col(f"rate_{name}").is_not_null() for name in rates),
        lacks_rate=pl.any_horizontal(lacks),
        input=_sum(INPUT_METERS),
        output=_sum(OUTPUT_METERS),
        fees=(pl.col("requests") * pl.col("rate_request")).fill_null(0).cast(_MONEY),
        lost_gap=_gap([*_READS, *_WRITES], plain),
        sessionless_gap=(pl.col("sessionless_reads") * gap).fill_null(0).cast(_MONEY),
        **{f"gap_{name}": (pl.col(name) * gap).fill_null(0).cast(_MONEY) for name in REUSE},
    )


def _rated_one_by_one(
    priced: pl.DataFrame,
    moved: pl.DataFrame,
    offer: tuple[str, str],
    rate_card: pl.DataFrame,
    calendars: Mapping[str, frozenset[date]],
) -> pl.DataFrame:
    """`priced`, by GROUP, with the input of each group such that all parts add up to what its requests cost one by one.

    `moved` are the requests in their groups, `offer` is seller and model.
    """
    asked = moved.with_columns(
        pl.lit(offer[0]).alias("provider_id"),
        pl.col("model_id").alias("recorded_model"),
        pl.lit(offer[1]).alias("model_id"),
        pl.lit("standard").alias("service_tier"),
        pl.lit("").alias("region"),
    )
    exact = (
        rate(asked, rate_card, calendars=calendars)
        .with_columns(pl.col("recorded_model").alias("model_id"))
        .group_by(GROUP)
        .agg(exact=pl.col("effective_cost_usd").sum())
    )
    summed = priced.group_by(GROUP).agg(pl.col(PARTS[1:]).sum())
    joined = summed.join(exact, on=GROUP, how="left")
    return joined.with_columns(input=pl.col("exact") - pl.col("output") - pl.col("fees")).drop("exact")


def _sum(meters: Sequence[Meter]) -> pl.Expr:
    terms = [(pl.col(f"rate_{meter.name}") * pl.col(meter.tokens_column)).fill_null(0) for meter in meters]
    return reduce(add, terms).cast(_MONEY)


def _gap(meters: Sequence[Meter], instead: pl.Expr) -> pl.Expr:
    terms = [((instead - pl.col(f"rate_{m.name}")) * pl.col(m.tokens_column)).fill_null(0) for m in meters]
    return reduce(add, terms).cast(_MONEY)


def _failed(priced: pl.DataFrame, rate_card: pl.DataFrame, provider_id: str, model_id: str) -> dict[str, int]:
    """Requests without a rate, by reason."""
    offered = rate_card.filter((pl.col("provider_id") == provider_id) & (pl.col("model_id") == model_id))
    has_tier = (offered["service_tier"] == "standard").any()
    missing = "no_price" if offered.is_empty() else "no_price_at_time" if has_tier else "no_price_for_tier"
    why = (
        pl.when(~pl.col("has_card"))
        .then(pl.lit(missing))
        .when(~pl.col("has_rate"))
        .then(pl.lit("no_exchange_rate"))
        .when("lacks_rate")
        .then(pl.lit("no_rate_for_meter"))
    )
    failed: Counter[str] = Counter()
    for requests, reason in priced.select("requests", why=why).drop_nulls("why").iter_rows():
        failed[reason] += requests
    return dict(failed)
