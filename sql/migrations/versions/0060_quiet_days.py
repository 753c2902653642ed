"""Days that a run found without requests, and days of a bill that no run has loaded.

A weekend without calls looked like days that nobody had run, and there was no forecast after it. A bill of a month of which half is loaded was
compared as a whole.
"""

from __future__ import annotations

from alembic import op

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        alter table mart.reconciliation
            add column days_missing integer not null default 0,
            add column days_not_loaded_usd numeric(38, 18)
        """
    )
    op.execute("alter table mart.reconciliation alter column days_missing drop default")
    op.execute("create table raw.quiet_day (event_date date not null, primary key (event_date))")
