"""Rows of mart.routing_projection by method: the policy's own, and those of what it is shown next to."""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table mart.routing_projection add column method text not null default 'policy'")
    op.execute("alter table mart.routing_projection alter column method drop default")
    op.execute(
        "alter table mart.routing_projection add constraint routing_projection_method_accepted "
        "check (method in ('policy', 'same_tokens_dearest', 'best_single_cheap'))"
    )
