"""One landed file to be parsed, as a value that can be sent to another process or machine.

What of it is new, and where its outcome is noted, is decided in `ingest.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.bills import parse_bill
from pipelines.config.sources import RequestSource
from pipelines.landing import LandedFile, LandingError
from pipelines.outside import ANY_FAILURE, worded
from pipelines.requests import ParsedFile, parse_file
from pipelines.shadow import parse_shadow


@dataclass(frozen=True)
class ParseTask:
    """A file of requests, bills or shadow measurements, its source, and the store into which its rows go."""

    file: LandedFile
    source: RequestSource
    store: Path
    user_key: bytes | None
    """The secret under which end users are kept as a hash."""

    def done(self) -> ParsedFile | str:
        """Parse the file; where that is impossible, why, in words that hold nothing of its content."""
        try:
            if self.source.is_shadow:
                return parse_shadow(self.file, self.source, self.store)
            parse = parse_bill if self.source.is_bill else parse_file
            return parse(self.file, self.source, self.store, user_key=self.user_key)
        except LandingError as error:
            return str(error)
        except ANY_FAILURE as error:
            return f"{self.file.landing_path}: can't be read: {worded(error)}"


ParseFiles = Callable[[Sequence[ParseTask]], Iterable[tuple[ParseTask, ParsedFile | str]]]
"""Parses files, in any order: each with its outcome, or why there is none."""


def parse_here(tasks: Sequence[ParseTask]) -> Iterator[tuple[ParseTask, ParsedFile | str]]:
    """One after the other in this process."""
    for task in tasks:
        yield task, task.done()
