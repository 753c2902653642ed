"""Service tiers are what logs and feeds name, not a list; a tier that no price is known for has a reason of its own."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_TABLES = ("core.price", "core.rate_card", "core.request", "mart.price_change", "mart.price_conflict")
_REASONS = (
    "model_unresolved", "provider_unknown", "no_price", "no_price_for_tier", "no_price_at_time", "no_rate_for_meter",
    "no_exchange_rate", "usage_missing",
)  # fmt: skip
_TIER = "standard, batch, flex, priority, fast, or whatever else a feed prices apart (ultrafast)."
_COMMENTS = {
    "core.request.service_tier": "Tier that served the call, as logged: standard, batch, flex, priority, fast or any other.",
    "core.request.unpriced_reason": f"Why cost is null: {', '.join(_REASONS)}.",
    "core.rate_card.fallbacks": "Object of meter to the meter whose rate it took because its own is not published.",
} | {f"{table}.service_tier": _TIER for table in _TABLES if table != "core.request"}


def upgrade() -> None:
    for table in _TABLES:
        op.execute(f"alter table {table} drop constraint {table.partition('.')[2]}_service_tier_accepted")
    op.execute("alter table core.request drop constraint request_unpriced_reason_accepted")
    accepted = ", ".join(f"'{reason}'" for reason in _REASONS)
    op.execute(
        f"alter table core.request add constraint request_unpriced_reason_accepted check (unpriced_reason in ({accepted}))"
    )
    for column, comment in _COMMENTS.items():
        op.execute(f"comment on column {column} is '{comment}'")
