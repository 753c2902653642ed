"""What logs state of a day: mart.logged_cost, mart.logged_difference, mart.unpriced_name."""

from __future__ import annotations

from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table mart.logged_cost (
            event_date date not null,
            provider_id text not null,
            model_id text not null,
            requests bigint not null,
            differing_requests bigint not null,
            reported_cost_usd numeric(38,18),
            effective_cost_usd numeric(38,18),
            constraint logged_cost_pkey primary key (event_date, provider_id, model_id)
        );
        """
    )
    op.execute(
        """
        create table mart.logged_difference (
            event_date date not null,
            provider_id text not null,
            model_id text not null,
            why text not null,
            requests bigint not null,
            reported_cost_usd numeric(38,18),
            effective_cost_usd numeric(38,18),
            constraint logged_difference_pkey primary key (event_date, provider_id, model_id, why)
        );
        """
    )
    op.execute(
        """
        create table mart.unpriced_name (
            event_date date not null,
            reason text not null,
            source text not null,
            raw_name text not null,
            provider_id text not null,
            model_id text not null,
            requests bigint not null,
            tokens bigint not null,
            reported_cost_usd numeric(38,18),
            at_risk_usd numeric(38,18),
            constraint unpriced_name_pkey primary key (event_date, reason, source, raw_name, provider_id, model_id),
            constraint unpriced_name_reason_accepted check (reason in ('model_unresolved', 'provider_unknown', 'no_price', 'no_price_for_tier', 'no_price_at_time', 'no_rate_for_meter', 'no_exchange_rate', 'usage_missing'))
        );
        """
    )
