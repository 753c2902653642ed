"""The product or API that a line of a bill belongs to."""

from __future__ import annotations

from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table core.reported_cost add column product text")
