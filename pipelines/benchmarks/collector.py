"""Collects what a format reads from one export. Each record is kept with its rows, or set aside with a reason.

Every format in `formats/` fills a `Collector` and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import polars as pl

from pipelines.benchmarks.fields import NO_SCORE, EntryError
from pipelines.benchmarks.items import item_rows, items_frame
from pipelines.benchmarks.observation import (
    Benchmark,
    BoardSnapshot,
    Contradiction,
    Observation,
    Traits,
    rows_frame,
)
from pipelines.config.sources import Leaderboard
from pipelines.landing import LandedFile
from pipelines.listed import first_few
from pipelines.warehouse.tables.raw import QUARANTINE

REPEATED = "repeated_record"
"""Reason for setting a record aside that repeats another one of the export."""

NO_MODEL = "no_model"
"""Reason for setting a line below a table aside, which is not a model's."""

_OF_MANY = re.compile(
    r"(?i)(?:(?:grand|board|column) )?(?:average|avg\.?|mean|median|total|sum|std\.?(?: ?dev\.?)?|standard deviation|minimum|maximum|count)"
    r"(?: score)?(?: \(?(?:(?:of|over) )?(?:all )?(?:models|entries|runs|rows)\)?)?"
)
"""Names of lines that add up a board's models."""

QUIET = (REPEATED, NO_SCORE, NO_MODEL)
"""Reasons that say nothing bad about the export."""


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
            if _OF_MANY.fullmatch(row["raw_model"]):
                raise EntryError(NO_MODEL, f"{row['raw_model']!r} adds up the board's models and is none")
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
        """Note that outcomes are missing behind `row` (its keys, `raw_model` and `score`, None if it has none): which
        items they are of, one name per outcome, and of how many outcomes."""
        names = sorted(set(items))
        without = "it has no score" if row["score"] is None else "the score is over the others"
        detail = f"{len(items)} of {of} outcomes are missing ({first_few(names, 20)}): {without}"
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
        """The whole file. An unreadable one is an observation without rows, so that the coverage gate reports it."""
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


def _key(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return row["benchmark_id"], row["version_label"], row["source_row_key"]
