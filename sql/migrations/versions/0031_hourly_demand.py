"""When requests come, by hour."""

from __future__ import annotations

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table mart.hourly_demand (
            event_date date not null,
            hour integer not null,
            operation text not null,
            provider_id text not null,
            model_id text not null,
            requests bigint not null,
            input_tokens bigint not null,
            output_tokens bigint not null,
            constraint hourly_demand_pkey primary key (event_date, hour, operation, provider_id, model_id)
        );
        """
    )
