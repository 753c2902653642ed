"""Words for prices: amounts, units, days and the conditions of a price, as sentences and commands show them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from pipelines.prices.feed_snapshot import BEGINNING


def plural_unit(unit: str) -> str:
    """The unit in the plural."""
    return f"{unit}es" if unit == "search" else f"{unit}s"


def conditions_text(row: Mapping[str, Any]) -> str:
    """` (batch, above 200,000 prompt tokens)`, or nothing where the price is the plain one."""
    conditions = [
        str(row[name])
        for name in ("service_tier", "region", "time_window", "contract_id", "reasoning_mode")
        if row[name] not in ("", "standard")
    ]
    if bounds := bounds_text(row):
        conditions.append(bounds)
    return f" ({', '.join(conditions)})" if conditions else ""


def bounds_text(row: Mapping[str, Any]) -> str:
    """`above 200,000 prompt tokens`, or nothing where the price has no bounds. Rows without an upper bound may lack it."""
    bounds = []
    if row["context_from_tokens"]:
        bounds.append(f"{'above' if row['context_bound'] == 'gt' else 'from'} {row['context_from_tokens']:,}")
    if row.get("context_to_tokens") is not None:
        bounds.append(f"below {row['context_to_tokens']:,}")
    counted = {
        "input": "prompt",
        "input_uncached": "uncached prompt",
        "output": "output",
        "input_output": "prompt and output",
    }
    return f"{' and '.join(bounds)} {counted[row['context_counts']]} tokens" if bounds else ""


def amount_text(value: Decimal) -> str:
    """The amount without trailing zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def day_text(at: date) -> str:
    """`1 March 2026`; `the beginning` where the feed names none."""
    return "the beginning" if at == BEGINNING else f"{at.day} {at:%B %Y}"
