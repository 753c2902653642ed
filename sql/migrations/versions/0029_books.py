"""Months that close, and what was booked in them."""

from __future__ import annotations

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table core.period_act (
            period date not null,
            acted_at timestamptz not null,
            act text not null,
            reason text,
            charges bigint not null,
            billed_cost_usd numeric(38,18) not null,
            constraint period_act_pkey primary key (period, acted_at),
            constraint period_act_act_accepted check (act in ('close', 'reopen'))
        )
        """
    )
    op.execute(
        """
        create table core.booked_charge (
            period date not null,
            charge_class text,
            event_date date not null,
            charge_id uuid not null,
            provider_id text not null,
            model_id text not null,
            openness text not null,
            service_tier text not null,
            region text not null,
            team text not null,
            project text not null,
            cost_centre text not null,
            environment text not null,
            application text not null,
            meter text not null,
            unit text,
            quantity bigint,
            rate_id uuid,
            contract_id text not null,
            priced_as text,
            price_id uuid,
            list_price_id uuid,
            list_usd_per_million numeric(38,12),
            contracted_usd_per_million numeric(38,12),
            pricing_currency text,
            usd_per_currency numeric(38,18),
            list_cost_usd numeric(38,18),
            contracted_cost_usd numeric(38,18),
            effective_cost_usd numeric(38,18),
            billed_cost_usd numeric(38,18),
            unpriced_reason text,
            reported_cost_usd numeric(38,18),
            constraint booked_charge_pkey primary key (period, event_date, charge_id),
            constraint booked_charge_charge_class_accepted check (charge_class in ('Correction'))
        )
        """
    )
