"""Keeps the gaps of a board between runs, with what they were made of. A day is made again only if something on it or before it changed.

The gap itself is measured in `gap.py`.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from pipelines.benchmarks.board_cache import DECIDES
from pipelines.config.sources import Leaderboard
from pipelines.landing.parse_cache import CachedParse, cache_folder, read_cached, write_cached
from pipelines.warehouse.tables.mart_benchmarks import BENCHMARK_GAP

_PLACE = ("board", "benchmark_version_id")
_DECIDING = (
    "score_id", "source_row_key", "as_of", "observed_at", "raw_model", "model_id", "score", "stderr", "side", "sign", "released",
)  # fmt: skip
"""What of a score its gaps depend on, but for its end and the outcomes behind it."""


def gap_path(board: Leaderboard, store: Path) -> Path:
    """Where the gaps of a board are kept, as they are measured today."""
    return cache_folder(store, "leaderboards/gap", {"board": board.board}, *DECIDES, "pipelines.ids") / "state.zip"


def facts_of(known: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """All that gaps depend on: one row per score, and one more where it was withdrawn, with the `day` from which it counts.

    `known` are rows of core.benchmark_score with `side`, `sign` and `released`, `items` outcomes (scores.SCORE_ITEMS).
    """
    hashed = items.select("score_id", pl.struct("item_id", "cluster", "outcome").hash().alias("outcomes"))
    by_score = hashed.group_by("score_id").agg(pl.col("outcomes").sum())
    stated = known.join(by_score, on="score_id", how="left").select(
        *_PLACE, *_DECIDING, "outcomes", pl.col("as_of").alias("day"), pl.lit(value=False).alias("is_end")
    )
    ends = known.filter(pl.col("supersede_reason") == "removed").select(
        *_PLACE, "score_id", pl.col("superseded_at").dt.date().alias("day"), pl.lit(value=True).alias("is_end")
    )
    return pl.concat([stated, ends], how="diagonal")


def kept_gaps(path: Path, facts: pl.DataFrame) -> pl.DataFrame:
    """The gaps kept at `path` that `facts` would give again: those before the first day that differs."""
    entry = read_cached(path)
    if entry is None or entry.frames.keys() != {"facts", "gaps"}:
        return BENCHMARK_GAP.empty()
    before, gaps = entry.frames["facts"], entry.frames["gaps"]
    if before.schema != facts.schema or gaps.schema != BENCHMARK_GAP.polars_schema:
        return BENCHMARK_GAP.empty()
    differ = pl.concat(
        [
            one.join(other, on=facts.columns, how="anti", nulls_equal=True).select(*_PLACE, "day")
            for one, other in ((before, facts), (facts, before))
        ]
    )
    first = differ.group_by(_PLACE).agg(pl.col("day").min().alias("first"))
    return (
        gaps.join(first, on=_PLACE, how="left")
        .filter(pl.col("first").is_null() | (pl.col("event_date") < pl.col("first")))
        .select(*BENCHMARK_GAP.polars_schema)
    )


def keep_gaps(path: Path, facts: pl.DataFrame, gaps: pl.DataFrame) -> None:
    """Keep `gaps`, made of `facts`, for the next run."""
    write_cached(path, CachedParse(b"{}", {"facts": facts, "gaps": gaps}))
