"""Every model with its facts, memory, prices, scores and our own spend."""

from __future__ import annotations

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table mart.model_catalog (
            model_id text not null,
            as_of date not null,
            display_name text not null,
            developer text,
            family text,
            openness text not null,
            is_released boolean not null,
            licence text,
            licence_is_spdx boolean,
            licence_restricts text[],
            licence_terms text,
            total_params_b double precision,
            active_params_b double precision,
            context_tokens bigint,
            extended_context_tokens bigint,
            input_modalities text[],
            output_modalities text[],
            tools boolean,
            released_on date,
            weights_gb_16bit double precision,
            weights_gb_8bit double precision,
            weights_gb_4bit double precision,
            weights_gb_native double precision,
            cache_gb_32k double precision,
            cache_gb_128k double precision,
            fits jsonb not null,
            prices jsonb not null,
            cheapest_provider_id text,
            cheapest_input_usd_per_mtok numeric(38,12),
            cheapest_output_usd_per_mtok numeric(38,12),
            scores jsonb not null,
            requests_30d bigint not null,
            spend_30d_usd numeric(38,18),
            facts jsonb not null,
            conflicts text[] not null,
            unverified text[] not null,
            constraint model_catalog_pkey primary key (model_id),
            constraint model_catalog_openness_accepted check (openness in ('open_source', 'open_weight', 'closed', 'unknown'))
        );
        """
    )
