"""The command line `modelmeter`: one typer application, one module per command.

Commands launch what `assets` and `pipelines` hold; heavy imports happen inside them, so that `--help` is instant.
"""

from __future__ import annotations

import errno
import gc
import os
import re
import signal
import sys
import traceback
from typing import Annotated, NoReturn

import typer

from assets.cli import (
    alerts,
    books,
    budgets,
    claims,
    commitments,
    daily,
    db,
    doctor,
    drift,
    focus,
    models,
    price,
    prices,
    reconcile,
    report,
    rerate,
    retention,
    route,
    scores,
    serve,
    sources,
    sql,
    status,
    ui,
    waste,
)

app = typer.Typer(
    name="modelmeter",
    help="The daily cost and quality ledger for companies that run on language models.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _show_version(is_asked: bool) -> None:
    if is_asked:
        from assets.cli.preflight import version_line
        from assets.cli.terminal import say

        say(version_line())
        raise typer.Exit


@app.callback()
def before_every_command(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """The daily cost and quality ledger for companies that run on language models."""
    from assets.cli.preflight import check

    if context.invoked_subcommand and "--help" not in sys.argv:
        check(context.invoked_subcommand)


for command in (
    alerts,
    daily,
    rerate,
    report,
    books,
    budgets,
    focus,
    waste,
    reconcile,
    commitments,
    ui,
    serve,
    sql,
    db,
    retention,
    price,
    prices,
    route,
    models,
    claims,
    drift,
    scores,
    sources,
    status,
    doctor,
):
    command.register(app)


def main() -> None:
    """Entry point: errors that a person can act on end in one message and status 2, others show where they arose."""
    # Most of what a command makes is code that stays: looking through it for garbage took a seventh of all imports.
    gc.set_threshold(50_000, 20, 20)
    from assets.cli.terminal import can_write_anything
    from pipelines.private_files import UMASK

    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "true")
    # Our matrices are small: threads for them spend twice the processor time of the products, on a busy machine three times.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.umask(UMASK)
    can_write_anything()
    # SIGTERM is Ctrl-C, which leaves no server behind. Alone it ends Python at once, the first process of a container would not hear it,
    # and after a run Dagster lets it be ignored where a shell made the command ignore Ctrl-C.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        app()
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:  # noqa: BLE001  # what may be one of ours is imported only now
        _refuse(error)
    finally:
        # Nothing is worth looking for any more: the last look of the interpreter took 2 s of a daily run.
        gc.freeze()


def _refuse(error: BaseException) -> NoReturn:
    """End with what a person can act on in one message and status 2, or with where the failure arose and status 1."""
    from assets.cli.dates import DateError
    from assets.cli.terminal import say
    from pipelines.config import ConfigError
    from pipelines.finops.report.collect import ReportError
    from pipelines.landing import LandingError
    from pipelines.outside import ANY_FAILURE, worded
    from pipelines.warehouse import WarehouseError

    if isinstance(error, (ConfigError, DateError, LandingError, ReportError, WarehouseError)):
        for line in str(error).splitlines():
            say(f"modelmeter: {line}", err=True)
        sys.exit(2)
    if isinstance(error, ANY_FAILURE):
        if refused := _not_made(error) or _lost(error) or _of_machine(error):
            say(f"modelmeter: {refused}", err=True)
            sys.exit(2)
        # The frames show our code and the libraries'; the message of a library may hold what a file held.
        frames = "".join(traceback.format_tb(error.__traceback__))
        say(f"{frames}modelmeter: a mistake of modelmeter's own, please report it: {worded(error)}", err=True)
        sys.exit(1)
    raise error


_NO_PLACE = (errno.EROFS, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EIO)  # fmt: skip


def _of_machine(error: BaseException) -> str | None:
    """Where a file or folder can't be made, read or written: which, why, and what to look at."""
    if not isinstance(error, OSError) or error.errno not in _NO_PLACE:
        return None
    place = f"{error.filename}: " if isinstance(error.filename, str) else ""
    return (
        f"{place}{os.strerror(error.errno)}. Is MODELMETER_HOME a folder that this user may write to, with room left, and is the number of "
        "open files (ulimit -n) not too low? What was not committed is lost. Once that is mended, run the command again."
    )


def _not_made(error: BaseException) -> str | None:
    """Where a table is missing that only a run makes: which, and what to do."""
    import psycopg

    from pipelines.warehouse.tables import TABLES_BY_NAME

    named = re.search(r'"([a-z]+\.[a-z_]+)"', str(error)) if isinstance(error, psycopg.errors.UndefinedTable) else None
    table = TABLES_BY_NAME.get(named[1]) if named else None
    if table is None or table.built_by != "dbt":
        return None
    return f"the warehouse has no {table.qualified} yet: run `modelmeter daily` first"


def _lost(error: BaseException) -> str | None:
    """Where the database went away, or refuses to go on, in the middle of a command: what to do. Dagster's connections are SQLAlchemy's,
    which adds the statement and its values to the driver's words."""
    import psycopg
    from sqlalchemy.exc import DBAPIError, OperationalError

    if type(error).__module__.startswith("dagster_postgres") and error.__cause__ is not None:
        error = error.__cause__  # it gave up to connect, after some tries
    # A server that dies while it answers is a plain DatabaseError of psycopg2's; SQLAlchemy knows that the connection is gone.
    is_gone = isinstance(error, DBAPIError) and error.connection_invalidated
    if not is_gone and not isinstance(error, (psycopg.OperationalError, OperationalError)):
        return None
    cause = error.orig if isinstance(error, DBAPIError) else error
    reason = str(cause).splitlines()[0] if str(cause) else type(cause).__name__
    return (
        f"the database gave up in the middle of the command: {reason}. What was not committed is lost. Once the server "
        "is back (`modelmeter doctor`), run the command again."
    )
