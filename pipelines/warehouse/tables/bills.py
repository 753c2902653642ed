"""Tables of provider bills: what was reported, when it was believed, and which records of exports only repeat it.

`pipelines.bills` fills them.
"""

from __future__ import annotations

from pipelines.meters import COUNTS, TOKEN_METERS
from pipelines.warehouse.tables.spec import Column, Table

REPORTED_COST = Table(
    "core",
    "reported_cost",
    "Usage and cost as providers report and bill them, as they wrote it: for reconciliation, never used as cost of our own. "
    "Bills get revised: a later export of a bucket replaces the earlier, and what was believed before stays readable.",
    "one row per record of a provider's bucket and period of belief",
    (
        Column("event_date", "date", "UTC day on which the bucket begins."),
        Column(
            "cost_uid",
            "uuid",
            "Hash of source, report, bucket and every dimension that the report names: the same line of the bill in every export.",
        ),
        Column("observed_at", "timestamptz", "When the first export that states it was observed."),
        Column("superseded_at", "timestamptz", "When a later export stated otherwise; null while believed.", nullable=True),
        Column(
            "supersede_reason",
            "text",
            "revised: a later export gives other counts or another amount; removed: it no longer has the line.",
            nullable=True,
            accepted=("revised", "removed"),
        ),
        Column("source", "text", "Source of the bill, as named in sources.yaml."),
        Column("snapshot_id", "uuid", "First file that states it (raw.snapshot)."),
        Column("line_no", "bigint", "Line of the record.", unit="lines"),
        Column("item_no", "integer", "Item inside the line."),
        Column("source_locator", "text", "Place in the file: a JSON pointer inside the line or document, or the line."),
        Column("bucket_from", "timestamptz", "Start of the bucket, inclusive."),
        Column("bucket_to", "timestamptz", "End of the bucket, exclusive."),
        Column("provider_id", "text", "Who reports: openai, anthropic or openrouter."),
        Column("report", "text", "Which report, in the provider's words, for example organization.costs.result."),
        Column("project_id", "text", "Project (OpenAI) or workspace (Anthropic, OpenRouter).", nullable=True),
        Column("api_key_id", "text", "Id or name of the API key, never the key.", nullable=True),
        Column("end_user_id", "text", "User of the organization, as written or as a keyed hash.", nullable=True),
        Column("raw_model", "text", "Model name as written, or as the line item names it.", nullable=True),
        Column("model_id", "text", "Canonical model; null where none is named or the name is unresolved.", nullable=True),
        Column("resolution_method", "text", "How model_id was found (core.model_alias.method)."),
        Column("line_item", "text", "Line item, description or endpoint, as written.", nullable=True),
        Column("product", "text", "Product or API that the line belongs to, as written: Anthropic's product, OpenAI's api_source.", nullable=True),
        Column("meter", "text", "What the line charges or counts, in the provider's words, for example cached input.", nullable=True),
        Column("upstream_provider", "text", "Who served the calls that a router bills.", nullable=True),
        Column("service_tier", "text", "Service tier as written, lower case; batch where a flag states it.", nullable=True),
        Column("region", "text", "Inference geography.", nullable=True),
        Column("context_window", "text", "Context window that decides the price, for example 0-200k.", nullable=True),
        *(
            Column(m.tokens_column, "bigint", f"Tokens: {m.description}; null where the report counts no tokens.", nullable=True, unit="tokens")
            for m in TOKEN_METERS
        ),
        Column("token_semantics", "text", "Rule that turned the report's counts into buckets.", nullable=True),
        Column("request_count", "bigint", "Requests.", nullable=True, unit="requests"),
        *(Column(count.column, "bigint", count.description, nullable=True, unit=count.unit) for count in COUNTS),
        Column("quantity", "numeric(38,18)", "Another quantity that the report gives, in quantity_unit.", nullable=True),
        Column("quantity_unit", "text", "images, characters, seconds, bytes, sessions, or as written.", nullable=True),
        Column("amount_text", "text", "The amount with the digits of the bill; for Anthropic's report in cents.", nullable=True),
        Column("amount", "numeric(38,18)", "The amount in units of currency; null where the report bills nothing.", nullable=True),
        Column("list_amount", "numeric(38,18)", "The amount before discounts, in units of currency, where the bill gives it.", nullable=True),
        Column("charge_category", "text", "Usage, Purchase, Tax, Credit or Adjustment (FOCUS ChargeCategory), where the bill gives it.", nullable=True),
        Column("currency", "text", "ISO 4217 code of the amount.", nullable=True),
        Column("amount_usd", "numeric(38,18)", "The amount where it is in USD.", nullable=True, unit="USD", is_signed=True),
        Column(
            "byok_cost_usd",
            "numeric(38,18)",
            "What another provider bills for the same calls on a key of your own; no part of amount.",
            nullable=True,
            unit="USD",
            is_signed=True,
        ),
    ),
    ("cost_uid", "observed_at"),
    day_column="event_date",
)  # fmt: skip

BILL_DUPLICATE = Table(
    "raw",
    "bill_duplicate",
    "Valid records of bill exports that became no row of core.reported_cost, and the row that states the same or replaced them.",
    "one row per dropped record",
    (
        Column("snapshot_id", "uuid", "File of the dropped record."),
        Column("line_no", "bigint", "Line of the dropped record.", unit="lines"),
        Column("item_no", "integer", "Item of the dropped record inside its line."),
        Column("cost_uid", "uuid", "Line of the bill (core.reported_cost)."),
        Column("kept_snapshot_id", "uuid", "File of the kept record."),
        Column("kept_line_no", "bigint", "Line of the kept record.", unit="lines"),
        Column("kept_item_no", "integer", "Item of the kept record inside its line."),
        Column(
            "rule",
            "text",
            "same_record: stated again; later_update: replaced by a record that was observed later on the same day.",
            accepted=("same_record", "later_update"),
        ),
    ),
    ("snapshot_id", "line_no", "item_no"),
)
