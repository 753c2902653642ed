"""How many tokens a model writes, as boards saw it: the output of models that worked on the same items, grade C.

A board's ratio holds for its own items. How far it is off for other work is `boards` of `evidence.yaml`; as far as that goes, the model
is taken to be like any other: the ratio is drawn towards the line for `*`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import sqrt

import polars as pl

from pipelines.config.evidence import ANY, Effect, Evidence

_FEWEST_MODELS = 5
"""Models of a benchmark version that say what is typical there."""


def board_effects(scores: pl.DataFrame, evidence: Evidence, models: Iterable[str]) -> Iterator[Effect]:
    """A line on output for each of `models` that a board counted tokens of; none without a line for `*` and one on boards.

    `scores` are rows of core.benchmark_score. Of a model's entries on a board (efforts, formats) the median counts.
    """
    prior = evidence.effect("output", None)
    if prior is None or prior.model != ANY or evidence.boards is None or not prior.log_sd:
        return
    spread = evidence.boards.log_sd
    for row in _by_model(scores, list(models)).iter_rows(named=True):
        precision = 1 / prior.log_sd**2 + row["boards"] / spread**2
        mean = (prior.log_mean / prior.log_sd**2 + row["summed"] / spread**2) / precision
        yield Effect(
            measure="output",
            model=row["model_id"],
            log_mean=mean,
            log_sd=1 / sqrt(precision),
            grade="C",
            source=f"output tokens on {row['named']}, drawn towards a typical model; {evidence.boards.source}",
        )


def _by_model(scores: pl.DataFrame, models: list[str]) -> pl.DataFrame:
    """model_id, boards (their number), summed (logarithms against a board's typical model, one per board) and named."""
    counted = scores.filter((pl.col("run_output_tokens") > 0) & pl.col("model_id").is_not_null())
    by_version = counted.group_by("board", "benchmark_version_id", "model_id").agg(
        pl.col("run_output_tokens").log().median().alias("tokens")
    )
    version = ["board", "benchmark_version_id"]
    against = by_version.with_columns(
        apart=pl.col("tokens") - pl.col("tokens").median().over(version), n=pl.len().over(version)
    ).filter(pl.col("n") >= _FEWEST_MODELS)
    by_board = against.group_by("board", "model_id").agg(pl.col("apart").median())
    return (
        by_board.filter(pl.col("model_id").is_in(models))
        .group_by("model_id")
        .agg(boards=pl.len(), summed=pl.col("apart").sum(), named=pl.col("board").sort().str.join(", "))
        .sort("model_id")
    )
