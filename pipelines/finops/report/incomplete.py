"""What a page lacks, listed on top of it: failed steps, tables that were not made anew, sections that could not be shown.

A page is made from what is there. Whatever fails costs its own section, and stands here with its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from pipelines.finops import format as fmt
from pipelines.finops.report.context import Failure, Incomplete
from pipelines.finops.report.tables import Cell, Table, text_cell, text_column
from pipelines.outside import ANY_FAILURE, worded

T = TypeVar("T")


@dataclass
class Sections:
    """Makes the sections of a page, each in a boundary of its own."""

    failures: list[Failure] = field(default_factory=list)

    def made(self, name: str, make: Callable[[], T], instead: T) -> T:
        """What `make` gives; `instead` where it fails, which is kept with its reason."""
        try:
            return make()
        except ANY_FAILURE as error:
            self.failures.append(Failure(f"section “{name}”", worded(error)))
            return instead


@dataclass(frozen=True)
class IncompleteSection:
    """The sentence at the top of an incomplete page, and the two tables behind it."""

    sentence: str
    failures: Table
    stale: Table


def incomplete_section(incomplete: Incomplete | None, failed_sections: Sequence[Failure]) -> IncompleteSection | None:
    """What the page lacks, in a sentence and two tables; None if nothing is missing."""
    known = incomplete or Incomplete()
    failures = [*known.failures, *failed_sections]
    if not failures and not known.stale:
        return None
    sentence = f"{fmt.plural(len(failures), 'part')} of it could not be made" if failures else "the run did not finish"
    if known.stale:
        sentence += (
            f", and {fmt.plural(len(known.stale), 'table')} {'was' if len(known.stale) == 1 else 'were'} not updated by the run: "
            "this page shows what the warehouse held before"
        )
    return IncompleteSection(f"{sentence}.", _failures_table(failures), _stale_table(known))


def _failures_table(failures: Sequence[Failure]) -> Table:
    return Table(
        "failures",
        "What failed, and why",
        [text_column("Step or section"), text_column("Reason")],
        [[text_cell(failure.what), Cell(failure.reason)] for failure in failures],
    )


def _stale_table(incomplete: Incomplete) -> Table:
    return Table(
        "stale",
        "Tables that this run did not make for this day",
        [text_column("Table"), text_column("Its rows date from, UTC")],
        [
            [text_cell(item.table), Cell(fmt.instant(item.made_at) if item.made_at else "never made")]
            for item in incomplete.stale
        ],
    )
