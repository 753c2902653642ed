"""Hardware of one's own: prices of GPUs, what they were measured to serve, and whether that pays."""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table core.gpu_price (
            gpu_price_id uuid not null,
            gpu text not null,
            source text not null,
            region text not null,
            term text not null,
            usd_per_hour numeric(38,12) not null,
            is_own boolean not null,
            valid_from date not null,
            valid_to date,
            recorded_at date not null,
            superseded_at date,
            snapshot_id uuid,
            constraint gpu_price_pkey primary key (gpu_price_id),
            constraint gpu_price_valid_period check (valid_to > valid_from),
            constraint gpu_price_belief_period check (superseded_at > recorded_at)
        );

        create table core.throughput (
            throughput_id uuid not null,
            model_id text,
            raw_model text not null,
            gpu text not null,
            gpus integer not null,
            engine text not null,
            precision text not null,
            input_tokens double precision,
            output_tokens double precision,
            concurrency integer,
            scenario text not null,
            output_tokens_per_second double precision not null,
            is_own boolean not null,
            measured_on date not null,
            source text not null,
            snapshot_id uuid,
            constraint throughput_pkey primary key (throughput_id)
        );

        create table mart.selfhost_breakeven (
            event_date date not null,
            option_id text not null,
            is_deployed boolean not null,
            model_id text not null,
            engine text,
            gpu text,
            gpus integer,
            precision text,
            weights_gb double precision,
            cache_gb_per_request double precision,
            fits boolean,
            usd_per_gpu_hour numeric(38,12),
            price_source text,
            price_term text,
            price_region text,
            price_valid_from date,
            throughput_id uuid,
            measured_on date,
            tokens_per_second double precision,
            input_per_output double precision,
            demand text,
            demand_tokens_per_day double precision,
            peak_tokens_per_second double precision,
            duty_cycle double precision,
            replicas integer,
            fixed_usd_per_day numeric(38,18),
            utilisation double precision,
            usage_usd_per_mtok numeric(38,12),
            allocation_usd_per_mtok numeric(38,12),
            api_provider_id text,
            api_usd_per_mtok numeric(38,12),
            api_valid_from timestamptz,
            break_even_tokens_per_day double precision,
            is_reachable boolean,
            saving_usd_per_day numeric(38,18),
            reason text,
            constraint selfhost_breakeven_pkey primary key (event_date, option_id)
        );
        """
    )
