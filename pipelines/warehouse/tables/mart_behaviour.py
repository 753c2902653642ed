"""Tables of schema `mart` on the behaviour of served models: a day of our own requests as histograms, and each day against those before.

Both are computed in Python, because they need statistics. Leaderboards are in `mart_benchmarks.py`.
"""

from __future__ import annotations

from pipelines.warehouse.tables.spec import Column, Table

REQUEST_PROFILE = Table(
    "mart",
    "request_profile",
    "How each served model behaved on a day, as histograms: what request_drift compares, small enough to hold a month of them side by side.",
    "one row per day, provider, model, use case, stratum and metric",
    (
        Column("event_date", "date", "UTC day."),
        Column("provider_id", "text", "Who sold the calls; unknown where no log names it."),
        Column("model_id", "text", "Canonical model."),
        Column("use_case", "text", "Application, else team; unattributed where neither is known."),
        Column(
            "stratum",
            "text",
            "Operation, whether streamed, prompt size as a power of two, and the tags that watch.yaml names: only requests of one stratum are compared.",
        ),
        Column(
            "metric",
            "text",
            "output_tokens, reasoning_share, latency_ms, ttft_ms, throughput, cache_read_share, error_rate, finish:<reason>, response_model:<name> or fingerprint:<back end>.",
        ),
        Column(
            "requests",
            "integer",
            "Requests that have the metric; those with the reason or name, where the metric names one.",
            unit="requests",
        ),
        Column(
            "histogram",
            "jsonb",
            "Object of two lists: each value that occurs, to two significant digits, and how many requests have it.",
        ),
    ),
    ("event_date", "provider_id", "model_id", "use_case", "stratum", "metric"),
    day_column="event_date",
)

REQUEST_DRIFT = Table(
    "mart",
    "request_drift",
    "Silent changes of a served model, seen in the company's own log: the day against the trailing reference, like with like.",
    "one row per day, provider, model, use case and metric that could be tested",
    (
        Column("event_date", "date", "UTC day that is held against its reference."),
        Column("provider_id", "text", "Who sold the calls; unknown where no log names it."),
        Column("model_id", "text", "Canonical model."),
        Column("use_case", "text", "Application, else team; unattributed where neither is known."),
        Column(
            "metric",
            "text",
            "output_tokens, reasoning_share, latency_ms, ttft_ms, throughput, cache_read_share, error_rate, finish:<reason>, response_model or fingerprint.",
        ),
        Column(
            "n_day",
            "integer",
            "Requests of the day that have the metric and something to be compared with.",
            unit="requests",
        ),
        Column("n_reference", "integer", "Requests of the reference that they are compared with.", unit="requests"),
        Column("reference_days", "integer", "Days of the reference with such requests.", unit="days"),
        Column(
            "comparable_share",
            "double precision",
            "Share of the day's requests in strata (operation, stream, prompt size) that the reference has too.",
            unit="share",
        ),
        Column("value_day", "double precision", "Median, or rate, on the day.", nullable=True),
        Column("value_reference", "double precision", "Median, or rate, in the reference.", nullable=True),
        Column(
            "effect",
            "double precision",
            "For medians: probability that a request of the day exceeds one of the reference in its stratum, less 0.5; for rates: difference.",
            nullable=True,
        ),
        Column(
            "min_detectable",
            "double precision",
            "Smallest effect of which a 95 % interval would exclude zero, the noise between days included.",
            nullable=True,
        ),
        Column("z", "double precision", "Stratified test statistic, less the noise between days.", nullable=True),
        Column(
            "overdispersion",
            "double precision",
            "Variance of the statistic between reference days, as a multiple of that of independent requests; 1 at least.",
            nullable=True,
        ),
        Column("p_value", "double precision", "Two-sided p-value.", nullable=True),
        Column("q_value", "double precision", "Benjamini-Hochberg adjusted over all tests of the day.", nullable=True),
        Column(
            "is_alarm",
            "boolean",
            "True where an alarm is open: q is 0.05 or less and the effect is worth a word, or it was so and has neither recovered nor been closed in watch.yaml.",
        ),
        Column("explanation", "text", "The comparison in one plain sentence."),
        Column("opened_on", "date", "First day of the open alarm; null where none is open.", nullable=True),
        Column("age_days", "integer", "Days since then.", nullable=True, unit="days"),
    ),
    ("event_date", "provider_id", "model_id", "use_case", "metric"),
    day_column="event_date",
)

MART_BEHAVIOUR_TABLES = (REQUEST_PROFILE, REQUEST_DRIFT)
