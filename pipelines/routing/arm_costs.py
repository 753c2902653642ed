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
OF_GROUP = ("model_id", "is_loop", "lane")
"""The columns that make a `Group` of `draws.py`."""
GROUP = (*OF_GROUP, "bucket")
_OFFER = ("offer_provider_id", "offer_model_id")
_ROWS = 20_000
"""Strata times offers that are priced at once: some 30 MB."""
_MONEY = pl.Decimal(38, 18)
_MILLION = 1_000_000
_READS = [meter for meter in INPUT_METERS if meter.cache_action == "Read"]
_WRITES = [meter for meter in INPUT_METERS if meter.cache_action == "Write"]
_REUSED = (*REUSE, "sessionless_reads")


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
    used = _used(strata)
    named = strata.select(GROUP).unique().sort(GROUP).with_row_index("group")
    lean = strata.join(named, on=GROUP, how="left", maintain_order="left").select(
        "provider_id", "model_id", "is_priced", "effective_cost_usd", "group", "event_at", "is_thinking", "requests",
        *(name for name in strata.columns if name.startswith("size_")), *(meter.tokens_column for meter in used), *_REUSED,
    )  # fmt: skip
    found: dict[Offer, ArmCost] = {}
    together = max(1, _ROWS // max(1, strata.height))
    for start in range(0, len(offers), together):
        asked = offers[start : start + together]
        sums, failed = _sums(lean, asked, rate_card, used, calendars)
        found |= _arm_costs(sums, failed, asked, named, one_by_one)
    return found


def _sums(
    lean: pl.DataFrame,
    offers: Sequence[Offer],
    rate_card: pl.DataFrame,
    used: Sequence[Meter],
    calendars: Mapping[str, frozenset[date]],
) -> tuple[pl.DataFrame, dict[Offer, dict[str, int]]]:
    """PARTS by offer (its place among `offers`) and group, and the requests without a rate."""
    asked = pl.DataFrame(offers, schema=dict.fromkeys(_OFFER, pl.String()), orient="row").with_row_index("offer")
    pairs = lean.join(asked, how="cross")
    own = pairs.filter(_ran_there()).select("offer", "group", own=pl.col("effective_cost_usd").cast(_MONEY))
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
    held = moved.with_columns(cards_of(calls, cards, calendars=calendars))
    failed = _failed(_with_faults(held, cards, used), rate_card)
    # All that one card prices in a group is added up before it is priced: rates are exact, so no digit changes.
    tokens = ["requests", *(meter.tokens_column for meter in used), *_REUSED]
    counted = held.group_by("offer", "group", "card").agg(pl.col(tokens).sum())
    priced = _priced(counted, cards, used).select("offer", "group", *PARTS[1:])
    both = pl.concat([own, priced], how="diagonal")
    return both.group_by("offer", "group").agg(pl.col(PARTS).fill_null(0).sum()).sort("offer", "group"), failed


def _arm_costs(
    sums: pl.DataFrame,
    failed: Mapping[Offer, Mapping[str, int]],
    offers: Sequence[Offer],
    named: pl.DataFrame,
    one_by_one: Mapping[Offer, pl.DataFrame],
) -> dict[Offer, ArmCost]:
    """The sums of each offer under the names of their groups, with what was rated one by one."""
    parts = sums.join(named, on="group", how="left", maintain_order="left").select("offer", *GROUP, *PARTS)
    by_offer = parts.partition_by("offer", as_dict=True, include_key=False)
    nothing = parts.drop("offer").clear()
    found = {}
    for place, offer in enumerate(offers):
        of_offer = by_offer.get((place,), nothing)
        if offer in one_by_one:
            exact = of_offer.join(one_by_one[offer], on=GROUP, how="left", maintain_order="left")
            whole = pl.col("exact") - pl.col("output") - pl.col("fees")
            of_offer = exact.with_columns(input=pl.coalesce(whole, "input")).drop("exact")
        found[offer] = ArmCost(nothing, failed[offer]) if offer in failed else ArmCost(of_offer)
    return found


def _used(strata: pl.DataFrame) -> list[Meter]:
    """The meters that have tokens at all: only their rates are looked up."""
    counted = strata.select(meter.tokens_column for meter in TOKEN_METERS).sum().row(0, named=True)
    return [meter for meter in TOKEN_METERS if counted[meter.tokens_column]]


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


def _with_faults(held: pl.DataFrame, cards: pl.DataFrame, used: Sequence[Meter]) -> pl.DataFrame:
    """Strata that have a `card` with has_card, has_rate and lacks_rate."""
    all_rates = [meter.rate_column for meter in TOKEN_METERS] + [fee.rate_column for fee in FEE_METERS]
    lacking = cards.select(
        *(pl.col(meter.rate_column).is_null().alias(f"no_{meter.name}") for meter in used),
        has_rate=pl.any_horizontal(pl.col(all_rates).is_not_null()),
    )
    card = held["card"]
    return held.select(
        *_OFFER,
        "requests",
        has_card=pl.col("card").is_not_null(),
        has_rate=lacking["has_rate"].gather(card),
        lacks_rate=pl.any_horizontal(
            pl.lit(value=False),
            *((pl.col(m.tokens_column) > 0) & lacking[f"no_{m.name}"].gather(card) for m in used),
        ),
    )


def _priced(counted: pl.DataFrame, cards: pl.DataFrame, used: Sequence[Meter]) -> pl.DataFrame:
    """Sums of tokens that one `card` prices, with PARTS but own."""
    rates = {meter.name: meter.rate_column for meter in used}
    rates |= {name: f"{name}_usd_per_mtok" for name in ("input_uncached", "input_cache_read", "input_cache_write")}
    rates |= {fee.name: fee.rate_column for fee in FEE_METERS if fee.name == "request"}
    per_unit = cards.select((pl.col(column).cast(_MONEY) / _MILLION).alias(name) for name, column in rates.items())
    frame = counted.with_columns(per_unit[name].gather(counted["card"]).alias(f"rate_{name}") for name in rates)
    plain, miss = pl.col("rate_input_uncached"), pl.coalesce("rate_input_cache_write", "rate_input_uncached")
    gap = miss - pl.col("rate_input_cache_read")
    return frame.with_columns(
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
