"""`modelmeter db dump|restore|move|checksum|export-acts|import-acts`: the warehouse out of one place and into another.

`rebuild.py` makes it anew. What is dumped and how is `pipelines.warehouse.backup`, what only people did `pipelines.warehouse.acts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from assets.cli.terminal import json_text, say

DumpFile = Annotated[Path, typer.Argument(dir_okay=False, help="The file.")]
Replace = Annotated[bool, typer.Option("--replace", help="Replace the tables that are there.")]


def register(group: typer.Typer) -> None:
    """Add the commands to the group `db`."""
    for command in (dump, restore, move, checksum, export_acts, import_acts):
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
    """Print the rows and checksum of every table. Two databases with the same output hold the same rows."""
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
        say(f"{file}: {counted(acts.export_acts(connection, file))}")


def import_acts(file: DumpFile) -> None:
    """Add the acts of a file that are not there yet."""
    from pipelines.settings import Settings
    from pipelines.warehouse import acts
    from pipelines.warehouse.open import open_database

    with open_database(Settings()) as database, database.connect() as connection:
        say(f"added {counted(acts.import_acts(connection, file))}")


def counted(rows: Mapping[str, int]) -> str:
    """How many rows of each table, in words."""
    return ", ".join(f"{count:,} of {name}" for name, count in rows.items()) or "nothing"
