"""Models that can't serve all traffic: mart.routing_frontier.requests and not_eligible_reason."""

from __future__ import annotations

from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table mart.routing_frontier add column requests double precision")
    op.execute("alter table mart.routing_frontier add column not_eligible_reason text")
    for column in ("quality", "cost_usd"):
        op.execute(f"alter table mart.routing_frontier alter column {column} drop not null")
