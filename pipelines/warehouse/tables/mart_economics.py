"""Tables of schema `mart` on what a unit of use costs, and on use that could have cost less.

The charges that their sums agree with are in `mart_charges.py`.
"""

from __future__ import annotations

from pipelines.warehouse.tables.spec import Column, Table


def _usd(name: str, description: str) -> Column:
    return Column(name, "numeric(38,18)", description, nullable=True, unit="USD")


UNIT_COST = Table(
    "mart",
    "unit_cost",
    "What a request, a session, a user and a successful outcome cost. Spend on calls that failed or were cancelled is in every "
    "cost, so a retried call costs its outcome all its attempts.",
    "one row per day, dimension and value of the dimension; the rows of each dimension share out the day",
    (
        Column("event_date", "date", "UTC day."),
        Column(
            "dimension",
            "text",
            "What the row is one of; all is the whole day.",
            accepted=("all", "application", "team", "project", "model"),
        ),
        Column(
            "dimension_value", "text", "The application, team, project or model as in mart.daily_charge; empty for all."
        ),
        Column("requests", "bigint", "Requests, billable or not.", unit="requests"),
        Column(
            "unpriced_requests",
            "bigint",
            "Requests whose cost is not known; they are in no cost per unit.",
            unit="requests",
        ),
        Column(
            "successes",
            "bigint",
            "Successful outcomes: requests of status ok or cache_hit whose cost is known.",
            unit="requests",
        ),
        Column(
            "sessions", "bigint", "Sessions with a known cost on the day; 0 where no log names any.", unit="sessions"
        ),
        Column("users", "bigint", "End users with a known cost on the day; 0 where no log names any.", unit="users"),
        _usd("effective_cost_usd", "Sum of effective cost; null where no request of the row is priced."),
        _usd("unsuccessful_cost_usd", "The part of effective_cost_usd for calls that failed or were cancelled."),
        _usd("session_cost_usd", "The part of effective_cost_usd for calls that belong to a session."),
        _usd("user_cost_usd", "The part of effective_cost_usd for calls that name their end user."),
        _usd("usd_per_request", "Effective cost per request with a known cost."),
        _usd("usd_per_thousand_requests", "Effective cost per thousand such requests."),
        _usd("usd_per_session", "session_cost_usd per session; null where there is none."),
        _usd("usd_per_user", "user_cost_usd per end user; null where there is none."),
        _usd("usd_per_success", "Effective cost, that of unsuccessful calls included, per successful outcome."),
        _usd(
            "usd_per_success_low",
            "Lower end of the 95 % interval of usd_per_success: Fieller's, over sessions; a call without one stands for itself.",
        ),
        _usd("usd_per_success_high", "Upper end of that interval."),
        Column(
            "not_computed_reason",
            "text",
            "Why usd_per_success is null (nothing_priced, no_success), or its interval alone: few_sessions, below 30 sessions and "
            "single calls; few_successes, so few that the upper end is not bounded.",
            nullable=True,
            accepted=("nothing_priced", "no_success", "few_sessions", "few_successes"),
        ),
    ),
    ("event_date", "dimension", "dimension_value"),
    day_column="event_date",
)

FINDINGS = ("failed", "cache_unread", "cache_miss", "context_bound", "could_wait")
"""Kinds of waste. A request counts for the first one that it is."""

WASTE = Table(
    "mart",
    "waste",
    "Requests that could have cost less, each with what it would have saved: sums by finding and team are the work list of "
    "`modelmeter waste`, and no cost is in two of them.",
    "one row per request that saves something",
    (
        Column("event_date", "date", "UTC day."),
        Column("request_uid", "uuid", "The request (core.request)."),
        Column(
            "finding",
            "text",
            "failed: billed although it failed or was cancelled; cache_unread: wrote a cache that nobody read in its life; cache_miss: "
            "paid again for a prompt that its session had in the cache; context_bound: just past the bound of a higher rate; "
            "could_wait: at a dearer tier than a rule of waste.yaml asks for.",
            accepted=FINDINGS,
        ),
        Column("team", "text", "Team that pays, or unattributed: the owner."),
        Column("provider_id", "text", "Who sold the call."),
        Column("model_id", "text", "Canonical model."),
        Column("cost_usd", "numeric(38,18)", "Effective cost of the request.", unit="USD"),
        Column("saving_usd", "numeric(38,18)", "The part of it that would not have been paid.", unit="USD"),
    ),
    ("event_date", "request_uid"),
    day_column="event_date",
)

DEARER_SELLER = Table(
    "mart",
    "dearer_seller",
    "Calls that the same model at another seller would have answered for less, at that seller's list price of the day. Requests that are in "
    "mart.waste are not in it.",
    "one row per day, seller, model, tier, region, team and cheapest other seller",
    (
        Column("event_date", "date", "UTC day."),
        Column("provider_id", "text", "Who sold the calls."),
        Column("model_id", "text", "Canonical model, the same at both sellers."),
        Column("service_tier", "text", "Tier that served the calls, the same at both."),
        Column(
            "region", "text", "Region of the calls; empty where not logged. The other price holds in it or everywhere."
        ),
        Column("team", "text", "Team that pays, or unattributed: the owner."),
        Column("cheaper_provider_id", "text", "Who asks least for the same model."),
        Column("requests", "bigint", "Requests.", unit="requests"),
        Column("cost_usd", "numeric(38,18)", "Their effective cost.", unit="USD"),
        Column("saving_usd", "numeric(38,18)", "Their cost less that at the other seller.", unit="USD"),
    ),
    ("event_date", "provider_id", "model_id", "service_tier", "region", "team", "cheaper_provider_id"),
    day_column="event_date",
)

SERVED_MODEL_CHANGE = Table(
    "mart",
    "served_model_change",
    "Calls that another model answered than was asked (a retired name that its seller redirects, a fallback of a gateway), with what the "
    "same usage would have cost on the asked model. Spend counts the model that answered.",
    "one row per day, seller, model that was asked and model that answered",
    (
        Column("event_date", "date", "UTC day."),
        Column("provider_id", "text", "Who sold the calls."),
        Column("asked_model_id", "text", "What the name in the requests means at this seller."),
        Column("served_model_id", "text", "The model that answered; its prices are in the spend."),
        Column(
            "known_from",
            "text",
            "answer: the answers name it; models.yaml: only a redirect of models.yaml does.",
            accepted=("answer", "models.yaml"),
        ),
        Column("requests", "bigint", "Calls.", unit="requests"),
        Column(
            "uncompared_requests",
            "bigint",
            "Those that have no cost on one of the two models; they are in no cost of the row.",
            unit="requests",
        ),
        _usd("served_cost_usd", "Effective cost of the others, as booked; null where there is none."),
        _usd("asked_cost_usd", "What they would have cost on the asked model, by its prices of the same moments."),
        Column(
            "difference_usd",
            "numeric(38,18)",
            "served_cost_usd less asked_cost_usd: above zero where the other model is dearer.",
            nullable=True,
            unit="USD",
            is_signed=True,
        ),
    ),
    ("event_date", "provider_id", "asked_model_id", "served_model_id"),
    day_column="event_date",
)
