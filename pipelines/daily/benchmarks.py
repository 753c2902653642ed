"""Step `core.benchmark_score`: every landed leaderboard export into bitemporal scores, drift events and gaps.

The rows are a function of the set of exports; what earlier ones came to is kept between runs. Parsing, identity over time and
statistics are in `pipelines.benchmarks`. Each board is made in a boundary of its own: one that fails keeps the rows that it had.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import psycopg

from pipelines.benchmarks import BoardScores, BoardSnapshot, build_gap, cached_board, packaged_board, score_tables
from pipelines.benchmarks.drift import named
from pipelines.benchmarks.gap_file import gap_path
from pipelines.benchmarks.progress import Course, Progress, course, judge, name_of, progress_path
from pipelines.benchmarks.progress_file import keep as keep_progress
from pipelines.benchmarks.progress_file import kept as kept_progress
from pipelines.benchmarks.significance import DayTests
from pipelines.config.sources import Leaderboard
from pipelines.landing import LandedFile
from pipelines.models import Registry
from pipelines.outside import ANY_FAILURE, Apart, worded
from pipelines.uncertainty import Floats
from pipelines.warehouse.read import read_table
from pipelines.warehouse.replace import replace_all, replace_rows
from pipelines.warehouse.tables import Table
from pipelines.warehouse.tables.core import MODEL
from pipelines.warehouse.tables.core_benchmarks import BENCHMARK, BENCHMARK_SCORE, BENCHMARK_VERSION
from pipelines.warehouse.tables.mart_benchmarks import BENCHMARK_DRIFT, BENCHMARK_GAP
from pipelines.warehouse.tables.raw import QUARANTINE, SNAPSHOT
from pipelines.workspace import Workspace
from pipelines.workspace.landed_index import snapshot_row
from pipelines.workspace.model_registry import registry_of

Frames = Mapping[str, pl.DataFrame]
"""A frame for each board."""


@dataclass(frozen=True)
class BenchmarkOutcome:
    """What the score tables hold after a refresh."""

    snapshots: int
    quarantined: int
    benchmarks: int
    versions: int
    scores: int
    events: int
    gaps: int
    problems: list[str]
    """Files among the exports in the landing zone that could not be used, with the reason."""
    failures: list[str]
    """The boards of which a part could not be made, with the reason: they keep the rows of the run before."""
    preview: pl.DataFrame


@dataclass(frozen=True)
class _Board:
    """One board, read and scored."""

    declared: Leaderboard
    files: list[LandedFile]
    course: Course
    scores: BoardScores


@dataclass
class _Made:
    """The results by board; a board on which a part failed is missing in that part."""

    boards: dict[str, _Board] = field(default_factory=dict)
    events: dict[str, pl.DataFrame] = field(default_factory=dict)
    gaps: dict[str, pl.DataFrame] = field(default_factory=dict)


class BoardError(Exception):
    """An export on which reading failed; the message names the file."""


def refresh_benchmarks(workspace: Workspace) -> BenchmarkOutcome:
    """Rebuild benchmarks, versions, scores, drift events and gaps from every landed export, in one transaction."""
    registry, apart, made = registry_of(workspace), Apart(), _Made()
    declared = {board.board: board for board in workspace.config.sources.leaderboards}
    newest = max((file.observed_at.date() for file in workspace.landed("leaderboards").files), default=date.min)
    making = _Making(workspace, registry, newest)
    for name, declaration in declared.items():
        with apart.part(f"leaderboard {name}"):
            made.boards[name] = making.scored(declaration)
    tests = _together(board.course.tests for board in made.boards.values())
    for name in list(made.boards):
        with apart.part(f"leaderboard {name}, its changes"):
            made.boards[name], made.events[name] = making.judged(made.boards[name], tests)
    with workspace.database.connect() as connection:
        models = read_table(connection, MODEL)
    for name, board in made.boards.items():
        with apart.part(f"leaderboard {name}, the gap on it"):
            done, kept = board.scores, gap_path(board.declared, workspace.store)
            made.gaps[name] = build_gap(
                done.scores, models, done.benchmarks, registry, done.items, names=done.names, kept=kept
            )
    with workspace.database.connect() as connection, connection.transaction():
        return _write(
            connection,
            list(declared),
            made,
            apart.messages,
            [str(p) for p in workspace.landed("leaderboards").problems],
        )


@dataclass(frozen=True)
class _Making:
    """What every board is made with; `newest` is the newest day of any."""

    workspace: Workspace
    registry: Registry
    newest: date

    def scored(self, declared: Leaderboard) -> _Board:
        """The board with its tables, from where the run before came to."""
        board, packaged = packaged_board(declared)
        files = self.workspace.landed_from("leaderboards", board.board) or packaged
        by_id = {file.snapshot_id: file for file in files}
        path = progress_path(board, self.workspace.store)
        known = kept_progress(path, lambda snapshot_id: self._read(by_id[snapshot_id], board))
        return self._tables(board, files, known)

    def judged(self, board: _Board, tests: DayTests) -> tuple[_Board, pl.DataFrame]:
        """The board with its events. It is made anew where its kept events were judged with other tests."""
        if not board.course.is_judged_alike(tests):
            board = self._tables(board.declared, board.files, None)
        events, progress = judge(board.declared, board.course, tests)
        if progress is not None:
            keep_progress(progress_path(board.declared, self.workspace.store), progress)
        return board, named(events, board.scores.scores)

    def _tables(self, board: Leaderboard, files: list[LandedFile], known: Progress | None) -> _Board:
        made = course(files, known, self.newest, lambda file: self._read(file, board))
        return _Board(board, files, made, score_tables(board, made.said, made.history, self.registry))

    def _read(self, file: LandedFile, board: Leaderboard) -> BoardSnapshot:
        try:
            return cached_board(file, board, self.workspace.store)
        except ANY_FAILURE as error:
            raise BoardError(f"{file.landing_path}: {worded(error)}") from None


def _together(tests: Iterable[DayTests]) -> DayTests:
    """The tests of each day over all boards."""
    found: dict[date, list[Floats]] = {}
    for board in tests:
        for day, p_values in board.items():
            found.setdefault(day, []).append(p_values)
    return {day: np.concatenate(parts) for day, parts in found.items()}


def _write(
    connection: psycopg.Connection[Any], boards: list[str], made: _Made, failures: list[str], problems: list[str]
) -> BenchmarkOutcome:
    """Replace the rows of the boards that were made; a board on which something failed keeps its former rows."""
    done = made.boards.values()
    index = _with_former(
        connection, SNAPSHOT, boards, {name: _index(board) for name, board in made.boards.items()}, "source"
    )
    scores = _with_former(connection, BENCHMARK_SCORE, boards, {n: b.scores.scores for n, b in made.boards.items()})
    drift = _with_former(connection, BENCHMARK_DRIFT, boards, made.events)
    gaps = _with_former(connection, BENCHMARK_GAP, boards, made.gaps)
    in_use = pl.concat([scores["benchmark_version_id"], gaps["benchmark_version_id"]]).unique().to_list()
    versions = _once(
        pl.concat(
            [
                *(board.scores.versions for board in done),
                read_table(connection, BENCHMARK_VERSION, "benchmark_version_id = any(%s)", [in_use])
                if failures
                else BENCHMARK_VERSION.empty(),
            ]
        )
    )
    former = read_table(connection, BENCHMARK) if failures else BENCHMARK.empty()
    former = former.join(versions, on="benchmark_id", how="semi")
    known = pl.concat([BENCHMARK.empty(), *(board.scores.benchmarks for board in done), former])
    known = known.unique("benchmark_id", keep="first", maintain_order=True)
    quarantine = pl.concat([QUARANTINE.empty(), *(board.course.quarantine for board in done)])
    ids = [file.snapshot_id for board in done for file in board.files]
    replace_rows(connection, QUARANTINE, quarantine, {"snapshot_id": ids})
    replace_rows(connection, SNAPSHOT, index, {"kind": ["leaderboards"]})
    replace_all(connection, BENCHMARK, known)
    replace_all(connection, BENCHMARK_VERSION, versions)
    replace_all(connection, BENCHMARK_SCORE, scores)
    replace_all(connection, BENCHMARK_DRIFT, drift)
    replace_all(connection, BENCHMARK_GAP, gaps)
    return BenchmarkOutcome(
        snapshots=index.height,
        quarantined=quarantine.height,
        benchmarks=known.height,
        versions=scores["benchmark_version_id"].n_unique(),
        scores=scores.height,
        events=drift.height,
        gaps=gaps.height,
        problems=problems,
        failures=failures,
        preview=drift.sort("event_date", descending=True)
        .select("event_date", "board", "drift_class", "severity", "explanation")
        .head(15),
    )


def _with_former(
    connection: psycopg.Connection[Any], table: Table, boards: list[str], made: Frames, column: str = "board"
) -> pl.DataFrame:
    """The new rows, and the former rows of those declared boards that could not be made."""
    lost = [name for name in boards if name not in made]
    former = read_table(connection, table, f"{column} = any(%s)", [lost]) if lost else table.empty()
    if table is SNAPSHOT:
        former = former.filter(pl.col("kind") == "leaderboards")
    return pl.concat([table.empty(), *made.values(), former])


def _index(board: _Board) -> pl.DataFrame:
    rows = []
    for file in board.files:
        facts = board.course.files[name_of(file)]
        valid = facts.lines - facts.set_aside
        rows.append(snapshot_row(file, board.declared.format, facts.parser_version, lines=facts.lines, valid=valid))
    return pl.concat([SNAPSHOT.empty(), *rows])


def _once(versions: pl.DataFrame) -> pl.DataFrame:
    """Versions that several boards show, once each: seen since the first day of any."""
    return (
        versions.group_by("benchmark_version_id")
        .agg(
            pl.col("benchmark_id", "version_label", "scale_epoch").first(),
            pl.col("n_items").max(),
            pl.col("valid_from").min(),
        )
        .sort("benchmark_version_id")
        .select(*BENCHMARK_VERSION.polars_schema)
    )
