"""Events of spend: days that were dearer than expected."""

from __future__ import annotations

from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table mart.spend_anomaly (
            scope text not null,
            scope_value text not null,
            opened_on date not null,
            last_on date not null,
            ended_on date,
            ended_because text,
            days integer not null,
            actual_usd numeric(38,18) not null,
            expected_usd numeric(38,18) not null,
            excess_usd numeric(38,18) not null,
            score double precision not null,
            driver text,
            driver_value text,
            driver_usd numeric(38,18),
            explanation text not null,
            constraint spend_anomaly_pkey primary key (scope, scope_value, opened_on),
            constraint spend_anomaly_scope_accepted check (scope in ('total', 'seller', 'model', 'team', 'project', 'cost_centre', 'budget')),
            constraint spend_anomaly_ended_because_accepted check (ended_because in ('recovered', 'settled')),
            constraint spend_anomaly_driver_accepted check (driver in ('session', 'user', 'price', 'cache', 'team', 'model', 'seller', 'project', 'application', 'volume', 'size'))
        );
        """
    )
