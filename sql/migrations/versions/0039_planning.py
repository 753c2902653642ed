"""Plans: spend by scope, forecasts and budgets."""

from __future__ import annotations

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table mart.spend_series (
            event_date date not null,
            scope text not null,
            scope_value text not null,
            effective_cost_usd numeric(38,18) not null,
            requests bigint not null,
            unpriced_requests bigint not null,
            constraint spend_series_pkey primary key (event_date, scope, scope_value),
            constraint spend_series_scope_accepted check (scope in ('total', 'seller', 'model', 'team', 'project', 'cost_centre', 'budget'))
        );
        """
    )
    op.execute(
        """
        create table mart.spend_forecast (
            event_date date not null,
            scope text not null,
            scope_value text not null,
            period text not null,
            period_from date not null,
            period_to date not null,
            spent_usd numeric(38,18) not null,
            days_ahead integer not null,
            forecast_usd numeric(38,18),
            low_95_usd numeric(38,18),
            low_50_usd numeric(38,18),
            high_50_usd numeric(38,18),
            high_95_usd numeric(38,18),
            announced_usd numeric(38,18),
            commitment_usd numeric(38,18),
            known_ahead jsonb,
            method text,
            backtest_error double precision,
            naive_error double precision,
            backtest_origins integer,
            history_days integer not null,
            unpriced_requests bigint not null,
            reason text,
            constraint spend_forecast_pkey primary key (event_date, scope, scope_value, period),
            constraint spend_forecast_scope_accepted check (scope in ('total', 'seller', 'model', 'team', 'project', 'cost_centre', 'budget')),
            constraint spend_forecast_period_accepted check (period in ('day', 'week', 'month', 'quarter', 'year')),
            constraint spend_forecast_method_accepted check (method in ('seasonal_naive', 'weekday_level', 'month_level'))
        );
        """
    )
    op.execute(
        """
        create table mart.budget_status (
            event_date date not null,
            budget_id text not null,
            owner text not null,
            what text not null,
            period text not null,
            period_from date not null,
            period_to date not null,
            amount numeric(38,18) not null,
            currency text not null,
            budget_usd numeric(38,18),
            day_usd numeric(38,18) not null,
            spent_usd numeric(38,18) not null,
            spent_share double precision,
            remaining_usd numeric(38,18),
            even_pace_usd numeric(38,18),
            daily_left_usd numeric(38,18),
            forecast_usd numeric(38,18),
            low_95_usd numeric(38,18),
            low_50_usd numeric(38,18),
            high_50_usd numeric(38,18),
            high_95_usd numeric(38,18),
            crosses_on date,
            crosses_from date,
            crosses_to date,
            state text not null,
            passed_threshold double precision,
            seller_limit_usd numeric(38,18),
            seller_spent_usd numeric(38,18),
            unpriced_requests bigint not null,
            reason text,
            constraint budget_status_pkey primary key (event_date, budget_id),
            constraint budget_status_period_accepted check (period in ('day', 'week', 'month', 'quarter', 'year')),
            constraint budget_status_state_accepted check (state in ('within', 'threshold', 'will_cross', 'crossed', 'unknown'))
        );
        """
    )
