do $$ begin if to_regnamespace('raw') is null then create schema raw; end if; end $$;
comment on schema raw is 'What arrived, file by file, and what could not become a row.';

do $$ begin if to_regnamespace('core') is null then create schema core; end if; end $$;
comment on schema core is 'The facts: models, prices, rates, requests and benchmark scores.';

do $$ begin if to_regnamespace('mart') is null then create schema mart; end if; end $$;
comment on schema mart is 'What finance, engineers and analysts read, one question per table.';

create type core.uuidrange as range (subtype = uuid);

create table raw.snapshot (
    snapshot_id uuid not null,
    kind text not null,
    source text not null,
    format text not null,
    landing_path text not null,
    sha256 text not null,
    size_bytes bigint not null,
    observed_at timestamptz not null,
    url text,
    http_status integer,
    etag text,
    parser_version text not null,
    lines bigint not null,
    valid bigint not null,
    quarantined bigint not null,
    event_dates date[] not null,
    constraint snapshot_pkey primary key (snapshot_id),
    constraint snapshot_kind check (kind in ('requests', 'prices', 'leaderboards')),
    constraint snapshot_counts check (lines = valid + quarantined and least(size_bytes, valid, quarantined) >= 0)
);
comment on table raw.snapshot is 'Every file of the landing zone that was read: its exact identity, where it came from and what became of its lines. Grain: one row per landed file (path and content).';
comment on column raw.snapshot.snapshot_id is 'First 128 bits of sha256(kind/source/landing path NUL content sha256): same file, same id, on every machine.';
comment on column raw.snapshot.kind is 'What the file feeds: requests, prices or leaderboards.';
comment on column raw.snapshot.source is 'Name of the request source, price feed or board: its folder in the landing zone.';
comment on column raw.snapshot.format is 'Format that the file was parsed as, as named in sources.yaml.';
comment on column raw.snapshot.landing_path is 'Path inside the landing zone, with forward slashes.';
comment on column raw.snapshot.sha256 is 'SHA-256 of the exact bytes, hexadecimal.';
comment on column raw.snapshot.size_bytes is 'Size of the file as it lies in the landing zone. Unit: bytes.';
comment on column raw.snapshot.observed_at is 'When the content was observed: fetched_at of the sidecar, else the instant in the file name, else midnight UTC of the arrival date.';
comment on column raw.snapshot.url is 'Where it was fetched from; null for files that a person or another system put there.';
comment on column raw.snapshot.http_status is 'HTTP status of the fetch.';
comment on column raw.snapshot.etag is 'Entity tag of the fetched answer.';
comment on column raw.snapshot.parser_version is 'Version of the parser that read the file.';
comment on column raw.snapshot.lines is 'Records in the file: lines, or the items of a container such as a JSON array. Unit: lines.';
comment on column raw.snapshot.valid is 'Records that became valid rows before removal of duplicates. Unit: lines.';
comment on column raw.snapshot.quarantined is 'Records set aside in raw.quarantine. Unit: lines.';
comment on column raw.snapshot.event_dates is 'UTC days on which the file''s valid rows fall; empty for prices and leaderboards.';

create table raw.quarantine (
    snapshot_id uuid not null,
    line_no bigint not null,
    item_no integer not null,
    byte_from bigint,
    byte_to bigint,
    reason text not null,
    severity text not null,
    detail text not null,
    fields jsonb,
    record_sha256 text not null,
    constraint quarantine_pkey primary key (snapshot_id, line_no, item_no),
    constraint quarantine_severity check (severity in ('error', 'info'))
);
comment on table raw.quarantine is 'Records that could not become a row, with the reason and their place in the file. Never holds prompt or answer text. Grain: one row per record set aside.';
comment on column raw.quarantine.snapshot_id is 'File that holds the record (raw.snapshot).';
comment on column raw.quarantine.line_no is 'Line in the decompressed file, from 1; for a container, the line where the item starts, or 1. Unit: lines.';
comment on column raw.quarantine.item_no is 'Item inside the line or container, from 0.';
comment on column raw.quarantine.byte_from is 'First byte of the record in the decompressed file; null where the format has no byte position (Parquet). Unit: bytes.';
comment on column raw.quarantine.byte_to is 'Byte after the record''s last. Unit: bytes.';
comment on column raw.quarantine.reason is 'Machine-readable reason, for example not_json, missing_field, negative_tokens, identity_broken, event_after_arrival, no_usage.';
comment on column raw.quarantine.severity is 'error: data that should have loaded; info: a record that is no request (a header, a chat line).';
comment on column raw.quarantine.detail is 'The reason in words: which field, what was found, what is accepted.';
comment on column raw.quarantine.fields is 'The parsed fields that are safe to keep (never prompt or answer text); null where the record can''t be decoded.';
comment on column raw.quarantine.record_sha256 is 'SHA-256 of the record''s bytes, hexadecimal.';

create table raw.duplicate (
    event_date date not null,
    snapshot_id uuid not null,
    line_no bigint not null,
    item_no integer not null,
    request_uid uuid not null,
    kept_snapshot_id uuid not null,
    kept_line_no bigint not null,
    kept_item_no integer not null,
    rule text not null,
    constraint duplicate_pkey primary key (snapshot_id, line_no, item_no)
);
create index duplicate_event_date on raw.duplicate (event_date);
comment on table raw.duplicate is 'Valid records that were dropped because another record of the same request was kept, and which one. Grain: one row per dropped record.';
comment on column raw.duplicate.event_date is 'UTC day of the kept record: the partition that this row is replaced with.';
comment on column raw.duplicate.snapshot_id is 'File of the dropped record.';
comment on column raw.duplicate.line_no is 'Line of the dropped record. Unit: lines.';
comment on column raw.duplicate.item_no is 'Item of the dropped record inside its line.';
comment on column raw.duplicate.request_uid is 'Request that was kept (core.request).';
comment on column raw.duplicate.kept_snapshot_id is 'File of the kept record.';
comment on column raw.duplicate.kept_line_no is 'Line of the kept record. Unit: lines.';
comment on column raw.duplicate.kept_item_no is 'Item of the kept record inside its line.';
comment on column raw.duplicate.rule is 'Why the other was kept: same_record, later_update, stream_delta, counter_replay.';

create table core.model (
    model_id text not null,
    developer text,
    family text,
    display_name text not null,
    openness text not null,
    license text,
    total_params_b double precision,
    active_params_b double precision,
    context_tokens bigint,
    released_date date,
    decided_by text not null,
    constraint model_pkey primary key (model_id),
    constraint model_openness_accepted check (openness in ('open_source', 'open_weight', 'closed', 'unknown'))
);
comment on table core.model is 'Every model that a price, a request or a score refers to, under one canonical id. Grain: one row per model.';
comment on column core.model.model_id is 'Canonical id: lower case, without provider or region prefix, for example claude-sonnet-4-5.';
comment on column core.model.developer is 'Who trained the model (FOCUS 1.5 ModelDeveloper), for example anthropic.';
comment on column core.model.family is 'Model family (FOCUS 1.5 ModelFamily), for example claude.';
comment on column core.model.display_name is 'Name for people.';
comment on column core.model.openness is 'open_source, open_weight, closed or unknown.';
comment on column core.model.license is 'Licence of the weights, where known.';
comment on column core.model.total_params_b is 'Parameters in total. Unit: billion.';
comment on column core.model.active_params_b is 'Parameters active per token. Unit: billion.';
comment on column core.model.context_tokens is 'Context window. Unit: tokens.';
comment on column core.model.released_date is 'Day of release.';
comment on column core.model.decided_by is 'Where the row comes from: models.yaml or the feed that first named the model.';

create table core.model_alias (
    provider_id text not null,
    raw_name text not null,
    model_id text,
    method text not null,
    confidence double precision not null,
    decided_by text not null,
    constraint model_alias_pkey primary key (provider_id, raw_name),
    constraint model_alias_model foreign key (model_id) references core.model deferrable initially deferred
);
comment on table core.model_alias is 'Raw model names as sources write them, and the canonical model each was resolved to, with method and confidence. Grain: one row per raw name and provider.';
comment on column core.model_alias.provider_id is 'Provider or board that uses the name; empty where the name is used by any.';
comment on column core.model_alias.raw_name is 'Name as found, lower case.';
comment on column core.model_alias.model_id is 'Canonical model; null while unresolved.';
comment on column core.model_alias.method is 'exact, alias, feed_alias, provider_prefix, region_prefix, date_suffix, variant_suffix, fine_tune, deployment, or unresolved.';
comment on column core.model_alias.confidence is '1 for an exact or declared alias, less where a suffix or prefix was dropped, 0 when unresolved. Unit: share.';
comment on column core.model_alias.decided_by is 'models.yaml, a feed, or the rule that resolved it.';

create table core.price (
    price_id uuid not null,
    sku_id uuid not null,
    feed text not null,
    provider_id text not null,
    model_id text not null,
    raw_model text not null,
    meter text not null,
    unit text not null,
    service_tier text not null,
    region text not null,
    context_from_tokens bigint not null,
    context_bound text not null,
    context_scope text not null,
    time_window text not null,
    contract_id text not null,
    unit_price numeric(38,18) not null,
    pricing_currency text not null,
    pricing_quantity bigint not null,
    usd_per_million numeric(38,12),
    valid_from timestamptz not null,
    valid_to timestamptz,
    date_basis text not null,
    recorded_at timestamptz not null,
    superseded_at timestamptz,
    supersede_reason text,
    snapshot_id uuid not null,
    source_locator text not null,
    extracted_text text not null,
    parser_version text not null,
    constraint price_pkey primary key (price_id),
    constraint price_unit_accepted check (unit in ('token', 'request', 'search', 'page', 'second', 'image', 'pixel', 'character', 'session')),
    constraint price_service_tier_accepted check (service_tier in ('standard', 'batch', 'flex', 'priority', 'fast')),
    constraint price_context_bound_accepted check (context_bound in ('gt', 'gte')),
    constraint price_context_scope_accepted check (context_scope in ('whole_request', 'marginal')),
    constraint price_date_basis_accepted check (date_basis in ('documented', 'announced', 'first_observed', 'unknown')),
    constraint price_supersede_reason_accepted check (supersede_reason in ('changed', 'corrected', 'retracted', 'source_removed')),
    constraint price_valid_period check (valid_to > valid_from),
    constraint price_belief_period check (superseded_at > recorded_at),
    constraint price_quantity check (pricing_quantity > 0 and context_from_tokens >= 0),
    constraint price_one_at_a_time exclude using gist (core.uuidrange(sku_id, sku_id, '[]') with &&, tstzrange(valid_from, valid_to) with &&, tstzrange(recorded_at, superseded_at) with &&)
);
create index price_model on core.price (model_id, provider_id);
comment on table core.price is 'The price ledger: what each feed said about the price of one meter under one set of conditions, when it held and when we believed it. Grain: one row per feed, provider, model, meter and conditions, per period of validity and of belief.';
comment on column core.price.price_id is 'Hash of every other identifying column: same evidence, same id.';
comment on column core.price.sku_id is 'Hash of feed, provider, model, meter and conditions: the thing that has one price at a time (FOCUS SkuPriceId without its period).';
comment on column core.price.feed is 'Price feed that said so, as named in sources.yaml.';
comment on column core.price.provider_id is 'Who sells the call (FOCUS ServiceProviderName), for example openai, azure, openrouter.';
comment on column core.price.model_id is 'Canonical model (core.model).';
comment on column core.price.raw_model is 'Model name as the feed writes it.';
comment on column core.price.meter is 'What is counted: a token meter such as input_cache_read, or a fee meter such as web_search.';
comment on column core.price.unit is 'Unit of the meter: token, request, search, page, second, image, pixel, character or session.';
comment on column core.price.service_tier is 'standard, batch, flex, priority or fast.';
comment on column core.price.region is 'Region or data residency the price is bound to; empty where it holds everywhere.';
comment on column core.price.context_from_tokens is 'Prompt size from which the price applies; 0 for the base price. Unit: tokens.';
comment on column core.price.context_bound is 'gt: applies above context_from_tokens; gte: from it on.';
comment on column core.price.context_scope is 'whole_request: the rate applies to all tokens once the bound is passed; marginal: to those above it.';
comment on column core.price.time_window is 'Daily window UTC as HH:MM-HH:MM; empty where the price holds all day.';
comment on column core.price.contract_id is 'Contract that grants the price; empty for list prices.';
comment on column core.price.unit_price is 'Price as found, in pricing_currency per pricing_quantity units.';
comment on column core.price.pricing_currency is 'ISO 4217 code of the price as found.';
comment on column core.price.pricing_quantity is 'How many units the price as found is for: 1, 1000 or 1000000; 60 or 3600 of seconds. Unit: units.';
comment on column core.price.usd_per_million is 'The same price per million units in USD, rounded to 12 decimals at ingest; for token meters: USD per million tokens. Null for another currency: core.rate_card converts it at the rate of each day (core.fx_rate). Unit: USD per million units.';
comment on column core.price.valid_from is 'Instant from which the price held; -infinity is written as 0001-01-01.';
comment on column core.price.valid_to is 'Instant at which it stopped to hold; null while open.';
comment on column core.price.date_basis is 'How valid_from is known: documented, announced, first_observed or unknown.';
comment on column core.price.recorded_at is 'When we first believed this row: observed_at of the snapshot that said so.';
comment on column core.price.superseded_at is 'When a later snapshot made us believe otherwise; null while believed.';
comment on column core.price.supersede_reason is 'changed, corrected, retracted or source_removed.';
comment on column core.price.snapshot_id is 'Evidence: the file that said so first (raw.snapshot).';
comment on column core.price.source_locator is 'Place in the file: a JSON pointer, or table and row.';
comment on column core.price.extracted_text is 'The price as it stands in the file.';
comment on column core.price.parser_version is 'Version of the parser that read it.';

create table core.rate_card (
    rate_id uuid not null,
    provider_id text not null,
    model_id text not null,
    service_tier text not null,
    region text not null,
    time_window text not null,
    contract_id text not null,
    context_from_tokens bigint not null,
    context_to_tokens bigint,
    valid_from timestamptz not null,
    valid_to timestamptz,
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
    price_ids jsonb not null,
    fallbacks jsonb not null,
    exchange_rates jsonb not null,
    constraint rate_card_pkey primary key (rate_id),
    constraint rate_card_service_tier_accepted check (service_tier in ('standard', 'batch', 'flex', 'priority', 'fast')),
    constraint rate_card_period check (valid_to > valid_from),
    constraint rate_card_context check (context_from_tokens >= 0 and context_to_tokens > context_from_tokens)
);
comment on table core.rate_card is 'Wide price list derived from core.price by precedence: the rates that apply together to one request. Grain: one row per provider, model, service tier, region, daily window, contract, context tier and period.';
comment on column core.rate_card.rate_id is 'Hash of conditions, start and rates, so that it stays when the period ends: the id that core.request.rate_id names.';
comment on column core.rate_card.provider_id is 'Who sells the call.';
comment on column core.rate_card.model_id is 'Canonical model.';
comment on column core.rate_card.service_tier is 'standard, batch, flex, priority or fast.';
comment on column core.rate_card.region is 'Region; empty where the rates hold everywhere.';
comment on column core.rate_card.time_window is 'Daily window UTC as HH:MM-HH:MM; empty for all day.';
comment on column core.rate_card.contract_id is 'Contract that grants at least one of the rates; empty for list prices.';
comment on column core.rate_card.context_from_tokens is 'Smallest prompt, in tokens and inclusive, to which the row applies. Unit: tokens.';
comment on column core.rate_card.context_to_tokens is 'Prompt size, exclusive, at which the row stops to apply; null for no bound. Unit: tokens.';
comment on column core.rate_card.valid_from is 'Start of validity, inclusive.';
comment on column core.rate_card.valid_to is 'End of validity, exclusive; null while open.';
comment on column core.rate_card.input_uncached_usd_per_mtok is 'Rate for text input that neither read nor wrote a cache. Unit: USD per million tokens.';
comment on column core.rate_card.input_cache_read_usd_per_mtok is 'Rate for input served from a prompt cache. Unit: USD per million tokens.';
comment on column core.rate_card.input_cache_write_usd_per_mtok is 'Rate for input written to a cache whose time to live the source does not state. Unit: USD per million tokens.';
comment on column core.rate_card.input_cache_write_5m_usd_per_mtok is 'Rate for input written to a 5-minute cache. Unit: USD per million tokens.';
comment on column core.rate_card.input_cache_write_30m_usd_per_mtok is 'Rate for input written to a 30-minute cache. Unit: USD per million tokens.';
comment on column core.rate_card.input_cache_write_1h_usd_per_mtok is 'Rate for input written to a 1-hour cache. Unit: USD per million tokens.';
comment on column core.rate_card.input_cache_write_12h_usd_per_mtok is 'Rate for input written to a 12-hour cache. Unit: USD per million tokens.';
comment on column core.rate_card.input_audio_usd_per_mtok is 'Rate for audio input outside a cache. Unit: USD per million tokens.';
comment on column core.rate_card.input_audio_cache_read_usd_per_mtok is 'Rate for audio input served from a cache. Unit: USD per million tokens.';
comment on column core.rate_card.input_image_usd_per_mtok is 'Rate for image input outside a cache. Unit: USD per million tokens.';
comment on column core.rate_card.input_image_cache_read_usd_per_mtok is 'Rate for image input served from a cache. Unit: USD per million tokens.';
comment on column core.rate_card.input_video_usd_per_mtok is 'Rate for video input outside a cache. Unit: USD per million tokens.';
comment on column core.rate_card.input_tool_usd_per_mtok is 'Rate for input that the provider''s own tools put into the prompt. Unit: USD per million tokens.';
comment on column core.rate_card.output_text_usd_per_mtok is 'Rate for visible text output, rejected prediction tokens included. Unit: USD per million tokens.';
comment on column core.rate_card.output_reasoning_usd_per_mtok is 'Rate for reasoning output, billed and not shown. Unit: USD per million tokens.';
comment on column core.rate_card.output_audio_usd_per_mtok is 'Rate for audio output. Unit: USD per million tokens.';
comment on column core.rate_card.output_image_usd_per_mtok is 'Rate for image output. Unit: USD per million tokens.';
comment on column core.rate_card.request_usd_per_million is 'Rate for a fee per call. Unit: USD per million units.';
comment on column core.rate_card.web_search_usd_per_million is 'Rate for web searches that the provider ran for the request. Unit: USD per million units.';
comment on column core.rate_card.price_ids is 'Object of meter to price_id: the ledger rows that the rates come from.';
comment on column core.rate_card.fallbacks is 'Object of meter to the meter whose rate it took because its own is not published; service_tier to standard where no price of the tier is known.';
comment on column core.rate_card.exchange_rates is 'Object of currency to fx_rate_id, for rates converted from prices in other currencies; null instead of an id where no exchange rate is known, and then the row has no rates.';

create table core.fx_rate (
    fx_rate_id uuid not null,
    currency text not null,
    feed text not null,
    precedence integer not null,
    steps text not null,
    usd_per_unit numeric(38,18) not null,
    rate_as_found text not null,
    valid_from timestamptz not null,
    valid_to timestamptz,
    recorded_at timestamptz not null,
    superseded_at timestamptz,
    snapshot_id uuid,
    source_locator text not null,
    constraint fx_rate_pkey primary key (fx_rate_id),
    constraint fx_rate_steps_accepted check (steps in ('day', 'month'))
);
comment on table core.fx_rate is 'What one unit of another currency was worth in USD on a day, as published or as fx.yaml says, and when we believed it. Grain: one row per currency, day and source, per period of belief.';
comment on column core.fx_rate.fx_rate_id is 'Hash of source, currency, start, rate and when it was recorded.';
comment on column core.fx_rate.currency is 'ISO 4217 code.';
comment on column core.fx_rate.feed is 'Feed that published the rate, as named in fx.yaml; fx.yaml itself for a rate stated there.';
comment on column core.fx_rate.precedence is 'Of the rates that hold at an instant the lowest wins: 0 for fx.yaml, then the feeds in its order; of one source the latest.';
comment on column core.fx_rate.steps is 'day: used day by day; month: the rate that holds as a month begins is used for the whole of it.';
comment on column core.fx_rate.usd_per_unit is 'USD for one unit of the currency, rounded half-even to 18 decimals. Unit: USD.';
comment on column core.fx_rate.rate_as_found is 'The figures that it comes from.';
comment on column core.fx_rate.valid_from is 'Start of the UTC day that the rate is for.';
comment on column core.fx_rate.valid_to is 'Instant at which it stops to hold, even where no later one is known; null while open.';
comment on column core.fx_rate.recorded_at is 'observed_at of the first file that said so; -infinity (0001-01-01) for a rate of fx.yaml.';
comment on column core.fx_rate.superseded_at is 'observed_at of the first later file that gives the same day another rate; null while believed.';
comment on column core.fx_rate.snapshot_id is 'Evidence: the file (raw.snapshot); null for a rate of fx.yaml.';
comment on column core.fx_rate.source_locator is 'Place in the file.';

create table core.request (
    event_date date not null,
    request_uid uuid not null,
    event_at timestamptz not null,
    source text not null,
    snapshot_id uuid not null,
    line_no bigint not null,
    item_no integer not null,
    source_request_id text,
    session_id text,
    operation text not null,
    provider_id text,
    request_model text,
    response_model text,
    model_id text,
    resolution_method text not null,
    team text,
    project text,
    environment text,
    application text,
    end_user_id text,
    tags jsonb,
    service_tier text not null,
    region text not null,
    is_stream boolean,
    status text not null,
    http_status integer,
    finish_reason text,
    latency_ms double precision,
    ttft_ms double precision,
    input_uncached_tokens integer not null,
    input_cache_read_tokens integer not null,
    input_cache_write_tokens integer not null,
    input_cache_write_5m_tokens integer not null,
    input_cache_write_30m_tokens integer not null,
    input_cache_write_1h_tokens integer not null,
    input_cache_write_12h_tokens integer not null,
    input_audio_tokens integer not null,
    input_audio_cache_read_tokens integer not null,
    input_image_tokens integer not null,
    input_image_cache_read_tokens integer not null,
    input_video_tokens integer not null,
    input_tool_tokens integer not null,
    output_text_tokens integer not null,
    output_reasoning_tokens integer not null,
    output_audio_tokens integer not null,
    output_image_tokens integer not null,
    web_search_count integer not null,
    token_semantics text not null,
    usage_basis text not null,
    is_billable boolean not null,
    reported_cost_usd numeric(38,18),
    rate_id uuid,
    list_cost_usd numeric(38,18),
    contracted_cost_usd numeric(38,18),
    effective_cost_usd numeric(38,18),
    unpriced_reason text,
    constraint request_pkey primary key (event_date, request_uid),
    constraint request_service_tier_accepted check (service_tier in ('standard', 'batch', 'flex', 'priority', 'fast')),
    constraint request_status_accepted check (status in ('ok', 'error', 'cancelled', 'cache_hit')),
    constraint request_usage_basis_accepted check (usage_basis in ('reported', 'estimated', 'partial', 'missing')),
    constraint request_unpriced_reason_accepted check (unpriced_reason in ('model_unresolved', 'provider_unknown', 'no_price', 'no_price_at_time', 'no_rate_for_meter', 'no_exchange_rate', 'usage_missing')),
    constraint request_event_date check (event_date = (event_at at time zone 'UTC')::date),
    constraint request_counts check (least(input_uncached_tokens, input_cache_read_tokens, input_cache_write_tokens, input_cache_write_5m_tokens, input_cache_write_30m_tokens, input_cache_write_1h_tokens, input_cache_write_12h_tokens, input_audio_tokens, input_audio_cache_read_tokens, input_image_tokens, input_image_cache_read_tokens, input_video_tokens, input_tool_tokens, output_text_tokens, output_reasoning_tokens, output_audio_tokens, output_image_tokens, web_search_count) >= 0),
    constraint request_cost_or_reason check (num_nonnulls(list_cost_usd, contracted_cost_usd, effective_cost_usd) = case when unpriced_reason is null then 3 else 0 end)
) partition by range (event_date);
create index request_event_at_brin on core.request using brin (event_at);
comment on table core.request is 'Request facts: every call to a model, once, in exclusive additive token buckets, with its cost. Grain: one row per request.';
comment on column core.request.event_date is 'UTC day of event_at: the partition.';
comment on column core.request.request_uid is 'Hash of source and the request''s own identity in that source: the same request has the same id in every file.';
comment on column core.request.event_at is 'Instant that decides day and price: start of the call, or completion where the source logs nothing else.';
comment on column core.request.source is 'Request source, as named in sources.yaml.';
comment on column core.request.snapshot_id is 'File the kept record comes from (raw.snapshot).';
comment on column core.request.line_no is 'Line of the kept record. Unit: lines.';
comment on column core.request.item_no is 'Item inside the line.';
comment on column core.request.source_request_id is 'Id that the source or provider gave the request.';
comment on column core.request.session_id is 'Conversation, trace or session the request belongs to.';
comment on column core.request.operation is 'OpenTelemetry gen_ai.operation.name: chat, text_completion, embeddings, image_generation ...';
comment on column core.request.provider_id is 'Who sold the call; null where neither log nor model tells.';
comment on column core.request.request_model is 'Model name as asked for or logged.';
comment on column core.request.response_model is 'Model name as answered, where logged.';
comment on column core.request.model_id is 'Canonical model; null while unresolved.';
comment on column core.request.resolution_method is 'How model_id was found (core.model_alias.method).';
comment on column core.request.team is 'Team that pays; null is unattributed.';
comment on column core.request.project is 'Project.';
comment on column core.request.environment is 'Environment, for example production.';
comment on column core.request.application is 'Application or service.';
comment on column core.request.end_user_id is 'End user, as logged or as a keyed hash.';
comment on column core.request.tags is 'Further attribution as an object of strings; never adds a second cost.';
comment on column core.request.service_tier is 'Tier that served the call: standard, batch, flex, priority or fast.';
comment on column core.request.region is 'Region or inference geography; empty where not logged.';
comment on column core.request.is_stream is 'Whether the answer was streamed.';
comment on column core.request.status is 'ok, error, cancelled or cache_hit (answered by the gateway''s own cache).';
comment on column core.request.http_status is 'HTTP status of the call.';
comment on column core.request.finish_reason is 'Why generation stopped.';
comment on column core.request.latency_ms is 'Duration of the call. Unit: ms.';
comment on column core.request.ttft_ms is 'Time to the first token. Unit: ms.';
comment on column core.request.input_uncached_tokens is 'Tokens: text input that neither read nor wrote a cache. Unit: tokens.';
comment on column core.request.input_cache_read_tokens is 'Tokens: input served from a prompt cache. Unit: tokens.';
comment on column core.request.input_cache_write_tokens is 'Tokens: input written to a cache whose time to live the source does not state. Unit: tokens.';
comment on column core.request.input_cache_write_5m_tokens is 'Tokens: input written to a 5-minute cache. Unit: tokens.';
comment on column core.request.input_cache_write_30m_tokens is 'Tokens: input written to a 30-minute cache. Unit: tokens.';
comment on column core.request.input_cache_write_1h_tokens is 'Tokens: input written to a 1-hour cache. Unit: tokens.';
comment on column core.request.input_cache_write_12h_tokens is 'Tokens: input written to a 12-hour cache. Unit: tokens.';
comment on column core.request.input_audio_tokens is 'Tokens: audio input outside a cache. Unit: tokens.';
comment on column core.request.input_audio_cache_read_tokens is 'Tokens: audio input served from a cache. Unit: tokens.';
comment on column core.request.input_image_tokens is 'Tokens: image input outside a cache. Unit: tokens.';
comment on column core.request.input_image_cache_read_tokens is 'Tokens: image input served from a cache. Unit: tokens.';
comment on column core.request.input_video_tokens is 'Tokens: video input outside a cache. Unit: tokens.';
comment on column core.request.input_tool_tokens is 'Tokens: input that the provider''s own tools put into the prompt. Unit: tokens.';
comment on column core.request.output_text_tokens is 'Tokens: visible text output, rejected prediction tokens included. Unit: tokens.';
comment on column core.request.output_reasoning_tokens is 'Tokens: reasoning output, billed and not shown. Unit: tokens.';
comment on column core.request.output_audio_tokens is 'Tokens: audio output. Unit: tokens.';
comment on column core.request.output_image_tokens is 'Tokens: image output. Unit: tokens.';
comment on column core.request.web_search_count is 'Web searches that the provider ran. Unit: searches.';
comment on column core.request.token_semantics is 'Rule that turned the source''s usage into buckets, for example openai_inclusive.';
comment on column core.request.usage_basis is 'reported, estimated, partial or missing.';
comment on column core.request.is_billable is 'False where the source''s billing rule makes the call free (gateway cache hit, failed call).';
comment on column core.request.reported_cost_usd is 'Cost that the gateway or provider logged; kept for reconciliation, never used as ours. Unit: USD.';
comment on column core.request.rate_id is 'Rate card row that priced the request; null where unpriced or free.';
comment on column core.request.list_cost_usd is 'Cost at list price (FOCUS ListCost); null where it can''t be known. Unit: USD.';
comment on column core.request.contracted_cost_usd is 'Cost at contracted price (FOCUS ContractedCost); list where no contract applies. Unit: USD.';
comment on column core.request.effective_cost_usd is 'Cost after all discounts (FOCUS EffectiveCost). Unit: USD.';
comment on column core.request.unpriced_reason is 'Why cost is null: model_unresolved, provider_unknown, no_price, no_price_at_time, no_rate_for_meter, no_exchange_rate, usage_missing.';

create table core.benchmark (
    benchmark_id text not null,
    display_name text not null,
    metric_kind text not null,
    unit text not null,
    lower_is_better boolean not null,
    min_score double precision,
    max_score double precision,
    constraint benchmark_pkey primary key (benchmark_id)
);
comment on table core.benchmark is 'What is measured: one benchmark, its metric, unit and direction. Grain: one row per benchmark.';
comment on column core.benchmark.benchmark_id is 'Canonical id, for example lmarena_text or aider_polyglot.';
comment on column core.benchmark.display_name is 'Name for people.';
comment on column core.benchmark.metric_kind is 'accuracy, elo, index, error_rate ...';
comment on column core.benchmark.unit is 'percent, elo, points ...';
comment on column core.benchmark.lower_is_better is 'Direction of the metric.';
comment on column core.benchmark.min_score is 'Smallest possible score.';
comment on column core.benchmark.max_score is 'Largest possible score.';

create table core.benchmark_version (
    benchmark_version_id text not null,
    benchmark_id text not null,
    version_label text not null,
    scale_epoch integer not null,
    n_items integer,
    valid_from date not null,
    constraint benchmark_version_pkey primary key (benchmark_version_id),
    constraint benchmark_version_benchmark foreign key (benchmark_id) references core.benchmark deferrable initially deferred
);
comment on table core.benchmark_version is 'A version of a benchmark inside which scores may be compared: same items, same scale. Grain: one row per benchmark, version and scale epoch.';
comment on column core.benchmark_version.benchmark_version_id is 'benchmark_id@version#epoch.';
comment on column core.benchmark_version.benchmark_id is 'Benchmark (core.benchmark).';
comment on column core.benchmark_version.version_label is 'Version, release, window or category as the source names it.';
comment on column core.benchmark_version.scale_epoch is 'Counts re-anchorings of the scale, from 0.';
comment on column core.benchmark_version.n_items is 'Items in the benchmark. Unit: items.';
comment on column core.benchmark_version.valid_from is 'First day on which a score of this version was seen.';

create table core.benchmark_score (
    score_id uuid not null,
    board text not null,
    benchmark_version_id text not null,
    source_row_key text not null,
    raw_model text not null,
    model_id text,
    variant text not null,
    score double precision not null,
    score_text text not null,
    n_items integer,
    n_success integer,
    n_trials integer,
    stderr double precision,
    ci_low double precision,
    ci_high double precision,
    ci_level double precision,
    ci_method text not null,
    votes bigint,
    run_cost_usd numeric(38,18),
    run_input_tokens bigint,
    run_output_tokens bigint,
    measured_by text not null,
    as_of date not null,
    observed_at timestamptz not null,
    superseded_at timestamptz,
    supersede_reason text,
    snapshot_id uuid not null,
    source_locator text not null,
    constraint benchmark_score_pkey primary key (score_id),
    constraint benchmark_score_ci_method_accepted check (ci_method in ('reported', 'wilson', 'bootstrap', 'none')),
    constraint benchmark_score_measured_by_accepted check (measured_by in ('vendor', 'independent', 'community', 'aggregator')),
    constraint benchmark_score_supersede_reason_accepted check (supersede_reason in ('revised', 'removed', 'renamed', 'rebased')),
    constraint benchmark_score_version foreign key (benchmark_version_id) references core.benchmark_version deferrable initially deferred,
    constraint benchmark_score_belief_period check (superseded_at > observed_at),
    constraint benchmark_score_one_at_a_time exclude using gist (core.uuidrange(md5(board || e'\x1f' || source_row_key || e'\x1f' || benchmark_version_id)::uuid, md5(board || e'\x1f' || source_row_key || e'\x1f' || benchmark_version_id)::uuid, '[]') with &&, daterange(as_of, as_of, '[]') with &&, tstzrange(observed_at, superseded_at) with &&)
);
comment on table core.benchmark_score is 'What each leaderboard said about a model''s score, when it held and when we believed it. Never overwritten. Grain: one row per board, source row, benchmark version and period of belief.';
comment on column core.benchmark_score.score_id is 'Hash of every identifying column.';
comment on column core.benchmark_score.board is 'Leaderboard export, as named in sources.yaml.';
comment on column core.benchmark_score.benchmark_version_id is 'What was measured (core.benchmark_version).';
comment on column core.benchmark_score.source_row_key is 'Key of the row in the source: the model name, or the run''s own id.';
comment on column core.benchmark_score.raw_model is 'Model name as the source writes it.';
comment on column core.benchmark_score.model_id is 'Canonical model; null while unresolved.';
comment on column core.benchmark_score.variant is 'What distinguishes this entry of the model: effort, thinking, date, edit format; empty for none.';
comment on column core.benchmark_score.score is 'The score, in the benchmark''s unit.';
comment on column core.benchmark_score.score_text is 'The score as it stands in the file.';
comment on column core.benchmark_score.n_items is 'Items scored. Unit: items.';
comment on column core.benchmark_score.n_success is 'Items solved. Unit: items.';
comment on column core.benchmark_score.n_trials is 'Trials per item. Unit: trials.';
comment on column core.benchmark_score.stderr is 'Standard error, in the benchmark''s unit.';
comment on column core.benchmark_score.ci_low is 'Lower bound of the interval.';
comment on column core.benchmark_score.ci_high is 'Upper bound of the interval.';
comment on column core.benchmark_score.ci_level is 'Level of the interval, for example 0.95. Unit: share.';
comment on column core.benchmark_score.ci_method is 'reported, wilson, bootstrap or none.';
comment on column core.benchmark_score.votes is 'Votes behind the score. Unit: votes.';
comment on column core.benchmark_score.run_cost_usd is 'What the evaluation run cost. Unit: USD.';
comment on column core.benchmark_score.run_input_tokens is 'Input tokens of the run. Unit: tokens.';
comment on column core.benchmark_score.run_output_tokens is 'Output tokens of the run. Unit: tokens.';
comment on column core.benchmark_score.measured_by is 'vendor, independent, community or aggregator.';
comment on column core.benchmark_score.as_of is 'Day on which the source says the score held; the snapshot''s day where it does not say.';
comment on column core.benchmark_score.observed_at is 'When we first believed this row.';
comment on column core.benchmark_score.superseded_at is 'When a later snapshot said otherwise; null while believed.';
comment on column core.benchmark_score.supersede_reason is 'revised, removed, renamed or rebased.';
comment on column core.benchmark_score.snapshot_id is 'Evidence: the file that said so first.';
comment on column core.benchmark_score.source_locator is 'Place in the file.';

create table mart.routing_projection (
    event_date date not null,
    policy text not null,
    arm text not null,
    provider_id text,
    model_id text,
    share numeric(38,18) not null,
    requests double precision not null,
    baseline text not null,
    baseline_cost_usd numeric(38,18),
    projected_cost_usd numeric(38,18),
    saving_usd numeric(38,18),
    saving_share double precision,
    quality_retained double precision,
    evidence_grade text not null,
    assumptions jsonb not null,
    not_projected_reason text,
    constraint routing_projection_pkey primary key (event_date, policy, baseline, arm)
);
comment on table mart.routing_projection is 'What a day''s traffic would have cost under a hybrid routing policy, beside what it did cost, with every assumption named. Grain: one row per day, policy, baseline and arm; arm ''total'' sums the policy.';
comment on column mart.routing_projection.event_date is 'UTC day.';
comment on column mart.routing_projection.policy is 'Policy, as named in routing.yaml.';
comment on column mart.routing_projection.arm is 'Arm of the policy, or total.';
comment on column mart.routing_projection.provider_id is 'Provider of the arm; null for total.';
comment on column mart.routing_projection.model_id is 'Model of the arm; null for total.';
comment on column mart.routing_projection.share is 'Share of requests that the policy sends to the arm. Unit: share.';
comment on column mart.routing_projection.requests is 'Requests that the arm would have served. Unit: requests.';
comment on column mart.routing_projection.baseline is 'What is compared with: actual, or all traffic on a named model.';
comment on column mart.routing_projection.baseline_cost_usd is 'Cost of the same share of traffic under the baseline. Unit: USD.';
comment on column mart.routing_projection.projected_cost_usd is 'Cost under the policy; null with a reason where a rate is missing. Unit: USD.';
comment on column mart.routing_projection.saving_usd is 'Baseline less projected. Unit: USD.';
comment on column mart.routing_projection.saving_share is 'Saving as a share of the baseline. Unit: share.';
comment on column mart.routing_projection.quality_retained is 'Quality as a share of the baseline''s, where a score is known for every arm. Unit: share.';
comment on column mart.routing_projection.evidence_grade is 'A own shadow traffic, B per-item public, C leaderboard proxy, D vendor claim, E assumption.';
comment on column mart.routing_projection.assumptions is 'Object of the assumptions that the row rests on, each named, with its value.';
comment on column mart.routing_projection.not_projected_reason is 'Why projected_cost_usd is null.';

create table mart.benchmark_drift (
    event_id uuid not null,
    event_date date not null,
    board text not null,
    benchmark_version_id text not null,
    drift_class text not null,
    severity text not null,
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
    n_models integer not null,
    explanation text not null,
    from_snapshot_id uuid,
    to_snapshot_id uuid not null,
    evidence jsonb not null,
    constraint benchmark_drift_pkey primary key (event_id),
    constraint benchmark_drift_severity check (severity in ('info', 'warn', 'error'))
);
comment on table mart.benchmark_drift is 'Changes on the leaderboards, classified: what is a real change of a model and what is noise, revision or a new scale. Grain: one row per event.';
comment on column mart.benchmark_drift.event_id is 'Hash of the event.';
comment on column mart.benchmark_drift.event_date is 'UTC day on which the later snapshot was observed.';
comment on column mart.benchmark_drift.board is 'Leaderboard.';
comment on column mart.benchmark_drift.benchmark_version_id is 'Benchmark and version; where a scale changes, the version before.';
comment on column mart.benchmark_drift.drift_class is 'new, removed, renamed, revised, rounding, scale_rebase, index_version, contradiction, coverage_gate or drift.';
comment on column mart.benchmark_drift.severity is 'info, warn or error.';
comment on column mart.benchmark_drift.raw_model is 'Model as the source names it; null for events of a whole board.';
comment on column mart.benchmark_drift.model_id is 'Canonical model.';
comment on column mart.benchmark_drift.score_before is 'Score before.';
comment on column mart.benchmark_drift.score_after is 'Score after.';
comment on column mart.benchmark_drift.delta is 'After less before.';
comment on column mart.benchmark_drift.delta_adjusted is 'Change less the board''s common shift.';
comment on column mart.benchmark_drift.stderr is 'Standard error of the change.';
comment on column mart.benchmark_drift.z is 'Adjusted change over its standard error.';
comment on column mart.benchmark_drift.p_value is 'Two-sided p-value.';
comment on column mart.benchmark_drift.q_value is 'Benjamini-Hochberg adjusted p-value over the day''s tests.';
comment on column mart.benchmark_drift.min_detectable is 'Smallest change that the intervals could have shown at 95 %.';
comment on column mart.benchmark_drift.n_models is 'Models that the event concerns. Unit: models.';
comment on column mart.benchmark_drift.explanation is 'The event in one plain sentence.';
comment on column mart.benchmark_drift.from_snapshot_id is 'Earlier snapshot.';
comment on column mart.benchmark_drift.to_snapshot_id is 'Later snapshot.';
comment on column mart.benchmark_drift.evidence is 'Further evidence: score ids, common shift, counts.';

create table mart.benchmark_gap (
    event_date date not null,
    board text not null,
    benchmark_version_id text not null,
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
    top_k integer not null,
    top_k_gap double precision,
    top_k_gap_stderr double precision,
    lag_days integer,
    lag_is_minimum boolean,
    best_open_rank_from integer,
    best_open_rank_to integer,
    n_open integer not null,
    n_closed integer not null,
    n_unknown integer not null,
    constraint benchmark_gap_pkey primary key (board, benchmark_version_id, event_date)
);
comment on table mart.benchmark_gap is 'How far the best open model is behind the best closed one on each benchmark, with what the intervals allow to be said. Grain: one row per board, benchmark version and day on which its scores changed.';
comment on column mart.benchmark_gap.event_date is 'Day at whose end the scores held (as of), as known now.';
comment on column mart.benchmark_gap.board is 'Leaderboard.';
comment on column mart.benchmark_gap.benchmark_version_id is 'Benchmark, version and scale epoch; series of two epochs can''t be joined.';
comment on column mart.benchmark_gap.best_open_model is 'Best model with open weights, as the source names it.';
comment on column mart.benchmark_gap.best_open_model_id is 'Its canonical model.';
comment on column mart.benchmark_gap.best_open_score is 'Its score.';
comment on column mart.benchmark_gap.best_closed_model is 'Best closed model, as the source names it.';
comment on column mart.benchmark_gap.best_closed_model_id is 'Its canonical model.';
comment on column mart.benchmark_gap.best_closed_score is 'Its score.';
comment on column mart.benchmark_gap.gap is 'Closed less open, in the benchmark''s unit and so that more than zero means closed is better; null where a side has no model.';
comment on column mart.benchmark_gap.gap_adjusted is 'The same, less the bias of taking the maximum of noisy scores; null without standard errors.';
comment on column mart.benchmark_gap.gap_low is 'Lower bound of the gap at 95 %, by parametric bootstrap of both maxima.';
comment on column mart.benchmark_gap.gap_high is 'Upper bound of the gap at 95 %.';
comment on column mart.benchmark_gap.top_k is 'Models per side in the mean of the best. Unit: models.';
comment on column mart.benchmark_gap.top_k_gap is 'Mean of the best closed less mean of the best open models; null where a side has fewer.';
comment on column mart.benchmark_gap.top_k_gap_stderr is 'Its standard error.';
comment on column mart.benchmark_gap.lag_days is 'Days since a closed model first reached what the best open model has now; 0 where open leads, null where no closed model ever did. Unit: days.';
comment on column mart.benchmark_gap.lag_is_minimum is 'True where a closed model had reached it when the series began: the lag is at least lag_days.';
comment on column mart.benchmark_gap.best_open_rank_from is 'Best rank that the intervals allow for the best open model among all.';
comment on column mart.benchmark_gap.best_open_rank_to is 'Worst rank that the intervals allow for it.';
comment on column mart.benchmark_gap.n_open is 'Entries with open weights. Unit: models.';
comment on column mart.benchmark_gap.n_closed is 'Entries of closed models. Unit: models.';
comment on column mart.benchmark_gap.n_unknown is 'Entries whose model or openness is not known; they count on neither side. Unit: models.';

create table mart.request_profile (
    event_date date not null,
    provider_id text not null,
    model_id text not null,
    use_case text not null,
    stratum text not null,
    metric text not null,
    requests integer not null,
    histogram jsonb not null,
    constraint request_profile_pkey primary key (event_date, provider_id, model_id, use_case, stratum, metric)
);
comment on table mart.request_profile is 'How each served model behaved on a day, as histograms: what request_drift compares, small enough to hold a month of them side by side. Grain: one row per day, provider, model, use case, stratum and metric.';
comment on column mart.request_profile.event_date is 'UTC day.';
comment on column mart.request_profile.provider_id is 'Who sold the calls; unknown where not told.';
comment on column mart.request_profile.model_id is 'Canonical model.';
comment on column mart.request_profile.use_case is 'Application, else team; unattributed where neither is known.';
comment on column mart.request_profile.stratum is 'Operation, whether streamed, and prompt size as a power of two: only requests of one stratum are compared.';
comment on column mart.request_profile.metric is 'output_tokens, reasoning_share, latency_ms, ttft_ms, throughput, cache_read_share, error_rate, finish:<reason> or response_model:<name>.';
comment on column mart.request_profile.requests is 'Requests that have the metric; those with the reason or name, where the metric names one. Unit: requests.';
comment on column mart.request_profile.histogram is 'Object of two lists: each value that occurs, to two significant digits, and how many requests have it.';

create table mart.request_drift (
    event_date date not null,
    provider_id text not null,
    model_id text not null,
    use_case text not null,
    metric text not null,
    n_day integer not null,
    n_reference integer not null,
    reference_days integer not null,
    comparable_share double precision not null,
    value_day double precision,
    value_reference double precision,
    effect double precision,
    min_detectable double precision,
    z double precision,
    overdispersion double precision,
    p_value double precision,
    q_value double precision,
    is_alarm boolean not null,
    explanation text not null,
    constraint request_drift_pkey primary key (event_date, provider_id, model_id, use_case, metric)
);
comment on table mart.request_drift is 'Silent changes of a served model, seen in the company''s own log: the day against the trailing reference, like with like. Grain: one row per day, provider, model, use case and metric that could be tested.';
comment on column mart.request_drift.event_date is 'UTC day that is held against its reference.';
comment on column mart.request_drift.provider_id is 'Who sold the calls; unknown where not told.';
comment on column mart.request_drift.model_id is 'Canonical model.';
comment on column mart.request_drift.use_case is 'Application, else team; unattributed where neither is known.';
comment on column mart.request_drift.metric is 'output_tokens, reasoning_share, latency_ms, ttft_ms, throughput, cache_read_share, error_rate, finish:<reason> or response_model.';
comment on column mart.request_drift.n_day is 'Requests of the day that have the metric and something to be compared with. Unit: requests.';
comment on column mart.request_drift.n_reference is 'Requests of the reference beside them. Unit: requests.';
comment on column mart.request_drift.reference_days is 'Days of the reference with such requests. Unit: days.';
comment on column mart.request_drift.comparable_share is 'Share of the day''s requests in strata (operation, stream, prompt size) that the reference has too. Unit: share.';
comment on column mart.request_drift.value_day is 'Median, or rate, on the day.';
comment on column mart.request_drift.value_reference is 'Median, or rate, in the reference.';
comment on column mart.request_drift.effect is 'For medians: probability that a request of the day exceeds one of the reference in its stratum, less 0.5; for rates: difference.';
comment on column mart.request_drift.min_detectable is 'Smallest effect of which a 95 % interval would exclude zero, the noise between days included.';
comment on column mart.request_drift.z is 'Stratified test statistic, less the noise between days.';
comment on column mart.request_drift.overdispersion is 'Variance of the statistic between reference days, as a multiple of that of independent requests; 1 at least.';
comment on column mart.request_drift.p_value is 'Two-sided p-value.';
comment on column mart.request_drift.q_value is 'Benjamini-Hochberg adjusted over all tests of the day.';
comment on column mart.request_drift.is_alarm is 'True where q is 0.05 or less and the effect is worth telling.';
comment on column mart.request_drift.explanation is 'The comparison in one plain sentence.';

create table mart.cost_restatement (
    line_id uuid not null,
    restatement_id uuid not null,
    event_date date not null,
    provider_id text not null,
    provider_id_before text not null,
    model_id text not null,
    model_id_before text not null,
    meter text not null,
    reason text not null,
    requests bigint not null,
    cost_before_usd numeric(38,18),
    cost_after_usd numeric(38,18),
    delta_usd numeric(38,18) not null,
    list_delta_usd numeric(38,18) not null,
    usd_per_million_before numeric(38,12),
    usd_per_million_after numeric(38,12),
    price_id_before uuid,
    price_id_after uuid,
    feed_before text,
    feed_after text,
    snapshot_id_before uuid,
    snapshot_id_after uuid,
    known_at_before timestamptz,
    known_at_after timestamptz not null,
    is_closed boolean not null,
    applied_at timestamptz,
    explanation text not null,
    constraint cost_restatement_pkey primary key (line_id),
    constraint cost_restatement_reason_accepted check (reason in ('changed', 'corrected', 'retracted', 'source_removed', 'new_price', 'model_resolved', 'exchange_rate', 'known_later', 'other'))
);
comment on table mart.cost_restatement is 'What loaded days would cost, or were restated to cost, under what is known at another time: who moved, by how much, because of which price. Grain: one row per restatement, day, provider and model before and after, meter, price row before and after, and reason.';
comment on column mart.cost_restatement.line_id is 'Hash of every identifying column.';
comment on column mart.cost_restatement.restatement_id is 'The run: hash of its days, of what was known, of its lines and of how many applied restatements came before.';
comment on column mart.cost_restatement.event_date is 'UTC day of the requests.';
comment on column mart.cost_restatement.provider_id is 'Who sold the calls, as known after; unknown where not told.';
comment on column mart.cost_restatement.provider_id_before is 'Who sold them as booked before; unknown where not told.';
comment on column mart.cost_restatement.model_id is 'Canonical model after; for unresolved names: ''unresolved: '' and the name as logged.';
comment on column mart.cost_restatement.model_id_before is 'Canonical model as booked before, written the same way.';
comment on column mart.cost_restatement.meter is 'Meter whose cost moved; empty for what concerns the request as a whole or can''t be told by meter.';
comment on column mart.cost_restatement.reason is 'changed, corrected, retracted, source_removed, new_price, model_resolved, exchange_rate, known_later or other.';
comment on column mart.cost_restatement.requests is 'Requests whose cost the line moves; one request may be on several lines, one per meter. Unit: requests.';
comment on column mart.cost_restatement.cost_before_usd is 'Effective cost before; null where it was not known. Unit: USD.';
comment on column mart.cost_restatement.cost_after_usd is 'Effective cost after; null where it can''t be known. Unit: USD.';
comment on column mart.cost_restatement.delta_usd is 'After less before, an unknown cost counted as 0: adds up to the difference of the sums over core.request. Unit: USD.';
comment on column mart.cost_restatement.list_delta_usd is 'The same for list cost, which a contract does not move. Unit: USD.';
comment on column mart.cost_restatement.usd_per_million_before is 'Rate before, in USD. Unit: USD per million units.';
comment on column mart.cost_restatement.usd_per_million_after is 'Rate after, in USD. Unit: USD per million units.';
comment on column mart.cost_restatement.price_id_before is 'Row of core.price that the booked rate came from.';
comment on column mart.cost_restatement.price_id_after is 'Row of core.price that the new rate comes from.';
comment on column mart.cost_restatement.feed_before is 'Feed of the price before.';
comment on column mart.cost_restatement.feed_after is 'Feed of the price after.';
comment on column mart.cost_restatement.snapshot_id_before is 'File that said the price before (raw.snapshot).';
comment on column mart.cost_restatement.snapshot_id_after is 'File that says the price after (raw.snapshot).';
comment on column mart.cost_restatement.known_at_before is 'Newest state of the ledger that still held the booked rate; null where there was none or it is no longer found.';
comment on column mart.cost_restatement.known_at_after is 'What the new cost was known at: the instant asked for, or the ledger''s last change.';
comment on column mart.cost_restatement.is_closed is 'Whether the day was closed when the restatement was made.';
comment on column mart.cost_restatement.applied_at is 'When core.request was restated; null while this is only a proposal. The one column that two equal runs differ in.';
comment on column mart.cost_restatement.explanation is 'The line in one plain sentence.';

create table mart.price_change (
    change_id uuid not null,
    feed text not null,
    provider_id text not null,
    model_id text not null,
    meter text not null,
    unit text not null,
    service_tier text not null,
    region text not null,
    context_from_tokens bigint not null,
    context_bound text not null,
    context_scope text not null,
    time_window text not null,
    contract_id text not null,
    pricing_currency text not null,
    price_before numeric(38,12) not null,
    price_after numeric(38,12) not null,
    change_share double precision,
    valid_from timestamptz not null,
    date_basis text not null,
    learnt_at timestamptz not null,
    is_used boolean not null,
    spend_30d_usd numeric(38,18) not null,
    spend_30d_share double precision,
    price_id_before uuid not null,
    price_id_after uuid not null,
    summary text not null,
    constraint price_change_pkey primary key (change_id),
    constraint price_change_unit_accepted check (unit in ('token', 'request', 'search', 'page', 'second', 'image', 'pixel', 'character', 'session')),
    constraint price_change_service_tier_accepted check (service_tier in ('standard', 'batch', 'flex', 'priority', 'fast')),
    constraint price_change_context_bound_accepted check (context_bound in ('gt', 'gte')),
    constraint price_change_context_scope_accepted check (context_scope in ('whole_request', 'marginal')),
    constraint price_change_date_basis_accepted check (date_basis in ('documented', 'announced', 'first_observed', 'unknown'))
);
comment on table mart.price_change is 'The history of prices as people read it: every change from one price to another that is believed now, and how much of our spend it touches. Grain: one row per feed, seller, model, meter, conditions and change.';
comment on column mart.price_change.change_id is 'Hash of the two price rows.';
comment on column mart.price_change.feed is 'Price feed that said so, as named in sources.yaml.';
comment on column mart.price_change.provider_id is 'Who sells the call (FOCUS ServiceProviderName), for example openai, azure, openrouter.';
comment on column mart.price_change.model_id is 'Canonical model (core.model).';
comment on column mart.price_change.meter is 'What is counted: a token meter such as input_cache_read, or a fee meter such as web_search.';
comment on column mart.price_change.unit is 'Unit of the meter: token, request, search, page, second, image, pixel, character or session.';
comment on column mart.price_change.service_tier is 'standard, batch, flex, priority or fast.';
comment on column mart.price_change.region is 'Region or data residency the price is bound to; empty where it holds everywhere.';
comment on column mart.price_change.context_from_tokens is 'Prompt size from which the price applies; 0 for the base price. Unit: tokens.';
comment on column mart.price_change.context_bound is 'gt: applies above context_from_tokens; gte: from it on.';
comment on column mart.price_change.context_scope is 'whole_request: the rate applies to all tokens once the bound is passed; marginal: to those above it.';
comment on column mart.price_change.time_window is 'Daily window UTC as HH:MM-HH:MM; empty where the price holds all day.';
comment on column mart.price_change.contract_id is 'Contract that grants the price; empty for list prices.';
comment on column mart.price_change.pricing_currency is 'Currency of both prices.';
comment on column mart.price_change.price_before is 'Earlier price per million units. Unit: pricing_currency per million units.';
comment on column mart.price_change.price_after is 'Later price per million units. Unit: pricing_currency per million units.';
comment on column mart.price_change.change_share is 'Later less earlier over earlier; null from zero. Unit: share.';
comment on column mart.price_change.valid_from is 'Instant from which the later price holds.';
comment on column mart.price_change.date_basis is 'How valid_from is known: documented, announced, first_observed or unknown.';
comment on column mart.price_change.learnt_at is 'When the later price was first believed: before valid_from for an announced one.';
comment on column mart.price_change.is_used is 'True where the later price stands in a rate card; false where another feed''s price is used instead.';
comment on column mart.price_change.spend_30d_usd is 'What the 30 newest days of requests cost by the prices of this seller, model, meter and conditions. Unit: USD.';
comment on column mart.price_change.spend_30d_share is 'The same as a share of all priced spend of those days; null without any. Unit: share.';
comment on column mart.price_change.price_id_before is 'Earlier price (core.price).';
comment on column mart.price_change.price_id_after is 'Later price (core.price).';
comment on column mart.price_change.summary is 'The change in one plain sentence.';

create table mart.price_conflict (
    provider_id text not null,
    model_id text not null,
    meter text not null,
    unit text not null,
    service_tier text not null,
    region text not null,
    context_from_tokens bigint not null,
    context_bound text not null,
    context_scope text not null,
    time_window text not null,
    contract_id text not null,
    as_of timestamptz not null,
    usd_used numeric(38,12) not null,
    feed_used text not null,
    usd_lowest numeric(38,12) not null,
    usd_highest numeric(38,12) not null,
    spread_share double precision,
    prices jsonb not null,
    quantity_30d bigint not null,
    at_stake_30d_usd numeric(38,18) not null,
    decided_by text not null,
    summary text not null,
    constraint price_conflict_pkey primary key (provider_id, model_id, meter, service_tier, region, context_from_tokens, context_bound, context_scope, time_window, contract_id),
    constraint price_conflict_unit_accepted check (unit in ('token', 'request', 'search', 'page', 'second', 'image', 'pixel', 'character', 'session')),
    constraint price_conflict_service_tier_accepted check (service_tier in ('standard', 'batch', 'flex', 'priority', 'fast')),
    constraint price_conflict_context_bound_accepted check (context_bound in ('gt', 'gte')),
    constraint price_conflict_context_scope_accepted check (context_scope in ('whole_request', 'marginal'))
);
comment on table mart.price_conflict is 'Prices on which feeds disagree by more than one in a hundred at the end of the newest loaded day, what that is worth on our own traffic, and how it was decided. Grain: one row per seller, model, meter and conditions.';
comment on column mart.price_conflict.provider_id is 'Who sells the call (FOCUS ServiceProviderName), for example openai, azure, openrouter.';
comment on column mart.price_conflict.model_id is 'Canonical model (core.model).';
comment on column mart.price_conflict.meter is 'What is counted: a token meter such as input_cache_read, or a fee meter such as web_search.';
comment on column mart.price_conflict.unit is 'Unit of the meter: token, request, search, page, second, image, pixel, character or session.';
comment on column mart.price_conflict.service_tier is 'standard, batch, flex, priority or fast.';
comment on column mart.price_conflict.region is 'Region or data residency the price is bound to; empty where it holds everywhere.';
comment on column mart.price_conflict.context_from_tokens is 'Prompt size from which the price applies; 0 for the base price. Unit: tokens.';
comment on column mart.price_conflict.context_bound is 'gt: applies above context_from_tokens; gte: from it on.';
comment on column mart.price_conflict.context_scope is 'whole_request: the rate applies to all tokens once the bound is passed; marginal: to those above it.';
comment on column mart.price_conflict.time_window is 'Daily window UTC as HH:MM-HH:MM; empty where the price holds all day.';
comment on column mart.price_conflict.contract_id is 'Contract that grants the price; empty for list prices.';
comment on column mart.price_conflict.as_of is 'Instant at which the prices are compared.';
comment on column mart.price_conflict.usd_used is 'Price that is charged by. Unit: USD per million units.';
comment on column mart.price_conflict.feed_used is 'Feed that it comes from.';
comment on column mart.price_conflict.usd_lowest is 'Lowest price of all feeds. Unit: USD per million units.';
comment on column mart.price_conflict.usd_highest is 'Highest price of all feeds. Unit: USD per million units.';
comment on column mart.price_conflict.spread_share is 'Highest less lowest over lowest; null where the lowest is zero. Unit: share.';
comment on column mart.price_conflict.prices is 'Object of feed to USD per million units, in order of precedence.';
comment on column mart.price_conflict.quantity_30d is 'Units that the 30 newest days of requests used under these conditions. Unit: units.';
comment on column mart.price_conflict.at_stake_30d_usd is 'What those units would cost at the highest price less what they would cost at the lowest. Unit: USD.';
comment on column mart.price_conflict.decided_by is 'Why feed_used won.';
comment on column mart.price_conflict.summary is 'The disagreement in one plain sentence.';
