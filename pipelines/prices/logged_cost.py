"""Why a log states another cost than ours: another price, other counts, or the logged number itself gives its amount.

Every card of the same model is tried on the same tokens, those of other sellers, tiers, regions, prompt sizes and dates among
them. Of what gives the logged amounts of a seller's model, that is named which does so for most of its requests, and asks
for the least. What nothing gives may be a constant factor; else it stays unknown. Nothing is added to our cost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.prices.rating import COUNTED, cost_on_cards

ALIKE_USD = Decimal("0.0000005")
"""Amounts that differ by no more are equal."""
REASONS = pl.Schema(
    {"provider_id": pl.String(), "model_id": pl.String(), "why": pl.String(), "requests": pl.UInt32(), "reported_cost_usd": pl.Decimal(38, 18), "effective_cost_usd": pl.Decimal(38, 18)}
)  # fmt: skip
UNKNOWN = "unknown: no price that is known gives it"

_MONEY = pl.Decimal(38, 18)
_FEWEST = 3
"""Requests of one factor that make it a constant one."""
_SPREAD = 0.002
"""Relative width within which factors are one, for logs round."""
_CREDIT_FEE = 1.055
"""OpenRouter takes 5.5 % of what is paid for credits (openrouter.ai/docs, "FAQ")."""
_TERMS = ("provider_id", "service_tier", "region", "context_counts", "context_from_tokens", "context_to_tokens", "time_window",
          "reasoning_mode", "contract_id", "valid_from", "valid_to")  # fmt: skip
"""What distinguishes the cards of one model."""
_MOST_APART = 2
"""A card that differs in more conditions gives an amount by chance."""


def why_logged_differs(requests: pl.DataFrame, cards: pl.DataFrame) -> pl.DataFrame:
    """REASONS of those `requests` (rated rows of core.request with a logged cost) whose logged cost is another one than ours, by
    seller, model and reason, the dearest first. `cards` are the rows of core.rate_card of their models."""
    apart = (pl.col("reported_cost_usd") - pl.col("effective_cost_usd")).abs() > ALIKE_USD
    rows = requests.filter(apart).with_row_index("row")
    found = [_of_model(own, cards.filter(model_id=own["model_id"][0])) for own in rows.partition_by("provider_id", "model_id")]  # fmt: skip
    reasons = pl.concat([pl.DataFrame(schema={"row": rows.schema["row"], "why": pl.String()}), *found])
    grouped = rows.join(reasons, on="row").group_by("provider_id", "model_id", "why")
    sums = grouped.agg(pl.len().alias("requests"), pl.col("reported_cost_usd", "effective_cost_usd").sum())
    weight = (pl.col("reported_cost_usd") - pl.col("effective_cost_usd")).abs()
    ordered = sums.sort(weight, "provider_id", "model_id", "why", descending=[True, False, False, False])
    return ordered.select(REASONS.names()).cast(REASONS)


def _of_model(rows: pl.DataFrame, cards: pl.DataFrame) -> pl.DataFrame:
    """Per row of one seller's model: the reason."""
    fits = pl.concat([_by_number(rows), _by_counts(rows, cards), _by_card(rows, cards)])
    reasons: dict[int, str] = {}
    while fits.height:
        ranked = fits.group_by("why").agg(pl.len(), pl.col("apart").min()).sort("len", "apart", "why", descending=[True, False, False])  # fmt: skip
        why = ranked["why"][0]
        explained = fits.filter(why=why)["row"]
        reasons |= dict.fromkeys(explained.to_list(), why)
        fits = fits.filter(~pl.col("row").is_in(explained.implode()))
    left = rows.filter(~pl.col("row").is_in(list(reasons)))
    rest = _by_factor(left) or UNKNOWN
    reasons |= dict.fromkeys(left["row"].to_list(), rest)
    return pl.DataFrame(
        {"row": list(reasons), "why": list(reasons.values())}, schema={"row": rows.schema["row"], "why": pl.String()}
    )


def _by_number(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows that the logged number itself explains: rounded or cut, no cost at all, or the list price in place of a contract."""
    logged, ours = pl.col("reported_cost_usd"), pl.col("effective_cost_usd")
    unit = rows["reported_cost_usd"].map_elements(_last_digit, return_dtype=_MONEY)
    rounded = (logged > 0) & ((logged - ours).abs() < unit)
    reasons = {
        "the log states 0": logged == 0,
        "rounding in the log": rounded,
        "the list price, without the contract": (logged - pl.col("list_cost_usd")).abs() <= ALIKE_USD,
    }
    return _with_reasons(rows, reasons)


def _last_digit(amount: Decimal) -> Decimal:
    """The worth of the last digit that is written, at most a cent."""
    exponent = int(amount.normalize().as_tuple().exponent)
    return Decimal(1).scaleb(min(exponent, -2))


def _by_counts(rows: pl.DataFrame, cards: pl.DataFrame) -> pl.DataFrame:
    """Rows whose logged amount the own price gives for other counts."""
    numbered = cards.with_row_index("card")
    own = rows.join(numbered.select("rate_id", "card"), on="rate_id", how="inner", maintain_order="left")
    if own.is_empty():
        return _with_reasons(rows, {})
    costs = {
        why: cost_on_cards(own.with_columns(**counts), own["card"], cards) for why, counts in _COUNTED_OTHERWISE.items()
    }
    return _with_reasons(own, {why: _alike(cost) for why, cost in costs.items()})


_CACHED = pl.col("input_cache_read_tokens")
_COUNTED_OTHERWISE: Mapping[str, Mapping[str, pl.Expr]] = {
    "cached tokens charged like other input": {"input_uncached_tokens": pl.col("input_uncached_tokens") + _CACHED, "input_cache_read_tokens": pl.lit(0)},
    "cached tokens not charged": {"input_cache_read_tokens": pl.lit(0)},
    "reasoning not charged": {"output_reasoning_tokens": pl.lit(0)},
}  # fmt: skip


def _by_card(rows: pl.DataFrame, cards: pl.DataFrame) -> pl.DataFrame:
    """Rows whose logged amount another card of the model gives."""
    numbered = cards.with_row_index("card").select("card", "rate_id", *_TERMS)
    asked = rows.rename({name: f"{name}_asked" for name in _TERMS if name in rows.columns})
    own = asked.join(numbered.select("rate_id", *(pl.col(name).alias(f"{name}_own") for name in _TERMS)), on="rate_id")
    pairs = own.drop("rate_id").join(numbered.drop("rate_id"), how="cross").with_columns(**_differences())
    pairs = pairs.with_columns(apart=pl.sum_horizontal(*_differences()).cast(pl.UInt32))
    pairs = pairs.filter(pl.col("apart").is_between(1, _MOST_APART))
    if pairs.is_empty():
        return _with_reasons(rows, {})
    fit = pairs.with_columns(cost=cost_on_cards(pairs, pairs["card"], cards)).filter(_alike(pl.col("cost")))
    why = ["the price " + " and ".join(_in_words(row)) for row in fit.iter_rows(named=True)]
    return fit.select("row", pl.Series("why", why, dtype=pl.String), "apart").unique(["row", "why"])


def _differences() -> dict[str, pl.Expr]:
    """The conditions in which a card (its own names) differs from that of the request (`_own`): it is of something else, or it
    does not hold for what was asked (`_asked`)."""
    other = {name: pl.col(name) != pl.col(f"{name}_own") for name in _TERMS}
    sizes = {name: pl.sum_horizontal(meter.tokens_column for meter in meters) for name, meters in COUNTED.items()}
    size = pl.coalesce(pl.when(pl.col("context_counts") == name).then(total) for name, total in sizes.items())
    fits = (pl.col("context_from_tokens") <= size) & (size < pl.col("context_to_tokens").fill_null(2**62))
    holds = (pl.col("valid_from") <= pl.col("event_at")) & (pl.col("event_at") < pl.col("valid_to")).fill_null(
        value=True
    )
    elsewhere = other["provider_id"] | other["service_tier"]
    narrower = {
        "region": ~pl.col("region").is_in(["", "regional"]) & (pl.col("region") != pl.col("region_asked")),
        "time_window": pl.col("time_window") != "",
        "reasoning_mode": pl.col("reasoning_mode") != "",
    }
    return {
        "is_of_seller": other["provider_id"],
        "is_of_tier": other["service_tier"],
        "is_of_contract": other["contract_id"],
        "is_of_size": ~fits,
        "is_of_date": ~holds,
        **{f"is_of_{name}": other[name] & (~elsewhere | closer) for name, closer in narrower.items()},
    }


def _in_words(card: Mapping[str, Any]) -> Iterator[str]:
    """In which conditions a card differs from the own one."""
    upper = "" if card["context_to_tokens"] is None else f" below {card['context_to_tokens']:,} tokens"
    lower = f" from {card['context_from_tokens']:,} tokens on" if card["context_from_tokens"] else ""
    since = "any time" if card["valid_from"].year == 1 else f"{card['valid_from']:%Y-%m-%d}"
    until = "" if card["valid_to"] is None else f" until {card['valid_to']:%Y-%m-%d}"
    words_by_term = {
        "is_of_seller": f"of {card['provider_id']}",
        "is_of_tier": f"of the tier {card['service_tier']}",
        "is_of_contract": f"of the contract {card['contract_id']}" if card["contract_id"] else "of the list",
        "is_of_size": f"of prompts{lower}{upper}",
        "is_of_date": f"that held from {since}{until}",
        "is_of_region": f"of the region {card['region']}" if card["region"] else "of no region",
        "is_of_time_window": f"of the hours {card['time_window']}" if card["time_window"] else "of all day",
        "is_of_reasoning_mode": f"of the mode {card['reasoning_mode']}" if card["reasoning_mode"] else "of every mode",
    }
    yield from (words for name, words in words_by_term.items() if card[name])


def _by_factor(rows: pl.DataFrame) -> str | None:
    """A factor that leads from each of our amounts to the logged one, in words; None if there is none."""
    factors = (rows["reported_cost_usd"].cast(pl.Float64) / rows["effective_cost_usd"].cast(pl.Float64)).to_list()
    if not factors or not all(0 < one < 1e6 for one in factors) or max(factors) > min(factors) * (1 + _SPREAD):
        return None
    logged, ours = (float(rows[name].sum()) for name in ("reported_cost_usd", "effective_cost_usd"))
    factor = logged / ours
    percent = round(abs(factor - 1) * 100, 2)
    if abs(factor - _CREDIT_FEE) < _SPREAD and rows["provider_id"][0] == "openrouter":
        return "a fee of 5.5 %, as OpenRouter takes for credits"
    if len(factors) < _FEWEST or rows["effective_cost_usd"].n_unique() < 2:
        return None
    if 1 < factor < 2:
        return f"{percent:g} % more throughout: a fee or a mark-up"
    return f"{percent:g} % less throughout: a discount" if factor < 1 else f"{factor:.4g} times as much throughout"


def _alike(cost: pl.Series | pl.Expr) -> pl.Expr:
    """Whether the logged amount is `cost`, within its last digit and a float's last digits."""
    given = pl.lit(cost) if isinstance(cost, pl.Series) else cost
    gap = (pl.col("reported_cost_usd") - given).abs().cast(pl.Float64)
    return ((gap <= 1e-9) | (gap <= given.cast(pl.Float64) * 1e-6)).fill_null(value=False)


def _with_reasons(rows: pl.DataFrame, reasons: Mapping[str, pl.Expr | pl.Series]) -> pl.DataFrame:
    """Row, reason and how far it is apart from what was expected, for each reason that holds."""
    empty = pl.DataFrame(schema={"row": pl.UInt32(), "why": pl.String(), "apart": pl.UInt32()})
    found = [
        rows.filter(holds).select("row", why=pl.lit(why), apart=pl.lit(0, pl.UInt32()))
        for why, holds in reasons.items()
    ]
    return pl.concat([empty, *found])
