"""What was used of commitments in closed months."""

from __future__ import annotations

from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table core.booked_commitment (
            period date not null,
            charge_class text,
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
            allocated_method_id text not null,
            constraint booked_commitment_pkey primary key (period, event_date, commitment_id, commitment_discount_status, model_id, team, project, cost_centre, environment, application),
            constraint booked_commitment_charge_class_accepted check (charge_class in ('Correction'))
        );
        """
    )
    # Months that were closed before keep the commitments that are known now.
    op.execute(
        """
        insert into core.booked_commitment
        select
            date_trunc('month', event_date)::date, null, event_date, commitment_id, kind, provider_id, commitment_discount_status, model_id,
            team, project, cost_centre, environment, application, amount_usd, effective_cost_usd, covered_usd, allocated_method_id
        from mart.commitment_usage
        where date_trunc('month', event_date)::date in (
            select period from (select distinct on (period) period, act from core.period_act order by period, acted_at desc) as latest
            where act = 'close'
        )
        """
    )
