\restrict Oz9ohrjSf0ROgAOuPWPAkQr3a1CfymrUxO68rmmNgazrli3iU8oKi65id9eXKa7
SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE SCHEMA core;
CREATE SCHEMA mart;
CREATE SCHEMA raw;
CREATE SCHEMA staging;
CREATE TYPE core.uuidrange AS RANGE (
    subtype = uuid,
    multirange_type_name = core.uuidmultirange
);
CREATE FUNCTION core.price_as_known(at timestamp with time zone DEFAULT now(), known_at timestamp with time zone DEFAULT now()) RETURNS TABLE(price_id uuid, feed text, provider_id text, model_id text, raw_model text, meter text, unit text, service_tier text, region text, context_from_tokens bigint, context_to_tokens bigint, context_bound text, context_scope text, context_counts text, time_window text, contract_id text, reasoning_mode text, usd_per_million numeric, unit_price numeric, pricing_currency text, pricing_quantity bigint, valid_from timestamp with time zone, valid_to timestamp with time zone, date_basis text, recorded_at timestamp with time zone, superseded_at timestamp with time zone, supersede_reason text, source_locator text, extracted_text text, landing_path text, sha256 text, is_stale boolean)
    LANGUAGE sql STABLE
    AS $$
    with feed_state as (
        select source as feed, max(observed_at) as landed_at, max(observed_at) filter (where valid > 0) as read_at
        from raw.snapshot
        where kind = 'prices' and observed_at <= known_at
        group by source
    )
    select
        price.price_id, price.feed, price.provider_id, price.model_id, price.raw_model, price.meter, price.unit,
        price.service_tier, price.region, price.context_from_tokens, price.context_to_tokens, price.context_bound,
        price.context_scope, price.context_counts, price.time_window, price.contract_id, price.reasoning_mode,
        price.usd_per_million, price.unit_price, price.pricing_currency, price.pricing_quantity, price.valid_from,
        price.valid_to, price.date_basis, price.recorded_at, price.superseded_at, price.supersede_reason,
        price.source_locator, price.extracted_text, file.landing_path, file.sha256,
        feed_state.read_at is distinct from feed_state.landed_at as is_stale
    from core.price
    left join raw.snapshot as file using (snapshot_id)
    left join feed_state on feed_state.feed = price.feed
    where price.recorded_at <= known_at and (price.superseded_at is null or price.superseded_at > known_at)
        and price.valid_from <= at and (price.valid_to is null or price.valid_to > at)
$$;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE core.rate_card (
    rate_id uuid NOT NULL,
    provider_id text NOT NULL,
    model_id text NOT NULL,
    service_tier text NOT NULL,
    region text NOT NULL,
    time_window text NOT NULL,
    contract_id text NOT NULL,
    reasoning_mode text NOT NULL,
    context_from_tokens bigint NOT NULL,
    context_to_tokens bigint,
    context_counts text NOT NULL,
    valid_from timestamp with time zone NOT NULL,
    valid_to timestamp with time zone,
    input_uncached_usd_per_mtok numeric(38,12),
    input_cache_read_usd_per_mtok numeric(38,12),
    input_cache_write_usd_per_mtok numeric(38,12),
    input_cache_write_5m_usd_per_mtok numeric(38,12),
    input_cache_write_30m_usd_per_mtok numeric(38,12),
    input_cache_write_1h_usd_per_mtok numeric(38,12),
    input_cache_write_12h_usd_per_mtok numeric(38,12),
    input_audio_usd_per_mtok numeric(38,12),
    input_audio_cache_read_usd_per_mtok numeric(38,12),
    input_image_usd_per_mtok numeric(38,12),
    input_image_cache_read_usd_per_mtok numeric(38,12),
    input_video_usd_per_mtok numeric(38,12),
    input_tool_usd_per_mtok numeric(38,12),
    output_text_usd_per_mtok numeric(38,12),
    output_reasoning_usd_per_mtok numeric(38,12),
    output_audio_usd_per_mtok numeric(38,12),
    output_image_usd_per_mtok numeric(38,12),
    request_usd_per_million numeric(38,12),
    web_search_usd_per_million numeric(38,12),
    grounded_prompt_usd_per_million numeric(38,12),
    price_ids jsonb NOT NULL,
    fallbacks jsonb NOT NULL,
    exchange_rates jsonb NOT NULL,
    marginal jsonb NOT NULL,
    minimum_charge_usd numeric(38,18),
    rerank_search_usd_per_million numeric(38,12),
    document_page_usd_per_million numeric(38,12),
    annotated_document_page_usd_per_million numeric(38,12),
    CONSTRAINT rate_card_context CHECK (((context_from_tokens >= 0) AND (context_to_tokens > context_from_tokens))),
    CONSTRAINT rate_card_context_counts_accepted CHECK ((context_counts = ANY (ARRAY['input'::text, 'input_uncached'::text, 'output'::text, 'input_output'::text]))),
    CONSTRAINT rate_card_period CHECK ((valid_to > valid_from)),
    CONSTRAINT rate_card_reasoning_mode_accepted CHECK ((reasoning_mode = ANY (ARRAY[''::text, 'thinking'::text, 'non_thinking'::text])))
);
CREATE FUNCTION core.rate_at(seller text, model text, at timestamp with time zone DEFAULT now(), tier text DEFAULT 'standard'::text, in_region text DEFAULT ''::text) RETURNS SETOF core.rate_card
    LANGUAGE sql STABLE
    AS $$
    select *
    from core.rate_card as card
    where card.provider_id = seller and card.model_id = model and card.service_tier = tier
        and card.region in ('', in_region) and card.contract_id = ''
        and card.valid_from <= at and (card.valid_to is null or card.valid_to > at)
    order by
        card.region = in_region desc, card.time_window, card.reasoning_mode, card.context_from_tokens,
        card.valid_from desc, card.rate_id
    limit 1
$$;
CREATE FUNCTION core.spend_as_known(from_date date, to_date date, known_at timestamp with time zone DEFAULT now()) RETURNS TABLE(event_date date, provider_id text, model_id text, requests bigint, requests_without_price bigint, cost_usd numeric)
    LANGUAGE plpgsql STABLE
    AS $$
#variable_conflict use_column
begin
    return query
    with landed as (
        select request.event_date, request.request_uid, request.event_at, request.provider_id, request.model_id
        from core.request as request
        join raw.snapshot as file using (snapshot_id)
        where request.event_date >= spend_as_known.from_date and request.event_date < spend_as_known.to_date
            and file.observed_at <= spend_as_known.known_at
            and request.rate_id is not null
    ),
    charged as (
        select
            landed.*,
            charge.price_id,
            charge.cost_usd,
            charge.quantity,
            price.sku_id
        from landed
        join core.request_charge as charge
            on charge.event_date = landed.event_date and charge.request_uid = landed.request_uid
        left join core.price as price on price.price_id = charge.price_id
        where charge.event_date >= spend_as_known.from_date and charge.event_date < spend_as_known.to_date
    ),
    priced as (
        select
            charged.*,
            case
                when charged.price_id is null or believed.price_id = charged.price_id then charged.cost_usd
                else round(charged.quantity * believed.usd_per_million / 1000000, 18)
            end as known_usd
        from charged
        left join core.price as believed
            on believed.sku_id = charged.sku_id
            and believed.recorded_at <= spend_as_known.known_at
            and (believed.superseded_at is null or believed.superseded_at > spend_as_known.known_at)
            and believed.valid_from <= charged.event_at
            and (believed.valid_to is null or believed.valid_to > charged.event_at)
    ),
    by_request as (
        select
            priced.event_date, priced.provider_id, priced.model_id, priced.request_uid,
            sum(priced.known_usd) as known_usd, bool_or(priced.known_usd is null) as lacks_a_price
        from priced
        group by 1, 2, 3, 4
    )
    select
        by_request.event_date, by_request.provider_id, by_request.model_id,
        count(*), count(*) filter (where by_request.lacks_a_price),
        sum(by_request.known_usd) filter (where not by_request.lacks_a_price)
    from by_request
    group by 1, 2, 3;
end
$$;
CREATE FUNCTION raw.arrival_date(landing_path text, observed_at timestamp with time zone) RETURNS date
    LANGUAGE plpgsql IMMUTABLE
    AS $$
declare
    found text[];
begin
    found := regexp_match(
        landing_path, '(?<!\d)(20\d\d)(?:-|/(?:m(?:onth)?=)?|)(\d\d)(?:-|/(?:d(?:ay)?=)?|)(\d\d)(?!\d)'
    );
    return coalesce(make_date(found[1]::int, found[2]::int, found[3]::int), (observed_at at time zone 'utc')::date);
exception
    when datetime_field_overflow then
        return (observed_at at time zone 'utc')::date;
end
$$;
CREATE TABLE core.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE core.alert (
    alert_id uuid NOT NULL,
    kind text NOT NULL,
    raised_at timestamp with time zone NOT NULL,
    event_date date NOT NULL,
    title text NOT NULL,
    detail text NOT NULL,
    usd numeric(38,18),
    link text NOT NULL,
    CONSTRAINT alert_kind_accepted CHECK ((kind = ANY (ARRAY['run_failed'::text, 'check_failed'::text, 'budget'::text, 'anomaly'::text, 'drift'::text, 'price_change'::text, 'unpriced_model'::text, 'stale_feed'::text, 'credit_expiring'::text, 'source_set_aside'::text, 'source_silent'::text])))
);
CREATE TABLE core.alert_delivery (
    alert_id uuid NOT NULL,
    channel text NOT NULL,
    attempts integer NOT NULL,
    attempted_at timestamp with time zone NOT NULL,
    sent_at timestamp with time zone,
    problem text
);
CREATE TABLE core.benchmark (
    benchmark_id text NOT NULL,
    display_name text NOT NULL,
    metric_kind text NOT NULL,
    unit text NOT NULL,
    lower_is_better boolean NOT NULL,
    min_score double precision,
    max_score double precision
);
CREATE TABLE core.benchmark_score (
    score_id uuid NOT NULL,
    board text NOT NULL,
    benchmark_version_id text NOT NULL,
    source_row_key text NOT NULL,
    raw_model text NOT NULL,
    model_id text,
    variant text NOT NULL,
    score double precision NOT NULL,
    score_text text NOT NULL,
    n_items integer,
    n_success integer,
    n_trials integer,
    stderr double precision,
    ci_low double precision,
    ci_high double precision,
    ci_level double precision,
    ci_method text NOT NULL,
    votes bigint,
    run_cost_usd numeric(38,18),
    run_input_tokens bigint,
    run_output_tokens bigint,
    measured_by text NOT NULL,
    as_of date NOT NULL,
    observed_at timestamp with time zone NOT NULL,
    superseded_at timestamp with time zone,
    supersede_reason text,
    snapshot_id uuid NOT NULL,
    source_locator text NOT NULL,
    harness text,
    weights text,
    resolution_method text,
    resolution_confidence double precision,
    CONSTRAINT benchmark_score_belief_period CHECK ((superseded_at > observed_at)),
    CONSTRAINT benchmark_score_ci_method_accepted CHECK ((ci_method = ANY (ARRAY['reported'::text, 'wilson'::text, 'bootstrap'::text, 'none'::text]))),
    CONSTRAINT benchmark_score_measured_by_accepted CHECK ((measured_by = ANY (ARRAY['vendor'::text, 'independent'::text, 'community'::text, 'aggregator'::text]))),
    CONSTRAINT benchmark_score_supersede_reason_accepted CHECK ((supersede_reason = ANY (ARRAY['revised'::text, 'removed'::text, 'renamed'::text, 'rebased'::text]))),
    CONSTRAINT benchmark_score_weights_accepted CHECK ((weights = ANY (ARRAY['open'::text, 'closed'::text])))
);
CREATE TABLE core.benchmark_version (
    benchmark_version_id text NOT NULL,
    benchmark_id text NOT NULL,
    version_label text NOT NULL,
    scale_epoch integer NOT NULL,
    n_items integer,
    valid_from date NOT NULL
);
CREATE TABLE core.booked_charge (
    period date NOT NULL,
    charge_class text,
    event_date date NOT NULL,
    charge_id uuid NOT NULL,
    provider_id text NOT NULL,
    model_id text NOT NULL,
    openness text NOT NULL,
    service_tier text NOT NULL,
    region text NOT NULL,
    team text NOT NULL,
    project text NOT NULL,
    cost_centre text NOT NULL,
    environment text NOT NULL,
    application text NOT NULL,
    meter text NOT NULL,
    unit text,
    quantity bigint,
    rate_id uuid,
    contract_id text NOT NULL,
    priced_as text,
    price_id uuid,
    list_price_id uuid,
    list_usd_per_million numeric(38,12),
    contracted_usd_per_million numeric(38,12),
    pricing_currency text,
    usd_per_currency numeric(38,18),
    list_cost_usd numeric(38,18),
    contracted_cost_usd numeric(38,18),
    effective_cost_usd numeric(38,18),
    billed_cost_usd numeric(38,18),
    unpriced_reason text,
    reported_cost_usd numeric(38,18),
    CONSTRAINT booked_charge_charge_class_accepted CHECK ((charge_class = 'Correction'::text))
);
CREATE TABLE core.booked_commitment (
    period date NOT NULL,
    charge_class text,
    event_date date NOT NULL,
    commitment_id text NOT NULL,
    kind text NOT NULL,
    provider_id text NOT NULL,
    commitment_discount_status text NOT NULL,
    model_id text NOT NULL,
    team text NOT NULL,
    project text NOT NULL,
    cost_centre text NOT NULL,
    environment text NOT NULL,
    application text NOT NULL,
    amount_usd numeric(38,18) NOT NULL,
    effective_cost_usd numeric(38,18) NOT NULL,
    covered_usd numeric(38,18),
    allocated_method_id text NOT NULL,
    billed_cost_usd numeric(38,18) NOT NULL,
    commitment_discount_quantity numeric(38,18),
    commitment_discount_unit text,
    CONSTRAINT booked_commitment_charge_class_accepted CHECK ((charge_class = 'Correction'::text))
);
CREATE TABLE core.booked_share (
    period date NOT NULL,
    event_date date NOT NULL,
    place integer NOT NULL,
    allocated_method_id text NOT NULL,
    rule jsonb NOT NULL,
    receiver text NOT NULL,
    weight numeric(38,18) NOT NULL
);
CREATE TABLE core.forgotten_user (
    user_sha256 text NOT NULL,
    replacement text,
    forgotten_at timestamp with time zone NOT NULL
);
CREATE TABLE core.fx_rate (
    fx_rate_id uuid NOT NULL,
    currency text NOT NULL,
    feed text NOT NULL,
    precedence integer NOT NULL,
    steps text NOT NULL,
    usd_per_unit numeric(38,18) NOT NULL,
    rate_as_found text NOT NULL,
    valid_from timestamp with time zone NOT NULL,
    valid_to timestamp with time zone,
    recorded_at timestamp with time zone NOT NULL,
    superseded_at timestamp with time zone,
    snapshot_id uuid,
    source_locator text NOT NULL,
    CONSTRAINT fx_rate_steps_accepted CHECK ((steps = ANY (ARRAY['day'::text, 'month'::text])))
);
CREATE TABLE core.gpu_price (
    gpu_price_id uuid NOT NULL,
    gpu text NOT NULL,
    source text NOT NULL,
    region text NOT NULL,
    term text NOT NULL,
    usd_per_hour numeric(38,12) NOT NULL,
    is_own boolean NOT NULL,
    valid_from date NOT NULL,
    valid_to date,
    recorded_at date NOT NULL,
    superseded_at date,
    snapshot_id uuid,
    CONSTRAINT gpu_price_belief_period CHECK ((superseded_at > recorded_at)),
    CONSTRAINT gpu_price_valid_period CHECK ((valid_to > valid_from))
);
CREATE TABLE core.model (
    model_id text NOT NULL,
    developer text,
    family text,
    display_name text NOT NULL,
    openness text NOT NULL,
    license text,
    total_params_b double precision,
    active_params_b double precision,
    context_tokens bigint,
    released_date date,
    decided_by text NOT NULL,
    CONSTRAINT model_openness_accepted CHECK ((openness = ANY (ARRAY['open_source'::text, 'open_weight'::text, 'closed'::text, 'unknown'::text])))
);
CREATE TABLE core.model_alias (
    provider_id text NOT NULL,
    raw_name text NOT NULL,
    model_id text,
    method text NOT NULL,
    confidence double precision NOT NULL,
    decided_by text NOT NULL
);
CREATE TABLE core.period_act (
    period date NOT NULL,
    acted_at timestamp with time zone NOT NULL,
    act text NOT NULL,
    reason text,
    charges bigint NOT NULL,
    billed_cost_usd numeric(38,18) NOT NULL,
    CONSTRAINT period_act_act_accepted CHECK ((act = ANY (ARRAY['close'::text, 'reopen'::text])))
);
CREATE TABLE core.price (
    price_id uuid NOT NULL,
    sku_id uuid NOT NULL,
    feed text NOT NULL,
    provider_id text NOT NULL,
    model_id text NOT NULL,
    raw_model text NOT NULL,
    meter text NOT NULL,
    unit text NOT NULL,
    service_tier text NOT NULL,
    region text NOT NULL,
    context_from_tokens bigint NOT NULL,
    context_to_tokens bigint,
    context_bound text NOT NULL,
    context_scope text NOT NULL,
    context_counts text NOT NULL,
    time_window text NOT NULL,
    contract_id text NOT NULL,
    reasoning_mode text NOT NULL,
    unit_price numeric(38,18) NOT NULL,
    pricing_currency text NOT NULL,
    pricing_quantity bigint NOT NULL,
    usd_per_million numeric(38,12),
    valid_from timestamp with time zone NOT NULL,
    valid_to timestamp with time zone,
    date_basis text NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    superseded_at timestamp with time zone,
    supersede_reason text,
    snapshot_id uuid NOT NULL,
    source_locator text NOT NULL,
    extracted_text text NOT NULL,
    parser_version text NOT NULL,
    CONSTRAINT price_belief_period CHECK ((superseded_at > recorded_at)),
    CONSTRAINT price_context CHECK ((context_to_tokens > context_from_tokens)),
    CONSTRAINT price_context_bound_accepted CHECK ((context_bound = ANY (ARRAY['gt'::text, 'gte'::text]))),
    CONSTRAINT price_context_counts_accepted CHECK ((context_counts = ANY (ARRAY['input'::text, 'input_uncached'::text, 'output'::text, 'input_output'::text]))),
    CONSTRAINT price_context_scope_accepted CHECK ((context_scope = ANY (ARRAY['whole_request'::text, 'marginal'::text]))),
    CONSTRAINT price_date_basis_accepted CHECK ((date_basis = ANY (ARRAY['documented'::text, 'announced'::text, 'first_observed'::text, 'unknown'::text]))),
    CONSTRAINT price_quantity CHECK (((pricing_quantity > 0) AND (context_from_tokens >= 0))),
    CONSTRAINT price_reasoning_mode_accepted CHECK ((reasoning_mode = ANY (ARRAY[''::text, 'thinking'::text, 'non_thinking'::text]))),
    CONSTRAINT price_supersede_reason_accepted CHECK ((supersede_reason = ANY (ARRAY['changed'::text, 'corrected'::text, 'retracted'::text, 'source_removed'::text]))),
    CONSTRAINT price_unit_accepted CHECK ((unit = ANY (ARRAY['token'::text, 'token_hour'::text, 'request'::text, 'search'::text, 'page'::text, 'second'::text, 'image'::text, 'pixel'::text, 'character'::text, 'session'::text]))),
    CONSTRAINT price_valid_period CHECK ((valid_to > valid_from))
);
CREATE VIEW core.price_in_force AS
 WITH cards AS (
         SELECT rate_card.rate_id,
            rate_card.provider_id,
            rate_card.model_id,
            rate_card.service_tier,
            rate_card.region,
            rate_card.time_window,
            rate_card.contract_id,
            rate_card.reasoning_mode,
            rate_card.context_from_tokens,
            rate_card.context_to_tokens,
            rate_card.context_counts,
            rate_card.valid_from,
            rate_card.valid_to,
            rate_card.input_uncached_usd_per_mtok,
            rate_card.input_cache_read_usd_per_mtok,
            rate_card.input_cache_write_usd_per_mtok,
            rate_card.input_cache_write_5m_usd_per_mtok,
            rate_card.input_cache_write_30m_usd_per_mtok,
            rate_card.input_cache_write_1h_usd_per_mtok,
            rate_card.input_cache_write_12h_usd_per_mtok,
            rate_card.input_audio_usd_per_mtok,
            rate_card.input_audio_cache_read_usd_per_mtok,
            rate_card.input_image_usd_per_mtok,
            rate_card.input_image_cache_read_usd_per_mtok,
            rate_card.input_video_usd_per_mtok,
            rate_card.input_tool_usd_per_mtok,
            rate_card.output_text_usd_per_mtok,
            rate_card.output_reasoning_usd_per_mtok,
            rate_card.output_audio_usd_per_mtok,
            rate_card.output_image_usd_per_mtok,
            rate_card.request_usd_per_million,
            rate_card.web_search_usd_per_million,
            rate_card.grounded_prompt_usd_per_million,
            rate_card.price_ids,
            rate_card.fallbacks,
            rate_card.exchange_rates,
            rate_card.marginal,
            rate_card.minimum_charge_usd,
            rate_card.rerank_search_usd_per_million,
            rate_card.document_page_usd_per_million,
            rate_card.annotated_document_page_usd_per_million
           FROM core.rate_card
          WHERE ((rate_card.valid_from <= now()) AND ((rate_card.valid_to IS NULL) OR (rate_card.valid_to > now())))
        ), used AS (
         SELECT DISTINCT (priced.price_id)::uuid AS price_id
           FROM (cards
             CROSS JOIN LATERAL jsonb_each_text(cards.price_ids) priced(meter, price_id))
        ), final AS (
         SELECT prices.price_id,
            prices.feed,
            prices.provider_id,
            prices.model_id,
            prices.raw_model,
            prices.meter,
            prices.unit,
            prices.service_tier,
            prices.region,
            prices.context_from_tokens,
            prices.context_to_tokens,
            prices.context_bound,
            prices.context_scope,
            prices.context_counts,
            prices.time_window,
            prices.contract_id,
            prices.reasoning_mode,
            prices.usd_per_million,
            prices.unit_price,
            prices.pricing_currency,
            prices.pricing_quantity,
            prices.valid_from,
            prices.valid_to,
            prices.date_basis,
            prices.recorded_at,
            prices.superseded_at,
            prices.supersede_reason,
            prices.source_locator,
            prices.extracted_text,
            prices.landing_path,
            prices.sha256,
            prices.is_stale,
            (used.price_id IS NOT NULL) AS is_used
           FROM (core.price_as_known(now(), now()) prices(price_id, feed, provider_id, model_id, raw_model, meter, unit, service_tier, region, context_from_tokens, context_to_tokens, context_bound, context_scope, context_counts, time_window, contract_id, reasoning_mode, usd_per_million, unit_price, pricing_currency, pricing_quantity, valid_from, valid_to, date_basis, recorded_at, superseded_at, supersede_reason, source_locator, extracted_text, landing_path, sha256, is_stale)
             LEFT JOIN used ON ((prices.price_id = used.price_id)))
        )
 SELECT price_id,
    feed,
    provider_id,
    model_id,
    raw_model,
    meter,
    unit,
    service_tier,
    region,
    context_from_tokens,
    context_to_tokens,
    context_bound,
    context_scope,
    context_counts,
    time_window,
    contract_id,
    reasoning_mode,
    usd_per_million,
    unit_price,
    pricing_currency,
    pricing_quantity,
    valid_from,
    valid_to,
    date_basis,
    recorded_at,
    superseded_at,
    supersede_reason,
    source_locator,
    extracted_text,
    landing_path,
    sha256,
    is_stale,
    is_used
   FROM final;
CREATE TABLE core.reported_cost (
    event_date date NOT NULL,
    cost_uid uuid NOT NULL,
    observed_at timestamp with time zone NOT NULL,
    superseded_at timestamp with time zone,
    supersede_reason text,
    source text NOT NULL,
    snapshot_id uuid NOT NULL,
    line_no bigint NOT NULL,
    item_no integer NOT NULL,
    source_locator text NOT NULL,
    bucket_from timestamp with time zone NOT NULL,
    bucket_to timestamp with time zone NOT NULL,
    provider_id text NOT NULL,
    report text NOT NULL,
    project_id text,
    api_key_id text,
    end_user_id text,
    raw_model text,
    model_id text,
    resolution_method text NOT NULL,
    line_item text,
    meter text,
    upstream_provider text,
    service_tier text,
    region text,
    context_window text,
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
    request_count bigint,
    web_search_count bigint,
    quantity numeric(38,18),
    quantity_unit text,
    amount_text text,
    amount numeric(38,18),
    currency text,
    amount_usd numeric(38,18),
    byok_cost_usd numeric(38,18),
    list_amount numeric(38,18),
    charge_category text,
    product text,
    rerank_search_count bigint,
    document_page_count bigint,
    annotated_document_page_count bigint,
    CONSTRAINT reported_cost_amount CHECK (((amount IS NULL) = (currency IS NULL))),
    CONSTRAINT reported_cost_belief_period CHECK (((superseded_at > observed_at) AND ((superseded_at IS NULL) = (supersede_reason IS NULL)))),
    CONSTRAINT reported_cost_bucket CHECK (((bucket_to > bucket_from) AND (event_date = ((bucket_from AT TIME ZONE 'UTC'::text))::date))),
    CONSTRAINT reported_cost_supersede_reason_accepted CHECK ((supersede_reason = ANY (ARRAY['revised'::text, 'removed'::text])))
);
CREATE TABLE core.request (
    event_date date NOT NULL,
    request_uid uuid NOT NULL,
    event_at timestamp with time zone NOT NULL,
    source text NOT NULL,
    snapshot_id uuid NOT NULL,
    line_no bigint NOT NULL,
    item_no integer NOT NULL,
    source_request_id text,
    session_id text,
    operation text NOT NULL,
    provider_id text,
    request_model text,
    response_model text,
    model_id text,
    resolution_method text NOT NULL,
    team text,
    project text,
    environment text,
    application text,
    end_user_id text,
    tags jsonb,
    service_tier text NOT NULL,
    region text NOT NULL,
    is_stream boolean,
    status text NOT NULL,
    http_status integer,
    finish_reason text,
    latency_ms double precision,
    ttft_ms double precision,
    input_uncached_tokens integer NOT NULL,
    input_cache_read_tokens integer NOT NULL,
    input_cache_write_tokens integer NOT NULL,
    input_cache_write_5m_tokens integer NOT NULL,
    input_cache_write_30m_tokens integer NOT NULL,
    input_cache_write_1h_tokens integer NOT NULL,
    input_cache_write_12h_tokens integer NOT NULL,
    input_audio_tokens integer NOT NULL,
    input_audio_cache_read_tokens integer NOT NULL,
    input_image_tokens integer NOT NULL,
    input_image_cache_read_tokens integer NOT NULL,
    input_video_tokens integer NOT NULL,
    input_tool_tokens integer NOT NULL,
    output_text_tokens integer NOT NULL,
    output_reasoning_tokens integer NOT NULL,
    output_audio_tokens integer NOT NULL,
    output_image_tokens integer NOT NULL,
    web_search_count integer NOT NULL,
    token_semantics text NOT NULL,
    usage_basis text NOT NULL,
    is_billable boolean NOT NULL,
    reported_cost_usd numeric(38,18),
    rate_id uuid,
    list_cost_usd numeric(38,18),
    contracted_cost_usd numeric(38,18),
    effective_cost_usd numeric(38,18),
    unpriced_reason text,
    cost_centre text,
    rerank_search_count integer NOT NULL,
    document_page_count integer NOT NULL,
    annotated_document_page_count integer NOT NULL,
    CONSTRAINT request_cost_or_reason CHECK ((num_nonnulls(list_cost_usd, contracted_cost_usd, effective_cost_usd) =
CASE
    WHEN (unpriced_reason IS NULL) THEN 3
    ELSE 0
END)),
    CONSTRAINT request_counts CHECK ((LEAST(input_uncached_tokens, input_cache_read_tokens, input_cache_write_tokens, input_cache_write_5m_tokens, input_cache_write_30m_tokens, input_cache_write_1h_tokens, input_cache_write_12h_tokens, input_audio_tokens, input_audio_cache_read_tokens, input_image_tokens, input_image_cache_read_tokens, input_video_tokens, input_tool_tokens, output_text_tokens, output_reasoning_tokens, output_audio_tokens, output_image_tokens, web_search_count, rerank_search_count, document_page_count, annotated_document_page_count) >= 0)),
    CONSTRAINT request_event_date CHECK ((event_date = ((event_at AT TIME ZONE 'UTC'::text))::date)),
    CONSTRAINT request_status_accepted CHECK ((status = ANY (ARRAY['ok'::text, 'error'::text, 'cancelled'::text, 'cache_hit'::text]))),
    CONSTRAINT request_unpriced_reason_accepted CHECK ((unpriced_reason = ANY (ARRAY['model_unresolved'::text, 'provider_unknown'::text, 'no_price'::text, 'no_price_for_tier'::text, 'no_price_at_time'::text, 'no_rate_for_meter'::text, 'no_exchange_rate'::text, 'usage_missing'::text]))),
    CONSTRAINT request_usage_basis_accepted CHECK ((usage_basis = ANY (ARRAY['reported'::text, 'estimated'::text, 'partial'::text, 'missing'::text])))
)
PARTITION BY RANGE (event_date);
CREATE TABLE core.request_20260228 (
    event_date date CONSTRAINT request_event_date_not_null NOT NULL,
    request_uid uuid CONSTRAINT request_request_uid_not_null NOT NULL,
    event_at timestamp with time zone CONSTRAINT request_event_at_not_null NOT NULL,
    source text CONSTRAINT request_source_not_null NOT NULL,
    snapshot_id uuid CONSTRAINT request_snapshot_id_not_null NOT NULL,
    line_no bigint CONSTRAINT request_line_no_not_null NOT NULL,
    item_no integer CONSTRAINT request_item_no_not_null NOT NULL,
    source_request_id text,
    session_id text,
    operation text CONSTRAINT request_operation_not_null NOT NULL,
    provider_id text,
    request_model text,
    response_model text,
    model_id text,
    resolution_method text CONSTRAINT request_resolution_method_not_null NOT NULL,
    team text,
    project text,
    environment text,
    application text,
    end_user_id text,
    tags jsonb,
    service_tier text CONSTRAINT request_service_tier_not_null NOT NULL,
    region text CONSTRAINT request_region_not_null NOT NULL,
    is_stream boolean,
    status text CONSTRAINT request_status_not_null NOT NULL,
    http_status integer,
    finish_reason text,
    latency_ms double precision,
    ttft_ms double precision,
    input_uncached_tokens integer CONSTRAINT request_input_uncached_tokens_not_null NOT NULL,
    input_cache_read_tokens integer CONSTRAINT request_input_cache_read_tokens_not_null NOT NULL,
    input_cache_write_tokens integer CONSTRAINT request_input_cache_write_tokens_not_null NOT NULL,
    input_cache_write_5m_tokens integer CONSTRAINT request_input_cache_write_5m_tokens_not_null NOT NULL,
    input_cache_write_30m_tokens integer CONSTRAINT request_input_cache_write_30m_tokens_not_null NOT NULL,
    input_cache_write_1h_tokens integer CONSTRAINT request_input_cache_write_1h_tokens_not_null NOT NULL,
    input_cache_write_12h_tokens integer CONSTRAINT request_input_cache_write_12h_tokens_not_null NOT NULL,
    input_audio_tokens integer CONSTRAINT request_input_audio_tokens_not_null NOT NULL,
    input_audio_cache_read_tokens integer CONSTRAINT request_input_audio_cache_read_tokens_not_null NOT NULL,
    input_image_tokens integer CONSTRAINT request_input_image_tokens_not_null NOT NULL,
    input_image_cache_read_tokens integer CONSTRAINT request_input_image_cache_read_tokens_not_null NOT NULL,
    input_video_tokens integer CONSTRAINT request_input_video_tokens_not_null NOT NULL,
    input_tool_tokens integer CONSTRAINT request_input_tool_tokens_not_null NOT NULL,
    output_text_tokens integer CONSTRAINT request_output_text_tokens_not_null NOT NULL,
    output_reasoning_tokens integer CONSTRAINT request_output_reasoning_tokens_not_null NOT NULL,
    output_audio_tokens integer CONSTRAINT request_output_audio_tokens_not_null NOT NULL,
    output_image_tokens integer CONSTRAINT request_output_image_tokens_not_null NOT NULL,
    web_search_count integer CONSTRAINT request_web_search_count_not_null NOT NULL,
    token_semantics text CONSTRAINT request_token_semantics_not_null NOT NULL,
    usage_basis text CONSTRAINT request_usage_basis_not_null NOT NULL,
    is_billable boolean CONSTRAINT request_is_billable_not_null NOT NULL,
    reported_cost_usd numeric(38,18),
    rate_id uuid,
    list_cost_usd numeric(38,18),
    contracted_cost_usd numeric(38,18),
    effective_cost_usd numeric(38,18),
    unpriced_reason text,
    cost_centre text,
    rerank_search_count integer CONSTRAINT request_rerank_search_count_not_null NOT NULL,
    document_page_count integer CONSTRAINT request_document_page_count_not_null NOT NULL,
    annotated_document_page_count integer CONSTRAINT request_annotated_document_page_count_not_null NOT NULL,
    CONSTRAINT request_20260228_689047b1_event_date_check CHECK (((event_date >= '2026-02-28'::date) AND (event_date < '2026-03-01'::date))),
    CONSTRAINT request_cost_or_reason CHECK ((num_nonnulls(list_cost_usd, contracted_cost_usd, effective_cost_usd) =
CASE
    WHEN (unpriced_reason IS NULL) THEN 3
    ELSE 0
END)),
    CONSTRAINT request_counts CHECK ((LEAST(input_uncached_tokens, input_cache_read_tokens, input_cache_write_tokens, input_cache_write_5m_tokens, input_cache_write_30m_tokens, input_cache_write_1h_tokens, input_cache_write_12h_tokens, input_audio_tokens, input_audio_cache_read_tokens, input_image_tokens, input_image_cache_read_tokens, input_video_tokens, input_tool_tokens, output_text_tokens, output_reasoning_tokens, output_audio_tokens, output_image_tokens, web_search_count, rerank_search_count, document_page_count, annotated_document_page_count) >= 0)),
    CONSTRAINT request_event_date CHECK ((event_date = ((event_at AT TIME ZONE 'UTC'::text))::date)),
    CONSTRAINT request_status_accepted CHECK ((status = ANY (ARRAY['ok'::text, 'error'::text, 'cancelled'::text, 'cache_hit'::text]))),
    CONSTRAINT request_unpriced_reason_accepted CHECK ((unpriced_reason = ANY (ARRAY['model_unresolved'::text, 'provider_unknown'::text, 'no_price'::text, 'no_price_for_tier'::text, 'no_price_at_time'::text, 'no_rate_for_meter'::text, 'no_exchange_rate'::text, 'usage_missing'::text]))),
    CONSTRAINT request_usage_basis_accepted CHECK ((usage_basis = ANY (ARRAY['reported'::text, 'estimated'::text, 'partial'::text, 'missing'::text])))
);
CREATE TABLE raw.snapshot (
    snapshot_id uuid NOT NULL,
    kind text NOT NULL,
    source text NOT NULL,
    format text NOT NULL,
    landing_path text NOT NULL,
    sha256 text NOT NULL,
    size_bytes bigint NOT NULL,
    observed_at timestamp with time zone NOT NULL,
    url text,
    http_status integer,
    etag text,
    parser_version text NOT NULL,
    lines bigint NOT NULL,
    valid bigint NOT NULL,
    quarantined bigint NOT NULL,
    event_dates date[] NOT NULL,
    CONSTRAINT snapshot_counts CHECK ((LEAST(size_bytes, lines, valid, quarantined) >= 0)),
    CONSTRAINT snapshot_kind CHECK ((kind = ANY (ARRAY['requests'::text, 'bills'::text, 'shadow'::text, 'prices'::text, 'leaderboards'::text, 'selfhost'::text])))
);
CREATE VIEW core.request_charge AS
 WITH requests AS NOT MATERIALIZED (
         SELECT request.event_date,
            request.request_uid,
            request.event_at,
            request.provider_id,
            request.model_id,
            request.contracted_cost_usd,
            request.rate_id,
            (request.input_uncached_tokens)::bigint AS input_uncached,
            (request.input_cache_read_tokens)::bigint AS input_cache_read,
            (request.input_cache_write_tokens)::bigint AS input_cache_write,
            (request.input_cache_write_5m_tokens)::bigint AS input_cache_write_5m,
            (request.input_cache_write_30m_tokens)::bigint AS input_cache_write_30m,
            (request.input_cache_write_1h_tokens)::bigint AS input_cache_write_1h,
            (request.input_cache_write_12h_tokens)::bigint AS input_cache_write_12h,
            (request.input_audio_tokens)::bigint AS input_audio,
            (request.input_audio_cache_read_tokens)::bigint AS input_audio_cache_read,
            (request.input_image_tokens)::bigint AS input_image,
            (request.input_image_cache_read_tokens)::bigint AS input_image_cache_read,
            (request.input_video_tokens)::bigint AS input_video,
            (request.input_tool_tokens)::bigint AS input_tool,
            (request.output_text_tokens)::bigint AS output_text,
            (request.output_reasoning_tokens)::bigint AS output_reasoning,
            (request.output_audio_tokens)::bigint AS output_audio,
            (request.output_image_tokens)::bigint AS output_image,
            (1)::bigint AS request,
            (request.web_search_count)::bigint AS web_search,
            (LEAST(request.web_search_count, 1))::bigint AS grounded_prompt,
            (request.rerank_search_count)::bigint AS rerank_search,
            (request.document_page_count)::bigint AS document_page,
            (request.annotated_document_page_count)::bigint AS annotated_document_page
           FROM core.request
          WHERE (request.rate_id IS NOT NULL)
        ), charges AS NOT MATERIALIZED (
         SELECT requests.event_date,
            requests.request_uid,
            requests.event_at,
            requests.provider_id,
            requests.model_id,
            requests.contracted_cost_usd,
            requests.rate_id,
            requests.input_uncached,
            requests.input_cache_read,
            requests.input_cache_write,
            requests.input_cache_write_5m,
            requests.input_cache_write_30m,
            requests.input_cache_write_1h,
            requests.input_cache_write_12h,
            requests.input_audio,
            requests.input_audio_cache_read,
            requests.input_image,
            requests.input_image_cache_read,
            requests.input_video,
            requests.input_tool,
            requests.output_text,
            requests.output_reasoning,
            requests.output_audio,
            requests.output_image,
            requests.request,
            requests.web_search,
            requests.grounded_prompt,
            requests.rerank_search,
            requests.document_page,
            requests.annotated_document_page,
            part.meter,
            part.unit,
            part.quantity,
            part.usd_per_million,
            (((part.quantity)::numeric * part.usd_per_million) * 0.000001) AS cost_usd,
            COALESCE((card.fallbacks ->> part.meter), part.meter) AS priced_as,
            ((card.price_ids ->> COALESCE((card.fallbacks ->> part.meter), part.meter)))::uuid AS price_id
           FROM ((requests
             LEFT JOIN core.rate_card card ON ((requests.rate_id = card.rate_id)))
             CROSS JOIN LATERAL ( VALUES ('input_uncached'::text,'token'::text,requests.input_uncached,card.input_uncached_usd_per_mtok), ('input_cache_read'::text,'token'::text,requests.input_cache_read,card.input_cache_read_usd_per_mtok), ('input_cache_write'::text,'token'::text,requests.input_cache_write,card.input_cache_write_usd_per_mtok), ('input_cache_write_5m'::text,'token'::text,requests.input_cache_write_5m,card.input_cache_write_5m_usd_per_mtok), ('input_cache_write_30m'::text,'token'::text,requests.input_cache_write_30m,card.input_cache_write_30m_usd_per_mtok), ('input_cache_write_1h'::text,'token'::text,requests.input_cache_write_1h,card.input_cache_write_1h_usd_per_mtok), ('input_cache_write_12h'::text,'token'::text,requests.input_cache_write_12h,card.input_cache_write_12h_usd_per_mtok), ('input_audio'::text,'token'::text,requests.input_audio,card.input_audio_usd_per_mtok), ('input_audio_cache_read'::text,'token'::text,requests.input_audio_cache_read,card.input_audio_cache_read_usd_per_mtok), ('input_image'::text,'token'::text,requests.input_image,card.input_image_usd_per_mtok), ('input_image_cache_read'::text,'token'::text,requests.input_image_cache_read,card.input_image_cache_read_usd_per_mtok), ('input_video'::text,'token'::text,requests.input_video,card.input_video_usd_per_mtok), ('input_tool'::text,'token'::text,requests.input_tool,card.input_tool_usd_per_mtok), ('output_text'::text,'token'::text,requests.output_text,card.output_text_usd_per_mtok), ('output_reasoning'::text,'token'::text,requests.output_reasoning,card.output_reasoning_usd_per_mtok), ('output_audio'::text,'token'::text,requests.output_audio,card.output_audio_usd_per_mtok), ('output_image'::text,'token'::text,requests.output_image,card.output_image_usd_per_mtok), ('request'::text,'request'::text,requests.request,card.request_usd_per_million), ('web_search'::text,'search'::text,requests.web_search,card.web_search_usd_per_million), ('grounded_prompt'::text,'request'::text,requests.grounded_prompt,card.grounded_prompt_usd_per_million), ('rerank_search'::text,'search'::text,requests.rerank_search,card.rerank_search_usd_per_million), ('document_page'::text,'page'::text,requests.document_page,card.document_page_usd_per_million), ('annotated_document_page'::text,'page'::text,requests.annotated_document_page,card.annotated_document_page_usd_per_million)) part(meter, unit, quantity, usd_per_million))
          WHERE ((part.quantity > 0) AND ((part.usd_per_million IS NOT NULL) OR (false AND (part.meter <> 'grounded_prompt'::text))))
        ), cards AS (
         SELECT rate_card.rate_id,
            rate_card.provider_id,
            rate_card.model_id,
            rate_card.service_tier,
            rate_card.region,
            rate_card.time_window,
            rate_card.contract_id,
            rate_card.reasoning_mode,
            rate_card.context_from_tokens,
            rate_card.context_to_tokens,
            rate_card.context_counts,
            rate_card.valid_from,
            rate_card.valid_to,
            rate_card.input_uncached_usd_per_mtok,
            rate_card.input_cache_read_usd_per_mtok,
            rate_card.input_cache_write_usd_per_mtok,
            rate_card.input_cache_write_5m_usd_per_mtok,
            rate_card.input_cache_write_30m_usd_per_mtok,
            rate_card.input_cache_write_1h_usd_per_mtok,
            rate_card.input_cache_write_12h_usd_per_mtok,
            rate_card.input_audio_usd_per_mtok,
            rate_card.input_audio_cache_read_usd_per_mtok,
            rate_card.input_image_usd_per_mtok,
            rate_card.input_image_cache_read_usd_per_mtok,
            rate_card.input_video_usd_per_mtok,
            rate_card.input_tool_usd_per_mtok,
            rate_card.output_text_usd_per_mtok,
            rate_card.output_reasoning_usd_per_mtok,
            rate_card.output_audio_usd_per_mtok,
            rate_card.output_image_usd_per_mtok,
            rate_card.request_usd_per_million,
            rate_card.web_search_usd_per_million,
            rate_card.grounded_prompt_usd_per_million,
            rate_card.price_ids,
            rate_card.fallbacks,
            rate_card.exchange_rates,
            rate_card.marginal,
            rate_card.minimum_charge_usd,
            rate_card.rerank_search_usd_per_million,
            rate_card.document_page_usd_per_million,
            rate_card.annotated_document_page_usd_per_million
           FROM core.rate_card
        ), prices AS (
         SELECT price.price_id,
            price.sku_id,
            price.feed,
            price.provider_id,
            price.model_id,
            price.raw_model,
            price.meter,
            price.unit,
            price.service_tier,
            price.region,
            price.context_from_tokens,
            price.context_to_tokens,
            price.context_bound,
            price.context_scope,
            price.context_counts,
            price.time_window,
            price.contract_id,
            price.reasoning_mode,
            price.unit_price,
            price.pricing_currency,
            price.pricing_quantity,
            price.usd_per_million,
            price.valid_from,
            price.valid_to,
            price.date_basis,
            price.recorded_at,
            price.superseded_at,
            price.supersede_reason,
            price.snapshot_id,
            price.source_locator,
            price.extracted_text,
            price.parser_version
           FROM core.price
        ), files AS (
         SELECT snapshot.snapshot_id,
            snapshot.kind,
            snapshot.source,
            snapshot.format,
            snapshot.landing_path,
            snapshot.sha256,
            snapshot.size_bytes,
            snapshot.observed_at,
            snapshot.url,
            snapshot.http_status,
            snapshot.etag,
            snapshot.parser_version,
            snapshot.lines,
            snapshot.valid,
            snapshot.quarantined,
            snapshot.event_dates
           FROM raw.snapshot
        ), by_meter AS (
         SELECT charges.event_date,
            charges.request_uid,
            charges.event_at,
            charges.provider_id,
            charges.model_id,
            charges.meter,
            charges.quantity,
            charges.usd_per_million,
            (charges.cost_usd)::numeric(38,18) AS cost_usd,
            charges.priced_as,
            charges.price_id,
            prices.feed,
            prices.unit_price,
            prices.pricing_currency,
            prices.pricing_quantity,
            prices.valid_from,
            prices.date_basis,
            prices.recorded_at,
            prices.source_locator,
            prices.extracted_text,
            files.landing_path,
            files.sha256
           FROM ((charges
             LEFT JOIN prices ON ((charges.price_id = prices.price_id)))
             LEFT JOIN files ON ((prices.snapshot_id = files.snapshot_id)))
        ), known AS (
         SELECT charges.event_date,
            charges.request_uid,
            sum(charges.cost_usd) AS cost_usd
           FROM charges
          GROUP BY charges.event_date, charges.request_uid
        ), rest AS (
         SELECT requests.event_date,
            requests.request_uid,
            requests.event_at,
            requests.provider_id,
            requests.model_id,
            ((requests.contracted_cost_usd - COALESCE(known.cost_usd, (0)::numeric)))::numeric(38,18) AS cost_usd
           FROM (requests
             LEFT JOIN known ON (((requests.event_date = known.event_date) AND (requests.request_uid = known.request_uid))))
          WHERE (NOT (EXISTS ( SELECT
                   FROM cards
                  WHERE ((cards.rate_id = requests.rate_id) AND (cards.marginal = '{}'::jsonb) AND (cards.minimum_charge_usd IS NULL)))))
        ), final AS (
         SELECT by_meter.event_date,
            by_meter.request_uid,
            by_meter.event_at,
            by_meter.provider_id,
            by_meter.model_id,
            by_meter.meter,
            by_meter.quantity,
            by_meter.usd_per_million,
            by_meter.cost_usd,
            by_meter.priced_as,
            by_meter.price_id,
            by_meter.feed,
            by_meter.unit_price,
            by_meter.pricing_currency,
            by_meter.pricing_quantity,
            by_meter.valid_from,
            by_meter.date_basis,
            by_meter.recorded_at,
            by_meter.source_locator,
            by_meter.extracted_text,
            by_meter.landing_path,
            by_meter.sha256
           FROM by_meter
        UNION ALL
         SELECT rest.event_date,
            rest.request_uid,
            rest.event_at,
            rest.provider_id,
            rest.model_id,
            'rest'::text,
            NULL::bigint,
            NULL::numeric,
            rest.cost_usd,
            NULL::text,
            NULL::uuid,
            NULL::text,
            NULL::numeric,
            NULL::text,
            NULL::bigint,
            NULL::timestamp with time zone,
            NULL::text,
            NULL::timestamp with time zone,
            NULL::text,
            NULL::text,
            NULL::text,
            NULL::text
           FROM rest
          WHERE (rest.cost_usd <> (0)::numeric)
        )
 SELECT event_date,
    request_uid,
    event_at,
    provider_id,
    model_id,
    meter,
    quantity,
    usd_per_million,
    cost_usd,
    priced_as,
    price_id,
    feed,
    unit_price,
    pricing_currency,
    pricing_quantity,
    valid_from,
    date_basis,
    recorded_at,
    source_locator,
    extracted_text,
    landing_path,
    sha256
   FROM final;
CREATE TABLE core.routing_cost (
    event_date date NOT NULL,
    is_priced boolean NOT NULL,
    provider_id text NOT NULL,
    model_id text NOT NULL,
    ran_model_id text NOT NULL,
    is_loop boolean NOT NULL,
    lane text NOT NULL,
    bucket smallint NOT NULL,
    not_priced text NOT NULL,
    requests bigint,
    own numeric(38,18),
    input numeric(38,18),
    output numeric(38,18),
    fees numeric(38,18),
    lost_gap numeric(38,18),
    sessionless_gap numeric(38,18),
    gap_reuse_1 numeric(38,18),
    gap_reuse_2 numeric(38,18),
    gap_reuse_3 numeric(38,18),
    gap_reuse_4 numeric(38,18),
    gap_reuse_5 numeric(38,18),
    gap_reuse_6 numeric(38,18),
    gap_reuse_7 numeric(38,18),
    gap_reuse_8 numeric(38,18)
);
CREATE TABLE core.routing_traffic (
    event_date date NOT NULL,
    is_priced boolean NOT NULL,
    provider_id text NOT NULL,
    model_id text NOT NULL,
    is_loop boolean NOT NULL,
    lane text NOT NULL,
    bucket smallint NOT NULL,
    use_case text NOT NULL,
    left_out text NOT NULL,
    requests bigint NOT NULL,
    actual_usd numeric(38,18) NOT NULL,
    config_id text NOT NULL
);
CREATE TABLE core.seller_limit (
    feed text NOT NULL,
    observed_at timestamp with time zone NOT NULL,
    provider_id text NOT NULL,
    kind text NOT NULL,
    scope text NOT NULL,
    scope_id text NOT NULL,
    period text NOT NULL,
    amount numeric(38,18),
    currency text NOT NULL,
    is_enforced boolean,
    spent numeric(38,18),
    limit_id text NOT NULL,
    landing_path text NOT NULL,
    CONSTRAINT seller_limit_kind_accepted CHECK ((kind = ANY (ARRAY['limit'::text, 'alert'::text]))),
    CONSTRAINT seller_limit_period_accepted CHECK ((period = ANY (ARRAY['day'::text, 'week'::text, 'month'::text])))
);
CREATE TABLE core.shadow_request (
    snapshot_id uuid NOT NULL,
    line_no bigint NOT NULL,
    item_no integer NOT NULL,
    source text NOT NULL,
    observed_at timestamp with time zone NOT NULL,
    event_date date NOT NULL,
    event_at timestamp with time zone,
    request_id text NOT NULL,
    session_id text,
    use_case text,
    arm text,
    provider_id text,
    raw_model text NOT NULL,
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
    is_counted boolean NOT NULL,
    CONSTRAINT shadow_request_score_kind_accepted CHECK ((score_kind = ANY (ARRAY['gold'::text, 'judge'::text])))
);
CREATE TABLE core.throughput (
    throughput_id uuid NOT NULL,
    model_id text,
    raw_model text NOT NULL,
    gpu text NOT NULL,
    gpus integer NOT NULL,
    engine text NOT NULL,
    "precision" text NOT NULL,
    input_tokens double precision,
    output_tokens double precision,
    concurrency integer,
    scenario text NOT NULL,
    output_tokens_per_second double precision NOT NULL,
    is_own boolean NOT NULL,
    measured_on date NOT NULL,
    source text NOT NULL,
    snapshot_id uuid
);
CREATE TABLE mart.benchmark_drift (
    event_id uuid NOT NULL,
    event_date date NOT NULL,
    board text NOT NULL,
    benchmark_version_id text NOT NULL,
    drift_class text NOT NULL,
    severity text NOT NULL,
    raw_model text,
    model_id text,
    score_before double precision,
    score_after double precision,
    delta double precision,
    delta_adjusted double precision,
    stderr double precision,
    z double precision,
    p_value double precision,
    q_value double precision,
    min_detectable double precision,
    n_models integer NOT NULL,
    explanation text NOT NULL,
    from_snapshot_id uuid,
    to_snapshot_id uuid NOT NULL,
    evidence jsonb NOT NULL,
    CONSTRAINT benchmark_drift_severity CHECK ((severity = ANY (ARRAY['info'::text, 'warn'::text, 'error'::text])))
);
CREATE TABLE mart.benchmark_gap (
    event_date date NOT NULL,
    board text NOT NULL,
    benchmark_version_id text NOT NULL,
    best_open_model text,
    best_open_model_id text,
    best_open_score double precision,
    best_closed_model text,
    best_closed_model_id text,
    best_closed_score double precision,
    gap double precision,
    gap_adjusted double precision,
    gap_low double precision,
    gap_high double precision,
    top_k integer NOT NULL,
    top_k_gap double precision,
    top_k_gap_stderr double precision,
    lag_days integer,
    lag_is_minimum boolean,
    best_open_rank_from integer,
    best_open_rank_to integer,
    n_open integer NOT NULL,
    n_closed integer NOT NULL,
    n_unknown integer NOT NULL,
    gap_stderr double precision,
    min_detectable double precision,
    paired_items integer,
    release_lag_days integer,
    undecided jsonb
);
CREATE TABLE mart.budget_status (
    event_date date NOT NULL,
    budget_id text NOT NULL,
    owner text NOT NULL,
    what text NOT NULL,
    period text NOT NULL,
    period_from date NOT NULL,
    period_to date NOT NULL,
    amount numeric(38,18) NOT NULL,
    currency text NOT NULL,
    budget_usd numeric(38,18),
    day_usd numeric(38,18) NOT NULL,
    spent_usd numeric(38,18) NOT NULL,
    spent_share double precision,
    remaining_usd numeric(38,18),
    even_pace_usd numeric(38,18),
    daily_left_usd numeric(38,18),
    forecast_usd numeric(38,18),
    low_95_usd numeric(38,18),
    low_50_usd numeric(38,18),
    high_50_usd numeric(38,18),
    high_95_usd numeric(38,18),
    crosses_on date,
    crosses_from date,
    crosses_to date,
    state text NOT NULL,
    passed_threshold double precision,
    seller_limit_usd numeric(38,18),
    seller_spent_usd numeric(38,18),
    unpriced_requests bigint NOT NULL,
    reason text,
    CONSTRAINT budget_status_period_accepted CHECK ((period = ANY (ARRAY['day'::text, 'week'::text, 'month'::text, 'quarter'::text, 'year'::text]))),
    CONSTRAINT budget_status_state_accepted CHECK ((state = ANY (ARRAY['within'::text, 'threshold'::text, 'will_cross'::text, 'crossed'::text, 'unknown'::text])))
);
CREATE TABLE mart.chargeback (
    event_date date NOT NULL,
    provider_id text NOT NULL,
    model_id text NOT NULL,
    team text NOT NULL,
    project text NOT NULL,
    cost_centre text NOT NULL,
    environment text NOT NULL,
    application text NOT NULL,
    allocated_method_id text NOT NULL,
    allocated_resource text NOT NULL,
    allocated_method_details jsonb,
    not_allocated_reason text,
    list_cost_usd numeric(38,18),
    contracted_cost_usd numeric(38,18),
    effective_cost_usd numeric(38,18),
    billed_cost_usd numeric(38,18),
    unpriced_requests bigint NOT NULL,
    CONSTRAINT chargeback_not_allocated_reason_accepted CHECK ((not_allocated_reason = 'no_receivers'::text))
);
CREATE TABLE mart.claims_audit (
    claim text NOT NULL,
    date_basis text NOT NULL,
    as_of date NOT NULL,
    report text NOT NULL,
    about text NOT NULL,
    report_lines text NOT NULL,
    claimed text NOT NULL,
    unit text NOT NULL,
    formula text NOT NULL,
    formula_text text,
    inputs jsonb NOT NULL,
    value numeric(38,18),
    value_text text,
    verdict text NOT NULL,
    condition text,
    unverified_reason text,
    source text,
    CONSTRAINT claims_audit_date_basis_accepted CHECK ((date_basis = ANY (ARRAY['cited'::text, 'report_date'::text, 'today'::text]))),
    CONSTRAINT claims_audit_verdict_accepted CHECK ((verdict = ANY (ARRAY['holds'::text, 'conditional'::text, 'fails'::text, 'unverified'::text])))
);
CREATE TABLE mart.commitment_day (
    event_date date NOT NULL,
    commitment_id text NOT NULL,
    kind text NOT NULL,
    provider_id text NOT NULL,
    purchased_usd numeric(38,18),
    used_usd numeric(38,18),
    unused_usd numeric(38,18),
    utilisation double precision,
    capacity_tokens double precision,
    used_tokens double precision,
    overage_tokens double precision,
    usd_per_used_mtok numeric(38,12),
    covered_usd numeric(38,18),
    overage_usd numeric(38,18),
    saving_usd numeric(38,18),
    break_even_utilisation double precision,
    units_that_pay integer,
    balance_usd numeric(38,18),
    runs_out_on date,
    expires_on date,
    expiring_usd numeric(38,18),
    reason text,
    CONSTRAINT commitment_day_kind_accepted CHECK ((kind = ANY (ARRAY['provisioned'::text, 'free_tier'::text, 'credit'::text, 'minimum_spend'::text])))
);
CREATE TABLE mart.commitment_usage (
    event_date date NOT NULL,
    commitment_id text NOT NULL,
    kind text NOT NULL,
    provider_id text NOT NULL,
    commitment_discount_status text NOT NULL,
    model_id text NOT NULL,
    team text NOT NULL,
    project text NOT NULL,
    cost_centre text NOT NULL,
    environment text NOT NULL,
    application text NOT NULL,
    amount_usd numeric(38,18) NOT NULL,
    effective_cost_usd numeric(38,18) NOT NULL,
    covered_usd numeric(38,18),
    allocated_method_id text NOT NULL,
    billed_cost_usd numeric(38,18) NOT NULL,
    commitment_discount_quantity numeric(38,18),
    commitment_discount_unit text,
    CONSTRAINT commitment_usage_commitment_discount_status_accepted CHECK ((commitment_discount_status = ANY (ARRAY['Used'::text, 'Unused'::text, ''::text]))),
    CONSTRAINT commitment_usage_kind_accepted CHECK ((kind = ANY (ARRAY['provisioned'::text, 'free_tier'::text, 'credit'::text, 'minimum_spend'::text])))
);
CREATE TABLE mart.cost_coverage (
    event_date date NOT NULL,
    reason text NOT NULL,
    requests bigint NOT NULL,
    tokens bigint NOT NULL,
    request_share double precision NOT NULL,
    token_share double precision,
    CONSTRAINT cost_coverage_reason_accepted CHECK ((reason = ANY (ARRAY['priced'::text, 'model_unresolved'::text, 'provider_unknown'::text, 'no_price'::text, 'no_price_for_tier'::text, 'no_price_at_time'::text, 'no_rate_for_meter'::text, 'no_exchange_rate'::text, 'usage_missing'::text])))
);
CREATE TABLE mart.cost_restatement (
    line_id uuid NOT NULL,
    restatement_id uuid NOT NULL,
    event_date date NOT NULL,
    provider_id text NOT NULL,
    provider_id_before text NOT NULL,
    model_id text NOT NULL,
    model_id_before text NOT NULL,
    meter text NOT NULL,
    reason text NOT NULL,
    requests bigint NOT NULL,
    cost_before_usd numeric(38,18),
    cost_after_usd numeric(38,18),
    delta_usd numeric(38,18) NOT NULL,
    list_delta_usd numeric(38,18) NOT NULL,
    usd_per_million_before numeric(38,12),
    usd_per_million_after numeric(38,12),
    price_id_before uuid,
    price_id_after uuid,
    feed_before text,
    feed_after text,
    snapshot_id_before uuid,
    snapshot_id_after uuid,
    known_at_before timestamp with time zone,
    known_at_after timestamp with time zone NOT NULL,
    is_closed boolean NOT NULL,
    applied_at timestamp with time zone,
    explanation text NOT NULL,
    CONSTRAINT cost_restatement_reason_accepted CHECK ((reason = ANY (ARRAY['changed'::text, 'corrected'::text, 'retracted'::text, 'source_removed'::text, 'new_price'::text, 'model_resolved'::text, 'exchange_rate'::text, 'discount'::text, 'known_later'::text, 'other'::text])))
);
CREATE TABLE mart.daily_charge (
    event_date date NOT NULL,
    charge_id uuid NOT NULL,
    provider_id text NOT NULL,
    model_id text NOT NULL,
    openness text NOT NULL,
    service_tier text NOT NULL,
    region text NOT NULL,
    team text NOT NULL,
    project text NOT NULL,
    cost_centre text NOT NULL,
    environment text NOT NULL,
    application text NOT NULL,
    meter text NOT NULL,
    unit text,
    quantity bigint,
    rate_id uuid,
    contract_id text NOT NULL,
    priced_as text,
    price_id uuid,
    list_price_id uuid,
    list_usd_per_million numeric(38,12),
    contracted_usd_per_million numeric(38,12),
    pricing_currency text,
    usd_per_currency numeric(38,18),
    list_cost_usd numeric(38,18),
    contracted_cost_usd numeric(38,18),
    effective_cost_usd numeric(38,18),
    billed_cost_usd numeric(38,18),
    unpriced_reason text,
    reported_cost_usd numeric(38,18),
    CONSTRAINT daily_charge_meter_accepted CHECK ((meter = ANY (ARRAY['input_uncached'::text, 'input_cache_read'::text, 'input_cache_write'::text, 'input_cache_write_5m'::text, 'input_cache_write_30m'::text, 'input_cache_write_1h'::text, 'input_cache_write_12h'::text, 'input_audio'::text, 'input_audio_cache_read'::text, 'input_image'::text, 'input_image_cache_read'::text, 'input_video'::text, 'input_tool'::text, 'output_text'::text, 'output_reasoning'::text, 'output_audio'::text, 'output_image'::text, 'request'::text, 'web_search'::text, 'grounded_prompt'::text, 'rerank_search'::text, 'document_page'::text, 'annotated_document_page'::text, 'rest'::text]))),
    CONSTRAINT daily_charge_openness_accepted CHECK ((openness = ANY (ARRAY['open_source'::text, 'open_weight'::text, 'closed'::text, 'unknown'::text]))),
    CONSTRAINT daily_charge_unit_accepted CHECK ((unit = ANY (ARRAY['page'::text, 'request'::text, 'search'::text, 'token'::text]))),
    CONSTRAINT daily_charge_unpriced_reason_accepted CHECK ((unpriced_reason = ANY (ARRAY['model_unresolved'::text, 'provider_unknown'::text, 'no_price'::text, 'no_price_for_tier'::text, 'no_price_at_time'::text, 'no_rate_for_meter'::text, 'no_exchange_rate'::text, 'usage_missing'::text])))
);
CREATE TABLE mart.daily_end_user_spend (
    event_date date NOT NULL,
    end_user text NOT NULL,
    requests bigint NOT NULL,
    unpriced_requests bigint NOT NULL,
    list_cost_usd numeric(38,18),
    effective_cost_usd numeric(38,18)
);
CREATE TABLE mart.daily_explorer_spend (
    event_date date NOT NULL,
    provider_id text NOT NULL,
    model_id text NOT NULL,
    team text NOT NULL,
    project text NOT NULL,
    cost_centre text NOT NULL,
    meter text NOT NULL,
    rate text NOT NULL,
    quantity bigint NOT NULL,
    effective_cost_usd numeric(38,18)
);
CREATE TABLE mart.daily_item_spend (
    event_date date NOT NULL,
    dimension text NOT NULL,
    dimension_value text NOT NULL,
    provider_id text NOT NULL,
    model_id text NOT NULL,
    service_tier text NOT NULL,
    region text NOT NULL,
    meter text NOT NULL,
    quantity bigint,
    priced_quantity bigint,
    list_cost_usd numeric(38,18),
    effective_cost_usd numeric(38,18),
    billed_cost_usd numeric(38,18),
    reported_cost_usd numeric(38,18),
    CONSTRAINT daily_item_spend_dimension_accepted CHECK ((dimension = ANY (ARRAY['all'::text, 'team'::text, 'project'::text, 'cost_centre'::text])))
);
CREATE TABLE mart.daily_meter_spend (
    event_date date NOT NULL,
    provider_id text NOT NULL,
    model_id text NOT NULL,
    service_tier text NOT NULL,
    meter text NOT NULL,
    quantity bigint,
    unpriced_quantity bigint,
    list_cost_usd numeric(38,18),
    billed_cost_usd numeric(38,18),
    reported_cost_usd numeric(38,18),
    pricing_currency text,
    usd_per_currency numeric(38,18),
    charges bigint NOT NULL
);
CREATE TABLE mart.daily_model_spend (
    event_date date NOT NULL,
    provider_id text NOT NULL,
    model_id text NOT NULL,
    openness text NOT NULL,
    requests bigint NOT NULL,
    priced_requests bigint NOT NULL,
    unpriced_requests bigint NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    input_uncached_tokens bigint NOT NULL,
    input_cache_read_tokens bigint NOT NULL,
    input_cache_write_tokens bigint NOT NULL,
    input_cache_write_5m_tokens bigint NOT NULL,
    input_cache_write_30m_tokens bigint NOT NULL,
    input_cache_write_1h_tokens bigint NOT NULL,
    input_cache_write_12h_tokens bigint NOT NULL,
    input_audio_tokens bigint NOT NULL,
    input_audio_cache_read_tokens bigint NOT NULL,
    input_image_tokens bigint NOT NULL,
    input_image_cache_read_tokens bigint NOT NULL,
    input_video_tokens bigint NOT NULL,
    input_tool_tokens bigint NOT NULL,
    output_text_tokens bigint NOT NULL,
    output_reasoning_tokens bigint NOT NULL,
    output_audio_tokens bigint NOT NULL,
    output_image_tokens bigint NOT NULL,
    reported_cost_usd numeric(38,18),
    list_cost_usd numeric(38,18),
    contracted_cost_usd numeric(38,18),
    effective_cost_usd numeric(38,18),
    logged_only_cost_usd numeric(38,18),
    CONSTRAINT daily_model_spend_openness_accepted CHECK ((openness = ANY (ARRAY['open_source'::text, 'open_weight'::text, 'closed'::text, 'unknown'::text])))
);
CREATE TABLE mart.daily_project_spend (
    event_date date NOT NULL,
    project text NOT NULL,
    requests bigint NOT NULL,
    priced_requests bigint NOT NULL,
    unpriced_requests bigint NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    list_cost_usd numeric(38,18),
    contracted_cost_usd numeric(38,18),
    effective_cost_usd numeric(38,18),
    logged_only_cost_usd numeric(38,18)
);
CREATE TABLE mart.daily_tag_spend (
    event_date date NOT NULL,
    tag text NOT NULL,
    requests_tagged bigint NOT NULL,
    unpriced_requests bigint NOT NULL,
    effective_cost_usd numeric(38,18)
);
CREATE TABLE mart.daily_team_spend (
    event_date date NOT NULL,
    team text NOT NULL,
    requests bigint NOT NULL,
    priced_requests bigint NOT NULL,
    unpriced_requests bigint NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    list_cost_usd numeric(38,18),
    contracted_cost_usd numeric(38,18),
    effective_cost_usd numeric(38,18),
    logged_only_cost_usd numeric(38,18)
);
CREATE TABLE mart.dearer_seller (
    event_date date NOT NULL,
    provider_id text NOT NULL,
    model_id text NOT NULL,
    service_tier text NOT NULL,
    region text NOT NULL,
    team text NOT NULL,
    cheaper_provider_id text NOT NULL,
    requests bigint NOT NULL,
    cost_usd numeric(38,18) NOT NULL,
    saving_usd numeric(38,18) NOT NULL
);
CREATE TABLE mart.hourly_demand (
    event_date date NOT NULL,
    hour integer NOT NULL,
    operation text NOT NULL,
    provider_id text NOT NULL,
    model_id text NOT NULL,
    requests bigint NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL
);
CREATE TABLE mart.logged_cost (
    event_date date NOT NULL,
    provider_id text NOT NULL,
    model_id text NOT NULL,
    requests bigint NOT NULL,
    differing_requests bigint NOT NULL,
    reported_cost_usd numeric(38,18),
    effective_cost_usd numeric(38,18)
);
CREATE TABLE mart.logged_difference (
    event_date date NOT NULL,
    provider_id text NOT NULL,
    model_id text NOT NULL,
    why text NOT NULL,
    requests bigint NOT NULL,
    reported_cost_usd numeric(38,18),
    effective_cost_usd numeric(38,18)
);
CREATE TABLE mart.model_catalog (
    model_id text NOT NULL,
    as_of date NOT NULL,
    display_name text NOT NULL,
    developer text,
    family text,
    openness text NOT NULL,
    is_released boolean NOT NULL,
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
    fits jsonb NOT NULL,
    prices jsonb NOT NULL,
    cheapest_provider_id text,
    cheapest_input_usd_per_mtok numeric(38,12),
    cheapest_output_usd_per_mtok numeric(38,12),
    scores jsonb NOT NULL,
    requests_30d bigint NOT NULL,
    spend_30d_usd numeric(38,18),
    facts jsonb NOT NULL,
    conflicts text[] NOT NULL,
    unverified text[] NOT NULL,
    CONSTRAINT model_catalog_openness_accepted CHECK ((openness = ANY (ARRAY['open_source'::text, 'open_weight'::text, 'closed'::text, 'unknown'::text])))
);
CREATE TABLE mart.price_change (
    change_id uuid NOT NULL,
    feed text NOT NULL,
    provider_id text NOT NULL,
    model_id text NOT NULL,
    meter text NOT NULL,
    unit text NOT NULL,
    service_tier text NOT NULL,
    region text NOT NULL,
    context_from_tokens bigint NOT NULL,
    context_bound text NOT NULL,
    context_scope text NOT NULL,
    context_counts text NOT NULL,
    time_window text NOT NULL,
    contract_id text NOT NULL,
    reasoning_mode text NOT NULL,
    context_to_tokens bigint,
    pricing_currency text NOT NULL,
    price_before numeric(38,12) NOT NULL,
    price_after numeric(38,12) NOT NULL,
    change_share double precision,
    valid_from timestamp with time zone NOT NULL,
    date_basis text NOT NULL,
    learnt_at timestamp with time zone NOT NULL,
    is_used boolean NOT NULL,
    spend_30d_usd numeric(38,18) NOT NULL,
    spend_30d_share double precision,
    price_id_before uuid NOT NULL,
    price_id_after uuid NOT NULL,
    summary text NOT NULL,
    CONSTRAINT price_change_context_bound_accepted CHECK ((context_bound = ANY (ARRAY['gt'::text, 'gte'::text]))),
    CONSTRAINT price_change_context_counts_accepted CHECK ((context_counts = ANY (ARRAY['input'::text, 'input_uncached'::text, 'output'::text, 'input_output'::text]))),
    CONSTRAINT price_change_context_scope_accepted CHECK ((context_scope = ANY (ARRAY['whole_request'::text, 'marginal'::text]))),
    CONSTRAINT price_change_date_basis_accepted CHECK ((date_basis = ANY (ARRAY['documented'::text, 'announced'::text, 'first_observed'::text, 'unknown'::text]))),
    CONSTRAINT price_change_reasoning_mode_accepted CHECK ((reasoning_mode = ANY (ARRAY[''::text, 'thinking'::text, 'non_thinking'::text]))),
    CONSTRAINT price_change_unit_accepted CHECK ((unit = ANY (ARRAY['token'::text, 'token_hour'::text, 'request'::text, 'search'::text, 'page'::text, 'second'::text, 'image'::text, 'pixel'::text, 'character'::text, 'session'::text])))
);
CREATE TABLE mart.price_conflict (
    provider_id text NOT NULL,
    model_id text NOT NULL,
    meter text NOT NULL,
    unit text NOT NULL,
    service_tier text NOT NULL,
    region text NOT NULL,
    context_from_tokens bigint NOT NULL,
    context_bound text NOT NULL,
    context_scope text NOT NULL,
    context_counts text NOT NULL,
    time_window text NOT NULL,
    contract_id text NOT NULL,
    reasoning_mode text NOT NULL,
    as_of timestamp with time zone NOT NULL,
    usd_used numeric(38,12) NOT NULL,
    feed_used text NOT NULL,
    usd_lowest numeric(38,12) NOT NULL,
    usd_highest numeric(38,12) NOT NULL,
    spread_share double precision,
    prices jsonb NOT NULL,
    quantity_30d bigint NOT NULL,
    at_stake_30d_usd numeric(38,18) NOT NULL,
    decided_by text NOT NULL,
    summary text NOT NULL,
    CONSTRAINT price_conflict_context_bound_accepted CHECK ((context_bound = ANY (ARRAY['gt'::text, 'gte'::text]))),
    CONSTRAINT price_conflict_context_counts_accepted CHECK ((context_counts = ANY (ARRAY['input'::text, 'input_uncached'::text, 'output'::text, 'input_output'::text]))),
    CONSTRAINT price_conflict_context_scope_accepted CHECK ((context_scope = ANY (ARRAY['whole_request'::text, 'marginal'::text]))),
    CONSTRAINT price_conflict_reasoning_mode_accepted CHECK ((reasoning_mode = ANY (ARRAY[''::text, 'thinking'::text, 'non_thinking'::text]))),
    CONSTRAINT price_conflict_unit_accepted CHECK ((unit = ANY (ARRAY['token'::text, 'token_hour'::text, 'request'::text, 'search'::text, 'page'::text, 'second'::text, 'image'::text, 'pixel'::text, 'character'::text, 'session'::text])))
);
CREATE TABLE mart.reconciliation (
    event_date date NOT NULL,
    period_days integer NOT NULL,
    provider_id text NOT NULL,
    model_id text NOT NULL,
    meter text NOT NULL,
    computed_quantity numeric(38,18),
    billed_quantity numeric(38,18),
    computed_usd numeric(38,18),
    logged_usd numeric(38,18),
    billed_usd numeric(38,18),
    billed_amount numeric(38,18),
    currency text,
    difference_usd numeric(38,18),
    missing_requests_usd numeric(38,18),
    tokens_usd numeric(38,18),
    tier_usd numeric(38,18),
    price_usd numeric(38,18),
    tool_fee_usd numeric(38,18),
    commitment_usd numeric(38,18),
    discount_usd numeric(38,18),
    credit_usd numeric(38,18),
    tax_usd numeric(38,18),
    currency_usd numeric(38,18),
    rounding_usd numeric(38,18),
    timing_usd numeric(38,18),
    unexplained_usd numeric(38,18),
    charges bigint NOT NULL,
    bill_lines bigint NOT NULL,
    line_ids jsonb NOT NULL,
    is_settled boolean NOT NULL,
    reason text,
    days_missing integer NOT NULL,
    days_not_loaded_usd numeric(38,18),
    CONSTRAINT reconciliation_reason_accepted CHECK ((reason = ANY (ARRAY['no_bill'::text, 'bill_lags'::text, 'before_first_bill'::text, 'not_on_bill'::text, 'no_requests'::text, 'not_loaded'::text, 'currency_without_rate'::text])))
);
CREATE TABLE mart.request_drift (
    event_date date NOT NULL,
    provider_id text NOT NULL,
    model_id text NOT NULL,
    use_case text NOT NULL,
    metric text NOT NULL,
    n_day integer NOT NULL,
    n_reference integer NOT NULL,
    reference_days integer NOT NULL,
    comparable_share double precision NOT NULL,
    value_day double precision,
    value_reference double precision,
    effect double precision,
    min_detectable double precision,
    z double precision,
    overdispersion double precision,
    p_value double precision,
    q_value double precision,
    is_alarm boolean NOT NULL,
    explanation text NOT NULL,
    opened_on date,
    age_days integer
);
CREATE TABLE mart.request_profile (
    event_date date NOT NULL,
    provider_id text NOT NULL,
    model_id text NOT NULL,
    use_case text NOT NULL,
    stratum text NOT NULL,
    metric text NOT NULL,
    requests integer NOT NULL,
    histogram jsonb NOT NULL
);
CREATE TABLE mart.request_repeat (
    event_date date NOT NULL,
    provider_id text NOT NULL,
    model_id text NOT NULL,
    requests bigint NOT NULL,
    retried bigint NOT NULL,
    could_escalate bigint NOT NULL,
    escalated bigint NOT NULL,
    came_down bigint NOT NULL,
    escalated_cost_usd numeric(38,18) NOT NULL
);
CREATE TABLE mart.routing_frontier (
    event_date date NOT NULL,
    point text NOT NULL,
    is_single boolean NOT NULL,
    is_on_hull boolean NOT NULL,
    benchmark_version_id text NOT NULL,
    quality double precision,
    quality_retained double precision,
    cost_usd double precision,
    saving_share double precision,
    shares jsonb NOT NULL,
    requests double precision,
    not_eligible_reason text
);
CREATE TABLE mart.routing_measure_next (
    event_date date NOT NULL,
    policy text NOT NULL,
    baseline text NOT NULL,
    rank bigint NOT NULL,
    measure text NOT NULL,
    model_id text NOT NULL,
    against_model_id text NOT NULL,
    width_now double precision NOT NULL,
    width_known double precision NOT NULL,
    narrows_by double precision NOT NULL,
    pairs_needed bigint,
    pairs_basis text NOT NULL,
    cost_usd numeric(38,18),
    no_cost_reason text,
    CONSTRAINT routing_measure_next_measure_accepted CHECK ((measure = ANY (ARRAY['input'::text, 'output'::text, 'loop'::text, 'quality'::text])))
);
CREATE TABLE mart.routing_month (
    month date NOT NULL,
    through date NOT NULL,
    days integer NOT NULL,
    policy text NOT NULL,
    arm text NOT NULL,
    method text NOT NULL,
    provider_id text,
    model_id text,
    share numeric(38,18) NOT NULL,
    requests double precision NOT NULL,
    baseline text NOT NULL,
    baseline_cost_usd numeric(38,18),
    projected_cost_usd numeric(38,18),
    saving_usd numeric(38,18),
    saving_share double precision,
    quality_retained double precision,
    saving_share_low_95 double precision,
    saving_share_low_50 double precision,
    saving_share_high_50 double precision,
    saving_share_high_95 double precision,
    quality_retained_low_95 double precision,
    quality_retained_low_50 double precision,
    quality_retained_high_50 double precision,
    quality_retained_high_95 double precision,
    probability_saving_85 double precision,
    probability_quality_95 double precision,
    probability_both double precision,
    quality_realised double precision,
    quality_oracle double precision,
    break_even_ratio double precision,
    is_headline boolean NOT NULL,
    first_flip text,
    waterfall jsonb,
    evidence_grade text NOT NULL,
    assumptions jsonb NOT NULL,
    not_projected_reason text,
    quality_by_use_case jsonb,
    central_cost_usd numeric(38,18),
    CONSTRAINT routing_month_method_accepted CHECK ((method = ANY (ARRAY['policy'::text, 'same_tokens_dearest'::text, 'best_single_cheap'::text])))
);
CREATE TABLE mart.routing_move (
    event_date date NOT NULL,
    policy text NOT NULL,
    baseline text NOT NULL,
    event text NOT NULL,
    provider_id text NOT NULL,
    model_id text NOT NULL,
    saving_share_before double precision,
    saving_share_after double precision,
    saving_usd_before numeric(38,18),
    saving_usd_after numeric(38,18),
    quality_retained_before double precision,
    quality_retained_after double precision,
    explanation text NOT NULL,
    not_computed_reason text,
    CONSTRAINT routing_move_event_accepted CHECK ((event = ANY (ARRAY['price_change'::text, 'scores'::text, 'silent_change'::text, 'served_other'::text])))
);
CREATE TABLE mart.routing_off_policy (
    use_case text NOT NULL,
    model_id text NOT NULL,
    measure text NOT NULL,
    method text NOT NULL,
    estimate double precision,
    low_95 double precision,
    high_95 double precision,
    requests bigint NOT NULL,
    effective_requests double precision NOT NULL,
    unmatched_share double precision NOT NULL,
    refused_reason text,
    CONSTRAINT routing_off_policy_measure_accepted CHECK ((measure = ANY (ARRAY['ok'::text, 'output'::text, 'cost_usd'::text, 'score'::text]))),
    CONSTRAINT routing_off_policy_method_accepted CHECK ((method = ANY (ARRAY['strata'::text, 'ips'::text, 'snips'::text, 'dr'::text])))
);
CREATE TABLE mart.routing_projection (
    event_date date NOT NULL,
    policy text NOT NULL,
    arm text NOT NULL,
    provider_id text,
    model_id text,
    share numeric(38,18) NOT NULL,
    requests double precision NOT NULL,
    baseline text NOT NULL,
    baseline_cost_usd numeric(38,18),
    projected_cost_usd numeric(38,18),
    saving_usd numeric(38,18),
    saving_share double precision,
    quality_retained double precision,
    saving_share_low_95 double precision,
    saving_share_low_50 double precision,
    saving_share_high_50 double precision,
    saving_share_high_95 double precision,
    quality_retained_low_95 double precision,
    quality_retained_low_50 double precision,
    quality_retained_high_50 double precision,
    quality_retained_high_95 double precision,
    probability_saving_85 double precision,
    probability_quality_95 double precision,
    probability_both double precision,
    quality_realised double precision,
    quality_oracle double precision,
    break_even_ratio double precision,
    is_headline boolean NOT NULL,
    first_flip text,
    waterfall jsonb,
    evidence_grade text NOT NULL,
    assumptions jsonb NOT NULL,
    not_projected_reason text,
    method text NOT NULL,
    quality_by_use_case jsonb,
    central_cost_usd numeric(38,18),
    CONSTRAINT routing_projection_method_accepted CHECK ((method = ANY (ARRAY['policy'::text, 'same_tokens_dearest'::text, 'best_single_cheap'::text])))
);
CREATE TABLE mart.selfhost_breakeven (
    event_date date NOT NULL,
    option_id text NOT NULL,
    is_deployed boolean NOT NULL,
    model_id text NOT NULL,
    engine text,
    gpu text,
    gpus integer,
    "precision" text,
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
    api_valid_from timestamp with time zone,
    break_even_tokens_per_day double precision,
    is_reachable boolean,
    saving_usd_per_day numeric(38,18),
    reason text,
    served_share double precision
);
CREATE TABLE mart.served_model_change (
    event_date date NOT NULL,
    provider_id text NOT NULL,
    asked_model_id text NOT NULL,
    served_model_id text NOT NULL,
    known_from text NOT NULL,
    requests bigint NOT NULL,
    uncompared_requests bigint NOT NULL,
    served_cost_usd numeric(38,18),
    asked_cost_usd numeric(38,18),
    difference_usd numeric(38,18),
    CONSTRAINT served_model_change_known_from_accepted CHECK ((known_from = ANY (ARRAY['answer'::text, 'models.yaml'::text])))
);
CREATE TABLE mart.shadow_evidence (
    measure text NOT NULL,
    model_id text NOT NULL,
    against_model_id text NOT NULL,
    judge text NOT NULL,
    estimate double precision,
    low_95 double precision,
    high_95 double precision,
    pairs bigint NOT NULL,
    sessions bigint NOT NULL,
    method text NOT NULL,
    not_used_reason text,
    CONSTRAINT shadow_evidence_measure_accepted CHECK ((measure = ANY (ARRAY['input'::text, 'output'::text, 'loop'::text, 'quality'::text, 'judge_error'::text])))
);
CREATE TABLE mart.spend_anomaly (
    scope text NOT NULL,
    scope_value text NOT NULL,
    opened_on date NOT NULL,
    last_on date NOT NULL,
    ended_on date,
    ended_because text,
    days integer NOT NULL,
    actual_usd numeric(38,18) NOT NULL,
    expected_usd numeric(38,18) NOT NULL,
    excess_usd numeric(38,18) NOT NULL,
    score double precision NOT NULL,
    driver text,
    driver_value text,
    driver_usd numeric(38,18),
    explanation text NOT NULL,
    CONSTRAINT spend_anomaly_driver_accepted CHECK ((driver = ANY (ARRAY['session'::text, 'user'::text, 'price'::text, 'cache'::text, 'team'::text, 'model'::text, 'seller'::text, 'project'::text, 'application'::text, 'volume'::text, 'size'::text]))),
    CONSTRAINT spend_anomaly_ended_because_accepted CHECK ((ended_because = ANY (ARRAY['recovered'::text, 'settled'::text]))),
    CONSTRAINT spend_anomaly_scope_accepted CHECK ((scope = ANY (ARRAY['total'::text, 'seller'::text, 'model'::text, 'team'::text, 'project'::text, 'cost_centre'::text, 'budget'::text])))
);
CREATE TABLE mart.spend_forecast (
    event_date date NOT NULL,
    scope text NOT NULL,
    scope_value text NOT NULL,
    period text NOT NULL,
    period_from date NOT NULL,
    period_to date NOT NULL,
    spent_usd numeric(38,18) NOT NULL,
    days_ahead integer NOT NULL,
    forecast_usd numeric(38,18),
    low_95_usd numeric(38,18),
    low_50_usd numeric(38,18),
    high_50_usd numeric(38,18),
    high_95_usd numeric(38,18),
    announced_usd numeric(38,18),
    commitment_usd numeric(38,18),
    known_ahead jsonb,
    method text,
    backtest_error double precision,
    naive_error double precision,
    backtest_origins integer,
    history_days integer NOT NULL,
    unpriced_requests bigint NOT NULL,
    reason text,
    CONSTRAINT spend_forecast_method_accepted CHECK ((method = ANY (ARRAY['seasonal_naive'::text, 'weekday_level'::text, 'weekday_trend'::text, 'month_level'::text]))),
    CONSTRAINT spend_forecast_period_accepted CHECK ((period = ANY (ARRAY['day'::text, 'week'::text, 'month'::text, 'quarter'::text, 'year'::text]))),
    CONSTRAINT spend_forecast_scope_accepted CHECK ((scope = ANY (ARRAY['total'::text, 'seller'::text, 'model'::text, 'team'::text, 'project'::text, 'cost_centre'::text, 'budget'::text])))
);
CREATE TABLE mart.spend_series (
    event_date date NOT NULL,
    scope text NOT NULL,
    scope_value text NOT NULL,
    effective_cost_usd numeric(38,18) NOT NULL,
    requests bigint NOT NULL,
    unpriced_requests bigint NOT NULL,
    CONSTRAINT spend_series_scope_accepted CHECK ((scope = ANY (ARRAY['total'::text, 'seller'::text, 'model'::text, 'team'::text, 'project'::text, 'cost_centre'::text, 'budget'::text])))
);
CREATE TABLE mart.unit_cost (
    event_date date NOT NULL,
    dimension text NOT NULL,
    dimension_value text NOT NULL,
    requests bigint NOT NULL,
    unpriced_requests bigint NOT NULL,
    successes bigint NOT NULL,
    sessions bigint NOT NULL,
    users bigint NOT NULL,
    effective_cost_usd numeric(38,18),
    unsuccessful_cost_usd numeric(38,18),
    session_cost_usd numeric(38,18),
    user_cost_usd numeric(38,18),
    usd_per_request numeric(38,18),
    usd_per_thousand_requests numeric(38,18),
    usd_per_session numeric(38,18),
    usd_per_user numeric(38,18),
    usd_per_success numeric(38,18),
    usd_per_success_low numeric(38,18),
    usd_per_success_high numeric(38,18),
    not_computed_reason text,
    CONSTRAINT unit_cost_dimension_accepted CHECK ((dimension = ANY (ARRAY['all'::text, 'application'::text, 'team'::text, 'project'::text, 'model'::text]))),
    CONSTRAINT unit_cost_not_computed_reason_accepted CHECK ((not_computed_reason = ANY (ARRAY['nothing_priced'::text, 'no_success'::text, 'few_sessions'::text, 'few_successes'::text])))
);
CREATE TABLE mart.unpriced_name (
    event_date date NOT NULL,
    reason text NOT NULL,
    source text NOT NULL,
    raw_name text NOT NULL,
    provider_id text NOT NULL,
    model_id text NOT NULL,
    requests bigint NOT NULL,
    tokens bigint NOT NULL,
    reported_cost_usd numeric(38,18),
    at_risk_usd numeric(38,18),
    CONSTRAINT unpriced_name_reason_accepted CHECK ((reason = ANY (ARRAY['model_unresolved'::text, 'provider_unknown'::text, 'no_price'::text, 'no_price_for_tier'::text, 'no_price_at_time'::text, 'no_rate_for_meter'::text, 'no_exchange_rate'::text, 'usage_missing'::text])))
);
CREATE TABLE mart.waste (
    event_date date NOT NULL,
    request_uid uuid NOT NULL,
    finding text NOT NULL,
    team text NOT NULL,
    provider_id text NOT NULL,
    model_id text NOT NULL,
    cost_usd numeric(38,18) NOT NULL,
    saving_usd numeric(38,18) NOT NULL,
    CONSTRAINT waste_finding_accepted CHECK ((finding = ANY (ARRAY['failed'::text, 'cache_unread'::text, 'cache_miss'::text, 'context_bound'::text, 'could_wait'::text])))
);
CREATE TABLE raw.bill_duplicate (
    snapshot_id uuid NOT NULL,
    line_no bigint NOT NULL,
    item_no integer NOT NULL,
    cost_uid uuid NOT NULL,
    kept_snapshot_id uuid NOT NULL,
    kept_line_no bigint NOT NULL,
    kept_item_no integer NOT NULL,
    rule text NOT NULL,
    CONSTRAINT bill_duplicate_rule_accepted CHECK ((rule = ANY (ARRAY['same_record'::text, 'later_update'::text])))
);
CREATE TABLE raw.duplicate (
    event_date date NOT NULL,
    snapshot_id uuid NOT NULL,
    line_no bigint NOT NULL,
    item_no integer NOT NULL,
    request_uid uuid NOT NULL,
    kept_snapshot_id uuid NOT NULL,
    kept_line_no bigint NOT NULL,
    kept_item_no integer NOT NULL,
    rule text NOT NULL
);
CREATE TABLE raw.loaded_file (
    event_date date NOT NULL,
    snapshot_id uuid NOT NULL,
    requests bigint NOT NULL
);
CREATE TABLE raw.quarantine (
    snapshot_id uuid NOT NULL,
    line_no bigint NOT NULL,
    item_no integer NOT NULL,
    byte_from bigint,
    byte_to bigint,
    reason text NOT NULL,
    severity text NOT NULL,
    detail text NOT NULL,
    fields jsonb,
    record_sha256 text NOT NULL,
    CONSTRAINT quarantine_severity CHECK ((severity = ANY (ARRAY['error'::text, 'info'::text])))
);
CREATE TABLE raw.quarantine_removed (
    snapshot_id uuid NOT NULL,
    reason text NOT NULL,
    severity text NOT NULL,
    records bigint NOT NULL
);
CREATE TABLE raw.quiet_day (
    event_date date NOT NULL
);
CREATE VIEW staging.stg_request AS
 WITH requests AS (
         SELECT request.event_date,
            request.request_uid,
            request.event_at,
            request.source,
            request.snapshot_id,
            request.line_no,
            request.item_no,
            request.source_request_id,
            request.session_id,
            request.operation,
            request.provider_id,
            request.request_model,
            request.response_model,
            request.model_id,
            request.resolution_method,
            request.team,
            request.project,
            request.environment,
            request.application,
            request.end_user_id,
            request.tags,
            request.service_tier,
            request.region,
            request.is_stream,
            request.status,
            request.http_status,
            request.finish_reason,
            request.latency_ms,
            request.ttft_ms,
            request.input_uncached_tokens,
            request.input_cache_read_tokens,
            request.input_cache_write_tokens,
            request.input_cache_write_5m_tokens,
            request.input_cache_write_30m_tokens,
            request.input_cache_write_1h_tokens,
            request.input_cache_write_12h_tokens,
            request.input_audio_tokens,
            request.input_audio_cache_read_tokens,
            request.input_image_tokens,
            request.input_image_cache_read_tokens,
            request.input_video_tokens,
            request.input_tool_tokens,
            request.output_text_tokens,
            request.output_reasoning_tokens,
            request.output_audio_tokens,
            request.output_image_tokens,
            request.web_search_count,
            request.token_semantics,
            request.usage_basis,
            request.is_billable,
            request.reported_cost_usd,
            request.rate_id,
            request.list_cost_usd,
            request.contracted_cost_usd,
            request.effective_cost_usd,
            request.unpriced_reason,
            request.cost_centre,
            request.rerank_search_count,
            request.document_page_count,
            request.annotated_document_page_count
           FROM core.request
        ), models AS (
         SELECT model.model_id,
            model.developer,
            model.family,
            model.display_name,
            model.openness,
            model.license,
            model.total_params_b,
            model.active_params_b,
            model.context_tokens,
            model.released_date,
            model.decided_by
           FROM core.model
        ), described AS (
         SELECT requests.event_date,
            COALESCE(requests.provider_id, 'unknown'::text) AS provider_id,
            COALESCE(requests.model_id, ('unresolved: '::text || COALESCE(requests.response_model, requests.request_model, '(no name logged)'::text))) AS model_id,
            COALESCE(models.openness, 'unknown'::text) AS openness,
            requests.service_tier,
            requests.region,
            COALESCE(requests.team, 'unattributed'::text) AS team,
            COALESCE(requests.project, 'unattributed'::text) AS project,
            COALESCE(requests.cost_centre, 'unattributed'::text) AS cost_centre,
            COALESCE(requests.environment, 'unattributed'::text) AS environment,
            COALESCE(requests.application, 'unattributed'::text) AS application,
            requests.session_id,
            requests.end_user_id,
            requests.status,
            requests.rate_id,
            requests.unpriced_reason,
            (requests.input_uncached_tokens)::bigint AS input_uncached,
            (requests.input_cache_read_tokens)::bigint AS input_cache_read,
            (requests.input_cache_write_tokens)::bigint AS input_cache_write,
            (requests.input_cache_write_5m_tokens)::bigint AS input_cache_write_5m,
            (requests.input_cache_write_30m_tokens)::bigint AS input_cache_write_30m,
            (requests.input_cache_write_1h_tokens)::bigint AS input_cache_write_1h,
            (requests.input_cache_write_12h_tokens)::bigint AS input_cache_write_12h,
            (requests.input_audio_tokens)::bigint AS input_audio,
            (requests.input_audio_cache_read_tokens)::bigint AS input_audio_cache_read,
            (requests.input_image_tokens)::bigint AS input_image,
            (requests.input_image_cache_read_tokens)::bigint AS input_image_cache_read,
            (requests.input_video_tokens)::bigint AS input_video,
            (requests.input_tool_tokens)::bigint AS input_tool,
            (requests.output_text_tokens)::bigint AS output_text,
            (requests.output_reasoning_tokens)::bigint AS output_reasoning,
            (requests.output_audio_tokens)::bigint AS output_audio,
            (requests.output_image_tokens)::bigint AS output_image,
            (1)::bigint AS request,
            (requests.web_search_count)::bigint AS web_search,
            (LEAST(requests.web_search_count, 1))::bigint AS grounded_prompt,
            (requests.rerank_search_count)::bigint AS rerank_search,
            (requests.document_page_count)::bigint AS document_page,
            (requests.annotated_document_page_count)::bigint AS annotated_document_page,
            requests.reported_cost_usd,
            requests.list_cost_usd,
            requests.contracted_cost_usd,
            requests.effective_cost_usd,
            COALESCE((requests.tags ->> 'request_tags'::text), (requests.tags ->> 'tags'::text)) AS listed_tags,
            (requests.tags ->> 'api_key'::text) AS api_key
           FROM (requests
             LEFT JOIN models ON ((requests.model_id = models.model_id)))
        ), final AS (
         SELECT described.event_date,
            described.provider_id,
            described.model_id,
            described.openness,
            described.service_tier,
            described.region,
            described.team,
            described.project,
            described.cost_centre,
            described.environment,
            described.application,
            described.session_id,
            described.end_user_id,
            described.status,
            described.rate_id,
            described.unpriced_reason,
            described.input_uncached,
            described.input_cache_read,
            described.input_cache_write,
            described.input_cache_write_5m,
            described.input_cache_write_30m,
            described.input_cache_write_1h,
            described.input_cache_write_12h,
            described.input_audio,
            described.input_audio_cache_read,
            described.input_image,
            described.input_image_cache_read,
            described.input_video,
            described.input_tool,
            described.output_text,
            described.output_reasoning,
            described.output_audio,
            described.output_image,
            described.request,
            described.web_search,
            described.grounded_prompt,
            described.rerank_search,
            described.document_page,
            described.annotated_document_page,
            described.reported_cost_usd,
            described.list_cost_usd,
            described.contracted_cost_usd,
            described.effective_cost_usd,
            described.listed_tags,
            described.api_key
           FROM described
        )
 SELECT event_date,
    provider_id,
    model_id,
    openness,
    service_tier,
    region,
    team,
    project,
    cost_centre,
    environment,
    application,
    session_id,
    end_user_id,
    status,
    rate_id,
    unpriced_reason,
    input_uncached,
    input_cache_read,
    input_cache_write,
    input_cache_write_5m,
    input_cache_write_30m,
    input_cache_write_1h,
    input_cache_write_12h,
    input_audio,
    input_audio_cache_read,
    input_image,
    input_image_cache_read,
    input_video,
    input_tool,
    output_text,
    output_reasoning,
    output_audio,
    output_image,
    request,
    web_search,
    grounded_prompt,
    rerank_search,
    document_page,
    annotated_document_page,
    reported_cost_usd,
    list_cost_usd,
    contracted_cost_usd,
    effective_cost_usd,
    listed_tags,
    api_key
   FROM final;
ALTER TABLE ONLY core.request ATTACH PARTITION core.request_20260228 FOR VALUES FROM ('2026-02-28') TO ('2026-03-01');
COPY core.alembic_version (version_num) FROM stdin;
0062
\.
COPY core.alert (alert_id, kind, raised_at, event_date, title, detail, usd, link) FROM stdin;
6905172f-3f38-5d9e-c0dd-f447e85f2c1e	drift	2026-11-30 21:31:47.585309+00	2026-02-28	lmarena_text: drift	Confirmed: gpt-4o-2024-11-20 fell in full of lmarena_text (and in 4 other versions), from 1368.5 to 1338.0, -30.4 Elo beyond the board's common shift, first seen on 2026-02-21 and still so.	\N	reports/2026-02-28/index.html
14da4946-67d0-1c74-020d-8bc679a8a76e	unpriced_model	2026-11-30 21:31:47.585309+00	2026-02-28	no price for unresolved: orion-7b-chat at vllm	2 requests of unresolved: orion-7b-chat at vllm have no cost: model_unresolved (docs/prices.md says what mends it).	\N	reports/2026-02-28/index.html
e1c0f575-81f8-e7bc-a498-e469e1c45edf	unpriced_model	2026-11-30 21:31:47.585309+00	2026-02-28	no price for unresolved: (no name logged) at anthropic	1 requests of unresolved: (no name logged) at anthropic have no cost: model_unresolved (docs/prices.md says what mends it).	\N	reports/2026-02-28/index.html
\.
COPY core.alert_delivery (alert_id, channel, attempts, attempted_at, sent_at, problem) FROM stdin;
\.
COPY core.benchmark (benchmark_id, display_name, metric_kind, unit, lower_is_better, min_score, max_score) FROM stdin;
lmarena_text	LMArena lmarena_text	elo	elo	f	\N	\N
aider_polyglot	Aider polyglot	accuracy	percent	f	0	100
report_aime	AIME (as the landscape report claims)	accuracy	percent	f	0	100
report_hallucination	Hallucination rate (as the landscape report claims)	error_rate	percent	t	0	100
report_humaneval	HumanEval (as the landscape report claims)	accuracy	percent	f	0	100
report_livecodebench	LiveCodeBench (as the landscape report claims)	accuracy	percent	f	0	100
report_lmarena_elo	LMArena Elo (as the landscape report claims)	elo	elo	f	\N	\N
report_math_500	MATH-500 (as the landscape report claims)	accuracy	percent	f	0	100
report_mmlu	MMLU (as the landscape report claims)	accuracy	percent	f	0	100
report_mmlu_pro	MMLU-Pro (as the landscape report claims)	accuracy	percent	f	0	100
report_quality	Quality (as the landscape report claims)	index	points	f	\N	\N
report_speed	Speed (as the landscape report claims)	speed	tokens per second	f	\N	\N
report_swebench_verified	SWE-bench Verified (as the landscape report claims)	accuracy	percent	f	0	100
\.
COPY core.benchmark_score (score_id, board, benchmark_version_id, source_row_key, raw_model, model_id, variant, score, score_text, n_items, n_success, n_trials, stderr, ci_low, ci_high, ci_level, ci_method, votes, run_cost_usd, run_input_tokens, run_output_tokens, measured_by, as_of, observed_at, superseded_at, supersede_reason, snapshot_id, source_locator, harness, weights, resolution_method, resolution_confidence) FROM stdin;
76863caf-da7e-8580-483d-d7eab672a999	lmarena_text	lmarena_text@coding#0	claude-3-5-sonnet-20241022	claude-3-5-sonnet-20241022	claude-3-5-sonnet		1379.914	1379.914	\N	\N	\N	3.6214951172512295	1372.916	1387.112	0.95	reported	\N	\N	\N	\N	independent	2026-02-01	2026-02-01 00:00:00+00	2026-02-14 00:00:00+00	revised	7d3ca216-f109-d8b5-2fbb-9c87c49849f0	/coding/claude-3-5-sonnet-20241022	\N	\N	alias	1
b72b6d5f-89ac-64a5-bf31-ae0da897b187	lmarena_text	lmarena_text@coding#0	claude-3-5-sonnet-20241022	claude-3-5-sonnet-20241022	claude-3-5-sonnet		1379.929	1379.929	\N	\N	\N	3.5510856601956102	1373.069	1386.989	0.95	reported	\N	\N	\N	\N	independent	2026-02-14	2026-02-14 00:00:00+00	2026-02-21 00:00:00+00	revised	d4971605-0fee-e265-13f3-80eb2160a27b	/coding/claude-3-5-sonnet-20241022	\N	\N	alias	1
be608425-e8f0-0010-d034-beeb3e5e80f2	lmarena_text	lmarena_text@coding#0	claude-3-5-sonnet-20241022	claude-3-5-sonnet-20241022	claude-3-5-sonnet		1380.145	1380.145	\N	\N	\N	3.546493739083223	1373.294	1387.196	0.95	reported	\N	\N	\N	\N	independent	2026-02-21	2026-02-21 00:00:00+00	2026-02-27 00:00:00+00	revised	64c8acc9-b0c4-ae34-a3b6-84c8973c19e2	/coding/claude-3-5-sonnet-20241022	\N	\N	alias	1
\.
COPY core.benchmark_version (benchmark_version_id, benchmark_id, version_label, scale_epoch, n_items, valid_from) FROM stdin;
aider_polyglot@pass_rate_1#0	aider_polyglot	pass_rate_1	0	225	2026-01-31
aider_polyglot@pass_rate_2#0	aider_polyglot	pass_rate_2	0	225	2026-01-31
lmarena_text@coding#0	lmarena_text	coding	0	\N	2026-02-01
lmarena_text@creative_writing#0	lmarena_text	creative_writing	0	\N	2026-02-01
lmarena_text@english#0	lmarena_text	english	0	\N	2026-02-01
lmarena_text@full#0	lmarena_text	full	0	\N	2026-02-01
lmarena_text@hard_6#0	lmarena_text	hard_6	0	\N	2026-02-01
report_aime@2024#0	report_aime	2024	0	30	2026-02-28
report_aime@2025#0	report_aime	2025	0	30	2026-02-28
report_hallucination@1#0	report_hallucination	1	0	\N	2026-02-28
report_humaneval@1#0	report_humaneval	1	0	164	2026-02-28
report_livecodebench@unstated#0	report_livecodebench	unstated	0	\N	2026-02-28
report_livecodebench@v6#0	report_livecodebench	v6	0	1055	2026-02-28
report_lmarena_elo@unstated#0	report_lmarena_elo	unstated	0	\N	2026-02-28
report_math_500@1#0	report_math_500	1	0	500	2026-02-28
report_mmlu@1#0	report_mmlu	1	0	14042	2026-02-28
report_mmlu_pro@1#0	report_mmlu_pro	1	0	12032	2026-02-28
report_quality@1#0	report_quality	1	0	\N	2026-02-28
report_speed@1#0	report_speed	1	0	\N	2026-02-28
report_swebench_verified@1#0	report_swebench_verified	1	0	500	2026-02-28
\.
COPY core.booked_charge (period, charge_class, event_date, charge_id, provider_id, model_id, openness, service_tier, region, team, project, cost_centre, environment, application, meter, unit, quantity, rate_id, contract_id, priced_as, price_id, list_price_id, list_usd_per_million, contracted_usd_per_million, pricing_currency, usd_per_currency, list_cost_usd, contracted_cost_usd, effective_cost_usd, billed_cost_usd, unpriced_reason, reported_cost_usd) FROM stdin;
\.
COPY core.booked_commitment (period, charge_class, event_date, commitment_id, kind, provider_id, commitment_discount_status, model_id, team, project, cost_centre, environment, application, amount_usd, effective_cost_usd, covered_usd, allocated_method_id, billed_cost_usd, commitment_discount_quantity, commitment_discount_unit) FROM stdin;
\.
COPY core.booked_share (period, event_date, place, allocated_method_id, rule, receiver, weight) FROM stdin;
\.
COPY core.forgotten_user (user_sha256, replacement, forgotten_at) FROM stdin;
\.
COPY core.fx_rate (fx_rate_id, currency, feed, precedence, steps, usd_per_unit, rate_as_found, valid_from, valid_to, recorded_at, superseded_at, snapshot_id, source_locator) FROM stdin;
\.
COPY core.gpu_price (gpu_price_id, gpu, source, region, term, usd_per_hour, is_own, valid_from, valid_to, recorded_at, superseded_at, snapshot_id) FROM stdin;
d75fef47-d770-7ab1-8c64-7236ea25d1e7	b200	SemiAnalysis InferenceX		owned_hyperscaler	1.950000000000	f	2026-05-07	\N	2026-05-07	\N	\N
c47651f9-dfee-0579-7354-215a1c696d98	b200	SemiAnalysis InferenceX		owned_neocloud	2.340000000000	f	2026-05-07	\N	2026-05-07	\N	\N
9c5d7037-c168-e5ab-25cd-f2daddccf250	b200	SemiAnalysis InferenceX		rental_3_years	2.900000000000	f	2026-05-07	\N	2026-05-07	2026-09-08	\N
\.
COPY core.model (model_id, developer, family, display_name, openness, license, total_params_b, active_params_b, context_tokens, released_date, decided_by) FROM stdin;
amazon-rerank-v1	amazon	rerank	Amazon Rerank 1.0	closed	\N	\N	\N	\N	\N	models.yaml
claude-3-5-haiku	anthropic	claude	Claude 3.5 Haiku	closed	proprietary	\N	\N	200000	2024-10-22	models.yaml
claude-3-5-sonnet	anthropic	claude	Claude 3.5 Sonnet	closed	proprietary	\N	\N	200000	2024-10-22	models.yaml
claude-3-5-sonnet-20240620	anthropic	claude	Claude 3.5 Sonnet (June 2024)	closed	proprietary	\N	\N	200000	2024-06-20	models.yaml
claude-3-7-sonnet	anthropic	claude	Claude 3.7 Sonnet	closed	proprietary	\N	\N	200000	2025-02-24	models.yaml
claude-3-haiku	anthropic	claude	Claude 3 Haiku	closed	proprietary	\N	\N	200000	2024-03-04	models.yaml
claude-3-opus	anthropic	claude	Claude 3 Opus	closed	proprietary	\N	\N	200000	2024-03-04	models.yaml
claude-3-sonnet	anthropic	claude	Claude 3 Sonnet	closed	proprietary	\N	\N	200000	2024-03-04	models.yaml
claude-haiku-4-5	anthropic	claude	Claude Haiku 4.5	closed	proprietary	\N	\N	200000	2025-10-15	models.yaml
claude-opus-4	anthropic	claude	Claude Opus 4	closed	proprietary	\N	\N	200000	2025-05-22	models.yaml
claude-opus-4-1	anthropic	claude	Claude Opus 4.1	closed	proprietary	\N	\N	200000	2025-08-05	models.yaml
claude-opus-4-5	anthropic	claude	Claude Opus 4.5	closed	proprietary	\N	\N	200000	2025-11-24	models.yaml
claude-sonnet-4	anthropic	claude	Claude Sonnet 4	closed	proprietary	\N	\N	1000000	2025-05-22	models.yaml
claude-sonnet-4-5	anthropic	claude	Claude Sonnet 4.5	closed	proprietary	\N	\N	200000	2025-09-29	models.yaml
codestral	mistral	codestral	Codestral	unknown	MNPL-0.1	22.2	22.2	32768	2024-05-29	models.yaml
command-r-plus	cohere	command	Command R+	open_weight	CC-BY-NC-4.0	104	104	131072	2024-04-04	models.yaml
deepseek-chat	deepseek	deepseek	deepseek-chat	open_weight	MIT	671	37	131072	2025-12-01	genai_prices
deepseek-prover-v2	deepseek	deepseek	DeepSeek-Prover-V2	open_weight	DeepSeek	671	37	131072	2025-04-30	models.yaml
deepseek-r1	deepseek	deepseek	DeepSeek R1	open_weight	MIT	671	37	131072	2025-01-20	models.yaml
deepseek-r1-0528	deepseek	deepseek	DeepSeek-R1-0528	open_weight	MIT	671	37	128000	2025-05-28	models.yaml
deepseek-r1-distill-llama-70b	deepseek	deepseek	DeepSeek R1 Distill Llama 70B	open_weight	Llama-3.3	70.6	70.6	131072	2025-01-20	models.yaml
deepseek-r1-distill-qwen-7b	deepseek	deepseek	DeepSeek R1 Distill Qwen 7B	open_weight	MIT	7.6	7.6	131072	2025-01-20	models.yaml
deepseek-v3	deepseek	deepseek	DeepSeek V3	open_weight	DeepSeek	671	37	131072	2024-12-26	models.yaml
deepseek-v3-0324	deepseek	deepseek	DeepSeek-V3-0324	open_weight	MIT	671	37	128000	2025-03-25	models.yaml
deepseek-v3.1	deepseek	deepseek	DeepSeek V3.1	open_weight	MIT	671	37	128000	2025-08-21	models.yaml
deepseek-v3.2	deepseek	deepseek	DeepSeek V3.2	open_weight	MIT	671	37	163840	2025-12-01	models.yaml
deepseek-v3.2-exp	deepseek	deepseek	DeepSeek V3.2-Exp	open_weight	MIT	671	37	163840	2025-09-29	models.yaml
gemini-1.5-pro	google	gemini	Gemini 1.5 Pro	closed	proprietary	\N	\N	2097152	2024-05-23	models.yaml
gemini-2.0-flash	google	gemini	Gemini 2.0 Flash	closed	proprietary	\N	\N	1048576	2025-02-05	models.yaml
gemini-3-pro-preview	google	gemini	Gemini 3 Pro	closed	proprietary	\N	\N	1048576	2025-11-18	models.yaml
gemma-3-1b-it	google	gemma	Gemma 3 1B	open_weight	Gemma	1	1	32000	2025-03-13	models.yaml
gemma-3-27b-it	google	gemma	Gemma 3 27B	open_weight	Gemma	27.4	27.4	131072	2025-03-12	models.yaml
glm-5	zai	glm	GLM-5	open_weight	MIT	744	40	200000	2026-02-11	models.yaml
gpt-4	openai	gpt	GPT-4	closed	proprietary	\N	\N	8192	2023-03-14	models.yaml
gpt-4.5-preview	openai	gpt	GPT-4.5	closed	proprietary	\N	\N	128000	2025-02-27	models.yaml
gpt-4o	openai	gpt	GPT-4o	closed	proprietary	\N	\N	128000	2024-05-13	models.yaml
gpt-5.2	openai	gpt	GPT-5.2	closed	proprietary	\N	\N	400000	2025-12-11	models.yaml
gpt-oss-120b	openai	gpt-oss	gpt-oss-120b	open_weight	Apache-2.0	116.8	5.7	131072	2025-08-05	models.yaml
gpt-oss-20b	openai	gpt-oss	gpt-oss-20b	open_weight	Apache-2.0	20.9	4.2	131072	2025-08-05	models.yaml
grok-1	xai	grok	Grok-1	open_weight	Apache-2.0	314	84	8192	2024-03-17	models.yaml
kimi-k2	moonshotai	kimi	Kimi K2	open_weight	Modified-MIT	1000	32	131072	2025-07-11	models.yaml
kimi-k2-instruct-0905	moonshotai	kimi	Kimi K2 0905	open_weight	Modified-MIT	1000	32	262144	2025-09-05	models.yaml
llama-3.3-70b-instruct	meta	llama	Llama 3.3 70B	open_weight	Llama-3.3	70.6	70.6	131072	2024-12-06	models.yaml
llama-4-maverick	meta	llama	Llama 4 Maverick	open_weight	Llama-4	400	17	1048576	2025-04-05	models.yaml
llama-4-scout	meta	llama	Llama 4 Scout	open_weight	Llama-4	109	17	10000000	2025-04-05	models.yaml
mistral-7b	mistral	mistral	Mistral 7B	open_weight	Apache-2.0	7.2	7.2	32768	2023-09-27	models.yaml
mistral-large-3	mistral	mistral	Mistral Large 3	open_weight	Apache-2.0	675	41	262144	2025-12-02	models.yaml
mixtral-8x22b	mistral	mixtral	Mixtral 8x22B	open_weight	Apache-2.0	140.6	39.2	65536	2024-04-17	models.yaml
o1	openai	o-series	OpenAI o1	closed	proprietary	\N	\N	200000	2024-12-17	models.yaml
o3	openai	o-series	OpenAI o3	closed	proprietary	\N	\N	200000	2025-04-16	models.yaml
phi-4	microsoft	phi	Phi-4	open_weight	MIT	14.7	14.7	16384	2024-12-12	models.yaml
pixtral-12b	mistral	pixtral	Pixtral 12B	open_weight	Apache-2.0	12.4	12.4	128000	2024-09-17	models.yaml
qwen3-0.6b	alibaba	qwen	Qwen3-0.6B	open_weight	Apache-2.0	0.6	0.6	40960	2025-04-28	models.yaml
qwen3-1.7b	alibaba	qwen	Qwen3-1.7B	open_weight	Apache-2.0	1.72	1.72	40960	2025-04-28	models.yaml
qwen3-14b	alibaba	qwen	Qwen3-14B	open_weight	Apache-2.0	14.8	14.8	40960	2025-04-28	models.yaml
qwen3-235b-a22b	alibaba	qwen	Qwen3-235B-A22B	open_weight	Apache-2.0	235.1	22.2	40960	2025-04-28	models.yaml
qwen3-30b-a3b	alibaba	qwen	Qwen3-30B-A3B	open_weight	Apache-2.0	30.5	3.35	40960	2025-04-28	models.yaml
qwen3-32b	alibaba	qwen	Qwen3-32B	open_weight	Apache-2.0	32.8	32.8	40960	2025-04-28	models.yaml
qwen3-4b	alibaba	qwen	Qwen3-4B	open_weight	Apache-2.0	4.02	4.02	40960	2025-04-28	models.yaml
qwen3-72b	alibaba	qwen	Qwen3-72B (named by the landscape report; never released)	unknown	Apache-2.0	72	72	128000	\N	models.yaml
qwen3-8b	alibaba	qwen	Qwen3-8B	open_weight	Apache-2.0	8.2	8.2	40960	2025-04-28	models.yaml
rerank-v3.5	cohere	rerank	Cohere Rerank 3.5	closed	\N	\N	\N	\N	\N	models.yaml
\.
COPY core.model_alias (provider_id, raw_name, model_id, method, confidence, decided_by) FROM stdin;
anthropic	claude-sonnet-4-5	claude-sonnet-4-5	exact	1	models.yaml
anthropic	claude-sonnet-4-5-20250929	claude-sonnet-4-5	date_suffix	0.95	litellm_map
deepseek	deepseek-chat	deepseek-chat	exact	1	genai_prices
\.
COPY core.period_act (period, acted_at, act, reason, charges, billed_cost_usd) FROM stdin;
\.
COPY core.price (price_id, sku_id, feed, provider_id, model_id, raw_model, meter, unit, service_tier, region, context_from_tokens, context_to_tokens, context_bound, context_scope, context_counts, time_window, contract_id, reasoning_mode, unit_price, pricing_currency, pricing_quantity, usd_per_million, valid_from, valid_to, date_basis, recorded_at, superseded_at, supersede_reason, snapshot_id, source_locator, extracted_text, parser_version) FROM stdin;
02df0ce6-0b9e-a38b-f707-5f6ae7e0be4b	3318b662-c774-078b-66bb-da686d5e0c55	genai_prices	groq	qwen3-32b	qwen/qwen3-32b	output_text	token	standard		0	\N	gte	whole_request	input				0.590000000000000000	USD	1000000	0.590000000000	0001-01-01 00:00:00+00	\N	unknown	2026-01-31 00:00:00+00	\N	\N	0868c40a-0687-0f91-48cf-68f73d228fa1	/4/models/1/prices/output_mtok	output_mtok: 0.59	genai_prices-3
02ec2129-3e91-4d78-f6c6-dcffd03f896d	def70a9e-51a6-c823-bb6e-09e4041dfcc9	genai_prices	anthropic	claude-sonnet-4-5	claude-sonnet-4-5	input_uncached	token	standard		200000	\N	gt	whole_request	input				6.000000000000000000	USD	1000000	6.000000000000	0001-01-01 00:00:00+00	\N	unknown	2026-01-31 00:00:00+00	\N	\N	0868c40a-0687-0f91-48cf-68f73d228fa1	/0/models/0/prices/input_mtok/tiers/0/price	input_mtok: 6 above 200000 input tokens	genai_prices-3
0ef0372a-7021-86ca-8b12-a203e23e687d	3154100b-0556-4cbe-32e5-6209dda242c3	genai_prices	openai	gpt-5.2	gpt-5.2	input_uncached	token	standard		0	\N	gte	whole_request	input				1.750000000000000000	USD	1000000	1.750000000000	0001-01-01 00:00:00+00	\N	unknown	2026-01-31 00:00:00+00	\N	\N	0868c40a-0687-0f91-48cf-68f73d228fa1	/6/models/0/prices/input_mtok	input_mtok: 1.75	genai_prices-3
\.
COPY core.rate_card (rate_id, provider_id, model_id, service_tier, region, time_window, contract_id, reasoning_mode, context_from_tokens, context_to_tokens, context_counts, valid_from, valid_to, input_uncached_usd_per_mtok, input_cache_read_usd_per_mtok, input_cache_write_usd_per_mtok, input_cache_write_5m_usd_per_mtok, input_cache_write_30m_usd_per_mtok, input_cache_write_1h_usd_per_mtok, input_cache_write_12h_usd_per_mtok, input_audio_usd_per_mtok, input_audio_cache_read_usd_per_mtok, input_image_usd_per_mtok, input_image_cache_read_usd_per_mtok, input_video_usd_per_mtok, input_tool_usd_per_mtok, output_text_usd_per_mtok, output_reasoning_usd_per_mtok, output_audio_usd_per_mtok, output_image_usd_per_mtok, request_usd_per_million, web_search_usd_per_million, grounded_prompt_usd_per_million, price_ids, fallbacks, exchange_rates, marginal, minimum_charge_usd, rerank_search_usd_per_million, document_page_usd_per_million, annotated_document_page_usd_per_million) FROM stdin;
21ab64cf-7f3c-e1df-8d39-fbd282036983	anthropic	claude-sonnet-4-5	standard					0	200001	input	0001-01-01 00:00:00+00	\N	3.000000000000	0.300000000000	3.750000000000	3.750000000000	3.750000000000	6.000000000000	3.750000000000	3.000000000000	0.300000000000	3.000000000000	0.300000000000	3.000000000000	3.000000000000	15.000000000000	15.000000000000	15.000000000000	15.000000000000	\N	\N	\N	{"output_text": "45d5f771-8d96-2297-5fd4-8cf31687b25b", "input_uncached": "86c8f262-9b17-a72e-2acb-07537405d88f", "input_cache_read": "18f48d63-c57c-9d7a-7d59-f6f6b09576f0", "input_cache_write": "76ca9b4a-abf0-0f91-b823-3097b194f7d5", "input_cache_write_1h": "16527661-4857-99ea-fb05-1bee8fa17640"}	{"input_tool": "input_uncached", "input_audio": "input_uncached", "input_image": "input_uncached", "input_video": "input_uncached", "output_audio": "output_text", "output_image": "output_text", "output_reasoning": "output_text", "input_cache_write_5m": "input_cache_write", "input_cache_write_12h": "input_cache_write", "input_cache_write_30m": "input_cache_write", "input_audio_cache_read": "input_cache_read", "input_image_cache_read": "input_cache_read"}	{}	{}	\N	\N	\N	\N
4d765500-4021-df65-b013-70e41b944029	anthropic	claude-sonnet-4-5	standard					200001	\N	input	0001-01-01 00:00:00+00	\N	6.000000000000	0.600000000000	7.500000000000	7.500000000000	7.500000000000	12.000000000000	7.500000000000	6.000000000000	0.600000000000	6.000000000000	0.600000000000	6.000000000000	6.000000000000	22.500000000000	22.500000000000	22.500000000000	22.500000000000	\N	\N	\N	{"output_text": "e20b0170-31ad-2a74-75ff-4a110cdf910d", "input_uncached": "02ec2129-3e91-4d78-f6c6-dcffd03f896d", "input_cache_read": "4b21c095-99b4-77a4-4daf-1a99c3f11d82", "input_cache_write": "7096cd6f-d921-8b51-2e97-7745b9b0686a", "input_cache_write_1h": "bc241539-b0b3-4fd9-dc43-477ffcf5de5a"}	{"input_tool": "input_uncached", "input_audio": "input_uncached", "input_image": "input_uncached", "input_video": "input_uncached", "output_audio": "output_text", "output_image": "output_text", "output_reasoning": "output_text", "input_cache_write_5m": "input_cache_write", "input_cache_write_12h": "input_cache_write", "input_cache_write_30m": "input_cache_write", "input_audio_cache_read": "input_cache_read", "input_image_cache_read": "input_cache_read"}	{}	{}	\N	\N	\N	\N
95c5e2b4-712c-d630-b4ca-55d0f88b0d57	deepseek	deepseek-chat	standard					0	\N	input	0001-01-01 00:00:00+00	2026-02-22 00:00:00+00	0.280000000000	0.028000000000	0.280000000000	0.280000000000	0.280000000000	0.280000000000	0.280000000000	0.280000000000	0.028000000000	0.280000000000	0.028000000000	0.280000000000	0.280000000000	0.420000000000	0.420000000000	0.420000000000	0.420000000000	\N	\N	\N	{"output_text": "100cf5d2-5ada-b5c3-2eb8-727c22928c13", "input_uncached": "e156dabd-b5cc-f17f-815b-fbd97fc96e2c", "input_cache_read": "48a662fe-0a05-f121-7fc1-6690100f7f03"}	{"input_tool": "input_uncached", "input_audio": "input_uncached", "input_image": "input_uncached", "input_video": "input_uncached", "output_audio": "output_text", "output_image": "output_text", "output_reasoning": "output_text", "input_cache_write": "input_uncached", "input_cache_write_1h": "input_uncached", "input_cache_write_5m": "input_uncached", "input_cache_write_12h": "input_uncached", "input_cache_write_30m": "input_uncached", "input_audio_cache_read": "input_cache_read", "input_image_cache_read": "input_cache_read"}	{}	{}	\N	\N	\N	\N
\.
COPY core.reported_cost (event_date, cost_uid, observed_at, superseded_at, supersede_reason, source, snapshot_id, line_no, item_no, source_locator, bucket_from, bucket_to, provider_id, report, project_id, api_key_id, end_user_id, raw_model, model_id, resolution_method, line_item, meter, upstream_provider, service_tier, region, context_window, input_uncached_tokens, input_cache_read_tokens, input_cache_write_tokens, input_cache_write_5m_tokens, input_cache_write_30m_tokens, input_cache_write_1h_tokens, input_cache_write_12h_tokens, input_audio_tokens, input_audio_cache_read_tokens, input_image_tokens, input_image_cache_read_tokens, input_video_tokens, input_tool_tokens, output_text_tokens, output_reasoning_tokens, output_audio_tokens, output_image_tokens, token_semantics, request_count, web_search_count, quantity, quantity_unit, amount_text, amount, currency, amount_usd, byok_cost_usd, list_amount, charge_category, product, rerank_search_count, document_page_count, annotated_document_page_count) FROM stdin;
2026-02-28	10b5b480-ba4c-f6a9-c02e-c72e1feac49b	2026-02-28 23:55:00+00	\N	\N	anthropic_bill	b0f186ce-48ee-6e32-9912-6f8adc5ab72c	1	4	/data/0/results/4	2026-02-28 00:00:00+00	2026-03-01 00:00:00+00	anthropic	cost_report	wrkspc_trial	\N	\N	claude-sonnet-4-5-20250929	claude-sonnet-4-5	date_suffix	Claude Sonnet 4.5 Usage - Input Tokens	uncached_input_tokens	\N	standard	\N	0-200k	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	2.880780000000	0.028807800000000000	USD	0.028807800000000000	\N	\N	\N	\N	\N	\N	\N
2026-02-28	241fa2c4-4be3-cf02-c0b7-b109b28d9b54	2026-02-28 23:55:00+00	\N	\N	anthropic_bill	b0f186ce-48ee-6e32-9912-6f8adc5ab72c	1	0	/data/0/results/0	2026-02-28 00:00:00+00	2026-03-01 00:00:00+00	anthropic	cost_report	wrkspc_sample	\N	\N	claude-sonnet-4-5-20250929	claude-sonnet-4-5	date_suffix	Claude Sonnet 4.5 Usage - Input Tokens	uncached_input_tokens	\N	standard	\N	0-200k	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	72.019500000000	0.720195000000000000	USD	0.720195000000000000	\N	\N	\N	\N	\N	\N	\N
2026-02-28	6d969908-5fdd-95e3-cff6-67c951d22bfa	2026-02-28 23:55:00+00	\N	\N	anthropic_bill	b0f186ce-48ee-6e32-9912-6f8adc5ab72c	1	5	/data/0/results/5	2026-02-28 00:00:00+00	2026-03-01 00:00:00+00	anthropic	cost_report	wrkspc_trial	\N	\N	claude-sonnet-4-5-20250929	claude-sonnet-4-5	date_suffix	Claude Sonnet 4.5 Usage - Cache Read Input Tokens	cache_read_input_tokens	\N	standard	\N	0-200k	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	0.613785600000	0.006137856000000000	USD	0.006137856000000000	\N	\N	\N	\N	\N	\N	\N
\.
COPY core.request_20260228 (event_date, request_uid, event_at, source, snapshot_id, line_no, item_no, source_request_id, session_id, operation, provider_id, request_model, response_model, model_id, resolution_method, team, project, environment, application, end_user_id, tags, service_tier, region, is_stream, status, http_status, finish_reason, latency_ms, ttft_ms, input_uncached_tokens, input_cache_read_tokens, input_cache_write_tokens, input_cache_write_5m_tokens, input_cache_write_30m_tokens, input_cache_write_1h_tokens, input_cache_write_12h_tokens, input_audio_tokens, input_audio_cache_read_tokens, input_image_tokens, input_image_cache_read_tokens, input_video_tokens, input_tool_tokens, output_text_tokens, output_reasoning_tokens, output_audio_tokens, output_image_tokens, web_search_count, token_semantics, usage_basis, is_billable, reported_cost_usd, rate_id, list_cost_usd, contracted_cost_usd, effective_cost_usd, unpriced_reason, cost_centre, rerank_search_count, document_page_count, annotated_document_page_count) FROM stdin;
2026-02-28	e1a06095-c70a-162d-697c-639e3c2ec54b	2026-02-28 00:07:40.43477+00	assistants	c1de27b6-938d-ad02-bc9f-5d8c4bf16c5b	1	0	resp_2660d958968a449919aaf708682317c5	engineering-20260228-0	chat	openai	gpt-5.2	gpt-5.2-2025-12-11	gpt-5.2	exact	engineering	\N	production	ide-assistant	engineering-user-54	{"emitter": "opentelemetry.instrumentation.genai", "emitter_version": "1.0.0"}	standard		t	ok	\N	stop	932	360	2888	0	0	0	0	0	0	0	0	0	0	0	0	10	34	0	0	0	openai_inclusive	reported	t	\N	72309960-f908-818a-60c4-7ef016256681	0.005670000000000000	0.005670000000000000	0.005670000000000000	\N	\N	0	0	0
2026-02-28	e038cb41-a0dd-5895-2680-73501c46b93b	2026-02-28 00:10:55.614+00	batch	99a37924-6c89-17be-e602-f03c55aa760e	2	0	job-5e51a1003f80daba	\N	chat	openrouter	google/gemma-3-27b-it	\N	gemma-3-27b-it	feed_alias	search	\N	production	catalogue-tagging	\N	\N	standard		\N	ok	\N	\N	720	\N	7339	0	0	0	0	0	0	0	0	0	0	0	0	24	0	0	0	0	openai_inclusive	reported	t	\N	1f9c8e34-05b1-89b2-ef34-fa46b3f8f904	0.000738700000000000	0.000738700000000000	0.000738700000000000	\N	\N	0	0	0
2026-02-28	c85a0476-2a74-7914-24d4-5ab4349795e9	2026-02-28 00:11:16.685+00	batch	99a37924-6c89-17be-e602-f03c55aa760e	3	0	job-fa762ed226f38319	\N	chat	groq	qwen/qwen3-32b	\N	qwen3-32b	feed_alias	search	\N	production	catalogue-tagging	\N	\N	standard		\N	ok	\N	\N	5277	\N	2077	0	0	0	0	0	0	0	0	0	0	0	0	288	0	0	0	0	openai_inclusive	reported	t	\N	498908b1-e998-ab02-9d41-b29e922267c4	0.000772250000000000	0.000772250000000000	0.000772250000000000	\N	\N	0	0	0
\.
COPY core.routing_cost (event_date, is_priced, provider_id, model_id, ran_model_id, is_loop, lane, bucket, not_priced, requests, own, input, output, fees, lost_gap, sessionless_gap, gap_reuse_1, gap_reuse_2, gap_reuse_3, gap_reuse_4, gap_reuse_5, gap_reuse_6, gap_reuse_7, gap_reuse_8) FROM stdin;
2026-02-28	t	anthropic	claude-sonnet-4-5	claude-sonnet-4-5	f		0		\N	0.047527500000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000
2026-02-28	t	anthropic	claude-sonnet-4-5	claude-sonnet-4-5	f		3		\N	0.004672200000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000
2026-02-28	t	anthropic	claude-sonnet-4-5	claude-sonnet-4-5	f		4		\N	0.014599500000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000
\.
COPY core.routing_traffic (event_date, is_priced, provider_id, model_id, is_loop, lane, bucket, use_case, left_out, requests, actual_usd, config_id) FROM stdin;
2026-02-28	t	anthropic	claude-sonnet-4-5	f		0	review-bot		1	0.047527500000000000	f244d5944b0961d5
2026-02-28	t	anthropic	claude-sonnet-4-5	f		3	review-bot		1	0.004672200000000000	f244d5944b0961d5
2026-02-28	t	anthropic	claude-sonnet-4-5	f		4	ide-assistant		1	0.014599500000000000	f244d5944b0961d5
\.
COPY core.seller_limit (feed, observed_at, provider_id, kind, scope, scope_id, period, amount, currency, is_enforced, spent, limit_id, landing_path) FROM stdin;
\.
COPY core.shadow_request (snapshot_id, line_no, item_no, source, observed_at, event_date, event_at, request_id, session_id, use_case, arm, provider_id, raw_model, model_id, input_uncached_tokens, input_cache_read_tokens, input_cache_write_tokens, input_cache_write_5m_tokens, input_cache_write_30m_tokens, input_cache_write_1h_tokens, input_cache_write_12h_tokens, input_audio_tokens, input_audio_cache_read_tokens, input_image_tokens, input_image_cache_read_tokens, input_video_tokens, input_tool_tokens, output_text_tokens, output_reasoning_tokens, output_audio_tokens, output_image_tokens, token_semantics, cost_usd, score, score_kind, judge, propensity, is_counted) FROM stdin;
\.
COPY core.throughput (throughput_id, model_id, raw_model, gpu, gpus, engine, "precision", input_tokens, output_tokens, concurrency, scenario, output_tokens_per_second, is_own, measured_on, source, snapshot_id) FROM stdin;
361f7a51-15b5-7674-c6cc-735ec5fa8410	qwen3-32b	qwen3-32b	h100	1	vllm	fp8	2000	500	64		1400	t	2026-02-01	made up for the sample	\N
4ef24a7b-6d90-15e7-63e2-29b3d1c60d8c	gpt-oss-120b	gpt-oss-120b	h200	1	vllm	mxfp4	2000	500	64		2200	t	2026-02-01	made up for the sample	\N
\.
COPY mart.benchmark_drift (event_id, event_date, board, benchmark_version_id, drift_class, severity, raw_model, model_id, score_before, score_after, delta, delta_adjusted, stderr, z, p_value, q_value, min_detectable, n_models, explanation, from_snapshot_id, to_snapshot_id, evidence) FROM stdin;
d0fd95d3-d5ee-b7d5-edef-8bc749d54e35	2026-02-01	lmarena_text	lmarena_text@full#0	new	info	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	60	First export of lmarena_text: 60 entries in 5 versions; later exports are compared with it.	\N	7d3ca216-f109-d8b5-2fbb-9c87c49849f0	{}
b946e255-be2e-1c0f-80ac-5ada21614a7f	2026-02-21	lmarena_text	lmarena_text@full#0	drift	info	gpt-4o-2024-11-20	gpt-4o	1368.481	1337.28	-31.201000000000022	-31.024	3.6861569455111356	-8.41635352444227	3.883840890073224e-17	5.825761335109836e-15	7.224734854564001	1	gpt-4o-2024-11-20 fell in full of lmarena_text (and in 4 other versions): 1368.5 to 1337.3, -31.0 Elo beyond the board's common shift, against 7.2 that noise explains (z -8.4, q 5.8e-15 over 300 tests of the day). Not yet confirmed by a second export.	d4971605-0fee-e265-13f3-80eb2160a27b	64c8acc9-b0c4-ae34-a3b6-84c8973c19e2	{"tests": 300, "versions": [{"z": -8.41635352444227, "score": 1368.481, "q_value": 0.000000000000005825761335109836, "se_delta": 3.6861569455111356, "items_lost": null, "score_after": 1337.28, "benchmark_id": "lmarena_text", "items_gained": null, "paired_items": null, "version_label": "full", "delta_adjusted": -31.024}, {"z": -8.58431421706202, "score": 1373.746, "q_value": 0.000000000000002741396783481348, "se_delta": 3.687714498740061, "items_lost": null, "score_after": 1341.958, "benchmark_id": "lmarena_text", "items_gained": null, "paired_items": null, "version_label": "hard_6", "delta_adjusted": -31.65650000000005}, {"z": -7.929168275920773, "score": 1363.113, "q_value": 0.00000000000022061843509723064, "se_delta": 3.9949965617700975, "items_lost": null, "score_after": 1331.403, "benchmark_id": "lmarena_text", "items_gained": null, "paired_items": null, "version_label": "creative_writing", "delta_adjusted": -31.67700000000002}, {"z": -7.546975104334323, "score": 1377.709, "q_value": 0.0000000000033411277605219287, "se_delta": 3.9894129215702137, "items_lost": null, "score_after": 1347.696, "benchmark_id": "lmarena_text", "items_gained": null, "paired_items": null, "version_label": "coding", "delta_adjusted": -30.10800000000006}, {"z": -7.214654701758726, "score": 1370.609, "q_value": 0.000000000032442602822577575, "se_delta": 4.276711953030576, "items_lost": null, "score_after": 1339.736, "benchmark_id": "lmarena_text", "items_gained": null, "paired_items": null, "version_label": "english", "delta_adjusted": -30.85499999999979}], "confirmed": false, "score_ids": [["49afaba1f37eaa16d4aac3a1cc39cb38", "501b1ec33fc6eae1a78ca654772f73f7"], ["5ce864c04d2d7995157b0ab7389f7480", "c86cbe0701bb219a3f88f10669d55c24"], ["25622e2eecc475e0c50d4a09de74aff9", "67891d9661b67d957e3367df13999dc0"], ["c5a5e528b826dc8f812f2e0ae8e7cff7", "e75df4a2f83a33aa079da2cdca871848"], ["60aa98ec6c62bffed77be7fc6f433bda", "9b1f6c057ca8e43478d56626bdbec0ba"]]}
74aef87b-2617-0ad6-efde-2ce782e29f1d	2026-02-27	lmarena_text	lmarena_text@full#0	drift	warn	gpt-4o-2024-11-20	gpt-4o	1368.481	1338.013	-30.468000000000075	-30.36200000000008	4.330482303994841	-7.011228280967997	3.883840890073224e-17	5.825761335109836e-15	8.487589351517922	1	Confirmed: gpt-4o-2024-11-20 fell in full of lmarena_text (and in 4 other versions), from 1368.5 to 1338.0, -30.4 Elo beyond the board's common shift, first seen on 2026-02-21 and still so.	64c8acc9-b0c4-ae34-a3b6-84c8973c19e2	ac95b3d1-043a-a56d-1225-e2c8f84db0eb	{"versions": [{"z": -8.41635352444227, "score": 1368.481, "held_se": 4.330482303994841, "q_value": 0.000000000000005825761335109836, "se_delta": 3.6861569455111356, "score_now": 1338.013, "held_delta": -30.36200000000008, "held_items": null, "items_lost": null, "score_after": 1337.28, "benchmark_id": "lmarena_text", "items_gained": null, "paired_items": null, "version_label": "full", "delta_adjusted": -31.024}, {"z": -8.58431421706202, "score": 1373.746, "held_se": 3.9924783306816245, "q_value": 0.000000000000002741396783481348, "se_delta": 3.687714498740061, "score_now": 1342.177, "held_delta": -31.608500000000276, "held_items": null, "items_lost": null, "score_after": 1341.958, "benchmark_id": "lmarena_text", "items_gained": null, "paired_items": null, "version_label": "hard_6", "delta_adjusted": -31.65650000000005}, {"z": -7.929168275920773, "score": 1363.113, "held_se": 4.523585656158571, "q_value": 0.00000000000022061843509723064, "se_delta": 3.9949965617700975, "score_now": 1331.897, "held_delta": -31.20000000000016, "held_items": null, "items_lost": null, "score_after": 1331.403, "benchmark_id": "lmarena_text", "items_gained": null, "paired_items": null, "version_label": "creative_writing", "delta_adjusted": -31.67700000000002}, {"z": -7.546975104334323, "score": 1377.709, "held_se": 4.59364791687922, "q_value": 0.0000000000033411277605219287, "se_delta": 3.9894129215702137, "score_now": 1346.741, "held_delta": -31.07899999999995, "held_items": null, "items_lost": null, "score_after": 1347.696, "benchmark_id": "lmarena_text", "items_gained": null, "paired_items": null, "version_label": "coding", "delta_adjusted": -30.10800000000006}, {"z": -7.214654701758726, "score": 1370.609, "held_se": 4.615023090343538, "q_value": 0.000000000032442602822577575, "se_delta": 4.276711953030576, "score_now": 1340.674, "held_delta": -29.945499999999925, "held_items": null, "items_lost": null, "score_after": 1339.736, "benchmark_id": "lmarena_text", "items_gained": null, "paired_items": null, "version_label": "english", "delta_adjusted": -30.85499999999979}], "confirmed": true, "first_seen_at": "2026-02-21T00:00:00.000000"}
\.
COPY mart.benchmark_gap (event_date, board, benchmark_version_id, best_open_model, best_open_model_id, best_open_score, best_closed_model, best_closed_model_id, best_closed_score, gap, gap_adjusted, gap_low, gap_high, top_k, top_k_gap, top_k_gap_stderr, lag_days, lag_is_minimum, best_open_rank_from, best_open_rank_to, n_open, n_closed, n_unknown, gap_stderr, min_detectable, paired_items, release_lag_days, undecided) FROM stdin;
2026-02-01	lmarena_text	lmarena_text@coding#0	deepseek-v3.2	deepseek-v3.2	1469.956	gemini-3-pro	gemini-3-pro-preview	1509.129	39.173	39.17009726951045	30.86588762491911	47.396023633726074	5	30.067999999999984	1.8050291817257975	0	t	3	4	17	11	32	4.28066840306442	8.389955899764852	\N	63	[{"rank": 23, "model": "sample-lm-01", "score": 1343.183, "models_yaml": "- {id: \\"sample-lm-01\\", display_name: \\"sample-lm-01\\", openness: closed}"}, {"rank": 24, "model": "sample-lm-02", "score": 1331.735, "models_yaml": "- {id: \\"sample-lm-02\\", display_name: \\"sample-lm-02\\", openness: closed}"}, {"rank": 28, "model": "sample-lm-03", "score": 1321.263, "models_yaml": "- {id: \\"sample-lm-03\\", display_name: \\"sample-lm-03\\", openness: closed}"}, {"rank": 29, "model": "sample-lm-04", "score": 1310.889, "models_yaml": "- {id: \\"sample-lm-04\\", display_name: \\"sample-lm-04\\", openness: closed}"}, {"rank": 31, "model": "sample-lm-05", "score": 1298.031, "models_yaml": "- {id: \\"sample-lm-05\\", display_name: \\"sample-lm-05\\", openness: closed}"}, {"rank": 32, "model": "sample-lm-06", "score": 1288.21, "models_yaml": "- {id: \\"sample-lm-06\\", display_name: \\"sample-lm-06\\", openness: closed}"}, {"rank": 34, "model": "sample-lm-07", "score": 1277.274, "models_yaml": "- {id: \\"sample-lm-07\\", display_name: \\"sample-lm-07\\", openness: closed}"}, {"rank": 35, "model": "sample-lm-08", "score": 1265.021, "models_yaml": "- {id: \\"sample-lm-08\\", display_name: \\"sample-lm-08\\", openness: closed}"}, {"rank": 36, "model": "sample-lm-09", "score": 1254.143, "models_yaml": "- {id: \\"sample-lm-09\\", display_name: \\"sample-lm-09\\", openness: closed}"}, {"rank": 37, "model": "sample-lm-10", "score": 1244.903, "models_yaml": "- {id: \\"sample-lm-10\\", display_name: \\"sample-lm-10\\", openness: closed}"}]
2026-02-14	lmarena_text	lmarena_text@coding#0	deepseek-v3.2	deepseek-v3.2	1469.503	gemini-3-pro	gemini-3-pro-preview	1509.258	39.75500000000011	39.797124646072085	30.74703980179953	49.631983532445474	5	30.101000000000113	2.0002303625741176	13	t	3	4	17	11	32	4.733201649192247	9.276904763982392	\N	63	[{"rank": 23, "model": "sample-lm-01", "score": 1343.634, "models_yaml": "- {id: \\"sample-lm-01\\", display_name: \\"sample-lm-01\\", openness: closed}"}, {"rank": 24, "model": "sample-lm-02", "score": 1332.088, "models_yaml": "- {id: \\"sample-lm-02\\", display_name: \\"sample-lm-02\\", openness: closed}"}, {"rank": 27, "model": "sample-lm-03", "score": 1321.922, "models_yaml": "- {id: \\"sample-lm-03\\", display_name: \\"sample-lm-03\\", openness: closed}"}, {"rank": 29, "model": "sample-lm-04", "score": 1310.118, "models_yaml": "- {id: \\"sample-lm-04\\", display_name: \\"sample-lm-04\\", openness: closed}"}, {"rank": 30, "model": "sample-lm-05", "score": 1298.982, "models_yaml": "- {id: \\"sample-lm-05\\", display_name: \\"sample-lm-05\\", openness: closed}"}, {"rank": 32, "model": "sample-lm-06", "score": 1288.972, "models_yaml": "- {id: \\"sample-lm-06\\", display_name: \\"sample-lm-06\\", openness: closed}"}, {"rank": 34, "model": "sample-lm-07", "score": 1277.659, "models_yaml": "- {id: \\"sample-lm-07\\", display_name: \\"sample-lm-07\\", openness: closed}"}, {"rank": 35, "model": "sample-lm-08", "score": 1266.305, "models_yaml": "- {id: \\"sample-lm-08\\", display_name: \\"sample-lm-08\\", openness: closed}"}, {"rank": 36, "model": "sample-lm-09", "score": 1255.135, "models_yaml": "- {id: \\"sample-lm-09\\", display_name: \\"sample-lm-09\\", openness: closed}"}, {"rank": 37, "model": "sample-lm-10", "score": 1243.042, "models_yaml": "- {id: \\"sample-lm-10\\", display_name: \\"sample-lm-10\\", openness: closed}"}]
2026-02-21	lmarena_text	lmarena_text@coding#0	deepseek-v3.2	deepseek-v3.2	1469.012	gemini-3-pro	gemini-3-pro-preview	1509.448	40.43600000000015	40.28411136035942	32.90650643767447	47.64025148972917	5	30.957200000000284	1.7227452169901274	20	t	3	4	17	11	32	3.794475316339283	7.437034960251223	\N	63	[{"rank": 23, "model": "sample-lm-01", "score": 1343.42, "models_yaml": "- {id: \\"sample-lm-01\\", display_name: \\"sample-lm-01\\", openness: closed}"}, {"rank": 24, "model": "sample-lm-02", "score": 1331.425, "models_yaml": "- {id: \\"sample-lm-02\\", display_name: \\"sample-lm-02\\", openness: closed}"}, {"rank": 28, "model": "sample-lm-03", "score": 1320.617, "models_yaml": "- {id: \\"sample-lm-03\\", display_name: \\"sample-lm-03\\", openness: closed}"}, {"rank": 29, "model": "sample-lm-04", "score": 1310.813, "models_yaml": "- {id: \\"sample-lm-04\\", display_name: \\"sample-lm-04\\", openness: closed}"}, {"rank": 30, "model": "sample-lm-05", "score": 1299.099, "models_yaml": "- {id: \\"sample-lm-05\\", display_name: \\"sample-lm-05\\", openness: closed}"}, {"rank": 32, "model": "sample-lm-06", "score": 1287.492, "models_yaml": "- {id: \\"sample-lm-06\\", display_name: \\"sample-lm-06\\", openness: closed}"}, {"rank": 34, "model": "sample-lm-07", "score": 1276.601, "models_yaml": "- {id: \\"sample-lm-07\\", display_name: \\"sample-lm-07\\", openness: closed}"}, {"rank": 35, "model": "sample-lm-08", "score": 1266.849, "models_yaml": "- {id: \\"sample-lm-08\\", display_name: \\"sample-lm-08\\", openness: closed}"}, {"rank": 36, "model": "sample-lm-09", "score": 1255.431, "models_yaml": "- {id: \\"sample-lm-09\\", display_name: \\"sample-lm-09\\", openness: closed}"}, {"rank": 37, "model": "sample-lm-10", "score": 1243.221, "models_yaml": "- {id: \\"sample-lm-10\\", display_name: \\"sample-lm-10\\", openness: closed}"}]
\.
COPY mart.budget_status (event_date, budget_id, owner, what, period, period_from, period_to, amount, currency, budget_usd, day_usd, spent_usd, spent_share, remaining_usd, even_pace_usd, daily_left_usd, forecast_usd, low_95_usd, low_50_usd, high_50_usd, high_95_usd, crosses_on, crosses_from, crosses_to, state, passed_threshold, seller_limit_usd, seller_spent_usd, unpriced_requests, reason) FROM stdin;
2026-02-28	everything	finance@example.org		month	2026-02-01	2026-03-01	550.000000000000000000	USD	550.000000000000000000	11.818022702000000000	11.818022702000000000	0.021487314003636362	538.181977298000000000	550.000000000000000000	\N	11.818022702000000000	11.818022702000000000	11.818022702000000000	11.818022702000000000	11.818022702000000000	\N	\N	\N	within	\N	\N	\N	4	1 day is loaded: a forecast needs 7
2026-02-28	engineering	engineering@example.org	team=engineering	month	2026-02-01	2026-03-01	80.000000000000000000	USD	80.000000000000000000	5.249041160000000000	5.249041160000000000	0.0656130145	74.750958840000000000	80.000000000000000000	\N	5.249041160000000000	5.249041160000000000	5.249041160000000000	5.249041160000000000	5.249041160000000000	\N	\N	\N	within	\N	\N	\N	1	1 day is loaded: a forecast needs 7
2026-02-28	search	search@example.org	team=search	week	2026-02-23	2026-03-02	11.000000000000000000	USD	11.000000000000000000	1.009593410000000000	1.009593410000000000	0.0917812190909091	9.990406590000000000	9.428571428571428571	9.990406590000000000	\N	\N	\N	\N	\N	\N	\N	\N	within	\N	\N	\N	0	1 day is loaded: a forecast needs 7
\.
COPY mart.chargeback (event_date, provider_id, model_id, team, project, cost_centre, environment, application, allocated_method_id, allocated_resource, allocated_method_details, not_allocated_reason, list_cost_usd, contracted_cost_usd, effective_cost_usd, billed_cost_usd, unpriced_requests) FROM stdin;
2026-02-28	anthropic	claude-sonnet-4-5	engineering	unattributed	unattributed	production	ide-assistant			\N	\N	0.671897850000000000	0.671897850000000000	0.671897850000000000	0.671897850000000000	0
2026-02-28	anthropic	claude-sonnet-4-5	engineering	unattributed	unattributed	production	review-bot			\N	\N	2.375479800000000000	2.375479800000000000	2.375479800000000000	2.375479800000000000	0
2026-02-28	anthropic	claude-sonnet-4-5	legal	unattributed	unattributed	production	contract-review			\N	\N	0.727646850000000000	0.727646850000000000	0.727646850000000000	0.727646850000000000	0
\.
COPY mart.claims_audit (claim, date_basis, as_of, report, about, report_lines, claimed, unit, formula, formula_text, inputs, value, value_text, verdict, condition, unverified_reason, source) FROM stdin;
price_deepseek_v3_input	cited	2026-02-28	Open Source LLM Landscape 2026	input price of DeepSeek V3	40	0.07	USD per million tokens	as_stated	the number itself	[]	\N	\N	unverified	\N	number: the report cites nothing that it could be computed from	price pages of the seller: 0.27 for input without a cache hit from 2025-02-08, 0.07 with one
price_deepseek_v3_input	report_date	2026-02-28	Open Source LLM Landscape 2026	input price of DeepSeek V3	40	0.07	USD per million tokens	as_stated	the number itself	[{"input": "number", "value": "0.24", "source": "deepseek/deepseek-chat input_uncached: feed genai_prices, since 2026-02-22 (documented), recorded 2026-01-31"}]	0.240000000000000000	0.24	fails	the number is 0.24 USD per million tokens	\N	price pages of the seller: 0.27 for input without a cache hit from 2025-02-08, 0.07 with one
price_deepseek_v3_input	today	2026-11-30	Open Source LLM Landscape 2026	input price of DeepSeek V3	40	0.07	USD per million tokens	as_stated	the number itself	[{"input": "number", "value": "0.24", "source": "deepseek/deepseek-chat input_uncached: feed genai_prices, since 2026-02-22 (documented), recorded 2026-01-31"}]	0.240000000000000000	0.24	fails	the number is 0.24 USD per million tokens	\N	price pages of the seller: 0.27 for input without a cache hit from 2025-02-08, 0.07 with one
\.
COPY mart.commitment_day (event_date, commitment_id, kind, provider_id, purchased_usd, used_usd, unused_usd, utilisation, capacity_tokens, used_tokens, overage_tokens, usd_per_used_mtok, covered_usd, overage_usd, saving_usd, break_even_utilisation, units_that_pay, balance_usd, runs_out_on, expires_on, expiring_usd, reason) FROM stdin;
2026-02-28	google-trial	credit	google	2.255735600000000000	2.255735600000000000	0.000000000000000000	0.01879779666666667	\N	\N	\N	\N	2.255735600000000000	\N	\N	\N	\N	117.744264400000000000	\N	2026-03-08	101.954115200000000000	13 days of it are not loaded, so that the balance is at most this
2026-02-28	selfhost.own_qwen3_32b	provisioned	vllm	50.400000000000000000	0.000000000000000000	50.400000000000000000	0	604800000	0	\N	\N	0.000000000000000000	\N	-50.400000000000000000	\N	\N	\N	\N	\N	\N	\N
\.
COPY mart.commitment_usage (event_date, commitment_id, kind, provider_id, commitment_discount_status, model_id, team, project, cost_centre, environment, application, amount_usd, effective_cost_usd, covered_usd, allocated_method_id, billed_cost_usd, commitment_discount_quantity, commitment_discount_unit) FROM stdin;
2026-02-15	google-trial	credit	google								0.000000000000000000	0.000000000000000000	0.000000000000000000		120.000000000000000000	120.000000000000000000	USD
2026-02-28	google-trial	credit	google	Used	gemini-3-pro-preview	legal	unattributed	unattributed	production	contract-review	1.264575200000000000	1.264575200000000000	1.264575200000000000		0.000000000000000000	1.264575200000000000	USD
2026-02-28	google-trial	credit	google	Used	gemini-3-pro-preview	research	unattributed	unattributed	production	notebook-helper	0.520104400000000000	0.520104400000000000	0.520104400000000000		0.000000000000000000	0.520104400000000000	USD
\.
COPY mart.cost_coverage (event_date, reason, requests, tokens, request_share, token_share) FROM stdin;
2026-02-28	model_unresolved	4	8906	0.00228310502283105	0.0013943846037143613
2026-02-28	priced	1748	6378141	0.997716894977169	0.9986056153962857
\.
COPY mart.cost_restatement (line_id, restatement_id, event_date, provider_id, provider_id_before, model_id, model_id_before, meter, reason, requests, cost_before_usd, cost_after_usd, delta_usd, list_delta_usd, usd_per_million_before, usd_per_million_after, price_id_before, price_id_after, feed_before, feed_after, snapshot_id_before, snapshot_id_after, known_at_before, known_at_after, is_closed, applied_at, explanation) FROM stdin;
\.
COPY mart.daily_charge (event_date, charge_id, provider_id, model_id, openness, service_tier, region, team, project, cost_centre, environment, application, meter, unit, quantity, rate_id, contract_id, priced_as, price_id, list_price_id, list_usd_per_million, contracted_usd_per_million, pricing_currency, usd_per_currency, list_cost_usd, contracted_cost_usd, effective_cost_usd, billed_cost_usd, unpriced_reason, reported_cost_usd) FROM stdin;
2026-02-28	9745616f-6aea-174f-9c2f-fab164b1f264	openai	gpt-5.2	closed	standard		engineering	unattributed	unattributed	production	review-bot	input_uncached	token	98762	72309960-f908-818a-60c4-7ef016256681		input_uncached	0ef0372a-7021-86ca-8b12-a203e23e687d	0ef0372a-7021-86ca-8b12-a203e23e687d	1.750000000000	1.750000000000	USD	1.000000000000000000	0.172833500000000000	0.172833500000000000	0.172833500000000000	0.172833500000000000	\N	\N
2026-02-28	cbfdd166-68e3-1b0e-f5ba-115c90750bd9	openai	gpt-5.2	closed	standard		engineering	unattributed	unattributed	production	review-bot	input_cache_read	token	60928	72309960-f908-818a-60c4-7ef016256681		input_cache_read	ad2e79be-3c85-4d03-6e63-5dd18782afe7	ad2e79be-3c85-4d03-6e63-5dd18782afe7	0.175000000000	0.175000000000	USD	1.000000000000000000	0.010662400000000000	0.010662400000000000	0.010662400000000000	0.010662400000000000	\N	\N
2026-02-28	cad29d60-4b5d-7ee0-920b-36a7d8f0bbf0	openai	gpt-5.2	closed	standard		engineering	unattributed	unattributed	production	review-bot	output_text	token	27002	72309960-f908-818a-60c4-7ef016256681		output_text	db52a38b-f4c5-3216-756f-ea5486452b19	db52a38b-f4c5-3216-756f-ea5486452b19	14.000000000000	14.000000000000	USD	1.000000000000000000	0.378028000000000000	0.378028000000000000	0.378028000000000000	0.378028000000000000	\N	\N
\.
COPY mart.daily_end_user_spend (event_date, end_user, requests, unpriced_requests, list_cost_usd, effective_cost_usd) FROM stdin;
2026-02-28	engineering-user-0	15	0	0.117588350000000000	0.117588350000000000
2026-02-28	engineering-user-1	5	0	0.033889500000000000	0.033889500000000000
2026-02-28	engineering-user-10	5	0	0.028995600000000000	0.028995600000000000
\.
COPY mart.daily_explorer_spend (event_date, provider_id, model_id, team, project, cost_centre, meter, rate, quantity, effective_cost_usd) FROM stdin;
2026-02-28	mistral	mistral-large-3	marketing	unattributed	unattributed	output_text	1500000000000	6504	0.009756000000000000
2026-02-28	openrouter	qwen3-235b-a22b	search	unattributed	unattributed	input_uncached	0	304	0.000000000000000000
2026-02-28	openrouter	qwen3-235b-a22b	search	unattributed	unattributed	output_reasoning	0	255	0.000000000000000000
\.
COPY mart.daily_item_spend (event_date, dimension, dimension_value, provider_id, model_id, service_tier, region, meter, quantity, priced_quantity, list_cost_usd, effective_cost_usd, billed_cost_usd, reported_cost_usd) FROM stdin;
2026-02-28	team	research	mistral	mistral-large-3	standard		request	70	70	0.000000000000000000	0.000000000000000000	0.000000000000000000	\N
2026-02-28	team	research	openai	gpt-5.2	standard		request	25	25	0.000000000000000000	0.000000000000000000	0.000000000000000000	\N
2026-02-28	team	research	openai	gpt-5.2	standard		output_text	8870	8870	0.124180000000000000	0.124180000000000000	0.124180000000000000	\N
\.
COPY mart.daily_meter_spend (event_date, provider_id, model_id, service_tier, meter, quantity, unpriced_quantity, list_cost_usd, billed_cost_usd, reported_cost_usd, pricing_currency, usd_per_currency, charges) FROM stdin;
2026-02-28	groq	gpt-oss-120b	standard	input_cache_read	57856	\N	0.004339200000000000	0.004339200000000000	\N	USD	1.000000000000000000	2
2026-02-28	mistral	mistral-large-3	standard	input_uncached	367857	\N	0.183928500000000000	0.183928500000000000	\N	USD	1.000000000000000000	3
2026-02-28	groq	gpt-oss-120b	standard	input_uncached	136191	\N	0.020428650000000000	0.020428650000000000	\N	USD	1.000000000000000000	2
\.
COPY mart.daily_model_spend (event_date, provider_id, model_id, openness, requests, priced_requests, unpriced_requests, input_tokens, output_tokens, input_uncached_tokens, input_cache_read_tokens, input_cache_write_tokens, input_cache_write_5m_tokens, input_cache_write_30m_tokens, input_cache_write_1h_tokens, input_cache_write_12h_tokens, input_audio_tokens, input_audio_cache_read_tokens, input_image_tokens, input_image_cache_read_tokens, input_video_tokens, input_tool_tokens, output_text_tokens, output_reasoning_tokens, output_audio_tokens, output_image_tokens, reported_cost_usd, list_cost_usd, contracted_cost_usd, effective_cost_usd, logged_only_cost_usd) FROM stdin;
2026-02-28	openai	gpt-4o	closed	132	132	0	386034	47788	261618	124416	0	0	0	0	0	0	0	0	0	0	0	47788	0	0	0	1.254882500000000000	1.254882500000000000	1.254882500000000000	1.254882500000000000	\N
2026-02-28	google	gemini-3-pro-preview	closed	101	101	0	899077	72903	667269	231808	0	0	0	0	0	0	0	0	0	0	0	29008	43895	0	0	1.735631200000000000	2.255735600000000000	2.255735600000000000	2.255735600000000000	\N
2026-02-28	anthropic	unresolved: (no name logged)	unknown	1	0	1	3471	79	868	0	2603	0	0	0	0	0	0	0	0	0	0	79	0	0	0	\N	\N	\N	\N	\N
\.
COPY mart.daily_project_spend (event_date, project, requests, priced_requests, unpriced_requests, input_tokens, output_tokens, list_cost_usd, contracted_cost_usd, effective_cost_usd, logged_only_cost_usd) FROM stdin;
2026-02-28	unattributed	1752	1748	4	5683726	703321	11.818022702000000000	11.818022702000000000	11.818022702000000000	0.000000000000000000
\.
COPY mart.daily_tag_spend (event_date, tag, requests_tagged, unpriced_requests, effective_cost_usd) FROM stdin;
2026-02-28	untagged	1122	2	6.639378800000000000
2026-02-28	helpdesk-chat	308	1	1.735757342000000000
2026-02-28	copywriter	72	1	0.531618750000000000
\.
COPY mart.daily_team_spend (event_date, team, requests, priced_requests, unpriced_requests, input_tokens, output_tokens, list_cost_usd, contracted_cost_usd, effective_cost_usd, logged_only_cost_usd) FROM stdin;
2026-02-28	search	342	342	0	918075	194295	1.009593410000000000	1.009593410000000000	1.009593410000000000	\N
2026-02-28	research	156	156	0	612178	100074	1.211482390000000000	1.211482390000000000	1.211482390000000000	\N
2026-02-28	legal	44	44	0	1070480	27442	1.992222050000000000	1.992222050000000000	1.992222050000000000	\N
\.
COPY mart.dearer_seller (event_date, provider_id, model_id, service_tier, region, team, cheaper_provider_id, requests, cost_usd, saving_usd) FROM stdin;
2026-02-28	fireworks	qwen3-235b-a22b	standard		marketing	openrouter	30	0.020054100000000000	0.007711310000000000
2026-02-28	fireworks	qwen3-235b-a22b	standard		research	openrouter	23	0.041523240000000000	0.015306860000000000
\.
COPY mart.hourly_demand (event_date, hour, operation, provider_id, model_id, requests, input_tokens, output_tokens) FROM stdin;
2026-02-28	0	chat	openai	gpt-5.2	3	5103	1168
2026-02-28	0	chat	anthropic	claude-sonnet-4-5	1	3821	12
2026-02-28	17	chat	openrouter	qwen3-235b-a22b	1	3795	373
\.
COPY mart.logged_cost (event_date, provider_id, model_id, requests, differing_requests, reported_cost_usd, effective_cost_usd) FROM stdin;
2026-02-28	anthropic	claude-sonnet-4-5	46	0	1.003012500000000000	1.003012500000000000
2026-02-28	anthropic	unresolved	0	0	\N	\N
2026-02-28	deepseek	deepseek-chat	141	0	0.102083592000000000	0.102083592000000000
\.
COPY mart.logged_difference (event_date, provider_id, model_id, why, requests, reported_cost_usd, effective_cost_usd) FROM stdin;
\.
COPY mart.model_catalog (model_id, as_of, display_name, developer, family, openness, is_released, licence, licence_is_spdx, licence_restricts, licence_terms, total_params_b, active_params_b, context_tokens, extended_context_tokens, input_modalities, output_modalities, tools, released_on, weights_gb_16bit, weights_gb_8bit, weights_gb_4bit, weights_gb_native, cache_gb_32k, cache_gb_128k, fits, prices, cheapest_provider_id, cheapest_input_usd_per_mtok, cheapest_output_usd_per_mtok, scores, requests_30d, spend_30d_usd, facts, conflicts, unverified) FROM stdin;
claude-3-5-haiku	2026-02-28	Claude 3.5 Haiku	anthropic	claude	closed	t	proprietary	f	{access}	only as a seller's service	\N	\N	200000	\N	{text,image}	{text}	t	2024-10-22	\N	\N	\N	\N	\N	\N	{}	[]	\N	\N	\N	[]	0	\N	{"tools": {"url": "https://github.com/BerriAI/litellm", "as_of": "2026-05-31", "value": true, "source": "LiteLLM price map 1.84.4", "is_verified": true}, "licence": {"url": "https://artificialanalysis.ai", "as_of": "2026-05-31", "value": "proprietary", "source": "Artificial Analysis, models", "is_verified": true}, "openness": {"url": "https://artificialanalysis.ai", "as_of": "2026-05-31", "value": "closed", "source": "Artificial Analysis, models", "is_verified": true}, "released_on": {"url": "https://artificialanalysis.ai", "as_of": "2026-05-31", "value": "2024-10-22", "source": "Artificial Analysis, models", "is_verified": true}, "context_tokens": {"url": "https://artificialanalysis.ai", "as_of": "2026-05-31", "value": 200000, "source": "Artificial Analysis, models", "is_verified": true}, "input_modalities": {"url": "https://github.com/BerriAI/litellm", "as_of": "2026-05-31", "value": ["text", "image"], "source": "LiteLLM price map 1.84.4", "is_verified": true}, "output_modalities": {"url": "https://github.com/BerriAI/litellm", "as_of": "2026-05-31", "value": ["text"], "source": "LiteLLM price map 1.84.4", "is_verified": true}}	{}	{}
claude-3-5-sonnet	2026-02-28	Claude 3.5 Sonnet	anthropic	claude	closed	t	proprietary	f	{access}	only as a seller's service	\N	\N	200000	\N	{text,image}	{text}	t	2024-10-22	\N	\N	\N	\N	\N	\N	{}	[]	\N	\N	\N	[{"unit": "elo", "as_of": "2026-02-27", "board": "lmarena_text", "score": 1380.701, "ci_low": 1376.173, "ci_high": 1385.429, "variant": "", "benchmark": "lmarena_text@coding", "ci_method": "reported", "measured_by": "independent", "lower_is_better": false, "benchmark_version_id": "lmarena_text@coding#0"}, {"unit": "elo", "as_of": "2026-02-27", "board": "lmarena_text", "score": 1364.287, "ci_low": 1360.075, "ci_high": 1368.699, "variant": "", "benchmark": "lmarena_text@creative_writing", "ci_method": "reported", "measured_by": "independent", "lower_is_better": false, "benchmark_version_id": "lmarena_text@creative_writing#0"}, {"unit": "elo", "as_of": "2026-02-27", "board": "lmarena_text", "score": 1373.502, "ci_low": 1368.834, "ci_high": 1378.37, "variant": "", "benchmark": "lmarena_text@english", "ci_method": "reported", "measured_by": "independent", "lower_is_better": false, "benchmark_version_id": "lmarena_text@english#0"}, {"unit": "elo", "as_of": "2026-02-27", "board": "lmarena_text", "score": 1371.16, "ci_low": 1364.685, "ci_high": 1377.835, "variant": "", "benchmark": "lmarena_text@full", "ci_method": "reported", "measured_by": "independent", "lower_is_better": false, "benchmark_version_id": "lmarena_text@full#0"}, {"unit": "elo", "as_of": "2026-02-27", "board": "lmarena_text", "score": 1374.056, "ci_low": 1367.512, "ci_high": 1380.8, "variant": "", "benchmark": "lmarena_text@hard_6", "ci_method": "reported", "measured_by": "independent", "lower_is_better": false, "benchmark_version_id": "lmarena_text@hard_6#0"}, {"unit": "points", "as_of": "2026-02-28", "board": "landscape_report", "score": 9.5, "ci_low": null, "ci_high": null, "variant": "", "benchmark": "report_quality@1", "ci_method": "none", "measured_by": "aggregator", "lower_is_better": false, "benchmark_version_id": "report_quality@1#0"}, {"unit": "tokens per second", "as_of": "2026-02-28", "board": "landscape_report", "score": 35.0, "ci_low": null, "ci_high": null, "variant": "", "benchmark": "report_speed@1", "ci_method": "none", "measured_by": "aggregator", "lower_is_better": false, "benchmark_version_id": "report_speed@1#0"}]	0	\N	{"tools": {"url": "https://github.com/BerriAI/litellm", "as_of": "2026-05-31", "value": true, "source": "LiteLLM price map 1.84.4", "is_verified": true}, "licence": {"url": "https://artificialanalysis.ai", "as_of": "2026-05-31", "value": "proprietary", "source": "Artificial Analysis, models", "is_verified": true}, "openness": {"url": "https://artificialanalysis.ai", "as_of": "2026-05-31", "value": "closed", "source": "Artificial Analysis, models", "is_verified": true}, "released_on": {"url": "https://artificialanalysis.ai", "as_of": "2026-05-31", "value": "2024-10-22", "source": "Artificial Analysis, models", "is_verified": true}, "context_tokens": {"url": "https://artificialanalysis.ai", "as_of": "2026-05-31", "value": 200000, "source": "Artificial Analysis, models", "is_verified": true}, "input_modalities": {"url": "https://github.com/BerriAI/litellm", "as_of": "2026-05-31", "value": ["text", "image"], "source": "LiteLLM price map 1.84.4", "is_verified": true}, "output_modalities": {"url": "https://github.com/BerriAI/litellm", "as_of": "2026-05-31", "value": ["text"], "source": "LiteLLM price map 1.84.4", "is_verified": true}}	{}	{}
claude-3-5-sonnet-20240620	2026-02-28	Claude 3.5 Sonnet (June 2024)	anthropic	claude	closed	t	proprietary	f	{access}	only as a seller's service	\N	\N	200000	\N	{text,image}	{text}	t	2024-06-20	\N	\N	\N	\N	\N	\N	{}	[]	\N	\N	\N	[]	0	\N	{"tools": {"url": "https://github.com/BerriAI/litellm", "as_of": "2026-05-31", "value": true, "source": "LiteLLM price map 1.84.4", "is_verified": true}, "licence": {"url": "https://artificialanalysis.ai", "as_of": "2026-05-31", "value": "proprietary", "source": "Artificial Analysis, models", "is_verified": true}, "openness": {"url": "https://artificialanalysis.ai", "as_of": "2026-05-31", "value": "closed", "source": "Artificial Analysis, models", "is_verified": true}, "released_on": {"url": "https://epoch.ai", "as_of": "2025-11-06", "value": "2024-06-20", "others": [{"url": "https://artificialanalysis.ai", "as_of": "2026-05-31", "value": "2024-06-21", "source": "Artificial Analysis, models", "is_verified": true}], "source": "Epoch AI, model versions (newest row 2025-11-06)", "is_verified": true}, "context_tokens": {"url": "https://artificialanalysis.ai", "as_of": "2026-05-31", "value": 200000, "source": "Artificial Analysis, models", "is_verified": true}, "input_modalities": {"url": "https://github.com/BerriAI/litellm", "as_of": "2026-05-31", "value": ["text", "image"], "source": "LiteLLM price map 1.84.4", "is_verified": true}, "output_modalities": {"url": "https://github.com/BerriAI/litellm", "as_of": "2026-05-31", "value": ["text"], "source": "LiteLLM price map 1.84.4", "is_verified": true}}	{released_on}	{}
\.
COPY mart.price_change (change_id, feed, provider_id, model_id, meter, unit, service_tier, region, context_from_tokens, context_bound, context_scope, context_counts, time_window, contract_id, reasoning_mode, context_to_tokens, pricing_currency, price_before, price_after, change_share, valid_from, date_basis, learnt_at, is_used, spend_30d_usd, spend_30d_share, price_id_before, price_id_after, summary) FROM stdin;
b7e84a5d-15e8-92dd-1fd0-e3dacd889c00	genai_prices	deepseek	deepseek-chat	input_cache_read	token	standard		0	gte	whole_request	input				\N	USD	0.028000000000	0.024000000000	-0.14285714285714285	2026-02-22 00:00:00+00	documented	2026-01-31 00:00:00+00	t	0.003965952000000000	0.0003355850720551442	48a662fe-0a05-f121-7fc1-6690100f7f03	84acc192-2692-a210-1af5-c1d3151498e6	deepseek-chat at deepseek: input_cache_read 0.028 to 0.024 USD per million tokens (-14.3 %) from 22 February 2026, announced 31 January 2026; affects less than 0.1 % of the spend of the last 30 days
bf05956d-2479-87fe-fee5-a79b5f5ee3ba	genai_prices	deepseek	deepseek-chat	input_uncached	token	standard		0	gte	whole_request	input				\N	USD	0.280000000000	0.240000000000	-0.14285714285714285	2026-02-22 00:00:00+00	documented	2026-01-31 00:00:00+00	t	0.093393840000000000	0.007902662091196921	e156dabd-b5cc-f17f-815b-fbd97fc96e2c	95a6b50b-4690-5df2-4814-721018199c03	deepseek-chat at deepseek: input_uncached 0.28 to 0.24 USD per million tokens (-14.3 %) from 22 February 2026, announced 31 January 2026; affects 0.8 % of the spend of the last 30 days
a806341f-8f90-bfb4-2e5a-c24843d50092	genai_prices	deepseek	deepseek-chat	output_text	token	standard		0	gte	whole_request	input				\N	USD	0.420000000000	0.360000000000	-0.14285714285714285	2026-02-22 00:00:00+00	documented	2026-01-31 00:00:00+00	t	0.018095760000000000	0.0015312003078939423	100cf5d2-5ada-b5c3-2eb8-727c22928c13	7becc8b2-6f5a-2354-d803-e230c5bb9919	deepseek-chat at deepseek: output_text 0.42 to 0.36 USD per million tokens (-14.3 %) from 22 February 2026, announced 31 January 2026; affects 0.2 % of the spend of the last 30 days
\.
COPY mart.price_conflict (provider_id, model_id, meter, unit, service_tier, region, context_from_tokens, context_bound, context_scope, context_counts, time_window, contract_id, reasoning_mode, as_of, usd_used, feed_used, usd_lowest, usd_highest, spread_share, prices, quantity_30d, at_stake_30d_usd, decided_by, summary) FROM stdin;
\.
COPY mart.reconciliation (event_date, period_days, provider_id, model_id, meter, computed_quantity, billed_quantity, computed_usd, logged_usd, billed_usd, billed_amount, currency, difference_usd, missing_requests_usd, tokens_usd, tier_usd, price_usd, tool_fee_usd, commitment_usd, discount_usd, credit_usd, tax_usd, currency_usd, rounding_usd, timing_usd, unexplained_usd, charges, bill_lines, line_ids, is_settled, reason, days_missing, days_not_loaded_usd) FROM stdin;
2026-02-28	1	anthropic	claude-sonnet-4-5	input_cache_read	511488.000000000000000000	\N	0.153446400000000000	\N	0.159584256000000000	0.159584256000000000	USD	0.006137856000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.006137856000000000	5	2	["6d969908-5fdd-95e3-cff6-67c951d22bfa", "a293cff3-4719-ab95-051f-56c1e288ff9d"]	f	\N	0	0.000000000000000000
2026-02-28	1	anthropic	claude-sonnet-4-5	input_cache_write	502377.000000000000000000	\N	1.883913750000000000	\N	1.959270300000000000	1.959270300000000000	USD	0.075356550000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.075356550000000000	6	2	["70fcbc68-b34f-b8ec-f701-02056834a429", "fe6d8744-4494-9c92-7853-0a5849f964a0"]	f	\N	0	0.000000000000000000
2026-02-28	1	anthropic	claude-sonnet-4-5	input_uncached	240065.000000000000000000	\N	0.720195000000000000	\N	0.749002800000000000	0.749002800000000000	USD	0.028807800000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.000000000000000000	0.028807800000000000	6	2	["10b5b480-ba4c-f6a9-c02e-c72e1feac49b", "241fa2c4-4be3-cf02-c0b7-b109b28d9b54"]	f	\N	0	0.000000000000000000
\.
COPY mart.request_drift (event_date, provider_id, model_id, use_case, metric, n_day, n_reference, reference_days, comparable_share, value_day, value_reference, effect, min_detectable, z, overdispersion, p_value, q_value, is_alarm, explanation, opened_on, age_days) FROM stdin;
\.
COPY mart.request_profile (event_date, provider_id, model_id, use_case, stratum, metric, requests, histogram) FROM stdin;
2026-02-28	anthropic	claude-sonnet-4-5	contract-review	chat false 2^0	error_rate	1	{"value": [1.0], "requests": [1]}
2026-02-28	anthropic	claude-sonnet-4-5	contract-review	chat false 2^0	response_model:claude-sonnet-4-5-20250929	1	{"value": [1.0], "requests": [1]}
2026-02-28	anthropic	claude-sonnet-4-5	contract-review	chat false 2^12	cache_read_share	2	{"value": [0.43, 0.66], "requests": [1, 1]}
\.
COPY mart.request_repeat (event_date, provider_id, model_id, requests, retried, could_escalate, escalated, came_down, escalated_cost_usd) FROM stdin;
2026-02-28	anthropic	claude-sonnet-4-5	381	0	0	0	0	0.000000000000000000
2026-02-28	deepseek	deepseek-chat	191	0	191	6	5	0.032436750000000000
2026-02-28	google	gemini-3-pro-preview	101	0	61	1	1	0.047885700000000000
\.
COPY mart.routing_frontier (event_date, point, is_single, is_on_hull, benchmark_version_id, quality, quality_retained, cost_usd, saving_share, shares, requests, not_eligible_reason) FROM stdin;
2026-02-28	own/mistral-large-3	t	f	aider_polyglot@pass_rate_2#0	0.52	\N	\N	\N	{}	\N	mistral-large-3 at own: no_price for 1711 of 1711 requests; no price feed has it: state it in a price sheet (docs/prices.md), or give the arm fixed_usd_per_day where the machines are your own
2026-02-28	frontier-01	f	t	aider_polyglot@pass_rate_2#0	0.04955055523085915	0.0804808288345416	0.8215201852817	0.930485817636594	{"mistral/mistral-large-3": 0.001169, "openrouter/gemma-3-27b-it": 0.998831}	1711	\N
2026-02-28	frontier-02	f	t	aider_polyglot@pass_rate_2#0	0.09107302646931621	0.14792231127525204	0.8307272714214298	0.9297067460125251	{"deepseek/deepseek-chat": 0.030854, "mistral/mistral-large-3": 0.001169, "openrouter/gemma-3-27b-it": 0.931157, "openrouter/qwen3-235b-a22b": 0.036821}	1711	\N
\.
COPY mart.routing_measure_next (event_date, policy, baseline, rank, measure, model_id, against_model_id, width_now, width_known, narrows_by, pairs_needed, pairs_basis, cost_usd, no_cost_reason) FROM stdin;
2026-02-28	hybrid_90_8_2	actual	1	quality	deepseek-chat		0.262315026	0.143256375	0.11905865100000002	604	SWE-bench bash-only, 182 ordered pairs of 14 models on 500 issues, 2025-12: medians	0.410753586131753433	\N
2026-02-28	hybrid_90_8_2	actual	2	quality	kimi-k2-instruct-0905		0.262315026	0.23008048100000011	0.03223454499999989	20	SWE-bench bash-only, 182 ordered pairs of 14 models on 500 issues, 2025-12: medians	0.056800597014925373	\N
2026-02-28	hybrid_90_8_2	actual	3	quality	claude-sonnet-4-5		0.262315026	0.2387049419999998	0.023610084000000198	37	SWE-bench bash-only, 182 ordered pairs of 14 models on 500 issues, 2025-12: medians	1.034959189444642605	\N
\.
COPY mart.routing_month (month, through, days, policy, arm, method, provider_id, model_id, share, requests, baseline, baseline_cost_usd, projected_cost_usd, saving_usd, saving_share, quality_retained, saving_share_low_95, saving_share_low_50, saving_share_high_50, saving_share_high_95, quality_retained_low_95, quality_retained_low_50, quality_retained_high_50, quality_retained_high_95, probability_saving_85, probability_quality_95, probability_both, quality_realised, quality_oracle, break_even_ratio, is_headline, first_flip, waterfall, evidence_grade, assumptions, not_projected_reason, quality_by_use_case, central_cost_usd) FROM stdin;
2026-02-01	2026-02-28	1	all_closed	best_single_cheap	best_single_cheap	openai	gpt-5.2	1.000000000000000000	1711	actual	11.818022702000000000	26.318309016746709746	-14.500286314746709746	-1.226963823	1.425942924	-8.972790414	-2.489864672	-0.495377946	0.097904683	1.308055054	1.39051717	1.46123367	1.538106134	0	0.9995	0	\N	\N	\N	f	\N	\N	C	{"among": ["anthropic/claude-sonnet-4-5", "google/gemini-3-pro-preview", "groq/kimi-k2-instruct-0905", "mistral/mistral-large-3", "openai/gpt-5.2"], "method": "all traffic on one model: the best score among the models that cost at most what the policy costs", "quality": "aider_polyglot@pass_rate_2#0", "not_among": {"openai/gpt-4o": "can't take 2 requests: prompts over 128,000 tokens", "groq/qwen3-32b": "can't take 2 requests: prompts over 131,072 tokens", "groq/gpt-oss-120b": "can't take 2 requests: prompts over 131,072 tokens", "deepseek/deepseek-chat": "can't take 2 requests: prompts over 131,072 tokens", "fireworks/qwen3-235b-a22b": "can't take 2 requests: prompts over 131,072 tokens", "openrouter/gemma-3-27b-it": "can't take 2 requests: prompts over 131,072 tokens", "openrouter/qwen3-235b-a22b": "can't take 2 requests: prompts over 131,072 tokens", "groq/llama-3.3-70b-instruct": "can't take 2 requests: prompts over 131,072 tokens"}}	\N	\N	17.411730051877000000
2026-02-01	2026-02-28	1	all_closed	closed	policy	anthropic	claude-sonnet-4-5	1.000000000000000000	1711	actual	11.818022702000000000	34.941119629538276266	-23.123096927538276266	-1.956596083	1.280017401	-11.893381537	-3.529050677	-1.091245258	-0.251122287	1.16404997	1.247369581	1.312948067	1.384080229	\N	\N	\N	\N	\N	\N	f	\N	\N	C	{"unit": "session", "cache": {"closed": "session: cache reads hit where the arm served the session before within five minutes, else the prompt is written anew, where the arm differs from the recorded model"}, "tokens": {"loop, *": "factor 1, logarithm within 0.81 (C: SWE-bench bash-only 2025-12, 14 models: cost per issue over the price of a fixed profile (0.84); Aider polyglot 2025-06, 13 models: tokens of all exercises (0.77))", "input, *": "factor 1, logarithm within 0.12 (E: assumption: tokenizers of current models differ by some 10 % on the same text)", "output, *": "factor 1, logarithm within 1.2 (C: Artificial Analysis, 353 models, 2026-05: output tokens that each wrote for the same index)"}, "quality": {"proxy": "aider_polyglot@pass_rate_2#0", "scores": {"gpt-4o": 18.2, "gpt-5.2": 88.0, "qwen3-32b": 40.0, "gpt-oss-120b": 41.8, "deepseek-chat": 74.2, "gemma-3-27b-it": 4.9, "mistral-large-3": 52.0, "qwen3-235b-a22b": 59.6, "claude-sonnet-4-5": 79.1, "gemini-3-pro-preview": 85.8, "kimi-k2-instruct-0905": 59.1, "llama-3.3-70b-instruct": 13.3}, "assumed": "the ratio of leaderboard scores (best entry per model) carries over to this traffic", "stand_ins": {"deepseek-chat": "deepseek-v3.2"}}, "retries": {"attempts, claude-sonnet-4-5": "factor 0.999, logarithm within 0.00262 (A: own log: 0 of 381 requests were sent again on the same model within ten minutes)"}, "requests": 1711, "assignment": "at random within what rules leave: each arm gets its share of the tokens too", "asked_again": {"long_prompts": "0.00% (A: own log: 1 of 61 requests were asked again on a dearer model within ten minutes, 1 the other way round)"}, "service_tier": "standard tier, no region surcharge, where the arm differs from the recorded model", "router_fee_usd": "0", "requests_left_out": {"unpriced": 4, "not_billable": 37}}	\N	\N	23.851245711720000000
2026-02-01	2026-02-28	1	all_closed	long_prompts	policy	google	gemini-3-pro-preview	0.000000000000000000	0	actual	0.000000000000000000	0.000000000000000000	0.000000000000000000	\N	1.39066467	\N	\N	\N	\N	1.257902899	1.349261481	1.427200901	1.51695447	\N	\N	\N	\N	\N	\N	f	\N	\N	C	{"unit": "session", "cache": {"long_prompts": "session: cache reads hit where the arm served the session before within five minutes, else the prompt is written anew, where the arm differs from the recorded model"}, "tokens": {"loop, *": "factor 1, logarithm within 0.81 (C: SWE-bench bash-only 2025-12, 14 models: cost per issue over the price of a fixed profile (0.84); Aider polyglot 2025-06, 13 models: tokens of all exercises (0.77))", "input, *": "factor 1, logarithm within 0.12 (E: assumption: tokenizers of current models differ by some 10 % on the same text)", "output, *": "factor 1, logarithm within 1.2 (C: Artificial Analysis, 353 models, 2026-05: output tokens that each wrote for the same index)"}, "quality": {"proxy": "aider_polyglot@pass_rate_2#0", "scores": {"gpt-4o": 18.2, "gpt-5.2": 88.0, "qwen3-32b": 40.0, "gpt-oss-120b": 41.8, "deepseek-chat": 74.2, "gemma-3-27b-it": 4.9, "mistral-large-3": 52.0, "qwen3-235b-a22b": 59.6, "claude-sonnet-4-5": 79.1, "gemini-3-pro-preview": 85.8, "kimi-k2-instruct-0905": 59.1, "llama-3.3-70b-instruct": 13.3}, "assumed": "the ratio of leaderboard scores (best entry per model) carries over to this traffic", "stand_ins": {"deepseek-chat": "deepseek-v3.2"}}, "retries": {"attempts, gemini-3-pro-preview": "factor 0.999, logarithm within 0.0099 (A: own log: 0 of 101 requests were sent again on the same model within ten minutes)"}, "requests": 1711, "assignment": "at random within what rules leave: each arm gets its share of the tokens too", "asked_again": {"long_prompts": "0.00% (A: own log: 1 of 61 requests were asked again on a dearer model within ten minutes, 1 the other way round)"}, "service_tier": "standard tier, no region surcharge, where the arm differs from the recorded model", "router_fee_usd": "0", "requests_left_out": {"unpriced": 4, "not_billable": 37}}	\N	\N	0.000000000000000000
\.
COPY mart.routing_move (event_date, policy, baseline, event, provider_id, model_id, saving_share_before, saving_share_after, saving_usd_before, saving_usd_after, quality_retained_before, quality_retained_after, explanation, not_computed_reason) FROM stdin;
\.
COPY mart.routing_off_policy (use_case, model_id, measure, method, estimate, low_95, high_95, requests, effective_requests, unmatched_share, refused_reason) FROM stdin;
answer-box	gemini-3-pro-preview	ok	strata	\N	\N	\N	40	28.670072444422324	0.22330097087378642	22 % of the requests have none of the model like them: it did not serve that kind
answer-box	gemini-3-pro-preview	output	strata	\N	\N	\N	40	28.670072444422324	0.22330097087378642	22 % of the requests have none of the model like them: it did not serve that kind
answer-box	gemini-3-pro-preview	cost_usd	strata	\N	\N	\N	40	28.670072444422324	0.22330097087378642	22 % of the requests have none of the model like them: it did not serve that kind
\.
COPY mart.routing_projection (event_date, policy, arm, provider_id, model_id, share, requests, baseline, baseline_cost_usd, projected_cost_usd, saving_usd, saving_share, quality_retained, saving_share_low_95, saving_share_low_50, saving_share_high_50, saving_share_high_95, quality_retained_low_95, quality_retained_low_50, quality_retained_high_50, quality_retained_high_95, probability_saving_85, probability_quality_95, probability_both, quality_realised, quality_oracle, break_even_ratio, is_headline, first_flip, waterfall, evidence_grade, assumptions, not_projected_reason, method, quality_by_use_case, central_cost_usd) FROM stdin;
2026-02-28	hybrid_90_8_2	cheap_open	deepseek	deepseek-chat	0.898947983635300994	1538.1	actual	9.592149517881160897	1.655484735101255427	7.936664782779905470	0.8274125385540341	1.202911979	0.408810636	0.780826417	0.892786655	0.93211262	1.054951899	1.158890562	1.243106542	1.329164154	\N	\N	\N	\N	\N	\N	t	\N	\N	C	{"unit": "session", "cache": {"cheap_open": "session: cache reads hit where the arm served the session before within five minutes, else the prompt is written anew, where the arm differs from the recorded model"}, "tokens": {"loop, *": "factor 1, logarithm within 0.81 (C: SWE-bench bash-only 2025-12, 14 models: cost per issue over the price of a fixed profile (0.84); Aider polyglot 2025-06, 13 models: tokens of all exercises (0.77))", "input, *": "factor 1, logarithm within 0.12 (E: assumption: tokenizers of current models differ by some 10 % on the same text)", "output, *": "factor 1, logarithm within 1.2 (C: Artificial Analysis, 353 models, 2026-05: output tokens that each wrote for the same index)"}, "quality": {"proxy": "aider_polyglot@pass_rate_2#0", "scores": {"gpt-4o": 18.2, "gpt-5.2": 88.0, "qwen3-32b": 40.0, "gpt-oss-120b": 41.8, "deepseek-chat": 74.2, "gemma-3-27b-it": 4.9, "mistral-large-3": 52.0, "qwen3-235b-a22b": 59.6, "claude-sonnet-4-5": 79.1, "gemini-3-pro-preview": 85.8, "kimi-k2-instruct-0905": 59.1, "llama-3.3-70b-instruct": 13.3}, "assumed": "the ratio of leaderboard scores (best entry per model) carries over to this traffic", "stand_ins": {"deepseek-chat": "deepseek-v3.2"}}, "retries": {"attempts, deepseek-chat": "factor 0.999, logarithm within 0.00524 (A: own log: 0 of 191 requests were sent again on the same model within ten minutes)"}, "requests": 1711, "assignment": "strong_closed gets what the router ranks hardest, the others the rest at random", "difficulty": "hard requests take 1.65 times the tokens of others, logarithm within 0.4 (C: SWE-bench bash-only, 182 pairs of models on 500 issues, 2025-12: what one model fails costs the other 1.6 times as much (1.2 to 2.4); widened to other tasks, where 3 times is seen)", "asked_again": {"cheap_open": "0.52% (A: own log: 6 of 191 requests were asked again on a dearer model within ten minutes, 5 the other way round)", "specialised_open": "0.00% (C: own log: 18 of 879 requests were asked again on a dearer model within ten minutes, 18 the other way round)"}, "service_tier": "standard tier, no region surcharge, where the arm differs from the recorded model", "requests_moved": {"cheap_open: prompts over 131,072 tokens": 1.8, "specialised_open: prompts over 131,072 tokens": 0.04}, "router_fee_usd": "0", "requests_left_out": {"unpriced": 4, "not_billable": 37}}	\N	policy	\N	1.045993527862996553
2026-02-28	hybrid_90_8_2	strong_closed	anthropic	claude-sonnet-4-5	0.081075394506136762	138.72	actual	2.012714305943702194	5.844862238629168168	-3.832147932685465974	-1.9039701369284425	1.274632998	-10.654603232	-3.226983276	-0.997227452	-0.232767242	1.159447952	1.242204133	1.306847611	1.376074807	\N	\N	\N	\N	\N	\N	t	\N	\N	C	{"unit": "session", "cache": {"strong_closed": "session: cache reads hit where the arm served the session before within five minutes, else the prompt is written anew, where the arm differs from the recorded model"}, "tokens": {"loop, *": "factor 1, logarithm within 0.81 (C: SWE-bench bash-only 2025-12, 14 models: cost per issue over the price of a fixed profile (0.84); Aider polyglot 2025-06, 13 models: tokens of all exercises (0.77))", "input, *": "factor 1, logarithm within 0.12 (E: assumption: tokenizers of current models differ by some 10 % on the same text)", "output, *": "factor 1, logarithm within 1.2 (C: Artificial Analysis, 353 models, 2026-05: output tokens that each wrote for the same index)"}, "quality": {"proxy": "aider_polyglot@pass_rate_2#0", "scores": {"gpt-4o": 18.2, "gpt-5.2": 88.0, "qwen3-32b": 40.0, "gpt-oss-120b": 41.8, "deepseek-chat": 74.2, "gemma-3-27b-it": 4.9, "mistral-large-3": 52.0, "qwen3-235b-a22b": 59.6, "claude-sonnet-4-5": 79.1, "gemini-3-pro-preview": 85.8, "kimi-k2-instruct-0905": 59.1, "llama-3.3-70b-instruct": 13.3}, "assumed": "the ratio of leaderboard scores (best entry per model) carries over to this traffic", "stand_ins": {"deepseek-chat": "deepseek-v3.2"}}, "retries": {"attempts, claude-sonnet-4-5": "factor 0.999, logarithm within 0.00262 (A: own log: 0 of 381 requests were sent again on the same model within ten minutes)"}, "requests": 1711, "assignment": "strong_closed gets what the router ranks hardest, the others the rest at random", "difficulty": "hard requests take 1.65 times the tokens of others, logarithm within 0.4 (C: SWE-bench bash-only, 182 pairs of models on 500 issues, 2025-12: what one model fails costs the other 1.6 times as much (1.2 to 2.4); widened to other tasks, where 3 times is seen)", "asked_again": {"cheap_open": "0.52% (A: own log: 6 of 191 requests were asked again on a dearer model within ten minutes, 5 the other way round)", "specialised_open": "0.00% (C: own log: 18 of 879 requests were asked again on a dearer model within ten minutes, 18 the other way round)"}, "service_tier": "standard tier, no region surcharge, where the arm differs from the recorded model", "requests_moved": {"cheap_open: prompts over 131,072 tokens": 1.8, "specialised_open: prompts over 131,072 tokens": 0.04}, "router_fee_usd": "0", "requests_left_out": {"unpriced": 4, "not_billable": 37}}	\N	policy	\N	3.880257804317860026
2026-02-28	hybrid_90_8_2	specialised_open	groq	qwen3-32b	0.019976621858562244	34.18	actual	0.213158878175136909	0.056820536728760395	0.156338341446376514	0.7334357488873855	0.656866265	-0.098725986	0.610479931	0.834921324	0.90522559	0.51420691	0.604402179	0.713116574	0.824257717	\N	\N	\N	\N	\N	\N	t	\N	\N	C	{"unit": "session", "cache": {"specialised_open": "session: cache reads hit where the arm served the session before within five minutes, else the prompt is written anew, where the arm differs from the recorded model"}, "tokens": {"loop, *": "factor 1, logarithm within 0.81 (C: SWE-bench bash-only 2025-12, 14 models: cost per issue over the price of a fixed profile (0.84); Aider polyglot 2025-06, 13 models: tokens of all exercises (0.77))", "input, *": "factor 1, logarithm within 0.12 (E: assumption: tokenizers of current models differ by some 10 % on the same text)", "output, *": "factor 1, logarithm within 1.2 (C: Artificial Analysis, 353 models, 2026-05: output tokens that each wrote for the same index)"}, "quality": {"proxy": "aider_polyglot@pass_rate_2#0", "scores": {"gpt-4o": 18.2, "gpt-5.2": 88.0, "qwen3-32b": 40.0, "gpt-oss-120b": 41.8, "deepseek-chat": 74.2, "gemma-3-27b-it": 4.9, "mistral-large-3": 52.0, "qwen3-235b-a22b": 59.6, "claude-sonnet-4-5": 79.1, "gemini-3-pro-preview": 85.8, "kimi-k2-instruct-0905": 59.1, "llama-3.3-70b-instruct": 13.3}, "assumed": "the ratio of leaderboard scores (best entry per model) carries over to this traffic", "stand_ins": {"deepseek-chat": "deepseek-v3.2"}}, "retries": {"attempts, *": "factor 1, logarithm within 0.05 (E: assumption: models need to be asked again alike, within some 5 %)"}, "requests": 1711, "assignment": "strong_closed gets what the router ranks hardest, the others the rest at random", "difficulty": "hard requests take 1.65 times the tokens of others, logarithm within 0.4 (C: SWE-bench bash-only, 182 pairs of models on 500 issues, 2025-12: what one model fails costs the other 1.6 times as much (1.2 to 2.4); widened to other tasks, where 3 times is seen)", "asked_again": {"cheap_open": "0.52% (A: own log: 6 of 191 requests were asked again on a dearer model within ten minutes, 5 the other way round)", "specialised_open": "0.00% (C: own log: 18 of 879 requests were asked again on a dearer model within ten minutes, 18 the other way round)"}, "service_tier": "standard tier, no region surcharge, where the arm differs from the recorded model", "requests_moved": {"cheap_open: prompts over 131,072 tokens": 1.8, "specialised_open: prompts over 131,072 tokens": 0.04}, "router_fee_usd": "0", "requests_left_out": {"unpriced": 4, "not_billable": 37}}	\N	policy	\N	0.037077675791847619
\.
COPY mart.selfhost_breakeven (event_date, option_id, is_deployed, model_id, engine, gpu, gpus, "precision", weights_gb, cache_gb_per_request, fits, usd_per_gpu_hour, price_source, price_term, price_region, price_valid_from, throughput_id, measured_on, tokens_per_second, input_per_output, demand, demand_tokens_per_day, peak_tokens_per_second, duty_cycle, replicas, fixed_usd_per_day, utilisation, usage_usd_per_mtok, allocation_usd_per_mtok, api_provider_id, api_usd_per_mtok, api_valid_from, break_even_tokens_per_day, is_reachable, saving_usd_per_day, reason, served_share) FROM stdin;
2026-02-28	codestral	f	codestral	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	no throughput of codestral was measured: add to throughput of selfhost.yaml {model: codestral, gpu: ..., gpus: ..., engine: ..., precision: ..., input_tokens: ..., output_tokens: ..., output_tokens_per_second: ..., measured_on: ..., source: ...}	\N
2026-02-28	command-r-plus	f	command-r-plus	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	no throughput of command-r-plus was measured: add to throughput of selfhost.yaml {model: command-r-plus, gpu: ..., gpus: ..., engine: ..., precision: ..., input_tokens: ..., output_tokens: ..., output_tokens_per_second: ..., measured_on: ..., source: ...}	\N
2026-02-28	deepseek-chat	f	deepseek-chat	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	no throughput of deepseek-chat was measured: add to throughput of selfhost.yaml {model: deepseek-chat, gpu: ..., gpus: ..., engine: ..., precision: ..., input_tokens: ..., output_tokens: ..., output_tokens_per_second: ..., measured_on: ..., source: ...}	\N
\.
COPY mart.served_model_change (event_date, provider_id, asked_model_id, served_model_id, known_from, requests, uncompared_requests, served_cost_usd, asked_cost_usd, difference_usd) FROM stdin;
\.
COPY mart.shadow_evidence (measure, model_id, against_model_id, judge, estimate, low_95, high_95, pairs, sessions, method, not_used_reason) FROM stdin;
\.
COPY mart.spend_anomaly (scope, scope_value, opened_on, last_on, ended_on, ended_because, days, actual_usd, expected_usd, excess_usd, score, driver, driver_value, driver_usd, explanation) FROM stdin;
\.
COPY mart.spend_forecast (event_date, scope, scope_value, period, period_from, period_to, spent_usd, days_ahead, forecast_usd, low_95_usd, low_50_usd, high_50_usd, high_95_usd, announced_usd, commitment_usd, known_ahead, method, backtest_error, naive_error, backtest_origins, history_days, unpriced_requests, reason) FROM stdin;
2026-02-28	cost_centre	unattributed	month	2026-02-01	2026-03-01	11.818022702000000000	0	11.818022702000000000	11.818022702000000000	11.818022702000000000	11.818022702000000000	11.818022702000000000	0.000000000000000000	\N	\N	weekday_level	\N	\N	0	1	4	1 day is loaded: a forecast needs 7
2026-02-28	model	claude-sonnet-4-5	month	2026-02-01	2026-03-01	4.050390150000000000	0	4.050390150000000000	4.050390150000000000	4.050390150000000000	4.050390150000000000	4.050390150000000000	0.000000000000000000	\N	\N	weekday_level	\N	\N	0	1	0	1 day is loaded: a forecast needs 7
2026-02-28	model	deepseek-chat	month	2026-02-01	2026-03-01	0.115455552000000000	0	0.115455552000000000	0.115455552000000000	0.115455552000000000	0.115455552000000000	0.115455552000000000	0.000000000000000000	\N	\N	weekday_level	\N	\N	0	1	0	1 day is loaded: a forecast needs 7
\.
COPY mart.spend_series (event_date, scope, scope_value, effective_cost_usd, requests, unpriced_requests) FROM stdin;
2026-02-28	budget		11.818022702000000000	1752	4
2026-02-28	budget	team=engineering	5.249041160000000000	746	1
2026-02-28	budget	team=search	1.009593410000000000	342	0
\.
COPY mart.unit_cost (event_date, dimension, dimension_value, requests, unpriced_requests, successes, sessions, users, effective_cost_usd, unsuccessful_cost_usd, session_cost_usd, user_cost_usd, usd_per_request, usd_per_thousand_requests, usd_per_session, usd_per_user, usd_per_success, usd_per_success_low, usd_per_success_high, not_computed_reason) FROM stdin;
2026-02-28	all		1752	4	1726	396	191	11.818022702000000000	0.000000000000000000	11.521410212000000000	11.521410212000000000	0.006760882552631579	6.760882552631578947	0.029094470232323232	0.060321519434554974	0.006847058344148320	0.005908418867050848	0.007779206697037858	\N
2026-02-28	application	answer-box	206	0	205	49	35	0.919045760000000000	0.000000000000000000	0.919045760000000000	0.919045760000000000	0.004461387184466019	4.461387184466019417	0.018756035918367347	0.026258450285714286	0.004483150048780488	0.003464691383126695	0.005635858869876240	\N
2026-02-28	application	catalogue-tagging	136	0	131	0	0	0.090547650000000000	0.000000000000000000	\N	\N	0.000665791544117647	0.665791544117647059	\N	\N	0.000691203435114504	0.000529168221764997	0.000853238648464010	\N
\.
COPY mart.unpriced_name (event_date, reason, source, raw_name, provider_id, model_id, requests, tokens, reported_cost_usd, at_risk_usd) FROM stdin;
2026-02-28	model_unresolved	assistants				1	3550	\N	0.006650810956088204
2026-02-28	model_unresolved	batch				1	390	\N	0.000730652471232225
2026-02-28	model_unresolved	gateway	orion-7b-chat	vllm		2	4966	0.000000000000000000	0.000000000000000000
\.
COPY mart.waste (event_date, request_uid, finding, team, provider_id, model_id, cost_usd, saving_usd) FROM stdin;
2026-02-28	2304d63e-0634-6049-fc8e-2d15cec0edb1	cache_miss	engineering	anthropic	claude-sonnet-4-5	0.007630500000000000	0.000691200000000000
2026-02-28	2519ab6c-0ad2-bb86-5cfd-e3ed2e166397	cache_miss	engineering	anthropic	claude-sonnet-4-5	0.010494000000000000	0.000691200000000000
2026-02-28	28faf2f4-05ce-740f-ef80-014e466ca234	cache_miss	engineering	groq	kimi-k2-instruct-0905	0.002967000000000000	0.000640000000000000
\.
COPY raw.bill_duplicate (snapshot_id, line_no, item_no, cost_uid, kept_snapshot_id, kept_line_no, kept_item_no, rule) FROM stdin;
\.
COPY raw.duplicate (event_date, snapshot_id, line_no, item_no, request_uid, kept_snapshot_id, kept_line_no, kept_item_no, rule) FROM stdin;
2026-02-28	11315116-b214-22bd-a56d-4fdbb2b8ac2b	6	0	fba46fdf-5e50-bdf5-1aed-333c1916449e	11315116-b214-22bd-a56d-4fdbb2b8ac2b	4	0	same_record
2026-02-28	11315116-b214-22bd-a56d-4fdbb2b8ac2b	44	0	c008eb60-a29c-1f1f-abb4-3da81c5acfc1	11315116-b214-22bd-a56d-4fdbb2b8ac2b	43	0	same_record
2026-02-28	a7b3fa1f-4375-fae2-a1a3-6b1166c16389	25	0	bb1d2c82-f965-1015-35de-2609fe17492f	a7b3fa1f-4375-fae2-a1a3-6b1166c16389	23	0	same_record
\.
COPY raw.loaded_file (event_date, snapshot_id, requests) FROM stdin;
2026-02-28	11315116-b214-22bd-a56d-4fdbb2b8ac2b	455
2026-02-28	13fccf04-a317-6be6-b002-7715f622a02c	81
2026-02-28	99a37924-6c89-17be-e602-f03c55aa760e	280
\.
COPY raw.quarantine (snapshot_id, line_no, item_no, byte_from, byte_to, reason, severity, detail, fields, record_sha256) FROM stdin;
c1de27b6-938d-ad02-bc9f-5d8c4bf16c5b	199	0	224314	224616	not_json	error	Invalid control character at at character 302 of 302	\N	48503de6c61b3516b9d08e17bc82db06eef6d911014e408d7a383a93c2cea67e
c1de27b6-938d-ad02-bc9f-5d8c4bf16c5b	274	0	308150	308452	not_json	error	Invalid control character at at character 302 of 302	\N	d89f2918636dc7f6083d77b1093fd4b3ebccbdb2c416a1b993394cf303c957bf
c1de27b6-938d-ad02-bc9f-5d8c4bf16c5b	157	0	177014	178121	negative_tokens	error	attributes/gen_ai.usage.output_tokens or attributes/gen_ai.usage.completion_tokens or gen_ai.usage.output_tokens ...: found -33, 0 or more is accepted	{"spanId": "286ecc0816d29875", "traceId": "3958bb8f286ecc0816d29875f182ef83", "scope/name": "opentelemetry.instrumentation.genai", "parentSpanId": "", "scope/version": "1.0.0", "endTimeUnixNano": "1772268617516192000", "startTimeUnixNano": "1772268615855192000", "attributes/enduser.id": "engineering-user-31", "resource/attributes/team": "engineering", "attributes/gen_ai.response.id": "resp_3958bb8f286ecc0816d29875f182ef83", "attributes/gen_ai.provider.name": "openai", "attributes/gen_ai.request.model": "gpt-5.2", "attributes/gen_ai.operation.name": "chat", "attributes/gen_ai.response.model": "gpt-5.2-2025-12-11", "resource/attributes/service.name": "review-bot", "attributes/gen_ai.conversation.id": "engineering-20260228-1", "attributes/gen_ai.usage.input_tokens": "7014", "attributes/gen_ai.usage.output_tokens": "-33", "attributes/gen_ai.response.time_to_first_chunk": "1.245", "attributes/gen_ai.usage.cache_read.input_tokens": "0", "attributes/gen_ai.usage.reasoning.output_tokens": "15", "resource/attributes/deployment.environment.name": "production", "attributes/gen_ai.usage.cache_write.input_tokens": "0"}	2d7893ea15492a095e6dea1efbff5d6864a537807ecdcc9278d61e20020051f1
\.
COPY raw.quarantine_removed (snapshot_id, reason, severity, records) FROM stdin;
\.
COPY raw.quiet_day (event_date) FROM stdin;
\.
COPY raw.snapshot (snapshot_id, kind, source, format, landing_path, sha256, size_bytes, observed_at, url, http_status, etag, parser_version, lines, valid, quarantined, event_dates) FROM stdin;
0868c40a-0687-0f91-48cf-68f73d228fa1	prices	genai_prices	genai_prices	prices/genai_prices/2026-01-31.json	b12a37f9a937a9be60809f3169c1946739fbbdfead3c648ca23454d77e5f2e09	3696	2026-01-31 00:00:00+00	\N	\N	\N	genai_prices-3	13	13	0	{}
e68df4ed-c0a7-08e1-358c-c891b23f767a	prices	litellm_map	litellm_map	prices/litellm_map/2026-01-31.json	ae1929646276ceed5920cf994f7618e127a8179dcfb1fcdd81525f1c05345669	4929	2026-01-31 00:00:00+00	\N	\N	\N	litellm_map-8	16	16	0	{}
e54a0ad5-0e49-be9d-1808-15424720cd00	prices	litellm_map	litellm_map	prices/litellm_map/2026-02-22.json	a461acaaff2503f03950c33c9f0b08571fd99536b6c148dbae893437411781a1	4929	2026-02-22 00:00:00+00	\N	\N	\N	litellm_map-8	16	16	0	{}
\.
ALTER TABLE ONLY core.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY core.alert_delivery
    ADD CONSTRAINT alert_delivery_pkey PRIMARY KEY (alert_id, channel);
ALTER TABLE ONLY core.alert
    ADD CONSTRAINT alert_pkey PRIMARY KEY (alert_id);
ALTER TABLE ONLY core.benchmark
    ADD CONSTRAINT benchmark_pkey PRIMARY KEY (benchmark_id);
ALTER TABLE ONLY core.benchmark_score
    ADD CONSTRAINT benchmark_score_one_at_a_time EXCLUDE USING gist (core.uuidrange((md5(((((board || ''::text) || source_row_key) || ''::text) || benchmark_version_id)))::uuid, (md5(((((board || ''::text) || source_row_key) || ''::text) || benchmark_version_id)))::uuid, '[]'::text) WITH &&, daterange(as_of, as_of, '[]'::text) WITH &&, tstzrange(observed_at, superseded_at) WITH &&);
ALTER TABLE ONLY core.benchmark_score
    ADD CONSTRAINT benchmark_score_pkey PRIMARY KEY (score_id);
ALTER TABLE ONLY core.benchmark_version
    ADD CONSTRAINT benchmark_version_pkey PRIMARY KEY (benchmark_version_id);
ALTER TABLE ONLY core.booked_charge
    ADD CONSTRAINT booked_charge_pkey PRIMARY KEY (period, event_date, charge_id);
ALTER TABLE ONLY core.booked_commitment
    ADD CONSTRAINT booked_commitment_pkey PRIMARY KEY (period, event_date, commitment_id, commitment_discount_status, model_id, team, project, cost_centre, environment, application);
ALTER TABLE ONLY core.booked_share
    ADD CONSTRAINT booked_share_pkey PRIMARY KEY (period, event_date, place, receiver);
ALTER TABLE ONLY core.forgotten_user
    ADD CONSTRAINT forgotten_user_pkey PRIMARY KEY (user_sha256);
ALTER TABLE ONLY core.fx_rate
    ADD CONSTRAINT fx_rate_pkey PRIMARY KEY (fx_rate_id);
ALTER TABLE ONLY core.gpu_price
    ADD CONSTRAINT gpu_price_pkey PRIMARY KEY (gpu_price_id);
ALTER TABLE ONLY core.model_alias
    ADD CONSTRAINT model_alias_pkey PRIMARY KEY (provider_id, raw_name);
ALTER TABLE ONLY core.model
    ADD CONSTRAINT model_pkey PRIMARY KEY (model_id);
ALTER TABLE ONLY core.period_act
    ADD CONSTRAINT period_act_pkey PRIMARY KEY (period, acted_at);
ALTER TABLE ONLY core.price
    ADD CONSTRAINT price_one_at_a_time EXCLUDE USING gist (core.uuidrange(sku_id, sku_id, '[]'::text) WITH &&, tstzrange(valid_from, valid_to) WITH &&, tstzrange(recorded_at, superseded_at) WITH &&);
ALTER TABLE ONLY core.price
    ADD CONSTRAINT price_pkey PRIMARY KEY (price_id);
ALTER TABLE ONLY core.rate_card
    ADD CONSTRAINT rate_card_pkey PRIMARY KEY (rate_id);
ALTER TABLE ONLY core.reported_cost
    ADD CONSTRAINT reported_cost_pkey PRIMARY KEY (cost_uid, observed_at);
ALTER TABLE ONLY core.request
    ADD CONSTRAINT request_pkey PRIMARY KEY (request_uid, event_date);
ALTER TABLE ONLY core.request_20260228
    ADD CONSTRAINT request_20260228_689047b1_pkey PRIMARY KEY (request_uid, event_date);
ALTER TABLE ONLY core.routing_cost
    ADD CONSTRAINT routing_cost_pkey PRIMARY KEY (event_date, is_priced, provider_id, model_id, ran_model_id, is_loop, lane, bucket, not_priced);
ALTER TABLE ONLY core.routing_traffic
    ADD CONSTRAINT routing_traffic_pkey PRIMARY KEY (event_date, is_priced, provider_id, model_id, is_loop, lane, bucket, use_case, left_out);
ALTER TABLE ONLY core.seller_limit
    ADD CONSTRAINT seller_limit_pkey PRIMARY KEY (feed, observed_at, provider_id, kind, scope, scope_id, period, limit_id);
ALTER TABLE ONLY core.shadow_request
    ADD CONSTRAINT shadow_request_pkey PRIMARY KEY (snapshot_id, line_no, item_no);
ALTER TABLE ONLY core.throughput
    ADD CONSTRAINT throughput_pkey PRIMARY KEY (throughput_id);
ALTER TABLE ONLY mart.benchmark_drift
    ADD CONSTRAINT benchmark_drift_pkey PRIMARY KEY (event_id);
ALTER TABLE ONLY mart.benchmark_gap
    ADD CONSTRAINT benchmark_gap_pkey PRIMARY KEY (board, benchmark_version_id, event_date);
ALTER TABLE ONLY mart.budget_status
    ADD CONSTRAINT budget_status_pkey PRIMARY KEY (event_date, budget_id);
ALTER TABLE ONLY mart.chargeback
    ADD CONSTRAINT chargeback_pkey PRIMARY KEY (event_date, provider_id, model_id, team, project, cost_centre, environment, application, allocated_method_id, allocated_resource);
ALTER TABLE ONLY mart.claims_audit
    ADD CONSTRAINT claims_audit_pkey PRIMARY KEY (claim, date_basis);
ALTER TABLE ONLY mart.commitment_day
    ADD CONSTRAINT commitment_day_pkey PRIMARY KEY (event_date, commitment_id);
ALTER TABLE ONLY mart.commitment_usage
    ADD CONSTRAINT commitment_usage_pkey PRIMARY KEY (event_date, commitment_id, commitment_discount_status, model_id, team, project, cost_centre, environment, application);
ALTER TABLE ONLY mart.cost_coverage
    ADD CONSTRAINT cost_coverage_pkey PRIMARY KEY (event_date, reason);
ALTER TABLE ONLY mart.cost_restatement
    ADD CONSTRAINT cost_restatement_pkey PRIMARY KEY (line_id);
ALTER TABLE ONLY mart.daily_charge
    ADD CONSTRAINT daily_charge_pkey PRIMARY KEY (event_date, charge_id);
ALTER TABLE ONLY mart.daily_end_user_spend
    ADD CONSTRAINT daily_end_user_spend_pkey PRIMARY KEY (event_date, end_user);
ALTER TABLE ONLY mart.daily_explorer_spend
    ADD CONSTRAINT daily_explorer_spend_pkey PRIMARY KEY (event_date, provider_id, model_id, team, project, cost_centre, meter, rate);
ALTER TABLE ONLY mart.daily_item_spend
    ADD CONSTRAINT daily_item_spend_pkey PRIMARY KEY (event_date, dimension, dimension_value, provider_id, model_id, service_tier, region, meter);
ALTER TABLE ONLY mart.daily_meter_spend
    ADD CONSTRAINT daily_meter_spend_pkey PRIMARY KEY (event_date, provider_id, model_id, service_tier, meter);
ALTER TABLE ONLY mart.daily_model_spend
    ADD CONSTRAINT daily_model_spend_pkey PRIMARY KEY (event_date, provider_id, model_id);
ALTER TABLE ONLY mart.daily_project_spend
    ADD CONSTRAINT daily_project_spend_pkey PRIMARY KEY (event_date, project);
ALTER TABLE ONLY mart.daily_tag_spend
    ADD CONSTRAINT daily_tag_spend_pkey PRIMARY KEY (event_date, tag);
ALTER TABLE ONLY mart.daily_team_spend
    ADD CONSTRAINT daily_team_spend_pkey PRIMARY KEY (event_date, team);
ALTER TABLE ONLY mart.dearer_seller
    ADD CONSTRAINT dearer_seller_pkey PRIMARY KEY (event_date, provider_id, model_id, service_tier, region, team, cheaper_provider_id);
ALTER TABLE ONLY mart.hourly_demand
    ADD CONSTRAINT hourly_demand_pkey PRIMARY KEY (event_date, hour, operation, provider_id, model_id);
ALTER TABLE ONLY mart.logged_cost
    ADD CONSTRAINT logged_cost_pkey PRIMARY KEY (event_date, provider_id, model_id);
ALTER TABLE ONLY mart.logged_difference
    ADD CONSTRAINT logged_difference_pkey PRIMARY KEY (event_date, provider_id, model_id, why);
ALTER TABLE ONLY mart.model_catalog
    ADD CONSTRAINT model_catalog_pkey PRIMARY KEY (model_id);
ALTER TABLE ONLY mart.price_change
    ADD CONSTRAINT price_change_pkey PRIMARY KEY (change_id);
ALTER TABLE ONLY mart.price_conflict
    ADD CONSTRAINT price_conflict_pkey PRIMARY KEY (provider_id, model_id, meter, service_tier, region, context_from_tokens, context_bound, context_scope, context_counts, time_window, contract_id, reasoning_mode);
ALTER TABLE ONLY mart.reconciliation
    ADD CONSTRAINT reconciliation_pkey PRIMARY KEY (event_date, period_days, provider_id, model_id, meter);
ALTER TABLE ONLY mart.request_drift
    ADD CONSTRAINT request_drift_pkey PRIMARY KEY (event_date, provider_id, model_id, use_case, metric);
ALTER TABLE ONLY mart.request_profile
    ADD CONSTRAINT request_profile_pkey PRIMARY KEY (event_date, provider_id, model_id, use_case, stratum, metric);
ALTER TABLE ONLY mart.request_repeat
    ADD CONSTRAINT request_repeat_pkey PRIMARY KEY (event_date, provider_id, model_id);
ALTER TABLE ONLY mart.routing_frontier
    ADD CONSTRAINT routing_frontier_pkey PRIMARY KEY (event_date, point);
ALTER TABLE ONLY mart.routing_measure_next
    ADD CONSTRAINT routing_measure_next_pkey PRIMARY KEY (policy, baseline, measure, model_id);
ALTER TABLE ONLY mart.routing_month
    ADD CONSTRAINT routing_month_pkey PRIMARY KEY (month, policy, baseline, arm);
ALTER TABLE ONLY mart.routing_move
    ADD CONSTRAINT routing_move_pkey PRIMARY KEY (event_date, policy, baseline, event, provider_id, model_id);
ALTER TABLE ONLY mart.routing_off_policy
    ADD CONSTRAINT routing_off_policy_pkey PRIMARY KEY (use_case, model_id, measure, method);
ALTER TABLE ONLY mart.routing_projection
    ADD CONSTRAINT routing_projection_pkey PRIMARY KEY (event_date, policy, baseline, arm);
ALTER TABLE ONLY mart.selfhost_breakeven
    ADD CONSTRAINT selfhost_breakeven_pkey PRIMARY KEY (event_date, option_id);
ALTER TABLE ONLY mart.served_model_change
    ADD CONSTRAINT served_model_change_pkey PRIMARY KEY (event_date, provider_id, asked_model_id, served_model_id);
ALTER TABLE ONLY mart.shadow_evidence
    ADD CONSTRAINT shadow_evidence_pkey PRIMARY KEY (measure, model_id, against_model_id, judge);
ALTER TABLE ONLY mart.spend_anomaly
    ADD CONSTRAINT spend_anomaly_pkey PRIMARY KEY (scope, scope_value, opened_on);
ALTER TABLE ONLY mart.spend_forecast
    ADD CONSTRAINT spend_forecast_pkey PRIMARY KEY (event_date, scope, scope_value, period);
ALTER TABLE ONLY mart.spend_series
    ADD CONSTRAINT spend_series_pkey PRIMARY KEY (event_date, scope, scope_value);
ALTER TABLE ONLY mart.unit_cost
    ADD CONSTRAINT unit_cost_pkey PRIMARY KEY (event_date, dimension, dimension_value);
ALTER TABLE ONLY mart.unpriced_name
    ADD CONSTRAINT unpriced_name_pkey PRIMARY KEY (event_date, reason, source, raw_name, provider_id, model_id);
ALTER TABLE ONLY mart.waste
    ADD CONSTRAINT waste_pkey PRIMARY KEY (event_date, request_uid);
ALTER TABLE ONLY raw.bill_duplicate
    ADD CONSTRAINT bill_duplicate_pkey PRIMARY KEY (snapshot_id, line_no, item_no);
ALTER TABLE ONLY raw.duplicate
    ADD CONSTRAINT duplicate_pkey PRIMARY KEY (snapshot_id, line_no, item_no);
ALTER TABLE ONLY raw.loaded_file
    ADD CONSTRAINT loaded_file_pkey PRIMARY KEY (event_date, snapshot_id);
ALTER TABLE ONLY raw.quarantine
    ADD CONSTRAINT quarantine_pkey PRIMARY KEY (snapshot_id, line_no, item_no);
ALTER TABLE ONLY raw.quarantine_removed
    ADD CONSTRAINT quarantine_removed_pkey PRIMARY KEY (snapshot_id, reason, severity);
ALTER TABLE ONLY raw.quiet_day
    ADD CONSTRAINT quiet_day_pkey PRIMARY KEY (event_date);
ALTER TABLE ONLY raw.snapshot
    ADD CONSTRAINT snapshot_pkey PRIMARY KEY (snapshot_id);
CREATE INDEX price_model ON core.price USING btree (model_id, provider_id);
CREATE INDEX reported_cost_event_date ON core.reported_cost USING btree (event_date, provider_id);
CREATE INDEX request_brin ON ONLY core.request USING brin (event_at, source_request_id text_bloom_ops);
CREATE INDEX request_20260228_689047b1_brin ON core.request_20260228 USING brin (event_at, source_request_id text_bloom_ops);
CREATE INDEX daily_charge_event_date_idx ON mart.daily_charge USING btree (event_date) WHERE (unpriced_reason IS NOT NULL);
CREATE INDEX duplicate_event_date ON raw.duplicate USING btree (event_date);
CREATE INDEX snapshot_landing_path ON raw.snapshot USING hash (landing_path);
ALTER INDEX core.request_brin ATTACH PARTITION core.request_20260228_689047b1_brin;
ALTER INDEX core.request_pkey ATTACH PARTITION core.request_20260228_689047b1_pkey;
ALTER TABLE ONLY core.benchmark_score
    ADD CONSTRAINT benchmark_score_version FOREIGN KEY (benchmark_version_id) REFERENCES core.benchmark_version(benchmark_version_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY core.benchmark_version
    ADD CONSTRAINT benchmark_version_benchmark FOREIGN KEY (benchmark_id) REFERENCES core.benchmark(benchmark_id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY core.model_alias
    ADD CONSTRAINT model_alias_model FOREIGN KEY (model_id) REFERENCES core.model(model_id) DEFERRABLE INITIALLY DEFERRED;
\unrestrict Oz9ohrjSf0ROgAOuPWPAkQr3a1CfymrUxO68rmmNgazrli3iU8oKi65id9eXKa7
