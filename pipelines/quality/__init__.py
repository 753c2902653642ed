"""Whether the data may go on: suites on the rows of a table, and checks that the books add up between tables.

A check has one owner, by the first of these that can make it:

1. Postgres, for what a constraint can hold: the grain (primary key), filled columns (not null), accepted values (check),
   periods that do not overlap (exclude), references within one transaction (foreign key). A table's description gives
   the first three. A row that breaks one is never stored; the step that wrote it fails and names the constraint.
2. `accounting.py` and its neighbours, for whatever compares tables with each other: lines of files with rows, rows with
   facts, facts with the sums of the spend tables.
3. Within one table, by who fills it: a dbt data test (`dbt_like/tests`) for a table that dbt builds, a rule of a Great
   Expectations suite (`suites.py`) for a table that Python fills.

Public: `run_suite` and `SUITES` (Great Expectations, imported only when a suite runs), the accounting checks, and the
result type that both share. `assets` decides by `severity` whether a check stops a run.
"""

from __future__ import annotations

from pipelines.quality.accounting import (
    every_file_read,
    lines_accounted,
    loaded_files_agree,
    priced_coverage,
    records_accounted,
    spend_agrees,
)
from pipelines.quality.chargeback import chargeback_agrees
from pipelines.quality.outcome import ExpectationOutcome, Severity, SuiteOutcome
from pipelines.quality.readable import sources_readable
from pipelines.quality.rules import SuiteName
from pipelines.quality.run import run_suite
from pipelines.quality.sightings import counted_once, look_alikes
from pipelines.quality.silent import Watched, every_source_delivers
from pipelines.quality.statements import statement
from pipelines.quality.suites import SUITES

__all__ = [
    "SUITES",
    "ExpectationOutcome",
    "Severity",
    "SuiteName",
    "SuiteOutcome",
    "Watched",
    "chargeback_agrees",
    "counted_once",
    "every_file_read",
    "every_source_delivers",
    "lines_accounted",
    "loaded_files_agree",
    "look_alikes",
    "priced_coverage",
    "records_accounted",
    "run_suite",
    "sources_readable",
    "spend_agrees",
    "statement",
]
