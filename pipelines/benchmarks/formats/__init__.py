"""Leaderboard export formats: one module each, every one a function from a landed file to a `BoardSnapshot`.

A format reads and validates; it never compares exports with each other (see `pipelines.benchmarks.history`).
"""

from __future__ import annotations

from collections.abc import Callable

from pipelines.benchmarks.fields import BoardOptionsError
from pipelines.benchmarks.formats import (
    aider,
    arena_daily,
    artificial_analysis,
    code_results,
    epoch,
    every_eval_ever,
    livebench,
    lmarena,
    mapping,
    per_item,
    swebench,
    wide,
)
from pipelines.benchmarks.observation import BoardSnapshot, Collector, Traits
from pipelines.config.sources import Leaderboard
from pipelines.landing import LandedFile, LandingError
from pipelines.outside import ANY_FAILURE, worded

PARSERS: dict[str, Callable[[Collector], BoardSnapshot]] = {
    "aider": aider.parse,
    "arena_daily": arena_daily.parse,
    "artificial_analysis": artificial_analysis.parse,
    "bigcodebench": code_results.parse_bigcodebench,
    "epoch": epoch.parse,
    "evalplus": code_results.parse_evalplus,
    "every_eval_ever": every_eval_ever.parse,
    "helm": wide.parse_helm,
    "livebench": livebench.parse,
    "livecodebench": per_item.parse_livecodebench,
    "lmarena": lmarena.parse,
    "mapping": mapping.parse,
    "matharena": per_item.parse_matharena,
    "mmlu_pro": wide.parse_mmlu_pro,
    "open_llm_leaderboard": wide.parse_open_llm,
    "swebench": swebench.parse,
    "terminal_bench": per_item.parse_terminal_bench,
}


class UnknownFormatError(ValueError):
    """A board is declared with a format that has no parser."""


def parse_board(file: LandedFile, board: Leaderboard) -> BoardSnapshot:
    """Read one landed leaderboard export as `board` declares it.

    Records that can't become a score are in `BoardSnapshot.quarantine` with place and reason; a file that can't be
    read at all is one quarantined record and an observation without rows, so that the coverage gate tells of it. Raises
    UnknownFormatError where `board.format` has no parser, and BoardOptionsError where the board's options are wrong.
    """
    parser = PARSERS.get(board.format)
    if parser is None:
        raise UnknownFormatError(
            f"leaderboard {board.board}: format {board.format!r} can't be read; accepted are {', '.join(sorted(PARSERS))}"
        )
    try:
        return parser(Collector(file, board))
    except BoardOptionsError:
        raise
    except LandingError as error:
        return _unreadable(file, board, "unreadable", str(error))
    except ANY_FAILURE as error:  # one board's surprise must not cost the day of all others; it is told
        detail = f"the file is not of format {board.format}, or has changed its shape: {worded(error)}"
        return _unreadable(file, board, "unexpected_shape", detail)


def _unreadable(file: LandedFile, board: Leaderboard, reason: str, detail: str) -> BoardSnapshot:
    into = Collector(file, board)
    into.reject(0, reason, detail, record=file.sha256.encode(), fields={"landing_path": file.landing_path})
    return into.snapshot(into.observation(Traits(row_kind="entry"), ()))
