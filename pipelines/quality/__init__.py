"""Whether the data may go on: suites on the rows of a table, and checks that the books add up between tables.

Public: `run_suite` and `SUITES` (Great Expectations, imported only when a suite runs), the accounting checks, and
the result type that both share. Whether a check stops a run is decided in `assets`, by `severity`.
"""

from __future__ import annotations

from pipelines.quality.accounting import (
    every_file_read,
    feeds_fresh,
    lines_accounted,
    loaded_files_agree,
    priced_coverage,
    records_accounted,
    spend_agrees,
)
from pipelines.quality.outcome import ExpectationOutcome, Severity, SuiteOutcome
from pipelines.quality.readable import sources_readable
from pipelines.quality.rules import SuiteName
from pipelines.quality.run import run_suite
from pipelines.quality.sightings import counted_once, look_alikes
from pipelines.quality.suites import SUITES

__all__ = [
    "SUITES",
    "ExpectationOutcome",
    "Severity",
    "SuiteName",
    "SuiteOutcome",
    "counted_once",
    "every_file_read",
    "feeds_fresh",
    "lines_accounted",
    "loaded_files_agree",
    "look_alikes",
    "priced_coverage",
    "records_accounted",
    "run_suite",
    "sources_readable",
    "spend_agrees",
]
