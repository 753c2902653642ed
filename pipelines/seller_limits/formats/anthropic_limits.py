"""Format `anthropic_limits`: spend limits of an Anthropic organization, as configured or as they hold for each member.

Answers of `GET /v1/organizations/spend_limits` and `/v1/organizations/spend_limits/effective`. Amounts are cents, written as texts; those of
`period_to_date_spend` may have decimals. A limit without an amount says that its scope has no cap of its own.
Source: Anthropic's reference of the organization API, 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.config.budgets import Period
from pipelines.seller_limits.limit_file import LimitFileError, StatedLimit, from_minor_units, records_of, text_of

OPTIONS: tuple[str, ...] = ()
_NAMES = ("seat_tier", "usage_tier", "service")
"""What names a scope that has no id."""
_PERIODS: dict[str, Period] = {"daily": "day", "weekly": "week", "monthly": "month"}


def read(content: bytes, _: Mapping[str, Any]) -> list[StatedLimit]:
    """Each limit of a list."""
    return [_stated(record) for record in records_of(content)]


def _stated(record: dict[str, Any]) -> StatedLimit:
    period = _PERIODS.get(text_of(record, "period"))
    if period is None:
        raise LimitFileError("has a period that is not daily, weekly or monthly")
    holder = record.get("actor") or record.get("scope")
    if not isinstance(holder, dict):
        raise LimitFileError("lacks the scope of a limit")
    currency = text_of(record, "currency").upper()
    enabled = record.get("is_enabled")
    return StatedLimit(
        provider_id="anthropic",
        kind="limit",
        scope=text_of(holder, "type").removesuffix("_actor"),
        scope_id=_name_of(holder),
        period=period,
        amount=from_minor_units(record.get("amount"), currency),
        currency=currency,
        is_enforced=enabled if isinstance(enabled, bool) else None,
        spent=from_minor_units(record.get("period_to_date_spend"), currency),
        limit_id=str(record.get("spend_limit_id") or record.get("id") or ""),
    )


def _name_of(holder: dict[str, Any]) -> str:
    """The id of who holds the limit, or the name of a tier or service: two of them are two limits."""
    ids = [name for name in sorted(holder) if name == "id" or name.endswith("_id")]
    return next((str(holder[name]) for name in (*ids, *_NAMES) if holder.get(name)), "")
