"""Quality kept in each use case, next to that over all traffic."""

from __future__ import annotations

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("routing_projection", "routing_month"):
        op.execute(f"alter table mart.{table} add column quality_by_use_case jsonb")
