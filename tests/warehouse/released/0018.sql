--
-- PostgreSQL database dump
--



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

--
-- Name: core; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA core;


--
-- Name: mart; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA mart;


--
-- Name: raw; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA raw;


--
-- Name: uuidrange; Type: TYPE; Schema: core; Owner: -
--

CREATE TYPE core.uuidrange AS RANGE (
    subtype = uuid,
    multirange_type_name = core.uuidmultirange
);


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: alembic_version; Type: TABLE; Schema: core; Owner: -
--

CREATE TABLE core.alembic_version (
    version_num character varying(32) NOT NULL
);


--
-- Name: benchmark; Type: TABLE; Schema: core; Owner: -
--

CREATE TABLE core.benchmark (
    benchmark_id text NOT NULL,
    display_name text NOT NULL,
    metric_kind text NOT NULL,
    unit text NOT NULL,
    lower_is_better boolean NOT NULL,
    min_score double precision,
    max_score double precision
);


--
-- Name: benchmark_score; Type: TABLE; Schema: core; Owner: -
--

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


--
-- Name: benchmark_version; Type: TABLE; Schema: core; Owner: -
--

CREATE TABLE core.benchmark_version (
    benchmark_version_id text NOT NULL,
    benchmark_id text NOT NULL,
    version_label text NOT NULL,
    scale_epoch integer NOT NULL,
    n_items integer,
    valid_from date NOT NULL
);


--
-- Name: fx_rate; Type: TABLE; Schema: core; Owner: -
--

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


--
-- Name: model; Type: TABLE; Schema: core; Owner: -
--

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


--
-- Name: model_alias; Type: TABLE; Schema: core; Owner: -
--

CREATE TABLE core.model_alias (
    provider_id text NOT NULL,
    raw_name text NOT NULL,
    model_id text,
    method text NOT NULL,
    confidence double precision NOT NULL,
    decided_by text NOT NULL
);


--
-- Name: price; Type: TABLE; Schema: core; Owner: -
--

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


--
-- Name: rate_card; Type: TABLE; Schema: core; Owner: -
--

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
    CONSTRAINT rate_card_context CHECK (((context_from_tokens >= 0) AND (context_to_tokens > context_from_tokens))),
    CONSTRAINT rate_card_context_counts_accepted CHECK ((context_counts = ANY (ARRAY['input'::text, 'input_uncached'::text, 'output'::text, 'input_output'::text]))),
    CONSTRAINT rate_card_period CHECK ((valid_to > valid_from)),
    CONSTRAINT rate_card_reasoning_mode_accepted CHECK ((reasoning_mode = ANY (ARRAY[''::text, 'thinking'::text, 'non_thinking'::text])))
);


--
-- Name: reported_cost; Type: TABLE; Schema: core; Owner: -
--

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
    CONSTRAINT reported_cost_amount CHECK (((amount IS NULL) = (currency IS NULL))),
    CONSTRAINT reported_cost_belief_period CHECK (((superseded_at > observed_at) AND ((superseded_at IS NULL) = (supersede_reason IS NULL)))),
    CONSTRAINT reported_cost_bucket CHECK (((bucket_to > bucket_from) AND (event_date = ((bucket_from AT TIME ZONE 'UTC'::text))::date))),
    CONSTRAINT reported_cost_supersede_reason_accepted CHECK ((supersede_reason = ANY (ARRAY['revised'::text, 'removed'::text])))
);


--
-- Name: request; Type: TABLE; Schema: core; Owner: -
--

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
    CONSTRAINT request_cost_or_reason CHECK ((num_nonnulls(list_cost_usd, contracted_cost_usd, effective_cost_usd) =
CASE
    WHEN (unpriced_reason IS NULL) THEN 3
    ELSE 0
END)),
    CONSTRAINT request_counts CHECK ((LEAST(input_uncached_tokens, input_cache_read_tokens, input_cache_write_tokens, input_cache_write_5m_tokens, input_cache_write_30m_tokens, input_cache_write_1h_tokens, input_cache_write_12h_tokens, input_audio_tokens, input_audio_cache_read_tokens, input_image_tokens, input_image_cache_read_tokens, input_video_tokens, input_tool_tokens, output_text_tokens, output_reasoning_tokens, output_audio_tokens, output_image_tokens, web_search_count) >= 0)),
    CONSTRAINT request_event_date CHECK ((event_date = ((event_at AT TIME ZONE 'UTC'::text))::date)),
    CONSTRAINT request_status_accepted CHECK ((status = ANY (ARRAY['ok'::text, 'error'::text, 'cancelled'::text, 'cache_hit'::text]))),
    CONSTRAINT request_unpriced_reason_accepted CHECK ((unpriced_reason = ANY (ARRAY['model_unresolved'::text, 'provider_unknown'::text, 'no_price'::text, 'no_price_for_tier'::text, 'no_price_at_time'::text, 'no_rate_for_meter'::text, 'no_exchange_rate'::text, 'usage_missing'::text]))),
    CONSTRAINT request_usage_basis_accepted CHECK ((usage_basis = ANY (ARRAY['reported'::text, 'estimated'::text, 'partial'::text, 'missing'::text])))
)
PARTITION BY RANGE (event_date);


--
-- Name: request_20260228; Type: TABLE; Schema: core; Owner: -
--

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
    CONSTRAINT request_cost_or_reason CHECK ((num_nonnulls(list_cost_usd, contracted_cost_usd, effective_cost_usd) =
CASE
    WHEN (unpriced_reason IS NULL) THEN 3
    ELSE 0
END)),
    CONSTRAINT request_counts CHECK ((LEAST(input_uncached_tokens, input_cache_read_tokens, input_cache_write_tokens, input_cache_write_5m_tokens, input_cache_write_30m_tokens, input_cache_write_1h_tokens, input_cache_write_12h_tokens, input_audio_tokens, input_audio_cache_read_tokens, input_image_tokens, input_image_cache_read_tokens, input_video_tokens, input_tool_tokens, output_text_tokens, output_reasoning_tokens, output_audio_tokens, output_image_tokens, web_search_count) >= 0)),
    CONSTRAINT request_event_date CHECK ((event_date = ((event_at AT TIME ZONE 'UTC'::text))::date)),
    CONSTRAINT request_status_accepted CHECK ((status = ANY (ARRAY['ok'::text, 'error'::text, 'cancelled'::text, 'cache_hit'::text]))),
    CONSTRAINT request_unpriced_reason_accepted CHECK ((unpriced_reason = ANY (ARRAY['model_unresolved'::text, 'provider_unknown'::text, 'no_price'::text, 'no_price_for_tier'::text, 'no_price_at_time'::text, 'no_rate_for_meter'::text, 'no_exchange_rate'::text, 'usage_missing'::text]))),
    CONSTRAINT request_usage_basis_accepted CHECK ((usage_basis = ANY (ARRAY['reported'::text, 'estimated'::text, 'partial'::text, 'missing'::text])))
);


--
-- Name: benchmark_drift; Type: TABLE; Schema: mart; Owner: -
--

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


--
-- Name: benchmark_gap; Type: TABLE; Schema: mart; Owner: -
--

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


--
-- Name: cost_restatement; Type: TABLE; Schema: mart; Owner: -
--

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
    CONSTRAINT cost_restatement_reason_accepted CHECK ((reason = ANY (ARRAY['changed'::text, 'corrected'::text, 'retracted'::text, 'source_removed'::text, 'new_price'::text, 'model_resolved'::text, 'exchange_rate'::text, 'known_later'::text, 'other'::text])))
);


--
-- Name: price_change; Type: TABLE; Schema: mart; Owner: -
--

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


--
-- Name: price_conflict; Type: TABLE; Schema: mart; Owner: -
--

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


--
-- Name: request_drift; Type: TABLE; Schema: mart; Owner: -
--

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


--
-- Name: request_profile; Type: TABLE; Schema: mart; Owner: -
--

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


--
-- Name: routing_frontier; Type: TABLE; Schema: mart; Owner: -
--

CREATE TABLE mart.routing_frontier (
    event_date date NOT NULL,
    point text NOT NULL,
    is_single boolean NOT NULL,
    is_on_hull boolean NOT NULL,
    benchmark_version_id text NOT NULL,
    quality double precision NOT NULL,
    quality_retained double precision,
    cost_usd double precision NOT NULL,
    saving_share double precision,
    shares jsonb NOT NULL
);


--
-- Name: routing_projection; Type: TABLE; Schema: mart; Owner: -
--

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
    not_projected_reason text
);


--
-- Name: bill_duplicate; Type: TABLE; Schema: raw; Owner: -
--

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


--
-- Name: duplicate; Type: TABLE; Schema: raw; Owner: -
--

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


--
-- Name: loaded_file; Type: TABLE; Schema: raw; Owner: -
--

CREATE TABLE raw.loaded_file (
    event_date date NOT NULL,
    snapshot_id uuid NOT NULL,
    requests bigint NOT NULL
);


--
-- Name: quarantine; Type: TABLE; Schema: raw; Owner: -
--

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


--
-- Name: snapshot; Type: TABLE; Schema: raw; Owner: -
--

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
    CONSTRAINT snapshot_kind CHECK ((kind = ANY (ARRAY['requests'::text, 'bills'::text, 'prices'::text, 'leaderboards'::text])))
);


--
-- Name: request_20260228; Type: TABLE ATTACH; Schema: core; Owner: -
--

ALTER TABLE ONLY core.request ATTACH PARTITION core.request_20260228 FOR VALUES FROM ('2026-02-28') TO ('2026-03-01');


--
-- Data for Name: alembic_version; Type: TABLE DATA; Schema: core; Owner: -
--

COPY core.alembic_version (version_num) FROM stdin;
0018
\.


--
-- Data for Name: benchmark; Type: TABLE DATA; Schema: core; Owner: -
--

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


--
-- Data for Name: benchmark_score; Type: TABLE DATA; Schema: core; Owner: -
--

COPY core.benchmark_score (score_id, board, benchmark_version_id, source_row_key, raw_model, model_id, variant, score, score_text, n_items, n_success, n_trials, stderr, ci_low, ci_high, ci_level, ci_method, votes, run_cost_usd, run_input_tokens, run_output_tokens, measured_by, as_of, observed_at, superseded_at, supersede_reason, snapshot_id, source_locator, harness, weights, resolution_method, resolution_confidence) FROM stdin;
76863caf-da7e-8580-483d-d7eab672a999	lmarena_text	lmarena_text@coding#0	claude-3-5-sonnet-20241022	claude-3-5-sonnet-20241022	claude-3-5-sonnet		1379.914	1379.914	\N	\N	\N	3.6214951172512295	1372.916	1387.112	0.95	reported	\N	\N	\N	\N	independent	2026-02-01	2026-02-01 00:00:00+00	2026-02-14 00:00:00+00	revised	7d3ca216-f109-d8b5-2fbb-9c87c49849f0	/coding/claude-3-5-sonnet-20241022	\N	\N	alias	1
b72b6d5f-89ac-64a5-bf31-ae0da897b187	lmarena_text	lmarena_text@coding#0	claude-3-5-sonnet-20241022	claude-3-5-sonnet-20241022	claude-3-5-sonnet		1379.929	1379.929	\N	\N	\N	3.5510856601956102	1373.069	1386.989	0.95	reported	\N	\N	\N	\N	independent	2026-02-14	2026-02-14 00:00:00+00	2026-02-21 00:00:00+00	revised	d4971605-0fee-e265-13f3-80eb2160a27b	/coding/claude-3-5-sonnet-20241022	\N	\N	alias	1
be608425-e8f0-0010-d034-beeb3e5e80f2	lmarena_text	lmarena_text@coding#0	claude-3-5-sonnet-20241022	claude-3-5-sonnet-20241022	claude-3-5-sonnet		1380.145	1380.145	\N	\N	\N	3.546493739083223	1373.294	1387.196	0.95	reported	\N	\N	\N	\N	independent	2026-02-21	2026-02-21 00:00:00+00	2026-02-27 00:00:00+00	revised	64c8acc9-b0c4-ae34-a3b6-84c8973c19e2	/coding/claude-3-5-sonnet-20241022	\N	\N	alias	1
\.


--
-- Data for Name: benchmark_version; Type: TABLE DATA; Schema: core; Owner: -
--

COPY core.benchmark_version (benchmark_version_id, benchmark_id, version_label, scale_epoch, n_items, valid_from) FROM stdin;
aider_polyglot@pass_rate_1#0	aider_polyglot	pass_rate_1	0	225	2026-02-10
aider_polyglot@pass_rate_2#0	aider_polyglot	pass_rate_2	0	225	2026-02-10
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


--
-- Data for Name: fx_rate; Type: TABLE DATA; Schema: core; Owner: -
--

COPY core.fx_rate (fx_rate_id, currency, feed, precedence, steps, usd_per_unit, rate_as_found, valid_from, valid_to, recorded_at, superseded_at, snapshot_id, source_locator) FROM stdin;
\.


--
-- Data for Name: model; Type: TABLE DATA; Schema: core; Owner: -
--

COPY core.model (model_id, developer, family, display_name, openness, license, total_params_b, active_params_b, context_tokens, released_date, decided_by) FROM stdin;
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
deepseek-chat	deepseek	deepseek	deepseek-chat	open_weight	\N	\N	\N	\N	\N	genai_prices
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
kimi-k2-instruct-0905	moonshotai	kimi	Kimi K2 0905	open_weight	\N	\N	\N	\N	\N	models.yaml
llama-3.3-70b-instruct	meta	llama	Llama 3.3 70B	open_weight	Llama-3.3	70.6	70.6	131072	2024-12-06	models.yaml
llama-3.3-70b-versatile	meta	llama	llama-3.3-70b-versatile	open_weight	\N	\N	\N	\N	\N	genai_prices
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
\.


--
-- Data for Name: model_alias; Type: TABLE DATA; Schema: core; Owner: -
--

COPY core.model_alias (provider_id, raw_name, model_id, method, confidence, decided_by) FROM stdin;
anthropic	claude-sonnet-4-5	claude-sonnet-4-5	exact	1	models.yaml
anthropic	claude-sonnet-4-5-20250929	claude-sonnet-4-5	date_suffix	0.95	litellm_map
deepseek	deepseek-chat	deepseek-chat	exact	1	genai_prices
\.


--
-- Data for Name: price; Type: TABLE DATA; Schema: core; Owner: -
--

COPY core.price (price_id, sku_id, feed, provider_id, model_id, raw_model, meter, unit, service_tier, region, context_from_tokens, context_to_tokens, context_bound, context_scope, context_counts, time_window, contract_id, reasoning_mode, unit_price, pricing_currency, pricing_quantity, usd_per_million, valid_from, valid_to, date_basis, recorded_at, superseded_at, supersede_reason, snapshot_id, source_locator, extracted_text, parser_version) FROM stdin;
099d3f61-4160-67e6-2207-bf3215928d33	b8333e29-32e4-4f50-5dc8-a1bac38ed60f	genai_prices	deepseek	deepseek-chat	deepseek-chat	input_uncached	token	standard		0	\N	gte	whole_request	input				0.240000000000000000	USD	1000000	0.240000000000	2026-02-22 00:00:00+00	\N	documented	2026-02-14 00:00:00+00	\N	\N	4ce3a30d-3e37-6a03-42f3-b5e9445ee5dd	/1/models/0/prices/1/prices/input_mtok	input_mtok: 0.24	genai_prices-1
0c606e05-4a24-10ae-9bda-e744c84f64af	f6560c4c-b7df-f620-26a4-cdb4052718de	genai_prices	openai	gpt-5.2	gpt-5.2	output_text	token	standard		0	\N	gte	whole_request	input				14.000000000000000000	USD	1000000	14.000000000000	0001-01-01 00:00:00+00	\N	unknown	2026-02-14 00:00:00+00	\N	\N	4ce3a30d-3e37-6a03-42f3-b5e9445ee5dd	/6/models/0/prices/output_mtok	output_mtok: 14	genai_prices-1
12dcd485-163d-7655-3c04-20af4a219417	7eafa067-bc38-589b-7f81-3e4bc729041d	genai_prices	google	gemini-3-pro-preview	gemini-3-pro-preview	output_text	token	standard		0	\N	gte	whole_request	input				12.000000000000000000	USD	1000000	12.000000000000	0001-01-01 00:00:00+00	\N	unknown	2026-02-14 00:00:00+00	\N	\N	4ce3a30d-3e37-6a03-42f3-b5e9445ee5dd	/3/models/0/prices/output_mtok/base	output_mtok: 12	genai_prices-1
\.


--
-- Data for Name: rate_card; Type: TABLE DATA; Schema: core; Owner: -
--

COPY core.rate_card (rate_id, provider_id, model_id, service_tier, region, time_window, contract_id, reasoning_mode, context_from_tokens, context_to_tokens, context_counts, valid_from, valid_to, input_uncached_usd_per_mtok, input_cache_read_usd_per_mtok, input_cache_write_usd_per_mtok, input_cache_write_5m_usd_per_mtok, input_cache_write_30m_usd_per_mtok, input_cache_write_1h_usd_per_mtok, input_cache_write_12h_usd_per_mtok, input_audio_usd_per_mtok, input_audio_cache_read_usd_per_mtok, input_image_usd_per_mtok, input_image_cache_read_usd_per_mtok, input_video_usd_per_mtok, input_tool_usd_per_mtok, output_text_usd_per_mtok, output_reasoning_usd_per_mtok, output_audio_usd_per_mtok, output_image_usd_per_mtok, request_usd_per_million, web_search_usd_per_million, grounded_prompt_usd_per_million, price_ids, fallbacks, exchange_rates, marginal, minimum_charge_usd) FROM stdin;
21ab64cf-7f3c-e1df-8d39-fbd282036983	anthropic	claude-sonnet-4-5	standard					0	200001	input	0001-01-01 00:00:00+00	\N	3.000000000000	0.300000000000	3.750000000000	3.750000000000	3.750000000000	6.000000000000	3.750000000000	3.000000000000	0.300000000000	3.000000000000	0.300000000000	3.000000000000	3.000000000000	15.000000000000	15.000000000000	15.000000000000	15.000000000000	\N	\N	\N	{"output_text": "e28e4def-90b8-e7ba-53ba-deac52711484", "input_uncached": "b0cc509e-894e-7f48-4d08-d34915fe5dba", "input_cache_read": "841d6c5e-f906-2faa-82bf-a98430ae9222", "input_cache_write": "fb586f34-cea3-5a8f-28b0-f5d282137026", "input_cache_write_1h": "ec895ebd-470f-90ed-6118-0914c2989cb3"}	{"input_tool": "input_uncached", "input_audio": "input_uncached", "input_image": "input_uncached", "input_video": "input_uncached", "output_audio": "output_text", "output_image": "output_text", "output_reasoning": "output_text", "input_cache_write_5m": "input_cache_write", "input_cache_write_12h": "input_cache_write", "input_cache_write_30m": "input_cache_write", "input_audio_cache_read": "input_cache_read", "input_image_cache_read": "input_cache_read"}	{}	{}	\N
4d765500-4021-df65-b013-70e41b944029	anthropic	claude-sonnet-4-5	standard					200001	\N	input	0001-01-01 00:00:00+00	\N	6.000000000000	0.600000000000	7.500000000000	7.500000000000	7.500000000000	12.000000000000	7.500000000000	6.000000000000	0.600000000000	6.000000000000	0.600000000000	6.000000000000	6.000000000000	22.500000000000	22.500000000000	22.500000000000	22.500000000000	\N	\N	\N	{"output_text": "e10fb630-2c2d-abdb-4ca7-ed78b2f63ce4", "input_uncached": "67918c56-28dd-50e5-886f-4b1b48bb5490", "input_cache_read": "6d482441-33ca-e651-b417-bc6f9c28c225", "input_cache_write": "157616f2-23cd-ed15-2fea-a66c0391823c", "input_cache_write_1h": "8b7715a7-2e7a-a972-45d8-f0dfd220af2f"}	{"input_tool": "input_uncached", "input_audio": "input_uncached", "input_image": "input_uncached", "input_video": "input_uncached", "output_audio": "output_text", "output_image": "output_text", "output_reasoning": "output_text", "input_cache_write_5m": "input_cache_write", "input_cache_write_12h": "input_cache_write", "input_cache_write_30m": "input_cache_write", "input_audio_cache_read": "input_cache_read", "input_image_cache_read": "input_cache_read"}	{}	{}	\N
95c5e2b4-712c-d630-b4ca-55d0f88b0d57	deepseek	deepseek-chat	standard					0	\N	input	0001-01-01 00:00:00+00	2026-02-22 00:00:00+00	0.280000000000	0.028000000000	0.280000000000	0.280000000000	0.280000000000	0.280000000000	0.280000000000	0.280000000000	0.028000000000	0.280000000000	0.028000000000	0.280000000000	0.280000000000	0.420000000000	0.420000000000	0.420000000000	0.420000000000	\N	\N	\N	{"output_text": "9c96c42e-45a1-b11a-0af6-5ddf5c331aa9", "input_uncached": "37650c35-20bb-8adc-7402-c2f5df17f376", "input_cache_read": "4ec774a9-317c-fcb6-823d-6fc189fae727"}	{"input_tool": "input_uncached", "input_audio": "input_uncached", "input_image": "input_uncached", "input_video": "input_uncached", "output_audio": "output_text", "output_image": "output_text", "output_reasoning": "output_text", "input_cache_write": "input_uncached", "input_cache_write_1h": "input_uncached", "input_cache_write_5m": "input_uncached", "input_cache_write_12h": "input_uncached", "input_cache_write_30m": "input_uncached", "input_audio_cache_read": "input_cache_read", "input_image_cache_read": "input_cache_read"}	{}	{}	\N
\.


--
-- Data for Name: reported_cost; Type: TABLE DATA; Schema: core; Owner: -
--

COPY core.reported_cost (event_date, cost_uid, observed_at, superseded_at, supersede_reason, source, snapshot_id, line_no, item_no, source_locator, bucket_from, bucket_to, provider_id, report, project_id, api_key_id, end_user_id, raw_model, model_id, resolution_method, line_item, meter, upstream_provider, service_tier, region, context_window, input_uncached_tokens, input_cache_read_tokens, input_cache_write_tokens, input_cache_write_5m_tokens, input_cache_write_30m_tokens, input_cache_write_1h_tokens, input_cache_write_12h_tokens, input_audio_tokens, input_audio_cache_read_tokens, input_image_tokens, input_image_cache_read_tokens, input_video_tokens, input_tool_tokens, output_text_tokens, output_reasoning_tokens, output_audio_tokens, output_image_tokens, token_semantics, request_count, web_search_count, quantity, quantity_unit, amount_text, amount, currency, amount_usd, byok_cost_usd) FROM stdin;
2026-02-15	1be75d0a-d7ae-60fe-c24a-4aa3246da991	2026-02-15 23:55:00+00	\N	\N	anthropic_bill	74447900-d94d-2929-775b-e53b2285a6df	1	6	/data/0/results/6	2026-02-15 00:00:00+00	2026-02-16 00:00:00+00	anthropic	cost_report	wrkspc_sample	\N	\N	claude-sonnet-4-5-20250929	claude-sonnet-4-5	date_suffix	Claude Sonnet 4.5 Usage - 5m Cache Creation Input Tokens (Long Context)	cache_creation.ephemeral_5m_input_tokens	\N	standard	\N	200k-1M	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	224.277750000000	2.242777500000000000	USD	2.242777500000000000	\N
2026-02-15	33d10cc2-ca26-2737-4223-2b25169db6a4	2026-02-15 23:55:00+00	\N	\N	anthropic_bill	74447900-d94d-2929-775b-e53b2285a6df	1	3	/data/0/results/3	2026-02-15 00:00:00+00	2026-02-16 00:00:00+00	anthropic	cost_report	wrkspc_sample	\N	\N	claude-sonnet-4-5-20250929	claude-sonnet-4-5	date_suffix	Claude Sonnet 4.5 Usage - Output Tokens	output_tokens	\N	standard	\N	0-200k	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	454.738500000000	4.547385000000000000	USD	4.547385000000000000	\N
2026-02-15	3e00f882-be8c-81ef-be25-97b0c7b8f2ba	2026-02-15 23:55:00+00	\N	\N	anthropic_bill	74447900-d94d-2929-775b-e53b2285a6df	1	0	/data/0/results/0	2026-02-15 00:00:00+00	2026-02-16 00:00:00+00	anthropic	cost_report	wrkspc_sample	\N	\N	claude-sonnet-4-5-20250929	claude-sonnet-4-5	date_suffix	Claude Sonnet 4.5 Usage - Input Tokens	uncached_input_tokens	\N	standard	\N	0-200k	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	638.295600000000	6.382956000000000000	USD	6.382956000000000000	\N
\.


--
-- Data for Name: request_20260228; Type: TABLE DATA; Schema: core; Owner: -
--

COPY core.request_20260228 (event_date, request_uid, event_at, source, snapshot_id, line_no, item_no, source_request_id, session_id, operation, provider_id, request_model, response_model, model_id, resolution_method, team, project, environment, application, end_user_id, tags, service_tier, region, is_stream, status, http_status, finish_reason, latency_ms, ttft_ms, input_uncached_tokens, input_cache_read_tokens, input_cache_write_tokens, input_cache_write_5m_tokens, input_cache_write_30m_tokens, input_cache_write_1h_tokens, input_cache_write_12h_tokens, input_audio_tokens, input_audio_cache_read_tokens, input_image_tokens, input_image_cache_read_tokens, input_video_tokens, input_tool_tokens, output_text_tokens, output_reasoning_tokens, output_audio_tokens, output_image_tokens, web_search_count, token_semantics, usage_basis, is_billable, reported_cost_usd, rate_id, list_cost_usd, contracted_cost_usd, effective_cost_usd, unpriced_reason) FROM stdin;
2026-02-28	c1240340-de87-a843-ea10-0023e5b41ffc	2026-02-28 00:00:00.372+00	batch	ebe3fce6-5189-cd25-cbfb-952e2b724d22	4243	0	job-dc446c59ff6d7c37	\N	chat	fireworks	accounts/fireworks/models/qwen3-235b-a22b	\N	qwen3-235b-a22b	feed_alias	research	\N	production	paper-digest	\N	\N	standard		\N	ok	\N	\N	42295	\N	872	0	0	0	0	0	0	0	0	0	0	0	0	418	480	0	0	0	openai_inclusive	reported	t	\N	c2406229-3b90-600d-a983-d8fa8055569c	0.000982080000000000	0.000982080000000000	0.000982080000000000	\N
2026-02-28	16fac9c6-8762-5cbf-d680-1d31efb725f6	2026-02-28 00:00:02.430136+00	gateway	1d7adb02-9ee3-8785-fb75-3bc0601b460d	1631	0	chatcmpl-267cd91da2d491fbeabc9d573f8523eb	marketing-20260227-2364	chat	anthropic	claude-sonnet-4-5-20250929	claude-sonnet-4-5-20250929	claude-sonnet-4-5	date_suffix	marketing	\N	production	copywriter	marketing-user-21	{"api_key": "sample-key-marketing", "request_tags": "[\\"copywriter\\"]"}	standard		t	ok	\N	\N	5414	684	155	512	0	0	0	0	0	0	0	0	0	0	0	473	0	0	0	0	openai_inclusive	reported	t	0.007713600000000000	21ab64cf-7f3c-e1df-8d39-fbd282036983	0.007713600000000000	0.007713600000000000	0.007713600000000000	\N
2026-02-28	ce09deea-b26c-1c78-e546-1ff2a8486ce2	2026-02-28 00:00:04.671025+00	gateway	1d7adb02-9ee3-8785-fb75-3bc0601b460d	1632	0	chatcmpl-35ccd5cbb468022250b23d1c5c1fa088	search-20260227-1928	chat	google	gemini-3-pro-preview	gemini-3-pro-preview	gemini-3-pro-preview	exact	search	\N	production	answer-box	search-user-17	{"api_key": "sample-key-search", "request_tags": "[\\"answer-box\\"]"}	standard		t	ok	\N	\N	34990	248	223	0	0	0	0	0	0	0	0	0	0	0	0	419	779	0	0	0	openai_inclusive	reported	t	0.014822000000000000	c2161fdc-3f33-2fdc-3c1d-494fe86129ed	0.014822000000000000	0.014822000000000000	0.014822000000000000	\N
\.


--
-- Data for Name: benchmark_drift; Type: TABLE DATA; Schema: mart; Owner: -
--

COPY mart.benchmark_drift (event_id, event_date, board, benchmark_version_id, drift_class, severity, raw_model, model_id, score_before, score_after, delta, delta_adjusted, stderr, z, p_value, q_value, min_detectable, n_models, explanation, from_snapshot_id, to_snapshot_id, evidence) FROM stdin;
d0fd95d3-d5ee-b7d5-edef-8bc749d54e35	2026-02-01	lmarena_text	lmarena_text@full#0	new	info	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	60	First export of lmarena_text: 60 entries in 5 versions; later exports are compared with it.	\N	7d3ca216-f109-d8b5-2fbb-9c87c49849f0	{}
b946e255-be2e-1c0f-80ac-5ada21614a7f	2026-02-21	lmarena_text	lmarena_text@full#0	drift	info	gpt-4o-2024-11-20	gpt-4o	1368.481	1337.28	-31.201000000000022	-31.024	3.6861569455111356	-8.41635352444227	3.883840890073224e-17	5.825761335109836e-15	7.224734854564001	1	gpt-4o-2024-11-20 fell in full of lmarena_text (and in 4 other versions): 1368.5 to 1337.3, -31.0 Elo beyond the board's common shift, against 7.2 that noise explains (z -8.4, q 5.8e-15 over 300 tests of the day). Not yet confirmed by a second export.	d4971605-0fee-e265-13f3-80eb2160a27b	64c8acc9-b0c4-ae34-a3b6-84c8973c19e2	{"tests": 300, "versions": [{"z": -8.41635352444227, "score": 1368.481, "q_value": 0.000000000000005825761335109836, "se_delta": 3.6861569455111356, "items_lost": null, "score_after": 1337.28, "benchmark_id": "lmarena_text", "items_gained": null, "paired_items": null, "version_label": "full", "delta_adjusted": -31.024}, {"z": -8.58431421706202, "score": 1373.746, "q_value": 0.000000000000002741396783481348, "se_delta": 3.687714498740061, "items_lost": null, "score_after": 1341.958, "benchmark_id": "lmarena_text", "items_gained": null, "paired_items": null, "version_label": "hard_6", "delta_adjusted": -31.65650000000005}, {"z": -7.929168275920773, "score": 1363.113, "q_value": 0.00000000000022061843509723064, "se_delta": 3.9949965617700975, "items_lost": null, "score_after": 1331.403, "benchmark_id": "lmarena_text", "items_gained": null, "paired_items": null, "version_label": "creative_writing", "delta_adjusted": -31.67700000000002}, {"z": -7.546975104334323, "score": 1377.709, "q_value": 0.0000000000033411277605219287, "se_delta": 3.9894129215702137, "items_lost": null, "score_after": 1347.696, "benchmark_id": "lmarena_text", "items_gained": null, "paired_items": null, "version_label": "coding", "delta_adjusted": -30.10800000000006}, {"z": -7.214654701758726, "score": 1370.609, "q_value": 0.000000000032442602822577575, "se_delta": 4.276711953030576, "items_lost": null, "score_after": 1339.736, "benchmark_id": "lmarena_text", "items_gained": null, "paired_items": null, "version_label": "english", "delta_adjusted": -30.85499999999979}], "confirmed": false, "score_ids": [["49afaba1f37eaa16d4aac3a1cc39cb38", "501b1ec33fc6eae1a78ca654772f73f7"], ["5ce864c04d2d7995157b0ab7389f7480", "c86cbe0701bb219a3f88f10669d55c24"], ["25622e2eecc475e0c50d4a09de74aff9", "67891d9661b67d957e3367df13999dc0"], ["c5a5e528b826dc8f812f2e0ae8e7cff7", "e75df4a2f83a33aa079da2cdca871848"], ["60aa98ec6c62bffed77be7fc6f433bda", "9b1f6c057ca8e43478d56626bdbec0ba"]]}
74aef87b-2617-0ad6-efde-2ce782e29f1d	2026-02-27	lmarena_text	lmarena_text@full#0	drift	warn	gpt-4o-2024-11-20	gpt-4o	1368.481	1338.013	-30.468000000000075	-30.36200000000008	4.330482303994841	-7.011228280967997	3.883840890073224e-17	5.825761335109836e-15	8.487589351517922	1	Confirmed: gpt-4o-2024-11-20 fell in full of lmarena_text (and in 4 other versions), from 1368.5 to 1338.0, -30.4 Elo beyond the board's common shift, first seen on 2026-02-21 and still so.	64c8acc9-b0c4-ae34-a3b6-84c8973c19e2	ac95b3d1-043a-a56d-1225-e2c8f84db0eb	{"versions": [{"z": -8.41635352444227, "score": 1368.481, "held_se": 4.330482303994841, "q_value": 0.000000000000005825761335109836, "se_delta": 3.6861569455111356, "score_now": 1338.013, "held_delta": -30.36200000000008, "held_items": null, "items_lost": null, "score_after": 1337.28, "benchmark_id": "lmarena_text", "items_gained": null, "paired_items": null, "version_label": "full", "delta_adjusted": -31.024}, {"z": -8.58431421706202, "score": 1373.746, "held_se": 3.9924783306816245, "q_value": 0.000000000000002741396783481348, "se_delta": 3.687714498740061, "score_now": 1342.177, "held_delta": -31.608500000000276, "held_items": null, "items_lost": null, "score_after": 1341.958, "benchmark_id": "lmarena_text", "items_gained": null, "paired_items": null, "version_label": "hard_6", "delta_adjusted": -31.65650000000005}, {"z": -7.929168275920773, "score": 1363.113, "held_se": 4.523585656158571, "q_value": 0.00000000000022061843509723064, "se_delta": 3.9949965617700975, "score_now": 1331.897, "held_delta": -31.20000000000016, "held_items": null, "items_lost": null, "score_after": 1331.403, "benchmark_id": "lmarena_text", "items_gained": null, "paired_items": null, "version_label": "creative_writing", "delta_adjusted": -31.67700000000002}, {"z": -7.546975104334323, "score": 1377.709, "held_se": 4.59364791687922, "q_value": 0.0000000000033411277605219287, "se_delta": 3.9894129215702137, "score_now": 1346.741, "held_delta": -31.07899999999995, "held_items": null, "items_lost": null, "score_after": 1347.696, "benchmark_id": "lmarena_text", "items_gained": null, "paired_items": null, "version_label": "coding", "delta_adjusted": -30.10800000000006}, {"z": -7.214654701758726, "score": 1370.609, "held_se": 4.615023090343538, "q_value": 0.000000000032442602822577575, "se_delta": 4.276711953030576, "score_now": 1340.674, "held_delta": -29.945499999999925, "held_items": null, "items_lost": null, "score_after": 1339.736, "benchmark_id": "lmarena_text", "items_gained": null, "paired_items": null, "version_label": "english", "delta_adjusted": -30.85499999999979}], "confirmed": true, "first_seen_at": "2026-02-21T00:00:00.000000"}
\.


--
-- Data for Name: benchmark_gap; Type: TABLE DATA; Schema: mart; Owner: -
--

COPY mart.benchmark_gap (event_date, board, benchmark_version_id, best_open_model, best_open_model_id, best_open_score, best_closed_model, best_closed_model_id, best_closed_score, gap, gap_adjusted, gap_low, gap_high, top_k, top_k_gap, top_k_gap_stderr, lag_days, lag_is_minimum, best_open_rank_from, best_open_rank_to, n_open, n_closed, n_unknown, gap_stderr, min_detectable, paired_items, release_lag_days, undecided) FROM stdin;
2026-02-01	lmarena_text	lmarena_text@coding#0	deepseek-v3.2	deepseek-v3.2	1469.956	gemini-3-pro	gemini-3-pro-preview	1509.129	39.173	39.17009726951045	30.86588762491911	47.396023633726074	5	30.067999999999984	1.8050291817257975	0	t	3	4	17	11	32	4.28066840306442	8.389955899764852	\N	63	[{"rank": 23, "model": "sample-lm-01", "score": 1343.183, "models_yaml": "- {id: \\"sample-lm-01\\", display_name: \\"sample-lm-01\\", openness: closed}"}, {"rank": 24, "model": "sample-lm-02", "score": 1331.735, "models_yaml": "- {id: \\"sample-lm-02\\", display_name: \\"sample-lm-02\\", openness: closed}"}, {"rank": 28, "model": "sample-lm-03", "score": 1321.263, "models_yaml": "- {id: \\"sample-lm-03\\", display_name: \\"sample-lm-03\\", openness: closed}"}, {"rank": 29, "model": "sample-lm-04", "score": 1310.889, "models_yaml": "- {id: \\"sample-lm-04\\", display_name: \\"sample-lm-04\\", openness: closed}"}, {"rank": 31, "model": "sample-lm-05", "score": 1298.031, "models_yaml": "- {id: \\"sample-lm-05\\", display_name: \\"sample-lm-05\\", openness: closed}"}, {"rank": 32, "model": "sample-lm-06", "score": 1288.21, "models_yaml": "- {id: \\"sample-lm-06\\", display_name: \\"sample-lm-06\\", openness: closed}"}, {"rank": 34, "model": "sample-lm-07", "score": 1277.274, "models_yaml": "- {id: \\"sample-lm-07\\", display_name: \\"sample-lm-07\\", openness: closed}"}, {"rank": 35, "model": "sample-lm-08", "score": 1265.021, "models_yaml": "- {id: \\"sample-lm-08\\", display_name: \\"sample-lm-08\\", openness: closed}"}, {"rank": 36, "model": "sample-lm-09", "score": 1254.143, "models_yaml": "- {id: \\"sample-lm-09\\", display_name: \\"sample-lm-09\\", openness: closed}"}, {"rank": 37, "model": "sample-lm-10", "score": 1244.903, "models_yaml": "- {id: \\"sample-lm-10\\", display_name: \\"sample-lm-10\\", openness: closed}"}]
2026-02-14	lmarena_text	lmarena_text@coding#0	deepseek-v3.2	deepseek-v3.2	1469.503	gemini-3-pro	gemini-3-pro-preview	1509.258	39.75500000000011	39.797124646072085	30.74703980179953	49.631983532445474	5	30.101000000000113	2.0002303625741176	13	t	3	4	17	11	32	4.733201649192247	9.276904763982392	\N	63	[{"rank": 23, "model": "sample-lm-01", "score": 1343.634, "models_yaml": "- {id: \\"sample-lm-01\\", display_name: \\"sample-lm-01\\", openness: closed}"}, {"rank": 24, "model": "sample-lm-02", "score": 1332.088, "models_yaml": "- {id: \\"sample-lm-02\\", display_name: \\"sample-lm-02\\", openness: closed}"}, {"rank": 27, "model": "sample-lm-03", "score": 1321.922, "models_yaml": "- {id: \\"sample-lm-03\\", display_name: \\"sample-lm-03\\", openness: closed}"}, {"rank": 29, "model": "sample-lm-04", "score": 1310.118, "models_yaml": "- {id: \\"sample-lm-04\\", display_name: \\"sample-lm-04\\", openness: closed}"}, {"rank": 30, "model": "sample-lm-05", "score": 1298.982, "models_yaml": "- {id: \\"sample-lm-05\\", display_name: \\"sample-lm-05\\", openness: closed}"}, {"rank": 32, "model": "sample-lm-06", "score": 1288.972, "models_yaml": "- {id: \\"sample-lm-06\\", display_name: \\"sample-lm-06\\", openness: closed}"}, {"rank": 34, "model": "sample-lm-07", "score": 1277.659, "models_yaml": "- {id: \\"sample-lm-07\\", display_name: \\"sample-lm-07\\", openness: closed}"}, {"rank": 35, "model": "sample-lm-08", "score": 1266.305, "models_yaml": "- {id: \\"sample-lm-08\\", display_name: \\"sample-lm-08\\", openness: closed}"}, {"rank": 36, "model": "sample-lm-09", "score": 1255.135, "models_yaml": "- {id: \\"sample-lm-09\\", display_name: \\"sample-lm-09\\", openness: closed}"}, {"rank": 37, "model": "sample-lm-10", "score": 1243.042, "models_yaml": "- {id: \\"sample-lm-10\\", display_name: \\"sample-lm-10\\", openness: closed}"}]
2026-02-21	lmarena_text	lmarena_text@coding#0	deepseek-v3.2	deepseek-v3.2	1469.012	gemini-3-pro	gemini-3-pro-preview	1509.448	40.43600000000015	40.28411136035942	32.90650643767447	47.64025148972917	5	30.957200000000284	1.7227452169901274	20	t	3	4	17	11	32	3.794475316339283	7.437034960251223	\N	63	[{"rank": 23, "model": "sample-lm-01", "score": 1343.42, "models_yaml": "- {id: \\"sample-lm-01\\", display_name: \\"sample-lm-01\\", openness: closed}"}, {"rank": 24, "model": "sample-lm-02", "score": 1331.425, "models_yaml": "- {id: \\"sample-lm-02\\", display_name: \\"sample-lm-02\\", openness: closed}"}, {"rank": 28, "model": "sample-lm-03", "score": 1320.617, "models_yaml": "- {id: \\"sample-lm-03\\", display_name: \\"sample-lm-03\\", openness: closed}"}, {"rank": 29, "model": "sample-lm-04", "score": 1310.813, "models_yaml": "- {id: \\"sample-lm-04\\", display_name: \\"sample-lm-04\\", openness: closed}"}, {"rank": 30, "model": "sample-lm-05", "score": 1299.099, "models_yaml": "- {id: \\"sample-lm-05\\", display_name: \\"sample-lm-05\\", openness: closed}"}, {"rank": 32, "model": "sample-lm-06", "score": 1287.492, "models_yaml": "- {id: \\"sample-lm-06\\", display_name: \\"sample-lm-06\\", openness: closed}"}, {"rank": 34, "model": "sample-lm-07", "score": 1276.601, "models_yaml": "- {id: \\"sample-lm-07\\", display_name: \\"sample-lm-07\\", openness: closed}"}, {"rank": 35, "model": "sample-lm-08", "score": 1266.849, "models_yaml": "- {id: \\"sample-lm-08\\", display_name: \\"sample-lm-08\\", openness: closed}"}, {"rank": 36, "model": "sample-lm-09", "score": 1255.431, "models_yaml": "- {id: \\"sample-lm-09\\", display_name: \\"sample-lm-09\\", openness: closed}"}, {"rank": 37, "model": "sample-lm-10", "score": 1243.221, "models_yaml": "- {id: \\"sample-lm-10\\", display_name: \\"sample-lm-10\\", openness: closed}"}]
\.


--
-- Data for Name: cost_restatement; Type: TABLE DATA; Schema: mart; Owner: -
--

COPY mart.cost_restatement (line_id, restatement_id, event_date, provider_id, provider_id_before, model_id, model_id_before, meter, reason, requests, cost_before_usd, cost_after_usd, delta_usd, list_delta_usd, usd_per_million_before, usd_per_million_after, price_id_before, price_id_after, feed_before, feed_after, snapshot_id_before, snapshot_id_after, known_at_before, known_at_after, is_closed, applied_at, explanation) FROM stdin;
\.


--
-- Data for Name: price_change; Type: TABLE DATA; Schema: mart; Owner: -
--

COPY mart.price_change (change_id, feed, provider_id, model_id, meter, unit, service_tier, region, context_from_tokens, context_bound, context_scope, context_counts, time_window, contract_id, reasoning_mode, context_to_tokens, pricing_currency, price_before, price_after, change_share, valid_from, date_basis, learnt_at, is_used, spend_30d_usd, spend_30d_share, price_id_before, price_id_after, summary) FROM stdin;
21b28d2e-3ccc-f926-8cb9-9c8456e43f0e	genai_prices	deepseek	deepseek-chat	input_cache_read	token	standard		0	gte	whole_request	input				\N	USD	0.028000000000	0.024000000000	-0.14285714285714285	2026-02-22 00:00:00+00	documented	2026-02-14 00:00:00+00	t	0.725218816000000000	0.0003843650159646805	4ec774a9-317c-fcb6-823d-6fc189fae727	d07bee71-dc88-7bd1-c2a0-a07824aff465	deepseek-chat at deepseek: input_cache_read 0.028 to 0.024 USD per million tokens (-14.3 %) from 22 February 2026, announced 14 February 2026; affects less than 0.1 % of the spend of the last 30 days
825c7a5f-42d0-297e-39b9-6786eb2cf2a1	genai_prices	deepseek	deepseek-chat	input_uncached	token	standard		0	gte	whole_request	input				\N	USD	0.280000000000	0.240000000000	-0.14285714285714285	2026-02-22 00:00:00+00	documented	2026-02-14 00:00:00+00	t	17.484590920000000000	0.00926681012658903	37650c35-20bb-8adc-7402-c2f5df17f376	099d3f61-4160-67e6-2207-bf3215928d33	deepseek-chat at deepseek: input_uncached 0.28 to 0.24 USD per million tokens (-14.3 %) from 22 February 2026, announced 14 February 2026; affects 0.9 % of the spend of the last 30 days
dc102fd3-8544-7547-c350-26eefe0bb96a	genai_prices	deepseek	deepseek-chat	output_text	token	standard		0	gte	whole_request	input				\N	USD	0.420000000000	0.360000000000	-0.14285714285714285	2026-02-22 00:00:00+00	documented	2026-02-14 00:00:00+00	t	3.437464620000000000	0.0018218517148130976	9c96c42e-45a1-b11a-0af6-5ddf5c331aa9	c774204c-089f-c2ed-6cf4-9edfecea7ef5	deepseek-chat at deepseek: output_text 0.42 to 0.36 USD per million tokens (-14.3 %) from 22 February 2026, announced 14 February 2026; affects 0.2 % of the spend of the last 30 days
\.


--
-- Data for Name: price_conflict; Type: TABLE DATA; Schema: mart; Owner: -
--

COPY mart.price_conflict (provider_id, model_id, meter, unit, service_tier, region, context_from_tokens, context_bound, context_scope, context_counts, time_window, contract_id, reasoning_mode, as_of, usd_used, feed_used, usd_lowest, usd_highest, spread_share, prices, quantity_30d, at_stake_30d_usd, decided_by, summary) FROM stdin;
\.


--
-- Data for Name: request_drift; Type: TABLE DATA; Schema: mart; Owner: -
--

COPY mart.request_drift (event_date, provider_id, model_id, use_case, metric, n_day, n_reference, reference_days, comparable_share, value_day, value_reference, effect, min_detectable, z, overdispersion, p_value, q_value, is_alarm, explanation, opened_on, age_days) FROM stdin;
2026-02-16	anthropic	claude-sonnet-4-5	contract-review	cache_read_share	363	221	1	1	0.096	0.093	0.006225350802565056	0.04846576743441365	0.24928787028736338	1	0.803138113322945	0.985051397163032	f	claude-sonnet-4-5 at anthropic for contract-review reads 9.6 % of its input from the cache (median), in the reference 9.3 %. Within noise, or too little to matter: z 0.2, q 0.99, 363 calls against 221.	\N	\N
2026-02-16	anthropic	claude-sonnet-4-5	contract-review	error_rate	367	223	1	1	0.010899182561307902	0.008968609865470852	0	0	\N	1	\N	\N	f	claude-sonnet-4-5 at anthropic for contract-review fails in 1.1 % of calls, in the reference in 0.9 %; it never varies.	\N	\N
2026-02-16	anthropic	claude-sonnet-4-5	contract-review	latency_ms	363	221	1	1	5100	5100	-0.008894294207811574	0.049700071091868206	-0.36915867795146906	1	0.712009454133814	0.9797386205951398	f	claude-sonnet-4-5 at anthropic for contract-review takes 5100 ms per call (median), in the reference 5100. Within noise, or too little to matter: z -0.4, q 0.98, 363 calls against 221.	\N	\N
\.


--
-- Data for Name: request_profile; Type: TABLE DATA; Schema: mart; Owner: -
--

COPY mart.request_profile (event_date, provider_id, model_id, use_case, stratum, metric, requests, histogram) FROM stdin;
2026-02-15	anthropic	claude-sonnet-4-5	contract-review	chat false 2^0	error_rate	1	{"value": [1.0], "requests": [1]}
2026-02-15	anthropic	claude-sonnet-4-5	contract-review	chat false 2^0	response_model:claude-sonnet-4-5-20250929	1	{"value": [1.0], "requests": [1]}
2026-02-15	anthropic	claude-sonnet-4-5	contract-review	chat false 2^10	cache_read_share	8	{"value": [0.0, 0.92, 0.93, 0.96], "requests": [5, 1, 1, 1]}
\.


--
-- Data for Name: routing_frontier; Type: TABLE DATA; Schema: mart; Owner: -
--

COPY mart.routing_frontier (event_date, point, is_single, is_on_hull, benchmark_version_id, quality, quality_retained, cost_usd, saving_share, shares) FROM stdin;
2026-02-15	frontier-01	t	t	aider_polyglot@pass_rate_2#0	0.048999998999999995	\N	5.939790797996644	0.9392816876871788	{"openrouter/gemma-3-27b-it": 1.0}
2026-02-15	frontier-02	f	t	aider_polyglot@pass_rate_2#0	0.09054999899999998	\N	6.023646414753359	0.9384244905735809	{"deepseek/deepseek-chat": 0.059957, "openrouter/gemma-3-27b-it": 0.940043}
2026-02-15	frontier-03	f	t	aider_polyglot@pass_rate_2#0	0.13209999899999994	\N	6.120203876166724	0.9374374514172175	{"groq/gpt-oss-120b": 0.01092, "deepseek/deepseek-chat": 0.114099, "openrouter/gemma-3-27b-it": 0.874981}
\.


--
-- Data for Name: routing_projection; Type: TABLE DATA; Schema: mart; Owner: -
--

COPY mart.routing_projection (event_date, policy, arm, provider_id, model_id, share, requests, baseline, baseline_cost_usd, projected_cost_usd, saving_usd, saving_share, quality_retained, saving_share_low_95, saving_share_low_50, saving_share_high_50, saving_share_high_95, quality_retained_low_95, quality_retained_low_50, quality_retained_high_50, quality_retained_high_95, probability_saving_85, probability_quality_95, probability_both, quality_realised, quality_oracle, break_even_ratio, is_headline, first_flip, waterfall, evidence_grade, assumptions, not_projected_reason) FROM stdin;
2026-02-15	hybrid_90_8_2	cheap_open	deepseek	deepseek-chat	0.900059027521581938	12198.5	actual	84.509896690239420078	11.220156642959099728	73.289740047280320350	0.8672326309416138	\N	0.2527518856174708	0.7360101683041274	0.8702451122068251	0.9184541400524824	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	t	\N	\N	E	{"unit": "session", "cache": {"cheap_open": "session: cache reads hit where the arm served the session before within five minutes, else the prompt is written anew, where the arm differs from the recorded model"}, "tokens": {"loop, *": "factor 1, logarithm within 0.73 (C: SWE-bench bash-only, 14 models on 500 issues each, 2025-12: cost per issue over the price of a fixed profile)", "input, *": "factor 1, logarithm within 0.12 (E: assumption: tokenizers of current models differ by some 10 % on the same text)", "output, *": "factor 1, logarithm within 1.2 (C: Artificial Analysis, 353 models, 2026-05: output tokens that each wrote for the same index)"}, "context": "every request fits into the context window of deepseek-chat, which is not known", "quality": "not projected: aider_polyglot@pass_rate_2#0 has no score for qwen3-235b-a22b; names not resolved there: 1, add them to aliases in models.yaml", "retries": "factor 1 (E: assumption: models need to be asked again alike, within some 5 %)", "requests": 13553, "assignment": "strong_closed gets what the router ranks hardest, the others the rest at random", "difficulty": "hard requests take 1.65 times the tokens of others, logarithm within 0.4 (C: SWE-bench bash-only, 182 pairs of models on 500 issues, 2025-12: what one model fails costs the other 1.6 times as much (1.2 to 2.4); widened to other tasks, where 3 times is seen)", "service_tier": "standard tier, no region surcharge, where the arm differs from the recorded model", "requests_moved": {"strong_closed: prompts over 200,000 tokens": 0.4, "specialised_open: prompts over 131,072 tokens": 0.4}, "router_fee_usd": "0", "requests_left_out": {"unpriced": 49, "not_billable": 398}}	\N
2026-02-15	hybrid_90_8_2	strong_closed	anthropic	claude-sonnet-4-5	0.079970486239209031	1083.84	actual	11.644257099704715026	25.027179209328229582	-13.382922109623514556	-1.1493152371191537	\N	-12.190649837407769	-3.8630542840011595	-1.1654879067475927	-0.30749308384408175	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	t	\N	\N	E	{"unit": "session", "cache": {"strong_closed": "session: cache reads hit where the arm served the session before within five minutes, else the prompt is written anew, where the arm differs from the recorded model"}, "tokens": {"loop, *": "factor 1, logarithm within 0.73 (C: SWE-bench bash-only, 14 models on 500 issues each, 2025-12: cost per issue over the price of a fixed profile)", "input, *": "factor 1, logarithm within 0.12 (E: assumption: tokenizers of current models differ by some 10 % on the same text)", "output, *": "factor 1, logarithm within 1.2 (C: Artificial Analysis, 353 models, 2026-05: output tokens that each wrote for the same index)"}, "context": "every request fits into the context window of deepseek-chat, which is not known", "quality": "not projected: aider_polyglot@pass_rate_2#0 has no score for qwen3-235b-a22b; names not resolved there: 1, add them to aliases in models.yaml", "retries": "factor 1 (E: assumption: models need to be asked again alike, within some 5 %)", "requests": 13553, "assignment": "strong_closed gets what the router ranks hardest, the others the rest at random", "difficulty": "hard requests take 1.65 times the tokens of others, logarithm within 0.4 (C: SWE-bench bash-only, 182 pairs of models on 500 issues, 2025-12: what one model fails costs the other 1.6 times as much (1.2 to 2.4); widened to other tasks, where 3 times is seen)", "service_tier": "standard tier, no region surcharge, where the arm differs from the recorded model", "requests_moved": {"strong_closed: prompts over 200,000 tokens": 0.4, "specialised_open: prompts over 131,072 tokens": 0.4}, "router_fee_usd": "0", "requests_left_out": {"unpriced": 49, "not_billable": 398}}	\N
2026-02-15	hybrid_90_8_2	specialised_open	groq	qwen3-32b	0.019970486239209031	270.66	actual	1.671206826055864896	0.309279328482066516	1.361927497573798380	0.814936533491799	\N	-0.22450616764817913	0.5901651842962077	0.8203981731985126	0.8953826858160484	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	t	\N	\N	E	{"unit": "session", "cache": {"specialised_open": "session: cache reads hit where the arm served the session before within five minutes, else the prompt is written anew, where the arm differs from the recorded model"}, "tokens": {"loop, *": "factor 1, logarithm within 0.73 (C: SWE-bench bash-only, 14 models on 500 issues each, 2025-12: cost per issue over the price of a fixed profile)", "input, *": "factor 1, logarithm within 0.12 (E: assumption: tokenizers of current models differ by some 10 % on the same text)", "output, *": "factor 1, logarithm within 1.2 (C: Artificial Analysis, 353 models, 2026-05: output tokens that each wrote for the same index)"}, "context": "every request fits into the context window of deepseek-chat, which is not known", "quality": "not projected: aider_polyglot@pass_rate_2#0 has no score for qwen3-235b-a22b; names not resolved there: 1, add them to aliases in models.yaml", "retries": "factor 1 (E: assumption: models need to be asked again alike, within some 5 %)", "requests": 13553, "assignment": "strong_closed gets what the router ranks hardest, the others the rest at random", "difficulty": "hard requests take 1.65 times the tokens of others, logarithm within 0.4 (C: SWE-bench bash-only, 182 pairs of models on 500 issues, 2025-12: what one model fails costs the other 1.6 times as much (1.2 to 2.4); widened to other tasks, where 3 times is seen)", "service_tier": "standard tier, no region surcharge, where the arm differs from the recorded model", "requests_moved": {"strong_closed: prompts over 200,000 tokens": 0.4, "specialised_open: prompts over 131,072 tokens": 0.4}, "router_fee_usd": "0", "requests_left_out": {"unpriced": 49, "not_billable": 398}}	\N
\.


--
-- Data for Name: bill_duplicate; Type: TABLE DATA; Schema: raw; Owner: -
--

COPY raw.bill_duplicate (snapshot_id, line_no, item_no, cost_uid, kept_snapshot_id, kept_line_no, kept_item_no, rule) FROM stdin;
08fe10fb-da25-bda4-09bc-0876c8cfda0b	1	0	f0cc00e9-f14f-5e0d-5c67-6e809388c50e	53c7f293-e615-2735-da08-921c0c295eda	1	8	same_record
08fe10fb-da25-bda4-09bc-0876c8cfda0b	1	1	3e199976-341a-9264-2305-103a580be7ff	53c7f293-e615-2735-da08-921c0c295eda	1	9	same_record
08fe10fb-da25-bda4-09bc-0876c8cfda0b	1	2	6025d018-5e34-bba2-b4c7-179d5e880d01	53c7f293-e615-2735-da08-921c0c295eda	1	10	same_record
\.


--
-- Data for Name: duplicate; Type: TABLE DATA; Schema: raw; Owner: -
--

COPY raw.duplicate (event_date, snapshot_id, line_no, item_no, request_uid, kept_snapshot_id, kept_line_no, kept_item_no, rule) FROM stdin;
2026-02-15	50747257-d9ed-1319-2a3b-912d76c78d28	164	0	064a11ad-3a56-5f6f-61bf-e68fa1561fdd	50747257-d9ed-1319-2a3b-912d76c78d28	158	0	same_record
2026-02-15	50747257-d9ed-1319-2a3b-912d76c78d28	203	0	30926324-8443-d3ca-2d9e-2f7c3c2fc3c3	50747257-d9ed-1319-2a3b-912d76c78d28	202	0	same_record
2026-02-15	50747257-d9ed-1319-2a3b-912d76c78d28	226	0	a3671394-d96b-43f1-66ed-6ab29702319d	50747257-d9ed-1319-2a3b-912d76c78d28	224	0	same_record
\.


--
-- Data for Name: loaded_file; Type: TABLE DATA; Schema: raw; Owner: -
--

COPY raw.loaded_file (event_date, snapshot_id, requests) FROM stdin;
2026-02-15	3ed4b375-48b7-3cbe-497b-3ea5a4044e41	15
2026-02-15	50747257-d9ed-1319-2a3b-912d76c78d28	2785
2026-02-15	5c7ef62d-d2ff-576e-8bfa-3c43eccdf0f5	1099
\.


--
-- Data for Name: quarantine; Type: TABLE DATA; Schema: raw; Owner: -
--

COPY raw.quarantine (snapshot_id, line_no, item_no, byte_from, byte_to, reason, severity, detail, fields, record_sha256) FROM stdin;
f905a7c4-c30f-befa-7372-d26de61fba12	326	0	365923	366225	not_json	error	Invalid control character at at character 302 of 302	\N	cf91f78f64c6388d6302c00291e33e78d8725d2ec988175a85b4be8c2b23ab1b
f905a7c4-c30f-befa-7372-d26de61fba12	366	0	409999	410301	not_json	error	Invalid control character at at character 302 of 302	\N	6a3370a58956904d2ed99bcdd6e7c67c58c0e976d4438b11e84691a31740bfd8
f905a7c4-c30f-befa-7372-d26de61fba12	258	0	290005	291174	negative_tokens	error	attributes/gen_ai.usage.output_tokens or attributes/gen_ai.usage.completion_tokens or gen_ai.usage.output_tokens ...: found -7, 0 or more is accepted	{"spanId": "e3ea1530bf0b8cff", "traceId": "c64b0e02e3ea1530bf0b8cff79198801", "scope/name": "opentelemetry.instrumentation.genai", "parentSpanId": "", "scope/version": "1.0.0", "endTimeUnixNano": "1771138275317059000", "startTimeUnixNano": "1771138274661059000", "attributes/enduser.id": "engineering-user-51", "resource/attributes/team": "engineering", "attributes/gen_ai.response.id": "resp_c64b0e02e3ea1530bf0b8cff79198801", "attributes/gen_ai.provider.name": "groq", "attributes/gen_ai.request.model": "moonshotai/kimi-k2-instruct-0905", "attributes/gen_ai.operation.name": "chat", "attributes/gen_ai.response.model": "moonshotai/kimi-k2-instruct-0905", "resource/attributes/service.name": "ide-assistant", "attributes/gen_ai.conversation.id": "engineering-20260215-0", "attributes/gen_ai.usage.input_tokens": "264", "attributes/gen_ai.usage.output_tokens": "-7", "attributes/gen_ai.response.time_to_first_chunk": "0.422", "attributes/gen_ai.usage.cache_read.input_tokens": "0", "attributes/gen_ai.usage.reasoning.output_tokens": "0", "resource/attributes/deployment.environment.name": "production", "attributes/gen_ai.usage.cache_write.input_tokens": "0"}	a49ede8dd0e24bf118e2672f68a73539ef51b410ac404a7faedad7bf985b835c
\.


--
-- Data for Name: snapshot; Type: TABLE DATA; Schema: raw; Owner: -
--

COPY raw.snapshot (snapshot_id, kind, source, format, landing_path, sha256, size_bytes, observed_at, url, http_status, etag, parser_version, lines, valid, quarantined, event_dates) FROM stdin;
74447900-d94d-2929-775b-e53b2285a6df	bills	anthropic_bill	anthropic_cost_api	requests/anthropic_bill/2026-02-15/cost_report_20260215T235500Z.json	b156a313c1859a1f814f4bf3fb4b59efcd9fa812b7374eeed7aefde453ac9534	3138	2026-02-15 23:55:00+00	\N	\N	\N	5.3	8	8	0	{2026-02-15}
754e9feb-0a39-61cf-3fae-1da16108a4d9	bills	anthropic_bill	anthropic_cost_api	requests/anthropic_bill/2026-02-16/cost_report_20260216T235500Z.json	7da04872bc48f8e02b64c61cfce72b2f3476b571f907427b3196e3a96a2284b3	6220	2026-02-16 23:55:00+00	\N	\N	\N	5.3	16	16	0	{2026-02-15,2026-02-16}
170897ba-d7c8-4ece-235e-d7b2586ca561	bills	anthropic_bill	anthropic_cost_api	requests/anthropic_bill/2026-02-17/cost_report_20260217T235500Z.json	9c434f38a8e8dd5682ef0d56a35654a88ae72901e60a52460c30bd7d47ae7c11	6219	2026-02-17 23:55:00+00	\N	\N	\N	5.3	16	16	0	{2026-02-16,2026-02-17}
\.


--
-- Name: alembic_version alembic_version_pkc; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);


--
-- Name: benchmark benchmark_pkey; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.benchmark
    ADD CONSTRAINT benchmark_pkey PRIMARY KEY (benchmark_id);


--
-- Name: benchmark_score benchmark_score_one_at_a_time; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.benchmark_score
    ADD CONSTRAINT benchmark_score_one_at_a_time EXCLUDE USING gist (core.uuidrange((md5(((((board || ''::text) || source_row_key) || ''::text) || benchmark_version_id)))::uuid, (md5(((((board || ''::text) || source_row_key) || ''::text) || benchmark_version_id)))::uuid, '[]'::text) WITH &&, daterange(as_of, as_of, '[]'::text) WITH &&, tstzrange(observed_at, superseded_at) WITH &&);


--
-- Name: benchmark_score benchmark_score_pkey; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.benchmark_score
    ADD CONSTRAINT benchmark_score_pkey PRIMARY KEY (score_id);


--
-- Name: benchmark_version benchmark_version_pkey; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.benchmark_version
    ADD CONSTRAINT benchmark_version_pkey PRIMARY KEY (benchmark_version_id);


--
-- Name: fx_rate fx_rate_pkey; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.fx_rate
    ADD CONSTRAINT fx_rate_pkey PRIMARY KEY (fx_rate_id);


--
-- Name: model_alias model_alias_pkey; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.model_alias
    ADD CONSTRAINT model_alias_pkey PRIMARY KEY (provider_id, raw_name);


--
-- Name: model model_pkey; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.model
    ADD CONSTRAINT model_pkey PRIMARY KEY (model_id);


--
-- Name: price price_one_at_a_time; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.price
    ADD CONSTRAINT price_one_at_a_time EXCLUDE USING gist (core.uuidrange(sku_id, sku_id, '[]'::text) WITH &&, tstzrange(valid_from, valid_to) WITH &&, tstzrange(recorded_at, superseded_at) WITH &&);


--
-- Name: price price_pkey; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.price
    ADD CONSTRAINT price_pkey PRIMARY KEY (price_id);


--
-- Name: rate_card rate_card_pkey; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.rate_card
    ADD CONSTRAINT rate_card_pkey PRIMARY KEY (rate_id);


--
-- Name: reported_cost reported_cost_pkey; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.reported_cost
    ADD CONSTRAINT reported_cost_pkey PRIMARY KEY (cost_uid, observed_at);


--
-- Name: request request_pkey; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.request
    ADD CONSTRAINT request_pkey PRIMARY KEY (request_uid, event_date);


--
-- Name: request_20260228 request_20260228_pkey; Type: CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.request_20260228
    ADD CONSTRAINT request_20260228_pkey PRIMARY KEY (request_uid, event_date);


--
-- Name: benchmark_drift benchmark_drift_pkey; Type: CONSTRAINT; Schema: mart; Owner: -
--

ALTER TABLE ONLY mart.benchmark_drift
    ADD CONSTRAINT benchmark_drift_pkey PRIMARY KEY (event_id);


--
-- Name: benchmark_gap benchmark_gap_pkey; Type: CONSTRAINT; Schema: mart; Owner: -
--

ALTER TABLE ONLY mart.benchmark_gap
    ADD CONSTRAINT benchmark_gap_pkey PRIMARY KEY (board, benchmark_version_id, event_date);


--
-- Name: cost_restatement cost_restatement_pkey; Type: CONSTRAINT; Schema: mart; Owner: -
--

ALTER TABLE ONLY mart.cost_restatement
    ADD CONSTRAINT cost_restatement_pkey PRIMARY KEY (line_id);


--
-- Name: price_change price_change_pkey; Type: CONSTRAINT; Schema: mart; Owner: -
--

ALTER TABLE ONLY mart.price_change
    ADD CONSTRAINT price_change_pkey PRIMARY KEY (change_id);


--
-- Name: price_conflict price_conflict_pkey; Type: CONSTRAINT; Schema: mart; Owner: -
--

ALTER TABLE ONLY mart.price_conflict
    ADD CONSTRAINT price_conflict_pkey PRIMARY KEY (provider_id, model_id, meter, service_tier, region, context_from_tokens, context_bound, context_scope, context_counts, time_window, contract_id, reasoning_mode);


--
-- Name: request_drift request_drift_pkey; Type: CONSTRAINT; Schema: mart; Owner: -
--

ALTER TABLE ONLY mart.request_drift
    ADD CONSTRAINT request_drift_pkey PRIMARY KEY (event_date, provider_id, model_id, use_case, metric);


--
-- Name: request_profile request_profile_pkey; Type: CONSTRAINT; Schema: mart; Owner: -
--

ALTER TABLE ONLY mart.request_profile
    ADD CONSTRAINT request_profile_pkey PRIMARY KEY (event_date, provider_id, model_id, use_case, stratum, metric);


--
-- Name: routing_frontier routing_frontier_pkey; Type: CONSTRAINT; Schema: mart; Owner: -
--

ALTER TABLE ONLY mart.routing_frontier
    ADD CONSTRAINT routing_frontier_pkey PRIMARY KEY (event_date, point);


--
-- Name: routing_projection routing_projection_pkey; Type: CONSTRAINT; Schema: mart; Owner: -
--

ALTER TABLE ONLY mart.routing_projection
    ADD CONSTRAINT routing_projection_pkey PRIMARY KEY (event_date, policy, baseline, arm);


--
-- Name: bill_duplicate bill_duplicate_pkey; Type: CONSTRAINT; Schema: raw; Owner: -
--

ALTER TABLE ONLY raw.bill_duplicate
    ADD CONSTRAINT bill_duplicate_pkey PRIMARY KEY (snapshot_id, line_no, item_no);


--
-- Name: duplicate duplicate_pkey; Type: CONSTRAINT; Schema: raw; Owner: -
--

ALTER TABLE ONLY raw.duplicate
    ADD CONSTRAINT duplicate_pkey PRIMARY KEY (snapshot_id, line_no, item_no);


--
-- Name: loaded_file loaded_file_pkey; Type: CONSTRAINT; Schema: raw; Owner: -
--

ALTER TABLE ONLY raw.loaded_file
    ADD CONSTRAINT loaded_file_pkey PRIMARY KEY (event_date, snapshot_id);


--
-- Name: quarantine quarantine_pkey; Type: CONSTRAINT; Schema: raw; Owner: -
--

ALTER TABLE ONLY raw.quarantine
    ADD CONSTRAINT quarantine_pkey PRIMARY KEY (snapshot_id, line_no, item_no);


--
-- Name: snapshot snapshot_pkey; Type: CONSTRAINT; Schema: raw; Owner: -
--

ALTER TABLE ONLY raw.snapshot
    ADD CONSTRAINT snapshot_pkey PRIMARY KEY (snapshot_id);


--
-- Name: price_model; Type: INDEX; Schema: core; Owner: -
--

CREATE INDEX price_model ON core.price USING btree (model_id, provider_id);


--
-- Name: reported_cost_event_date; Type: INDEX; Schema: core; Owner: -
--

CREATE INDEX reported_cost_event_date ON core.reported_cost USING btree (event_date, provider_id);


--
-- Name: request_event_at_brin; Type: INDEX; Schema: core; Owner: -
--

CREATE INDEX request_event_at_brin ON ONLY core.request USING brin (event_at);


--
-- Name: request_20260228_event_at_idx; Type: INDEX; Schema: core; Owner: -
--

CREATE INDEX request_20260228_event_at_idx ON core.request_20260228 USING brin (event_at);


--
-- Name: duplicate_event_date; Type: INDEX; Schema: raw; Owner: -
--

CREATE INDEX duplicate_event_date ON raw.duplicate USING btree (event_date);


--
-- Name: request_20260228_event_at_idx; Type: INDEX ATTACH; Schema: core; Owner: -
--

ALTER INDEX core.request_event_at_brin ATTACH PARTITION core.request_20260228_event_at_idx;


--
-- Name: request_20260228_pkey; Type: INDEX ATTACH; Schema: core; Owner: -
--

ALTER INDEX core.request_pkey ATTACH PARTITION core.request_20260228_pkey;


--
-- Name: benchmark_score benchmark_score_version; Type: FK CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.benchmark_score
    ADD CONSTRAINT benchmark_score_version FOREIGN KEY (benchmark_version_id) REFERENCES core.benchmark_version(benchmark_version_id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: benchmark_version benchmark_version_benchmark; Type: FK CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.benchmark_version
    ADD CONSTRAINT benchmark_version_benchmark FOREIGN KEY (benchmark_id) REFERENCES core.benchmark(benchmark_id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: model_alias model_alias_model; Type: FK CONSTRAINT; Schema: core; Owner: -
--

ALTER TABLE ONLY core.model_alias
    ADD CONSTRAINT model_alias_model FOREIGN KEY (model_id) REFERENCES core.model(model_id) DEFERRABLE INITIALLY DEFERRED;


--
-- PostgreSQL database dump complete
--


