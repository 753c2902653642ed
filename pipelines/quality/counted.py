"""Runs a suite on a table of many rows: the server counts, for all rules in one pass, the rows that break them.

Only some of the wrong rows leave the server. `run.py` runs the suites of small tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from typing import TYPE_CHECKING

from pipelines.outside import ANY_FAILURE
from pipelines.quality.outcome import ExpectationOutcome, SuiteOutcome
from pipelines.quality.rules import NoRow, RowFloor, Rule, Suite, Unique
from pipelines.quality.wording import SAMPLE_SIZE, problem_of, row_as_text

if TYPE_CHECKING:
    from sqlalchemy import Connection

_BATCH = "{batch}"


def can_be_counted(suite: Suite) -> bool:
    """Whether every rule looks at the rows of a table of days one by one, or at its key."""
    plain = all(rule.rows == _BATCH for rule in suite.rules if isinstance(rule, NoRow))
    return suite.table.range_partitioned and plain


def run_counted(url: str, suite: Suite, from_date: date, to_date: date) -> SuiteOutcome:
    """As `run_suite`, for a suite that `can_be_counted`."""
    window = f"{suite.table.day_column} >= date '{from_date}' and {suite.table.day_column} < date '{to_date}'"
    counts = {rule.name: _count(rule) for rule in suite.rules if not isinstance(rule, Unique)}
    is_one_day = to_date - from_date == timedelta(days=1)
    with connected(url) as connection:
        found = _counted(connection, suite, counts, window)
        for rule in (rule for rule in suite.rules if isinstance(rule, Unique)):
            if is_one_day and {*rule.columns, suite.table.day_column} == {*suite.table.primary_key}:
                found[rule.name] = 0  # the key of the day's partition holds it
            else:
                query = f"select coalesce(sum(n), 0) from ({_repeated(suite, rule, window)}) as repeated"
                found[rule.name] = _first(_ask(connection, suite, query))
        outcomes = [_outcome(connection, suite, rule, found[rule.name], window) for rule in suite.rules]
    return SuiteOutcome(suite.name, from_date, to_date, tuple(outcomes))


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A connection on which a failing statement does not affect others."""
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection


def _count(rule: Rule) -> str:
    match rule:
        case RowFloor():
            return "count(*)"
        case NoRow():
            return f"count(*) filter (where {rule.where})"
        case _:
            raise TypeError(f"rule {rule.name} is of the unknown kind {type(rule).__name__}")


def _counted(connection: Connection, suite: Suite, counts: Mapping[str, str], window: str) -> dict[str, int | str]:
    """What each rule counts, or why it can't. If one raises, the rules are asked one by one to find it."""
    source = f"from {suite.table.qualified} where {window}"
    together = _ask(connection, suite, f"select {', '.join(counts.values())} {source}")
    if not isinstance(together, str):
        return dict(zip(counts, together, strict=True))
    return {name: _first(_ask(connection, suite, f"select {count} {source}")) for name, count in counts.items()}


def _first(answer: Sequence[int] | str) -> int | str:
    return answer if isinstance(answer, str) else int(answer[0])


def _ask(connection: Connection, suite: Suite, query: str) -> Sequence[int] | str:
    """The one row of a query, or why there is none."""
    try:
        return [int(number) for number in connection.exec_driver_sql(query).one()]
    except ANY_FAILURE as error:
        return problem_of(str(error), suite)


def _repeated(suite: Suite, rule: Unique, window: str) -> str:
    listed = ", ".join(rule.columns)
    return f"select {listed}, count(*) as n from {suite.table.qualified} where {window} group by {listed} having count(*) > 1"


def _outcome(connection: Connection, suite: Suite, rule: Rule, count: int | str, window: str) -> ExpectationOutcome:
    if isinstance(count, str):
        return ExpectationOutcome(rule.name, rule.description, rule.severity, success=None, problem=count)
    if isinstance(rule, RowFloor):
        success = count >= rule.minimum
        return ExpectationOutcome(rule.name, rule.description, rule.severity, success=success, observed=count)
    return ExpectationOutcome(
        rule.name,
        rule.description,
        rule.severity,
        success=not count,
        unexpected_count=count,
        sample=_sample(connection, suite, rule, window) if count else (),
    )


def _sample(connection: Connection, suite: Suite, rule: Rule, window: str) -> tuple[dict[str, str], ...]:
    """Some of the wrong rows by the columns that a person finds them by."""
    if isinstance(rule, Unique):
        listed = ", ".join(rule.columns)
        wrong, shown = (
            f"({listed}) in (select {listed} from ({_repeated(suite, rule, window)}) as repeated)",
            rule.columns,
        )
        listed = ", ".join(dict.fromkeys([*suite.shown, *shown]))
    else:
        wrong, listed = rule.where if isinstance(rule, NoRow) else "false", ", ".join(suite.shown)
    query = f"select {listed} from {suite.table.qualified} where {window} and ({wrong}) limit {SAMPLE_SIZE}"
    return tuple(row_as_text(dict(row)) for row in connection.exec_driver_sql(query).mappings())
