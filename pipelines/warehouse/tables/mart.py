"""Tables of schema `mart` on spend: what finance, engineers and analysts read, one question per table.

Those with `built_by="dbt"` are SQL models in `dbt_like/`. The facts they rest on are in `core.py`; the tables on prices
and on quality are in `mart_prices.py`, `mart_benchmarks.py` and `mart_behaviour.py`.
"""

from __future__ import annotations

from pipelines.meters import TOKEN_METERS
from pipelines.warehouse.tables.core import OPENNESS, UNPRICED_REASONS
from pipelines.warehouse.tables.spec import Column, Table

_DAY = Column("event_date", "date", "UTC day.")
_COUNTS = (
    Column("requests", "bigint", "Requests, billable or not.", unit="requests"),
    Column("priced_requests", "bigint", "Requests with a known cost, free ones included.", unit="requests"),
    Column(
        "unpriced_requests",
        "bigint",
        "Requests whose cost is not known; their spend is missing from the sums.",
        unit="requests",
    ),
    Column("input_tokens", "bigint", "All input tokens: the sum of the input buckets.", unit="tokens"),
    Column("output_tokens", "bigint", "All output tokens: the sum of the output buckets.", unit="tokens"),
)
_COSTS = (
    Column(
        "list_cost_usd",
        "numeric(38,18)",
        "Sum of list cost; null where no request of the row is priced.",
        nullable=True,
        unit="USD",
    ),
    Column("contracted_cost_usd", "numeric(38,18)", "Sum of contracted cost.", nullable=True, unit="USD"),
    Column("effective_cost_usd", "numeric(38,18)", "Sum of effective cost.", nullable=True, unit="USD"),
    Column(
        "logged_only_cost_usd",
        "numeric(38,18)",
        "Sum of the costs that logs state for requests which no price is known for; in no other column but "
        "reported_cost_usd.",
        nullable=True,
        unit="USD",
        is_signed=True,
    ),
)


def _spend_by(column: Column, description: str) -> Table:
    """Spend per day and one column of `staging.stg_request`."""
    return Table(
        "mart",
        f"daily_{column.name}_spend",
        description,
        f"one row per day and {column.name}",
        (_DAY, column, *_COUNTS, *_COSTS),
        (_DAY.name, column.name),
        day_column=_DAY.name,
        built_by="dbt",
    )


DAILY_MODEL_SPEND = Table(
    "mart",
    "daily_model_spend",
    "Spend per day, provider and model: what finance closes the month on.",
    "one row per day, provider and model",
    (
        _DAY,
        Column("provider_id", "text", "Who sold the calls; unknown where no log names it."),
        Column("model_id", "text", "Canonical model; for unresolved names: 'unresolved: ' and the name as logged."),
        Column("openness", "text", "open_source, open_weight, closed or unknown.", accepted=OPENNESS),
        *_COUNTS,
        *(Column(m.tokens_column, "bigint", f"Tokens: {m.description}.", unit="tokens") for m in TOKEN_METERS),
        Column(
            "reported_cost_usd",
            "numeric(38,18)",
            "Sum of the costs that gateways logged.",
            nullable=True,
            unit="USD",
            is_signed=True,
        ),
        *_COSTS,
    ),
    ("event_date", "provider_id", "model_id"),
    day_column="event_date",
    built_by="dbt",
)

DAILY_TEAM_SPEND = _spend_by(
    Column("team", "text", "Team that pays, or unattributed."),
    "Spend per day and team; requests without a team are the visible line 'unattributed'.",
)

DAILY_PROJECT_SPEND = _spend_by(
    Column("project", "text", "Project that the requests belong to, or unattributed."),
    "Spend per day and project; requests without a project are the visible line 'unattributed'.",
)

DAILY_END_USER_SPEND = Table(
    "mart",
    "daily_end_user_spend",
    "Spend per day and end user; calls that name none are the visible line 'unattributed'.",
    "one row per day and end user",
    (
        _DAY,
        Column("end_user", "text", "End user as in core.request, or unattributed."),
        *(column for column in _COUNTS if column.name in {"requests", "unpriced_requests"}),
        *(column for column in _COSTS if column.name in {"list_cost_usd", "effective_cost_usd"}),
    ),
    (_DAY.name, "end_user"),
    day_column=_DAY.name,
)

DAILY_TAG_SPEND = Table(
    "mart",
    "daily_tag_spend",
    "Spend per day and tag. A request with several tags is shared evenly among them, so that the costs of all tags are the day's.",
    "one row per day and tag; untagged for requests without one",
    (
        _DAY,
        Column("tag", "text", "Tag as the log has it (LiteLLM request_tags, Langfuse tags), or untagged."),
        Column(
            "requests_tagged",
            "bigint",
            "Requests with the tag. One with several tags is in several rows: these do not add up.",
            unit="requests",
        ),
        Column("unpriced_requests", "bigint", "Those of them whose cost is not known.", unit="requests"),
        Column(
            "effective_cost_usd",
            "numeric(38,18)",
            "The tag's share of effective cost; null where nothing is priced.",
            nullable=True,
            unit="USD",
        ),
    ),
    (_DAY.name, "tag"),
    day_column=_DAY.name,
    built_by="dbt",
)

DAILY_ITEM_SPEND = Table(
    "mart",
    "daily_item_spend",
    "Spend per day and item, of all and of each team, project and cost centre. An item is what has a unit price: seller, model, tier, "
    "region and meter. Pages that compare days read it in place of the charges.",
    "one row per day, dimension, value of the dimension and item; the rows of each dimension share out the day",
    (
        _DAY,
        Column(
            "dimension",
            "text",
            "What the row is of one of; all is the whole day.",
            accepted=("all", "team", "project", "cost_centre"),
        ),
        Column("dimension_value", "text", "The team, project or cost centre as in mart.daily_charge; empty for all."),
        Column("provider_id", "text", "Who sold the calls."),
        Column("model_id", "text", "Canonical model, or the unresolved name."),
        Column("service_tier", "text", "Tier that served the calls, as logged."),
        Column("region", "text", "Region or inference geography; empty where not logged."),
        Column("meter", "text", "What is counted, as in mart.daily_charge."),
        Column("quantity", "bigint", "Units used; null for rest.", nullable=True, unit="units"),
        Column(
            "priced_quantity",
            "bigint",
            "Those of them whose cost is known; null where there is none.",
            nullable=True,
            unit="units",
        ),
        *(
            Column(f"{name}_cost_usd", "numeric(38,18)", text, nullable=True, unit="USD", is_signed=True)
            for name, text in {
                "list": "Cost at list price; null where it is not known.",
                "effective": "Cost after all discounts.",
                "billed": "What the seller's invoice should hold.",
                "reported": "What gateways logged, on the lines of requests.",
            }.items()
        ),
    ),
    (_DAY.name, "dimension", "dimension_value", "provider_id", "model_id", "service_tier", "region", "meter"),
    day_column=_DAY.name,
    built_by="dbt",
)

DAILY_METER_SPEND = Table(
    "mart",
    "daily_meter_spend",
    "Charges per day, seller, model, tier and meter. mart.reconciliation compares every day with the bills, and reads it in place of the charges.",
    "one row per day, seller, model, tier and meter",
    (
        _DAY,
        Column("provider_id", "text", "Who sold the calls."),
        Column("model_id", "text", "Canonical model, or the unresolved name."),
        Column("service_tier", "text", "Tier that served the calls, as logged."),
        Column("meter", "text", "What is counted, as in mart.daily_charge."),
        Column(
            "quantity",
            "bigint",
            "Units used that have a rate or a reason for having none; null where there are none.",
            nullable=True,
            unit="units",
        ),
        Column("unpriced_quantity", "bigint", "Those of them whose cost is not known.", nullable=True, unit="units"),
        *(
            Column(f"{name}_cost_usd", "numeric(38,18)", text, nullable=True, unit="USD", is_signed=True)
            for name, text in {
                "list": "Cost at list price; null where it is not known.",
                "billed": "What the seller's invoice should hold.",
                "reported": "What gateways logged, on the lines of requests.",
            }.items()
        ),
        Column("pricing_currency", "text", "A currency that the prices were stated in.", nullable=True),
        Column("usd_per_currency", "numeric(38,18)", "The highest rate at which they were converted.", nullable=True),
        Column("charges", "bigint", "Rows of mart.daily_charge."),
    ),
    (_DAY.name, "provider_id", "model_id", "service_tier", "meter"),
    day_column=_DAY.name,
    built_by="dbt",
)

DAILY_EXPLORER_SPEND = Table(
    "mart",
    "daily_explorer_spend",
    "What reports/explore.html adds up: cost and quantity per day, seller, model, team, project, cost centre, meter and rate. On a day with "
    "more than 1,600 rows, combinations of names that cost least stand together as (others), so that the sums of a day stay exact.",
    "one row per day, seller, model, team, project, cost centre, meter and rate",
    (
        _DAY,
        Column("provider_id", "text", "Who sold the calls, or (others)."),
        Column("model_id", "text", "Canonical model, the unresolved name, or (others)."),
        Column("team", "text", "Team that pays, unattributed, or (others)."),
        Column("project", "text", "Project, unattributed, or (others)."),
        Column("cost_centre", "text", "Cost centre, unattributed, or (others)."),
        Column("meter", "text", "What is counted, as in mart.daily_charge."),
        Column(
            "rate",
            "text",
            "Contracted rate as a whole number of 1e-18 USD for a unit; unknown where the cost is. A cost that is not quantity times "
            "rate has a rate all the same: 0 where it has none.",
        ),
        Column("quantity", "bigint", "Units used; zero for rest.", unit="units"),
        Column(
            "effective_cost_usd",
            "numeric(38,18)",
            "Cost after all discounts; null where it is not known.",
            nullable=True,
            unit="USD",
            is_signed=True,
        ),
    ),
    (_DAY.name, "provider_id", "model_id", "team", "project", "cost_centre", "meter", "rate"),
    day_column=_DAY.name,
    built_by="dbt",
)

COST_COVERAGE = Table(
    "mart",
    "cost_coverage",
    "How much of a day's traffic is priced, and why the rest is not.",
    "one row per day and reason; the reason 'priced' counts what has a cost",
    (
        _DAY,
        Column(
            "reason", "text", "priced, or the unpriced_reason of core.request.", accepted=("priced", *UNPRICED_REASONS)
        ),
        Column("requests", "bigint", "Requests.", unit="requests"),
        Column("tokens", "bigint", "Input and output tokens.", unit="tokens"),
        Column("request_share", "double precision", "Share of the day's requests.", unit="share"),
        Column(
            "token_share",
            "double precision",
            "Share of the day's tokens; null on a day without tokens.",
            nullable=True,
            unit="share",
        ),
    ),
    ("event_date", "reason"),
    day_column="event_date",
    built_by="dbt",
)

SPEND_TABLES = (DAILY_MODEL_SPEND, DAILY_TEAM_SPEND, DAILY_PROJECT_SPEND, COST_COVERAGE)
"""What dbt makes of the requests: each shares out every day of core.request, so that its sums are those of the facts."""
