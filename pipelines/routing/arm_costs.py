"""What strata of traffic cost on one model, taken apart by what could be otherwise: input, output, the cache, fees.

`strata.py` makes strata, and `projection.py` puts the parts together under a policy. The parts are exact.
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

Offer = tuple[str, str]
"""Seller and model."""
GROUP = ("model_id", "is_loop", "lane", "bucket")
_OFFER = ("offer_provider_id", "offer_model_id")
_ROWS = 20_000
"""Strata times offers that are priced at once: some 30 MB."""
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


def arm_costs(
    strata: pl.DataFrame,
    offers: Sequence[Offer],
    rate_card: pl.DataFrame,
    one_by_one: Mapping[Offer, pl.DataFrame],
    *,
    calendars: Mapping[str, frozenset[date]],
) -> dict[Offer, ArmCost]:
    """The cost of all strata on each of `offers`: standard tier, no region, its rates at each stratum's hours and sizes.

    `one_by_one` has what the requests of each group cost on the offers of `rated_one_by_one`.
    """
    found: dict[Offer, ArmCost] = {}
    together = max(1, _ROWS // max(1, strata.height))
    for start in range(0, len(offers), together):
        found |= _arm_costs(strata, offers[start : start + together], rate_card, one_by_one, calendars)
    return found


def _arm_costs(
    strata: pl.DataFrame,
    offers: Sequence[Offer],
    rate_card: pl.DataFrame,
    one_by_one: Mapping[Offer, pl.DataFrame],
    calendars: Mapping[str, frozenset[date]],
) -> dict[Offer, ArmCost]:
    asked = pl.DataFrame(offers, schema=dict.fromkeys(_OFFER, pl.String()), orient="row")
    pairs = strata.join(asked, how="cross")
    own = pairs.filter(_ran_there()).select(*_OFFER, *GROUP, own=pl.col("effective_cost_usd").cast(_MONEY))
    moved = pairs.filter(~_ran_there())
    cards = _standard(rate_card).join(asked, left_on=["provider_id", "model_id"], right_on=_OFFER, how="semi")
    calls = moved.select(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("row"),
        *(pl.col(name).alias(of_card) for name, of_card in zip(_OFFER, ("provider_id", "model_id"), strict=True)),
        pl.lit("standard").alias("service_tier"),
        pl.lit("").alias("request_region"),
        "event_at",
        *(name for name in moved.columns if name.startswith("size_")),
        request_mode=pl.when("is_thinking").then(pl.lit("thinking")).otherwise(pl.lit("non_thinking")),
    )
    priced = _priced(moved, cards_of(calls, cards, calendars=calendars), cards)
    failed = _failed(priced, rate_card)
    summed = priced.group_by(*_OFFER, *GROUP).agg(pl.col(PARTS[1:]).sum())
    if exact := [one_by_one[offer].with_columns(_named(offer)) for offer in offers if offer in one_by_one]:
        summed = summed.join(pl.concat(exact), on=[*_OFFER, *GROUP], how="left").with_columns(
            input=pl.coalesce(pl.col("exact") - pl.col("output") - pl.col("fees"), "input")
        )
    both = pl.concat([own, summed.select(*_OFFER, *GROUP, *PARTS[1:])], how="diagonal")
    whole = both.group_by(*_OFFER, *GROUP).agg(pl.col(PARTS).fill_null(0).sum()).sort(*_OFFER, *GROUP)
    by_offer = whole.partition_by(_OFFER, as_dict=True, include_key=False)
    nothing = whole.drop(_OFFER).clear()
    return {
        offer: ArmCost(nothing, failed[offer]) if offer in failed else ArmCost(by_offer.get(offer, nothing))
        for offer in offers
    }


def rated_one_by_one(
    grouped: pl.DataFrame,
    offers: Sequence[Offer],
    rate_card: pl.DataFrame,
    *,
    calendars: Mapping[str, frozenset[date]],
) -> dict[Offer, pl.DataFrame]:
    """What requests in their groups cost on each of `offers` whose cards charge by marginal tiers or a minimum, which sums can't show.

    Columns: GROUP and `exact`, the cost in USD (Decimal) of the requests that did not run there.
    """
    by_call = _standard(rate_card).filter((pl.col("marginal") != "{}") | pl.col("minimum_charge_usd").is_not_null())
    wanted = set(by_call.select("provider_id", "model_id").unique().iter_rows())
    return {offer: _rated(grouped, offer, rate_card, calendars) for offer in offers if offer in wanted}


def _rated(
    grouped: pl.DataFrame, offer: Offer, rate_card: pl.DataFrame, calendars: Mapping[str, frozenset[date]]
) -> pl.DataFrame:
    asked = (
        grouped.with_columns(_named(offer))
        .filter(~_ran_there())
        .with_columns(
            pl.lit(offer[0]).alias("provider_id"),
            pl.col("model_id").alias("recorded_model"),
            pl.lit(offer[1]).alias("model_id"),
            pl.lit("standard").alias("service_tier"),
            pl.lit("").alias("region"),
        )
    )
    return (
        rate(asked, rate_card, calendars=calendars)
        .with_columns(pl.col("recorded_model").alias("model_id"))
        .group_by(GROUP)
        .agg(exact=pl.col("effective_cost_usd").sum())
    )


def _named(offer: Offer) -> list[pl.Expr]:
    return [pl.lit(value).alias(name) for name, value in zip(_OFFER, offer, strict=True)]


def _ran_there() -> pl.Expr:
    """Whether a stratum or request ran on the offer in whose columns it stands, and has a known cost of its own."""
    seller, model = (pl.col(name) for name in _OFFER)
    return pl.col("provider_id").eq_missing(seller) & pl.col("model_id").eq_missing(model) & pl.col("is_priced")


def _standard(rate_card: pl.DataFrame) -> pl.DataFrame:
    return rate_card.filter((pl.col("service_tier") == "standard") & (pl.col("region") == ""))


def _priced(moved: pl.DataFrame, card: pl.Series, cards: pl.DataFrame) -> pl.DataFrame:
    """`moved` with PARTS but own, has_card, has_rate and lacks_rate. Rates are looked up of meters that have tokens at all."""
    counted = moved.select(meter.tokens_column for meter in TOKEN_METERS).sum().row(0, named=True)
    used = [meter for meter in TOKEN_METERS if counted[meter.tokens_column]]
    rates = {meter.name: meter.rate_column for meter in used}
    rates |= {name: f"{name}_usd_per_mtok" for name in ("input_uncached", "input_cache_read", "input_cache_write")}
    rates |= {fee.name: fee.rate_column for fee in FEE_METERS if fee.name == "request"}
    all_rates = [meter.rate_column for meter in TOKEN_METERS] + [fee.rate_column for fee in FEE_METERS]
    per_unit = cards.select(
        *((pl.col(column).cast(_MONEY) / _MILLION).alias(name) for name, column in rates.items()),
        has_rate=pl.any_horizontal(pl.col(all_rates).is_not_null()),
    )
    frame = moved.with_columns(
        card,
        *(per_unit[name].gather(card).alias(f"rate_{name}") for name in rates),
        has_rate=per_unit["has_rate"].gather(card),
    )
    lacks = [(pl.col(meter.tokens_column) > 0) & pl.col(f"rate_{meter.name}").is_null() for meter in used]
    plain, miss = pl.col("rate_input_uncached"), pl.coalesce("rate_input_cache_write", "rate_input_uncached")
    gap = miss - pl.col("rate_input_cache_read")
    return frame.with_columns(
        has_card=pl.col("card").is_not_null(),
        lacks_rate=pl.any_horizontal(pl.lit(value=False), *lacks),
        input=_sum([meter for meter in INPUT_METERS if meter in used]),
        output=_sum([meter for meter in OUTPUT_METERS if meter in used]),
        fees=(pl.col("requests") * pl.col("rate_request")).fill_null(0).cast(_MONEY),
        lost_gap=_gap([meter for meter in (*_READS, *_WRITES) if meter in used], plain),
        sessionless_gap=(pl.col("sessionless_reads") * gap).fill_null(0).cast(_MONEY),
        **{f"gap_{name}": (pl.col(name) * gap).fill_null(0).cast(_MONEY) for name in REUSE},
    )


def _sum(meters: Sequence[Meter]) -> pl.Expr:
    terms = [(pl.col(f"rate_{meter.name}") * pl.col(meter.tokens_column)).fill_null(0) for meter in meters]
    return reduce(add, terms, pl.lit(0)).cast(_MONEY)


def _gap(meters: Sequence[Meter], instead: pl.Expr) -> pl.Expr:
    terms = [((instead - pl.col(f"rate_{m.name}")) * pl.col(m.tokens_column)).fill_null(0) for m in meters]
    return reduce(add, terms, pl.lit(0)).cast(_MONEY)


def _failed(priced: pl.DataFrame, rate_card: pl.DataFrame) -> dict[Offer, dict[str, int]]:
    """Requests without a rate by reason, of each offer that has some."""
    why = (
        pl.when(~pl.col("has_card"))
        .then(pl.lit(""))
        .when(~pl.col("has_rate"))
        .then(pl.lit("no_exchange_rate"))
        .when("lacks_rate")
        .then(pl.lit("no_rate_for_meter"))
    )
    counted = (
        priced.select(*_OFFER, "requests", why=why).drop_nulls("why").group_by(*_OFFER, "why", maintain_order=True)
    )
    failed: dict[Offer, dict[str, int]] = {}
    for seller, model, reason, requests in counted.agg(pl.col("requests").sum()).iter_rows():
        failed.setdefault((seller, model), {})[reason or _without_card(rate_card, (seller, model))] = requests
    return failed


def _without_card(rate_card: pl.DataFrame, offer: Offer) -> str:
    """Why an offer has no card for a request."""
    offered = rate_card.filter((pl.col("provider_id") == offer[0]) & (pl.col("model_id") == offer[1]))
    has_tier = (offered["service_tier"] == "standard").any()
    return "no_price" if offered.is_empty() else "no_price_at_time" if has_tier else "no_price_for_tier"
