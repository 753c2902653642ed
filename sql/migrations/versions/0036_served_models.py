"""Calls that another model answered than was asked: mart.served_model_change."""

from __future__ import annotations

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table mart.served_model_change (
            event_date date not null,
            provider_id text not null,
            asked_model_id text not null,
            served_model_id text not null,
            known_from text not null,
            requests bigint not null,
            uncompared_requests bigint not null,
            served_cost_usd numeric(38,18),
            asked_cost_usd numeric(38,18),
            difference_usd numeric(38,18),
            constraint served_model_change_pkey primary key (event_date, provider_id, asked_model_id, served_model_id),
            constraint served_model_change_known_from_accepted check (known_from in ('answer', 'models.yaml'))
        )
        """
    )
