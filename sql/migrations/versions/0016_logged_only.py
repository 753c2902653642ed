"""What logs say was paid for requests without a price stands apart in the spend marts.

Days that were built before have no figure there until they run again.
"""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("mart.daily_model_spend", "mart.daily_team_spend"):
        op.execute(f"alter table if exists {table} add column logged_only_cost_usd numeric(38, 18)")
