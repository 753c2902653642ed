"""Tables of schema `mart` on quality: drift of benchmarks, the gap between open and closed models, drift of our own requests.

All of them are computed in Python, because they need statistics. The scores they rest on are in `core_benchmarks.py`.
"""

from __future__ import annotations

from pipelines.warehouse.tables.spec import Column, Table

BENCHMARK_DRIFT = Table(
    "mart",
    "benchmark_drift",
    "Changes on the leaderboards, classified: what is a real change of a model and what is noise, revision or a new scale.",
    "one row per event",
    (
        Column("event_id", "uuid", "Hash of the event."),
        Column("event_date", "date", "UTC day on which the later snapshot was observed."),
        Column("board", "text", "Leaderboard."),
        Column("benchmark_version_id", "text", "Benchmark and version; where a scale changes, the version before."),
        Column(
            "drift_class",
            "text",
            "new, removed, renamed, revised, rounding, scale_rebase, index_version, contradiction, missing_outcomes, coverage_gate, drift or slow_drift.",
        ),
        Column("severity", "text", "info, warn or error."),
        Column("raw_model", "text", "Model as the source names it; null for events of a whole board.", nullable=True),
        Column("model_id", "text", "Canonical model.", nullable=True),
        Column("score_before", "double precision", "Score before.", nullable=True),
        Column("score_after", "double precision", "Score after.", nullable=True),
        Column("delta", "double precision", "After less before.", nullable=True),
        Column("delta_adjusted", "double precision", "Change less the board's common shift.", nullable=True),
        Column("stderr", "double precision", "Standard error of the change.", nullable=True),
        Column("z", "double precision", "Adjusted change over its standard error.", nullable=True),
        Column("p_value", "double precision", "Two-sided p-value.", nullable=True),
        Column(
            "q_value", "double precision", "Benjamini-Hochberg adjusted p-value over the day's tests.", nullable=True
        ),
        Column(
            "min_detectable",
            "double precision",
            "Smallest change that the intervals could have shown at 95 %.",
            nullable=True,
        ),
        Column("n_models", "integer", "Models that the event concerns.", unit="models"),
        Column("explanation", "text", "The event in one plain sentence."),
        Column("from_snapshot_id", "uuid", "Earlier snapshot.", nullable=True),
        Column("to_snapshot_id", "uuid", "Later snapshot."),
        Column("evidence", "jsonb", "Further evidence: score ids, common shift, counts."),
    ),
    ("event_id",),
    day_column="event_date",
)

BENCHMARK_GAP = Table(
    "mart",
    "benchmark_gap",
    "How far the best open model is behind the best closed one on each benchmark, with what the intervals allow to conclude.",
    "one row per board, benchmark version and day on which its scores changed",
    (
        Column("event_date", "date", "Day at whose end the scores held (as of), as known now."),
        Column("board", "text", "Leaderboard."),
        Column(
            "benchmark_version_id", "text", "Benchmark, version and scale epoch; series of two epochs can't be joined."
        ),
        Column("best_open_model", "text", "Best model with open weights, as the source names it.", nullable=True),
        Column("best_open_model_id", "text", "Its canonical model.", nullable=True),
        Column("best_open_score", "double precision", "Its score.", nullable=True),
        Column("best_closed_model", "text", "Best closed model, as the source names it.", nullable=True),
        Column("best_closed_model_id", "text", "Its canonical model.", nullable=True),
        Column("best_closed_score", "double precision", "Its score.", nullable=True),
        Column(
            "gap",
            "double precision",
            "Closed less open, in the benchmark's unit and so that more than zero means closed is better; null where a side has no model.",
            nullable=True,
        ),
        Column(
            "gap_adjusted",
            "double precision",
            "The same, less the bias of taking the maximum of noisy scores; null without standard errors.",
            nullable=True,
        ),
        Column(
            "gap_low",
            "double precision",
            "Lower bound of the gap at 95 %, by bootstrap of both maxima: of their items where outcomes are known, else parametric.",
            nullable=True,
        ),
        Column("gap_high", "double precision", "Upper bound of the gap at 95 %.", nullable=True),
        Column("top_k", "integer", "Models per side in the mean of the best.", unit="models"),
        Column(
            "top_k_gap",
            "double precision",
            "Mean of the best closed less mean of the best open models; null where a side has fewer.",
            nullable=True,
        ),
        Column("top_k_gap_stderr", "double precision", "Its standard error.", nullable=True),
        Column(
            "lag_days",
            "integer",
            "Days since a closed model first reached what the best open model has now; 0 where open leads, null where no closed model ever did.",
            nullable=True,
            unit="days",
        ),
        Column(
            "lag_is_minimum",
            "boolean",
            "True where a closed model had reached it when the series began: the lag is at least lag_days.",
            nullable=True,
        ),
        Column(
            "best_open_rank_from",
            "integer",
            "Best rank that the intervals allow for the best open model among all.",
            nullable=True,
        ),
        Column("best_open_rank_to", "integer", "Worst rank that the intervals allow for it.", nullable=True),
        Column("n_open", "integer", "Entries with open weights.", unit="models"),
        Column("n_closed", "integer", "Entries of closed models.", unit="models"),
        Column(
            "n_unknown",
            "integer",
            "Entries whose model or openness is not known; they count on neither side.",
            unit="models",
        ),
        Column(
            "gap_stderr",
            "double precision",
            "Standard error of the difference of the two best, over their shared items where outcomes are known.",
            nullable=True,
        ),
        Column(
            "min_detectable",
            "double precision",
            "Smallest gap between the two best that a 95 % interval could have shown.",
            nullable=True,
        ),
        Column(
            "paired_items",
            "integer",
            "Items on which both sides were compared outcome by outcome; null where only their scores are known.",
            nullable=True,
            unit="items",
        ),
        Column(
            "release_lag_days",
            "integer",
            "Days from the release of the first closed model that has what the best open one has to that one's release; below 0 where open was first.",
            nullable=True,
            unit="days",
        ),
        Column(
            "undecided",
            "jsonb",
            "Entries on neither side by rank, the best ten: rank, model, score and the line of models.yaml that would decide it; null where there is none.",
            nullable=True,
        ),
    ),
    ("board", "benchmark_version_id", "event_date"),
    day_column="event_date",
)

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

MART_BENCHMARK_TABLES = (BENCHMARK_DRIFT, BENCHMARK_GAP, REQUEST_PROFILE, REQUEST_DRIFT)
