"""The same model at another seller for less."""

from __future__ import annotations

from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table mart.dearer_seller (
            event_date date not null,
            provider_id text not null,
            model_id text not null,
            service_tier text not null,
            region text not null,
            team text not null,
            cheaper_provider_id text not null,
            requests bigint not null,
            cost_usd numeric(38,18) not null,
            saving_usd numeric(38,18) not null,
            constraint dearer_seller_pkey primary key (event_date, provider_id, model_id, service_tier, region, team, cheaper_provider_id)
        );
        """
    )
