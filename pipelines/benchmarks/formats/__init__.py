"""The formats of leaderboards, one module each: a landed file in, a `BoardSnapshot` out.

A format reads and validates; it never compares exports with each other (see `pipelines.benchmarks.history`). How a format
is registered is in `pipelines.formats`.
"""

from __future__ import annotations

from typing import Protocol

from pipelines.benchmarks.collector import Collector
from pipelines.benchmarks.fields import BoardOptionsError
from pipelines.benchmarks.observation import BoardSnapshot, Traits
from pipelines.config.sources import Leaderboard
from pipelines.formats import Formats
from pipelines.landing import LandedFile, LandingError
from pipelines.outside import ANY_FAILURE, worded


class BoardFormat(Protocol):
    """What a module of a leaderboard's format offers."""

    def parse(self, into: Collector, /) -> BoardSnapshot:
        """Read the file of `into`. Raises BoardOptionsError where the board's options are wrong."""


FORMATS: Formats[BoardFormat] = Formats(__name__)


def parse_board(file: LandedFile, board: Leaderboard) -> BoardSnapshot:
    """Read one landed leaderboard export as `board` declares it.

    Records that can't become a score are in `BoardSnapshot.quarantine` with place and reason; a file that can't be
    read at all is one quarantined record and an observation without rows, so that the coverage gate reports it. Raises
    UnknownFormatError where no format has that name, and BoardOptionsError where the board's options are wrong.
    """
    parser = FORMATS[board.format]
    try:
        return parser.parse(Collector(file, board))
    except BoardOptionsError:
        raise
    except LandingError as error:
        return _unreadable(file, board, "unreadable", str(error))
    except ANY_FAILURE as error:  # one board's surprise must not cost the day of all others
        detail = f"the file is not of format {board.format}, or has changed its shape: {worded(error)}"
        return _unreadable(file, board, "unexpected_shape", detail)


def _unreadable(file: LandedFile, board: Leaderboard, reason: str, detail: str) -> BoardSnapshot:
    into = Collector(file, board)
    into.reject(0, reason, detail, record=file.sha256.encode(), fields={"landing_path": file.landing_path})
    return into.snapshot(into.observation(Traits(row_kind="entry"), ()))
