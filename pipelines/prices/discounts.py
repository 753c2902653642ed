"""Discounts by percent as rate cards of a contract: the list cards of the seller's models, each rate less the percentage.

They are declared in `commitments.yaml`. Contracted and effective cost, charges, FOCUS files and reconciliation follow from the cards.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.config.commitments import Discount
from pipelines.config.patterns import regex_of
from pipelines.exact_json import exact_json
from pipelines.instants import midnight
from pipelines.meters import FEE_METERS, TOKEN_METERS

_RATE = Decimal("1e-12")
_TOKENS = [meter.rate_column for meter in TOKEN_METERS]
_FEES = [meter.rate_column for meter in FEE_METERS]
_MINIMUM = "minimum_charge_usd"
_Span = tuple[datetime, datetime | None]


def with_discounts(cards: pl.DataFrame, discounts: Sequence[Discount]) -> pl.DataFrame:
    """`cards` (rate cards, with or without ids) and one more for each list card in the time of a discount on its model.

    While a price sheet has a contract for a model, that holds and no discount does; of several discounts the first.
    Rates are rounded to 12 decimals of USD per million.
    """
    for discount in discounts:
        taken: dict[tuple[str, str], list[_Span]] = {}
        for seller, model, start, end in _contracts(cards):
            taken.setdefault((seller, model), []).append((start, end))
        rows = [
            {**card, "valid_from": start, "valid_to": end}
            for card in _listed(cards, discount)
            for start, end in _free(_within(card, discount), taken.get((card["provider_id"], card["model_id"]), []))
        ]
        cards = pl.concat([cards, _reduced(pl.DataFrame(rows, schema=cards.schema), discount)])
    return cards


def _contracts(cards: pl.DataFrame) -> Iterable[tuple[str, str, datetime, datetime | None]]:
    named = cards.filter(pl.col("contract_id") != "")
    return named.select("provider_id", "model_id", "valid_from", "valid_to").unique().iter_rows()


def _listed(cards: pl.DataFrame, discount: Discount) -> Iterator[dict[str, Any]]:
    listed = cards.filter(pl.col("contract_id") == "", pl.col("provider_id") == discount.provider_id)
    for card in listed.iter_rows(named=True):
        if any(re.fullmatch(regex_of(pattern), card["model_id"]) for pattern in discount.models):
            yield card


def _within(card: dict[str, Any], discount: Discount) -> _Span | None:
    """The time in which both the card and the discount hold."""
    start: datetime = max(card["valid_from"], midnight(discount.from_date))
    ends = [card["valid_to"], discount.to_date and midnight(discount.to_date)]
    end: datetime | None = min((end for end in ends if end is not None), default=None)
    return (start, end) if end is None or start < end else None


def _free(span: _Span | None, taken: list[_Span]) -> Iterator[_Span]:
    """The parts of the time in which nothing of `taken` holds."""
    if span is None:
        return
    at, end = span
    for begin, until in sorted(taken, key=lambda part: part[0]):
        if until is not None and until <= at:
            continue
        if end is not None and begin >= end:
            break
        if begin > at:
            yield at, begin
        if until is None:
            return
        at = until
    if end is None or at < end:
        yield at, end


def _reduced(cards: pl.DataFrame, discount: Discount) -> pl.DataFrame:
    """`cards` as those of the discount's contract."""
    kept = (100 - discount.percent) / 100
    columns = _TOKENS if discount.applies_to == "tokens" else [*_TOKENS, *_FEES, _MINIMUM]
    return cards.with_columns(
        pl.lit(discount.discount).alias("contract_id"),
        *(pl.Series(name, [_less(rate, kept) for rate in cards[name]], dtype=cards.schema[name]) for name in columns),
        pl.Series("marginal", [_marginal(text, kept) for text in cards["marginal"]], dtype=pl.String),
    )


def _less(rate: Decimal | None, kept: Decimal) -> Decimal | None:
    return None if rate is None else (rate * kept).quantize(_RATE)


def _marginal(text: str, kept: Decimal) -> str:
    """The rates above a bound, an object of numbers in JSON text."""
    rates = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    return exact_json({name: (rate * kept).quantize(_RATE) for name, rate in rates.items()})
