"""What one leaderboard export asserts: its scores row by row, and the records that could not be read.

Every format in `formats/` fills a `Collector` and nothing else; what a sequence of exports means (gate, identity,
changes, epochs) is in `history.py` beside this file. The tables that come out are made in `scores.py` and `drift.py`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

import polars as pl

from pipelines import uncertainty
from pipelines.benchmarks.fields import NO_SCORE, EntryError
from pipelines.benchmarks.items import ITEM_SCHEMA, item_rows, items_frame
from pipelines.config.sources import Leaderboard
from pipelines.landing import LandedFile
from pipelines.warehouse.tables.raw import QUARANTINE

PARSER_VERSION = "1"

RowKind = Literal["run", "entry", "rating"]
"""What a change of a row's score means, by how the board makes its rows.

run: one finished run with an id of its own; a change is a revision of what was published.
entry: one entry per model; a change is a new run or a revision, told apart from noise by its intervals.
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
        """Smallest change of a score that is worth telling, in its unit."""
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
    """Everything a board said about one scope at one instant. It says nothing about other scopes.

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
    """Tells the runs of a submission apart."""
    items: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=ITEM_SCHEMA))
    """Outcomes item by item of those rows for which the export has them."""

    def row_kinds(self) -> dict[str, RowKind]:
        """How the rows of each benchmark are made."""
        return {item.benchmark_id: item.row_kind or self.traits.row_kind for item in self.benchmarks}

    def thresholds(self) -> dict[str, float]:
        """Smallest change worth telling, per benchmark."""
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


REPEATED = "repeated_record"
"""Reason for which a record is set aside that says again what the export said before."""

QUIET = (REPEATED, NO_SCORE)
"""Reasons that are no complaint about the export."""


@dataclass
class Collector:
    """Gathers what a format reads from one file. A record is either kept (with its rows) or rejected, never both."""

    file: LandedFile
    board: Leaderboard
    valid: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)
    contradictions: list[Contradiction] = field(default_factory=list)
    items: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    ends_broken: bool = False
    """Whether the last record so far was set aside as an error."""
    is_cut_off: bool = False
    """Whether the file ends inside a record."""
    is_wide: bool = False
    """Whether a record so far gave several rows."""
    whole: Collector | None = None
    """The collector of the whole file, where this one gathers one day of it: records are counted and set aside there."""
    _keys: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)

    @property
    def as_of(self) -> date:
        """Day of the snapshot, for rows whose source states none."""
        return self.file.observed_at.date()

    def keep(self, *rows: dict[str, Any]) -> None:
        """Keep one record as score rows (keys of ROW_SCHEMA; absent ones are null).

        Raises EntryError("duplicate_key") where the export holds the same key already; where the two differ in
        score, that is a contradiction too. The first stays. A record that only repeats the first is no error. Raises
        EntryError("identity_broken") where a record's own numbers can't all be true.
        """
        for row in rows:
            check_row(row)
        known = [(row, self._keys[_key(row)]) for row in rows if _key(row) in self._keys]
        for row, first in known:
            if first["score"] != row["score"]:
                detail = f"the export lists it twice, with {first['score']:g} and with {row['score']:g}"
                self.contradict(first, implied=row["score"], detail=detail)
        if known:
            says_the_same = all(first["score"] == row["score"] for row, first in known)
            reason = REPEATED if says_the_same else "duplicate_key"
            raise EntryError(reason, f"the export lists {known[0][0]['source_row_key']!r} before; the first is kept")
        for row in rows:
            self._keys[_key(row)] = row
            self.rows.append(row)
        self.is_wide |= len(rows) > 1
        self.count_valid()

    def count_valid(self) -> None:
        """Count one record as kept."""
        counter = self.whole or self
        counter.valid += 1
        counter.ends_broken = False

    def keep_items(
        self,
        row: Mapping[str, Any],
        outcomes: Mapping[str, float],
        clusters: Mapping[str, str] | None = None,
        trials: Mapping[str, int] | None = None,
    ) -> None:
        """Keep the outcomes (0 to 1) behind a kept score row, by item; `clusters` where items hang together, `trials` of
        each item where it was tried more than once."""
        self.items.extend(item_rows(row, outcomes, clusters or {}, trials or {}))

    def lacks(self, row: Mapping[str, Any], items: Sequence[str], of: int) -> None:
        """Note that outcomes are missing behind `row` (its keys, `raw_model` and `score`, None where it has none): which
        items they are of, one name per outcome, and of how many outcomes."""
        names = sorted(set(items))
        shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
        without = "it has no score" if row["score"] is None else "the score is over the others"
        detail = f"{len(items)} of {of} outcomes are missing ({shown}): {without}"
        benchmark_id, version_label, key = _key(row)
        self.contradictions.append(
            Contradiction(
                benchmark_id, version_label, key, row["raw_model"], row["score"], None, detail, "missing_outcomes"
            )
        )

    def contradict(self, row: Mapping[str, Any], *, implied: float | None, detail: str) -> None:
        """Note that the export contradicts itself about `row`."""
        benchmark_id, version_label, key = _key(row)
        self.contradictions.append(
            Contradiction(benchmark_id, version_label, key, row["raw_model"], row["score"], implied, detail)
        )

    def reject(
        self,
        item_no: int,
        reason: str,
        detail: str,
        *,
        record: bytes = b"",
        fields: Mapping[str, Any] | None = None,
        line_no: int = 1,
        span: tuple[int, int] | None = None,
        severity: str = "error",
    ) -> None:
        """Set one record aside, with its place (`span`: bytes from and to, where the format has them)."""
        severity = "info" if reason in QUIET else severity
        self.ends_broken = severity == "error"
        self.rejected.append(
            {
                "snapshot_id": self.file.snapshot_id,
                "line_no": line_no,
                "item_no": item_no,
                "byte_from": span[0] if span else None,
                "byte_to": span[1] if span else None,
                "reason": reason,
                "severity": severity,
                "detail": detail,
                "fields": None if fields is None else json.dumps(fields, default=str, sort_keys=True),
                "record_sha256": hashlib.sha256(record or repr(fields).encode()).hexdigest(),
            }
        )

    def reject_values(
        self, broken: Mapping[str, EntryError], item_no: int, *, line_no: int = 1, **fields: object
    ) -> None:
        """Set aside single values of a record whose others are kept; `fields` names the record."""
        for name, error in broken.items():
            self.reject(item_no, error.reason, str(error), fields={**fields, "field": name}, line_no=line_no)
        if broken:
            self.ends_broken = False  # the record itself is whole

    def observation(
        self, traits: Traits, benchmarks: tuple[Benchmark, ...], *, scope: str = "", observed_at: datetime | None = None
    ) -> Observation:
        """What was kept, as one observation of `scope`."""
        whole = self.whole or self
        errors = [item for item in whole.rejected if item["severity"] == "error"]
        named = [*errors, *(item for item in whole.rejected if item["reason"] == NO_SCORE)]
        return Observation(
            scope=scope,
            observed_at=observed_at or self.file.observed_at,
            snapshot_id=self.file.snapshot_id,
            landing_path=self.file.landing_path,
            traits=traits,
            benchmarks=benchmarks,
            rows=rows_frame(self.rows),
            contradictions=tuple(self.contradictions),
            unreadable=len(errors),
            unreadable_names=frozenset(text for item in named for text in _texts(item["fields"])),
            ends_broken=whole.ends_broken or whole.is_cut_off,
            is_wide=self.is_wide,
            items=items_frame(self.items),
        )

    def snapshot(self, *observations: Observation) -> BoardSnapshot:
        """The whole file. One of which nothing could be read is an observation without rows, so that the gate tells of it."""
        is_lost = not observations and any(item["severity"] == "error" for item in self.rejected)
        return BoardSnapshot(
            file=self.file,
            observations=(self.observation(Traits(row_kind="entry"), ()),) if is_lost else observations,
            quarantine=pl.DataFrame(_placed_once(self.rejected), schema=QUARANTINE.polars_schema),
            lines=self.valid + len(self.rejected),
            valid=self.valid,
        )


def check_row(row: Mapping[str, Any]) -> None:
    """A score lies within its own interval, no error is negative and no more items are solved than scored."""
    low, high, score = row.get("ci_low"), row.get("ci_high"), row["score"]
    if low is not None and high is not None and not low <= score <= high:
        raise EntryError("identity_broken", f"the score {score:g} is outside of its own interval, {low:g} to {high:g}")
    if row.get("stderr") is not None and row["stderr"] < 0:
        raise EntryError("identity_broken", f"the standard error is {row['stderr']:g}: accepted are numbers from 0 up")
    n_success, n_items = row.get("n_success"), row.get("n_items")
    if n_success is not None and n_items is not None and n_success > n_items * (row.get("n_trials") or 1):
        raise EntryError("identity_broken", f"{n_success} items are solved, of {n_items}")


def _texts(fields: str | None) -> list[str]:
    """The texts among the fields of a record that was set aside."""
    found = json.loads(fields) if fields else {}
    return [value for value in found.values() if isinstance(value, str)] if isinstance(found, dict) else []


def _placed_once(rejected: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same records, each with a place of its own: containers inside one line count their items anew."""
    last: dict[int, int] = {}
    placed = []
    for record in sorted(rejected, key=lambda item: (item["line_no"], item["item_no"])):
        item_no = max(record["item_no"], last.get(record["line_no"], -1) + 1)
        last[record["line_no"]] = item_no
        placed.append({**record, "item_no": item_no})
    return placed


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
    return uncertainty.complete_intervals(frame).sort(ROW_KEY)


def _key(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return row["benchmark_id"], row["version_label"], row["source_row_key"]
