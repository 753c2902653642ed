"""The day of a replayed counter's duplicates is their own: what raw.duplicate says of its partition."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_COMMENT = (
    "The partition that this row is replaced with: UTC day of the kept record; of a replayed counter, which may be dropped "
    "weeks after the kept record, its own."
)


def upgrade() -> None:
    quoted = _COMMENT.replace("'", "''")
    op.execute(f"comment on column raw.duplicate.event_date is '{quoted}'")
