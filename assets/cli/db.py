"""`modelmeter sql` and `modelmeter db up|down|url|migrate|remove`: the warehouse from the command line.

Only options, words and exit codes are decided here; the server and its connections are in
`pipelines.warehouse`, the formats in which rows are shown in `rows.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assets.cli.terminal import say

if TYPE_CHECKING:
    import psycopg

    from pipelines.settings import Settings


def register(app: typer.Typer) -> None:
    """Add `sql` and the group `db`."""
    app.command("sql")(run_sql)
    group = typer.Typer(
        name="db", help="The warehouse's database: start, stop, address, migrations.", no_args_is_help=True
    )
    for name, command in (("up", up), ("down", down), ("url", url), ("migrate", migrate), ("remove", remove)):
        group.command(name)(command)
    app.add_typer(group)


def run_sql(  # noqa: PLR0917, typer passes them by name
    query: Annotated[str | None, typer.Argument(help="One SQL statement, or - to read it from standard input.")] = None,
    file: Annotated[Path | None, typer.Option("-f", "--file", help="Read the statement from a file.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="An array of objects; numbers with all their digits.")
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV with a header; null is empty without quotes.")] = False,
    limit: Annotated[int, typer.Option(min=0, help="Rows shown in the table view; 0 shows all.")] = 200,
    timeout: Annotated[float, typer.Option(min=0, help="Seconds until the query is given up; 0 for never.")] = 600,
) -> None:
    """Ask the warehouse, read only: a table for people, --json or --csv for programs."""
    from assets.cli import rows
    from pipelines.settings import Settings
    from pipelines.warehouse.open import open_database

    if as_json and as_csv:
        raise typer.BadParameter("--json can't be combined with --csv")
    text = _statement(query, file)
    with open_database(Settings()) as database, database.connect(read_only=True) as connection, _told(text):
        connection.read_only = True
        connection.execute("select set_config('statement_timeout', %s, false)", [str(round(timeout * 1000))])
        if as_json:
            rows.write_json(connection, text, sys.stdout)
        elif as_csv:
            rows.write_csv(connection, text, sys.stdout)
        else:
            rows.show_table(connection, text, limit)


def up(
    port: Annotated[
        int | None, typer.Option(min=1024, max=65535, help="Also listen on this TCP port of 127.0.0.1, by password.")
    ] = None,
) -> None:
    """Start the embedded Postgres and keep it running until `modelmeter db down`."""
    from pipelines.warehouse import server
    from pipelines.warehouse.database import embedded_database, set_passwords
    from pipelines.warehouse.migrate import migrate as bring_up_to_date

    settings = _embedded_only("db up")
    running = server.keep_up(settings.home, port)
    if running.listens_on_tcp:
        set_passwords(settings.home, running)
    bring_up_to_date(embedded_database(running))
    where = f"127.0.0.1 port {running.port} (password: `modelmeter db url --show-password`)"
    say(f"Postgres runs as process {running.pid} and stays up until `modelmeter db down`.")
    say(f"Socket in {running.sockets}" + (f"; TCP on {where}." if running.listens_on_tcp else "; no TCP port."))


def down(
    force: Annotated[bool, typer.Option("--force", help="Stop it even while other commands use it.")] = False,
) -> None:
    """Stop the embedded Postgres."""
    from pipelines.warehouse import server

    stopped = server.shut_down(_embedded_only("db down").home, force=force)
    say("Postgres is stopped." if stopped else "Postgres was not running.")


def url(
    reader: Annotated[bool, typer.Option("--reader", help="The read-only user's address.")] = False,
    show_password: Annotated[bool, typer.Option("--show-password", help="Don't mask the password.")] = False,
) -> None:
    """Print the database's address, for psql, dbt and BI tools."""
    from pipelines.settings import Settings
    from pipelines.warehouse import WarehouseError, server
    from pipelines.warehouse.database import embedded_database, external_database, tcp_database

    settings = Settings()
    if settings.database_url is not None:
        database = external_database(settings.database_url.get_secret_value())
    else:
        running = server.running(settings.home)
        if running is None:
            raise WarehouseError(
                "the embedded Postgres is not running, so it has no address now. `modelmeter db up` starts it and keeps "
                "it; with --port it can be reached over TCP."
            )
        database = tcp_database(settings.home, running) if running.listens_on_tcp else embedded_database(running)
    address = database.reader if reader else database.owner
    say(address.url("postgresql").render_as_string(hide_password=not show_password))


def migrate() -> None:
    """Bring the tables up to date, and make comments, functions and the reader's grants again."""
    from pipelines.settings import Settings
    from pipelines.warehouse.migrate import apply_repeatable, newest
    from pipelines.warehouse.migrate import migrate as bring_up_to_date
    from pipelines.warehouse.open import open_database

    with open_database(Settings(), migrate=False) as database:
        changed = bring_up_to_date(database)
        with database.connect() as connection:
            apply_repeatable(connection)
    say(f"Revision {newest().revision}: {'migrated' if changed else 'nothing to do'}.")


def remove(
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Delete the embedded database with all its tables; the landing zone stays."""
    from pipelines.warehouse import server

    home = _embedded_only("db remove").home
    if not yes:
        typer.confirm(f"Delete the database of {home}? It can be rebuilt from the landing zone.", abort=True)
    server.remove(home)
    say("The embedded database is deleted.")


def _embedded_only(command: str) -> Settings:
    from pipelines.settings import Settings
    from pipelines.warehouse import WarehouseError

    settings = Settings()
    if settings.database_url is not None:
        raise WarehouseError(
            f"`modelmeter {command}` is for the embedded Postgres, but MODELMETER_DATABASE_URL names an external one. "
            "Unset the variable, or use that server's own tools."
        )
    return settings


def _statement(query: str | None, file: Path | None) -> str:
    if (query is None) == (file is None):
        raise typer.BadParameter('give one statement: modelmeter sql "select ...", -f FILE, or - for standard input')
    try:
        text = file.read_text(encoding="utf-8") if file else sys.stdin.read() if query == "-" else str(query)
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from error
    if not text.strip():
        raise typer.BadParameter("the statement is empty")
    return text


@contextmanager
def _told(text: str) -> Iterator[None]:
    """Errors of the statement as a person wants them, and exit code 1."""
    import psycopg

    from pipelines.warehouse import QueryError

    try:
        yield
    except QueryError as error:
        say(f"modelmeter: {error}", err=True)
        raise typer.Exit(1) from None
    except psycopg.Error as error:
        say(explain(error, text), err=True)
        raise typer.Exit(1) from None


def explain(error: psycopg.Error, text: str) -> str:
    """An error of Postgres with the line of the statement it points at, a caret below the place, and the hint."""
    found = error.diag
    if "multiple commands" in (found.message_primary or ""):
        return "modelmeter: one statement at a time; leave out what follows the first semicolon"
    lines = [f"modelmeter: {found.message_primary or str(error).strip()}"]
    if found.statement_position:
        before = text[: int(found.statement_position) - 1]
        number, column = before.count("\n"), len(before) - before.rfind("\n") - 1
        line = text.split("\n")[number]
        prefix = f"line {number + 1}: "
        blank = "".join("\t" if letter == "\t" else " " for letter in line[:column])
        lines += [prefix + line, " " * len(prefix) + blank + "^"]
    lines += [
        f"{name}: {value}" for name, value in (("detail", found.message_detail), ("hint", found.message_hint)) if value
    ]
    return "\n".join(lines)
