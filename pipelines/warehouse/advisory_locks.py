"""Advisory locks of Postgres: work that only one command at a time may do, and signs that a run is alive.

A lock ends with its connection, however the process ends and on whatever machine it ran, so a killed command leaves nothing
behind. `assets/abandoned.py` decides what happens to a run that is gone. On the embedded server the reader may not take
any (`privileges.py`); elsewhere it may, so whoever waits names who is in the way, and does not wait for ever.
"""

from __future__ import annotations

import logging
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg

from pipelines.warehouse.database import Database
from pipelines.warehouse.errors import WarehouseError

PATIENCE_SECONDS = 1800.0
_SAID_AFTER_SECONDS = 5.0
_SAID_EVERY_SECONDS = 60.0
_LONGEST_PAUSE_SECONDS = 0.5
_NAMESPACE = 0x6D6D_0002
_NAMESPACE_OF_WORK = 0x6D6D_0003
_LOG = logging.getLogger("modelmeter")

_HOLDERS = """
    select distinct format('process %%s of user %%s (%%s%%s)', activity.pid, activity.usename,
        coalesce(nullif(activity.application_name, ''), 'no name'), coalesce(', from ' || activity.client_addr::text, ''))
    from pg_locks as held join pg_stat_activity as activity using (pid)
    where held.locktype = 'advisory' and held.granted and held.pid <> pg_backend_pid()
        and held.database = (select oid from pg_database where datname = current_database())
        and held.objsubid = %(kind)s and held.classid::bigint = %(first)s and held.objid::bigint = %(second)s
    order by 1
"""


def take(
    connection: psycopg.Connection[Any],
    key: Sequence[int],
    work: str,
    *,
    is_shared: bool = False,
    patience_s: float = PATIENCE_SECONDS,
) -> None:
    """Hold the lock `key` (one number of 64 bits, or two of 32) until the transaction ends; wait for those who have it.

    `work` says what is waited for. After five seconds, and every minute, the log names who holds it. Raises WarehouseError after
    `patience_s` seconds.
    """
    function = f"pg_try_advisory_xact_lock{'_shared' if is_shared else ''}"
    statement = f"select {function}({', '.join(['%s'] * len(key))})"
    started, pause, say_at = time.monotonic(), 0.01, _SAID_AFTER_SECONDS
    while not (connection.execute(statement.encode(), list(key)).fetchone() or (False,))[0]:
        waited = time.monotonic() - started
        if waited > patience_s:
            raise WarehouseError(
                f"{work}: waited {waited:.0f} s for {_holders(connection, key)}. End it, and run this again."
            )
        if waited > say_at:
            _LOG.warning("%s: waiting for %s, for %.0f s so far", work, _holders(connection, key), waited)
            say_at = waited + _SAID_EVERY_SECONDS
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def _holders(connection: psycopg.Connection[Any], key: Sequence[int]) -> str:
    """Who holds the lock, in words."""
    low = 0xFFFF_FFFF
    first, second = (key[0] >> 32 & low, key[0] & low) if len(key) == 1 else (key[0] & low, key[1] & low)
    kind = len(key)  # as pg_locks counts: 1 for one number, 2 for two
    rows = connection.execute(_HOLDERS, {"kind": kind, "first": first, "second": second}).fetchall()
    return "; ".join(row[0] for row in rows) or "another command"


@contextmanager
def exclusive(database: Database, work: str) -> Iterator[None]:
    """Wait until no other command does `work` on this database, and keep others waiting until the block ends."""
    with database.connect() as connection:
        take(connection, [_NAMESPACE_OF_WORK, zlib.crc32(work.encode()) - 2**31], work)
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
