"""How many rows of the quarantine were removed by age."""

from __future__ import annotations

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table raw.quarantine_removed (
            snapshot_id uuid not null,
            reason text not null,
            severity text not null,
            records bigint not null,
            constraint quarantine_removed_pkey primary key (snapshot_id, reason, severity)
        )
        """
    )
