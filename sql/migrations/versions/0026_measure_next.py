"""What to measure next."""

from __future__ import annotations

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table mart.routing_measure_next (
            event_date date not null,
            policy text not null,
            baseline text not null,
            rank bigint not null,
            measure text not null,
            model_id text not null,
            against_model_id text not null,
            width_now double precision not null,
            width_known double precision not null,
            narrows_by double precision not null,
            pairs_needed bigint,
            pairs_basis text not null,
            cost_usd numeric(38,18),
            no_cost_reason text,
            constraint routing_measure_next_pkey primary key (policy, baseline, measure, model_id),
            constraint routing_measure_next_measure_accepted check (measure in ('input', 'output', 'loop', 'quality'))
        )
        """
    )
