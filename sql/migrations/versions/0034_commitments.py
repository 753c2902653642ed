"""Commitments: who used what of them, and how each stands by day."""

from __future__ import annotations

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table mart.commitment_usage (
            event_date date not null,
            commitment_id text not null,
            kind text not null,
            provider_id text not null,
            commitment_discount_status text not null,
            model_id text not null,
            team text not null,
            project text not null,
            cost_centre text not null,
            environment text not null,
            application text not null,
            amount_usd numeric(38,18) not null,
            effective_cost_usd numeric(38,18) not null,
            covered_usd numeric(38,18),
            constraint commitment_usage_pkey primary key (event_date, commitment_id, commitment_discount_status, model_id, team, project, cost_centre, environment, application),
            constraint commitment_usage_kind_accepted check (kind in ('provisioned', 'credit', 'minimum_spend')),
            constraint commitment_usage_commitment_discount_status_accepted check (commitment_discount_status in ('Used', 'Unused', ''))
        );
        """
    )
    op.execute(
        """
        create table mart.commitment_day (
            event_date date not null,
            commitment_id text not null,
            kind text not null,
            provider_id text not null,
            purchased_usd numeric(38,18),
            used_usd numeric(38,18),
            unused_usd numeric(38,18),
            utilisation double precision,
            capacity_tokens double precision,
            used_tokens double precision,
            overage_tokens double precision,
            usd_per_used_mtok numeric(38,12),
            covered_usd numeric(38,18),
            overage_usd numeric(38,18),
            saving_usd numeric(38,18),
            break_even_utilisation double precision,
            units_that_pay integer,
            balance_usd numeric(38,18),
            runs_out_on date,
            expires_on date,
            expiring_usd numeric(38,18),
            reason text,
            constraint commitment_day_pkey primary key (event_date, commitment_id),
            constraint commitment_day_kind_accepted check (kind in ('provisioned', 'credit', 'minimum_spend'))
        );
        """
    )
