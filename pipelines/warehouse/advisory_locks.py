"""Advisory locks of Postgres: work that only one command at a time may do, and signs that a run is alive.

A lock ends with its connection, however the process ends and on whatever machine it ran, so a killed command leaves nothing
behind. `assets/abandoned.py` decides what happens to a run that is gone. Replacing rows takes locks of its own
(`replace.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pipelines.warehouse.database import Database

_NAMESPACE = 0x6D6D_0002


@contextmanager
def exclusive(database: Database, work: str) -> Iterator[None]:
    """Wait until no other command does `work` on this database, and keep others waiting until the block ends."""
    with database.connect() as connection:
        connection.execute("set lock_timeout = 0")
        connection.execute("select pg_advisory_xact_lock(hashtext(%s))", [f"modelmeter: {work}"])
        yield


@contextmanager
def sign_of_life(database: Database, name: str) -> Iterator[None]:
    """Show that `name` is alive until the block ends."""
    with database.connect() as connection:
        connection.autocommit = True  # an open transaction would hold back Postgres's cleaning for the length of a run
        connection.execute("select pg_advisory_lock_shared(%s, hashtext(%s))", [_NAMESPACE, name])
        yield


def is_alive(database: Database, name: str) -> bool:
    """True while a process shows that `name` is alive."""
    with database.connect() as connection:
        row = connection.execute(
            "select 1 from pg_locks where locktype = 'advisory' and granted and database = "
            "(select oid from pg_database where datname = current_database()) and classid = %s and objid::bigint = "
            "(hashtext(%s)::bigint & 4294967295) and objsubid = 2",
            [_NAMESPACE, name],
        ).fetchone()
    return row is not None
