"""Free tiers among the commitments, and discounts among the reasons of a restatement."""

from __future__ import annotations

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

_KINDS = "'provisioned', 'free_tier', 'credit', 'minimum_spend'"
_REASONS = "'changed', 'corrected', 'retracted', 'source_removed', 'new_price', 'model_resolved', 'exchange_rate', 'discount', 'known_later', 'other'"


def upgrade() -> None:
    for table in ("commitment_usage", "commitment_day"):
        _accept(table, "kind", _KINDS)
    _accept("cost_restatement", "reason", _REASONS)


def _accept(table: str, column: str, accepted: str) -> None:
    name = f"{table}_{column}_accepted"
    op.execute(
        f"alter table mart.{table} drop constraint {name}, add constraint {name} check ({column} in ({accepted}))"
    )
