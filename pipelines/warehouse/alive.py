"""Signs of life: a run holds a lock of Postgres's as long as its process lives, so that others can tell when it is gone.

The lock ends with the connection, however the process ends, on whatever machine it ran. What is done about a run that
is gone is in `assets/abandoned.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pipelines.warehouse.database import Database

_NAMESPACE = 0x6D6D_0002


@contextmanager
def sign_of_life(database: Database, name: str) -> Iterator[None]:
    """Show that `name` is alive until the block ends."""
    with database.connect() as connection:
        connection.autocommit = True  # an open transaction would hold back Postgres's cleaning for the length of a run
        connection.execute("select pg_advisory_lock_shared(%s, hashtext(%s))", [_NAMESPACE, name])
        yield


def is_alive(database: Database, name: str) -> bool:
    """True while somebody shows that `name` is alive."""
    with database.connect() as connection:
        row = connection.execute(
            "select 1 from pg_locks where locktype = 'advisory' and granted and database = "
            "(select oid from pg_database where datname = current_database()) and classid = %s and objid::bigint = "
            "(hashtext(%s)::bigint & 4294967295) and objsubid = 2",
            [_NAMESPACE, name],
        ).fetchone()
    return row is not None
