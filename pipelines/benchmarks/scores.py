"""A board's history as the bitemporal tables core.benchmark, core.benchmark_version and core.benchmark_score.

Rows come from the walk in `history.py`; this module only names versions, resolves models and shapes the frames. The
events of the same walk are made in `drift.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from pipelines.benchmarks.history import ASSERTED_SCHEMA, CLOSED_SCHEMA, Step, walk
from pipelines.benchmarks.observation import ROW_KEY, ROW_SCHEMA, Benchmark, BoardSnapshot
from pipelines.config.sources import Leaderboard
from pipelines.constant import empty
from pipelines.ids import id_bytes, id_column
from pipelines.models import Registry, resolve_names
from pipelines.warehouse.tables.core_benchmarks import BENCHMARK, BENCHMARK_SCORE, BENCHMARK_VERSION

LEFT_OUT_CONFIDENCE = 0.8
"""Confidence in a model that only a part of the entry's name names: as that of a name without its variant."""

SCORE_ITEMS = pl.Schema(
    {"score_id": pl.Binary(), "item_id": pl.String(), "cluster": pl.String(), "outcome": pl.Float64()}
)
"""Outcomes item by item behind scores, see `items.ITEM_SCHEMA`."""

ASSERTED_ITEMS = pl.Schema(
    {
        **{name: ROW_SCHEMA[name] for name in ROW_KEY},
        "since": pl.Datetime("us", "UTC"),
        "item_id": pl.String(),
        "cluster": pl.String(),
        "outcome": pl.Float64(),
    }
)
"""The same by the key of the row and the instant of its assertion."""

SCORE_NAMES = pl.Schema({"score_id": pl.Binary(), "model_name": pl.String()})
"""The part of each entry's name that names a model, empty where none does (observation.ROW_SCHEMA)."""


@dataclass(frozen=True)
class BoardScores:
    """The score tables of one board, the outcomes behind its scores where it publishes them, and the walk."""

    benchmarks: pl.DataFrame
    versions: pl.DataFrame
    scores: pl.DataFrame
    items: pl.DataFrame
    names: pl.DataFrame
    history: tuple[Step, ...]


def version_id(benchmark_id: str, version_label: str, epoch: int) -> str:
    """Id of a benchmark version: `benchmark@version#epoch`."""
    return f"{benchmark_id}@{version_label}#{epoch}"


def score_id(board: str, benchmark_version_id: str, source_row_key: str, observed_at: str) -> bytes:
    """Id of a score row; `observed_at` as `YYYY-MM-DDTHH:MM:SS.ffffff`, UTC."""
    return id_bytes(board, benchmark_version_id, source_row_key, observed_at)


@dataclass(frozen=True)
class Said:
    """What exports asserted and withdrew, with the outcomes item by item behind it, and the benchmarks that they name."""

    asserted: pl.DataFrame = field(default_factory=lambda: empty(ASSERTED_SCHEMA))
    closed: pl.DataFrame = field(default_factory=lambda: empty(CLOSED_SCHEMA))
    items: pl.DataFrame = field(default_factory=lambda: empty(ASSERTED_ITEMS))
    benchmarks: Mapping[str, Benchmark] = field(default_factory=dict)

    def then(self, history: Iterable[Step]) -> Said:
        """The same after the next exports."""
        steps = list(history)
        named = [item for step in steps for item in step.observation.benchmarks]
        return Said(
            pl.concat([self.asserted, *(step.asserted for step in steps)]),
            pl.concat([self.closed, *(step.closed for step in steps)]),
            pl.concat([self.items, *(_asserted_items(step) for step in steps if step.observation.items.height)]),
            {**self.benchmarks, **{item.benchmark_id: item for item in named}},
        )


def build_scores(board: Leaderboard, snapshots: Sequence[BoardSnapshot], registry: Registry | None) -> BoardScores:
    """Every score that the board's exports asserted, with the period in which each was believed.

    A pure function of the set of snapshots: any order gives the same rows. An unusable export asserts and closes nothing.
    `registry` resolves the names of models; None leaves model_id null.
    """
    history = walk(snapshots)
    return score_tables(board, Said().then(history), history, registry)


def score_tables(board: Leaderboard, said: Said, history: tuple[Step, ...], registry: Registry | None) -> BoardScores:
    """The tables of what a board's exports said; `history` are the steps among them that are to be judged."""
    version = pl.concat_str("benchmark_id", pl.lit("@"), "version_label", pl.lit("#"), "epoch")
    rows = (
        said.asserted.join(said.closed, on=[*ROW_KEY, "since"], how="left")
        .with_columns(
            pl.lit(board.board).alias("board"),
            version.alias("benchmark_version_id"),
            pl.col("since").alias("observed_at"),
        )
        .sort("benchmark_version_id", "source_row_key", "observed_at")
    )
    identity = rows.with_columns(pl.col("observed_at").dt.strftime("%Y-%m-%dT%H:%M:%S%.6f"))
    ids = id_column(identity, ["board", "benchmark_version_id", "source_row_key", "observed_at"])
    rows = rows.with_columns(ids.alias("score_id"), *_resolve(rows, board.board, registry))
    return BoardScores(
        benchmarks=_benchmarks(said.benchmarks),
        versions=_versions(rows),
        scores=rows.select(*BENCHMARK_SCORE.polars_schema).cast(dict(BENCHMARK_SCORE.polars_schema)),  # type: ignore[arg-type]
        items=_items(said.items, rows),
        names=rows.select(*SCORE_NAMES),
        history=history,
    )


def _asserted_items(step: Step) -> pl.DataFrame:
    """The outcomes with which an export asserted its scores."""
    asserted = step.asserted.select(*ROW_KEY, "since")
    return step.observation.items.join(asserted, on=ROW_KEY).select(*ASSERTED_ITEMS)


def _items(items: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """The outcomes with which each score was asserted."""
    keyed = rows.select(*ROW_KEY, "since", "score_id")
    return items.join(keyed, on=[*ROW_KEY, "since"]).select(*SCORE_ITEMS).sort("score_id", "item_id")


def _benchmarks(known: Mapping[str, Benchmark]) -> pl.DataFrame:
    rows = [{name: getattr(known[key], name) for name in BENCHMARK.polars_schema} for key in sorted(known)]
    return pl.DataFrame(rows, schema=BENCHMARK.polars_schema)


def _versions(rows: pl.DataFrame) -> pl.DataFrame:
    return (
        rows.group_by("benchmark_version_id")
        .agg(
            pl.col("benchmark_id").first(),
            pl.col("version_label").first(),
            pl.col("epoch").first().alias("scale_epoch"),
            pl.col("n_items").max(),
            pl.col("observed_at").min().dt.date().alias("valid_from"),
        )
        .sort("benchmark_version_id")
        .select(*BENCHMARK_VERSION.polars_schema)
    )


def _resolve(rows: pl.DataFrame, board: str, registry: Registry | None) -> list[pl.Series]:
    """model_id, resolution_method and resolution_confidence per row: of the entry's full name, else of its model part, else
    of that without a bracket. A name of which something was left out is `variant_suffix` at best."""
    columns = {"model_id": pl.String, "resolution_method": pl.String, "resolution_confidence": pl.Float64}
    if registry is None or rows.is_empty():
        return [pl.Series(name, [None] * rows.height, dtype=kind) for name, kind in columns.items()]
    candidates = rows.select(
        pl.col("raw_model").str.to_lowercase().alias("full"),
        pl.col("model_name").str.to_lowercase().alias("part"),
        pl.col("model_name").str.to_lowercase().str.replace(r"\s*\([^()]*\)\s*$", "").alias("bare"),
    )
    names = pl.concat([candidates[name].rename("raw_name") for name in candidates.columns]).unique().sort()
    resolved = resolve_names(pl.DataFrame({"provider_id": [board] * names.len(), "raw_name": names}), registry)
    known = {
        row[0]: row[1:] for row in resolved.select("raw_name", "model_id", "method", "confidence").iter_rows() if row[1]
    }
    found = []
    entries = candidates.unique()  # an entry stands in many exports
    for full, part, bare in entries.iter_rows():
        name = next((candidate for candidate in (full, part, bare) if candidate in known), None)
        model_id, method, confidence = known[name] if name is not None else (None, "unresolved", 0.0)
        if name is not None and name != full:
            method, confidence = "variant_suffix", min(confidence, LEFT_OUT_CONFIDENCE)
        found.append((full, part, bare, model_id, method, confidence))
    means = pl.DataFrame(found, schema={**candidates.schema, **columns}, orient="row")
    meant = candidates.join(means, on=candidates.columns, how="left", nulls_equal=True, maintain_order="left")
    return meant.select(*columns).get_columns()
