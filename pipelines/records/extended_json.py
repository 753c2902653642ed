"""MongoDB's extended JSON: numbers, ids and instants that `mongoexport` writes as an object of one key, as the value they stand for.

Source: github.com/mongodb/specifications, "MongoDB Extended JSON (v2)", canonical and relaxed; dates of version 1 are milliseconds.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_NUMBERS = ("$numberInt", "$numberLong", "$numberDouble", "$numberDecimal")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def number_in(value: dict[str, object]) -> str | None:
    """The digits of a wrapped number; None for any other object."""
    return _only(value, _NUMBERS)


def text_in(value: dict[str, object]) -> str | None:
    """The id, or the instant in RFC 3339, that is wrapped; None for any other object."""
    found = value.get("$date")
    if len(value) != 1 or found is None:
        return _only(value, ("$oid", "$uuid"))
    if not isinstance(found, str) or not found.lstrip("-").isdigit():
        return str(found) if isinstance(found, str) else None
    try:
        return (_EPOCH + timedelta(milliseconds=int(found))).isoformat()
    except OverflowError:
        return None


def _only(value: dict[str, object], names: tuple[str, ...]) -> str | None:
    found = next((value[name] for name in names if name in value), None)
    return str(found) if len(value) == 1 and isinstance(found, str) else None
