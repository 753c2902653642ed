"""Dump, restore and move the warehouse with Postgres's own programs: its schemas, whole, in one file or from server to server.

Dagster's run history is not part of it. A dump of an earlier version is migrated after it is restored.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from pathlib import Path
from typing import IO, cast

from psycopg.conninfo import make_conninfo

from pipelines.warehouse.cluster import SERVER_ENVIRONMENT, installed_programs
from pipelines.warehouse.database import Address, Database
from pipelines.warehouse.errors import WarehouseError
from pipelines.warehouse.migrate import ALL_SCHEMAS, DROP, apply_repeatable, migrate, revisions
from pipelines.warehouse.names import is_made

_NEWER_SETTINGS = (b"SET transaction_timeout",)
"""Lines of pg_dump 18 that servers before 17 refuse; they only take back a setting of the session."""


def dump(database: Database, path: Path) -> None:
    """Write the warehouse to `path` in Postgres's custom format; other commands may go on. Raises WarehouseError.

    The file appears when it is complete, and is its owner's alone: it holds what the log says.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")  # two dumps to one file each write their own
    try:
        _run([*_pg_dump(database.owner), "--format=custom", "--file", str(draft)], database.owner, "the dump failed")
        draft.chmod(0o600)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def restore(database: Database, path: Path, *, replace: bool = False) -> None:
    """Make the tables of a dump, all or nothing, bring them up to date, and give comments, functions and grants.

    Raises WarehouseError where the database holds tables of modelmeter already, unless `replace` is set, and for a dump of
    a newer version.
    """
    _refuse_newer(path)
    if not replace:
        _refuse_filled(database)
    command = [_program("pg_restore"), "--no-owner", "--no-acl", "--file=-", str(path)]
    load(database, command, SERVER_ENVIRONMENT)


def move(source: Database, target: Database) -> None:
    """Copy the warehouse to another, empty database, as `restore` does. Raises WarehouseError."""
    _refuse_filled(target)
    load(target, _pg_dump(source.owner), _environment(source.owner))


def _pg_dump(address: Address) -> list[str]:
    schemas = [f"--schema={name}" for name in ALL_SCHEMAS]
    return [_program("pg_dump"), "--no-owner", "--no-acl", *schemas, "--dbname", _conninfo(address)]


def load(database: Database, command: list[str], environment: dict[str, str]) -> None:
    """Run the script that `command` writes in one transaction, in place of what is there; it counts only once it is whole."""
    psql = [_program("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-", "--dbname", _conninfo(database.owner)]
    with tempfile.TemporaryFile() as complaints:
        reading = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=complaints, env=environment)
        writing = subprocess.Popen(
            psql, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=complaints, env=_environment(database.owner)
        )
        try:
            with contextlib.suppress(BrokenPipeError):  # it says why
                _pass_on(cast("IO[bytes]", reading.stdout), cast("IO[bytes]", writing.stdin), reading)
            statuses = writing.wait(), reading.wait()
        finally:
            for process in (reading, writing):
                process.kill()
                process.wait()
        if statuses != (0, 0):
            complaints.seek(0)
            raise WarehouseError(f"nothing was restored: {_first_line(complaints.read())}")
    migrate(database)
    with database.connect() as connection:
        apply_repeatable(connection)


def _pass_on(script: IO[bytes], psql: IO[bytes], source: subprocess.Popen[bytes]) -> None:
    with script, psql:
        psql.write(b"begin;\n" + DROP.encode())
        for line in script:
            if not line.startswith(_NEWER_SETTINGS):
                psql.write(line)
        if source.wait() == 0:
            psql.write(b"commit;\n")


def _refuse_newer(path: Path) -> None:
    command = [_program("pg_restore"), "--data-only", "--schema=core", "--table=alembic_version", "--file=-", str(path)]
    done = subprocess.run(command, capture_output=True, env=SERVER_ENVIRONMENT, check=False)
    if done.returncode != 0:
        raise WarehouseError(f"{path} can't be restored: {_first_line(done.stderr)}")
    lines = done.stdout.decode().splitlines()
    copied = [number for number, line in enumerate(lines) if line.startswith("COPY core.alembic_version")]
    if not copied:
        raise WarehouseError(f"{path} is a dump, but not of a warehouse of modelmeter")
    revision, newest = lines[copied[0] + 1], revisions()[-1]
    if revision > newest:
        raise WarehouseError(
            f"{path} was dumped at revision {revision} and this version of modelmeter knows only up to {newest}: upgrade it."
        )


def _refuse_filled(database: Database) -> None:
    with database.connect() as connection:
        filled = "select exists (select from raw.snapshot) or exists (select from core.request)"
        if is_made(connection, "raw.snapshot") and connection.execute(filled).fetchone() == (True,):
            raise WarehouseError(
                f"the database {database.owner.dbname!r} holds a warehouse already; --replace puts another in its place"
            )


def _run(command: list[str], address: Address, failure: str) -> None:
    done = subprocess.run(command, capture_output=True, env=_environment(address), check=False)
    if done.returncode != 0:
        raise WarehouseError(f"{failure}: {_first_line(done.stderr)}")


def _conninfo(address: Address) -> str:
    """Without the password, which other users of the machine could see."""
    return make_conninfo(
        host=address.host, port=address.port, user=address.user, dbname=address.dbname, **address.libpq_options()
    )


def _environment(address: Address) -> dict[str, str]:
    return SERVER_ENVIRONMENT | ({} if address.password is None else {"PGPASSWORD": address.password})


def _program(name: str) -> str:
    return str(installed_programs() / name)


def _first_line(text: bytes) -> str:
    lines = [line for line in text.decode(errors="replace").splitlines() if "NOTICE" not in line]
    return lines[0] if lines else "the program gave no reason"
