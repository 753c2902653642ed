"""Rates requests: finds the rate card row that holds for each request and multiplies, exactly, in whole columns.

The cards are built in `rate_card.py` beside this module; who sold what to whom was settled by `pipelines.models`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache, reduce
from itertools import groupby
from operator import add, itemgetter

import polars as pl

from pipelines.config.calendars import Calendars
from pipelines.config.loader import load_file
from pipelines.meters import FEE_METERS, INPUT_METERS, METERS_BY_NAME, TOKEN_METERS
from pipelines.prices.windows import is_inside
from pipelines.warehouse.tables.core import RATE_CARD

_MONEY = pl.Decimal(38, 18)
_MILLION = 1_000_000
_ADDED = ("rate_id", "list_cost_usd", "contracted_cost_usd", "effective_cost_usd", "unpriced_reason")
_LIMITS = ("valid_from", "valid_to", "context_from_tokens", "context_to_tokens", "region", "time_window", "contract_id")
_RATES = [meter.rate_column for meter in TOKEN_METERS] + [fee.rate_column for fee in FEE_METERS]


def rate(
    requests: pl.DataFrame, rate_card: pl.DataFrame, *, calendars: Mapping[str, frozenset[date]] | None = None
) -> pl.DataFrame:
    """Adds rate_id, list_cost_usd, contracted_cost_usd, effective_cost_usd and unpriced_reason; rows keep their order.

    `requests` needs provider_id, model_id, service_tier, region, event_at, is_billable, usage_basis, the token
    columns and the counts of the fee meters except request_count. The card is the one of seller, model and tier whose
    period and prompt size hold; the prompt size is the sum of all input buckets, cached ones included. A card of the
    request's own region, of the hour of the day or of a contract goes before a general one. Cost is the exact sum of
    tokens times rate over a million (Decimal with 18 decimals, for rates have 12). Marginal rates apply to those of the
    request's tokens of their meter above their bound: 300 tokens at 2 and above 100 at 1 cost 100 times 2 and 200
    times 1. Below the card's minimum a request costs the minimum. `calendars` are the holidays that windows of the day
    name (None: those that ship). A call that the source's billing
    rule makes free costs 0 and has no rate. Where the cost can't be known it is null with a reason, never 0:
    usage_missing, model_unresolved, provider_unknown, no_price, no_price_at_time, no_exchange_rate where all prices are
    in currencies that can't be converted, or no_rate_for_meter where a bucket holds tokens that neither its own meter
    nor a more general one has a rate for.
    """
    cards = rate_card.with_row_index("card")
    keyed = _keyed(requests)
    holidays = _shipped_calendars().days if calendars is None else calendars
    listed = _costed(requests, _pick(keyed, cards.filter(pl.col("contract_id") == ""), holidays), cards)
    granted = cards.filter(pl.col("contract_id") != "")
    if granted.height:
        contracted = _costed(requests, _pick(keyed, granted, holidays), cards)
    else:
        contracted = listed.clear(requests.height)
    has_contract = contracted["cost"].is_not_null()
    return requests.drop(*_ADDED, strict=False).with_columns(
        _outcome(requests, rate_card, listed, contracted, has_contract)
    )


@cache
def _shipped_calendars() -> Calendars:
    """The calendars that ship with the package."""
    return load_file(Calendars, "calendars.yaml", None)


def _keyed(requests: pl.DataFrame) -> pl.DataFrame:
    """What decides the card of each request, with the request's row number."""
    prompt = reduce(add, [pl.col(meter.tokens_column).cast(pl.Int64) for meter in INPUT_METERS])
    return requests.select(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("row"),
        "provider_id",
        "model_id",
        "service_tier",
        pl.col("region").alias("request_region"),
        "event_at",
        prompt.alias("prompt_tokens"),
    )


def _pick(keyed: pl.DataFrame, cards: pl.DataFrame, calendars: Mapping[str, frozenset[date]]) -> pl.DataFrame:
    """The card row of each request that has one: columns row and card."""
    span = keyed.select(pl.col("event_at").min().alias("first"), pl.col("event_at").max().alias("last")).row(0)
    if cards.is_empty() or span[0] is None:
        return pl.DataFrame(schema={"row": pl.Int64, "card": cards.schema["card"]})
    reachable = cards.filter(
        pl.col("valid_from") <= span[1], pl.col("valid_to").is_null() | (pl.col("valid_to") > span[0])
    ).select("card", "provider_id", "model_id", "service_tier", *_LIMITS)
    found = [_matched(keyed.clear(), reachable.clear())]
    for (window,), inside in reachable.partition_by("time_window", as_dict=True).items():
        calls = keyed.filter(is_inside(window, pl.col("event_at"), calendars)) if window else keyed
        found.append(_matched(calls, inside))
    return (
        pl.concat(found)
        .sort(
            "row",
            pl.col("region") != "",
            pl.col("time_window") != "",
            "contract_id",
            descending=[False, True, True, False],
        )
        .unique("row", keep="first", maintain_order=True)
        .select("row", "card")
    )


def _matched(calls: pl.DataFrame, cards: pl.DataFrame) -> pl.DataFrame:
    """Every pair of a call and a card that holds for it, hours of the day apart."""
    return (
        calls.join(cards, on=["provider_id", "model_id", "service_tier"], how="inner")
        .filter(
            pl.col("valid_from") <= pl.col("event_at"),
            pl.col("valid_to").is_null() | (pl.col("valid_to") > pl.col("event_at")),
            pl.col("context_from_tokens") <= pl.col("prompt_tokens"),
            pl.col("context_to_tokens").is_null() | (pl.col("context_to_tokens") > pl.col("prompt_tokens")),
            (pl.col("region") == "") | (pl.col("region") == pl.col("request_region")),
        )
        .select("row", "card", "region", "time_window", "contract_id")
    )


def _costed(requests: pl.DataFrame, picked: pl.DataFrame, cards: pl.DataFrame) -> pl.DataFrame:
    """For each request its card's rate_id, its cost, and whether a bucket in use has no rate. Null where no card holds."""
    counts = [pl.col(meter.tokens_column).cast(pl.Int64).alias(meter.rate_column) for meter in TOKEN_METERS]
    counts += [_fee_count(fee.count_column).alias(fee.rate_column) for fee in FEE_METERS]
    quantities = requests.select(pl.int_range(pl.len(), dtype=pl.Int64).alias("row"), *counts)
    matched = quantities.join(picked, on="row", how="left", maintain_order="left").join(
        cards.select("card", "rate_id", "minimum_charge_usd", *_RATES),
        on="card",
        how="left",
        suffix="_rate",
        maintain_order="left",
    )
    optional = {fee.rate_column for fee in FEE_METERS if fee.count_column == "request_count"}
    lacks = [(pl.col(name) > 0) & pl.col(f"{name}_rate").is_null() for name in _RATES if name not in optional]
    per_million = reduce(add, [(pl.col(f"{name}_rate") * pl.col(name)).fill_null(0) for name in _RATES])
    tiers = _above_bounds(matched, cards)
    if tiers is not None:
        matched = matched.with_columns(tiers)
        per_million += pl.col("marginal")
    cost = pl.max_horizontal(per_million.cast(_MONEY) / _MILLION, "minimum_charge_usd")
    has_card = pl.col("card").is_not_null()
    has_rate = pl.any_horizontal(pl.col(f"{name}_rate").is_not_null() for name in _RATES)
    return matched.select(
        "rate_id",
        (has_card & ~has_rate).alias("lacks_exchange"),
        (has_card & pl.any_horizontal(lacks)).alias("lacks_rate"),
        pl.when(has_rate & ~pl.any_horizontal(lacks)).then(cost).alias("cost"),
    )


def _above_bounds(matched: pl.DataFrame, cards: pl.DataFrame) -> pl.Series | None:
    """What marginal rates add to, or take from, the cost of each row at its first rates, times a million.

    Each bound adds, for each token above it, its rate less the one before. None where no card has such rates.
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
    ]
    sums = pl.concat(added).group_by("row").agg(pl.col("marginal").sum())
    joined = matched.select("row").join(sums, on="row", how="left", maintain_order="left")
    return joined["marginal"].fill_null(Decimal(0))


def _steps(cards: pl.DataFrame) -> pl.DataFrame:
    """One row per card, meter and bound: tokens above which the rate changes, and by how much."""
    rows = []
    for card in cards.filter(pl.col("marginal") != "{}").iter_rows(named=True):
        tiers = sorted(
            (*key.split(">"), rate) for key, rate in json.loads(card["marginal"], parse_float=Decimal).items()
        )
        for meter, group in groupby(tiers, key=itemgetter(0)):
            column = METERS_BY_NAME[meter].rate_column
            before = card[column]
            for _, above, rate in sorted(group, key=lambda tier: int(tier[1])):
                if before is not None:
                    rows.append((card["card"], column, int(above), Decimal(rate) - before))
                    before = Decimal(rate)
    schema = pl.Schema(
        {"card": cards.schema["card"], "rate_column": pl.String(), "above": pl.Int64(), "step": pl.Decimal(38, 12)}
    )
    return pl.DataFrame(rows, schema=schema, orient="row")


def _fee_count(column: str) -> pl.Expr:
    return pl.lit(1, dtype=pl.Int64) if column == "request_count" else pl.col(column).cast(pl.Int64)


def _outcome(
    requests: pl.DataFrame,
    rate_card: pl.DataFrame,
    listed: pl.DataFrame,
    contracted: pl.DataFrame,
    has_contract: pl.Series,
) -> list[pl.Series]:
    priced_models = rate_card.select("provider_id", "model_id", pl.lit(value=True).alias("has_price")).unique()
    facts = requests.select("provider_id", "model_id", "is_billable", "usage_basis").join(
        priced_models, on=["provider_id", "model_id"], how="left", maintain_order="left"
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
        .when(pl.col("usage_basis") == "missing")
        .then(pl.lit("usage_missing"))
        .when(pl.col("model_id").is_null())
        .then(pl.lit("model_unresolved"))
        .when(pl.col("provider_id").is_null())
        .then(pl.lit("provider_unknown"))
        .when(pl.col("has_price").is_null())
        .then(pl.lit("no_price"))
        .when(pl.col("list_rate").is_null() & ~pl.col("has_contract"))
        .then(pl.lit("no_price_at_time"))
        .when(pl.col("lacks_exchange") & ~pl.col("has_contract"))
        .then(pl.lit("no_exchange_rate"))
        .when(pl.col("lacks_rate") & ~pl.col("has_contract"))
        .then(pl.lit("no_rate_for_meter"))
    )
