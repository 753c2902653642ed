"""What machines of one's own can serve: mart.selfhost_breakeven.served_share."""

from __future__ import annotations

from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table mart.selfhost_breakeven add column served_share double precision")
