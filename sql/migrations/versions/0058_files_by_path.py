"""Files by their path: a hundred thousand files were each looked for among all the others."""

from __future__ import annotations

from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create index snapshot_landing_path on raw.snapshot using hash (landing_path)")
