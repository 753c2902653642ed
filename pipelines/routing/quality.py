"""How good each model is, as far as a leaderboard can say: a proxy with two errors, its sample and its distance from one's own tasks.

Scores come from `pipelines.benchmarks`; what they become under a policy is in `draws.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from math import log, sqrt

import polars as pl

from pipelines.config.evidence import ScoredAs
from pipelines.instants import end_of

_MENDS = (
    "land an export that scores them (docs/benchmarks.md), name a benchmark that does under quality_benchmarks in routing.yaml, or score requests of "
    "your own on them (docs/shadow.md)"
)
_FEWEST_ITEMS = 100
"""Items that a score is taken to rest on where its source does not say how many: a wide interval, on purpose."""


@dataclass(frozen=True)
class Score:
    """The share of items that a model solved, from 0 to 1, and the standard error of its logit.

    `scored_as` is the model that was scored, where it is another that stood behind the name.
    """

    share: float
    logit_se: float
    scored_as: str | None = None

    @property
    def logit(self) -> float:
        """log(p / (1 - p)), for a share that is neither 0 nor 1."""
        share = min(max(self.share, 0.001), 0.999)
        return log(share / (1 - share))


@dataclass(frozen=True)
class Quality:
    """Scores of models on one benchmark version, as known at the end of a day, or on requests of one's own.

    `moves`, only where the scores were measured on requests of one's own, says how each model's logit moves with standard normal draws, by
    their names: the errors of scores on the same requests hang together. `sessions` are those that were scored. Of the models in `settled` the share is taken as known, to ask
    what knowing it is worth.
    """

    benchmark_version_id: str
    scores: Mapping[str, Score]
    moves: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    sessions: int | None = None
    settled: frozenset[str] = frozenset()


def known_on(scores: pl.DataFrame, day: date) -> pl.DataFrame:
    """The rows of core.benchmark_score that were believed at the end of the UTC day."""
    end = end_of(day)
    return scores.filter(
        (pl.col("observed_at") < end) & (pl.col("superseded_at").is_null() | (pl.col("superseded_at") >= end))
    )


def with_stand_ins(scores: pl.DataFrame, stand_ins: Iterable[ScoredAs], day: date) -> pl.DataFrame:
    """`scores`, with those of the model that stood behind a name on the day also under that name, where it has none there."""
    held = [item for item in stand_ins if item.holds_on(day)]
    own = scores.select("benchmark_version_id", "model_id").unique()
    lent = [
        scores.filter(pl.col("model_id") == item.scored_as)
        .with_columns(pl.lit(item.model).alias("model_id"), pl.lit(item.scored_as).alias("scored_as"))
        .join(own, on=["benchmark_version_id", "model_id"], how="anti")
        for item in held
    ]
    return pl.concat([scores, *lent], how="diagonal")


def find_quality(scores: pl.DataFrame, benchmarks: Sequence[str], models: Iterable[str]) -> Quality | str:
    """The first of `benchmarks` with a version on which every model has a share solved, else the reason why there is none.

    Of a model's entries (efforts, edit formats) the best counts, for all models alike. Scores outside 0 to 100, and
    zero, are no shares that a ratio could be taken of.
    """
    wanted = set(models)
    if not benchmarks:
        return "routing.yaml names no quality_benchmarks: add one, for example quality_benchmarks: [aider_polyglot@pass_rate_2]"
    versions = list(_versions(scores, benchmarks, wanted))
    for quality in versions:
        if len(quality.scores) == len(wanted):
            return quality
    nearest = max(versions, key=lambda quality: len(quality.scores), default=None)
    if nearest is None:
        return f"no score of {', '.join(sorted(wanted))} on {', '.join(benchmarks)}: {_MENDS}"
    version, lacking = nearest.benchmark_version_id, ", ".join(sorted(wanted - set(nearest.scores)))
    return f"{version} has no score for {lacking}: {_MENDS}{_unresolved(scores, version)}"


def widest_quality(scores: pl.DataFrame, benchmarks: Sequence[str], models: Iterable[str]) -> Quality | None:
    """The version of `benchmarks` on which most of the models have a share solved, the better proxy where two have as many."""
    return max(_versions(scores, benchmarks, set(models)), key=lambda quality: len(quality.scores), default=None)


def _versions(scores: pl.DataFrame, benchmarks: Sequence[str], wanted: set[str]) -> Iterator[Quality]:
    """Each version that scores one of the models, the best proxy first and its newest version first."""
    for benchmark in benchmarks:
        prefix = benchmark if "@" in benchmark else f"{benchmark}@"
        best = (
            scores.filter(
                pl.col("benchmark_version_id").str.starts_with(prefix)
                & pl.col("model_id").is_in(sorted(wanted))
                & (pl.col("score") > 0)
                & (pl.col("score") <= 100)
            )
            .sort("score", descending=True, maintain_order=True)
            .unique(["benchmark_version_id", "model_id"], keep="first", maintain_order=True)
        )
        for (version,), rows in sorted(best.partition_by("benchmark_version_id", as_dict=True).items(), reverse=True):
            yield Quality(str(version), {row["model_id"]: _score(row) for row in rows.iter_rows(named=True)})


def _score(row: dict[str, object]) -> Score:
    share = float(str(row["score"])) / 100
    items = int(str(row["n_items"])) if row["n_items"] else _FEWEST_ITEMS
    within = min(max(share, 0.5 / items), 1 - 0.5 / items)
    lent = row.get("scored_as")
    return Score(within, 1 / sqrt(items * within * (1 - within)), None if lent is None else str(lent))


def _unresolved(scores: pl.DataFrame, version: str) -> str:
    """How many of the version's entries name a model that is not known, and what mends it."""
    nameless = scores.filter((pl.col("benchmark_version_id") == version) & pl.col("model_id").is_null())
    number = nameless["raw_model"].n_unique()
    return f"; names not resolved there: {number}, add them to aliases in models.yaml" if number else ""
