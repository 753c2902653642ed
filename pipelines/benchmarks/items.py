"""Outcomes item by item, where a source publishes them: the same items make a comparison many times sharper.

Two runs on the same items share the difficulty of each item, so their difference has far less noise than two scores have
(Miller, "Adding Error Bars to Evals", 2024, arXiv 2411.00640). Formats hand their outcomes over in `ITEM_SCHEMA`; the
arithmetic of one pair is in `pipelines.uncertainty`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from pipelines import uncertainty
from pipelines.constant import empty

ITEM_SCHEMA = pl.Schema(
    {
        "benchmark_id": pl.String(),
        "version_label": pl.String(),
        "source_row_key": pl.String(),
        "item_id": pl.String(),
        "cluster": pl.String(),
        "outcome": pl.Float64(),
        "trials": pl.Int32(),
    }
)
"""One row per score row and item: outcome from 0 to 1, the mean over `trials`; `cluster` names items that are not
independent of each other (questions on one text), and is the item itself where each stands alone."""

MIN_SHARED = 10
"""Fewest shared items from which two runs are compared item by item."""

PAIRED_SCHEMA = pl.Schema(
    {
        "benchmark_id": pl.String(),
        "version_label": pl.String(),
        "source_row_key": pl.String(),
        "paired_items": pl.Int32(),
        "items_gained": pl.Int32(),
        "items_lost": pl.Int32(),
        "paired_delta": pl.Float64(),
        "paired_se": pl.Float64(),
        "paired_p": pl.Float64(),
    }
)
"""Comparison of one score row with itself, in percentage points: over how many shared items, how many got better or worse."""

_KEY = ["benchmark_id", "version_label", "source_row_key"]


def item_rows(
    row: Mapping[str, Any], outcomes: Mapping[str, float], clusters: Mapping[str, str], trials: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Rows of ITEM_SCHEMA for one score row; `outcomes` from 0 to 1 by item, `clusters` by item where they are known,
    `trials` by item, 1 where not stated."""
    key = {name: row[name] for name in _KEY}
    return [
        {**key, "item_id": item, "cluster": clusters.get(item, item), "outcome": outcome, "trials": trials.get(item, 1)}
        for item, outcome in sorted(outcomes.items())
    ]


def items_frame(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows as a frame of ITEM_SCHEMA."""
    return pl.DataFrame(list(rows), schema=ITEM_SCHEMA)


def score_of_items(means: uncertainty.Floats, clusters: Sequence[str], trials: int) -> dict[str, Any]:
    """The columns of a score row that follow from the mean outcome (0 to 1) of each item over `trials`.

    Mean over items in per cent. With one trial each the counts speak; else the spread of the items' means: Var(means)/n
    holds both the choice of items and the chance of the trials; items that hang together count by cluster (Miller 2024,
    sections 2.1 and 2.2).
    """
    n, solved = means.size, float(means.sum())
    is_count = trials == 1 and set(means.tolist()) <= {0.0, 1.0} and len(set(clusters)) == n
    stderr = 0.0 if is_count else uncertainty.clustered_stderr(means, clusters)[0]
    return {
        "score": 100 * solved / n,
        "score_text": f"{100 * solved / n:.4f}",
        "n_items": n,
        "n_success": round(solved) if is_count else None,
        "n_trials": trials,
        "stderr": 100 * stderr if np.isfinite(stderr) and stderr > 0 else None,
    }


def compare_items(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Every score row that has outcomes on both sides, compared over the items that it has on both (PAIRED_SCHEMA)."""
    if before.is_empty() or after.is_empty():
        return empty(PAIRED_SCHEMA)
    both = after.join(before.select(*_KEY, "item_id", pl.col("outcome").alias("outcome_before")), on=[*_KEY, "item_id"])
    found = []
    for key, shared in both.sort(*_KEY, "item_id").partition_by(_KEY, as_dict=True, maintain_order=True).items():
        if shared.height < MIN_SHARED:
            continue
        difference = (shared["outcome"] - shared["outcome_before"]).to_numpy()
        delta, stderr, p_value = uncertainty.paired_test(difference, shared["cluster"].to_numpy())
        found.append(
            {
                **dict(zip(_KEY, key, strict=True)),
                "paired_items": shared.height,
                "items_gained": int(np.sum(difference > 0)),
                "items_lost": int(np.sum(difference < 0)),
                "paired_delta": 100 * delta,
                "paired_se": 100 * stderr,
                "paired_p": p_value,
            }
        )
    return pl.DataFrame(found, schema=PAIRED_SCHEMA)


def outcome_matrix(items: pl.DataFrame, score_ids: list[bytes]) -> tuple[uncertainty.Floats, list[str]] | None:
    """Outcomes of several scores over the items that all of them have, one row per score, and these items' clusters.

    `items` has `score_id`, `item_id`, `cluster` and `outcome`. None if a score has no outcomes, or if they share
    fewer than MIN_SHARED items or than half of those of any.
    """
    held = items.filter(pl.col("score_id").is_in(score_ids)).sort("item_id")
    own = held.group_by("score_id").len()
    shared = held.group_by("item_id").agg(pl.len().alias("n"), pl.col("cluster").first()).sort("item_id")
    shared = shared.filter(pl.col("n") == len(score_ids))
    if own.height < len(score_ids) or shared.height < max(MIN_SHARED, max(own["len"], default=0) / 2):
        return None
    wide = held.join(shared.select("item_id"), on="item_id", maintain_order="left")
    rows = [wide.filter(pl.col("score_id") == score_id)["outcome"].to_numpy() for score_id in score_ids]
    return np.vstack(rows), shared["cluster"].to_list()
