"""Histories made of numbers, for tests and for the calibration next to this file: exports without files. No assertions here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from pipelines.benchmarks.history import Step, walk
from pipelines.benchmarks.items import items_frame
from pipelines.benchmarks.observation import Benchmark, BoardSnapshot, Observation, RowKind, Traits, rows_frame
from pipelines.landing import LandedFile
from pipelines.uncertainty import Z95, Floats
from pipelines.warehouse.tables.raw import QUARANTINE

ELO = Benchmark("b", "B", "elo", "elo")
START = datetime(2026, 1, 1, tzinfo=UTC)

Export = tuple[Floats, Floats]
"""Scores and standard errors of one export, by model."""


def observation(
    scores: Floats, stderr: Floats, at: datetime, kind: RowKind = "rating", items: Iterable[dict[str, Any]] = ()
) -> Observation:
    """One export of models m000, m001 ... in version v of benchmark b."""
    rows = [
        {
            "benchmark_id": "b", "version_label": "v", "source_row_key": f"m{n:03d}", "raw_model": f"m{n:03d}",
            "score": float(score), "score_text": f"{score:.6f}", "stderr": float(error),
            "ci_low": float(score - Z95 * error), "ci_high": float(score + Z95 * error), "ci_level": 0.95,
            "ci_method": "reported", "measured_by": "independent", "as_of": at.date(),
        }
        for n, (score, error) in enumerate(zip(scores, stderr, strict=True))
    ]  # fmt: skip
    identity = at.isoformat().encode()
    return Observation(
        "", at, identity, at.isoformat(), Traits(kind), (ELO,), rows_frame(rows), items=items_frame(items)
    )


def snapshots(
    exports: Iterable[Export], kind: RowKind = "rating", every: timedelta = timedelta(days=7)
) -> list[BoardSnapshot]:
    """A history as the snapshots of its exports."""
    made = []
    for n, (scores, stderr) in enumerate(exports):
        seen = observation(scores, stderr, START + n * every, kind)
        file = LandedFile("leaderboards", "b", None, seen.landing_path, None, seen.observed_at, "", 0, seen.snapshot_id)  # type: ignore[arg-type]
        made.append(BoardSnapshot(file, (seen,), QUARANTINE.empty(), seen.rows.height, seen.rows.height))
    return made


def history(exports: Iterable[Export], kind: RowKind = "rating") -> tuple[Step, ...]:
    """The walk through a history."""
    return walk(snapshots(exports, kind))


def independent(generator: np.random.Generator, truth: Floats, stderr: Floats, exports: int) -> list[Export]:
    """Exports that are each drawn anew around the same truth."""
    return [(generator.normal(truth, stderr), stderr) for _ in range(exports)]


def sharing_votes(
    generator: np.random.Generator, truth: Floats, stderr: Floats, exports: int, growth: float
) -> list[Export]:
    """Exports of a pool of votes that grows by the share `growth` of its first size each time; `stderr` is the first's."""
    votes, total = generator.normal(0, stderr), 1.0
    made = []
    for _ in range(exports):
        made.append((truth + votes / total, stderr / np.sqrt(total)))
        votes = votes + generator.normal(0, stderr) * np.sqrt(growth)
        total += growth
    return made


def rolling(generator: np.random.Generator, truth: Floats, stderr: Floats, exports: int, kept: float) -> list[Export]:
    """Exports whose error is the share `kept` of the one before and fresh noise else: a window of votes that moves on."""
    error = generator.normal(0, stderr)
    made = []
    for _ in range(exports):
        made.append((truth + error, stderr))
        error = kept * error + np.sqrt(1 - kept**2) * generator.normal(0, stderr)
    return made


PERCENT = Benchmark("b", "B", "accuracy", "percent", min_score=0, max_score=100)


def of_outcomes(
    nights: Iterable[Floats], *, with_items: bool = True, every: timedelta = timedelta(days=1)
) -> list[BoardSnapshot]:
    """A history of outcomes: per night one model's (cases) or several models' (models x cases), nan where not asked."""
    made = []
    for n, night in enumerate(nights):
        at = START + n * every
        rows, items = [], []
        for k, outcomes in enumerate(np.atleast_2d(night)):
            name = f"m{k:03d}"
            asked = np.flatnonzero(np.isfinite(outcomes))
            row = {
                "benchmark_id": "b", "version_label": "v", "source_row_key": name, "raw_model": name,
                "score": 100 * float(outcomes[asked].mean()), "score_text": "", "n_items": asked.size,
                "n_success": int(outcomes[asked].sum()), "measured_by": "independent", "as_of": at.date(),
            }  # fmt: skip
            rows.append(row)
            key = {column: row[column] for column in ("benchmark_id", "version_label", "source_row_key")}
            items += [
                {**key, "item_id": f"c{c}", "cluster": f"c{c}", "outcome": float(outcomes[c]), "trials": 1}
                for c in asked
            ]
        identity = at.isoformat().encode()
        seen = Observation(
            "", at, identity, at.isoformat(), Traits("entry"), (PERCENT,), rows_frame(rows),
            items=items_frame(items if with_items else []),
        )  # fmt: skip
        file = LandedFile("leaderboards", "b", None, seen.landing_path, None, at, "", 0, identity)  # type: ignore[arg-type]
        made.append(BoardSnapshot(file, (seen,), QUARANTINE.empty(), len(rows), len(rows)))
    return made
