"""Runs a suite with Great Expectations on the rows in Postgres, and reads its verdicts without loss.

That is for tables of some thousand rows. Of a table with a partition per day, the server counts (`counted.py`).

Only the functions import the library, because that takes seconds. Its context is ephemeral: it writes no file and sends
nothing. The rules are in `suites.py`, the result type is in `outcome.py`.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from functools import cache, partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.quality.counted import can_be_counted, connected, run_counted
from pipelines.quality.kept import fingerprint, kept_outcome
from pipelines.quality.outcome import ExpectationOutcome, SuiteOutcome
from pipelines.quality.rules import NoRow, RowFloor, Rule, Suite, SuiteName, Unique
from pipelines.quality.suites import SUITES
from pipelines.quality.wording import SAMPLE_SIZE, problem_of, row_as_text

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext
    from great_expectations.datasource.fluent.interfaces import Batch
    from sqlalchemy import URL, Engine

APPLICATION = "modelmeter-checks"
"""The name under which the server lists these connections."""

_numbers = count()


def run_suite(
    warehouse: Engine | URL | str, suite: SuiteName, from_date: date, to_date: date, kept: Path | None = None
) -> SuiteOutcome:
    """Test the rows of the UTC days `[from_date, to_date)`; every row, for a table without days.

    With `kept`, a folder, what was found of the same rows before is not looked for again (`kept.py`). `warehouse` is a SQLAlchemy engine or URL with driver psycopg 3 (`Database.url`), password included. A check that
    raises, be it that a column is missing or that the server ends the query, is "not evaluable". Raises KeyError for
    an unknown suite and ValueError for an empty window.
    """
    if to_date <= from_date:
        raise ValueError(f"an empty window: from {from_date} to {to_date} (the end is exclusive)")
    if can_be_counted(SUITES[suite]):
        return run_counted(_connection_string(warehouse), SUITES[suite], from_date, to_date)
    run = partial(_run, warehouse, SUITES[suite], from_date, to_date)
    if kept is None:
        return run()
    with connected(_connection_string(warehouse)) as connection:
        found = fingerprint(connection, SUITES[suite], _rows_under_test(SUITES[suite], from_date, to_date))
    return kept_outcome(kept / f"{suite}.json", SUITES[suite], (from_date, to_date), found, run) if found else run()


def _run(warehouse: Engine | URL | str, suite: Suite, from_date: date, to_date: date) -> SuiteOutcome:
    with _batch(warehouse, _rows_under_test(suite, from_date, to_date)) as batch:
        row_rules = [rule for rule in suite.rules if isinstance(rule, NoRow)]
        other_rules = [rule for rule in suite.rules if not isinstance(rule, NoRow)]
        shown = list(suite.shown)
        # Two passes: rows of a query are reported in the complete format only, which for built-in expectations would
        # fetch every wrong row of the day.
        summary = {"result_format": "SUMMARY", "partial_unexpected_count": SAMPLE_SIZE}
        outcomes = {
            **_validate(batch, suite, other_rules, {**summary, "unexpected_index_column_names": shown}),
            **_validate(batch, suite, row_rules, {"result_format": "COMPLETE"}),
        }
    return SuiteOutcome(suite.name, from_date, to_date, tuple(outcomes[rule.name] for rule in suite.rules))


def _rows_under_test(suite: Suite, from_date: date, to_date: date) -> str:
    day = suite.table.day_column
    window = f" where {day} >= date '{from_date}' and {day} < date '{to_date}'" if day else ""
    return f"select * from {suite.table.qualified}{window}"


@contextmanager
def _batch(warehouse: Engine | URL | str, query: str) -> Iterator[Batch]:
    """The rows of `query` as a batch, on connections of its own that are closed at the end."""
    context = _context()
    name = f"warehouse_{next(_numbers)}"
    with warnings.catch_warnings():
        # It advises add_postgres, which refuses a URL whose host is a folder of sockets.
        warnings.filterwarnings("ignore", message="You are using a generic SQLDatasource")
        source = context.data_sources.add_sql(
            name,
            connection_string=_connection_string(warehouse),
            create_temp_table=False,
        )
    try:
        yield source.add_query_asset("rows", query=query).add_batch_definition_whole_table("all").get_batch()
    finally:
        source.get_execution_engine().close()
        source.get_engine().dispose()
        context.data_sources.delete(name)


@cache
def _context() -> EphemeralDataContext:
    """One ephemeral context per process, silent and without telemetry."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read at import
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its import of sre_constants
        import great_expectations
        from great_expectations.data_context.types.base import (
            DataContextConfig,
            InMemoryStoreBackendDefaults,
            ProgressBarsConfig,
        )

        return great_expectations.get_context(
            mode="ephemeral",
            project_config=DataContextConfig(
                # Its default would make a folder for data docs in the system's temporary folder.
                store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
                progress_bars=ProgressBarsConfig(globally=False),
            ),
        )


def _connection_string(warehouse: Engine | URL | str) -> str:
    from sqlalchemy import Engine, make_url

    url = warehouse.url if isinstance(warehouse, Engine) else make_url(warehouse)
    named = url.update_query_dict({"application_name": APPLICATION})
    return named.render_as_string(hide_password=False).replace("$", "%24")  # a bare $ would name a variable


def _validate(
    batch: Batch, suite: Suite, rules: Sequence[Rule], result_format: dict[str, Any]
) -> dict[str, ExpectationOutcome]:
    from great_expectations import ExpectationSuite

    expectations = ExpectationSuite(suite.name, expectations=[_expectation(suite, rule) for rule in rules])
    verdicts = batch.validate(expectations, result_format=result_format).results
    by_name = {verdict.expectation_config.meta["rule"]: verdict for verdict in verdicts if verdict.expectation_config}
    return {rule.name: _outcome(suite, rule, by_name[rule.name]) for rule in rules}


def _expectation(suite: Suite, rule: Rule) -> dict[str, Any]:
    """The rule as Great Expectations configures an expectation."""
    kind, arguments = _kind(suite, rule)
    return {
        "type": kind,
        "kwargs": arguments,
        "description": rule.description,
        "severity": "critical" if rule.severity == "blocking" else "warning",
        "meta": {"rule": rule.name},
    }


def _kind(suite: Suite, rule: Rule) -> tuple[str, dict[str, Any]]:
    match rule:
        case RowFloor():
            return "expect_table_row_count_to_be_between", {"min_value": rule.minimum}
        case Unique(columns=(column,)):
            return "expect_column_values_to_be_unique", {"column": column}
        case Unique():
            return "expect_compound_columns_to_be_unique", {"column_list": list(rule.columns)}
        case NoRow():
            return "unexpected_rows_expectation", {"unexpected_rows_query": _query(suite, rule)}
        case _:
            raise TypeError(f"suite {suite.name}: rule {rule.name} is of the unknown kind {type(rule).__name__}")


def _query(suite: Suite, rule: NoRow) -> str:
    prefix = "a." if " join " in rule.rows else ""
    shown = ", ".join(prefix + column for column in suite.shown)
    return f"select {shown} from {rule.rows} where {rule.where}"


def _outcome(suite: Suite, rule: Rule, verdict: ExpectationValidationResult) -> ExpectationOutcome:
    problem = _problem(verdict.exception_info, suite)
    if problem is not None:
        return ExpectationOutcome(rule.name, rule.description, rule.severity, success=None, problem=problem)
    result: Mapping[str, Any] = verdict.result
    is_rows = isinstance(rule, NoRow)
    return ExpectationOutcome(
        name=rule.name,
        description=rule.description,
        severity=rule.severity,
        success=bool(verdict.success),
        observed=result.get("observed_value") if isinstance(rule, RowFloor) else None,
        unexpected_count=result["observed_value"] if is_rows else result.get("unexpected_count"),
        sample=tuple(row_as_text(row) for row in _rows(result)[:SAMPLE_SIZE]),
    )


def _rows(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Wrong rows by the columns shown: the rows of a query, or the values of a key."""
    rows = result.get("details", {}).get("unexpected_rows") or result.get("partial_unexpected_index_list")
    if rows is None:
        rows = [value for value in result.get("partial_unexpected_list", []) if isinstance(value, dict)]
    return list(rows)


def _problem(exception_info: Mapping[str, Any], suite: Suite) -> str | None:
    """What an expectation raised, by its class, else None. Its metrics' exceptions lie one level deeper."""
    infos = [exception_info] if "raised_exception" in exception_info else list(exception_info.values())
    found = [problem_of(str(info["exception_message"]), suite) for info in infos if info.get("raised_exception")]
    return "; ".join(dict.fromkeys(found)) or None
