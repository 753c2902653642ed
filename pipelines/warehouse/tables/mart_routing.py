"""Tables of schema `mart` on routing: what policies would have cost, per day and per month, and the frontier.

What they rest on, traffic as sums, is in `core_routing.py`.
"""

from __future__ import annotations

from pipelines.warehouse.tables.spec import Column, Table

_DAY = Column("event_date", "date", "UTC day.")
POLICY, SAME_TOKENS_DEAREST, BEST_SINGLE_CHEAP = "policy", "same_tokens_dearest", "best_single_cheap"
METHODS = (POLICY, SAME_TOKENS_DEAREST, BEST_SINGLE_CHEAP)
"""How a row is made: by the policy, or by one of the methods that every policy is shown next to. They name their own rows."""

ROUTING_PROJECTION = Table(
    "mart",
    "routing_projection",
    "What a day's traffic would have cost under a hybrid routing policy, next to what it did cost, with every assumption named.",
    "one row per day, policy, baseline and arm; arm 'total' sums the arms, and each method has a row of its name that sums nothing",
    (
        _DAY,
        Column("policy", "text", "Policy, as named in routing.yaml."),
        Column("arm", "text", "Arm of the policy, total, or the method."),
        Column(
            "method",
            "text",
            "policy; or what it is shown next to: same_tokens_dearest (the same tokens at the dearest model's prices), "
            "best_single_cheap (all traffic on the model that is best for the policy's money).",
            accepted=METHODS,
        ),
        Column("provider_id", "text", "Provider of the arm, or that the method chose; null for total.", nullable=True),
        Column("model_id", "text", "Model of the arm, or that the method chose; null for total.", nullable=True),
        Column("share", "numeric(38,18)", "Share of requests that the policy sends to the arm.", unit="share"),
        Column("requests", "double precision", "Requests that the arm would have served.", unit="requests"),
        Column("baseline", "text", "What is compared with: actual, or all traffic on a named model."),
        Column(
            "baseline_cost_usd",
            "numeric(38,18)",
            "Cost of the same share of traffic under the baseline.",
            nullable=True,
            unit="USD",
        ),
        Column(
            "projected_cost_usd",
            "numeric(38,18)",
            "Cost under the policy at the middle of the simulated worlds; null with a reason where a rate is missing.",
            nullable=True,
            unit="USD",
        ),
        Column(
            "central_cost_usd",
            "numeric(38,18)",
            "Cost with every assumption at its middle value, exact: what the waterfall reckons step by step.",
            nullable=True,
            unit="USD",
        ),
        Column("saving_usd", "numeric(38,18)", "Baseline less projected.", nullable=True, unit="USD", is_signed=True),
        Column(
            "saving_share",
            "double precision",
            "Saving as a share of the baseline: the median of the simulated worlds, so that it lies inside its intervals.",
            nullable=True,
            unit="share",
            is_signed=True,
        ),
        Column(
            "quality_retained",
            "double precision",
            "Quality as a share of the baseline's, where a score is known for every arm: the median of the simulated worlds.",
            nullable=True,
            unit="share",
        ),
        *(
            Column(
                f"{name}_{bound}",
                "double precision",
                f"{meaning}: {words}.",
                nullable=True,
                unit="share",
                is_signed=name == "saving_share",
            )
            for name, meaning in (
                ("saving_share", "Saving as a share of the baseline"),
                ("quality_retained", "Quality retained"),
            )
            for bound, words in (
                ("low_95", "lower bound of the 95 % interval"),
                ("low_50", "lower bound of the 50 % interval"),
                ("high_50", "upper bound of the 50 % interval"),
                ("high_95", "upper bound of the 95 % interval"),
            )
        ),
        *(
            Column(name, "double precision", f"{meaning}; null for an arm.", nullable=True, unit=unit)
            for name, meaning, unit in (
                ("probability_saving_85", "Probability that at least 85 % is saved", "share"),
                ("probability_quality_95", "Probability that at least 95 % of the quality is retained", "share"),
                ("probability_both", "Probability of both", "share"),
                ("quality_realised", "Quality retained with a router of realistic skill, median", "share"),
                ("quality_oracle", "Quality retained with a router that knows every outcome, median", "share"),
                ("break_even_ratio", "Factor on the tokens of all arms at which nothing is saved", "factor"),
            )
        ),
        Column("is_headline", "boolean", "Whether routing.yaml shows this policy first."),
        Column(
            "first_flip", "text", "The assumption that turns the sign of the saving first; total only.", nullable=True
        ),
        Column(
            "waterfall",
            "jsonb",
            "From the baseline's cost to the projected one in USD: price, cache, tokens, longer, second_answers, fixed, router_fee, uncertainty; total only.",
            nullable=True,
        ),
        Column(
            "quality_by_use_case",
            "jsonb",
            "Object by use case (application, else team): requests, retained, and the bounds of its 50 % and 95 % intervals; total only.",
            nullable=True,
        ),
        Column(
            "evidence_grade",
            "text",
            "A own shadow traffic, B per-item public, C leaderboard proxy, D vendor claim, E assumption.",
        ),
        Column("assumptions", "jsonb", "Object of the assumptions that the row rests on, each named, with its value."),
        Column("not_projected_reason", "text", "Why projected_cost_usd is null.", nullable=True),
    ),
    ("event_date", "policy", "baseline", "arm"),
    day_column="event_date",
)

ROUTING_MONTH = Table(
    "mart",
    "routing_month",
    "What a month's traffic so far would have cost under a hybrid routing policy: as mart.routing_projection, drawn on all its days together.",
    "one row per month, policy, baseline and arm; arm 'total' sums the arms, and each method has a row of its name that sums nothing",
    (
        Column("month", "date", "First day of the month (UTC)."),
        Column("through", "date", "Last day of the month that is loaded: scores are those known at its end."),
        Column("days", "integer", "Days of the month that are loaded.", unit="days"),
        *ROUTING_PROJECTION.columns[1:],
    ),
    ("month", "policy", "baseline", "arm"),
    day_column="month",
)

ROUTING_FRONTIER = Table(
    "mart",
    "routing_frontier",
    "The cheapest way to each level of quality: which share of a day's traffic on which model that can take it, by a linear program.",
    "one row per day and point: points on the frontier by rising quality, and each single model",
    (
        _DAY,
        Column(
            "point", "text", "frontier-01 and on by rising quality, or the model of a point that is one model alone."
        ),
        Column("is_single", "boolean", "Whether all traffic is on one model."),
        Column("is_on_hull", "boolean", "Whether no mixture is at least as good and cheaper."),
        Column("benchmark_version_id", "text", "The benchmark whose shares solved stand for quality."),
        Column(
            "requests",
            "double precision",
            "Requests that are shared out; those that no candidate can take are left out. Null for a model that can't serve all alone.",
            nullable=True,
            unit="requests",
        ),
        Column(
            "quality",
            "double precision",
            "Expected share of tasks solved; null where the model has no score.",
            nullable=True,
            unit="share",
        ),
        Column(
            "quality_retained",
            "double precision",
            "Quality as a share of what the models that ran have; null where one of them has no score.",
            nullable=True,
            unit="share",
        ),
        Column(
            "cost_usd",
            "double precision",
            "Cost of the day's routable traffic at the central ratios; null with a reason for a model that can't serve it alone.",
            nullable=True,
            unit="USD",
        ),
        Column(
            "saving_share",
            "double precision",
            "Saving as a share of what the traffic did cost; null where it cost nothing.",
            nullable=True,
            unit="share",
            is_signed=True,
        ),
        Column("shares", "jsonb", "Object of the share of requests by seller and model."),
        Column(
            "not_eligible_reason",
            "text",
            "Why the model alone is no point: what is required of it, a price or score that is missing, or requests that it can't take.",
            nullable=True,
        ),
    ),
    ("event_date", "point"),
    day_column="event_date",
)

ROUTING_MOVE = Table(
    "mart",
    "routing_move",
    "What moved a projection since the day before: the day's traffic without the event and with it.",
    "one row per day, policy, baseline, event, seller and model",
    (
        _DAY,
        Column("policy", "text", "Policy, as named in routing.yaml."),
        Column("baseline", "text", "What it is compared with."),
        Column(
            "event",
            "text",
            "price_change: a seller's prices; scores: what leaderboards say of the models; silent_change: a model behaves otherwise in the log; "
            "served_other: another model answers than was asked.",
            accepted=("price_change", "scores", "silent_change", "served_other"),
        ),
        Column("provider_id", "text", "Seller; empty where no seller is behind the event."),
        Column("model_id", "text", "Model; empty where the event is about several."),
        *(
            Column(f"{name}_{when}", kind, f"{meaning} {words}.", nullable=True, unit=unit, is_signed=True)
            for name, kind, meaning, unit in (
                ("saving_share", "double precision", "Saving as a share of the baseline,", "share"),
                ("saving_usd", "numeric(38,18)", "Saving", "USD"),
                ("quality_retained", "double precision", "Quality retained", "share"),
            )
            for when, words in (("before", "without the event"), ("after", "with it"))
        ),
        Column("explanation", "text", "The event in words."),
        Column(
            "not_computed_reason",
            "text",
            "What of it can't be computed from the log, and what mends that.",
            nullable=True,
        ),
    ),
    ("event_date", "policy", "baseline", "event", "provider_id", "model_id"),
    day_column="event_date",
)

MART_ROUTING_TABLES = (ROUTING_PROJECTION, ROUTING_MONTH, ROUTING_FRONTIER, ROUTING_MOVE)
