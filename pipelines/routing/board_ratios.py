"""Learns from boards how many tokens a model takes: from models that worked on the same items, grade C.

Output is what boards count for answers, a loop what an agent's task takes in all: its tokens, else its cost over the list price of the day. A
board's ratio holds for its own items. How far it is off for other work is `boards` of `evidence.yaml`; as far as that goes, the model
is taken to be like any other: the ratio is drawn towards the line for `*`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import sqrt

import polars as pl

from pipelines.config.evidence import ANY, Effect, Evidence, Measure
from pipelines.instants import holds_at

_FEWEST_MODELS = 5
"""So many models of a benchmark version are needed to say what is typical there."""
_PLAIN, _CACHED, _WRITTEN = 0.07, 0.63, 0.011
"""Millions of tokens of an agent's typical task: 700,000 read, nine tenths of them out of a cache, 11,000 written."""


def board_effects(
    scores: pl.DataFrame, evidence: Evidence, models: Iterable[str], rate_card: pl.DataFrame | None = None
) -> Iterator[Effect]:
    """A line on output, and one on loops, for each of `models` that a board counted; none without a line for `*` and one on boards.

    `scores` are rows of core.benchmark_score, `rate_card` of core.rate_card: without it, cost says nothing. Of a model's entries
    on a board (efforts, formats) the median counts.
    """
    boards, wanted = evidence.boards, list(models)
    if boards is None:
        return
    output = scores.with_columns(tokens=pl.col("run_output_tokens").cast(pl.Float64))
    yield from _lines(
        output, evidence, wanted, "output", spread=boards.log_sd, source=f"output tokens on {{}}, {boards.source}"
    )
    if boards.agents and boards.loop_log_sd is not None:
        version = pl.col("benchmark_version_id")
        agents = scores.filter(pl.any_horizontal(version.str.starts_with(name) for name in boards.agents))
        loops = _taken(agents, rate_card)
        yield from _lines(
            loops,
            evidence,
            wanted,
            "loop",
            spread=boards.loop_log_sd,
            source=f"tokens of a task on {{}}, {boards.loop_source}",
        )


def _lines(
    counted: pl.DataFrame, evidence: Evidence, models: list[str], measure: Measure, *, spread: float, source: str
) -> Iterator[Effect]:
    prior = evidence.effect(measure, None)
    if prior is None or prior.model != ANY or not prior.log_sd:
        return
    for row in _by_model(counted, models).iter_rows(named=True):
        precision = 1 / prior.log_sd**2 + row["boards"] / spread**2
        mean = (prior.log_mean / prior.log_sd**2 + row["summed"] / spread**2) / precision
        named = source.format(f"{row['named']}, drawn towards a typical model")
        yield Effect(
            measure=measure, model=row["model_id"], log_mean=mean, log_sd=1 / sqrt(precision), grade="C", source=named
        )


def _taken(agents: pl.DataFrame, rate_card: pl.DataFrame | None) -> pl.DataFrame:
    """`agents` with the tokens of a run, or its cost in units of what a typical task costs at the model's list price; never both in a version."""
    whole = (pl.col("run_input_tokens") + pl.col("run_output_tokens")).cast(pl.Float64)
    priced = agents.join(_task_usd(agents, rate_card), on=["model_id", "as_of"], how="left")
    version = ["board", "benchmark_version_id"]
    by_tokens = (whole > 0).fill_null(value=False).sum().over(version) >= _FEWEST_MODELS
    cost = pl.col("run_cost_usd").cast(pl.Float64) / pl.col("task_usd")
    return priced.with_columns(tokens=pl.when(by_tokens).then(whole).otherwise(cost))


def _task_usd(agents: pl.DataFrame, rate_card: pl.DataFrame | None) -> pl.DataFrame:
    """What a typical task costs on each model on the day of each score: the median of its sellers' list prices."""
    asked = agents.filter(pl.col("run_cost_usd") > 0).select("model_id", "as_of").drop_nulls().unique()
    if rate_card is None:
        return asked.clear().with_columns(task_usd=pl.lit(None, pl.Float64))
    plain, written = (pl.col(f"{name}_usd_per_mtok").cast(pl.Float64) for name in ("input_uncached", "output_text"))
    cached = pl.coalesce(pl.col("input_cache_read_usd_per_mtok").cast(pl.Float64), plain)
    standard = rate_card.filter(
        (pl.col("service_tier") == "standard") & (pl.col("region") == "") & (pl.col("context_from_tokens") == 0)
    ).select("model_id", "valid_from", "valid_to", usd=_PLAIN * plain + _CACHED * cached + _WRITTEN * written)
    day = pl.col("as_of").cast(pl.Datetime("us", "UTC"))
    return (
        asked.join(standard, on="model_id")
        .filter(holds_at(day) & (pl.col("usd") > 0))
        .group_by("model_id", "as_of")
        .agg(task_usd=pl.col("usd").median())
    )


def _by_model(scores: pl.DataFrame, models: list[str]) -> pl.DataFrame:
    """model_id, boards (their number), summed (logarithms against a board's typical model, one per board) and named."""
    counted = scores.filter((pl.col("tokens") > 0) & pl.col("model_id").is_not_null())
    by_version = counted.group_by("board", "benchmark_version_id", "model_id").agg(pl.col("tokens").log().median())
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
