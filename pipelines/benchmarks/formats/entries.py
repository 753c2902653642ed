"""Scores made of outcomes item by item, for the formats that publish those: mean, standard error, cost and tokens.

Which fields of a file are outcomes is in the format modules beside this file; how two runs on the same items are compared
is in `pipelines/benchmarks/items.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np

from pipelines.benchmarks import statistics
from pipelines.benchmarks.snapshot import ROW_KEY, Collector
from pipelines.benchmarks.values import RecordError


@dataclass
class Entry:
    """What one model did: outcomes from 0 to 1 by item and trial, which items hang together, and what it took."""

    outcomes: dict[str, list[float]] = field(default_factory=dict)
    clusters: dict[str, str] = field(default_factory=dict)
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal | None = None

    def means(self) -> dict[str, float]:
        """Mean outcome over the trials of each item."""
        return {item: float(np.mean(trials)) for item, trials in sorted(self.outcomes.items())}

    def row(self) -> dict[str, Any]:
        """Mean over items in per cent. With one trial each the counts speak; else the spread of the items' means.

        Var(means)/n holds both the choice of items and the chance of the trials; items that hang together count by
        cluster (Miller 2024, sections 2.1 and 2.2).
        """
        outcomes = self.means()
        means = np.array(list(outcomes.values()))
        n, trials = means.size, max(len(item) for item in self.outcomes.values())
        solved = float(means.sum())
        clusters = [self.clusters.get(item, item) for item in outcomes]
        is_count = trials == 1 and set(means.tolist()) <= {0.0, 1.0} and len(set(clusters)) == n
        stderr = 0.0 if is_count else statistics.clustered_stderr(means, clusters)[0]
        return {
            "score": 100 * solved / n,
            "score_text": f"{100 * solved / n:.4f}",
            "n_items": n,
            "n_success": round(solved) if is_count else None,
            "n_trials": trials,
            "stderr": 100 * stderr if np.isfinite(stderr) and stderr > 0 else None,
            "run_cost_usd": self.cost,
            "run_input_tokens": self.input_tokens or None,
            "run_output_tokens": self.output_tokens or None,
        }


@dataclass
class ItemEntries:
    """Score rows of single items, gathered into one row per entry."""

    into: Collector
    _found: dict[tuple[str, ...], tuple[dict[str, Any], Entry]] = field(default_factory=dict)

    def add(self, rows: Iterable[dict[str, Any]], item: str, cluster: str | None) -> None:
        """Take what one record says of one item; `score` is its outcome in per cent. Raises RecordError for another unit."""
        found = list(rows)
        broken = next((row for row in found if not 0 <= row["score"] <= 100), None)
        if broken is not None:
            detail = f"the outcome of {item} is {broken['score_text']}: accepted are shares from 0 to 1 (scale: share) or per cent"
            raise RecordError("out_of_range", detail)
        for row in found:
            _, entry = self._found.setdefault(tuple(row[name] for name in ROW_KEY), (row, Entry()))
            entry.outcomes.setdefault(item, []).append(row["score"] / 100)
            if cluster is not None:
                entry.clusters[item] = cluster
            if row["run_cost_usd"] is not None:
                entry.cost = row["run_cost_usd"] + (entry.cost or 0)

    def keep(self) -> None:
        """Keep the entries as score rows, with the outcomes behind them."""
        for first, entry in self._found.values():
            row = {**first, **entry.row()}
            self.into.rows.append(row)
            self.into.keep_items(row, entry.means(), entry.clusters)
