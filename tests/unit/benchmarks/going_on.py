"""A board that goes on from run to run, next to one that begins anew. What `holds_going_on` asserts is for tests of made-up and of real exports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from pipelines.benchmarks import BoardScores, BoardSnapshot, build_gap, build_scores, detect_drift, score_tables
from pipelines.benchmarks.drift import named
from pipelines.benchmarks.progress import Course, course, judge
from pipelines.benchmarks.progress_file import keep, kept
from pipelines.benchmarks.significance import DayTests
from pipelines.config.sources import Leaderboard
from pipelines.landing import LandedFile
from pipelines.warehouse.tables.core import MODEL


class Zone:
    """The exports of a board, which notes what was read of them."""

    def __init__(self, board: Leaderboard, exports: Sequence[BoardSnapshot], path: Path) -> None:
        self.board, self.exports, self.path = board, list(exports), path
        self.read: list[str] = []

    def go_on(
        self, newest: date | None = None, other: DayTests | None = None
    ) -> tuple[Course, BoardScores, pl.DataFrame]:
        """A run over all exports; `newest` is the newest day of any board, `other` the tests of other boards."""
        by_id = {item.file.snapshot_id: item for item in self.exports}
        self.read = []

        def read(file: LandedFile) -> BoardSnapshot:
            self.read.append(file.landing_path)
            return by_id[file.snapshot_id]

        files = [item.file for item in self.exports]
        last = newest or max(file.observed_at.date() for file in files)
        made = course(files, kept(self.path, by_id.__getitem__), last, read)
        family = together(made.tests, other or {})
        if not made.is_judged_alike(family):
            made = course(files, None, last, read)
        scores = score_tables(self.board, made.said, made.history, None)
        events, progress = judge(self.board, made, family)
        if progress is not None:
            keep(self.path, progress)
        return made, scores, named(events, scores.scores)


def together(*tests: DayTests) -> DayTests:
    days = {day for one in tests for day in one}
    return {day: np.concatenate([one[day] for one in tests if day in one]) for day in days}


def holds_going_on(
    board: Leaderboard,
    exports: Sequence[BoardSnapshot],
    path: Path,
    stops: Iterable[int],
    of_all: BoardScores | None = None,
) -> dict[int, pl.DataFrame]:
    """Going on from stop to stop gives the scores, items, events and gaps of beginning anew with all of them; the events of each
    stop. `of_all` is what beginning anew with all exports gives, where that is known."""
    zone, found = Zone(board, [], path / "state.zip"), {}
    for stop in stops:
        zone.exports = list(exports[:stop])
        _, scores, found[stop] = zone.go_on()
        whole = of_all if of_all and stop == len(exports) else build_scores(board, zone.exports, None)
        for name in ("scores", "benchmarks", "versions", "items", "names"):
            assert getattr(scores, name).equals(getattr(whole, name)), (stop, name)
        assert found[stop].equals(detect_drift(board, zone.exports, whole)), stop
        gaps = [
            build_gap(half_open(one.scores), MODEL.empty(), one.benchmarks, None, one.items, kept=file)
            for one, file in ((scores, path / "gap.zip"), (whole, None))
        ]
        assert gaps[0].equals(gaps[1]), stop
    assert gaps[0].height
    return found


def half_open(scores: pl.DataFrame) -> pl.DataFrame:
    """Scores whose every other entry is open, the others closed."""
    is_open = pl.col("source_row_key").rank("dense") % 2 == 0
    return scores.with_columns(
        pl.when(is_open).then(pl.lit("open_weight")).otherwise(pl.lit("closed")).alias("weights")
    )
