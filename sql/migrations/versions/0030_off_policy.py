"""What the log itself shows where several models served one use case."""

from __future__ import annotations

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table mart.routing_off_policy (
            use_case text not null,
            model_id text not null,
            measure text not null,
            method text not null,
            estimate double precision,
            low_95 double precision,
            high_95 double precision,
            requests bigint not null,
            effective_requests double precision not null,
            unmatched_share double precision not null,
            refused_reason text,
            constraint routing_off_policy_pkey primary key (use_case, model_id, measure, method),
            constraint routing_off_policy_measure_accepted check (measure in ('ok', 'output', 'cost_usd', 'score')),
            constraint routing_off_policy_method_accepted check (method in ('strata', 'ips', 'snips', 'dr'))
        )
        """
    )
