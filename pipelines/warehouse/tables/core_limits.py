"""The table of schema `core` on limits and alerts that sellers keep themselves. Budgets of one's own are in `mart_planning.py`."""

from __future__ import annotations

from pipelines.warehouse.tables.spec import Column, Table

SELLER_LIMIT = Table(
    "core",
    "seller_limit",
    "Spend limits and alerts as sellers state them, at each time at which they were asked for.",
    "one row per file, limit and period",
    (
        Column("feed", "text", "Feed of sources.yaml that the file belongs to."),
        Column("observed_at", "timestamptz", "When the seller said so."),
        Column("provider_id", "text", "Seller."),
        Column("kind", "text", "limit, which the seller may enforce; alert, of which it sends a message.", accepted=("limit", "alert")),
        Column("scope", "text", "What it is for: organization, project, workspace, user, ... as the seller names it."),
        Column("scope_id", "text", "Which one, as the seller names it; empty for the organization."),
        Column("period", "text", "day, week or month.", accepted=("day", "week", "month")),
        Column("amount", "numeric(38,18)", "Amount of the period; null where the scope has none of its own.", nullable=True, unit="currency"),
        Column("currency", "text", "Currency of the amount (ISO 4217)."),
        Column("is_enforced", "boolean", "Whether the seller enforces it now; null where it does not say.", nullable=True),
        Column("spent", "numeric(38,18)", "What the seller counts as spent in the period so far.", nullable=True, unit="currency"),
        Column("limit_id", "text", "The seller's own id; empty without one."),
        Column("landing_path", "text", "File in the landing zone."),
    ),
    ("feed", "observed_at", "provider_id", "kind", "scope", "scope_id", "period", "limit_id"),
)  # fmt: skip
