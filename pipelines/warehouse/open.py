"""Opening the warehouse: the one way in for every command, whether Postgres is embedded or somebody else's.

Addresses and session settings are in `database.py`, the embedded server is in `server.py`, and `migrate.py` brings
the tables up to date.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from pipelines.private_files import keep_private
from pipelines.settings import Settings
from pipelines.warehouse import server
from pipelines.warehouse.database import Database, embedded_database, external_database
from pipelines.warehouse.migrate import migrate as bring_up_to_date


@contextlib.contextmanager
def open_database(settings: Settings, *, migrate: bool = True) -> Iterator[Database]:
    """The warehouse that `settings` name, reachable and migrated, for as long as the block runs.

    Embedded: the server of `settings.home`, started if need be, stopped by the last command that uses it.
    External: `settings.database_url`, Postgres 15 or later. Raises WarehouseError, which names the remedy.
    """
    keep_private(settings.home)
    with contextlib.ExitStack() as stack:
        if settings.database_url is None:
            database = embedded_database(stack.enter_context(server.lease(settings.home)))
        else:
            database = external_database(settings.database_url.get_secret_value())
        database = replace(database, dagster_database=settings.dagster_database)
        if migrate:
            bring_up_to_date(database)
        yield database
