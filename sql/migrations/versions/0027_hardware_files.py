"""Landed files of GPU prices and measurements."""

from __future__ import annotations

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        alter table raw.snapshot drop constraint snapshot_kind;
        alter table raw.snapshot add constraint snapshot_kind
            check (kind in ('requests', 'bills', 'shadow', 'prices', 'leaderboards', 'selfhost'));
        """
    )
