"""The key of core.request begins with the request: a day's index is built in half the time, and finds a request by its id."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table core.request drop constraint request_pkey")
    op.execute("alter table core.request add constraint request_pkey primary key (request_uid, event_date)")
