"""Lines are counted by a file's bytes, so that a reader that loses some is found by the check `lines_accounted`.

Until now the table refused such a file, and with it the whole step.
"""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "alter table raw.snapshot drop constraint snapshot_counts, "
        "add constraint snapshot_counts check (least(size_bytes, lines, valid, quarantined) >= 0)"
    )
