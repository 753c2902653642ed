"""What moved a projection since the day before: mart.routing_move."""

from __future__ import annotations

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_TABLE = """
create table mart.routing_move (
    event_date date not null,
    policy text not null,
    baseline text not null,
    event text not null,
    provider_id text not null,
    model_id text not null,
    saving_share_before double precision,
    saving_share_after double precision,
    saving_usd_before numeric(38,18),
    saving_usd_after numeric(38,18),
    quality_retained_before double precision,
    quality_retained_after double precision,
    explanation text not null,
    not_computed_reason text,
    constraint routing_move_pkey primary key (event_date, policy, baseline, event, provider_id, model_id),
    constraint routing_move_event_accepted check (event in ('price_change', 'scores', 'silent_change', 'served_other'))
);
"""


def upgrade() -> None:
    op.execute(_TABLE)
