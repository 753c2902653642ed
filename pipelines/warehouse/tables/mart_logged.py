"""Tables of schema `mart` on what logs state: costs of their own, and names that have no price.

The report reads them in place of a day's requests; the step is `pipelines/daily/logged.py`.
"""

from __future__ import annotations

from pipelines.warehouse.tables.core import UNPRICED_REASONS
from pipelines.warehouse.tables.spec import Column, Table

_DAY = Column("event_date", "date", "UTC day.")
_SELLER = Column("provider_id", "text", "Who sold the calls; unknown where the log does not say.")
_MODEL = Column("model_id", "text", "Canonical model; unresolved where the name is not known.")


def _usd(name: str, description: str) -> Column:
    return Column(name, "numeric(38,18)", description, nullable=True, unit="USD")


LOGGED_COST = Table(
    "mart",
    "logged_cost",
    "What gateways logged as the cost of requests, against ours. Only requests that have both are compared.",
    "one row per day, seller and model that has requests, compared or not",
    (
        _DAY,
        _SELLER,
        _MODEL,
        Column("requests", "bigint", "Requests that are compared.", unit="requests"),
        Column(
            "differing_requests",
            "bigint",
            "Those whose two costs are more than half a millionth of a dollar apart.",
            unit="requests",
        ),
        _usd("reported_cost_usd", "Sum of what was logged; null where nothing is compared."),
        _usd("effective_cost_usd", "Sum of effective cost of the same requests."),
    ),
    ("event_date", "provider_id", "model_id"),
    day_column="event_date",
)

LOGGED_DIFFERENCE = Table(
    "mart",
    "logged_difference",
    "Why logs state other costs than ours, for up to 40 requests of each of the 20 models of a day that differ most.",
    "one row per day, seller, model and reason",
    (
        _DAY,
        _SELLER,
        _MODEL,
        Column("why", "text", "What gives the logged amounts, in words."),
        Column("requests", "bigint", "Requests of the sample.", unit="requests"),
        _usd("reported_cost_usd", "Sum of what was logged for them."),
        _usd("effective_cost_usd", "Sum of their effective cost."),
    ),
    ("event_date", "provider_id", "model_id", "why"),
    day_column="event_date",
)

UNPRICED_NAME = Table(
    "mart",
    "unpriced_name",
    "Requests without a price by the name that was logged, with what they may cost.",
    "one row per day, reason, source, logged name, seller and model",
    (
        _DAY,
        Column("reason", "text", "unpriced_reason of core.request.", accepted=UNPRICED_REASONS),
        Column("source", "text", "Source as in sources.yaml."),
        Column(
            "raw_name", "text", "Name of the model as logged, the answer's before the request's; empty where none is."
        ),
        Column(
            "provider_id", "text", "Who sold the calls, where a name is logged; else empty, as where it is not known."
        ),
        Column("model_id", "text", "Canonical model; empty where the name is not known."),
        Column("requests", "bigint", "Requests.", unit="requests"),
        Column("tokens", "bigint", "Their tokens, input and output.", unit="tokens"),
        _usd("reported_cost_usd", "Sum of what gateways logged for them; null where no log states a cost."),
        _usd(
            "at_risk_usd",
            "What was logged, and for tokens of requests without a logged cost the day's average cost of a token that is paid for; "
            "null where the day has no such average.",
        ),
    ),
    ("event_date", "reason", "source", "raw_name", "provider_id", "model_id"),
    day_column="event_date",
)

MART_LOGGED_TABLES = (LOGGED_COST, LOGGED_DIFFERENCE, UNPRICED_NAME)
