"""Tables of schema `mart` on prices: what a corrected price restates, what changed, and where feeds disagree.

The ledger they rest on is in `core_prices.py`; spend is in `mart.py`.
"""

from __future__ import annotations

from pipelines.warehouse.tables.core_prices import PRICE
from pipelines.warehouse.tables.spec import Column, Table

RESTATEMENT_REASONS = (
    "changed",
    "corrected",
    "retracted",
    "source_removed",
    "new_price",
    "model_resolved",
    "exchange_rate",
    "discount",
    "known_later",
    "other",
)
"""Why a booked cost is another one now; what each means is in docs/rerate.md."""

COST_RESTATEMENT = Table(
    "mart",
    "cost_restatement",
    "What loaded days would cost, or were restated to cost, under what is known at another time: who moved, by how much, because of which price.",
    "one row per restatement, day, provider and model before and after, meter, price row before and after, and reason",
    (
        Column("line_id", "uuid", "Hash of every identifying column."),
        Column(
            "restatement_id",
            "uuid",
            "The run: hash of its days, of what was known, of its lines and of how many applied restatements came before.",
        ),
        Column("event_date", "date", "UTC day of the requests."),
        Column("provider_id", "text", "Who sold the calls, as known after; unknown where no log names it."),
        Column("provider_id_before", "text", "Who sold them as booked before; unknown where no log names it."),
        Column(
            "model_id", "text", "Canonical model after; for unresolved names: 'unresolved: ' and the name as logged."
        ),
        Column("model_id_before", "text", "Canonical model as booked before, written the same way."),
        Column(
            "meter",
            "text",
            "Meter whose cost moved; empty for what concerns the request as a whole or can't be split by meter.",
        ),
        Column(
            "reason",
            "text",
            "changed, corrected, retracted, source_removed, new_price, model_resolved, exchange_rate, discount, known_later or other.",
            accepted=RESTATEMENT_REASONS,
        ),
        Column(
            "requests",
            "bigint",
            "Requests whose cost the line moves; one request may be on several lines, one per meter.",
            unit="requests",
        ),
        Column(
            "cost_before_usd",
            "numeric(38,18)",
            "Effective cost before; null where it was not known.",
            nullable=True,
            unit="USD",
        ),
        Column(
            "cost_after_usd",
            "numeric(38,18)",
            "Effective cost after; null where it can't be known.",
            nullable=True,
            unit="USD",
        ),
        Column(
            "delta_usd",
            "numeric(38,18)",
            "After less before, an unknown cost counted as 0: adds up to the difference of the sums over core.request.",
            unit="USD",
        ),
        Column(
            "list_delta_usd", "numeric(38,18)", "The same for list cost, which a contract does not move.", unit="USD"
        ),
        Column(
            "usd_per_million_before",
            "numeric(38,12)",
            "Rate before, in USD.",
            nullable=True,
            unit="USD per million units",
        ),
        Column(
            "usd_per_million_after",
            "numeric(38,12)",
            "Rate after, in USD.",
            nullable=True,
            unit="USD per million units",
        ),
        Column("price_id_before", "uuid", "Row of core.price that the booked rate came from.", nullable=True),
        Column("price_id_after", "uuid", "Row of core.price that the new rate comes from.", nullable=True),
        Column("feed_before", "text", "Feed of the price before.", nullable=True),
        Column("feed_after", "text", "Feed of the price after.", nullable=True),
        Column("snapshot_id_before", "uuid", "File that stated the price before (raw.snapshot).", nullable=True),
        Column("snapshot_id_after", "uuid", "File that states the price after (raw.snapshot).", nullable=True),
        Column(
            "known_at_before",
            "timestamptz",
            "Newest state of the ledger that still held the booked rate; null where there was none or it is no longer found.",
            nullable=True,
        ),
        Column(
            "known_at_after",
            "timestamptz",
            "What the new cost was known at: the instant asked for, or the ledger's last change.",
        ),
        Column("is_closed", "boolean", "Whether the day was closed when the restatement was made."),
        Column(
            "applied_at",
            "timestamptz",
            "When core.request was restated; null while this is only a proposal. The one column that two equal runs differ in.",
            nullable=True,
        ),
        Column("explanation", "text", "The line in one plain sentence."),
    ),
    ("line_id",),
    day_column="event_date",
    is_act=True,
)

_SKU = tuple(
    PRICE.column(name)
    for name in (
        "provider_id",
        "model_id",
        "meter",
        "unit",
        "service_tier",
        "region",
        "context_from_tokens",
        "context_bound",
        "context_scope",
        "context_counts",
        "time_window",
        "contract_id",
        "reasoning_mode",
    )
)

PRICE_CHANGE = Table(
    "mart",
    "price_change",
    "The history of prices as people read it: every change from one price to another that is believed now, and how much of our spend it touches.",
    "one row per feed, seller, model, meter, conditions and change",
    (
        Column("change_id", "uuid", "Hash of the two price rows."),
        PRICE.column("feed"),
        *_SKU,
        PRICE.column("context_to_tokens"),
        Column("pricing_currency", "text", "Currency of both prices."),
        Column(
            "price_before",
            "numeric(38,12)",
            "Earlier price per million units.",
            unit="pricing_currency per million units",
        ),
        Column(
            "price_after", "numeric(38,12)", "Later price per million units.", unit="pricing_currency per million units"
        ),
        Column(
            "change_share",
            "double precision",
            "Later less earlier over earlier; null from zero.",
            nullable=True,
            unit="share",
        ),
        Column("valid_from", "timestamptz", "Instant from which the later price holds."),
        PRICE.column("date_basis"),
        Column(
            "learnt_at",
            "timestamptz",
            "When the later price was first believed: before valid_from for an announced one.",
        ),
        Column(
            "is_used",
            "boolean",
            "True where the later price stands in a rate card; false where another feed's price is used instead.",
        ),
        Column(
            "spend_30d_usd",
            "numeric(38,18)",
            "What the 30 newest days of requests cost by the prices of this seller, model, meter and conditions.",
            unit="USD",
        ),
        Column(
            "spend_30d_share",
            "double precision",
            "The same as a share of all priced spend of those days; null without any.",
            nullable=True,
            unit="share",
        ),
        Column("price_id_before", "uuid", "Earlier price (core.price)."),
        Column("price_id_after", "uuid", "Later price (core.price)."),
        Column("summary", "text", "The change in one plain sentence."),
    ),
    ("change_id",),
)

PRICE_CONFLICT = Table(
    "mart",
    "price_conflict",
    "Prices on which feeds disagree by more than one in a hundred at the end of the newest loaded day, what that is worth on our own traffic, and how it was decided.",
    "one row per seller, model, meter and conditions",
    (
        *_SKU,
        Column("as_of", "timestamptz", "Instant at which the prices are compared."),
        Column("usd_used", "numeric(38,12)", "Price that is charged by.", unit="USD per million units"),
        Column("feed_used", "text", "Feed that it comes from."),
        Column("usd_lowest", "numeric(38,12)", "Lowest price of all feeds.", unit="USD per million units"),
        Column("usd_highest", "numeric(38,12)", "Highest price of all feeds.", unit="USD per million units"),
        Column(
            "spread_share",
            "double precision",
            "Highest less lowest over lowest; null where the lowest is zero.",
            nullable=True,
            unit="share",
        ),
        Column("prices", "jsonb", "Object of feed to USD per million units, in order of precedence."),
        Column(
            "quantity_30d",
            "bigint",
            "Units that the 30 newest days of requests used under these conditions.",
            unit="units",
        ),
        Column(
            "at_stake_30d_usd",
            "numeric(38,18)",
            "What those units would cost at the highest price less what they would cost at the lowest.",
            unit="USD",
        ),
        Column("decided_by", "text", "Why feed_used won."),
        Column("summary", "text", "The disagreement in one plain sentence."),
    ),
    tuple(column.name for column in _SKU if column.name != "unit"),
)

MART_PRICE_TABLES = (COST_RESTATEMENT, PRICE_CHANGE, PRICE_CONFLICT)
