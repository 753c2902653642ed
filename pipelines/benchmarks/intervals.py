"""Standard error and interval of each score row, from what the row itself states."""

from __future__ import annotations

import numpy as np
import polars as pl

from pipelines.uncertainty import Z95, proportion_stderr, wilson_interval


def complete_intervals(rows: pl.DataFrame) -> pl.DataFrame:
    """Fill standard error and interval of score rows (ROW_SCHEMA) from what each row states.

    A reported interval gives stderr = width / 2 z(level); one without width is an anchor, not certainty, and gives
    none. A share in percent with known n_items gives the binomial stderr and Wilson's interval at 95 %.
    """
    width = pl.col("ci_high") - pl.col("ci_low")
    has_interval = width.is_not_null() & (width > 0)
    level_z = _normal_quantile(rows)
    can_count = (
        pl.col("stderr").is_null()
        & pl.col("ci_low").is_null()
        & (pl.col("n_items") > 0)
        & pl.col("score").is_between(0, 100)
    )
    rows = rows.with_columns(
        pl.when(pl.col("stderr").is_null() & has_interval)
        .then(width / (2 * level_z))
        .otherwise("stderr")
        .alias("stderr")
    )
    counted = rows.filter(can_count)
    if counted.is_empty():
        return rows
    n = counted["n_items"].cast(pl.Float64).to_numpy()
    share = counted["score"].to_numpy() / 100
    successes = np.where(counted["n_success"].is_null(), share * n, counted["n_success"].fill_null(0).to_numpy())
    low, high = wilson_interval(successes, n)
    counted = counted.with_columns(
        pl.Series("stderr", 100 * proportion_stderr(successes, n)),
        pl.Series("ci_low", 100 * low),
        pl.Series("ci_high", 100 * high),
        pl.lit(0.95).alias("ci_level"),
        pl.lit("wilson").alias("ci_method"),
    )
    return pl.concat([rows.filter(~can_count.fill_null(value=False)), counted])


def _normal_quantile(rows: pl.DataFrame) -> pl.Series:
    """z of each row's interval level; 95 % where it is not stated."""
    levels = rows["ci_level"].fill_null(0.95)
    if (levels == 0.95).all():
        return pl.Series("z", [Z95]).new_from_index(0, rows.height) if rows.height else pl.Series("z", [], pl.Float64)
    from scipy.special import ndtri

    return pl.Series("z", ndtri(0.5 + levels.to_numpy() / 2))
