"""Requests that could have cost less: mart.waste."""

from __future__ import annotations

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table mart.waste (
            event_date date not null,
            request_uid uuid not null,
            finding text not null,
            team text not null,
            provider_id text not null,
            model_id text not null,
            cost_usd numeric(38,18) not null,
            saving_usd numeric(38,18) not null,
            constraint waste_pkey primary key (event_date, request_uid),
            constraint waste_finding_accepted check (finding in ('failed', 'cache_unread', 'cache_miss', 'context_bound', 'could_wait'))
        )
        """
    )
