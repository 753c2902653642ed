"""What one leaderboard export asserts: its scores row by row, and the records that could not be read.

Formats gather it with a `Collector` (`collector.py`); what a sequence of exports means (gate, identity, changes, epochs)
is in `history.py`. The tables that come out are made in `scores.py` and `drift.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import polars as pl

from pipelines.benchmarks.intervals import complete_intervals
from pipelines.benchmarks.items import ITEM_SCHEMA
from pipelines.constant import empty
from pipelines.landing import LandedFile

PARSER_VERSION = "2"

RowKind = Literal["run", "entry", "rating"]
"""What a change of a row's score means, by how the board makes its rows.

run: one finished run with an id of its own; a change is a revision of what was published.
entry: one entry per model; a change is a new run or a revision; its intervals keep it apart from noise.
rating: re-estimated from a growing pool of votes at every export; small moves are the rule and no event.
"""

PRACTICAL_THRESHOLD: dict[str, float] = {"elo": 5.0, "percent": 1.0, "points": 1.0}
"""Smallest change worth a reader's time, per unit: 5 Elo, 1 percentage point, 1 index point."""


@dataclass(frozen=True)
class Benchmark:
    """One benchmark of a board: a row of core.benchmark, and the parts of which a composite is made."""

    benchmark_id: str
    display_name: str
    metric_kind: str
    unit: str
    lower_is_better: bool = False
    min_score: float | None = None
    max_score: float | None = None
    components: tuple[str, ...] = ()
    """Benchmarks (of the same board) that a composite index is computed from; empty for a benchmark of its own."""
    row_kind: RowKind | None = None
    """How this benchmark's rows are made, where it differs from the rest of its board."""

    @property
    def practical_threshold(self) -> float:
        """Smallest change of a score that is worth a word, in its unit."""
        return PRACTICAL_THRESHOLD.get(self.unit, 0.0)


@dataclass(frozen=True)
class Traits:
    """How a board behaves; decides how its changes are read."""

    row_kind: RowKind
    primary_version: str | None = None
    """Version label that stands for the board where an event concerns several; None: the one with most rows."""
    is_window: bool = False
    """True where the export is the top of a longer list: a row below its last one may be there still, unlisted."""


@dataclass(frozen=True)
class Contradiction:
    """Two statements of one export that can't both be true, or a score that lacks outcomes of some of its items."""

    benchmark_id: str
    version_label: str
    source_row_key: str
    raw_model: str
    stated: float | None
    implied: float | None
    detail: str
    drift_class: Literal["contradiction", "missing_outcomes"] = "contradiction"


ROW_SCHEMA = pl.Schema(
    {
        "benchmark_id": pl.String(),
        "version_label": pl.String(),
        "source_row_key": pl.String(),
        "raw_model": pl.String(),
        "model_name": pl.String(),
        "variant": pl.String(),
        "score": pl.Float64(),
        "score_text": pl.String(),
        "n_items": pl.Int32(),
        "n_success": pl.Int32(),
        "n_trials": pl.Int32(),
        "stderr": pl.Float64(),
        "ci_low": pl.Float64(),
        "ci_high": pl.Float64(),
        "ci_level": pl.Float64(),
        "ci_method": pl.String(),
        "votes": pl.Int64(),
        "run_cost_usd": pl.Decimal(38, 18),
        "run_input_tokens": pl.Int64(),
        "run_output_tokens": pl.Int64(),
        "measured_by": pl.String(),
        "as_of": pl.Date(),
        "source_locator": pl.String(),
        "harness": pl.String(),
        "weights": pl.String(),
        "position": pl.Int32(),
    }
)
"""Columns of `Observation.rows`: those of core.benchmark_score that one export states by itself, and two more. `model_name`
is the part of the entry's name that names the model: raw_model where the source has no such part, empty where nothing in
the name does (an agent on several models). `position` is the row's place in the file."""

ROW_KEY = ("benchmark_id", "version_label", "source_row_key")


@dataclass(frozen=True)
class Observation:
    """Everything a board states about one scope at one instant; other scopes are not touched by it.

    Most exports are one observation; a file with several days, or a board landed as several files, holds or makes
    several. `rows` has ROW_SCHEMA, unique by ROW_KEY.
    """

    scope: str
    observed_at: datetime
    snapshot_id: bytes
    landing_path: str
    traits: Traits
    benchmarks: tuple[Benchmark, ...]
    rows: pl.DataFrame
    contradictions: tuple[Contradiction, ...] = ()
    unreadable: int = 0
    """Records of the export that were quarantined as errors."""
    unreadable_names: frozenset[str] = frozenset()
    """Texts of those records, their keys and models among them: what is named here is listed, though it can't be read."""
    ends_broken: bool = False
    """Whether the last record of the export could not be read, as where a transfer ended early."""
    is_wide: bool = False
    """Whether one record gives several rows: a row can then be missing whose entry is listed."""
    submission: str = ""
    """The submission that the export is one run of; empty where exports follow each other. Runs are trials of one score."""
    run_id: str = ""
    """Distinguishes the runs of a submission."""
    items: pl.DataFrame = field(default_factory=lambda: empty(ITEM_SCHEMA))
    """Outcomes item by item of those rows for which the export has them."""

    def row_kinds(self) -> dict[str, RowKind]:
        """How the rows of each benchmark are made."""
        return {item.benchmark_id: item.row_kind or self.traits.row_kind for item in self.benchmarks}

    def thresholds(self) -> dict[str, float]:
        """Smallest change worth a word, per benchmark."""
        return {item.benchmark_id: item.practical_threshold for item in self.benchmarks}


@dataclass(frozen=True)
class BoardSnapshot:
    """One landed export, read: its observations, its quarantined records and its record counts.

    `quarantine` has the schema of raw.quarantine; `lines = valid + quarantine.height`, counted in records of the
    source (one model in one category, one run), of which one may give several score rows.
    """

    file: LandedFile
    observations: tuple[Observation, ...]
    quarantine: pl.DataFrame
    lines: int
    valid: int
    parser_version: str = PARSER_VERSION


def rows_frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Score rows as a frame of ROW_SCHEMA, sorted by key, with intervals from counts where the source gives none."""
    places = [{**row, "position": place} for place, row in enumerate(rows)]
    frame = pl.DataFrame(
        {name: [row.get(name) for row in places] for name in ROW_SCHEMA},
        schema=ROW_SCHEMA,
    ).with_columns(
        pl.col("variant").fill_null(""),
        pl.col("model_name").fill_null(pl.col("raw_model")),
        pl.col("ci_method").fill_null("none"),
    )
    return complete_intervals(frame).sort(ROW_KEY)
