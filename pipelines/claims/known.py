"""What is known of prices, models and scores at an instant: the true values that go into a formula.

Prices come from the ledger, else from the dated references of `claims.yaml`. Nothing is computed here; the formulas are in
`formulas.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

import polars as pl

from pipelines.config.claims import ClaimsConfig, Input, ReferencePrice
from pipelines.config.model_facts import FACTS, ModelFactsConfig
from pipelines.ids import as_uuid
from pipelines.meters import FEE_METERS, TOKEN_METERS

_RATE_COLUMNS = {meter.name: meter.rate_column for meter in TOKEN_METERS} | {
    fee.name: fee.rate_column for fee in FEE_METERS
}


class UnknownInputError(LookupError):
    """A number is not known at that date; the message says why, and what to add."""


@dataclass(frozen=True)
class Found:
    """A value and where it comes from."""

    value: Decimal | str
    source: str


@dataclass(frozen=True)
class Known:
    """Rows of core.rate_card, core.price and core.benchmark_score, and the facts of the models."""

    config: ClaimsConfig
    rate_card: pl.DataFrame
    prices: pl.DataFrame
    scores: pl.DataFrame
    facts: ModelFactsConfig

    def value(self, needed: Input, at: datetime) -> Found:
        """The true value of an input at an instant. Raises UnknownInputError."""
        if needed.value is not None:
            return Found(needed.value, needed.source or "the same at all times")
        if needed.offers:
            return self._price(needed.offers, needed.meter, at)
        if needed.model is not None and needed.fact is not None:
            return self._fact(needed.model, needed.fact)
        if needed.model is not None and needed.score is not None:
            return self._score(needed.model, needed.score, at)
        raise UnknownInputError("claims.yaml gives no true value for it: add value, offers, fact or score")

    def _price(self, offers: Sequence[str], meter: str, at: datetime) -> Found:
        if meter not in _RATE_COLUMNS:
            raise UnknownInputError(f"{meter!r} is not a meter; accepted: {', '.join(_RATE_COLUMNS)}")
        for offer in offers:
            found = self._from_ledger(offer, meter, at) or self._from_references(offer, meter, at)
            if found is not None:
                return found
        raise UnknownInputError(
            f"no price of {meter} of {' or '.join(offers)} is known for {at:%Y-%m-%d}: land a price file of that time, or add it "
            "to reference_prices in claims.yaml"
        )

    def _from_ledger(self, offer: str, meter: str, at: datetime) -> Found | None:
        for card in self._cards.get(offer, ()):
            if not (card["valid_from"] <= at and (card["valid_to"] is None or at < card["valid_to"])):
                continue
            rate, named = card[_RATE_COLUMNS[meter]], json.loads(card["fallbacks"]).get(meter, meter)
            price = self._prices.get(json.loads(card["price_ids"]).get(named, ""))
            if rate is not None and price is not None and _is_evidence(price, at):
                since = "any time" if price["valid_from"].year == 1 else f"{price['valid_from']:%Y-%m-%d}"
                return Found(
                    rate,
                    f"{offer} {named}: feed {price['feed']}, since {since} ({price['date_basis']}), "
                    f"recorded {price['recorded_at']:%Y-%m-%d}",
                )
        return None

    def _from_references(self, offer: str, meter: str, at: datetime) -> Found | None:
        for item in self.config.reference_prices:
            if (item.offer, item.meter) == (offer, meter) and _covers(item, at):
                return Found(item.usd_per_million, f"{offer} {meter}: {item.source}")
        return None

    def _fact(self, model: str, name: str) -> Found:
        for item in self.config.reference_facts:
            if (item.model, item.fact) == (model, name):
                return Found(item.value, item.source)
        facts = self.facts.of(model)
        found = facts.fact(name) if facts is not None and name in FACTS else None
        where = f"{name} of {model}"
        if found is None or found.source.source == self.config.report_source:
            raise UnknownInputError(f"{where} is not known: add it to model_facts.yaml with its source")
        if not found.is_verified:
            raise UnknownInputError(f"{where} has no source that was read: name one in model_facts.yaml")
        value = found.value
        if isinstance(value, bool):
            value = "yes" if value else "no"
        return Found(
            value if isinstance(value, str) else Decimal(str(value)), f"{found.source.title}, {found.source.as_of}"
        )

    def _score(self, model: str, benchmark: str, at: datetime) -> Found:
        is_believed = pl.col("superseded_at").is_null() | (pl.col("superseded_at") > at)
        rows = self.scores.filter(
            (pl.col("benchmark_version_id") == benchmark)
            | pl.col("benchmark_version_id").str.starts_with(f"{benchmark}@"),
            pl.col("model_id") == model,
            pl.col("as_of") <= at.date(),
            is_believed,
        ).sort("score", descending=True, maintain_order=True)
        if rows.is_empty():
            raise UnknownInputError(
                f"no score of {model} on {benchmark} is known for {at:%Y-%m-%d}: land an export of a board that has it"
            )
        best = rows.row(0, named=True)
        return Found(Decimal(str(best["score"])), f"board {best['board']}, {best['raw_model']}, {best['as_of']}")

    @cached_property
    def _cards(self) -> dict[str, list[dict[str, Any]]]:
        """List prices of short prompts by offer, those that hold all day and for every request first."""
        plain = self.rate_card.filter(
            (pl.col("service_tier") == "standard")
            & (pl.col("region") == "")
            & (pl.col("contract_id") == "")
            & (pl.col("context_from_tokens") == 0)
        ).sort("time_window", "reasoning_mode", "valid_from")
        found: dict[str, list[dict[str, Any]]] = {}
        for card in plain.iter_rows(named=True):
            found.setdefault(f"{card['provider_id']}/{card['model_id']}", []).append(card)
        return found

    @cached_property
    def _prices(self) -> dict[str, dict[str, Any]]:
        return {str(as_uuid(row["price_id"])): row for row in self.prices.iter_rows(named=True)}


def offers_of(config: ClaimsConfig) -> list[str]:
    """Every `seller/model` that a claim needs a price of."""
    return sorted({offer for needed in _inputs(config) for offer in needed.offers})


def _inputs(config: ClaimsConfig) -> Iterator[Input]:
    for claim in config.claims:
        yield from claim.inputs.values()
        for other in claim.holds_if:
            yield from other.inputs.values()


def _is_evidence(price: Mapping[str, Any], at: datetime) -> bool:
    """A price without a known start says nothing of a time before anybody saw it."""
    return bool(price["date_basis"] != "unknown" or price["recorded_at"] <= at)


def _covers(item: ReferencePrice, at: datetime) -> bool:
    return item.from_date <= at.date() < item.to_date
