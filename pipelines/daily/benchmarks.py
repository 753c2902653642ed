"""Step `core.benchmark_score`: every landed leaderboard export into bitemporal scores, drift events and gaps.

Recomputed whole from the set of exports; parsing, identity over time and statistics are in `pipelines.benchmarks`.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pipelines.benchmarks import (
    BoardScores,
    BoardSnapshot,
    board_snapshot,
    build_gap,
    build_scores,
    day_tests,
    detect_drift,
    packaged_board,
)
from pipelines.config.sources import Leaderboard
from pipelines.daily.ingest import snapshot_row
from pipelines.daily.prices import registry_of
from pipelines.daily.workspace import Workspace
from pipelines.warehouse.read import read_table
from pipelines.warehouse.replace import replace_all, replace_rows
from pipelines.warehouse.tables.core import MODEL
from pipelines.warehouse.tables.core_benchmarks import BENCHMARK, BENCHMARK_SCORE, BENCHMARK_VERSION
from pipelines.warehouse.tables.mart_benchmarks import BENCHMARK_DRIFT, BENCHMARK_GAP
from pipelines.warehouse.tables.raw import QUARANTINE, SNAPSHOT


@dataclass(frozen=True)
class BenchmarkOutcome:
    """What the score tables hold after a refresh."""

    snapshots: int
    benchmarks: int
    versions: int
    scores: int
    events: int
    gaps: int
    problems: list[str]
    """What lies beside the exports in the landing zone and could not be used, with the reason."""
    preview: pl.DataFrame


def refresh_benchmarks(workspace: Workspace) -> BenchmarkOutcome:
    """Rebuild benchmarks, versions, scores, drift events and gaps from every landed export, in one transaction."""
    registry = registry_of(workspace)
    index, quarantine = [SNAPSHOT.empty()], [QUARANTINE.empty()]
    benchmarks, versions, scores, events = (
        [BENCHMARK.empty()],
        [BENCHMARK_VERSION.empty()],
        [BENCHMARK_SCORE.empty()],
        [BENCHMARK_DRIFT.empty()],
    )
    walked: list[tuple[Leaderboard, list[BoardSnapshot], BoardScores]] = []
    for declared in workspace.config.sources.leaderboards:
        board, packaged = packaged_board(declared)
        files = workspace.landed_from("leaderboards", board.board) or packaged
        snapshots = [board_snapshot(file, board, workspace.store) for file in files]
        for file, snapshot in zip(files, snapshots, strict=True):
            valid = snapshot.lines - snapshot.quarantine.height
            index.append(snapshot_row(file, board.format, snapshot.parser_version, lines=snapshot.lines, valid=valid))
            quarantine.append(snapshot.quarantine)
        built = build_scores(board, snapshots, registry)
        benchmarks.append(built.benchmarks)
        versions.append(built.versions)
        scores.append(built.scores)
        walked.append((board, snapshots, built))
    tests = day_tests(built.history for _, _, built in walked)
    events += [detect_drift(board, snapshots, built, tests) for board, snapshots, built in walked]
    indexed, drift, believed = pl.concat(index), pl.concat(events), pl.concat(scores)
    known = pl.concat(benchmarks).unique("benchmark_id", keep="first", maintain_order=True)
    with workspace.database.connect() as connection, connection.transaction():
        replace_rows(connection, QUARANTINE, pl.concat(quarantine), {"snapshot_id": indexed["snapshot_id"].to_list()})
        replace_rows(connection, SNAPSHOT, indexed, {"kind": ["leaderboards"]})
        replace_all(connection, BENCHMARK, known)
        replace_all(connection, BENCHMARK_VERSION, _once(pl.concat(versions)))
        replace_all(connection, BENCHMARK_SCORE, believed)
        replace_all(connection, BENCHMARK_DRIFT, drift)
        items = pl.concat([built.items for _, _, built in walked]) if walked else None
        names = pl.concat([built.names for _, _, built in walked]) if walked else None
        gaps = build_gap(believed, read_table(connection, MODEL), known, registry, items, names=names)
        replace_all(connection, BENCHMARK_GAP, gaps)
    return BenchmarkOutcome(
        snapshots=indexed.height,
        benchmarks=known.height,
        versions=believed["benchmark_version_id"].n_unique(),
        scores=believed.height,
        events=drift.height,
        gaps=gaps.height,
        problems=[str(problem) for problem in workspace.landed("leaderboards").problems],
        preview=drift.sort("event_date", descending=True)
        .select("event_date", "board", "drift_class", "severity", "explanation")
        .head(15),
    )


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
