"""What one landed price file says: `FeedSnapshot`, and the row in which every feed's reader writes a price.

Readers of the formats are in `feeds/`; what follows from several snapshots is in `ledger.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from operator import attrgetter
from typing import Any, NamedTuple

import polars as pl

from pipelines.warehouse.tables.core_prices import PRICE

BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
"""How -infinity is written: the start of a price whose beginning no one states."""

_EXACT = Context(prec=76, rounding=ROUND_HALF_EVEN)
_UNIT_PRICE_STEP = Decimal(1).scaleb(-18)
_RATE_STEP = Decimal(1).scaleb(-12)
_HIGHEST_AMOUNT = Decimal(10) ** 9
"""More than one unit, or a million, was ever sold for in any currency; products of larger amounts would overflow."""
LARGEST_COUNT = 10**12
"""More tokens than any bound names."""

CONDITIONS = (
    "service_tier",
    "region",
    "context_from_tokens",
    "context_bound",
    "context_scope",
    "time_window",
    "contract_id",
    "context_to_tokens",
    "context_counts",
    "reasoning_mode",
)
"""The columns of core.price under which a price holds."""


class Price(NamedTuple):
    """One price as a feed states it. `valid_from` is None if the feed gives no date: it holds when observed."""

    provider: str
    raw_model: str
    meter: str
    unit: str
    unit_price: Decimal
    pricing_quantity: int
    source_locator: str
    extracted_text: str
    service_tier: str = "standard"
    region: str = ""
    context_from_tokens: int = 0
    context_bound: str = "gte"
    context_scope: str = "whole_request"
    time_window: str = ""
    contract_id: str = ""
    pricing_currency: str = "USD"
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    date_basis: str = "first_observed"
    context_to_tokens: int | None = None
    context_counts: str = "input"
    reasoning_mode: str = ""
    alias_of: str = ""
    """The name under which the feed states the price, where it says that `raw_model` means the same."""


_LEDGER_COLUMNS = ("meter", "unit", "unit_price", "pricing_quantity", "source_locator", "extracted_text", *CONDITIONS)
_DATED_COLUMNS = ("pricing_currency", "valid_from", "valid_to", "date_basis")
PRICE_SCHEMA = pl.Schema(
    [("provider", pl.String()), ("raw_model", pl.String())]
    + [(name, PRICE.column(name).polars_type) for name in (*_LEDGER_COLUMNS, *_DATED_COLUMNS)]
    + [("alias_of", pl.String()), ("usd_per_million", PRICE.column("usd_per_million").polars_type)]
)
"""Columns of `FeedSnapshot.prices`: those of `Price` and the same price in USD per million units."""
_values_of = attrgetter(*PRICE_SCHEMA.names()[:-1])
_UNIT_PRICE = PRICE_SCHEMA.names().index("unit_price")


class PriceFeedError(ValueError):
    """A price file can't be used. The message names the file, the place in it, what was found and what is accepted."""


@dataclass(frozen=True)
class Parsed:
    """What a format's reader found in one file."""

    prices: list[Price]
    lines: int
    """Records in the file: models, items or table rows."""
    rejected: int = 0
    """Records that could not be read; each is named in `not_understood`."""
    not_understood: frozenset[str] = frozenset()
    """Priced fields and records that gave no price, each once, with the reason."""


@dataclass(frozen=True, kw_only=True)
class SnapshotFacts:
    """Which file of which feed a snapshot is, and what is known of it besides its prices."""

    feed: str
    format: str
    snapshot_id: bytes
    observed_at: datetime
    parser_version: str
    lines: int
    valid: int
    not_understood: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FeedSnapshot(SnapshotFacts):
    """The prices that one landed file asserts. `prices` has the columns of PRICE_SCHEMA."""

    prices: pl.DataFrame = field(repr=False)

    @property
    def facts(self) -> SnapshotFacts:
        """The snapshot without its prices."""
        return SnapshotFacts(**{item.name: getattr(self, item.name) for item in fields(SnapshotFacts)})


def price_frame(prices: Iterable[Price]) -> pl.DataFrame:
    """Prices as a frame of PRICE_SCHEMA; unit prices rounded half-even to 18 decimals, USD per million to 12."""
    rows = [(*_in_order(price), usd_per_million(price)) for price in prices]
    return pl.DataFrame(rows, schema=PRICE_SCHEMA, orient="row")


def usd_per_million(price: Price) -> Decimal | None:
    """The price of a million units in USD, rounded half-even to 12 decimals; None for another currency."""
    return per_million(price.unit_price, price.pricing_quantity) if price.pricing_currency == "USD" else None


def per_million(unit_price: Decimal, quantity: int, usd_per_unit: Decimal = Decimal(1)) -> Decimal:
    """A price for `quantity` units as a price for a million, times an exchange rate; rounded once, half-even to 12."""
    amount = _EXACT.multiply(_EXACT.multiply(unit_price, usd_per_unit), Decimal(1_000_000))
    return _EXACT.quantize(_EXACT.divide(amount, Decimal(quantity)), _RATE_STEP)


def as_amount(value: object) -> Decimal | None:
    """A price as the file's own digits state it; None if it is no amount that can be charged.

    That is one below zero, not finite, above a thousand million or so small that 18 decimals make it zero.
    """
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    try:
        amount = Decimal(value.strip() if isinstance(value, str) else value)
    except (ArithmeticError, ValueError):
        return None
    return amount if is_chargeable(amount) else None


def is_chargeable(amount: Decimal) -> bool:
    """Whether an amount can stand as a price: zero, or from 1e-18 to a thousand million."""
    return amount.is_finite() and (amount.is_zero() or _UNIT_PRICE_STEP <= amount <= _HIGHEST_AMOUNT)


def why_no_price(value: object) -> str:
    """Why a value gives no price, in words."""
    return f"expected an amount of zero or more, found {str(value)[:60]!r}"


def _in_order(price: Price) -> tuple[Any, ...]:
    values = [*_values_of(price)]
    values[_UNIT_PRICE] = _EXACT.quantize(price.unit_price, _UNIT_PRICE_STEP)
    return tuple(values)
