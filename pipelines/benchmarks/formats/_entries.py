"""Scores made of outcomes item by item, for the formats that publish those: mean, standard error, cost and tokens.

Which fields of a file are outcomes is in the format modules; how two runs on the same items are compared
is in `pipelines/benchmarks/items.py`, how several runs of one submission become one score in `trials.py` there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np

from pipelines.benchmarks.collector import Collector
from pipelines.benchmarks.fields import EntryError, is_blank
from pipelines.benchmarks.formats._tables import read_json, wrong_shape
from pipelines.benchmarks.items import score_of_items
from pipelines.benchmarks.observation import ROW_KEY, Benchmark, BoardSnapshot, Traits

TRAITS = Traits(row_kind="entry")


@dataclass
class Entry:
    """What one model did: outcomes from 0 to 1 by item and trial, which items hang together, and what it took."""

    outcomes: dict[str, list[float]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    """Items of which an outcome is missing (an error, a null), once per outcome."""
    clusters: dict[str, str] = field(default_factory=dict)
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal | None = None

    def add(self, item: str, outcome: float | None) -> None:
        """One trial of an item; None if it has no outcome."""
        if outcome is None:
            self.missing.append(item)
        else:
            self.outcomes.setdefault(item, []).append(outcome)

    def spend(self, cost: Decimal | None) -> None:
        """Add what a trial cost, where that is stated."""
        if cost is not None:
            self.cost = cost + (self.cost or 0)

    def means(self) -> dict[str, float]:
        """Mean outcome over the trials of each item."""
        return {item: float(np.mean(trials)) for item, trials in sorted(self.outcomes.items())}

    def trials(self) -> dict[str, int]:
        """Trials of each item that have an outcome."""
        return {item: len(trials) for item, trials in self.outcomes.items()}

    def row(self) -> dict[str, Any]:
        """The columns of a score row that follow from the outcomes, and what they took."""
        outcomes = self.means()
        clusters = [self.clusters.get(item, item) for item in outcomes]
        return {
            **score_of_items(np.array(list(outcomes.values())), clusters, max(self.trials().values())),
            "run_cost_usd": self.cost,
            "run_input_tokens": self.input_tokens or None,
            "run_output_tokens": self.output_tokens or None,
        }

    def keep(self, named: Mapping[str, Any], into: Collector) -> None:
        """Keep the score of the entry that `named` describes (keys, names, dates), with its outcomes and what is missing."""
        row = {**named, "score": None}
        if self.outcomes:
            row |= self.row()
            into.rows.append(row)
            into.keep_items(row, self.means(), self.clusters, self.trials())
        if self.missing:
            of = len(self.missing) + sum(self.trials().values())
            into.lacks(row, self.missing, of)


@dataclass
class ItemEntries:
    """Score rows of single items, gathered into one row per entry."""

    into: Collector
    _found: dict[tuple[str, ...], tuple[dict[str, Any], Entry]] = field(default_factory=dict)

    def add(self, rows: Iterable[dict[str, Any]], item: str, cluster: str | None) -> None:
        """Take what one record says of one item; `score` is its outcome in per cent, None if it has none.

        Raises EntryError for another unit.
        """
        found = list(rows)
        broken = next((row for row in found if row["score"] is not None and not 0 <= row["score"] <= 100), None)
        if broken is not None:
            detail = f"the outcome of {item} is {broken['score_text']}: accepted are shares from 0 to 1 (scale: share) or per cent"
            raise EntryError("out_of_range", detail)
        for row in found:
            _, entry = self._found.setdefault(tuple(row[name] for name in ROW_KEY), (row, Entry()))
            entry.add(item, None if row["score"] is None else row["score"] / 100)
            if cluster is not None:
                entry.clusters[item] = cluster
            entry.spend(row["run_cost_usd"])

    def keep(self) -> None:
        """Keep the entries as score rows, with the outcomes behind them."""
        for first, entry in self._found.values():
            entry.keep(first, self.into)


def entries_snapshot(
    into: Collector,
    benchmark_id: str,
    title: str,
    version: str,
    entries: Mapping[str, Entry],
    *,
    scope: str = "",
    variant: str = "",
) -> BoardSnapshot:
    benchmark = Benchmark(benchmark_id, title, "accuracy", "percent", min_score=0, max_score=100)
    for model, entry in sorted(entries.items()):
        named = {
            "benchmark_id": benchmark_id,
            "version_label": version,
            "source_row_key": f"{model} {variant}".strip(),
            "raw_model": model,
            "variant": variant,
            "measured_by": "independent",
            "as_of": into.as_of,
            "source_locator": f"/{model}",
            "harness": variant or None,
        }
        entry.keep(named, into)
    return into.snapshot(into.observation(TRAITS, (benchmark,), scope=scope))


def listed_records(into: Collector, key: str) -> Iterable[dict[str, Any]]:
    document = read_json(into)
    if document is None:
        return []
    records = document.get(key) if isinstance(document, dict) else None
    if not isinstance(records, list):
        wrong_shape(into, f"expected an object with {key} (a list)")
        return []
    return [record if isinstance(record, dict) else {} for record in records]


def solved(value: object, name: str) -> float | None:
    """Solved or not: true, false, 1 or 0; None for a trial without an outcome."""
    if is_blank(value):
        return None
    if not isinstance(value, (bool, int, float)) or value not in (0, 1):
        raise EntryError("missing_field", f"{name} is {value!r}, not true or false: sets graded in points are not read")
    return float(value)


def fields_of(record: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: record.get(name) for name in names}
