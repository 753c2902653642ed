"""Bringing a database up to date: the migrations of `sql/migrations`, then the grants of `sql/roles`.

What the migrations make is described in `tables/` and translated by `ddl.py` beside this file. Loading rows is
in `bulk_copy.py` and `replace.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

import pipelines
from pipelines.warehouse.database import Database
from pipelines.warehouse.errors import WarehouseError

SQL_FOLDER = Path(pipelines.__file__).parents[1] / "sql"

_LOCK_KEY = 0x6D6D_0001  # "mm": one migration at a time per database


def head() -> str:
    """The newest revision that this version of modelmeter brings; file names begin with their revision."""
    return max(path.name.partition("_")[0] for path in (SQL_FOLDER / "migrations" / "versions").glob("[0-9]*.py"))


def current(database: Database) -> str | None:
    """The revision of a database; None where it was never migrated."""
    with database.connect() as connection:
        try:
            row = connection.execute("select version_num from core.alembic_version").fetchone()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            return None
    return None if row is None else str(row[0])


def migrate(database: Database) -> bool:
    """Bring `database` to the newest revision, all or nothing; False where it is there already.

    Two callers at once take turns. Raises WarehouseError for a database that a newer modelmeter has migrated.
    """
    found = current(database)
    if found == head():
        return False
    if found is not None and found > head():
        raise WarehouseError(
            f"the database {database.owner.dbname!r} is at revision {found}, this version of modelmeter knows only up to "
            f"{head()}. Upgrade modelmeter, or name another database."
        )
    from alembic import command
    from alembic.config import Config

    config = Config(str(SQL_FOLDER / "alembic.ini"))
    with database.engine().begin() as connection:
        driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
        driver.execute("set local lock_timeout = 0")
        driver.execute("select pg_advisory_xact_lock(%s)", [_LOCK_KEY])
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        grant_reader(driver)
    return True


def grant_reader(connection: psycopg.Connection[Any]) -> None:
    """Give the reader's role what it may read, and make the role where it is missing and we may."""
    connection.execute(sql.SQL((SQL_FOLDER / "roles" / "reader.sql").read_text(encoding="utf-8")))
