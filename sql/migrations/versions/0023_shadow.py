"""Shadow measurements and what they show."""

from __future__ import annotations

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        alter table raw.snapshot drop constraint snapshot_kind;
        alter table raw.snapshot add constraint snapshot_kind
            check (kind in ('requests', 'bills', 'shadow', 'prices', 'leaderboards'));
        create table core.shadow_request (
            snapshot_id uuid not null,
            line_no bigint not null,
            item_no integer not null,
            source text not null,
            observed_at timestamptz not null,
            event_date date not null,
            event_at timestamptz,
            request_id text not null,
            session_id text,
            use_case text,
            arm text,
            provider_id text,
            raw_model text not null,
            model_id text,
            input_uncached_tokens bigint,
            input_cache_read_tokens bigint,
            input_cache_write_tokens bigint,
            input_cache_write_5m_tokens bigint,
            input_cache_write_30m_tokens bigint,
            input_cache_write_1h_tokens bigint,
            input_cache_write_12h_tokens bigint,
            input_audio_tokens bigint,
            input_audio_cache_read_tokens bigint,
            input_image_tokens bigint,
            input_image_cache_read_tokens bigint,
            input_video_tokens bigint,
            input_tool_tokens bigint,
            output_text_tokens bigint,
            output_reasoning_tokens bigint,
            output_audio_tokens bigint,
            output_image_tokens bigint,
            token_semantics text,
            cost_usd numeric(38,18),
            score double precision,
            score_kind text,
            judge text,
            propensity double precision,
            is_counted boolean not null,
            constraint shadow_request_pkey primary key (snapshot_id, line_no, item_no),
            constraint shadow_request_score_kind_accepted check (score_kind in ('gold', 'judge'))
        );
        create table mart.shadow_evidence (
            measure text not null,
            model_id text not null,
            against_model_id text not null,
            judge text not null,
            estimate double precision,
            low_95 double precision,
            high_95 double precision,
            pairs bigint not null,
            sessions bigint not null,
            method text not null,
            not_used_reason text,
            constraint shadow_evidence_pkey primary key (measure, model_id, against_model_id, judge),
            constraint shadow_evidence_measure_accepted check (measure in ('input', 'output', 'loop', 'quality', 'judge_error'))
        );
        """
    )
