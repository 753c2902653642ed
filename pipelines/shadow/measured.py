"""What shadow measurements show: how many tokens a model takes against another, how good it is, how far a judge errs.

Answers are paired in `answers.py`, the arithmetic is in `estimates.py`. `effects` and `qualities` go into projections
(`pipelines.routing`), `evidence_rows` are what people read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.config.evidence import Effect, Measure
from pipelines.shadow.estimates import FEWEST, Estimate, Floats, corrected_mean, log_ratio, mean
from pipelines.uncertainty import wilson_interval
from pipelines.warehouse.tables.mart_evidence import SHADOW_EVIDENCE

FEW_PAIRS = 50
"""Below this many items a share is given Wilson's interval, which is exact enough where an error of the mean is not."""
_TOKENS: Mapping[Measure, pl.Expr] = {
    "input": pl.col("input"),
    "output": pl.col("output"),
    "loop": pl.col("input") + pl.col("output"),
}


@dataclass(frozen=True)
class Ratio:
    """Tokens of one model over those of another on the same requests. `estimate` is of the logarithm."""

    measure: Measure
    model_id: str
    against: str
    estimate: Estimate
    pairs: int


def ratios(answered: pl.DataFrame) -> list[Ratio]:
    """For each measure the models, each against one that is measured already, as a tree that begins with what ran most.

    A model joins where it shares the most sessions; with fewer than `FEWEST` it does not.
    """
    found: list[Ratio] = []
    for measure, tokens in _TOKENS.items():
        rows = answered.filter(pl.col("is_loop") == (measure == "loop")).with_columns(tokens=tokens)
        rows = rows.filter(pl.col("tokens") > 0)
        pairs = _shared(rows)
        while pairs:
            found += _tree(measure, rows, pairs)
    return found


def _shared(rows: pl.DataFrame) -> dict[tuple[str, str], int]:
    """How many sessions each two models share, where they are enough; recorded models count a little more as the second."""
    recorded = rows.group_by("model_id").agg(pl.col("is_recorded").sum())
    rank = dict(recorded.iter_rows())
    left = rows.select("request_id", "cluster", "model_id")
    both = left.join(left.select("request_id", against="model_id"), on="request_id").filter(
        pl.col("model_id") != pl.col("against")
    )
    counts = both.group_by("model_id", "against").agg(pl.col("cluster").n_unique().alias("sessions"))
    enough = counts.filter(pl.col("sessions") >= FEWEST)
    ordered = sorted(enough.iter_rows(), key=lambda row: (-rank[row[1]], -row[2], row[0], row[1]))
    return {(model, against): sessions for model, against, sessions in ordered}


def _tree(measure: Measure, rows: pl.DataFrame, pairs: dict[tuple[str, str], int]) -> list[Ratio]:
    """The models that hang together with the first of `pairs`, which are taken out of it."""
    root = next(iter(pairs))[1]
    inside, found = {root}, list[Ratio]()
    while True:
        open_ends = [
            (sessions, pair) for pair, sessions in pairs.items() if pair[1] in inside and pair[0] not in inside
        ]
        if not open_ends:
            break
        _, (model, against) = max(open_ends, key=lambda item: item[0])
        found.append(_ratio(measure, rows, model, against))
        inside.add(model)
    for pair in [pair for pair in pairs if pair[0] in inside]:
        del pairs[pair]
    return found


def _ratio(measure: Measure, rows: pl.DataFrame, model: str, against: str) -> Ratio:
    one = rows.filter(pl.col("model_id") == model).select("request_id", "cluster", upper="tokens")
    other = rows.filter(pl.col("model_id") == against).select("request_id", lower="tokens")
    both = one.join(other, on="request_id").sort("request_id")
    clusters, _ = numbered(both["cluster"])
    upper, lower = (both[name].cast(pl.Float64).to_numpy() for name in ("upper", "lower"))
    return Ratio(measure, model, against, log_ratio(upper, lower, clusters), both.height)


def effects(found: Iterable[Ratio]) -> list[Effect]:
    """Lines of evidence, grade A: each model's factor against the one that it was measured against."""
    return [
        Effect(
            measure=one.measure,
            model=one.model_id,
            against=one.against,
            log_mean=one.estimate.value,
            log_sd=one.estimate.error,
            freedom=one.estimate.freedom,
            sessions=one.estimate.clusters,
            grade="A",
            source=f"own shadow runs: {one.pairs} paired requests of {one.estimate.clusters} sessions",
        )
        for one in found
    ]


@dataclass(frozen=True)
class Scores:
    """Gold scores (from 0 to 1) and those of one judge, items x models; NaN where there is none."""

    models: Sequence[str]
    gold: Floats
    judged: Floats
    clusters: npt.NDArray[np.int64]
    judge: str
    number: int

    def estimate(self, place: int) -> Estimate:
        """The mean score of a model, the judge's word corrected by gold."""
        return corrected_mean(self.gold[:, place], self.judged[:, place], self.clusters, self.number)

    def judge_error(self, place: int) -> Estimate | None:
        """How much more the judge gives than gold; None if both scored fewer than `FEWEST` items."""
        gap = self.judged[:, place] - self.gold[:, place]
        has_both = ~np.isnan(gap)
        if has_both.sum() < FEWEST:
            return None
        _, clusters = np.unique(self.clusters[has_both], return_inverse=True)
        return mean(gap[has_both], clusters.astype(np.int64), int(clusters.max()) + 1)


def scored(answered: pl.DataFrame, models: Iterable[str]) -> Scores | str:
    """The scores of exactly these models on the requests that all of them were scored on, or the reason why that is not enough.

    The judge with most scores is taken. Each model needs gold scores in `FEWEST` sessions: a judge alone is biased,
    by more for some models than for others.
    """
    wanted = sorted(set(models))
    rows = answered.filter(pl.col("model_id").is_in(wanted))
    opinions = rows.select("request_id", "model_id", "judged").explode("judged").drop_nulls("judged").unnest("judged")
    chosen = _most_used(opinions) or ""
    heard = opinions.filter(pl.col("judge") == chosen).select(
        "request_id", "model_id", pl.col("score").alias("opinion")
    )
    rows = rows.join(heard, on=["request_id", "model_id"], how="left").filter(
        pl.any_horizontal(pl.col("gold", "opinion").is_not_null())
    )
    complete = rows.filter(pl.col("model_id").n_unique().over("request_id") == len(wanted)).sort(
        "request_id", "model_id"
    )
    lacking = sorted(set(wanted) - set(rows["model_id"]))
    if lacking or complete.is_empty():
        return f"no shadow score of {', '.join(lacking)}" if lacking else "no request was scored on all of them"
    outside = complete.filter(
        pl.any_horizontal((pl.col(name) < 0) | (pl.col(name) > 1) for name in ("gold", "opinion"))
    )
    if not outside.is_empty():
        return "a shadow score is not from 0 to 1, so it is no share"
    shape = (-1, len(wanted))
    gold, opinion = (complete[name].to_numpy().astype(float).reshape(shape) for name in ("gold", "opinion"))
    clusters, number = numbered(complete["cluster"].gather_every(len(wanted)))
    for place, model in enumerate(wanted):
        sessions = len(np.unique(clusters[~np.isnan(gold[:, place])]))
        if sessions < FEWEST:
            return (
                f"{model} has gold scores in {sessions} sessions, {FEWEST} are needed: add records with score_kind gold"
            )
    return Scores(wanted, gold, opinion, clusters, chosen, number)


def _most_used(opinions: pl.DataFrame) -> str | None:
    counts = opinions["judge"].value_counts().sort(["count", "judge"], descending=[True, False])
    return None if counts.is_empty() else str(counts["judge"][0])


def numbered(clusters: pl.Series) -> tuple[npt.NDArray[np.int64], int]:
    """Clusters as numbers from 0, and how many there are."""
    names, places = np.unique(clusters.to_numpy(), return_inverse=True)
    return places.astype(np.int64), len(names)


def evidence_rows(answered: pl.DataFrame, found: Iterable[Ratio]) -> pl.DataFrame:
    """Rows of mart.shadow_evidence: every ratio, and each model's quality and its judge's error."""
    rows = [_ratio_row(one) for one in found]
    with_score = answered.filter(pl.col("gold").is_not_null() | (pl.col("judged").list.len() > 0))
    for model in with_score["model_id"].unique().sort():
        rows += _quality_rows(answered, str(model))
    return pl.DataFrame(rows, schema=SHADOW_EVIDENCE.polars_schema)


def _ratio_row(one: Ratio) -> dict[str, Any]:
    low, high = one.estimate.interval()
    return {
        "measure": one.measure, "model_id": one.model_id, "against_model_id": one.against, "judge": "", "estimate": exp(one.estimate.value),
        "low_95": exp(low), "high_95": exp(high), "pairs": one.pairs, "sessions": one.estimate.clusters,
        "method": "ratio of totals, sessions as clusters, Student's t",
    }  # fmt: skip


def _quality_rows(answered: pl.DataFrame, model: str) -> list[dict[str, Any]]:
    scores = scored(answered, [model])
    row: dict[str, Any] = {"measure": "quality", "model_id": model, "against_model_id": "", "judge": ""}
    if isinstance(scores, str):
        return [row | {"pairs": 0, "sessions": 0, "method": "none", "not_used_reason": scores}]
    estimate = scores.estimate(0)
    gold = scores.gold[~np.isnan(scores.gold)]
    low, high = estimate.interval()
    method = "mean of gold scores, sessions as clusters, Student's t"
    if estimate.weight:
        method = f"gold scores and the judge's corrected by them (PPI++, weight {estimate.weight:.2f}), Student's t"
    elif len(gold) < FEW_PAIRS and scores.number == len(scores.gold) and set(gold) <= {0.0, 1.0}:
        low, high = (float(bound) for bound in wilson_interval(gold.sum(), len(gold)))
        method = "share of gold scores, Wilson"
    counts = {"pairs": len(scores.gold), "sessions": estimate.clusters}
    rows = [row | counts | {"judge": scores.judge if estimate.weight else "", "estimate": estimate.value, "low_95": max(low, 0.0), "high_95": min(high, 1.0), "method": method}]  # fmt: skip
    error = scores.judge_error(0)
    if error is not None:
        low, high = error.interval()
        rows.append({
            "measure": "judge_error", "model_id": model, "against_model_id": "", "judge": scores.judge, "estimate": error.value, "low_95": low, "high_95": high,
            "pairs": int((~np.isnan(scores.gold + scores.judged)).sum()), "sessions": error.clusters, "method": "judge less gold on the same answers, Student's t",
        })  # fmt: skip
    return rows
