"""End users who asked to be forgotten."""

from __future__ import annotations

from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table core.forgotten_user (
            user_sha256 text not null,
            replacement text,
            forgotten_at timestamptz not null,
            constraint forgotten_user_pkey primary key (user_sha256)
        )
        """
    )
