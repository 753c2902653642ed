"""Which files each loaded day holds: 0011_loaded_files.sql beside this file."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    # The driver itself, without parameters: the text holds percent signs and many statements.
    op.get_bind().connection.driver_connection.execute(statements)
