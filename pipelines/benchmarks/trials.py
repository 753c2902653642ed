"""Runs of one submission are trials of one score. Each export that is such a run becomes an export of all runs so far.

Which files are runs of one submission is known to the format that reads them; what a sequence of exports means is in
`history.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import polars as pl

from pipelines.benchmarks.items import ITEM_SCHEMA, score_of_items
from pipelines.benchmarks.observation import ROW_KEY, Observation, rows_frame

_SPENT = ("run_cost_usd", "run_input_tokens", "run_output_tokens")


def pooled(observations: Iterable[Observation]) -> list[Observation]:
    """The observations in their order; the runs of one submission as one per instant, over all runs up to then.

    A run that is landed again replaces what it said before. `observations` are sorted by scope and instant.
    """
    found: list[Observation] = []
    runs: dict[tuple[str, str], dict[str, Observation]] = defaultdict(dict)
    for item in observations:
        if not item.submission or item.rows.is_empty():
            found.append(item)
            continue
        so_far = runs[(item.scope, item.submission)]
        so_far[item.run_id] = item
        last = found[-1] if found else None
        if last is not None and _is_same_instant(last, item):
            found.pop()
        found.append(_together(list(so_far.values()), item))
    return found


def _is_same_instant(one: Observation, other: Observation) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in ("scope", "submission", "observed_at"))


def _together(runs: Sequence[Observation], newest: Observation) -> Observation:
    """One observation of all runs: each item's outcome is the mean over all of its trials."""
    if len(runs) == 1:
        return newest
    outcome, trials = pl.col("outcome"), pl.col("trials")
    items = (
        pl.concat([run.items for run in runs])
        .group_by(*ROW_KEY, "item_id")
        .agg(pl.col("cluster").first(), (outcome * trials).sum() / trials.sum(), trials.sum())
        .sort(*ROW_KEY, "item_id")
        .select(*ITEM_SCHEMA)
        .cast({"trials": pl.Int32})
    )
    known: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for run in runs:
        for row in run.rows.iter_rows(named=True):
            known[tuple(row[name] for name in ROW_KEY)].append(row)
    rows = []
    for key, own in items.partition_by(ROW_KEY, as_dict=True, maintain_order=True).items():
        said = known[key]
        scored = score_of_items(own["outcome"].to_numpy(), own["cluster"].to_list(), int(own["trials"].max()))  # type: ignore[arg-type]
        spent = {name: _sum([row[name] for row in said]) for name in _SPENT}
        intervals = dict.fromkeys(("ci_low", "ci_high", "ci_level", "ci_method"))
        rows.append({**said[-1], **intervals, **scored, **spent})
    lacking = tuple(item for run in runs for item in run.contradictions)
    return replace(newest, rows=rows_frame(rows), items=items, contradictions=tuple(dict.fromkeys(lacking)))


def _sum(values: Sequence[Decimal | int | None]) -> Decimal | int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
