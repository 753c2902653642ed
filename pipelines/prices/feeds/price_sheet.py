"""Reads a price sheet of the user's own, CSV or YAML: contract, promotional and self-hosted rates.

The columns are those of the ledger, so that whatever the ledger can hold can be written down by hand.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

import yaml

from pipelines.meters import METERS_BY_NAME
from pipelines.outside import worded
from pipelines.prices.feed_snapshot import BEGINNING, Parsed, Price, PriceFeedError, as_amount
from pipelines.prices.meters import LEDGER_UNITS
from pipelines.prices.periods import overlap
from pipelines.prices.windows import parse_window
from pipelines.warehouse.tables.core import SERVICE_TIER_NAME
from pipelines.warehouse.tables.core_prices import CONTEXT_COUNTS, REASONING_MODES

VERSION = "2"

_REQUIRED = ("provider", "model", "meter", "price")
_OPTIONAL = (
    "per", "currency", "service_tier", "region", "context_from_tokens", "context_bound", "context_to_tokens", "context_counts",
    "context_scope", "reasoning_mode", "time_window", "contract_id", "valid_from", "valid_to", "note",
)  # fmt: skip
_QUANTITIES = (1, 1_000, 1_000_000)


def read(content: bytes, _options: Mapping[str, Any]) -> Parsed:
    """Every price of the sheet. Raises PriceFeedError with each mistake by line: a sheet with one is not used at all.

    Columns: provider, model, meter, price; optional: per (1, 1000 or 1000000, which is the default), currency (USD),
    service_tier (standard), region, context_from_tokens (0), context_bound (gt or gte), context_to_tokens (the
    size from which on the price no longer holds; empty: none), context_counts (input, input_uncached, output or
    input_output), context_scope (whole_request or marginal), reasoning_mode (thinking, non_thinking or empty), time_window (as `pipelines.prices.windows` reads it), contract_id, valid_from (a day or an instant; empty: always), valid_to, note. YAML is a list of such objects
    under `prices`.
    """
    mistakes: list[str] = []
    prices: list[Price] = []
    for place, row in _rows(content):
        try:
            prices.append(_price(place, row))
        except ValueError as error:
            mistakes.append(f"{place}: {worded(error)}")
    mistakes += [
        f"{later.source_locator}: another price for what {earlier.source_locator} states at the same time; let one end where "
        f"the other begins"
        for earlier, later in overlap(prices)
    ]
    if mistakes:
        raise PriceFeedError("\n".join(mistakes))
    return Parsed(prices, len(prices))


def _rows(content: bytes) -> Iterator[tuple[str, dict[str, str]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PriceFeedError(f"not UTF-8 text: {worded(error)}") from error
    if text.lstrip().startswith(("prices:", "#", "---", "- ")):
        try:
            whole = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - BaseLoader makes every scalar its own text and nothing else
        except yaml.YAMLError as error:
            raise PriceFeedError(f"not YAML: {worded(error)}") from error
        rows = whole.get("prices") if isinstance(whole, dict) else whole
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise PriceFeedError("expected a list of objects under `prices`")
        yield from ((f"prices[{index}]", row) for index, row in enumerate(rows))
        return
    reader = csv.DictReader(io.StringIO(text), strict=True)
    try:
        for row in reader:
            yield f"line {reader.line_num}", {key: value for key, value in row.items() if value}
    except csv.Error as error:
        raise PriceFeedError(f"line {reader.line_num}: not CSV: {worded(error)}") from error


def _price(place: str, row: Mapping[Any, Any]) -> Price:
    unknown = [str(key) for key in row if key not in (*_REQUIRED, *_OPTIONAL)]
    if unknown:
        # A sheet without a known column may be any file: its content is not repeated.
        problem = f"unknown column {', '.join(unknown)}" if len(unknown) < len(row) else "none of the columns is known"
        raise PriceFeedError(f"{problem}; known are {', '.join((*_REQUIRED, *_OPTIONAL))}")
    missing = [key for key in _REQUIRED if not row.get(key)]
    if missing:
        raise PriceFeedError(f"{', '.join(missing)} is missing")
    meter = _one_of("meter", row["meter"], tuple(LEDGER_UNITS))
    amount = as_amount(row["price"])
    if amount is None:
        raise PriceFeedError(f"price: expected an amount of zero or more, such as 2.50, found {row['price'][:60]!r}")
    window = row.get("time_window", "")
    if window:
        parse_window(window)
    start, end = _instant("valid_from", row.get("valid_from")), _instant("valid_to", row.get("valid_to"))
    if start and end and end <= start:
        raise PriceFeedError(f"valid_to {row['valid_to']} is not after valid_from {row['valid_from']}")
    return Price(
        provider=row["provider"],
        raw_model=row["model"],
        meter=meter,
        unit=LEDGER_UNITS[meter],
        unit_price=amount,
        pricing_quantity=int(_one_of("per", row.get("per", "1000000"), tuple(map(str, _QUANTITIES)))),
        source_locator=place,
        extracted_text=", ".join(f"{key}={value}" for key, value in row.items()),
        service_tier=_tier(row.get("service_tier", "standard")),
        region=row.get("region", ""),
        time_window=window,
        reasoning_mode=_one_of("reasoning_mode", row.get("reasoning_mode", ""), REASONING_MODES),
        **_context(row, meter),
        contract_id=row.get("contract_id", ""),
        pricing_currency=_currency(row.get("currency", "USD")),
        valid_from=start or BEGINNING,
        valid_to=end,
        date_basis="documented" if start else "unknown",
    )


def _context(row: Mapping[Any, Any], meter: str) -> dict[str, Any]:
    """For how many tokens the price holds, and which count."""
    start = _count("context_from_tokens", row.get("context_from_tokens", "0"))
    end = _count("context_to_tokens", row["context_to_tokens"]) if row.get("context_to_tokens") else None
    counts = _one_of("context_counts", row.get("context_counts", "input"), CONTEXT_COUNTS)
    scope = _one_of("context_scope", row.get("context_scope", "whole_request"), ("whole_request", "marginal"))
    if scope == "marginal" and meter not in METERS_BY_NAME:
        raise PriceFeedError(f"context_scope: only tokens can be charged by parts, and {meter} counts none")
    if scope == "marginal" and (end is not None or counts != "input"):
        raise PriceFeedError(
            "context_scope: what is charged by parts counts the tokens of its own meter, up to the next part; leave out "
            "context_to_tokens and context_counts"
        )
    if end is not None and end <= start:
        raise PriceFeedError(f"context_to_tokens {end} is not above context_from_tokens {start}")
    return {
        "context_from_tokens": start,
        "context_bound": _one_of("context_bound", row.get("context_bound", "gte"), ("gt", "gte")),
        "context_to_tokens": end,
        "context_counts": counts,
        "context_scope": scope,
    }


def _one_of(column: str, value: str, accepted: tuple[str, ...]) -> str:
    if value not in accepted:
        raise PriceFeedError(f"{column}: found {value!r}, accepted are {', '.join(accepted)}")
    return value


def _tier(value: str) -> str:
    if not re.fullmatch(SERVICE_TIER_NAME, value):
        raise PriceFeedError(f"service_tier: expected a name such as standard or batch, found {value!r}")
    return value


def _count(column: str, value: str) -> int:
    if not value.isdecimal():
        raise PriceFeedError(f"{column}: expected a whole number of tokens, found {value!r}")
    return int(value)


def _currency(value: str) -> str:
    if not re.fullmatch(r"[A-Z]{3}", value):
        raise PriceFeedError(f"currency: expected an ISO 4217 code such as USD or CNY, found {value!r}")
    return value


def _instant(column: str, value: str | None) -> datetime | None:
    if not value:
        return None
    try:
        found = (
            datetime.fromisoformat(value)
            if "T" in value
            else datetime.combine(date.fromisoformat(value), datetime.min.time())
        )
    except ValueError as error:
        raise PriceFeedError(f"{column}: expected a day such as 2026-03-01 or an instant, found {value!r}") from error
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
