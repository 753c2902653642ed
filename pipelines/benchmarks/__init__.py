"""Leaderboard exports to bitemporal scores, and what changed on the boards: real change, separated from noise.

    parse_board(file, board) -> BoardSnapshot          one landed export, read
    cached_board(file, board, store)                 the same, from the store where it was read before
    build_scores(board, snapshots, registry)           core.benchmark, core.benchmark_version, core.benchmark_score
    day_tests(histories)                               the tests of each day over all boards, for their multiplicity
    score_tables(board, said, history, registry)       the same of exports that were walked through before
    detect_drift(board, snapshots, scores, tests)      mart.benchmark_drift
    build_gap(scores, models, benchmarks, registry)    mart.benchmark_gap
    report_claims(), REPORT_BOARD                      the landscape report's scores, as the export of a board
    packaged_board(declared)                           its full declaration and its file in the package
    export_every_eval_ever(scores, benchmarks, at)     what is believed, in the EvalEval coalition's shared schema

Fetching is `pipelines.fetch`, model identity `pipelines.models`; how it works is described in `docs/benchmarks.md`.
"""

from __future__ import annotations

from pipelines.benchmarks.board_cache import cached_board
from pipelines.benchmarks.claims import REPORT_BOARD, packaged_board, report_claims
from pipelines.benchmarks.drift import detect_drift
from pipelines.benchmarks.formats import parse_board
from pipelines.benchmarks.gap import build_gap
from pipelines.benchmarks.observation import PARSER_VERSION, BoardSnapshot
from pipelines.benchmarks.scores import BoardScores, build_scores, score_tables
from pipelines.benchmarks.shared_schema import export_every_eval_ever
from pipelines.benchmarks.significance import day_tests

__all__ = [
    "PARSER_VERSION",
    "REPORT_BOARD",
    "BoardScores",
    "BoardSnapshot",
    "build_gap",
    "build_scores",
    "cached_board",
    "day_tests",
    "detect_drift",
    "export_every_eval_ever",
    "packaged_board",
    "parse_board",
    "report_claims",
    "score_tables",
]
