"""Answers with evidence: why one request cost what it did, and what is known about the price of a model.

Reads rows as the warehouse holds them and computes nothing that `rating.py` and `rate_card.py`
did not; the command line that prints the answers is in `assets.cli`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from difflib import get_close_matches
from itertools import pairwise
from math import inf
from typing import Any

import polars as pl

from pipelines.config.sources import PriceFeed
from pipelines.ids import as_uuid
from pipelines.instants import holds_at
from pipelines.meters import FEE_METERS, TOKEN_METERS
from pipelines.models import Registry
from pipelines.prices.exchange import in_usd
from pipelines.prices.ledger import believed
from pipelines.prices.meters import MINIMUM_CHARGE, marginal_rates
from pipelines.prices.rate_card import first_tokens, is_outdone, ranked

_MILLION = Decimal(1_000_000)


@dataclass(frozen=True)
class ChargeLine:
    """One meter of one request: quantity times rate, and the ledger row and file that the rate comes from.

    The line `minimum_charge` has the minimum as its rate, and as its cost what the other lines fall short of it.
    """

    meter: str
    quantity: int
    rate_usd_per_million: Decimal
    cost_usd: Decimal
    priced_as: str
    """The meter whose price was taken: the meter itself, or the more general one that stands in for it."""
    price: Mapping[str, Any]
    """The row of core.price."""
    snapshot: Mapping[str, Any] | None
    """The row of raw.snapshot; None if the file is no longer indexed."""


@dataclass(frozen=True)
class Explanation:
    """The cost of one request, meter by meter. `lines` add up to `cost_usd`; without a cost, `reason` says why."""

    request_uid: str
    model_id: str | None
    cost_usd: Decimal | None
    reason: str | None
    lines: tuple[ChargeLine, ...]


def explain_request(
    request: Mapping[str, Any], rate_card: pl.DataFrame, prices: pl.DataFrame, snapshots: pl.DataFrame
) -> Explanation:
    """Takes the contracted cost of one row of `core.request` apart into its meters, down to file and place.

    `rate_card`, `prices` and `snapshots` are rows of core.rate_card, core.price and raw.snapshot that hold at least
    those of the request. Raises LookupError where they don't, naming what is missing.
    """
    uid, cost = str(as_uuid(request["request_uid"])), request["contracted_cost_usd"]
    if request["rate_id"] is None:
        reason = request["unpriced_reason"] or "free: the source's billing rule makes the call cost nothing"
        return Explanation(uid, request["model_id"], cost, reason, ())
    card = _row(rate_card, "rate_id", request["rate_id"], "core.rate_card")
    price_ids, fallbacks = json.loads(card["price_ids"]), json.loads(card["fallbacks"])
    by_id = {str(as_uuid(row["price_id"])): row for row in prices.iter_rows(named=True)}
    files = {row["snapshot_id"]: row for row in snapshots.iter_rows(named=True)}
    lines = []
    for key, meter, quantity, rate in _parts(request, card, fallbacks):
        price = by_id.get(price_ids[key])
        if price is None:
            raise LookupError(f"core.price has no row {price_ids[key]}: rerun the refresh of prices")
        cost_usd, priced_as = rate * quantity / _MILLION, key.partition(">")[0]
        lines.append(ChargeLine(meter, quantity, rate, cost_usd, priced_as, price, files.get(price["snapshot_id"])))
    short = (card["minimum_charge_usd"] or Decimal(0)) - sum((line.cost_usd for line in lines), Decimal(0))
    if short > 0:
        price = by_id[price_ids[MINIMUM_CHARGE]]
        rate, file = card["minimum_charge_usd"] * _MILLION, files.get(price["snapshot_id"])
        lines.append(ChargeLine(MINIMUM_CHARGE, 1, rate, short, MINIMUM_CHARGE, price, file))
    return Explanation(uid, request["model_id"], cost, None, tuple(lines))


def price_lookup(
    model: str,
    registry: Registry,
    prices: pl.DataFrame,
    feeds: Sequence[PriceFeed],
    *,
    at: datetime,
    known_at: datetime | None = None,
    to_come: bool = False,
    fx_rates: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Every price of `model` that holds at `at`, or with `to_come` begins later, as believed at `known_at` (None: now).

    Rows of core.price with two more columns: precedence, and is_used (Boolean), true for the feed that wins its meter
    under its conditions. Prices that hold in other currencies are in USD where `fx_rates` (rows of core.fx_rate) has a rate of
    `at`. `model` is any name of it. Raises LookupError where no model answers to the name.
    """
    found = registry.resolve("", model)
    if found.model_id is None:
        near = sorted(known for known in registry.models if model.lower() in known)[:5]
        near = near or get_close_matches(model.lower(), registry.models, n=5)
        hint = (
            f"; do you mean {', '.join(near)}?"
            if near
            else ': no feed names it (modelmeter sql "select * from core.model")'
        )
        raise LookupError(f"no model is known as {model!r}{hint}")
    conditions = ["provider_id", "meter", "service_tier", "region", "time_window", "contract_id", "reasoning_mode"]
    outdone = [
        is_outdone(rare, [name for name in conditions if name != rare]) for rare in ("time_window", "reasoning_mode")
    ]
    holds = holds_at(at)
    rows = (
        ranked(believed(prices, known_at), feeds)
        .filter(pl.col("model_id") == found.model_id, (pl.col("valid_from") > at) if to_come else holds)
        .sort(*conditions, "context_from_tokens", "precedence", "position")
    )
    if fx_rates is not None:
        worth = in_usd(rows, fx_rates, known_at=known_at).filter(holds).select("price_id", usd="usd_per_million")
        joined = rows.join(worth, on="price_id", how="left", maintain_order="left")
        rows = joined.with_columns(pl.coalesce("usd_per_million", "usd").alias("usd_per_million")).drop("usd")
    winners = [
        price_id
        for group in rows.with_columns(first_tokens().alias("first_tokens")).partition_by(conditions)
        for price_id in _winners(group.rows(named=True))
    ]
    return rows.with_columns((pl.col("price_id").is_in(winners) & ~pl.any_horizontal(outdone)).alias("is_used")).drop(
        "position"
    )


def _winners(rows: Sequence[Mapping[str, Any]]) -> Iterator[bytes]:
    """Ids of those of the prices of one meter under one set of conditions that win for a prompt of some size.

    A feed that states a price only up to a bound leaves longer prompts to the next.
    """
    whole = [row for row in rows if row["context_scope"] == "whole_request"]
    feeds = set()
    for size in {row["first_tokens"] for row in whole} | {row["context_to_tokens"] or 0 for row in whole}:
        fits = [
            row
            for row in whole
            if row["first_tokens"] <= size and (row["context_to_tokens"] is None or size < row["context_to_tokens"])
        ]
        if fits:
            won = min(fits, key=_order)
            feeds.add(won["feed"])
            yield won["price_id"]
    yield from (row["price_id"] for row in rows if row["context_scope"] == "marginal" and row["feed"] in feeds)


def _order(row: Mapping[str, Any]) -> tuple[float, ...]:
    """How `rate_card.py` puts the prices that hold for as many tokens: by precedence, then the nearest bounds first."""
    end = row["context_to_tokens"]
    return row["precedence"], row["position"], -row["first_tokens"], inf if end is None else end


def _parts(
    request: Mapping[str, Any], card: Mapping[str, Any], fallbacks: Mapping[str, str]
) -> Iterator[tuple[str, str, int, Decimal]]:
    """What the request holds of each meter: key of its price in price_ids, meter, quantity and rate.

    A meter with marginal rates comes in one part for each of them; a fee per call counts once where there is one.
    """
    bounds = marginal_rates(card["marginal"])
    found = [(meter.name, request[meter.tokens_column], card[meter.rate_column]) for meter in TOKEN_METERS]
    for fee in FEE_METERS:
        count = 1 if fee.count is None else request[fee.count.column]
        found.append((fee.name, min(count, 1) if fee.once else count, card[fee.rate_column]))
    for meter, quantity, rate in found:
        if not quantity or rate is None:
            continue
        steps = [(0, rate), *(step for step in bounds.get(meter, ()) if step[0] < quantity)]
        for (above, at), (until, _) in pairwise([*steps, (quantity, rate)]):
            key = f"{meter}>{above}" if above else fallbacks.get(meter, meter)
            yield key, meter, until - above, at


def _row(frame: pl.DataFrame, column: str, value: bytes, table: str) -> dict[str, Any]:
    found = frame.filter(pl.col(column) == pl.lit(value, pl.Binary))
    if found.is_empty():
        raise LookupError(f"{table} has no row {as_uuid(value)}: rate the request again")
    return found.row(0, named=True)
