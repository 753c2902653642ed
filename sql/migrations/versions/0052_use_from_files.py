"""mart.unit_cost and mart.daily_end_user_spend are summed from the files of a day, not by dbt. The next run makes every loaded day again."""

from __future__ import annotations

from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("drop table if exists mart.unit_cost, mart.daily_end_user_spend")
    op.execute(
        """
        create table mart.unit_cost (
            event_date date not null,
            dimension text not null,
            dimension_value text not null,
            requests bigint not null,
            unpriced_requests bigint not null,
            successes bigint not null,
            sessions bigint not null,
            users bigint not null,
            effective_cost_usd numeric(38,18),
            unsuccessful_cost_usd numeric(38,18),
            session_cost_usd numeric(38,18),
            user_cost_usd numeric(38,18),
            usd_per_request numeric(38,18),
            usd_per_thousand_requests numeric(38,18),
            usd_per_session numeric(38,18),
            usd_per_user numeric(38,18),
            usd_per_success numeric(38,18),
            usd_per_success_low numeric(38,18),
            usd_per_success_high numeric(38,18),
            not_computed_reason text,
            constraint unit_cost_pkey primary key (event_date, dimension, dimension_value),
            constraint unit_cost_dimension_accepted check (dimension in ('all', 'application', 'team', 'project', 'model')),
            constraint unit_cost_not_computed_reason_accepted check (not_computed_reason in ('nothing_priced', 'no_success', 'few_sessions', 'few_successes'))
        );
        """
    )
    op.execute(
        """
        create table mart.daily_end_user_spend (
            event_date date not null,
            end_user text not null,
            requests bigint not null,
            unpriced_requests bigint not null,
            list_cost_usd numeric(38,18),
            effective_cost_usd numeric(38,18),
            constraint daily_end_user_spend_pkey primary key (event_date, end_user)
        );
        """
    )
