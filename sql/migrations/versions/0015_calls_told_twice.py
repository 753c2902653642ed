"""Records are also dropped for those of another source or instrument: what raw.duplicate says of its rules."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_COMMENT = (
    "Why the other was kept. In one source: same_record, later_update, stream_delta, counter_replay. Between sources or "
    "instruments: same_response (both tell an id), same_span, nested_span (one lies in the other and has its counts, or none), "
    "sum_of_spans (what lies in it adds up to it; the first is named), declared_look_alike (a rule of sources.yaml)."
)


def upgrade() -> None:
    quoted = _COMMENT.replace("'", "''")
    op.execute(f"comment on column raw.duplicate.rule is '{quoted}'")
