"""Leaderboard exports to bitemporal scores, and what changed on the boards: real change told from noise.

    parse_board(file, board) -> BoardSnapshot          one landed export, read
    board_snapshot(file, board, store)                 the same, from the store where it was read before
    build_scores(board, snapshots, registry)           core.benchmark, core.benchmark_version, core.benchmark_score
    day_tests(histories)                               the tests of each day over all boards, for their multiplicity
    detect_drift(board, snapshots, scores, tests)      mart.benchmark_drift
    with_exposure(events, policies, spend)             the same events, with the routes and spend they touch
    build_gap(scores, models, benchmarks, registry)    mart.benchmark_gap
    build_request_profile(requests)                    mart.request_profile
    detect_request_drift(profile, day, alarms, known)  mart.request_drift; `Alarms` is what earlier days found
    report_claims(), REPORT_BOARD                      the landscape report's scores, as the export of a board
    packaged_board(declared)                           its full declaration and its file in the package
    export_every_eval_ever(scores, benchmarks, at)     what is believed, in the EvalEval coalition's shared schema

Fetching is `pipelines.fetch`, model identity `pipelines.models`; how it works is told in `docs/benchmarks.md`.
"""

from __future__ import annotations

from pipelines.benchmarks.claims import REPORT_BOARD, packaged_board, report_claims
from pipelines.benchmarks.decide import day_tests
from pipelines.benchmarks.drift import detect_drift
from pipelines.benchmarks.exposure import with_exposure
from pipelines.benchmarks.formats import UnknownFormatError, parse_board
from pipelines.benchmarks.gap import build_gap
from pipelines.benchmarks.readings import board_snapshot
from pipelines.benchmarks.request_alarms import REFERENCE_DAYS, Alarms
from pipelines.benchmarks.request_drift import detect_request_drift
from pipelines.benchmarks.request_profile import PROFILE_COLUMNS, build_request_profile
from pipelines.benchmarks.scores import BoardScores, build_scores
from pipelines.benchmarks.shared_schema import export_every_eval_ever
from pipelines.benchmarks.snapshot import PARSER_VERSION, BoardSnapshot

__all__ = [
    "PARSER_VERSION",
    "PROFILE_COLUMNS",
    "REFERENCE_DAYS",
    "REPORT_BOARD",
    "Alarms",
    "BoardScores",
    "BoardSnapshot",
    "UnknownFormatError",
    "board_snapshot",
    "build_gap",
    "build_request_profile",
    "build_scores",
    "day_tests",
    "detect_drift",
    "detect_request_drift",
    "export_every_eval_ever",
    "packaged_board",
    "parse_board",
    "report_claims",
    "with_exposure",
]
