"""Format `openai_limits`: hard spend limits and spend alerts of an OpenAI organization or project.

Answers of `GET /v1/organization/spend_limit`, `/v1/organization/spend_alerts` and the same below `/v1/organization/projects/<id>`; the option
`project` names the project, which the answers do not. Amounts are cents. A limit of 0 that is not enforced says that there is none.
Source: OpenAI's reference of the administration API, 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.seller_limits.limit_file import LimitFileError, StatedLimit, from_minor_units, records_of, text_of

OPTIONS = ("project",)


def read(content: bytes, options: Mapping[str, Any]) -> list[StatedLimit]:
    """A limit, or each alert of a list."""
    return [_stated(record, str(options.get("project", ""))) for record in records_of(content)]


def _stated(record: dict[str, Any], project: str) -> StatedLimit:
    scope, _, kind = text_of(record, "object").partition(".")
    if kind not in ("spend_limit", "spend_alert"):
        raise LimitFileError("holds something else than spend limits and alerts")
    if record.get("interval") != "month":
        raise LimitFileError("has an interval that is no month")
    currency = text_of(record, "currency").upper()
    enforcement = record.get("enforcement")
    status = enforcement.get("status") if isinstance(enforcement, dict) else None
    amount = from_minor_units(record.get("threshold_amount"), currency)
    return StatedLimit(
        provider_id="openai",
        kind="limit" if kind == "spend_limit" else "alert",
        scope=scope,
        scope_id=project,
        period="month",
        amount=None if status == "inactive" and not amount else amount,
        currency=currency,
        is_enforced=None if status is None else status == "enforcing",
        limit_id=str(record.get("id") or ""),
    )
