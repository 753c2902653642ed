"""Cost centres of requests, and what each of them pays."""

from __future__ import annotations

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table core.request add column cost_centre text")
    op.execute(
        """
        create table mart.chargeback (
            event_date date not null,
            provider_id text not null,
            model_id text not null,
            team text not null,
            project text not null,
            cost_centre text not null,
            environment text not null,
            application text not null,
            allocated_method_id text not null,
            allocated_resource text not null,
            allocated_method_details jsonb,
            not_allocated_reason text,
            list_cost_usd numeric(38,18),
            contracted_cost_usd numeric(38,18),
            effective_cost_usd numeric(38,18),
            billed_cost_usd numeric(38,18),
            unpriced_requests bigint not null,
            constraint chargeback_pkey primary key (event_date, provider_id, model_id, team, project, cost_centre, environment, application, allocated_method_id, allocated_resource),
            constraint chargeback_not_allocated_reason_accepted check (not_allocated_reason in ('no_receivers'))
        )
        """
    )
