"""Alerts of sources that fall silent: their kind was not accepted."""

from __future__ import annotations

from alembic import op

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "alter table core.alert drop constraint alert_kind_accepted, add constraint alert_kind_accepted check (kind in "
        "('run_failed', 'check_failed', 'budget', 'anomaly', 'drift', 'price_change', 'unpriced_model', 'stale_feed', 'credit_expiring', "
        "'source_set_aside', 'source_silent'))"
    )
