"""`modelmeter db dump|restore|move|rebuild|checksum|export-acts|import-acts`: the warehouse out of one place and into another.

What is dumped and how is `pipelines.warehouse.backup`, what only people did `pipelines.warehouse.acts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assets.cli.terminal import json_text, say, terminal

if TYPE_CHECKING:
    from pipelines.daily import Window
    from pipelines.settings import Settings
    from pipelines.workspace import Workspace

DumpFile = Annotated[Path, typer.Argument(dir_okay=False, help="The file.")]
Replace = Annotated[bool, typer.Option("--replace", help="Put it in the place of the tables that are there.")]
_DAYS_AT_ONCE = 31


def register(group: typer.Typer) -> None:
    """Add the commands to the group `db`."""
    for command in (dump, restore, move, rebuild, checksum, export_acts, import_acts):
        group.command(command.__name__.replace("_", "-"))(command)


def dump(file: DumpFile) -> None:
    """Write the warehouse to one file, for `modelmeter db restore`. Runs may go on meanwhile."""
    from pipelines.settings import Settings
    from pipelines.warehouse import backup
    from pipelines.warehouse.open import open_database

    with open_database(Settings()) as database:
        backup.dump(database, file)
    say(f"{file}: {file.stat().st_size / 2**20:,.1f} MB. The landing zone and your configuration are not in it.")


def restore(file: DumpFile, replace: Replace = False) -> None:
    """Make the warehouse of a dump, all or nothing, and bring it up to date."""
    from pipelines.settings import Settings
    from pipelines.warehouse import backup
    from pipelines.warehouse.migrate import newest
    from pipelines.warehouse.open import open_database

    with open_database(Settings(), migrate=False) as database:
        backup.restore(database, file, replace=replace)
    say(f"restored from {file}, now at revision {newest().revision}")


def move(
    url: Annotated[str, typer.Argument(help="The other database: postgresql://user:password@host:port/database.")],
) -> None:
    """Copy the warehouse to another, empty database: from the embedded Postgres to a server of your own."""
    from pipelines.settings import Settings
    from pipelines.warehouse import backup
    from pipelines.warehouse.database import external_database
    from pipelines.warehouse.open import open_database

    with open_database(Settings()) as source:
        target = external_database(url)
        backup.move(source, target)
    say(f"copied to database {target.owner.dbname!r} on {target.owner.host}. Set MODELMETER_DATABASE_URL to use it.")


def checksum(as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False) -> None:
    """Rows and checksum of every table: two databases that print the same hold the same."""
    from pipelines.settings import Settings
    from pipelines.warehouse.checksums import checksums
    from pipelines.warehouse.open import open_database

    with open_database(Settings()) as database, database.connect(read_only=True) as connection:
        found = {name: sums for name, sums in checksums(connection).items() if sums}
    if as_json:
        say(json_text({name: sums._asdict() for name, sums in found.items()}))
        return
    for name, sums in found.items():
        say(f"{name:<32} {sums.rows:>12,}  {sums.digest}")


def export_acts(file: DumpFile) -> None:
    """Write what people did and no landed file holds: closed months, restatements, forgotten users, sent alerts."""
    from pipelines.settings import Settings
    from pipelines.warehouse import acts
    from pipelines.warehouse.open import open_database

    with open_database(Settings()) as database, database.connect(read_only=True) as connection:
        say(f"{file}: {_counted(acts.export_acts(connection, file))}")


def import_acts(file: DumpFile) -> None:
    """Add the acts of a file that are not there yet."""
    from pipelines.settings import Settings
    from pipelines.warehouse import acts
    from pipelines.warehouse.open import open_database

    with open_database(Settings()) as database, database.connect() as connection:
        say(f"added {_counted(acts.import_acts(connection, file))}")


def rebuild(yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False) -> None:
    """Drop every table and make all of them again from the landing zone; what people did is kept."""
    from assets.cli.runs import run_window
    from pipelines.settings import Settings
    from pipelines.workspace import open_workspace

    settings = Settings()
    if not yes:
        typer.confirm(f"Drop every table and make them again from {settings.landing_zone}?", abort=True)
    console = terminal(stderr=True)
    _start_over(settings)
    failed = []
    with open_workspace(settings) as workspace:
        windows = _windows(workspace)
        for number, window in enumerate(windows, 1):
            console.print(f"{number} of {len(windows)}: {window}", style="bold")
            if not run_window(workspace, window, console).succeeded:
                failed.append(str(window))
    if failed:
        say(f"the runs for {', '.join(failed)} failed; repeat them with `modelmeter daily --from --to`", err=True)
    else:
        say(f"rebuilt from {settings.landing_zone}")
    raise typer.Exit(1 if failed else 0)


def _start_over(settings: Settings) -> None:
    """Empty tables of this version, with the acts of before. The acts also stay in a file of the home."""
    from pipelines.warehouse import acts
    from pipelines.warehouse.migrate import make_anew
    from pipelines.warehouse.open import open_database

    file = settings.home / f"acts-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    with open_database(settings) as database:
        with database.connect(read_only=True) as connection:
            say(f"{file}: {_counted(acts.export_acts(connection, file))}", err=True)
        make_anew(database, lambda connection: acts.import_acts(connection, file))


def _windows(workspace: Workspace) -> list[Window]:
    """Every day that a log of the landing zone holds, a month at a time."""
    from datetime import timedelta

    from pipelines.daily import Window, ingest_requests
    from pipelines.daily.days import FIRST_DAY
    from pipelines.daily.ingest import event_dates

    ingest_requests(workspace, None, lambda done, of, path: say(f"reading {done + 1} of {of}: {path}", err=True))
    days = {day for found in event_dates(workspace).values() for day in found if day >= FIRST_DAY}
    windows = []
    for stretch in Window.joined(days):
        first = stretch.from_date
        while first < stretch.to_date:
            end = min(first + timedelta(days=_DAYS_AT_ONCE), stretch.to_date)
            windows.append(Window(first, end))
            first = end
    return windows


def _counted(rows: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} of {name}" for name, count in rows.items()) or "nothing"
