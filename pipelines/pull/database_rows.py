"""One window of a table or query of a database, row by row, as JSON lines.

Postgres writes the JSON itself, so every digit is its own. Rows of MySQL and SQLite are written here, with amounts
and instants as text. The database is only read, in a transaction that may not write, with the session's time zone set
to UTC.
"""

from __future__ import annotations

import json
import math
import os
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Engine, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from pipelines.config.pull import SqlPull
from pipelines.pull.database_engine import engine_of, watch
from pipelines.pull.landed import LINES, Packing, Page
from pipelines.pull.reader import PullError, time_plan
from pipelines.pull.silence import Silence
from pipelines.pull.windows import INSTANTS, NUMBERS, Bounds, Plan, Window, instant

_ROWS = 2_000
_WINDOWS = 200_000
"""No table has so many windows. Beyond it the cursor does not count rows: Snowflake ids, for example, hold an instant."""
_DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "sqlite": "sqlite",
}
_READS_ONLY = {
    "postgresql": (
        "set transaction read only",
        "set local timezone to 'UTC'",
        "set local statement_timeout to '10min'",
    ),
    "mysql": ("set session transaction read only", "set session time_zone = '+00:00'"),
    "sqlite": ("pragma query_only = on",),
}
_LOOK_BACK_DAYS = 1


@dataclass
class DatabaseRows:
    """A table or query as it is declared; `place` is the database, safe to show."""

    pull: SqlPull
    engine: Engine
    place: str
    silence_s: float
    """How long one answer of the database may take, in pieces of some thousand rows."""
    calls: int = 0
    packing: Packing = LINES
    _none_before: int = 0
    """Up to this position a counting cursor is known to have no more values: a gap was looked over."""
    _silence: Silence | None = None
    """The watch over the connection that is read."""

    def said_at(self, record: object) -> str | None:
        """The cursor of a row."""
        said = json.loads(str(record)).get(self.pull.cursor)
        return None if said is None else str(said)

    @property
    def minutes(self) -> float:
        """How long a run may take."""
        return self.pull.minutes

    @property
    def bounds(self) -> Bounds:
        """Instants, or numbers where the cursor counts."""
        return INSTANTS if self.pull.cursor_type == "time" else NUMBERS

    @property
    def reports(self) -> Sequence[str]:
        """The one thing that is asked for: the rows."""
        return ["rows"]

    def plan(self, now: datetime) -> Plan:
        """Which windows may be asked for; of a counting cursor from its smallest to its largest value. Raises PullError."""
        if self.pull.cursor_type == "time":
            return time_plan(self.pull, now, look_back_days=_LOOK_BACK_DAYS)
        with self._reading() as connection:
            bounds = f"select min({self._cursor}), max({self._cursor}) from {self._from()}"
            least, most = connection.execute(text(bounds)).one()
        if least is None:
            return Plan(0, 0, self.pull.window_rows, 0)
        if not isinstance(least, int) or not isinstance(most, int):
            raise PullError(f"{self.place}: the cursor {self.pull.cursor} holds no whole numbers")
        if (windows := (most - least) // self.pull.window_rows) > _WINDOWS:
            raise PullError(
                f"{self.place}: the values of the cursor {self.pull.cursor} span {windows:,} windows of {self.pull.window_rows:,}, so that "
                "it does not count rows: choose a column of instants (cursor_type: time), or a larger window_rows"
            )
        return Plan(least, most + 1, self.pull.window_rows, self.pull.look_back_rows)

    def unread(self) -> str | None:
        """Say how many rows have no cursor: they are in no window. Raises PullError."""
        with self._reading() as connection:
            query = f"select count(*) from {self._from()} where {self._cursor} is null"
            count: int = connection.execute(text(query)).scalar_one()
        if not count:
            return None
        rows = "1 row has" if count == 1 else f"{count:,} rows have"
        return f"{rows} no value in the cursor {self.pull.cursor}, and never will be read: choose a column that is always filled"

    def pages(self, _report: str, window: Window) -> Iterator[Page]:
        """The rows of a window, in the order of the cursor. A gap in a counting cursor is asked for once. Raises PullError."""
        if window.end <= self._none_before:
            return
        is_empty = True
        cursor = self._cursor
        is_postgres = self.engine.dialect.name == "postgresql"
        what = "row_to_json(q)::text" if is_postgres else "q.*"
        query = f"select {what} from {self._from()} where {cursor} >= :start and {cursor} < :end order by {cursor}"
        bounds = {"start": self._bound(window.start), "end": self._bound(window.end)}
        with self._reading() as connection:
            rows = connection.execution_options(stream_results=True, max_row_buffer=_ROWS).execute(
                text(query.replace("::text", r"\:\:text")), bounds
            )
            for some in rows.partitions(_ROWS):
                if self._silence is not None:
                    self._silence.heard()
                is_empty = False
                lines = [row[0] if is_postgres else as_json(dict(row._mapping)) for row in some]
                yield Page("".join(f"{line}\n" for line in lines).encode(), lines, self.place)
        if is_empty and self.pull.cursor_type == "number":
            with self._reading() as connection:
                least = f"select min({cursor}) from {self._from()} where {cursor} >= :start"
                found: int | None = connection.execute(text(least), {"start": window.end}).scalar_one()
                self._none_before = window.end if found is None else found

    @property
    def _cursor(self) -> str:
        return f"q.{self._quoted(self.pull.cursor)}"

    def _from(self) -> str:
        if self.pull.table is not None:
            return ".".join(map(self._quoted, self.pull.table.split("."))) + " q"
        query = (self.pull.query or "").strip().rstrip(";")
        return f"({query.replace(':', chr(92) + ':')}) q"

    def _quoted(self, name: str) -> str:
        return self.engine.dialect.identifier_preparer.quote_identifier(name).replace(":", r"\:")

    def _bound(self, position: int) -> object:
        if self.pull.cursor_type == "number":
            return position
        at = instant(position)
        match self.engine.dialect.name:
            case "postgresql":
                return at
            case "mysql":
                return at.replace(tzinfo=None)
            case _:
                return f"{at:%Y-%m-%d %H:%M:%S}"

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """A connection that reads only; errors name the database and the class of the fault, never a value."""
        self.calls += 1
        self._silence = None
        try:
            with self.engine.connect() as connection, watch(connection, self.silence_s) as self._silence:
                for statement in _READS_ONLY[self.engine.dialect.name]:
                    connection.exec_driver_sql(statement)
                yield connection
        except SQLAlchemyError as error:
            if self._silence is not None and self._silence.is_over:
                raise PullError(f"{self.place}: nothing came for {self.silence_s:g} s") from None
            raise PullError(f"{self.place}: {_fault(error)}") from None


@contextmanager
def open_database_rows(pull: SqlPull, silence_s: float) -> Iterator[DatabaseRows]:
    """The database whose URL the environment holds. Raises PullError; connects only when it is read."""
    given = os.environ.get(pull.url_env)
    if not given:
        raise PullError(f"the environment variable {pull.url_env} is not set")
    try:
        url = make_url(given)
        driver = _DRIVERS.get(url.get_backend_name())
    except (ArgumentError, ValueError):
        driver = None
    if driver is None:
        raise PullError(f"{pull.url_env}: a URL postgresql://, mysql:// or sqlite:// is accepted")
    place = f"{url.get_backend_name()}://{url.host or ''}{f':{url.port}' if url.port else ''}/{url.database or ''}"
    engine = engine_of(url.set(drivername=driver))
    try:
        yield DatabaseRows(pull, engine, place, silence_s)
    finally:
        engine.dispose()


def as_json(row: Mapping[str, Any]) -> str:
    """A row as one line of JSON. MySQL returns a JSON column as text, and it stays text: the formats read both."""
    return json.dumps({name: _plain(value) for name, value in row.items()}, ensure_ascii=False)


def _plain(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).isoformat()
    as_text: dict[type, Callable[[Any], object]] = {
        datetime: datetime.isoformat,
        date: date.isoformat,
        time: time.isoformat,
        Decimal: "{:f}".format,
        timedelta: timedelta.total_seconds,
        bytes: lambda content: b64encode(content).decode(),
    }
    return as_text.get(type(value), str)(value)


def _fault(error: SQLAlchemyError) -> str:
    """What went wrong, by class and code only: a database's own messages quote values and may name the user."""
    origin = getattr(error, "orig", None) or error
    code = getattr(origin, "sqlstate", None)
    number = next((str(arg) for arg in origin.args[:1] if isinstance(arg, int)), None)
    name = type(origin).__name__
    by_code = next((words for start, words in _FAULTS.items() if (code or "").startswith(start)), None)
    otherwise = "can't be reached, or refuses the login" if name in _UNREACHED else "the query failed"
    return f"{by_code or otherwise} ({', '.join(filter(None, (name, code or number)))})"


_UNREACHED = ("OperationalError", "ConnectionTimeout")
_FAULTS = {
    "28": "refuses the login",
    "25006": "the query writes, and is only allowed to read",
    "42P01": "there is no such table",
    "42S02": "there is no such table",
    "42703": "there is no such column",
    "42S22": "there is no such column",
    "42601": "the query can't be read",
    "42501": "the user may not read it",
    "42000": "the query can't be read, or the user may not read it",
}
"""Beginnings of SQLSTATE codes, of the standard, of Postgres and of MySQL."""
