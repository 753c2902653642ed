"""Who shared which cost in closed months."""

from __future__ import annotations

from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table core.booked_share (
            period date not null,
            event_date date not null,
            place integer not null,
            allocated_method_id text not null,
            rule jsonb not null,
            receiver text not null,
            weight numeric(38,18) not null,
            constraint booked_share_pkey primary key (period, event_date, place, receiver)
        );
        """
    )
