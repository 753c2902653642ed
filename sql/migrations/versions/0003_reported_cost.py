"""Provider bills: core.reported_cost and what its exports repeat, as `pipelines.warehouse.ddl` printed them.

Both are filled from the landing zone by the next run; there is no way back but to drop them.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    # The driver itself, without parameters: the text holds percent signs and many statements.
    op.get_bind().connection.driver_connection.execute(statements)
