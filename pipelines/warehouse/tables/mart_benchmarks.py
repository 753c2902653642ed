"""Tables of schema `mart` on leaderboards: their drift, and the gap between open and closed models.

Both are computed in Python, because they need statistics. The scores they rest on are in `core_benchmarks.py`; the watch over
our own requests is in `mart_behaviour.py`.
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

MART_BENCHMARK_TABLES = (BENCHMARK_DRIFT, BENCHMARK_GAP)
