"""Tables of schema `core` on routing: a day's routable traffic as sums, and its cost on every model that may serve it.

They are what a month of projections is added up from (`pipelines.routing.kept`). What is projected is in `mart_routing.py`.
"""

from __future__ import annotations

from pipelines.warehouse.tables.spec import Column, Table

LAGS = 8
"""How many requests of a session back a prompt that is still cached is looked for."""

_GROUP = (
    Column("is_loop", "boolean", "Whether they are an agent's loop."),
    Column("lane", "text", "What the policies distinguish: the needs and rules that hold, each followed by a bar."),
    Column("bucket", "smallint", "Group of whole sessions by hash, 0 to 31."),
)

ROUTING_TRAFFIC = Table(
    "core",
    "routing_traffic",
    "Requests of a day by what decides how they can be routed: a month of projections is the sum of such days.",
    "one row per day, whether priced, who served them, group, use case and reason for being left out",
    (
        Column("event_date", "date", "UTC day."),
        Column("is_priced", "boolean", "Whether what the requests did cost is known."),
        Column("provider_id", "text", "Who served them; empty where not known."),
        Column("model_id", "text", "Model that they ran on, or unresolved."),
        *_GROUP,
        Column("use_case", "text", "Application, else team."),
        Column("left_out", "text", "Why no policy moves them; empty where one can."),
        Column("requests", "bigint", "Requests.", unit="requests"),
        Column("actual_usd", "numeric(38,18)", "What they did cost; 0 where not priced.", unit="USD"),
        Column("config_id", "text", "Hash of what routing.yaml distinguishes: another one is added up anew."),
    ),
    ("event_date", "is_priced", "provider_id", "model_id", "is_loop", "lane", "bucket", "use_case", "left_out"),
    day_column="event_date",
)

_PARTS = (
    ("own", "what already ran there, at its own cost"),
    ("input", "input at the recorded tokens, cache reads and writes at their own rates"),
    ("output", "output at the recorded tokens"),
    ("fees", "fees per request"),
    ("lost_gap", "what no cache at all would add"),
    ("sessionless_gap", "what cache reads without a session would add if none hit"),
    *(
        (f"gap_reuse_{lag}", f"what reads of a prompt {lag} requests back would add if none hit")
        for lag in range(1, LAGS + 1)
    ),
)

ROUTING_COST = Table(
    "core",
    "routing_cost",
    "What the requests of core.routing_traffic would cost on each model that may serve them, in parts that add up.",
    "one row per day, whether priced, seller and model, group, and reason why it has no price",
    (
        Column("event_date", "date", "UTC day."),
        Column("is_priced", "boolean", "Whether what the requests did cost is known."),
        Column("provider_id", "text", "Seller that would serve them."),
        Column("model_id", "text", "Model that would serve them."),
        Column("ran_model_id", "text", "Model that they ran on; empty where there is no price."),
        *_GROUP,
        Column("not_priced", "text", "Why some requests have no price there; empty where all have."),
        Column("requests", "bigint", "Requests without a price for that reason.", nullable=True, unit="requests"),
        *(
            Column(
                name,
                "numeric(38,18)",
                f"USD: {words}; null where there is no price.",
                nullable=True,
                unit="USD",
                is_signed=True,
            )
            for name, words in _PARTS
        ),
    ),
    ("event_date", "is_priced", "provider_id", "model_id", "ran_model_id", "is_loop", "lane", "bucket", "not_priced"),
    day_column="event_date",
)

PARTS = tuple(name for name, _ in _PARTS)
"""The parts of a cost, each in USD."""
CORE_ROUTING_TABLES = (ROUTING_TRAFFIC, ROUTING_COST)
