"""Collects one export's events: ids, severities, and the numbers and rows that events share.

`drift.py` decides what is an event; sentences are in `wording.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from pipelines.benchmarks import wording
from pipelines.benchmarks.history import Step
from pipelines.benchmarks.observation import ROW_KEY
from pipelines.benchmarks.scores import score_id, version_id
from pipelines.benchmarks.significance import Verdict
from pipelines.ids import id_bytes
from pipelines.uncertainty import min_detectable

TIME = "%Y-%m-%dT%H:%M:%S.%f"

SEVERITY = {
    "coverage_gate": "error",
    "drift": "warn",
    "slow_drift": "warn",
    "contradiction": "warn",
    "missing_outcomes": "warn",
    "scale_rebase": "warn",
    "index_version": "warn",
}
"""Severity of a class of event; info where none is named. A drift that a second export has not confirmed is info."""


@dataclass
class EventBook:
    """Events of one step of a board's history, as rows of mart.benchmark_drift."""

    board: str
    verdict: Verdict
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def step(self) -> Step:
        """The export and what it changed, before it was judged."""
        return self.verdict.step

    def add(
        self,
        drift_class: str,
        explanation: str,
        *,
        identity: str,
        raw_model: str | None = None,
        benchmark_version_id: str | None = None,
        evidence: Mapping[str, Any] | None = None,
        **values: object,
    ) -> None:
        """Add one event. `identity` distinguishes it from others of its class, version and export; `values` are columns."""
        observation, previous = self.step.observation, self.step.previous
        version = benchmark_version_id or self.version(self.primary())
        place = (observation.snapshot_id.hex(), observation.observed_at.strftime(TIME))
        self.rows.append(
            {
                "event_id": id_bytes(self.board, drift_class, version, identity, *place),
                "event_date": observation.observed_at.date(),
                "board": self.board,
                "benchmark_version_id": version,
                "drift_class": drift_class,
                "severity": SEVERITY.get(drift_class, "info"),
                "raw_model": raw_model,
                "explanation": explanation,
                "from_snapshot_id": previous.snapshot_id if previous else None,
                "to_snapshot_id": observation.snapshot_id,
                "evidence": json.dumps(evidence or {}, sort_keys=True),
                **values,
            }
        )

    def primary(self) -> tuple[str, str]:
        """The version that stands for the export: the one its format names, else the one with most rows."""
        observation = self.step.observation
        rows = observation.rows if observation.rows.height else self.step.partial
        groups = rows.group_by("benchmark_id", "version_label").len().sort("len", "benchmark_id", "version_label")
        named = groups.filter(pl.col("version_label") == (observation.traits.primary_version or ""))
        chosen = named if named.height else groups.sort("len", descending=True, maintain_order=True)
        if chosen.is_empty():
            benchmark = observation.benchmarks[0].benchmark_id if observation.benchmarks else self.board
            return benchmark, observation.traits.primary_version or ""
        return str(chosen[0, 0]), str(chosen[0, 1])

    def version(self, group: tuple[str, str]) -> str:
        """Id of the version, with the scale epoch before this export."""
        return version_id(*group, self.step.epochs.get(group, 0))

    def title(self) -> str:
        """The board as sentences name it."""
        return f"{self.board} {self.step.observation.scope}".strip()

    def numbers(self, row: dict[str, Any]) -> dict[str, Any]:
        """The numeric columns of an event about one changed row."""
        stderr = row["se_delta"]
        return {
            "raw_model": row["raw_model_after"],
            "benchmark_version_id": self.version((row["benchmark_id"], row["version_label"])),
            "score_before": row["score"],
            "score_after": row["score_after"],
            "delta": row["delta"],
            "delta_adjusted": row["delta_adjusted"],
            "stderr": stderr,
            "z": row["z"],
            "p_value": row.get("p_value"),
            "q_value": row.get("q_value"),
            "min_detectable": None if stderr is None else float(min_detectable(stderr)),
        }

    def score_ids(self, group: pl.DataFrame) -> list[list[str]]:
        """Score ids before and after, per version."""
        at = self.step.observation.observed_at
        pairs = []
        for row in group.iter_rows(named=True):
            key = (row["benchmark_id"], row["version_label"])
            before = version_id(*key, row["epoch"])
            after = version_id(*key, self.step.epochs.get(key, 0) + (key in self.step.rebased))
            old = score_id(self.board, before, row["held_key"], row["since"].strftime(TIME))
            new = score_id(self.board, after, row["source_row_key"], at.strftime(TIME))
            pairs.append([old.hex(), new.hex()])
        return pairs

    def per_model(self, rows: pl.DataFrame, by: str | None = None) -> Iterable[pl.DataFrame]:
        """The rows of each model together, the primary version first where it is among them, then the smallest `by`."""
        if rows.is_empty():
            return []
        is_primary = pl.struct("benchmark_id", "version_label") != pl.struct(
            pl.lit(self.primary()[0]).alias("benchmark_id"), pl.lit(self.primary()[1]).alias("version_label")
        )
        lead = [is_primary, pl.col(by)] if by else [is_primary]
        ordered = rows.sort("source_row_key", *lead, *ROW_KEY[:2])
        return ordered.partition_by("source_row_key", maintain_order=True)

    def within(self, rows: pl.DataFrame, groups: Iterable[tuple[str, str]]) -> pl.DataFrame:
        """The rows of the named versions."""
        marks = [f"{a}\x00{b}" for a, b in groups]
        return rows.filter(pl.concat_str("benchmark_id", "version_label", separator="\x00").is_in(marks))

    def unit(self, benchmark_id: str) -> str:
        """Unit of a benchmark, as a sentence about a difference names it."""
        units = {item.benchmark_id: item.unit for item in self.step.observation.benchmarks}
        return wording.unit_name(units.get(benchmark_id, ""))
