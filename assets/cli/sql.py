"""`modelmeter sql`: one statement, or a prompt where a person sits in front of it.

Only options, words and exit codes are decided here; how rows are shown is `rows.py`, the prompt is `sql_prompt.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from assets.cli.sql_errors import in_words
from assets.cli.terminal import say


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sql")(run_sql)


def run_sql(  # noqa: PLR0917, typer passes them by name
    query: Annotated[str | None, typer.Argument(help="One SQL statement, or - to read it from standard input.")] = None,
    file: Annotated[Path | None, typer.Option("-f", "--file", help="Read the statement from a file.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="An array of objects; numbers with all their digits.")
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV with a header; null is empty without quotes.")] = False,
    limit: Annotated[int, typer.Option(min=0, help="Rows shown in the table view; 0 shows all.")] = 200,
    timeout: Annotated[
        float, typer.Option(min=0, help="Seconds after which the query is cancelled; 0 for never.")
    ] = 600,
    expanded: Annotated[
        bool, typer.Option("-x", "--expanded", help="One record per block, even where a table would fit.")
    ] = False,
    exact: Annotated[bool, typer.Option("--exact", help="Every digit of amounts, even on a terminal.")] = False,
    tables: Annotated[bool, typer.Option("--tables", help="List every table and view, and what is in it.")] = False,
    describe: Annotated[
        str | None, typer.Option("--describe", metavar="TABLE", help="Describe a table, column by column.")
    ] = None,
) -> None:
    """Query the warehouse, read only. Prints a table, or --json or --csv for programs; without a statement, opens a prompt."""
    from assets.cli import catalog_queries, rows, sql_prompt
    from pipelines.settings import Settings
    from pipelines.warehouse.open import open_database

    if as_json and as_csv:
        raise typer.BadParameter("--json can't be combined with --csv")
    if sum((tables, describe is not None, query is not None, file is not None)) > 1:
        raise typer.BadParameter("give one of a statement, -f, --tables and --describe")
    view = rows.View(limit=limit, expanded=expanded, exact=exact, folds=tables or describe is not None)
    is_prompt = query is None and file is None and not tables and describe is None and is_a_person()
    if is_prompt:
        text = ""
    elif tables:
        text = catalog_queries.TABLES
    elif describe is not None:
        text = ""
    else:
        text = _statement(query, file)
    settings = Settings()
    with open_database(settings) as database, database.connect(read_only=True) as connection, explained(text):
        connection.read_only = True
        connection.execute("select set_config('statement_timeout', %s, false)", [str(round(timeout * 1000))])
        if describe is not None:
            text = catalog_queries.columns_of(connection, describe)
        if is_prompt:
            sql_prompt.ask(connection, view, settings.home / "sql_history")
        elif as_json:
            rows.write_json(connection, text, sys.stdout)
        elif as_csv:
            rows.write_csv(connection, text, sys.stdout)
        else:
            rows.show(connection, text, view)


def is_a_person() -> bool:
    """Whether somebody sits in front of standard input."""
    return sys.stdin.isatty()


def _statement(query: str | None, file: Path | None) -> str:
    if (query is None) == (file is None):
        raise typer.BadParameter(
            'give one statement: modelmeter sql "select ...", -f FILE, or - for standard input; or --tables, or --describe TABLE'
        )
    try:
        text = file.read_text(encoding="utf-8") if file else sys.stdin.read() if query == "-" else str(query)
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from error
    if not text.strip():
        raise typer.BadParameter("the statement is empty")
    return text


@contextmanager
def explained(text: str) -> Iterator[None]:
    """Errors of the statement as a person wants them, and exit code 1."""
    import psycopg

    from pipelines.warehouse import QueryError

    try:
        yield
    except QueryError as error:
        say(f"modelmeter: {error}", err=True)
        raise typer.Exit(1) from None
    except psycopg.Error as error:
        say(in_words(error, text), err=True)
        raise typer.Exit(1) from None
