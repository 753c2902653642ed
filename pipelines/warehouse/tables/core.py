"""Tables of schema `core`: the facts. Models, prices, rates, requests and benchmark scores.

Prices and scores are bitemporal (valid time and system time) and never overwritten; requests are
range-partitioned by UTC day. What arrived is in `raw.py`; what is computed for readers is in `mart.py`.
"""

from __future__ import annotations

from pipelines.meters import FEE_METERS, TOKEN_METERS
from pipelines.warehouse.tables.spec import Column, Table

_UNIT_RATE = "USD per million units"

OPENNESS = ("open_source", "open_weight", "closed", "unknown")
SERVICE_TIERS = ("standard", "batch", "flex", "priority", "fast")
UNPRICED_REASONS = (
    "model_unresolved",
    "provider_unknown",
    "no_price",
    "no_price_at_time",
    "no_rate_for_meter",
    "no_exchange_rate",
    "usage_missing",
)
"""Why a request has no cost."""

MODEL = Table(
    "core",
    "model",
    "Every model that a price, a request or a score refers to, under one canonical id.",
    "one row per model",
    (
        Column(
            "model_id",
            "text",
            "Canonical id: lower case, without provider or region prefix, for example claude-sonnet-4-5.",
        ),
        Column(
            "developer",
            "text",
            "Who trained the model (FOCUS 1.5 ModelDeveloper), for example anthropic.",
            nullable=True,
        ),
        Column("family", "text", "Model family (FOCUS 1.5 ModelFamily), for example claude.", nullable=True),
        Column("display_name", "text", "Name for people."),
        Column("openness", "text", "open_source, open_weight, closed or unknown.", accepted=OPENNESS),
        Column("license", "text", "Licence of the weights, where known.", nullable=True),
        Column("total_params_b", "double precision", "Parameters in total.", nullable=True, unit="billion"),
        Column("active_params_b", "double precision", "Parameters active per token.", nullable=True, unit="billion"),
        Column("context_tokens", "bigint", "Context window.", nullable=True, unit="tokens"),
        Column("released_date", "date", "Day of release.", nullable=True),
        Column("decided_by", "text", "Where the row comes from: models.yaml or the feed that first named the model."),
    ),
    ("model_id",),
)

MODEL_ALIAS = Table(
    "core",
    "model_alias",
    "Raw model names as sources write them, and the canonical model each was resolved to, with method and confidence.",
    "one row per raw name and provider",
    (
        Column("provider_id", "text", "Provider or board that uses the name; empty where the name is used by any."),
        Column("raw_name", "text", "Name as found, lower case."),
        Column("model_id", "text", "Canonical model; null while unresolved.", nullable=True),
        Column(
            "method",
            "text",
            "exact, alias, feed_alias, provider_prefix, region_prefix, date_suffix, variant_suffix, fine_tune, deployment, or unresolved.",
        ),
        Column(
            "confidence",
            "double precision",
            "1 for an exact or declared alias, less where a suffix or prefix was dropped, 0 when unresolved.",
            unit="share",
        ),
        Column("decided_by", "text", "models.yaml, a feed, or the rule that resolved it."),
    ),
    ("provider_id", "raw_name"),
)

PRICE = Table(
    "core",
    "price",
    "The price ledger: what each feed said about the price of one meter under one set of conditions, when it held and when we believed it.",
    "one row per feed, provider, model, meter and conditions, per period of validity and of belief",
    (
        Column("price_id", "uuid", "Hash of every other identifying column: same evidence, same id."),
        Column(
            "sku_id",
            "uuid",
            "Hash of feed, provider, model, meter and conditions: the thing that has one price at a time (FOCUS SkuPriceId without its period).",
        ),
        Column("feed", "text", "Price feed that said so, as named in sources.yaml."),
        Column(
            "provider_id",
            "text",
            "Who sells the call (FOCUS ServiceProviderName), for example openai, azure, openrouter.",
        ),
        Column("model_id", "text", "Canonical model (core.model)."),
        Column("raw_model", "text", "Model name as the feed writes it."),
        Column(
            "meter",
            "text",
            "What is counted: a token meter such as input_cache_read, or a fee meter such as web_search.",
        ),
        Column(
            "unit",
            "text",
            "Unit of the meter: token, token_hour (a token kept for an hour), request, search, page, second, image, pixel, "
            "character or session.",
            accepted=(
                "token",
                "token_hour",
                "request",
                "search",
                "page",
                "second",
                "image",
                "pixel",
                "character",
                "session",
            ),
        ),
        Column("service_tier", "text", "standard, batch, flex, priority or fast.", accepted=SERVICE_TIERS),
        Column("region", "text", "Region or data residency the price is bound to; empty where it holds everywhere."),
        Column(
            "context_from_tokens",
            "bigint",
            "Prompt size from which the price applies; 0 for the base price.",
            unit="tokens",
        ),
        Column(
            "context_bound", "text", "gt: applies above context_from_tokens; gte: from it on.", accepted=("gt", "gte")
        ),
        Column(
            "context_scope",
            "text",
            "whole_request: the rate applies to all tokens once the bound is passed; marginal: to those above it.",
            accepted=("whole_request", "marginal"),
        ),
        Column(
            "time_window",
            "text",
            "Hours of the day, as [mon-fri ]HH:MM-HH:MM[ zone][ except calendar], UTC where no zone is named; empty where the "
            "price holds all day.",
        ),
        Column("contract_id", "text", "Contract that grants the price; empty for list prices."),
        Column("unit_price", "numeric(38,18)", "Price as found, in pricing_currency per pricing_quantity units."),
        Column("pricing_currency", "text", "ISO 4217 code of the price as found."),
        Column(
            "pricing_quantity",
            "bigint",
            "How many units the price as found is for: 1, 1000 or 1000000; 60 or 3600 of seconds.",
            unit="units",
        ),
        Column(
            "usd_per_million",
            "numeric(38,12)",
            "The same price per million units in USD, rounded to 12 decimals at ingest; for token meters: USD per million tokens. Null for another currency: core.rate_card converts it at the rate of each day (core.fx_rate).",
            nullable=True,
            unit=_UNIT_RATE,
        ),
        Column("valid_from", "timestamptz", "Instant from which the price held; -infinity is written as 0001-01-01."),
        Column("valid_to", "timestamptz", "Instant at which it stopped to hold; null while open.", nullable=True),
        Column(
            "date_basis",
            "text",
            "How valid_from is known: documented, announced, first_observed or unknown.",
            accepted=("documented", "announced", "first_observed", "unknown"),
        ),
        Column(
            "recorded_at", "timestamptz", "When we first believed this row: observed_at of the snapshot that said so."
        ),
        Column(
            "superseded_at",
            "timestamptz",
            "When a later snapshot made us believe otherwise; null while believed.",
            nullable=True,
        ),
        Column(
            "supersede_reason",
            "text",
            "changed, corrected, retracted or source_removed.",
            nullable=True,
            accepted=("changed", "corrected", "retracted", "source_removed"),
        ),
        Column("snapshot_id", "uuid", "Evidence: the file that said so first (raw.snapshot)."),
        Column("source_locator", "text", "Place in the file: a JSON pointer, or table and row."),
        Column("extracted_text", "text", "The price as it stands in the file."),
        Column("parser_version", "text", "Version of the parser that read it."),
    ),
    ("price_id",),
)

RATE_CARD = Table(
    "core",
    "rate_card",
    "Wide price list derived from core.price by precedence: the rates that apply together to one request.",
    "one row per provider, model, service tier, region, daily window, contract, context tier and period",
    (
        Column(
            "rate_id",
            "uuid",
            "Hash of conditions, start and rates, so that it stays when the period ends: the id that core.request.rate_id names.",
        ),
        Column("provider_id", "text", "Who sells the call."),
        Column("model_id", "text", "Canonical model."),
        Column("service_tier", "text", "standard, batch, flex, priority or fast.", accepted=SERVICE_TIERS),
        Column("region", "text", "Region; empty where the rates hold everywhere."),
        Column("time_window", "text", "Hours of the day, as in core.price; empty for all day."),
        Column("contract_id", "text", "Contract that grants at least one of the rates; empty for list prices."),
        Column(
            "context_from_tokens",
            "bigint",
            "Smallest prompt, in tokens and inclusive, to which the row applies.",
            unit="tokens",
        ),
        Column(
            "context_to_tokens",
            "bigint",
            "Prompt size, exclusive, at which the row stops to apply; null for no bound.",
            nullable=True,
            unit="tokens",
        ),
        Column("valid_from", "timestamptz", "Start of validity, inclusive."),
        Column("valid_to", "timestamptz", "End of validity, exclusive; null while open.", nullable=True),
        *(
            Column(
                m.rate_column,
                "numeric(38,12)",
                f"Rate for {m.description}.",
                nullable=True,
                unit="USD per million tokens",
            )
            for m in TOKEN_METERS
        ),
        *(
            Column(m.rate_column, "numeric(38,12)", f"Rate for {m.description}.", nullable=True, unit=_UNIT_RATE)
            for m in FEE_METERS
        ),
        Column("price_ids", "jsonb", "Object of meter to price_id: the ledger rows that the rates come from."),
        Column(
            "fallbacks",
            "jsonb",
            "Object of meter to the meter whose rate it took because its own is not published; service_tier to standard where no price of the tier is known.",
        ),
        Column(
            "exchange_rates",
            "jsonb",
            "Object of currency to fx_rate_id, for rates converted from prices in other currencies; null instead of an id where no exchange rate is known, and then the row has no rates.",
        ),
        Column(
            "marginal",
            "jsonb",
            "Object of meter>n to the rate for those of a request's tokens of that meter that are above n; empty for most.",
            unit="USD per million tokens",
        ),
        Column(
            "minimum_charge_usd",
            "numeric(38,18)",
            "The least that one request costs; null where there is none.",
            nullable=True,
            unit="USD",
        ),
    ),
    ("rate_id",),
)

FX_RATE = Table(
    "core",
    "fx_rate",
    "What one unit of another currency was worth in USD on a day, as published or as fx.yaml says, and when we believed it.",
    "one row per currency, day and source, per period of belief",
    (
        Column("fx_rate_id", "uuid", "Hash of source, currency, start, rate and when it was recorded."),
        Column("currency", "text", "ISO 4217 code."),
        Column(
            "feed", "text", "Feed that published the rate, as named in fx.yaml; fx.yaml itself for a rate stated there."
        ),
        Column(
            "precedence",
            "integer",
            "Of the rates that hold at an instant the lowest wins: 0 for fx.yaml, then the feeds in its order; of one source the latest.",
        ),
        Column(
            "steps",
            "text",
            "day: used day by day; month: the rate that holds as a month begins is used for the whole of it.",
            accepted=("day", "month"),
        ),
        Column(
            "usd_per_unit",
            "numeric(38,18)",
            "USD for one unit of the currency, rounded half-even to 18 decimals.",
            unit="USD",
        ),
        Column("rate_as_found", "text", "The figures that it comes from."),
        Column("valid_from", "timestamptz", "Start of the UTC day that the rate is for."),
        Column(
            "valid_to",
            "timestamptz",
            "Instant at which it stops to hold, even where no later one is known; null while open.",
            nullable=True,
        ),
        Column(
            "recorded_at",
            "timestamptz",
            "observed_at of the first file that said so; -infinity (0001-01-01) for a rate of fx.yaml.",
        ),
        Column(
            "superseded_at",
            "timestamptz",
            "observed_at of the first later file that gives the same day another rate; null while believed.",
            nullable=True,
        ),
        Column("snapshot_id", "uuid", "Evidence: the file (raw.snapshot); null for a rate of fx.yaml.", nullable=True),
        Column("source_locator", "text", "Place in the file."),
    ),
    ("fx_rate_id",),
)

REQUEST = Table(
    "core",
    "request",
    "Request facts: every call to a model, once, in exclusive additive token buckets, with its cost.",
    "one row per request",
    (
        Column("event_date", "date", "UTC day of event_at: the partition."),
        Column(
            "request_uid",
            "uuid",
            "Hash of source and the request's own identity in that source: the same request has the same id in every file.",
        ),
        Column(
            "event_at",
            "timestamptz",
            "Instant that decides day and price: start of the call, or completion where the source logs nothing else.",
        ),
        Column("source", "text", "Request source, as named in sources.yaml."),
        Column("snapshot_id", "uuid", "File the kept record comes from (raw.snapshot)."),
        Column("line_no", "bigint", "Line of the kept record.", unit="lines"),
        Column("item_no", "integer", "Item inside the line."),
        Column("source_request_id", "text", "Id that the source or provider gave the request.", nullable=True),
        Column("session_id", "text", "Conversation, trace or session the request belongs to.", nullable=True),
        Column(
            "operation",
            "text",
            "OpenTelemetry gen_ai.operation.name: chat, text_completion, embeddings, image_generation ...",
        ),
        Column("provider_id", "text", "Who sold the call; null where neither log nor model tells.", nullable=True),
        Column("request_model", "text", "Model name as asked for or logged.", nullable=True),
        Column("response_model", "text", "Model name as answered, where logged.", nullable=True),
        Column("model_id", "text", "Canonical model; null while unresolved.", nullable=True),
        Column("resolution_method", "text", "How model_id was found (core.model_alias.method)."),
        Column("team", "text", "Team that pays; null is unattributed.", nullable=True),
        Column("project", "text", "Project.", nullable=True),
        Column("environment", "text", "Environment, for example production.", nullable=True),
        Column("application", "text", "Application or service.", nullable=True),
        Column("end_user_id", "text", "End user, as logged or as a keyed hash.", nullable=True),
        Column(
            "tags", "jsonb", "Further attribution as an object of strings; never adds a second cost.", nullable=True
        ),
        Column(
            "service_tier",
            "text",
            "Tier that served the call: standard, batch, flex, priority or fast.",
            accepted=SERVICE_TIERS,
        ),
        Column("region", "text", "Region or inference geography; empty where not logged."),
        Column("is_stream", "boolean", "Whether the answer was streamed.", nullable=True),
        Column(
            "status",
            "text",
            "ok, error, cancelled or cache_hit (answered by the gateway's own cache).",
            accepted=("ok", "error", "cancelled", "cache_hit"),
        ),
        Column("http_status", "integer", "HTTP status of the call.", nullable=True),
        Column("finish_reason", "text", "Why generation stopped.", nullable=True),
        Column("latency_ms", "double precision", "Duration of the call.", nullable=True, unit="ms"),
        Column("ttft_ms", "double precision", "Time to the first token.", nullable=True, unit="ms"),
        *(Column(m.tokens_column, "integer", f"Tokens: {m.description}.", unit="tokens") for m in TOKEN_METERS),
        Column("web_search_count", "integer", "Web searches that the provider ran.", unit="searches"),
        Column(
            "token_semantics", "text", "Rule that turned the source's usage into buckets, for example openai_inclusive."
        ),
        Column(
            "usage_basis",
            "text",
            "reported, estimated, partial or missing.",
            accepted=("reported", "estimated", "partial", "missing"),
        ),
        Column(
            "is_billable",
            "boolean",
            "False where the source's billing rule makes the call free (gateway cache hit, failed call).",
        ),
        Column(
            "reported_cost_usd",
            "numeric(38,18)",
            "Cost that the gateway or provider logged; kept for reconciliation, never used as ours.",
            nullable=True,
            unit="USD",
        ),
        Column("rate_id", "uuid", "Rate card row that priced the request; null where unpriced or free.", nullable=True),
        Column(
            "list_cost_usd",
            "numeric(38,18)",
            "Cost at list price (FOCUS ListCost); null where it can't be known.",
            nullable=True,
            unit="USD",
        ),
        Column(
            "contracted_cost_usd",
            "numeric(38,18)",
            "Cost at contracted price (FOCUS ContractedCost); list where no contract applies.",
            nullable=True,
            unit="USD",
        ),
        Column(
            "effective_cost_usd",
            "numeric(38,18)",
            "Cost after all discounts (FOCUS EffectiveCost).",
            nullable=True,
            unit="USD",
        ),
        Column(
            "unpriced_reason",
            "text",
            "Why cost is null: model_unresolved, provider_unknown, no_price, no_price_at_time, no_rate_for_meter, no_exchange_rate, usage_missing.",
            nullable=True,
            accepted=UNPRICED_REASONS,
        ),
    ),
    ("event_date", "request_uid"),
    day_column="event_date",
    range_partitioned=True,
)

BENCHMARK = Table(
    "core",
    "benchmark",
    "What is measured: one benchmark, its metric, unit and direction.",
    "one row per benchmark",
    (
        Column("benchmark_id", "text", "Canonical id, for example lmarena_text or aider_polyglot."),
        Column("display_name", "text", "Name for people."),
        Column("metric_kind", "text", "accuracy, elo, index, error_rate ..."),
        Column("unit", "text", "percent, elo, points ..."),
        Column("lower_is_better", "boolean", "Direction of the metric."),
        Column("min_score", "double precision", "Smallest possible score.", nullable=True),
        Column("max_score", "double precision", "Largest possible score.", nullable=True),
    ),
    ("benchmark_id",),
)

BENCHMARK_VERSION = Table(
    "core",
    "benchmark_version",
    "A version of a benchmark inside which scores may be compared: same items, same scale.",
    "one row per benchmark, version and scale epoch",
    (
        Column("benchmark_version_id", "text", "benchmark_id@version#epoch."),
        Column("benchmark_id", "text", "Benchmark (core.benchmark)."),
        Column("version_label", "text", "Version, release, window or category as the source names it."),
        Column("scale_epoch", "integer", "Counts re-anchorings of the scale, from 0."),
        Column("n_items", "integer", "Items in the benchmark.", nullable=True, unit="items"),
        Column("valid_from", "date", "First day on which a score of this version was seen."),
    ),
    ("benchmark_version_id",),
)

BENCHMARK_SCORE = Table(
    "core",
    "benchmark_score",
    "What each leaderboard said about a model's score, when it held and when we believed it. Never overwritten.",
    "one row per board, source row, benchmark version and period of belief",
    (
        Column("score_id", "uuid", "Hash of every identifying column."),
        Column("board", "text", "Leaderboard export, as named in sources.yaml."),
        Column("benchmark_version_id", "text", "What was measured (core.benchmark_version)."),
        Column("source_row_key", "text", "Key of the row in the source: the model name, or the run's own id."),
        Column("raw_model", "text", "Model name as the source writes it."),
        Column("model_id", "text", "Canonical model; null while unresolved.", nullable=True),
        Column(
            "variant",
            "text",
            "What distinguishes this entry of the model: effort, thinking, date, edit format; empty for none.",
        ),
        Column("score", "double precision", "The score, in the benchmark's unit."),
        Column("score_text", "text", "The score as it stands in the file."),
        Column("n_items", "integer", "Items scored.", nullable=True, unit="items"),
        Column("n_success", "integer", "Items solved.", nullable=True, unit="items"),
        Column("n_trials", "integer", "Trials per item.", nullable=True, unit="trials"),
        Column("stderr", "double precision", "Standard error, in the benchmark's unit.", nullable=True),
        Column("ci_low", "double precision", "Lower bound of the interval.", nullable=True),
        Column("ci_high", "double precision", "Upper bound of the interval.", nullable=True),
        Column("ci_level", "double precision", "Level of the interval, for example 0.95.", nullable=True, unit="share"),
        Column(
            "ci_method",
            "text",
            "reported, wilson, bootstrap or none.",
            accepted=("reported", "wilson", "bootstrap", "none"),
        ),
        Column("votes", "bigint", "Votes behind the score.", nullable=True, unit="votes"),
        Column("run_cost_usd", "numeric(38,18)", "What the evaluation run cost.", nullable=True, unit="USD"),
        Column("run_input_tokens", "bigint", "Input tokens of the run.", nullable=True, unit="tokens"),
        Column("run_output_tokens", "bigint", "Output tokens of the run.", nullable=True, unit="tokens"),
        Column(
            "measured_by",
            "text",
            "vendor, independent, community or aggregator.",
            accepted=("vendor", "independent", "community", "aggregator"),
        ),
        Column(
            "as_of", "date", "Day on which the source says the score held; the snapshot's day where it does not say."
        ),
        Column("observed_at", "timestamptz", "When we first believed this row."),
        Column(
            "superseded_at", "timestamptz", "When a later snapshot said otherwise; null while believed.", nullable=True
        ),
        Column(
            "supersede_reason",
            "text",
            "revised, removed, renamed or rebased.",
            nullable=True,
            accepted=("revised", "removed", "renamed", "rebased"),
        ),
        Column("snapshot_id", "uuid", "Evidence: the file that said so first."),
        Column("source_locator", "text", "Place in the file."),
        Column(
            "harness",
            "text",
            "What ran the evaluation, with its version, where the source says so: a library, an agent, a scaffold.",
            nullable=True,
        ),
        Column(
            "weights",
            "text",
            "open or closed, where the source says so by a flag or a licence; the gap uses it for models that are not known otherwise.",
            nullable=True,
            accepted=("open", "closed"),
        ),
        Column(
            "resolution_method",
            "text",
            "How the model was resolved, as core.model_alias names it; variant_suffix where only a part of the entry's name did.",
            nullable=True,
        ),
        Column(
            "resolution_confidence",
            "double precision",
            "1 for an exact or declared name, less where something was left out, 0 while unresolved.",
            nullable=True,
            unit="share",
        ),
    ),
    ("score_id",),
)

CORE_TABLES = (MODEL, MODEL_ALIAS, PRICE, RATE_CARD, FX_RATE, REQUEST, BENCHMARK, BENCHMARK_VERSION, BENCHMARK_SCORE)
