"""What one file states of a seller's limits and alerts. The formats are in `formats/`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from pipelines.config.budgets import Period

LimitKind = Literal["limit", "alert"]
_NO_MINOR_UNIT = ("CLP", "JPY", "KRW", "VND")


class LimitFileError(ValueError):
    """A file is not of its format; the message says what is missing and holds nothing of the file."""


@dataclass(frozen=True)
class StatedLimit:
    """One limit or alert, amounts in `currency`. `scope_id` is empty for the organization; `is_enforced` is None if nothing says so.

    `amount` is None if the scope has no cap of its own; `spent` is the seller's own count of the period so far.
    """

    provider_id: str
    kind: LimitKind
    scope: str
    scope_id: str
    period: Period
    amount: Decimal | None
    currency: str
    is_enforced: bool | None = None
    spent: Decimal | None = None
    limit_id: str = ""


def records_of(content: bytes) -> list[dict[str, Any]]:
    """The objects of an answer, or of each page of several: of a list under `data`, or the answer itself. Raises LimitFileError."""
    try:
        said = json.loads(content, parse_float=Decimal)
    except ValueError:
        raise LimitFileError("is no JSON") from None
    pages = said if isinstance(said, list) else [said]
    lists = [page.get("data", [page]) if isinstance(page, dict) else None for page in pages]
    if not all(isinstance(found, list) and all(isinstance(record, dict) for record in found) for found in lists):
        raise LimitFileError("holds no object and no list of objects under data")
    return [record for found in lists if found for record in found]


def from_minor_units(amount: object, currency: str) -> Decimal | None:
    """An amount given in cents. Raises LimitFileError for what is no number."""
    if amount is None:
        return None
    try:
        found = Decimal(str(amount))
    except ArithmeticError:
        found = Decimal("nan")
    if not found.is_finite() or found < 0:
        raise LimitFileError("has an amount that is no number of cents")
    return found if currency in _NO_MINOR_UNIT else found / 100


def text_of(record: dict[str, Any], name: str) -> str:
    """A field that must be a text. Raises LimitFileError that names it."""
    value = record.get(name)
    if not isinstance(value, str) or not value:
        raise LimitFileError(f"lacks the text {name}")
    return value
