"""Values of an export's fields: numbers, counts, amounts, names and instants, read or refused with a reason.

Where a value stands is the business of the formats in `formats/`; a refused one sets its record aside (`snapshot.py`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any


class BoardOptionsError(ValueError):
    """The options of a board in sources.yaml are wrong. The message names board and option and what is accepted."""


class RecordError(ValueError):
    """One record can't become a score. `reason` is machine-readable, the message is for people."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def number(value: object, name: str) -> float:
    """A finite number, or RecordError. Accepts numbers and numeric text, also `1,234` and `77.2%`; never booleans."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        raise RecordError("missing_field" if value is None else "not_a_number", f"{name} is {value!r}, not a number")
    try:
        result = float(_bare(value) if isinstance(value, str) else value)
    except ValueError:
        raise RecordError("not_a_number", f"{name} is {value!r}, not a number") from None
    if not math.isfinite(result):
        raise RecordError("not_a_number", f"{name} is {value!r}, not a finite number")
    return result


def count(value: object, name: str) -> int | None:
    """A whole number not below zero, None where absent, or RecordError."""
    if value is None or value == "":
        return None
    result = number(value, name)
    if result < 0 or result != int(result):
        raise RecordError("not_a_count", f"{name} is {value!r}, not a whole number from 0 up")
    return int(result)


def money(value: object, name: str) -> Decimal | None:
    """An amount not below zero, exactly as written, None where absent, or RecordError."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        raise RecordError("not_a_number", f"{name} is {value!r}, not an amount")
    try:
        amount = Decimal(str(value).removeprefix("$").replace(",", ""))
    except InvalidOperation:
        raise RecordError("not_a_number", f"{name} is {value!r}, not an amount") from None
    if not amount.is_finite() or amount < 0:
        raise RecordError("negative_amount", f"{name} is {value!r}: accepted are amounts from 0 up")
    return amount


def text(value: object, name: str) -> str:
    """A text that is not blank, or RecordError."""
    if value is None or not str(value).strip():
        raise RecordError("missing_field", f"{name} is missing or blank")
    return str(value).strip()


def instant(value: str) -> datetime:
    """An ISO 8601 instant in UTC; without a zone it is taken as UTC. Raises ValueError."""
    at = datetime.fromisoformat(value)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def day(value: object, name: str) -> date | None:
    """A day: a date, or text that begins with YYYY-MM-DD; None where absent, or RecordError."""
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value).strip()[:10])
    except ValueError:
        raise RecordError("not_a_date", f"{name} is {value!r}: accepted is YYYY-MM-DD") from None


def first_of(record: Mapping[str, Any], names: Sequence[str]) -> Any:  # noqa: ANN401 - a value of a parsed file
    """The value of the first of the named fields that is there and not blank: sources rename their columns."""
    return next((record[name] for name in names if record.get(name) not in (None, "")), None)


def weights(value: object) -> str | None:
    """open or closed, as a source says it: true, `open_weights`, a licence; false, `Proprietary`. None where it does not."""
    shown = str(value).strip().lower() if value is not None else ""
    if shown in ("", "-", "n/a", "none", "nan", "null", "unknown"):
        return None
    return "closed" if shown in ("false", "0", "closed", "closed_weights") or "proprietary" in shown else "open"


def half_widths(value: object, name: str) -> tuple[float, float] | None:
    """How far an interval reaches below and above its score, as people write it: `+5/-6`, `±5`, `5`; None where absent."""
    if value is None or value == "":
        return None
    shown = str(value).strip()
    if match := _AROUND_SCORE.fullmatch(shown):
        high, low = match["high"] or match["high_last"], match["low"] or match["low_first"]
        return float(low), float(high)
    half = number(shown.lstrip("±+ "), name)
    if half < 0:
        raise RecordError("identity_broken", f"{name} is {value!r}: accepted are widths from 0 up")
    return half, half


_AROUND_SCORE = re.compile(
    r"\+\s*(?P<high>[\d.]+)\s*/\s*[-\u2212]\s*(?P<low>[\d.]+)|[-\u2212]\s*(?P<low_first>[\d.]+)\s*/\s*\+\s*(?P<high_last>[\d.]+)"
)


def _bare(text: str) -> str:
    shown = text.strip().removesuffix("%").strip()
    return shown.replace(",", "") if _THOUSANDS.fullmatch(shown) else shown


_THOUSANDS = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?")
