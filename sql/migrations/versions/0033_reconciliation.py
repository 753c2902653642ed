"""Bills against what is computed; list amounts and charge categories of bills."""

from __future__ import annotations

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table core.reported_cost add column list_amount numeric(38,18), add column charge_category text")
    op.execute(
        """
        create table mart.reconciliation (
            event_date date not null,
            period_days integer not null,
            provider_id text not null,
            model_id text not null,
            meter text not null,
            computed_quantity numeric(38,18),
            billed_quantity numeric(38,18),
            computed_usd numeric(38,18),
            logged_usd numeric(38,18),
            billed_usd numeric(38,18),
            billed_amount numeric(38,18),
            currency text,
            difference_usd numeric(38,18),
            missing_requests_usd numeric(38,18),
            tokens_usd numeric(38,18),
            tier_usd numeric(38,18),
            price_usd numeric(38,18),
            tool_fee_usd numeric(38,18),
            commitment_usd numeric(38,18),
            discount_usd numeric(38,18),
            credit_usd numeric(38,18),
            tax_usd numeric(38,18),
            currency_usd numeric(38,18),
            rounding_usd numeric(38,18),
            timing_usd numeric(38,18),
            unexplained_usd numeric(38,18),
            charges bigint not null,
            bill_lines bigint not null,
            line_ids jsonb not null,
            is_settled boolean not null,
            reason text,
            constraint reconciliation_pkey primary key (event_date, period_days, provider_id, model_id, meter),
            constraint reconciliation_reason_accepted check (reason in ('no_bill', 'bill_lags', 'before_first_bill', 'not_on_bill', 'no_requests', 'not_loaded', 'currency_without_rate'))
        )
        """
    )
