"""Spend limits and alerts as sellers state them: core.seller_limit."""

from __future__ import annotations

from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table core.seller_limit (
            feed text not null,
            observed_at timestamptz not null,
            provider_id text not null,
            kind text not null,
            scope text not null,
            scope_id text not null,
            period text not null,
            amount numeric(38,18),
            currency text not null,
            is_enforced boolean,
            spent numeric(38,18),
            limit_id text not null,
            landing_path text not null,
            constraint seller_limit_pkey primary key (feed, observed_at, provider_id, kind, scope, scope_id, period, limit_id),
            constraint seller_limit_kind_accepted check (kind in ('limit', 'alert')),
            constraint seller_limit_period_accepted check (period in ('day', 'week', 'month'))
        );
        """
    )
