"""The cost of a projection with every assumption at its middle, next to what is projected: the middle of all simulated worlds (ADR 14)."""

from __future__ import annotations

from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("routing_projection", "routing_month"):
        op.execute(f"alter table mart.{table} add column central_cost_usd numeric(38,18)")
        # Until now that was what was projected; days that are projected again get both.
        op.execute(f"update mart.{table} set central_cost_usd = projected_cost_usd")
