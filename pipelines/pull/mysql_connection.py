"""A connection to MySQL with the limits that libpq has for Postgres. The driver's own limits end once its socket is connected."""

from __future__ import annotations

import socket
from typing import Any

import pymysql
from pymysql.connections import Connection
from pymysql.constants import CR

from pipelines.pull.silence import watched
from pipelines.warehouse.database import KEEPALIVES, SIGNS_OF_LIFE

LOGIN_S = 10.0
"""How long logging in may take, as for the warehouse."""
_TCP = {
    "TCP_NODELAY": 1,
    "TCP_KEEPIDLE": int(KEEPALIVES["keepalives_idle"]),
    "TCP_KEEPINTVL": int(KEEPALIVES["keepalives_interval"]),
    "TCP_KEEPCNT": int(KEEPALIVES["keepalives_count"]),
    "TCP_USER_TIMEOUT": int(SIGNS_OF_LIFE["tcp_user_timeout"]),
}


class _Connection(Connection):  # type: ignore[misc]
    """If the server is lost while a result is being read, the result is given up too. The driver would go on
    reading, and print an error when the object is collected."""

    def _force_close(self) -> None:
        super()._force_close()
        if self._result is not None:
            self._result.unbuffered_active = False


def enter(_dialect: object, _record: object, arguments: list[Any], named: dict[str, Any]) -> _Connection:
    """Connect, as SQLAlchemy's event `do_connect` asks for it."""
    connection = _Connection(*arguments, **named, defer_connect=True)
    try:
        entered = _connected(named.get("unix_socket"), connection.host, connection.port)
    except OSError as error:
        raise pymysql.err.OperationalError(CR.CR_CONN_HOST_ERROR, type(error).__name__) from None
    try:
        with watched(entered.fileno(), LOGIN_S):
            connection.connect(entered)
    except BaseException:
        entered.close()
        raise
    return connection


def descriptor_of(connection: _Connection) -> int:
    """The socket of a connection, even if the driver has wrapped it in TLS."""
    found: int = connection._sock.fileno()
    return found


def _connected(place: str | None, host: str, port: int) -> socket.socket:
    if place is not None:
        local = socket.socket(socket.AF_UNIX)
        local.connect(place)
        return local
    connected = socket.create_connection((host, port), LOGIN_S)
    connected.settimeout(None)
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _TCP.items():
        if hasattr(socket, option):
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    return connected
