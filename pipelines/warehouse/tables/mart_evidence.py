"""Tables of schema `mart` on evidence: published claims computed again, and what shadow measurements show.

Projections, which rest on the evidence, are in `mart.py`.
"""

from __future__ import annotations

from pipelines.warehouse.tables.spec import Column, Table

CLAIMS_AUDIT = Table(
    "mart",
    "claims_audit",
    "Published numbers computed again, at the prices that the report cites, at true ones of its date and at today's: does the claim hold, and what makes it true?",
    "one row per claim and date basis",
    (
        Column("claim", "text", "Claim, as named in claims.yaml."),
        Column(
            "date_basis",
            "text",
            "cited: the numbers that the report itself cites; report_date: true ones at its date; today: true ones when the audit ran.",
            accepted=("cited", "report_date", "today"),
        ),
        Column("as_of", "date", "UTC day that the inputs are true for; of cited ones the report's."),
        Column("report", "text", "Who published the claim."),
        Column("about", "text", "What the number is about."),
        Column("report_lines", "text", "Lines of the report that state it."),
        Column("claimed", "text", "What is claimed: a number, a range or a text."),
        Column("unit", "text", "Unit of claimed and value; empty where it has none."),
        Column("formula", "text", "Formula, by name."),
        Column("formula_text", "text", "The formula in words; null where the name is not known.", nullable=True),
        Column("inputs", "jsonb", "List of the inputs, each with value and source; empty where one is missing."),
        Column(
            "value",
            "numeric(38,18)",
            "What the formula gives, rounded half-even to 18 decimals; null for a text, and where it can't be computed.",
            nullable=True,
        ),
        Column("value_text", "text", "The value for people; null where it can't be computed.", nullable=True),
        Column(
            "verdict",
            "text",
            "holds; conditional: only under `condition`; fails; unverified: an input is not known.",
            accepted=("holds", "conditional", "fails", "unverified"),
        ),
        Column("condition", "text", "What makes the claim true, or on what it rests.", nullable=True),
        Column("unverified_reason", "text", "Which input is missing, and the line that mends it.", nullable=True),
        Column("source", "text", "Where the correction can be read.", nullable=True),
    ),
    ("claim", "date_basis"),
)

REQUEST_REPEAT = Table(
    "mart",
    "request_repeat",
    "Answers that were asked for again: the same prompt in the same session within ten minutes, on the same model or on a dearer one.",
    "one row per day, seller and model that had requests with a session",
    (
        Column("event_date", "date", "UTC day."),
        Column("provider_id", "text", "Who sold the calls."),
        Column("model_id", "text", "Canonical model that answered first."),
        Column("requests", "bigint", "Requests with a session.", unit="requests"),
        Column(
            "retried",
            "bigint",
            "Those that were sent again on the same model, their prompt unchanged.",
            unit="requests",
        ),
        Column("could_escalate", "bigint", "Requests whose use case has a dearer model that day.", unit="requests"),
        Column("escalated", "bigint", "Requests that were asked again on a dearer model.", unit="requests"),
        Column(
            "came_down",
            "bigint",
            "Requests of dearer models that were asked again on this one: how many of escalated are chance.",
            unit="requests",
        ),
        Column("escalated_cost_usd", "numeric(38,18)", "What the dearer models took for escalated.", unit="USD"),
    ),
    ("event_date", "provider_id", "model_id"),
    day_column="event_date",
)

SHADOW_EVIDENCE = Table(
    "mart",
    "shadow_evidence",
    "What shadow measurements show: how many tokens a model takes against another for the same requests, how good its answers are, and "
    "how far a judge errs on it.",
    "one row per measure, model, model that it is held against, and judge",
    (
        Column(
            "measure",
            "text",
            "input, output or loop: tokens over those of the other model; quality: the mean score; judge_error: the judge's score less the gold one.",
            accepted=("input", "output", "loop", "quality", "judge_error"),
        ),
        Column("model_id", "text", "Model that was measured."),
        Column("against_model_id", "text", "Model that it is held against; empty where it is not held against one."),
        Column("judge", "text", "Judge whose scores count; empty without one."),
        Column("estimate", "double precision", "The ratio, the mean score or the judge's error.", nullable=True),
        Column("low_95", "double precision", "Lower bound of the 95 % interval.", nullable=True),
        Column("high_95", "double precision", "Upper bound of the 95 % interval.", nullable=True),
        Column("pairs", "bigint", "Requests that it rests on.", unit="requests"),
        Column("sessions", "bigint", "Sessions that they belong to: what is drawn together.", unit="sessions"),
        Column("method", "text", "How estimate and interval were made."),
        Column("not_used_reason", "text", "Why projections do not use it.", nullable=True),
    ),
    ("measure", "model_id", "against_model_id", "judge"),
)

ROUTING_MEASURE_NEXT = Table(
    "mart",
    "routing_measure_next",
    "What to measure next, on the newest loaded day: which shadow run narrows the headline policy's interval most, how many paired requests "
    "it takes, and what they cost at today's prices.",
    "one row per policy, baseline, measure and model",
    (
        Column("event_date", "date", "UTC day whose traffic was projected: the newest that is loaded."),
        Column("policy", "text", "Policy, as named in routing.yaml."),
        Column("baseline", "text", "What the policy is held against."),
        Column("rank", "bigint", "Place: 1 narrows most."),
        Column(
            "measure",
            "text",
            "input, output or loop: tokens against the other model (narrows the saving); quality: scores (narrows the retained quality).",
            accepted=("input", "output", "loop", "quality"),
        ),
        Column("model_id", "text", "Model to run in the shadow, or to score."),
        Column(
            "against_model_id", "text", "Model that serves most of this traffic, to be paired with; empty for quality."
        ),
        Column("width_now", "double precision", "Width of the 95 % interval now.", unit="share"),
        Column("width_known", "double precision", "Its width if the outcome were known.", unit="share"),
        Column("narrows_by", "double precision", "What knowing it is worth: the difference.", unit="share"),
        Column(
            "pairs_needed",
            "bigint",
            "Paired requests (for loop: whole tasks) after which this alone is known within 5 points; null where it can't be said.",
            nullable=True,
            unit="requests",
        ),
        Column("pairs_basis", "text", "On what pairs_needed rests, or why it is null."),
        Column(
            "cost_usd",
            "numeric(38,18)",
            "What these requests cost on the model at the prices of the day, scoring not included.",
            nullable=True,
            unit="USD",
        ),
        Column("no_cost_reason", "text", "Why cost_usd is null.", nullable=True),
    ),
    ("policy", "baseline", "measure", "model_id"),
)

ROUTING_OFF_POLICY = Table(
    "mart",
    "routing_off_policy",
    "What the log itself shows where several models served one use case: what all its requests would have been on each of them, with what that "
    "rests on, or why it can't be said.",
    "one row per use case, model, measure and method",
    (
        Column("use_case", "text", "Application, else team, or unattributed."),
        Column("model_id", "text", "Model that all requests of the use case are thought on."),
        Column(
            "measure",
            "text",
            "Mean per request: ok (share of calls that ended well), output (tokens), cost_usd, or score (gold).",
            accepted=("ok", "output", "cost_usd", "score"),
        ),
        Column(
            "method",
            "text",
            "strata: requests of like size are taken to be alike; ips, snips, dr: the router's known probabilities are weighed out.",
            accepted=("strata", "ips", "snips", "dr"),
        ),
        Column("estimate", "double precision", "The mean; null where it is refused.", nullable=True),
        Column("low_95", "double precision", "Lower bound of the 95 % interval, by sessions.", nullable=True),
        Column("high_95", "double precision", "Upper bound of the 95 % interval.", nullable=True),
        Column("requests", "bigint", "Requests that the model served.", unit="requests"),
        Column("effective_requests", "double precision", "What they count for once weighed (Kish).", unit="requests"),
        Column(
            "unmatched_share",
            "double precision",
            "Share of the use case's requests without a match of the model.",
            unit="share",
        ),
        Column("refused_reason", "text", "Why there is no estimate.", nullable=True),
    ),
    ("use_case", "model_id", "measure", "method"),
)

MART_EVIDENCE_TABLES = (CLAIMS_AUDIT, REQUEST_REPEAT, SHADOW_EVIDENCE, ROUTING_MEASURE_NEXT, ROUTING_OFF_POLICY)
