"""The difference between the best of two sides: its interval, and how much of it is luck.

The best of many noisy scores looks better than it is. Where outcomes item by item are known, the items are drawn anew for
all models at once, so that what the models share cancels out; otherwise each score is drawn with its own standard
error. `gap.py` decides which models are on which side, and when.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from pipelines import uncertainty
from pipelines.benchmarks.items import outcome_matrix
from pipelines.uncertainty import Z95, Floats, min_detectable

DRAWS = 2000
CANDIDATES = 30
"""Models per side that take part in the bootstrap. Those further down are never the best."""

SURELY_BEHIND = 4.0
"""A model so many standard errors behind the best of its side can't be the best of any draw."""

MUST_HAVE_ERRORS = 5
"""Best models of a side that need a standard error each, so that there is an interval at all."""


def compare_best(
    closeds: pl.DataFrame, opens: pl.DataFrame, items: pl.DataFrame, sign: float, seed: int
) -> dict[str, Any]:
    """gap_adjusted, gap_low, gap_high, gap_stderr, min_detectable and paired_items; empty without standard errors.

    Both frames have `value` (score, higher is better), `stderr` and `score_id`, best first; `items` has `score_id`,
    `item_id`, `cluster` and `outcome` (0 to 1), values being their mean in per cent times `sign`. A basic bootstrap: the
    mean of the drawn maxima exceeds the observed one by about as much as the observed exceeds the true one, so the
    adjusted gap is twice the observed less the mean of the drawn, the bounds likewise from their percentiles.
    """
    if any(side.head(MUST_HAVE_ERRORS)["stderr"].null_count() for side in (closeds, opens)):
        return {}
    tops = [side.head(CANDIDATES).filter(pl.col("stderr").is_not_null()) for side in (closeds, opens)]
    generator = np.random.default_rng(seed)
    drawn, paired = _drawn_together(tops, items, sign, generator), True
    if drawn is None:
        drawn, paired = [_drawn_apart(top, generator) for top in tops], False
    observed = float(closeds["value"][0] - opens["value"][0])
    gaps = drawn[0] - drawn[1]
    low, high = np.quantile(gaps, [0.025, 0.975])
    stderr, n_items = _of_the_two_best(tops, items if paired else items.clear())
    return {
        "gap_adjusted": 2 * observed - float(gaps.mean()),
        "gap_low": 2 * observed - float(high),
        "gap_high": 2 * observed - float(low),
        "gap_stderr": stderr,
        "min_detectable": float(min_detectable(stderr)),
        "paired_items": n_items,
    }


def rank_interval(best: dict[str, Any], everyone: pl.DataFrame) -> dict[str, int]:
    """Ranks of a model that the 95 % intervals allow: those surely above it, and those perhaps above it."""
    if best["stderr"] is None:
        return {}
    others = everyone.filter(pl.col("source_row_key") != best["source_row_key"])
    noise = Z95 * pl.col("stderr").fill_null(0)
    low, high = pl.col("value") - noise, pl.col("value") + noise
    surely = others.filter(low > best["value"] + Z95 * best["stderr"]).height
    perhaps = others.filter(high >= best["value"] - Z95 * best["stderr"]).height
    return {"best_open_rank_from": 1 + surely, "best_open_rank_to": 1 + perhaps}


def _drawn_apart(top: pl.DataFrame, generator: np.random.Generator) -> Floats:
    draws = top["value"].to_numpy() + top["stderr"].to_numpy() * generator.standard_normal((DRAWS, top.height))
    return np.asarray(draws.max(axis=1))


def _drawn_together(
    tops: list[pl.DataFrame], items: pl.DataFrame, sign: float, generator: np.random.Generator
) -> list[Floats] | None:
    """Maxima of both sides over the same drawn items; None if a contender's outcomes are not known."""
    contenders = [_contenders(top) for top in tops]
    keys = [key for side in contenders for key in side["score_id"]]
    found = outcome_matrix(items, keys)
    if found is None:
        return None
    outcomes, clusters = found
    names, number = np.unique(np.array(clusters), return_inverse=True)
    sums = np.stack([np.bincount(number, weights=row, minlength=names.size) for row in outcomes])
    sizes = np.bincount(number, minlength=names.size)
    weights = generator.multinomial(names.size, np.full(names.size, 1 / names.size), size=DRAWS)
    deviation = 100 * sign * ((weights @ sums.T) / (weights @ sizes)[:, None] - outcomes.mean(axis=1))
    values = np.concatenate([side["value"].to_numpy() for side in contenders]) + deviation
    n_closed = contenders[0].height
    return [np.asarray(values[:, :n_closed].max(axis=1)), np.asarray(values[:, n_closed:].max(axis=1))]


def _contenders(top: pl.DataFrame) -> pl.DataFrame:
    best = top.row(0, named=True)
    noise = (pl.col("stderr").pow(2) + best["stderr"] ** 2).sqrt()
    return top.filter(best["value"] - pl.col("value") <= SURELY_BEHIND * noise)


def _of_the_two_best(tops: list[pl.DataFrame], items: pl.DataFrame) -> tuple[float, int | None]:
    """Standard error of the difference of the two best, and over how many shared items; None if only scores are known."""
    found = outcome_matrix(items, [top["score_id"][0] for top in tops])
    if found is None:
        return float(np.hypot(*(top["stderr"][0] for top in tops))), None
    outcomes, clusters = found
    _, stderr, _ = uncertainty.paired_test(outcomes[0] - outcomes[1], np.array(clusters))
    return 100 * stderr, len(clusters)
