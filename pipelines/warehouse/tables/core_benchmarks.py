"""Tables of schema `core` on benchmarks: what is measured, its versions, and every score that was published.

Scores are bitemporal (as of and believed) and never overwritten. What is computed from them is in `mart_benchmarks.py`.
"""

from __future__ import annotations

from pipelines.warehouse.tables.spec import Column, Table

BENCHMARK = Table(
    "core",
    "benchmark",
    "What is measured: one benchmark, its metric, unit and direction.",
    "one row per benchmark",
    (
        Column("benchmark_id", "text", "Canonical id, for example lmarena_text or aider_polyglot."),
        Column("display_name", "text", "Name for people."),
        Column("metric_kind", "text", "accuracy, elo, index, error_rate ..."),
        Column("unit", "text", "percent, elo, points ..."),
        Column("lower_is_better", "boolean", "Direction of the metric."),
        Column("min_score", "double precision", "Smallest possible score.", nullable=True),
        Column("max_score", "double precision", "Largest possible score.", nullable=True),
    ),
    ("benchmark_id",),
)

BENCHMARK_VERSION = Table(
    "core",
    "benchmark_version",
    "A version of a benchmark inside which scores may be compared: same items, same scale.",
    "one row per benchmark, version and scale epoch",
    (
        Column("benchmark_version_id", "text", "benchmark_id@version#epoch."),
        Column("benchmark_id", "text", "Benchmark (core.benchmark)."),
        Column("version_label", "text", "Version, release, window or category as the source names it."),
        Column("scale_epoch", "integer", "Counts re-anchorings of the scale, from 0."),
        Column("n_items", "integer", "Items in the benchmark.", nullable=True, unit="items"),
        Column("valid_from", "date", "First day on which a score of this version was seen."),
    ),
    ("benchmark_version_id",),
)

BENCHMARK_SCORE = Table(
    "core",
    "benchmark_score",
    "Each leaderboard's score of a model, when it held and when we believed it. Never overwritten.",
    "one row per board, source row, benchmark version and period of belief",
    (
        Column("score_id", "uuid", "Hash of every identifying column."),
        Column("board", "text", "Leaderboard export, as named in sources.yaml."),
        Column("benchmark_version_id", "text", "What was measured (core.benchmark_version)."),
        Column("source_row_key", "text", "Key of the row in the source: the model name, or the run's own id."),
        Column("raw_model", "text", "Model name as the source writes it."),
        Column("model_id", "text", "Canonical model; null while unresolved.", nullable=True),
        Column(
            "variant",
            "text",
            "What distinguishes this entry of the model: effort, thinking, date, edit format; empty for none.",
        ),
        Column("score", "double precision", "The score, in the benchmark's unit."),
        Column("score_text", "text", "The score as it stands in the file."),
        Column("n_items", "integer", "Items scored.", nullable=True, unit="items"),
        Column("n_success", "integer", "Items solved.", nullable=True, unit="items"),
        Column("n_trials", "integer", "Trials per item.", nullable=True, unit="trials"),
        Column("stderr", "double precision", "Standard error, in the benchmark's unit.", nullable=True),
        Column("ci_low", "double precision", "Lower bound of the interval.", nullable=True),
        Column("ci_high", "double precision", "Upper bound of the interval.", nullable=True),
        Column("ci_level", "double precision", "Level of the interval, for example 0.95.", nullable=True, unit="share"),
        Column(
            "ci_method",
            "text",
            "reported, wilson, bootstrap or none.",
            accepted=("reported", "wilson", "bootstrap", "none"),
        ),
        Column("votes", "bigint", "Votes behind the score.", nullable=True, unit="votes"),
        Column("run_cost_usd", "numeric(38,18)", "What the evaluation run cost.", nullable=True, unit="USD"),
        Column("run_input_tokens", "bigint", "Input tokens of the run.", nullable=True, unit="tokens"),
        Column("run_output_tokens", "bigint", "Output tokens of the run.", nullable=True, unit="tokens"),
        Column(
            "measured_by",
            "text",
            "vendor, independent, community or aggregator.",
            accepted=("vendor", "independent", "community", "aggregator"),
        ),
        Column(
            "as_of",
            "date",
            "Day on which the score held, as stated by the source; the snapshot's day where none is stated.",
        ),
        Column("observed_at", "timestamptz", "When we first believed this row."),
        Column(
            "superseded_at",
            "timestamptz",
            "When a later snapshot stated otherwise; null while believed.",
            nullable=True,
        ),
        Column(
            "supersede_reason",
            "text",
            "revised, removed, renamed or rebased.",
            nullable=True,
            accepted=("revised", "removed", "renamed", "rebased"),
        ),
        Column("snapshot_id", "uuid", "Evidence: the first file that states it."),
        Column("source_locator", "text", "Place in the file."),
        Column(
            "harness",
            "text",
            "What ran the evaluation, with its version, where the source states it: a library, an agent, a scaffold.",
            nullable=True,
        ),
        Column(
            "weights",
            "text",
            "open or closed, where the source states it by a flag or a licence; the gap believes it before any list.",
            nullable=True,
            accepted=("open", "closed"),
        ),
        Column(
            "resolution_method",
            "text",
            "How the model was resolved, as core.model_alias names it; variant_suffix where only a part of the entry's name did.",
            nullable=True,
        ),
        Column(
            "resolution_confidence",
            "double precision",
            "1 for an exact or declared name, less where something was left out, 0 while unresolved.",
            nullable=True,
            unit="share",
        ),
    ),
    ("score_id",),
)

CORE_BENCHMARK_TABLES = (BENCHMARK, BENCHMARK_VERSION, BENCHMARK_SCORE)
