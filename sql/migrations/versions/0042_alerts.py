"""Alerts: which events there were, and which of them were sent where."""

from __future__ import annotations

from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table core.alert (
            alert_id uuid not null,
            kind text not null,
            raised_at timestamptz not null,
            event_date date not null,
            title text not null,
            detail text not null,
            usd numeric(38,18),
            link text not null,
            constraint alert_pkey primary key (alert_id),
            constraint alert_kind_accepted check (kind in ('run_failed', 'check_failed', 'budget', 'anomaly', 'drift', 'price_change', 'unpriced_model', 'stale_feed', 'credit_expiring', 'source_set_aside'))
        );
        """
    )
    op.execute(
        """
        create table core.alert_delivery (
            alert_id uuid not null,
            channel text not null,
            attempts integer not null,
            attempted_at timestamptz not null,
            sent_at timestamptz,
            problem text,
            constraint alert_delivery_pkey primary key (alert_id, channel)
        );
        """
    )
