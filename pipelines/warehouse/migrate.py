"""Bringing a database up to date: the migrations of `sql/migrations`, then comments, functions and grants.

A migration changes tables, once. Comments, functions and grants are not migrated: they are made again from their one
source (the descriptions in `tables/`, the files of `sql/functions` and `sql/roles`) whenever that source has changed.
Views are models of `dbt_like`, made again by every run: a migration that changes a column under a view drops the view.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from psycopg import sql

import pipelines
from pipelines.warehouse.advisory_locks import take
from pipelines.warehouse.database import Database
from pipelines.warehouse.ddl import SCHEMAS, comments_sql
from pipelines.warehouse.errors import WarehouseError

if TYPE_CHECKING:
    from sqlalchemy import Connection

SQL_FOLDER = Path(pipelines.__file__).parents[1] / "sql"

ALL_SCHEMAS = (*SCHEMAS, "staging")
"""Ours, and the one in which dbt makes its views."""
DROP = f"drop schema if exists {', '.join(ALL_SCHEMAS)} cascade;\n"
_LOCK_KEY = 0x6D6D_0001  # "mm": one migration at a time per database


class Version(NamedTuple):
    """How far a database is: its last migration, and the digest of the comments, functions and grants that it has."""

    revision: str
    repeatable: str | None


def newest() -> Version:
    """The version that this modelmeter brings."""
    return Version(revisions()[-1], sha256(repeatable_sql().encode()).hexdigest())


def revisions() -> list[str]:
    """Every revision that this modelmeter knows, oldest first; the names of the files begin with them."""
    return sorted(path.name.partition("_")[0] for path in (SQL_FOLDER / "migrations" / "versions").glob("[0-9]*.py"))


def current(database: Database) -> Version | None:
    """The version of a database; None if it was never migrated."""
    query = (
        "select version_num, obj_description('core.alembic_version'::regclass, 'pg_class') from core.alembic_version"
    )
    with database.connect() as connection:
        try:
            row = connection.execute(query).fetchone()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            return None
        except psycopg.errors.UndefinedColumn:
            raise WarehouseError(_foreign(database, "a table core.alembic_version without a revision")) from None
        except psycopg.errors.InsufficientPrivilege as error:
            raise WarehouseError(_not_owner(database, error)) from None
    return None if row is None else Version(*row)


def migrate(database: Database) -> bool:
    """Bring `database` to the newest version, all or nothing; False where it is there already.

    Two concurrent callers take turns. Raises WarehouseError for a database that a newer modelmeter has migrated, and for one
    from before the first release.
    """
    found = current(database)
    if found == newest():
        return False
    if found is not None:
        _refuse_unknown(database, found.revision)
    with _alone(database) as connection:
        _upgrade(connection)
    return True


def make_anew(database: Database, fill: Callable[[psycopg.Connection[Any]], object]) -> None:
    """Drop every table and make all of them again, with what `fill` puts into them: in one transaction, so that a kill changes nothing."""
    with _alone(database) as connection:
        _driver(connection).execute(DROP.encode())
        _upgrade(connection)
        fill(_driver(connection))


@contextmanager
def _alone(database: Database) -> Iterator[Connection]:
    """A transaction of the only one who migrates."""
    with _in_words(database), database.engine().begin() as connection:
        _driver(connection).execute("set local lock_timeout = 0")
        take(_driver(connection), [_LOCK_KEY], "migrate the database")
        yield connection


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config(str(SQL_FOLDER / "alembic.ini"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    apply_repeatable(_driver(connection))


def _driver(connection: Connection) -> psycopg.Connection[Any]:
    return connection.connection.driver_connection  # type: ignore[return-value]


@contextmanager
def _in_words(database: Database) -> Iterator[None]:
    """What a database that is not ours, or not for us, answers to a migration."""
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except (psycopg.Error, DBAPIError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(cause, psycopg.errors.InsufficientPrivilege):
            raise WarehouseError(_not_owner(database, cause)) from None
        taken = (psycopg.errors.DuplicateTable, psycopg.errors.DuplicateObject, psycopg.errors.DuplicateFunction)
        if isinstance(cause, taken):
            raise WarehouseError(
                _foreign(database, f"things of the same name ({cause.diag.message_primary})")
            ) from None
        raise


def _foreign(database: Database, found: str) -> str:
    return (
        f"the database {database.owner.dbname!r} holds {found} that modelmeter did not make. Nothing was changed. "
        "Name an empty database in MODELMETER_DATABASE_URL."
    )


def _not_owner(database: Database, error: psycopg.Error) -> str:
    return (
        f"user {database.owner.user!r} may not make or change modelmeter's tables in database {database.owner.dbname!r} "
        f"({error.diag.message_primary}). Name the user that owns them in MODELMETER_DATABASE_URL; the reader is for queries only."
    )


def repeatable_sql() -> str:
    """Comments, functions and grants. They can be applied any number of times."""
    files = [*sorted((SQL_FOLDER / "functions").glob("*.sql")), SQL_FOLDER / "roles" / "reader.sql"]
    return "\n".join([comments_sql(), *(file.read_text(encoding="utf-8") for file in files)])


def apply_repeatable(connection: psycopg.Connection[Any]) -> None:
    """Make comments, functions and grants again, and note their digest where `current` looks for it."""
    connection.execute(sql.SQL(repeatable_sql()))
    connection.execute(sql.SQL("comment on table core.alembic_version is {}").format(sql.Literal(newest().repeatable)))


def _refuse_unknown(database: Database, revision: str) -> None:
    known = revisions()
    if len(revision) != len(known[-1]) or not revision.isdecimal():
        raise WarehouseError(_foreign(database, f"a table core.alembic_version at revision {revision!r}"))
    if revision > known[-1]:
        raise WarehouseError(
            f"the database {database.owner.dbname!r} is at revision {revision}, this version of modelmeter knows only up to "
            f"{known[-1]}. Upgrade modelmeter, or name another database."
        )
    if revision < known[0]:
        raise WarehouseError(
            f"the database {database.owner.dbname!r} is from before the first release and can't be migrated: "
            f"{_removal(database)}, then rebuild it from the landing zone with `{_rebuild(database)}`."
        )


def _removal(database: Database) -> str:
    if database.is_embedded:
        return "delete it with `modelmeter db remove --yes`"
    return f"run `drop schema {', '.join(ALL_SCHEMAS)} cascade` in it"


def _rebuild(database: Database) -> str:
    """The command that loads every day that the database holds."""
    with database.connect() as connection:
        row = connection.execute("select min(event_date), max(event_date) from core.request").fetchone()
    first, last = row or (None, None)
    return "modelmeter daily" if first is None else f"modelmeter daily --from {first} --to {last}"
