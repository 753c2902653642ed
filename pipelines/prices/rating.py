"""Rates requests: finds the rate card row that holds for each request and multiplies, exactly, in whole columns.

The cards are built in `rate_card.py`; who sold what to whom was settled by `pipelines.models`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache, reduce
from operator import add

import polars as pl

from pipelines.config.calendars import Calendars
from pipelines.config.loader import load_file
from pipelines.instants import holds_at
from pipelines.meters import (
    FEE_METERS,
    INPUT_METERS,
    METERS_BY_NAME,
    OUTPUT_METERS,
    PRICED_METERS,
    TOKEN_METERS,
    FeeMeter,
)
from pipelines.prices.meters import fee_quantity, marginal_rates
from pipelines.prices.windows import is_inside
from pipelines.warehouse.tables.core_prices import RATE_CARD

_MONEY = pl.Decimal(38, 18)
_MILLION = 1_000_000
_ADDED = ("rate_id", "list_cost_usd", "contracted_cost_usd", "effective_cost_usd", "unpriced_reason")
_OFFER = ("provider_id", "model_id", "service_tier")
_TIER = ("context_from_tokens", "context_to_tokens", "context_counts")
_LIMITS = ("valid_from", "valid_to", *_TIER, "region", "time_window", "contract_id", "reasoning_mode")
COUNTED = {
    "input": INPUT_METERS,
    "input_uncached": tuple(meter for meter in INPUT_METERS if meter.cache_action != "Read"),
    "output": OUTPUT_METERS,
    "input_output": TOKEN_METERS,
}
"""The meters whose tokens count towards the bounds of a card, by its context_counts."""
_RATES = [meter.rate_column for meter in PRICED_METERS]


def rate(
    requests: pl.DataFrame, rate_card: pl.DataFrame, *, calendars: Mapping[str, frozenset[date]] | None = None
) -> pl.DataFrame:
    """Adds rate_id, list_cost_usd, contracted_cost_usd, effective_cost_usd and unpriced_reason; rows keep their order.

    `requests` needs provider_id, model_id, service_tier, region, event_at, is_billable, usage_basis, the token
    columns and the counts of the fee meters except request_count. The card is the one of seller, model and tier whose
    period and prompt size hold; the prompt size is the sum of all input buckets, cached ones included, or what else
    context_counts of the card says. A card of the region `regional` holds for every region but `global`, where one is known.
    A card of the request's own region, of the hour of the day, of its reasoning mode
    (thinking is a request with reasoning tokens) or of a contract goes before a general one. Cost is the exact sum of
    tokens times rate over a million (Decimal with 18 decimals, for rates have 12). Marginal rates apply to those of the
    request's tokens of their meter above their bound: 300 tokens at 2 and above 100 at 1 cost 100 times 2 and 200
    times 1. Below the card's minimum a request costs the minimum. `calendars` are the holidays that windows of the day
    name (None: those that ship). A call that the source's billing
    rule makes free costs 0 and has no rate. Where the cost can't be known it is null with a reason, never 0:
    usage_missing where usage is missing or partial, model_unresolved, provider_unknown, no_price, no_price_for_tier, no_price_at_time,
    no_exchange_rate where all prices are in currencies that can't be converted, or no_rate_for_meter where a bucket holds
    tokens that neither its own meter nor a more general one has a rate for.
    """
    cards = rate_card.with_row_index("card")
    keyed, counts = _keyed(requests, cards), _counts(requests, cards)
    holidays = _shipped_calendars().days if calendars is None else calendars
    listed = _costed(counts, _pick(keyed, cards.filter(pl.col("contract_id") == ""), holidays), cards)
    granted = cards.filter(pl.col("contract_id") != "")
    if granted.height:
        contracted = _costed(counts, _pick(keyed, granted, holidays), cards)
    else:
        contracted = listed.clear(requests.height)
    has_contract = contracted["cost"].is_not_null()
    return requests.drop(*_ADDED, strict=False).with_columns(
        _outcome(requests, rate_card, listed, contracted, has_contract)
    )


def cards_of(calls: pl.DataFrame, rate_card: pl.DataFrame, *, calendars: Mapping[str, frozenset[date]]) -> pl.Series:
    """The row of `rate_card` that holds for each of `calls`, a contract's before a listed one (UInt32, null where none holds).

    `calls` may be strata: row, provider_id, model_id, service_tier, request_region, event_at, request_mode and
    size_<measure> for each context_counts of the cards.
    """
    cards = rate_card.with_row_index("card")
    granted, listed = cards.filter(pl.col("contract_id") != ""), cards.filter(pl.col("contract_id") == "")
    found = [_pick(calls, part, calendars) for part in (granted, listed)]
    return pl.select(pl.coalesce(*found)).to_series().alias("card")


def cost_on_cards(requests: pl.DataFrame, card: pl.Series, cards: pl.DataFrame) -> pl.Series:
    """What each of `requests` costs on the row of `cards` that `card` numbers, whether its conditions hold or not (Decimal, USD);
    null where that card lacks a rate."""
    numbered = cards.with_row_index("card")
    return _costed(_counts(requests, numbered), card, numbered)["cost"]


@cache
def _shipped_calendars() -> Calendars:
    """The calendars that ship with the package."""
    return load_file(Calendars, "calendars.yaml", None)


def _keyed(requests: pl.DataFrame, cards: pl.DataFrame) -> pl.DataFrame:
    """What decides the card of each request, with the request's row number; what no card asks for is left out."""
    measures = cards["context_counts"].unique()
    sizes = [
        reduce(add, [pl.col(meter.tokens_column).cast(pl.Int64) for meter in COUNTED[name]]).alias(f"size_{name}")
        for name in measures
    ]
    thinks = pl.col("output_reasoning_tokens") > 0
    mode = pl.when(thinks).then(pl.lit("thinking")).otherwise(pl.lit("non_thinking"))
    return requests.select(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("row"),
        "provider_id",
        "model_id",
        "service_tier",
        pl.col("region").alias("request_region"),
        "event_at",
        *sizes,
        (mode if (cards["reasoning_mode"] != "").any() else pl.lit("")).alias("request_mode"),
    )


def _pick(keyed: pl.DataFrame, cards: pl.DataFrame, calendars: Mapping[str, frozenset[date]]) -> pl.Series:
    """The card of each request, null where it has none."""
    span = keyed.select(pl.col("event_at").min().alias("first"), pl.col("event_at").max().alias("last")).row(0)
    if cards.is_empty() or span[0] is None:
        return pl.repeat(None, keyed.height, dtype=cards.schema["card"], eager=True).alias("card")
    reachable = cards.filter(
        pl.col("valid_from") <= span[1], pl.col("valid_to").is_null() | (pl.col("valid_to") > span[0])
    ).select("card", *_OFFER, *_LIMITS)
    # Most offers have one card that asks for nothing and holds throughout: no need to weigh it for every request.
    only = (pl.len() == 1).over(_OFFER) & _holds_throughout(*span)
    plain = reachable.filter(only)
    card = keyed.join(plain.select(*_OFFER, "card"), on=_OFFER, how="left", maintain_order="left")["card"]
    if plain.height == reachable.height:
        return card
    weighed = _weighed(keyed, reachable.filter(~only), calendars).rename({"card": "weighed"})
    both = pl.DataFrame([keyed["row"], card]).join(weighed, on="row", how="left", maintain_order="left")
    return both.select(pl.coalesce("card", "weighed").alias("card")).to_series()


def _holds_throughout(first: datetime, last: datetime) -> pl.Expr:
    return (
        (pl.col("valid_from") <= first)
        & (pl.col("valid_to").is_null() | (pl.col("valid_to") > last))
        & (pl.col("context_from_tokens") <= 0)
        & pl.col("context_to_tokens").is_null()
        & (pl.col("region") == "")
        & (pl.col("time_window") == "")
        & (pl.col("reasoning_mode") == "")
    )


def _weighed(keyed: pl.DataFrame, cards: pl.DataFrame, calendars: Mapping[str, frozenset[date]]) -> pl.DataFrame:
    """The best of several cards of an offer for each request that one holds for: columns row and card."""
    found = [_matched(keyed.clear(), cards.clear())]
    for (window,), inside in cards.partition_by("time_window", as_dict=True).items():
        calls = keyed.filter(is_inside(window, pl.col("event_at"), calendars)) if window else keyed
        found.append(_matched(calls, inside))
    return (
        pl.concat(found)
        .sort(
            "row",
            pl.col("region").replace_strict({"": 0, "regional": 1}, default=2),
            pl.col("time_window") != "",
            pl.col("reasoning_mode") != "",
            "contract_id",
            descending=[False, True, True, True, False],
        )
        .unique("row", keep="first", maintain_order=True)
        .select("row", "card")
    )


def _is_regional() -> pl.Expr:
    """Whether a card for every region, which Bedrock prices apart from its global profiles, meets a call of a known one."""
    return (pl.col("region") == "regional") & ~pl.col("request_region").is_in(["", "global"])


def _matched(calls: pl.DataFrame, cards: pl.DataFrame) -> pl.DataFrame:
    """Every pair of a call and a card that holds for it, hours of the day apart."""
    measured = [name for name in COUNTED if f"size_{name}" in calls.columns]
    sizes = [pl.when(pl.col("context_counts") == name).then(f"size_{name}") for name in measured]
    size = pl.coalesce(sizes) if len(sizes) > 1 else pl.col(f"size_{measured[0]}")
    return (
        calls.join(cards, on=_OFFER, how="inner")
        .filter(
            holds_at(pl.col("event_at")),
            pl.col("context_from_tokens") <= size,
            pl.col("context_to_tokens").is_null() | (pl.col("context_to_tokens") > size),
            (pl.col("region") == "") | (pl.col("region") == pl.col("request_region")) | _is_regional(),
            (pl.col("reasoning_mode") == "") | (pl.col("reasoning_mode") == pl.col("request_mode")),
        )
        .select("row", "card", "region", "time_window", "reasoning_mode", "contract_id")
    )


def _counts(requests: pl.DataFrame, cards: pl.DataFrame) -> pl.DataFrame:
    """The quantities that any request has, each under the name of its rate."""
    counts = {meter.rate_column: requests[meter.tokens_column] for meter in TOKEN_METERS}
    for fee in FEE_METERS:
        if not _is_optional(fee) or cards[fee.rate_column].null_count() < cards.height:
            counts[fee.rate_column] = requests.with_columns(fee_quantity(fee).alias(fee.rate_column))[fee.rate_column]
    used = [count.cast(pl.Int64).rename(name) for name, count in counts.items() if (count != 0).any()]
    return pl.DataFrame(used) if used else pl.DataFrame(height=requests.height)


def _costed(counts: pl.DataFrame, card: pl.Series, cards: pl.DataFrame) -> pl.DataFrame:
    """For each request its card's rate_id, its cost, and whether a bucket in use has no rate. Null where no card holds."""
    # A rate has 12 decimals: a millionth of it is exact in 18, and nothing is left to divide row by row.
    per_unit = cards.select(pl.col(counts.columns).cast(_MONEY) / _MILLION)
    has_any = cards.select(pl.any_horizontal(pl.col(name).is_not_null() for name in _RATES)).to_series()
    matched = pl.DataFrame(
        [
            pl.int_range(counts.height, dtype=pl.Int64, eager=True).alias("row"),
            card,
            cards["rate_id"].gather(card),
            cards["minimum_charge_usd"].gather(card),
            has_any.gather(card).alias("has_rate"),
            *counts.get_columns(),
            *(per_unit[name].gather(card).alias(f"{name}_rate") for name in counts.columns),
        ]
    )
    lacks_rate = pl.any_horizontal(pl.lit(value=False), *_lacks(counts.columns))
    terms = [(pl.col(f"{name}_rate") * pl.col(name)).fill_null(0) for name in counts.columns]
    total = reduce(add, terms, pl.lit(0, dtype=_MONEY)).cast(_MONEY)
    tiers = _above_bounds(matched, cards)
    if tiers is not None:
        matched = matched.with_columns(tiers)
        total += pl.col("marginal")
    cost = pl.max_horizontal(total, "minimum_charge_usd")
    has_card, has_rate = pl.col("card").is_not_null(), pl.col("has_rate").fill_null(value=False)
    return matched.select(
        "rate_id",
        (has_card & ~has_rate).alias("lacks_exchange"),
        (has_card & lacks_rate).alias("lacks_rate"),
        pl.when(has_rate & ~lacks_rate).then(cost).alias("cost"),
    )


def _lacks(used: Sequence[str]) -> Iterator[pl.Expr]:
    """Whether each of the meters `used` (names of rates) is counted and has no rate.

    Fees per call need none, nor do searches where the prompt is charged for which they were run.
    """
    optional = {fee.rate_column for fee in FEE_METERS if _is_optional(fee)}
    once = {fee.count: fee.rate_column for fee in FEE_METERS if fee.once}
    instead = {fee.rate_column: once.get(fee.count, "") for fee in FEE_METERS}
    for name in used:
        if name not in optional:
            rates = [name, *({instead.get(name, "")} & set(used))]
            yield (pl.col(name) > 0) & pl.all_horizontal(pl.col(f"{rate}_rate").is_null() for rate in rates)


def _is_optional(fee: FeeMeter) -> bool:
    """Whether a request costs nothing by `fee` where its card has no such rate: a fee per call, or one of two for one count."""
    return fee.count is None or fee.once


def _above_bounds(matched: pl.DataFrame, cards: pl.DataFrame) -> pl.Series | None:
    """What marginal rates add to, or take from, the cost of each row at its first rates.

    Each bound adds, for each token above it, its rate less the one before. None if no card has such rates.
    """
    steps = _steps(cards.join(matched.select("card").unique(), on="card", how="semi"))
    if steps.is_empty():
        return None
    added = [
        matched.select("row", "card", quantity=name)
        .join(of_meter, on="card", how="inner")
        .filter(pl.col("quantity") > pl.col("above"))
        .select("row", marginal=(pl.col("quantity") - pl.col("above")) * pl.col("step"))
        for (name,), of_meter in steps.partition_by("rate_column", as_dict=True).items()
        if name in matched.columns
    ]
    if not added:
        return None
    sums = pl.concat(added).group_by("row").agg(pl.col("marginal").sum())
    joined = matched.select("row").join(sums, on="row", how="left", maintain_order="left")
    return (joined["marginal"].fill_null(Decimal(0)).cast(_MONEY) / _MILLION).rename("marginal")


def _steps(cards: pl.DataFrame) -> pl.DataFrame:
    """One row per card, meter and bound: tokens above which the rate changes, and by how much."""
    rows = []
    for card in cards.filter(pl.col("marginal") != "{}").iter_rows(named=True):
        for meter, rates in sorted(marginal_rates(card["marginal"]).items()):
            column = METERS_BY_NAME[meter].rate_column
            before = card[column]
            for above, rate in rates:
                if before is not None:
                    rows.append((card["card"], column, above, rate - before))
                    before = rate
    schema = pl.Schema(
        {"card": cards.schema["card"], "rate_column": pl.String(), "above": pl.Int64(), "step": pl.Decimal(38, 12)}
    )
    return pl.DataFrame(rows, schema=schema, orient="row")


def _outcome(
    requests: pl.DataFrame,
    rate_card: pl.DataFrame,
    listed: pl.DataFrame,
    contracted: pl.DataFrame,
    has_contract: pl.Series,
) -> list[pl.Series]:
    priced_models = rate_card.select("provider_id", "model_id", pl.lit(value=True).alias("has_price")).unique()
    priced_tiers = rate_card.select(*_OFFER, pl.lit(value=True).alias("has_tier")).unique()
    facts = (
        requests.select(*_OFFER, "is_billable", "usage_basis")
        .join(priced_models, on=["provider_id", "model_id"], how="left", maintain_order="left")
        .join(priced_tiers, on=_OFFER, how="left", maintain_order="left")
    )
    facts = facts.with_columns(
        listed["rate_id"].alias("list_rate"),
        listed["lacks_rate"],
        listed["lacks_exchange"],
        listed["cost"].alias("list_cost"),
        contracted["rate_id"].alias("contract_rate"),
        contracted["cost"].alias("contract_cost"),
        has_contract.alias("has_contract"),
    )
    free = ~pl.col("is_billable")
    zero = pl.lit(0).cast(_MONEY)
    out = facts.with_columns(_reason().alias("unpriced_reason")).with_columns(
        (~free & pl.col("unpriced_reason").is_null()).alias("is_priced")
    )
    own = pl.when(pl.col("has_contract")).then("contract_cost").otherwise("list_cost")
    cost = pl.when(free).then(zero).when(pl.col("is_priced")).then(own)
    result = out.select(
        pl.when(pl.col("is_priced"))
        .then(pl.when(pl.col("has_contract")).then("contract_rate").otherwise("list_rate"))
        .alias("rate_id"),
        pl.when(free).then(zero).when(pl.col("is_priced")).then("list_cost").alias("list_cost_usd"),
        cost.alias("contracted_cost_usd"),
        cost.alias("effective_cost_usd"),
        "unpriced_reason",
    )
    return result.cast({"rate_id": RATE_CARD.polars_schema["rate_id"]}).get_columns()


def _reason() -> pl.Expr:
    """Why a billable request has no cost; the first reason that holds. Null where it has one."""
    return (
        pl.when(~pl.col("is_billable"))
        .then(None)
        .when(pl.col("usage_basis").is_in(["missing", "partial"]))
        .then(pl.lit("usage_missing"))
        .when(pl.col("model_id").is_null())
        .then(pl.lit("model_unresolved"))
        .when(pl.col("provider_id").is_null())
        .then(pl.lit("provider_unknown"))
        .when(pl.col("has_price").is_null())
        .then(pl.lit("no_price"))
        .when(pl.col("has_tier").is_null() & ~pl.col("has_contract"))
        .then(pl.lit("no_price_for_tier"))
        .when(pl.col("list_rate").is_null() & ~pl.col("has_contract"))
        .then(pl.lit("no_price_at_time"))
        .when(pl.col("lacks_exchange") & ~pl.col("has_contract"))
        .then(pl.lit("no_exchange_rate"))
        .when(pl.col("lacks_rate") & ~pl.col("has_contract"))
        .then(pl.lit("no_rate_for_meter"))
    )
