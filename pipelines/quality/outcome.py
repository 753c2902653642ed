"""The outcome of a check: the one result type of Great Expectations suites and of the accounting checks.

`run.py` and `accounting.py` make the checks; `assets` turns an outcome into an asset check.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

Severity = Literal["blocking", "warning"]
"""blocking: bad data must not go on to the marts; warning: a person should look."""


@dataclass(frozen=True)
class ExpectationOutcome:
    """One check. `success` is None if it could not be evaluated; `problem` is then the reason.

    `observed` is the measured value, where the check measures one (rows, a share, a total); `unexpected_count` is how
    many rows or items are wrong, and `sample` holds a few of them by what names them, as text, never by a bare id.
    """

    name: str
    description: str
    severity: Severity
    success: bool | None
    observed: int | float | str | None = None
    unexpected_count: int | None = None
    sample: Sequence[dict[str, str]] = ()
    problem: str | None = None
    query: str | None = None
    """SQL that shows every wrong row."""

    @property
    def state(self) -> Literal["passed", "failed", "not evaluable"]:
        """The verdict in words."""
        if self.success is None:
            return "not evaluable"
        return "passed" if self.success else "failed"

    @property
    def blocks(self) -> bool:
        """Whether data must not go on: a blocking check that failed, or of which nobody can say that it passed."""
        return self.severity == "blocking" and self.success is not True


@dataclass(frozen=True)
class SuiteOutcome:
    """All checks of one suite on the UTC days `[from_date, to_date)`, in the order of the suite."""

    suite: str
    from_date: date
    to_date: date
    expectations: tuple[ExpectationOutcome, ...]

    @property
    def blocks(self) -> bool:
        """Whether any check stops the data from going on."""
        return any(outcome.blocks for outcome in self.expectations)
