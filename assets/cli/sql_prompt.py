"""The prompt of `modelmeter sql`: statements that end with a semicolon, with history, and the switches that psql's users type.

What a statement shows is `rows.py`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg

from assets.cli import catalog_queries, rows
from assets.cli.sql_errors import in_words
from assets.cli.terminal import say
from pipelines.warehouse import QueryError

_HELP = r"""A statement ends with ; and may take several lines. There are also:
  \x          one record per block, on or off
  \exact      every digit of amounts, on or off
  \d          list the tables       \d mart.daily_charge   describe one
  \q          end (also Ctrl-D)"""
_HISTORY_LINES = 1000


def ask(connection: psycopg.Connection[Any], view: rows.View, history: Path) -> None:
    """Read statements until the end of input and show what each gives; an error ends the statement, not the prompt."""
    say("SQL on the warehouse, read only. \\? for help, \\q to end.")
    with _history(history):
        for statement in _statements():
            if statement in ("\\q", "exit", "quit"):
                return
            if statement.startswith("\\"):
                view = _switch(connection, statement, view)
            else:
                _show(connection, statement, view)


def _statements() -> Iterator[str]:
    """What is typed, statement by statement."""
    parts: list[str] = []
    while True:
        try:
            line = input("sql> " if not parts else "...> ")
        except EOFError:
            return
        except KeyboardInterrupt:
            say("")
            parts.clear()
            continue
        if not parts and line.strip().lower().startswith(("\\", "exit", "quit")):
            yield line.strip()
        elif line.strip() or parts:
            parts.append(line)
            if line.rstrip().endswith(";"):
                yield "\n".join(parts)
                parts.clear()


def _switch(connection: psycopg.Connection[Any], word: str, view: rows.View) -> rows.View:
    name, _, rest = word.partition(" ")
    match name:
        case "\\x":
            view = replace(view, expanded=not view.expanded)
            say(f"One record per block is {'on' if view.expanded else 'off'}.")
        case "\\exact":
            view = replace(view, exact=not view.exact)
            say(f"Every digit of amounts is {'on' if view.exact else 'off'}.")
        case "\\d" | "\\dt":
            _show(connection, catalog_queries.TABLES, replace(view, folds=True), described=rest.strip())
        case _:
            say(_HELP)
    return view


def _show(connection: psycopg.Connection[Any], statement: str, view: rows.View, described: str = "") -> None:
    """The rows of a statement, or the columns of the table `described`."""
    try:
        if described:
            statement = catalog_queries.columns_of(connection, described)
        rows.show(connection, statement, view)
    except QueryError as error:
        say(f"modelmeter: {error}", err=True)
    except psycopg.Error as error:
        say(in_words(error, statement), err=True)
    except KeyboardInterrupt:
        connection.cancel()
        say("cancelled", err=True)
    finally:
        connection.rollback()


@contextlib.contextmanager
def _history(path: Path) -> Iterator[None]:
    """Line editing with what was typed before; without it where Python was built without readline."""
    try:
        import readline
    except ImportError:
        yield
        return
    with contextlib.suppress(OSError):
        readline.read_history_file(path)
    readline.set_history_length(_HISTORY_LINES)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            readline.write_history_file(path)
