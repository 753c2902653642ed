"""Traffic as sums per day, and the projection per month that is added up from it: 0022_routing_months.sql in the folder statements."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    statements = Path(__file__).parents[1].joinpath("statements", "0022_routing_months.sql").read_text(encoding="utf-8")
    op.get_bind().connection.driver_connection.execute(statements)
