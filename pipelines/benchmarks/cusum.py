"""Slow drift: a model moves a little with every export, too little for any two exports to show it.

One cumulative sum (CUSUM, Page 1954) in either direction per model, version and scale epoch. Sudden changes are tested in
`compare.py`; `significance.py` decides which rows those report already, and which of both are alarms.
"""

from __future__ import annotations

import math

import polars as pl

from pipelines.benchmarks.compare import GROUP, MEDIAN_EFFICIENCY, MIN_COMMON, in_groups, is_same
from pipelines.benchmarks.history import Step
from pipelines.benchmarks.observation import ROW_KEY, ROW_SCHEMA
from pipelines.constant import empty
from pipelines.uncertainty import MAD_TO_SD

SLACK = 0.5
"""The part of each standardised move that is ignored (k). With this, moves of one standard error are found fastest."""

BOUND = 5.0
"""Alarm bound (h) of a single series: two sides together raise one false alarm in about 470 updates."""

EXPORT_RATE = 0.05
"""Accepted false alarms per export of a board. With many series the bound grows until this holds."""

MIN_SCORES = 3
"""Scores that a slow series needs: two are one step, which the test of a change judges."""

MAX_CORRELATION = 0.9
"""Exports of a rating that share more of their error than this are one observation: they rest on the same votes."""

_SERIES = pl.Schema(
    {
        **{name: ROW_SCHEMA[name] for name in ROW_KEY},
        "used_level": pl.Float64(),
        "used_stderr": pl.Float64(),
        "mean": pl.Float64(),
        "weight": pl.Float64(),
        "up": pl.Float64(),
        "down": pl.Float64(),
        "slow_observations": pl.Int32(),
        "slow_since": pl.Datetime("us", "UTC"),
        "slow_first_score": pl.Float64(),
    }
)
_CORRELATIONS = pl.Schema({**dict.fromkeys(GROUP, pl.String()), "sum": pl.Float64(), "exports": pl.Int32()})
SLOW = ("slow_sum", "slow_bound", "slow_moved", "slow_stderr", "slow_observations", "slow_since", "slow_first_score")
"""What `SlowWatch.look` adds to the rows of a step: the sum that passed its bound, the move from the series' mean before
with its standard error, how many scores took part since when, and the first of them."""


def average_run_length(bound: float) -> float:
    """Updates until a series in which nothing happens raises a false alarm, on average, over both sides.

    Siegmund (1985): (exp(2k(h + 1.166)) - 2k(h + 1.166) - 1) / 2k^2 per side. Worked: k = .5, h = 5 gives 938 per side and
    469 for both.
    """
    reach = 2 * SLACK * (bound + 1.166)
    return (math.exp(reach) - reach - 1) / (2 * SLACK**2) / 2


def alarm_bound(series: int) -> float:
    """The bound at which the updates of `series` series by one export raise a false alarm in no more than one export of twenty."""
    bound = BOUND
    while average_run_length(bound) < series / EXPORT_RATE:
        bound += 0.1
    return bound


class SlowWatch:
    """The running sums of one scope of a board.

    An update is standardised against the mean of all earlier ones of its series, weighted by precision, with the errors of
    both (recursive residuals: with independent errors they are independent and standard normal). A score that stays as it
    is is a run that was not made again and no update. Ratings are estimated anew from votes that they share with the
    export before; how much they share is read from all models together, whose moves are then smaller than their
    intervals allow, and only what is new in an export counts.
    """

    def __init__(self, series: pl.DataFrame | None = None, correlations: pl.DataFrame | None = None) -> None:
        self.series = empty(_SERIES) if series is None else series
        self.correlations = empty(_CORRELATIONS) if correlations is None else correlations

    def look(self, step: Step, restarted: pl.DataFrame) -> pl.DataFrame:
        """Rows of `step.tested` whose sum passed the bound, with columns SLOW. `restarted`: keys of series that begin anew (drift)."""
        if step.is_unusable:
            return step.changed.clear()
        known = self.series.with_columns(pl.col("source_row_key").replace(step.renames))
        rebased = pl.DataFrame(list(step.rebased), dict.fromkeys(GROUP, pl.String()), orient="row")
        ended = pl.concat([restarted.select(ROW_KEY), step.removed.select(ROW_KEY)])
        known = known.join(rebased, on=GROUP, how="anti").join(ended, on=ROW_KEY, how="anti")
        moved = _moved(known, step)
        asleep = known.join(moved, on=ROW_KEY, how="anti")
        moved, self.correlations = _correlated(moved, self.correlations)
        updated, rest = _updated(moved)
        found = _alarms(updated, step)
        rows = step.tested.join(found.select(*ROW_KEY, *SLOW), on=ROW_KEY) if found.height else step.changed.clear()
        kept = [frame.select(*_SERIES) for frame in (asleep, rest, updated.join(found, on=ROW_KEY, how="anti"))]
        series = pl.concat(kept)
        common = moved.group_by(GROUP).agg(pl.col("common").first())
        used = in_groups(step.observation.rows, step.held, inside=False)
        fresh = used.join(series, on=ROW_KEY, how="anti")
        self.series = pl.concat([series, _begun(fresh.join(common, on=GROUP, how="left"), step)])
        return rows


def _begun(rows: pl.DataFrame, step: Step) -> pl.DataFrame:
    """Series that begin with this export's rows, where these say how noisy they are."""
    kinds = pl.col("benchmark_id").replace_strict(step.observation.row_kinds(), return_dtype=pl.String)
    usable = rows.filter((pl.col("stderr") > 0) & (kinds != "run"))
    level, zero = pl.col("score") - pl.col("common").fill_null(0), pl.lit(0.0)
    return usable.select(
        *ROW_KEY,
        level.alias("used_level"),
        pl.col("stderr").alias("used_stderr"),
        level.alias("mean"),
        (1 / pl.col("stderr").pow(2)).alias("weight"),
        zero.alias("up"),
        zero.alias("down"),
        pl.lit(1, pl.Int32()).alias("slow_observations"),
        pl.lit(step.observation.observed_at, pl.Datetime("us", "UTC")).alias("slow_since"),
        pl.col("score").alias("slow_first_score"),
    )


def _moved(known: pl.DataFrame, step: Step) -> pl.DataFrame:
    """The series that are in the export: their level now, corrected by the common move of the version from its means.

    `common` is that common move, `common_variance` its error, `is_new` true where the row is an update at all.
    """
    kinds = pl.col("benchmark_id").replace_strict(step.observation.row_kinds(), return_dtype=pl.String)
    now = step.tested.select(
        *ROW_KEY,
        pl.col("score_after").alias("now_score"),
        pl.col("stderr_after").alias("now_stderr"),
        (kinds == "rating").alias("is_rating"),
        (~is_same("score")).alias("is_changed"),
    )
    away, n = pl.col("now_score") - pl.col("mean"), pl.len().over(GROUP)
    middle = away.median().over(GROUP)
    spread = MAD_TO_SD * (away - middle).abs().median().over(GROUP)
    return (
        known.join(now, on=ROW_KEY)
        .filter(pl.col("now_stderr") > 0)
        .with_columns(
            pl.when(n >= MIN_COMMON).then(middle).otherwise(0.0).alias("common"),
            pl.when(n >= MIN_COMMON)
            .then((MEDIAN_EFFICIENCY * spread).pow(2) / n)
            .otherwise(0.0)
            .alias("common_variance"),
            pl.when("is_rating").then(pl.col("is_changed").any().over(GROUP)).otherwise("is_changed").alias("is_new"),
        )
        .with_columns((pl.col("now_score") - pl.col("common")).alias("level"))
    )


def _correlated(moved: pl.DataFrame, known: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Adds `correlation`, of this export's errors with those of the export used before, and `is_update`.

    Read from all models of the version together: independent errors would spread their standardised moves by one. One
    export estimates it badly, so it is the mean over all exports so far (`known`, of which the new state is returned).
    """
    first, second = pl.col("used_stderr"), pl.col("now_stderr")
    z = (pl.col("level") - pl.col("used_level")) / (first.pow(2) + second.pow(2)).sqrt()
    shared = 2 * first * second / (first.pow(2) + second.pow(2))
    found = (
        moved.filter("is_new")
        .with_columns(z.alias("z"), shared.alias("shared"))
        .group_by(GROUP)
        .agg(
            (
                (1 - (MAD_TO_SD * (pl.col("z") - pl.col("z").median()).abs().median()).pow(2))
                / pl.col("shared").median()
            ).alias("sum"),
            pl.len().alias("models"),
        )
        .filter(pl.col("models") >= MIN_COMMON)
        .select(*GROUP, "sum", pl.lit(1, pl.Int32()).alias("exports"))
    )
    known = pl.concat([known, found]).group_by(GROUP).agg(pl.col("sum", "exports").sum()).sort(GROUP)
    correlations = (
        found.select(GROUP)
        .join(known, on=GROUP)
        .select(*GROUP, (pl.col("sum") / pl.col("exports")).clip(0, 1).alias("correlation"))
    )
    judged = moved.join(correlations, on=GROUP, how="left")
    is_estimated = pl.col("correlation").is_not_null() | ~pl.col("is_rating")
    correlation = pl.col("correlation").fill_null(0)
    is_update = pl.col("is_new") & is_estimated & (correlation <= MAX_CORRELATION)
    return judged.with_columns(correlation.alias("correlation"), is_update.alias("is_update")), known


def _updated(judged: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Series with their sums moved on by what is new in the export, and those for which nothing is."""
    first, second, weight = pl.col("used_stderr"), pl.col("now_stderr"), pl.col("weight")
    # What of this export the one used before does not hold already: with a growing pool of votes, the new votes alone.
    part = (pl.col("correlation") * second / first).clip(0, MAX_CORRELATION)
    updated = judged.filter("is_update").with_columns(
        ((pl.col("level") - part * pl.col("used_level")) / (1 - part)).alias("fresh"),
        (second.pow(2) * (1 - pl.col("correlation").pow(2)) / (1 - part).pow(2) + pl.col("common_variance")).alias(
            "variance"
        ),
    )
    residual = (pl.col("fresh") - pl.col("mean")) / (pl.col("variance") + 1 / weight).sqrt()
    updated = updated.with_columns(
        pl.max_horizontal(pl.lit(0.0), pl.col("up") + residual - SLACK).alias("up"),
        pl.max_horizontal(pl.lit(0.0), pl.col("down") - residual - SLACK).alias("down"),
        (pl.col("level") - pl.col("mean")).alias("slow_moved"),
        (second.pow(2) + pl.col("common_variance") + 1 / weight).sqrt().alias("slow_stderr"),
        (pl.col("slow_observations") + 1).alias("slow_observations"),
        pl.col("level").alias("used_level"),
        second.alias("used_stderr"),
        ((pl.col("mean") * weight + pl.col("fresh") / pl.col("variance")) / (weight + 1 / pl.col("variance"))).alias(
            "mean"
        ),
        (weight + 1 / pl.col("variance")).alias("weight"),
    )
    return updated, judged.filter(~pl.col("is_update"))


def _alarms(updated: pl.DataFrame, step: Step) -> pl.DataFrame:
    """Series beyond the bound whose move is large enough to matter."""
    bound = alarm_bound(max(updated.height, 1))
    threshold = pl.col("benchmark_id").replace_strict(step.observation.thresholds(), return_dtype=pl.Float64)
    return updated.with_columns(
        pl.when(pl.col("up") >= pl.col("down")).then("up").otherwise(-pl.col("down")).alias("slow_sum"),
        pl.lit(bound).alias("slow_bound"),
    ).filter(
        (pl.col("slow_observations") >= MIN_SCORES)
        & (pl.col("slow_sum").abs() > bound)
        & (pl.col("slow_sum").sign() * pl.col("slow_moved") >= threshold)
    )
