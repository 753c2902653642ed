"""The rows of mart.dearer_seller: calls that the same model at another seller would have answered for less.

The comparison is with the other seller's list price of that day under the same conditions: tier, hours, prompt size, mode, and no other region
than the call's own. Requests that mart.waste names are left out, so that no saving counts twice. What can't be known is no row: cards with
marginal rates or minimum charges, a price that changed within the day, a meter without a price, a price of nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.config.allocation import UNATTRIBUTED
from pipelines.config.patterns import regex_of
from pipelines.instants import midnight
from pipelines.meters import FEE_METERS, PRICED_METERS, TOKEN_METERS
from pipelines.prices.meters import fee_quantity
from pipelines.warehouse.tables.mart_economics import DEARER_SELLER

_KEY = ("event_date", "provider_id", "model_id", "service_tier", "region", "team", "rate_id")
_CONDITIONS = (
    "model_id", "service_tier", "time_window", "reasoning_mode", "context_counts", "context_from_tokens", "context_to_tokens",
)  # fmt: skip
_PER_MILLION = Decimal("1e-6")
_Row = Mapping[str, Any]
_Offers = Mapping[tuple[Any, ...], Sequence[_Row]]


class DearerSellers:
    """The calls of days that come in parts, summed up as far as another seller sells their model.

    `sellers` are patterns of those that come into question.
    """

    def __init__(self, rate_card: pl.DataFrame, sellers: Sequence[str]) -> None:
        plain = rate_card.filter(pl.col("marginal") == "{}", pl.col("minimum_charge_usd").is_null())
        self._cards = {row["rate_id"]: row for row in plain.rows(named=True)}
        self._offers = _offers(plain, sellers)
        self._sold_elsewhere = [rate_id for rate_id, card in self._cards.items() if _others(card, self._offers)]
        self._sums: pl.DataFrame | None = None

    def add(self, calls: pl.DataFrame, waste: pl.DataFrame) -> None:
        """Add calls (columns of core.request, `waste.CALL_COLUMNS`), without those in `waste`."""
        is_paid = pl.col("effective_cost_usd") > 0
        paid = calls.filter(is_paid, pl.col("rate_id").is_in(self._sold_elsewhere)).join(
            waste.select("request_uid"), on="request_uid", how="anti"
        )
        quantities = [
            *(pl.col(meter.tokens_column).cast(pl.Int64).sum().alias(meter.name) for meter in TOKEN_METERS),
            *(fee_quantity(meter).sum().alias(meter.name) for meter in FEE_METERS if meter.count is not None),
            *(pl.len().cast(pl.Int64).alias(meter.name) for meter in FEE_METERS if meter.count is None),
        ]
        sums = (
            paid.with_columns(pl.col("team").fill_null(UNATTRIBUTED))
            .group_by(_KEY)
            .agg(
                pl.col("effective_cost_usd").sum().alias("cost_usd"),
                pl.len().cast(pl.Int64).alias("requests"),
                *quantities,
            )
        )
        both = sums if self._sums is None else pl.concat([self._sums, sums])
        self._sums = both.group_by(_KEY).agg(pl.all().sum())

    def rows(self) -> pl.DataFrame:
        """Rows of mart.dearer_seller of all that was added, which must be whole days."""
        found = [
            {**row, "cheaper_provider_id": seller, "saving_usd": row["cost_usd"] - usd}
            for row in (() if self._sums is None else self._sums.rows(named=True))
            for seller, usd in _cheapest(row, self._cards[row["rate_id"]], self._offers)
        ]
        names = DEARER_SELLER.polars_schema.names()
        rows = pl.DataFrame([{name: row[name] for name in names} for row in found], schema=DEARER_SELLER.polars_schema)
        sums = rows.group_by(DEARER_SELLER.primary_key).agg(pl.col("requests", "cost_usd", "saving_usd").sum())
        return sums.select(names).cast(DEARER_SELLER.polars_schema).sort(DEARER_SELLER.primary_key)


def _offers(cards: pl.DataFrame, sellers: Sequence[str]) -> dict[tuple[Any, ...], list[_Row]]:
    """The list prices of the sellers in question, by model and conditions."""
    asked = re.compile("|".join(f"(?:{regex_of(pattern)})" for pattern in sellers))
    found: dict[tuple[Any, ...], list[_Row]] = {}
    for card in cards.filter(pl.col("contract_id") == "").sort("provider_id", "rate_id").rows(named=True):
        if sellers and asked.fullmatch(card["provider_id"]):
            found.setdefault(tuple(card[name] for name in _CONDITIONS), []).append(card)
    return found


def _others(card: _Row, offers: _Offers) -> list[_Row]:
    """What other sellers ask for the card's model under its conditions."""
    of_model = offers.get(tuple(card[name] for name in _CONDITIONS), ())
    return [offer for offer in of_model if offer["provider_id"] != card["provider_id"]]


def _cheapest(row: _Row, own: _Row, offers: _Offers) -> Iterator[tuple[str, Decimal]]:
    """The seller that asks least for the row's quantities, and how much; nothing where that is no less than was paid."""
    if _cost(row, own, own) != row["cost_usd"]:
        return  # something else than the card decided the cost
    start = midnight(row["event_date"])
    best: tuple[Decimal, str] | None = None
    for offer in _others(own, offers):
        if not _holds(offer, row["region"], start):
            continue
        usd = _cost(row, offer, own)
        if usd and usd < row["cost_usd"] and (best is None or usd < best[0]):
            best = usd, offer["provider_id"]
    if best is not None:
        yield best[1], best[0]


def _holds(offer: _Row, region: str, start: datetime) -> bool:
    """Whether a price holds in the region, or everywhere, throughout the day."""
    until = offer["valid_to"]
    is_valid = offer["valid_from"] <= start and (until is None or until >= start + timedelta(days=1))
    return is_valid and offer["region"] in ("", region)


def _cost(row: _Row, card: _Row, own: _Row) -> Decimal | None:
    """What the row's quantities cost by `card`; None if it has no rate for one that `own` has a rate for."""
    usd = Decimal(0)
    for meter in PRICED_METERS:
        quantity, rate = row[meter.name], card[meter.rate_column]
        if quantity and rate is not None:
            usd += quantity * rate * _PER_MILLION
        elif quantity and own[meter.rate_column] is not None:
            return None
    return usd
