alter table raw.snapshot drop constraint snapshot_kind;
alter table raw.snapshot add constraint snapshot_kind check (kind in ('requests', 'bills', 'prices', 'leaderboards'));
comment on column raw.snapshot.kind is 'What the file feeds: requests, bills (of providers, from the same folder), prices or leaderboards.';

create table raw.bill_duplicate (
    snapshot_id uuid not null,
    line_no bigint not null,
    item_no integer not null,
    cost_uid uuid not null,
    kept_snapshot_id uuid not null,
    kept_line_no bigint not null,
    kept_item_no integer not null,
    rule text not null,
    constraint bill_duplicate_pkey primary key (snapshot_id, line_no, item_no),
    constraint bill_duplicate_rule_accepted check (rule in ('same_record', 'later_update'))
);
comment on table raw.bill_duplicate is 'Valid records of bill exports that became no row of core.reported_cost, and the row that says the same or replaced them. Grain: one row per dropped record.';
comment on column raw.bill_duplicate.snapshot_id is 'File of the dropped record.';
comment on column raw.bill_duplicate.line_no is 'Line of the dropped record. Unit: lines.';
comment on column raw.bill_duplicate.item_no is 'Item of the dropped record inside its line.';
comment on column raw.bill_duplicate.cost_uid is 'Line of the bill (core.reported_cost).';
comment on column raw.bill_duplicate.kept_snapshot_id is 'File of the kept record.';
comment on column raw.bill_duplicate.kept_line_no is 'Line of the kept record. Unit: lines.';
comment on column raw.bill_duplicate.kept_item_no is 'Item of the kept record inside its line.';
comment on column raw.bill_duplicate.rule is 'same_record: said again; later_update: replaced by a record that was observed later on the same day.';

create table core.reported_cost (
    event_date date not null,
    cost_uid uuid not null,
    observed_at timestamptz not null,
    superseded_at timestamptz,
    supersede_reason text,
    source text not null,
    snapshot_id uuid not null,
    line_no bigint not null,
    item_no integer not null,
    source_locator text not null,
    bucket_from timestamptz not null,
    bucket_to timestamptz not null,
    provider_id text not null,
    report text not null,
    project_id text,
    api_key_id text,
    end_user_id text,
    raw_model text,
    model_id text,
    resolution_method text not null,
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
    constraint reported_cost_pkey primary key (cost_uid, observed_at),
    constraint reported_cost_supersede_reason_accepted check (supersede_reason in ('revised', 'removed')),
    constraint reported_cost_bucket check (bucket_to > bucket_from and event_date = (bucket_from at time zone 'UTC')::date),
    constraint reported_cost_belief_period check (superseded_at > observed_at and (superseded_at is null) = (supersede_reason is null)),
    constraint reported_cost_amount check ((amount is null) = (currency is null))
);
create index reported_cost_event_date on core.reported_cost (event_date, provider_id);
comment on table core.reported_cost is 'Usage and cost as providers report and bill them, as they wrote it: for reconciliation, never used as cost of our own. Bills get revised: a later export of a bucket replaces the earlier, and what was believed before stays readable. Grain: one row per record of a provider''s bucket and period of belief.';
comment on column core.reported_cost.event_date is 'UTC day on which the bucket begins.';
comment on column core.reported_cost.cost_uid is 'Hash of source, report, bucket and every dimension that the report names: the same line of the bill in every export.';
comment on column core.reported_cost.observed_at is 'When the export that first said so was observed.';
comment on column core.reported_cost.superseded_at is 'When a later export said otherwise; null while believed.';
comment on column core.reported_cost.supersede_reason is 'revised: a later export gives other counts or another amount; removed: it no longer has the line.';
comment on column core.reported_cost.source is 'Source of the bill, as named in sources.yaml.';
comment on column core.reported_cost.snapshot_id is 'File that said so first (raw.snapshot).';
comment on column core.reported_cost.line_no is 'Line of the record. Unit: lines.';
comment on column core.reported_cost.item_no is 'Item inside the line.';
comment on column core.reported_cost.source_locator is 'Place in the file: a JSON pointer inside the line or document, or the line.';
comment on column core.reported_cost.bucket_from is 'Start of the bucket, inclusive.';
comment on column core.reported_cost.bucket_to is 'End of the bucket, exclusive.';
comment on column core.reported_cost.provider_id is 'Who reports: openai, anthropic or openrouter.';
comment on column core.reported_cost.report is 'Which report, in the provider''s words, for example organization.costs.result.';
comment on column core.reported_cost.project_id is 'Project (OpenAI) or workspace (Anthropic, OpenRouter).';
comment on column core.reported_cost.api_key_id is 'Id or name of the API key, never the key.';
comment on column core.reported_cost.end_user_id is 'User of the organization, as written or as a keyed hash.';
comment on column core.reported_cost.raw_model is 'Model name as written, or as the line item names it.';
comment on column core.reported_cost.model_id is 'Canonical model; null where none is named or the name is unresolved.';
comment on column core.reported_cost.resolution_method is 'How model_id was found (core.model_alias.method).';
comment on column core.reported_cost.line_item is 'Line item, description or endpoint, as written.';
comment on column core.reported_cost.meter is 'What the line charges or counts, in the provider''s words, for example cached input.';
comment on column core.reported_cost.upstream_provider is 'Who served the calls that a router bills.';
comment on column core.reported_cost.service_tier is 'Service tier as written, lower case; batch where a flag says so.';
comment on column core.reported_cost.region is 'Inference geography.';
comment on column core.reported_cost.context_window is 'Context window that decides the price, for example 0-200k.';
comment on column core.reported_cost.input_uncached_tokens is 'Tokens: text input that neither read nor wrote a cache; null where the report counts no tokens. Unit: tokens.';
comment on column core.reported_cost.input_cache_read_tokens is 'Tokens: input served from a prompt cache; null where the report counts no tokens. Unit: tokens.';
comment on column core.reported_cost.input_cache_write_tokens is 'Tokens: input written to a cache whose time to live the source does not state; null where the report counts no tokens. Unit: tokens.';
comment on column core.reported_cost.input_cache_write_5m_tokens is 'Tokens: input written to a 5-minute cache; null where the report counts no tokens. Unit: tokens.';
comment on column core.reported_cost.input_cache_write_30m_tokens is 'Tokens: input written to a 30-minute cache; null where the report counts no tokens. Unit: tokens.';
comment on column core.reported_cost.input_cache_write_1h_tokens is 'Tokens: input written to a 1-hour cache; null where the report counts no tokens. Unit: tokens.';
comment on column core.reported_cost.input_cache_write_12h_tokens is 'Tokens: input written to a 12-hour cache; null where the report counts no tokens. Unit: tokens.';
comment on column core.reported_cost.input_audio_tokens is 'Tokens: audio input outside a cache; null where the report counts no tokens. Unit: tokens.';
comment on column core.reported_cost.input_audio_cache_read_tokens is 'Tokens: audio input served from a cache; null where the report counts no tokens. Unit: tokens.';
comment on column core.reported_cost.input_image_tokens is 'Tokens: image input outside a cache; null where the report counts no tokens. Unit: tokens.';
comment on column core.reported_cost.input_image_cache_read_tokens is 'Tokens: image input served from a cache; null where the report counts no tokens. Unit: tokens.';
comment on column core.reported_cost.input_video_tokens is 'Tokens: video input outside a cache; null where the report counts no tokens. Unit: tokens.';
comment on column core.reported_cost.input_tool_tokens is 'Tokens: input that the provider''s own tools put into the prompt; null where the report counts no tokens. Unit: tokens.';
comment on column core.reported_cost.output_text_tokens is 'Tokens: visible text output, rejected prediction tokens included; null where the report counts no tokens. Unit: tokens.';
comment on column core.reported_cost.output_reasoning_tokens is 'Tokens: reasoning output, billed and not shown; null where the report counts no tokens. Unit: tokens.';
comment on column core.reported_cost.output_audio_tokens is 'Tokens: audio output; null where the report counts no tokens. Unit: tokens.';
comment on column core.reported_cost.output_image_tokens is 'Tokens: image output; null where the report counts no tokens. Unit: tokens.';
comment on column core.reported_cost.token_semantics is 'Rule that turned the report''s counts into buckets.';
comment on column core.reported_cost.request_count is 'Requests. Unit: requests.';
comment on column core.reported_cost.web_search_count is 'Web searches that the provider ran. Unit: searches.';
comment on column core.reported_cost.quantity is 'Another quantity that the report gives, in quantity_unit.';
comment on column core.reported_cost.quantity_unit is 'images, characters, seconds, bytes, sessions, or as written.';
comment on column core.reported_cost.amount_text is 'The amount with the digits of the bill; for Anthropic''s report in cents.';
comment on column core.reported_cost.amount is 'The amount in units of currency; null where the report bills nothing.';
comment on column core.reported_cost.currency is 'ISO 4217 code of the amount.';
comment on column core.reported_cost.amount_usd is 'The amount where it is in USD. Unit: USD.';
comment on column core.reported_cost.byok_cost_usd is 'What another provider bills for the same calls on a key of your own; no part of amount. Unit: USD.';
