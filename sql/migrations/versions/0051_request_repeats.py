"""Answers that were asked for again: mart.request_repeat."""

from __future__ import annotations

from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table mart.request_repeat (
            event_date date not null,
            provider_id text not null,
            model_id text not null,
            requests bigint not null,
            retried bigint not null,
            could_escalate bigint not null,
            escalated bigint not null,
            came_down bigint not null,
            escalated_cost_usd numeric(38,18) not null,
            constraint request_repeat_pkey primary key (event_date, provider_id, model_id)
        )
        """
    )
