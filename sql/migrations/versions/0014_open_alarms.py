"""What the watch tells further: entries on neither side of a gap, and how long an alarm is open: 0014 beside this file."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    # The driver itself, without parameters: the text holds percent signs and many statements.
    op.get_bind().connection.driver_connection.execute(statements)
