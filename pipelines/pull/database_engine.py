"""Connections to a database that is pulled. Each is given up when the network or the server stays silent too long."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event

from pipelines.pull.silence import Silence, watched
from pipelines.warehouse.database import SIGNS_OF_LIFE


def engine_of(url: URL) -> Engine:
    """An engine for Postgres, MySQL or SQLite; it connects when it is asked."""
    if url.get_backend_name() == "postgresql":
        return create_engine(url, connect_args=dict(SIGNS_OF_LIFE))
    engine = create_engine(url)
    if url.get_backend_name() == "mysql":
        from pipelines.pull import mysql_connection

        event.listen(engine, "do_connect", mysql_connection.enter)
    return engine


def watch(connection: Connection, seconds: float) -> AbstractContextManager[Silence | None]:
    """A watch over the socket of a connection; None if it has none."""
    entered: Any = connection.connection.dbapi_connection
    match connection.dialect.name:
        case "postgresql":
            return watched(entered.fileno(), seconds)
        case "mysql":
            from pipelines.pull import mysql_connection

            return watched(mysql_connection.descriptor_of(entered), seconds)
        case _:
            return nullcontext()
