"""Every table as of the first release: 0018_baseline.sql in the folder statements. The 17 revisions before it were never released."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0018"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    statements = Path(__file__).parents[1].joinpath("statements", "0018_baseline.sql").read_text(encoding="utf-8")
    # The driver itself, without parameters: the text holds percent signs and many statements.
    op.get_bind().connection.driver_connection.execute(statements)
