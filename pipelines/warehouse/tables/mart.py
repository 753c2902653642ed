"""Tables of schema `mart`: what finance, engineers and analysts read, one question per table.

Those with `built_by="dbt"` are SQL models in `dbt_like/`; the others are computed in Python where
they need statistics. The facts they rest on are in `core.py`.
"""

from __future__ import annotations

from pipelines.meters import TOKEN_METERS
from pipelines.warehouse.tables.core import OPENNESS, PRICE, UNPRICED_REASONS
from pipelines.warehouse.tables.spec import Column, Table

_SPEND = (
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
)

DAILY_MODEL_SPEND = Table(
    "mart",
    "daily_model_spend",
    "Spend per day, provider and model: what finance closes the month on.",
    "one row per day, provider and model",
    (
        Column("event_date", "date", "UTC day."),
        Column("provider_id", "text", "Who sold the calls; unknown where not told."),
        Column("model_id", "text", "Canonical model; for unresolved names: 'unresolved: ' and the name as logged."),
        Column("openness", "text", "open_source, open_weight, closed or unknown.", accepted=OPENNESS),
        *_SPEND,
        *(Column(m.tokens_column, "bigint", f"Tokens: {m.description}.", unit="tokens") for m in TOKEN_METERS),
        Column(
            "reported_cost_usd", "numeric(38,18)", "Sum of the costs that gateways logged.", nullable=True, unit="USD"
        ),
        *_COSTS,
    ),
    ("event_date", "provider_id", "model_id"),
    day_column="event_date",
    built_by="dbt",
)

DAILY_TEAM_SPEND = Table(
    "mart",
    "daily_team_spend",
    "Spend per day and team; requests without a team are the visible line 'unattributed'.",
    "one row per day and team",
    (
        Column("event_date", "date", "UTC day."),
        Column("team", "text", "Team that pays, or unattributed."),
        *_SPEND,
        *_COSTS,
    ),
    ("event_date", "team"),
    day_column="event_date",
    built_by="dbt",
)

COST_COVERAGE = Table(
    "mart",
    "cost_coverage",
    "How much of a day's traffic is priced, and why the rest is not.",
    "one row per day and reason; the reason 'priced' counts what has a cost",
    (
        Column("event_date", "date", "UTC day."),
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

ROUTING_PROJECTION = Table(
    "mart",
    "routing_projection",
    "What a day's traffic would have cost under a hybrid routing policy, beside what it did cost, with every assumption named.",
    "one row per day, policy, baseline and arm; arm 'total' sums the policy",
    (
        Column("event_date", "date", "UTC day."),
        Column("policy", "text", "Policy, as named in routing.yaml."),
        Column("arm", "text", "Arm of the policy, or total."),
        Column("provider_id", "text", "Provider of the arm; null for total.", nullable=True),
        Column("model_id", "text", "Model of the arm; null for total.", nullable=True),
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
            "Cost under the policy; null with a reason where a rate is missing.",
            nullable=True,
            unit="USD",
        ),
        Column("saving_usd", "numeric(38,18)", "Baseline less projected.", nullable=True, unit="USD"),
        Column("saving_share", "double precision", "Saving as a share of the baseline.", nullable=True, unit="share"),
        Column(
            "quality_retained",
            "double precision",
            "Quality as a share of the baseline's, where a score is known for every arm.",
            nullable=True,
            unit="share",
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
            "new, removed, renamed, revised, rounding, scale_rebase, index_version, contradiction, coverage_gate, drift or slow_drift.",
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
    "How far the best open model is behind the best closed one on each benchmark, with what the intervals allow to be said.",
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
        Column("provider_id", "text", "Who sold the calls; unknown where not told."),
        Column("model_id", "text", "Canonical model."),
        Column("use_case", "text", "Application, else team; unattributed where neither is known."),
        Column(
            "stratum",
            "text",
            "Operation, whether streamed, and prompt size as a power of two: only requests of one stratum are compared.",
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
        Column("provider_id", "text", "Who sold the calls; unknown where not told."),
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
        Column("n_reference", "integer", "Requests of the reference beside them.", unit="requests"),
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
        Column("is_alarm", "boolean", "True where q is 0.05 or less and the effect is worth telling."),
        Column("explanation", "text", "The comparison in one plain sentence."),
    ),
    ("event_date", "provider_id", "model_id", "use_case", "metric"),
    day_column="event_date",
)

RESTATEMENT_REASONS = (
    "changed",
    "corrected",
    "retracted",
    "source_removed",
    "new_price",
    "model_resolved",
    "exchange_rate",
    "known_later",
    "other",
)
"""Why a booked cost is another one now; what each means is in docs/rerate.md."""

COST_RESTATEMENT = Table(
    "mart",
    "cost_restatement",
    "What loaded days would cost, or were restated to cost, under what is known at another time: who moved, by how much, because of which price.",
    "one row per restatement, day, provider and model before and after, meter, price row before and after, and reason",
    (
        Column("line_id", "uuid", "Hash of every identifying column."),
        Column(
            "restatement_id",
            "uuid",
            "The run: hash of its days, of what was known, of its lines and of how many applied restatements came before.",
        ),
        Column("event_date", "date", "UTC day of the requests."),
        Column("provider_id", "text", "Who sold the calls, as known after; unknown where not told."),
        Column("provider_id_before", "text", "Who sold them as booked before; unknown where not told."),
        Column(
            "model_id", "text", "Canonical model after; for unresolved names: 'unresolved: ' and the name as logged."
        ),
        Column("model_id_before", "text", "Canonical model as booked before, written the same way."),
        Column(
            "meter",
            "text",
            "Meter whose cost moved; empty for what concerns the request as a whole or can't be told by meter.",
        ),
        Column(
            "reason",
            "text",
            "changed, corrected, retracted, source_removed, new_price, model_resolved, exchange_rate, known_later or other.",
            accepted=RESTATEMENT_REASONS,
        ),
        Column(
            "requests",
            "bigint",
            "Requests whose cost the line moves; one request may be on several lines, one per meter.",
            unit="requests",
        ),
        Column(
            "cost_before_usd",
            "numeric(38,18)",
            "Effective cost before; null where it was not known.",
            nullable=True,
            unit="USD",
        ),
        Column(
            "cost_after_usd",
            "numeric(38,18)",
            "Effective cost after; null where it can't be known.",
            nullable=True,
            unit="USD",
        ),
        Column(
            "delta_usd",
            "numeric(38,18)",
            "After less before, an unknown cost counted as 0: adds up to the difference of the sums over core.request.",
            unit="USD",
        ),
        Column(
            "list_delta_usd", "numeric(38,18)", "The same for list cost, which a contract does not move.", unit="USD"
        ),
        Column(
            "usd_per_million_before",
            "numeric(38,12)",
            "Rate before, in USD.",
            nullable=True,
            unit="USD per million units",
        ),
        Column(
            "usd_per_million_after",
            "numeric(38,12)",
            "Rate after, in USD.",
            nullable=True,
            unit="USD per million units",
        ),
        Column("price_id_before", "uuid", "Row of core.price that the booked rate came from.", nullable=True),
        Column("price_id_after", "uuid", "Row of core.price that the new rate comes from.", nullable=True),
        Column("feed_before", "text", "Feed of the price before.", nullable=True),
        Column("feed_after", "text", "Feed of the price after.", nullable=True),
        Column("snapshot_id_before", "uuid", "File that said the price before (raw.snapshot).", nullable=True),
        Column("snapshot_id_after", "uuid", "File that says the price after (raw.snapshot).", nullable=True),
        Column(
            "known_at_before",
            "timestamptz",
            "Newest state of the ledger that still held the booked rate; null where there was none or it is no longer found.",
            nullable=True,
        ),
        Column(
            "known_at_after",
            "timestamptz",
            "What the new cost was known at: the instant asked for, or the ledger's last change.",
        ),
        Column("is_closed", "boolean", "Whether the day was closed when the restatement was made."),
        Column(
            "applied_at",
            "timestamptz",
            "When core.request was restated; null while this is only a proposal. The one column that two equal runs differ in.",
            nullable=True,
        ),
        Column("explanation", "text", "The line in one plain sentence."),
    ),
    ("line_id",),
    day_column="event_date",
)

_PRICED_THING = tuple(
    PRICE.column(name)
    for name in (
        "provider_id",
        "model_id",
        "meter",
        "unit",
        "service_tier",
        "region",
        "context_from_tokens",
        "context_bound",
        "context_scope",
        "time_window",
        "contract_id",
    )
)

PRICE_CHANGE = Table(
    "mart",
    "price_change",
    "The history of prices as people read it: every change from one price to another that is believed now, and how much of our spend it touches.",
    "one row per feed, seller, model, meter, conditions and change",
    (
        Column("change_id", "uuid", "Hash of the two price rows."),
        PRICE.column("feed"),
        *_PRICED_THING,
        Column("pricing_currency", "text", "Currency of both prices."),
        Column(
            "price_before",
            "numeric(38,12)",
            "Earlier price per million units.",
            unit="pricing_currency per million units",
        ),
        Column(
            "price_after", "numeric(38,12)", "Later price per million units.", unit="pricing_currency per million units"
        ),
        Column(
            "change_share",
            "double precision",
            "Later less earlier over earlier; null from zero.",
            nullable=True,
            unit="share",
        ),
        Column("valid_from", "timestamptz", "Instant from which the later price holds."),
        PRICE.column("date_basis"),
        Column(
            "learnt_at",
            "timestamptz",
            "When the later price was first believed: before valid_from for an announced one.",
        ),
        Column(
            "is_used",
            "boolean",
            "True where the later price stands in a rate card; false where another feed's price is used instead.",
        ),
        Column(
            "spend_30d_usd",
            "numeric(38,18)",
            "What the 30 newest days of requests cost by the prices of this seller, model, meter and conditions.",
            unit="USD",
        ),
        Column(
            "spend_30d_share",
            "double precision",
            "The same as a share of all priced spend of those days; null without any.",
            nullable=True,
            unit="share",
        ),
        Column("price_id_before", "uuid", "Earlier price (core.price)."),
        Column("price_id_after", "uuid", "Later price (core.price)."),
        Column("summary", "text", "The change in one plain sentence."),
    ),
    ("change_id",),
)

PRICE_CONFLICT = Table(
    "mart",
    "price_conflict",
    "Prices on which feeds disagree by more than one in a hundred at the end of the newest loaded day, what that is worth on our own traffic, and how it was decided.",
    "one row per seller, model, meter and conditions",
    (
        *_PRICED_THING,
        Column("as_of", "timestamptz", "Instant at which the prices are compared."),
        Column("usd_used", "numeric(38,12)", "Price that is charged by.", unit="USD per million units"),
        Column("feed_used", "text", "Feed that it comes from."),
        Column("usd_lowest", "numeric(38,12)", "Lowest price of all feeds.", unit="USD per million units"),
        Column("usd_highest", "numeric(38,12)", "Highest price of all feeds.", unit="USD per million units"),
        Column(
            "spread_share",
            "double precision",
            "Highest less lowest over lowest; null where the lowest is zero.",
            nullable=True,
            unit="share",
        ),
        Column("prices", "jsonb", "Object of feed to USD per million units, in order of precedence."),
        Column(
            "quantity_30d",
            "bigint",
            "Units that the 30 newest days of requests used under these conditions.",
            unit="units",
        ),
        Column(
            "at_stake_30d_usd",
            "numeric(38,18)",
            "What those units would cost at the highest price less what they would cost at the lowest.",
            unit="USD",
        ),
        Column("decided_by", "text", "Why feed_used won."),
        Column("summary", "text", "The disagreement in one plain sentence."),
    ),
    tuple(column.name for column in _PRICED_THING if column.name != "unit"),
)

MART_TABLES = (
    DAILY_MODEL_SPEND,
    DAILY_TEAM_SPEND,
    COST_COVERAGE,
    ROUTING_PROJECTION,
    BENCHMARK_DRIFT,
    BENCHMARK_GAP,
    REQUEST_PROFILE,
    REQUEST_DRIFT,
    COST_RESTATEMENT,
    PRICE_CHANGE,
    PRICE_CONFLICT,
)
