"""Keeps what a suite found, with a fingerprint of its rows, so that the same rows are not tested again.

Tables of prices and boards are the same on most days, and importing Great Expectations takes longer than all its queries. A
verdict depends on the rows under test, on those that its rules look up, on the rules and on the library, and on nothing else; all of
them are in the fingerprint, which the server makes of the rows as they are now. Deleting the folder costs time only.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.landing.atomic import write_atomically
from pipelines.outside import ANY_FAILURE
from pipelines.quality.outcome import ExpectationOutcome, SuiteOutcome
from pipelines.quality.rules import NoRow, Suite

if TYPE_CHECKING:
    from sqlalchemy import Connection

_TABLE = re.compile(r"\b(?:core|raw)\.[a-z_]+")
_INDEX = "raw.snapshot"
"""It has a row for every file of any kind: only those count that the rows name."""


def kept_outcome(
    path: Path, suite: Suite, window: tuple[date, date], found: str, run: Callable[[], SuiteOutcome]
) -> SuiteOutcome:
    """What `run` finds; what it found before where the fingerprint was `found` then. What could not be evaluated is not kept."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        kept = json.loads(path.read_bytes())
        if kept["fingerprint"] == found:
            return SuiteOutcome(suite.name, *window, tuple(_as_outcome(facts) for facts in kept["expectations"]))
    outcome = run()
    if all(one.success is not None for one in outcome.expectations):
        facts = {"fingerprint": found, "expectations": [asdict(one) for one in outcome.expectations]}
        with suppress(OSError):  # no room
            write_atomically(path, json.dumps(facts).encode())
    return outcome


def _as_outcome(facts: dict[str, Any]) -> ExpectationOutcome:
    return ExpectationOutcome(**{**facts, "sample": tuple(facts["sample"])})


def fingerprint(connection: Connection, suite: Suite, rows: str) -> str | None:
    """A digest of everything that the verdicts on `rows`, a query, depend on; None if the server can't read some of it."""
    rules = [rule for rule in suite.rules if isinstance(rule, NoRow)]
    tables = sorted({name for rule in rules for name in _TABLE.findall(f"{rule.rows} {rule.where}")})
    queries = [rows, *(_looked_up(table, rows) for table in tables)]
    try:
        digests = [_digest(connection, query) for query in queries]
    except ANY_FAILURE:
        return None
    facts = (repr(suite), version("great_expectations"), queries, digests)
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _looked_up(table: str, rows: str) -> str:
    if table == _INDEX:
        return f"select snapshot_id from {table} where snapshot_id in (select snapshot_id from ({rows}) as named)"
    return f"select * from {table}"


def _digest(connection: Connection, query: str) -> tuple[object, ...]:
    """Names of the columns, number of rows, and a sum over the hashes of all rows, in whatever order they come."""
    names = tuple(connection.exec_driver_sql(f"select * from ({query}) as shown limit 0").keys())
    hashed = f"select count(*), sum(hashtextextended(hashed::text, 0)), sum(hashtextextended(hashed::text, 1)) from ({query}) as hashed"
    return names, *connection.exec_driver_sql(hashed).one()
