"""Tables of schema `core` on models and requests: the facts.

Requests are range-partitioned by UTC day. Prices and scores are in `core_prices.py` and `core_benchmarks.py`,
files in `raw.py`, marts in `mart.py` and its neighbours.
"""

from __future__ import annotations

from pipelines.meters import COUNTS, TOKEN_METERS
from pipelines.warehouse.tables.spec import Column, Table

OPENNESS = ("open_source", "open_weight", "closed", "unknown")
SERVICE_TIER_NAME = r"[a-z][a-z0-9_.-]{0,39}"
"""The pattern of a service tier. There is no list: a tier is what a log or a feed names, and standard is the plain one."""
UNPRICED_REASONS = (
    "model_unresolved",
    "provider_unknown",
    "no_price",
    "no_price_for_tier",
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

FORGOTTEN_USER = Table(
    "core",
    "forgotten_user",
    "End users who asked to be forgotten (`modelmeter forget`): what stands in their place whenever a file that still names them is loaded.",
    "one row per end user",
    (
        Column(
            "user_sha256",
            "text",
            "SHA-256 of the end user as logged, hexadecimal: whoever knows the name can find the row.",
        ),
        Column("replacement", "text", "What stands in their place; null where nothing does.", nullable=True),
        Column("forgotten_at", "timestamptz", "When it was asked for."),
    ),
    ("user_sha256",),
    is_act=True,
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
        Column(
            "provider_id",
            "text",
            "Who sold the call; null where neither the log nor the model names one.",
            nullable=True,
        ),
        Column("request_model", "text", "Model name as asked for or logged.", nullable=True),
        Column("response_model", "text", "Model name as answered, where logged.", nullable=True),
        Column("model_id", "text", "Canonical model; null while unresolved.", nullable=True),
        Column("resolution_method", "text", "How model_id was found (core.model_alias.method)."),
        Column("team", "text", "Team that pays; null is unattributed.", nullable=True),
        Column("project", "text", "Project.", nullable=True),
        Column("cost_centre", "text", "Cost centre that the cost is booked on; null is unattributed.", nullable=True),
        Column("environment", "text", "Environment, for example production.", nullable=True),
        Column("application", "text", "Application or service.", nullable=True),
        Column("end_user_id", "text", "End user, as logged or as a keyed hash.", nullable=True),
        Column(
            "tags", "jsonb", "Further attribution as an object of strings; never adds a second cost.", nullable=True
        ),
        Column(
            "service_tier",
            "text",
            "Tier that served the call, as logged: standard, batch, flex, priority, fast or any other.",
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
        *(Column(count.column, "integer", count.description, unit=count.unit) for count in COUNTS),
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
            is_signed=True,
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
            "Why cost is null: model_unresolved, provider_unknown, no_price, no_price_for_tier, no_price_at_time, no_rate_for_meter, no_exchange_rate, usage_missing.",
            nullable=True,
            accepted=UNPRICED_REASONS,
        ),
    ),
    # The day last: it is one in a partition, and an index that begins with it is built in twice the time and finds no request.
    ("request_uid", "event_date"),
    day_column="event_date",
    range_partitioned=True,
)
