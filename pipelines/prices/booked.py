"""What requests were booked at: kept where the books are closed, and led back to the price rows it rested on.

`core.request` holds the booked cost and the id of its rate card; cards of the past are found again in the ledger,
which forgets nothing. Rating is `rating.py`, the comparison of two ratings `restatement.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import polars as pl

from pipelines.config.commitments import Discount
from pipelines.config.sources import PriceFeed
from pipelines.meters import COUNT_COLUMNS, PRICED_METERS
from pipelines.prices.rate_card import build_rate_card
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.core_prices import PRICE, RATE_CARD

DECIDED = (
    "provider_id",
    "model_id",
    "resolution_method",
    "region",
    "rate_id",
    "list_cost_usd",
    "contracted_cost_usd",
    "effective_cost_usd",
    "unpriced_reason",
)
"""Columns of core.request that resolving and rating decide; all others come from the log."""

_LOGGED = (
    "request_uid",
    "event_at",
    "service_tier",
    "request_model",
    "response_model",
    *COUNT_COLUMNS,
    "usage_basis",
    "is_billable",
)


@dataclass(frozen=True)
class Basis:
    """The rates of one card: meter to USD per million units and the id of the row of core.price it comes from."""

    rates: Mapping[str, tuple[Decimal, bytes]]
    contract_id: str
    """Empty for list prices."""
    known_at: datetime | None = None
    """Newest state of the ledger that held the card; None if that was not looked for."""


def keep_booked(rated: pl.DataFrame, booked: pl.DataFrame) -> pl.DataFrame:
    """`rated` (rows of core.request) with everything that was decided about a request of `booked` left as it was.

    A request is the same where its id and all that the log says of its usage are; others keep their new rating.
    """
    former = booked.select(*_LOGGED, *(pl.col(name).alias(f"{name}_booked") for name in DECIDED), is_booked=True)
    joined = rated.join(former, on=_LOGGED, how="left", nulls_equal=True, maintain_order="left")
    is_booked = pl.col("is_booked").fill_null(value=False)
    return joined.with_columns(
        pl.when(is_booked).then(f"{name}_booked").otherwise(name).alias(name) for name in DECIDED
    ).select(REQUEST.polars_schema.names())


def former_cards(
    prices: pl.DataFrame,
    feeds: Sequence[PriceFeed],
    fx_rates: pl.DataFrame,
    wanted: pl.DataFrame,
    discounts: Sequence[Discount],
) -> pl.DataFrame:
    """The cards that `wanted` (rate_id, provider_id, model_id, last_event_at) names, as the ledger once held them.

    Goes back through the states of the ledger (rows of core.price and core.fx_rate), newest first, to the one in which
    the card still covered `last_event_at`. Rows of core.rate_card with the instant of that state, known_at; a card that
    no state gives, because sources.yaml was another one then, is left out.
    """
    found = [RATE_CARD.empty().with_columns(pl.lit(None, PRICE.column("recorded_at").polars_type).alias("known_at"))]
    missing = wanted.filter(pl.col("rate_id").is_not_null())
    relevant = prices.join(missing, on=["provider_id", "model_id"], how="semi")
    for instant in _instants(relevant, fx_rates):
        if missing.is_empty():
            break
        reachable = relevant.join(missing, on=["provider_id", "model_id"], how="semi")
        cards = build_rate_card(reachable, feeds, known_at=instant, fx_rates=fx_rates, discounts=discounts)
        covers = pl.col("valid_to").is_null() | (pl.col("valid_to") > pl.col("last_event_at"))
        held = cards.join(missing.select("rate_id", "last_event_at"), on="rate_id", how="inner").filter(covers)
        found.append(held.drop("last_event_at").with_columns(pl.lit(instant).alias("known_at")))
        missing = missing.join(held, on="rate_id", how="anti")
    return pl.concat(found)


def card_bases(cards: pl.DataFrame) -> dict[bytes, Basis]:
    """Every row of `cards` (core.rate_card, or former_cards) by its rate_id."""
    return {
        row["rate_id"]: Basis(dict(_rates(row)), row["contract_id"], row.get("known_at"))
        for row in cards.iter_rows(named=True)
    }


def _rates(card: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Decimal, bytes]]]:
    price_ids, fallbacks = json.loads(card["price_ids"]), json.loads(card["fallbacks"])
    for meter in PRICED_METERS:
        rate = card[meter.rate_column]
        if rate is not None:
            price_id = UUID(price_ids[fallbacks.get(meter.name, meter.name)])
            yield meter.name, (rate, price_id.bytes)


def _instants(prices: pl.DataFrame, fx_rates: pl.DataFrame) -> list[datetime]:
    """Every instant at which the belief about these prices, or what their currencies are worth, changed; newest first."""
    used = fx_rates.join(prices.select(currency="pricing_currency").unique(), on="currency", how="semi")
    changes = [frame[name].rename("at") for frame in (prices, used) for name in ("recorded_at", "superseded_at")]
    return pl.concat(changes).drop_nulls().unique().sort(descending=True).to_list()
