"""A MariaDB of its own on loopback, where Debian's `mariadb-server-core` is installed."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql
import pytest

_SCRIPTS = Path("/usr/share/mysql")
_TABLES = ("mysql_system_tables.sql", "mysql_performance_tables.sql", "mysql_system_tables_data.sql")
PASSWORD = "hidden-password"


@contextmanager
def mariadb(folder: Path) -> Iterator[str]:
    """The address of a database `logs` of a fresh server, for a user who may do everything in it; skips where there is no server."""
    program = shutil.which("mariadbd", path="/usr/sbin:/usr/libexec:/usr/bin")
    if program is None or not all((_SCRIPTS / name).is_file() for name in _TABLES):
        pytest.skip("no MariaDB server here: apt-get install mariadb-server-core")
    (folder / "data" / "mysql").mkdir(parents=True)
    command = [program, "--no-defaults", f"--datadir={folder / 'data'}", "--user=root", "--innodb-log-file-size=4M"]
    tables = "".join((_SCRIPTS / name).read_text() for name in _TABLES)
    subprocess.run([*command, "--bootstrap"], input=f"use mysql;\n{tables}", text=True, check=True, capture_output=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    place = folder / "s"
    with (folder / "log").open("wb") as log:
        options = [f"--port={port}", "--bind-address=127.0.0.1", f"--socket={place}", "--innodb-buffer-pool-size=16M"]
        server = subprocess.Popen([*command, *options], stdout=log, stderr=log)
    try:
        _prepare(place, server)
        yield f"mysql://reader:{PASSWORD}@127.0.0.1:{port}/logs"
    finally:
        server.terminate()
        server.wait(20)


def _prepare(place: Path, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 30
    while not place.exists() and server.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    connection = pymysql.connect(unix_socket=str(place), user="root")
    with connection, connection.cursor() as cursor:
        cursor.execute("create database logs")
        cursor.execute(f"create user reader@'127.0.0.1' identified by '{PASSWORD}'")
        cursor.execute("grant all on logs.* to reader@'127.0.0.1'")
