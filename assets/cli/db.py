"""`modelmeter db up|down|url|migrate|remove`: the warehouse's server from the command line.

Only options, words and exit codes are decided here; the server and its connections are in `pipelines.warehouse`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from assets.cli import backup
from assets.cli.rebuild import rebuild
from assets.cli.terminal import say

if TYPE_CHECKING:
    from pipelines.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the group `db`."""
    group = typer.Typer(
        name="db", help="The warehouse's database: start, stop, address, migrations.", no_args_is_help=True
    )
    for name, command in (
        ("up", up),
        ("down", down),
        ("url", url),
        ("migrate", migrate),
        ("remove", remove),
        ("rebuild", rebuild),
    ):
        group.command(name)(command)
    backup.register(group)
    app.add_typer(group)


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
    """Bring the tables up to date, and recreate comments, functions and the reader's grants."""
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
    leftovers: Annotated[
        bool,
        typer.Option("--leftovers", help="Delete only what is left of a home at this path that was deleted by hand."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Delete the embedded database with all its tables; the landing zone stays."""
    from pipelines.finops import format as fmt
    from pipelines.warehouse import server
    from pipelines.warehouse.orphans import remove_orphans_of

    home = _embedded_only("db remove").home
    if not yes:
        what = "what earlier homes have left at" if leftovers else "the database of"
        typer.confirm(f"Delete {what} {home}? It can be rebuilt from the landing zone.", abort=True)
    if not leftovers:
        server.remove(home)
    removed = remove_orphans_of(home)
    if leftovers:
        say(f"{fmt.plural(removed, 'leftover database')} deleted.")
    else:
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
