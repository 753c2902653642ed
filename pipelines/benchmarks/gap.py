"""Makes mart.benchmark_gap: how far the best open model is behind the best closed one, and how sure that is.

Computed from believed scores and the openness of models, per benchmark version and scale epoch; what can be said of the
difference of two maxima is in `bootstrap.py`, events are in `drift.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from pipelines.benchmarks.bootstrap import compare_best, rank_interval
from pipelines.benchmarks.gap_file import facts_of, keep_gaps, kept_gaps
from pipelines.benchmarks.openness import sides, undecided
from pipelines.benchmarks.scores import SCORE_ITEMS
from pipelines.constant import empty
from pipelines.ids import id_bytes
from pipelines.models import Registry
from pipelines.warehouse.tables.mart_benchmarks import BENCHMARK_GAP

TOP_K = 5


def build_gap(
    scores: pl.DataFrame,
    models: pl.DataFrame,
    benchmarks: pl.DataFrame,
    registry: Registry | None = None,
    items: pl.DataFrame | None = None,
    *,
    names: pl.DataFrame | None = None,
    kept: Path | None = None,
) -> pl.DataFrame:
    """The gap for each board and benchmark version, on every day on which one of its scores changed.

    `scores` are rows of core.benchmark_score, `models` of core.model, `benchmarks` of core.benchmark; on which
    side an entry stands is decided in `openness.py`, with `registry` and `names` (scores.SCORE_NAMES). A day shows what
    is now known to have held at its end: each entry's latest statement with that `as_of` or an earlier one, the
    corrected one where it was corrected, and no entry that had been withdrawn by then. `items` are outcomes item by item
    (scores.SCORE_ITEMS): models that have them are compared on the same items. Deterministic: the bootstrap is seeded by
    board, version and day. In the file `kept` lie the gaps of the run before, of which those of days are taken that nothing
    has changed on or before.
    """
    outcomes = items if items is not None else empty(SCORE_ITEMS)
    released = dict(models.select("model_id", "released_date").drop_nulls().iter_rows())
    reverse = dict(benchmarks.select("benchmark_id", "lower_is_better").iter_rows())
    lower = (
        pl.col("benchmark_version_id")
        .str.split("@")
        .list.first()
        .replace_strict(reverse, default=False, return_dtype=pl.Boolean)
    )
    known = scores.with_columns(
        sides(scores, models, registry, names),
        pl.when(lower).then(-1.0).otherwise(1.0).alias("sign"),
        pl.col("model_id").replace_strict(released, default=None, return_dtype=pl.Date).alias("released"),
    )
    facts = facts_of(known, outcomes)
    former = kept_gaps(kept, facts) if kept else BENCHMARK_GAP.empty()
    rows: list[dict[str, Any]] = []
    for (board, version), group in known.partition_by("board", "benchmark_version_id", as_dict=True).items():
        known_items = outcomes.join(group.select("score_id"), on="score_id", how="semi")
        place = _Place(str(board), str(version), group["sign"][0], known_items)
        of_place = former.filter((pl.col("board") == board) & (pl.col("benchmark_version_id") == version))
        rows.extend(_series(place, group, of_place.sort("event_date").to_dicts()))
    gaps = pl.concat([former, pl.DataFrame(rows, schema=BENCHMARK_GAP.polars_schema)]).sort(*BENCHMARK_GAP.primary_key)
    if kept:
        keep_gaps(kept, facts, gaps)
    return gaps


@dataclass(frozen=True)
class _Place:
    """Where a gap is measured: higher scores are better for sign 1, lower ones for -1."""

    board: str
    version: str
    sign: float
    items: pl.DataFrame
    """Outcomes item by item of the version's scores."""


def _series(place: _Place, scores: pl.DataFrame, former: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The gaps of the days after the last of `former`."""
    rows: list[dict[str, Any]] = []
    best_closed = [
        (row["event_date"], place.sign * row["best_closed_score"])
        for row in former
        if row["best_closed_score"] is not None
    ]
    for day, known in _days(scores, former[-1]["event_date"] if former else None):
        held = known.with_columns((place.sign * pl.col("score")).alias("value"))
        row = _gap(place, day, held)
        if row["best_closed_score"] is not None:
            best_closed.append((day, place.sign * row["best_closed_score"]))
        rows.append({**row, **_lag(day, row, best_closed, place.sign), **_release_lag(held)})
    return rows


def _days(scores: pl.DataFrame, after: date | None) -> Iterator[tuple[date, pl.DataFrame]]:
    """Each day after `after`, and one row per entry: the latest that was true at the end of it, as known now."""
    ordered = scores.sort("as_of", "observed_at", "score_id")
    latest = ordered.clear()
    if after is not None:
        is_before = pl.col("as_of") <= after
        latest = ordered.filter(is_before).unique("source_row_key", keep="last", maintain_order=True)
        ordered = ordered.filter(~is_before)
    # Carried from day to day: looking through all that was said up to each day made a year of days cost its square.
    for (day,), said in ordered.partition_by("as_of", as_dict=True, maintain_order=True).items():
        latest = pl.concat([latest, said]).unique("source_row_key", keep="last", maintain_order=True)
        is_gone = (pl.col("supersede_reason") == "removed") & (pl.col("superseded_at").dt.date() <= day)
        yield day, latest.filter(~is_gone.fill_null(value=False))


def _gap(place: _Place, day: date, held: pl.DataFrame) -> dict[str, Any]:
    ordered = held.sort("value", "source_row_key", descending=[True, False])
    opens, closeds = (ordered.filter(pl.col("side") == side) for side in ("open", "closed"))
    row: dict[str, Any] = {
        "event_date": day,
        "board": place.board,
        "benchmark_version_id": place.version,
        "top_k": TOP_K,
        "n_open": opens.height,
        "n_closed": closeds.height,
        "n_unknown": held.height - opens.height - closeds.height,
        "undecided": undecided(ordered),
        **_best("open", opens),
        **_best("closed", closeds),
    }
    if opens.is_empty() or closeds.is_empty():
        return row
    row["gap"] = float(closeds["value"][0] - opens["value"][0])
    seed = int.from_bytes(id_bytes(place.board, place.version, day.isoformat())[:8], "big")
    row |= compare_best(closeds, opens, place.items, place.sign, seed)
    row |= rank_interval(opens.row(0, named=True), ordered)
    if min(opens.height, closeds.height) >= TOP_K:
        tops = [side.head(TOP_K) for side in (closeds, opens)]
        means = [float(top["value"].to_numpy().mean()) for top in tops]
        row["top_k_gap"] = means[0] - means[1]
        if all(top["stderr"].null_count() == 0 for top in tops):
            row["top_k_gap_stderr"] = float(np.sqrt(sum(float((top["stderr"] ** 2).sum()) for top in tops)) / TOP_K)
    return row


def _best(side: str, rows: pl.DataFrame) -> dict[str, Any]:
    first = rows.row(0, named=True) if rows.height else {}
    return {
        f"best_{side}_model": first.get("raw_model"),
        f"best_{side}_model_id": first.get("model_id"),
        f"best_{side}_score": first.get("score"),
    }


def _lag(day: date, row: dict[str, Any], best_closed: list[tuple[date, float]], sign: float) -> dict[str, Any]:
    """Days since a closed model first had what the best open one has on `day`."""
    if row["best_open_score"] is None or not best_closed:
        return {}
    level = sign * row["best_open_score"]
    reached = [at for at, value in best_closed if value >= level]
    if not reached:
        return {}
    if best_closed[-1][1] <= level:
        return {"lag_days": 0, "lag_is_minimum": False}
    return {"lag_days": (day - reached[0]).days, "lag_is_minimum": reached[0] == best_closed[0][0]}


def _release_lag(held: pl.DataFrame) -> dict[str, Any]:
    """Days from the release of the first closed model that has what the best open one has to that one's own release.

    Less than zero where the open one was first; none where a day of release is not known, or no closed model has it.
    """
    opens = held.filter(pl.col("side") == "open").sort("value", "source_row_key", descending=[True, False])
    if opens.is_empty() or opens["released"][0] is None:
        return {}
    reached = held.filter((pl.col("side") == "closed") & (pl.col("value") >= opens["value"][0]))["released"].min()
    return {} if reached is None else {"release_lag_days": (opens["released"][0] - reached).days}
