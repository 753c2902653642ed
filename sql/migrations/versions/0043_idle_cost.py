"""The rule by which idle commitments are passed on: mart.commitment_usage.allocated_method_id."""

from __future__ import annotations

from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table mart.commitment_usage add column allocated_method_id text not null default ''")
    op.execute("alter table mart.commitment_usage alter column allocated_method_id drop default")
