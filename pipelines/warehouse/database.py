"""Connections to the warehouse, whether Postgres is embedded or somebody else's.

This module holds addresses, credentials and session settings. `server.py` runs the embedded server, `migrate.py` makes
the tables, `bulk_copy.py` and `replace.py` fill them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from pipelines.warehouse import privileges, server
from pipelines.warehouse.errors import WarehouseError

if TYPE_CHECKING:
    import sqlalchemy

DAGSTER_SCHEMA = "dagster"
MINIMUM_MAJOR = 15

_CONNECT_TIMEOUT_SECONDS = 10
KEEPALIVES = {"keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3"}
SIGNS_OF_LIFE = {"connect_timeout": str(_CONNECT_TIMEOUT_SECONDS), **KEEPALIVES, "tcp_user_timeout": "60000"}
"""Connections over TCP whose other end went silent are given up after a minute, on both ends. Left alone, a network that is half
open is waited for two hours by a run, and by the server, where the lost run's locks keep the next one waiting."""
_SIGNS_OF_LIFE_OF_SERVER = {
    **{f"tcp_{name}": value for name, value in KEEPALIVES.items()},
    "tcp_user_timeout": SIGNS_OF_LIFE["tcp_user_timeout"],
}
_OWNER_SESSION = {"lock_timeout": "30s", "idle_in_transaction_session_timeout": "1h"}
_READER_SESSION = {
    "lock_timeout": "30s",
    "statement_timeout": "10min",
    "idle_in_transaction_session_timeout": "10min",
    "default_transaction_read_only": "on",
}


@dataclass(frozen=True)
class Address:
    """Where a server is and as whom to enter it. The password shows in no repr."""

    host: str
    port: int
    user: str
    dbname: str
    password: str | None = field(default=None, repr=False)
    options: Mapping[str, str] = field(default_factory=dict)
    role: str | None = None

    def url(self, driver: str = "postgresql+psycopg") -> sqlalchemy.URL:
        """As SQLAlchemy writes it; `str()` and `repr()` mask the password."""
        from sqlalchemy import URL

        query = dict(self.options)
        if self.is_local:  # a folder of sockets has no place in the authority part
            query |= {"host": self.host, "port": str(self.port)}
            return URL.create(driver, self.user, self.password, database=self.dbname, query=query)
        return URL.create(driver, self.user, self.password, self.host, self.port, self.dbname, query)

    @property
    def is_local(self) -> bool:
        """Whether the host is a folder of sockets."""
        return self.host.startswith("/")

    def libpq_options(self) -> dict[str, str]:
        """The options of the address, and when to give up a silent network unless the address says so itself."""
        return {**({} if self.is_local else SIGNS_OF_LIFE), **self.options}

    def startup_options(self) -> str:
        """What libpq sends as `options`, for connections of others (Dagster's, dbt's), whose sessions we don't set up."""
        settings = {} if self.is_local else _SIGNS_OF_LIFE_OF_SERVER
        return " ".join(
            [self.options.get("options", ""), *(f"-c{name}={value}" for name, value in settings.items())]
        ).strip()

    def for_others(self, *settings: str) -> Address:
        """The address for connections that others make from a URL: they give up a silent network too, and start with `settings`."""
        started = " ".join(filter(None, [self.startup_options(), *settings]))
        return replace(self, options={**self.libpq_options(), **({"options": started} if started else {})})

    def connect(self, session: Mapping[str, str], *, autocommit: bool = False) -> psycopg.Connection[Any]:
        """A connection in UTC with the given session settings. Raises WarehouseError that names the server."""
        arguments: dict[str, Any] = {
            "connect_timeout": _CONNECT_TIMEOUT_SECONDS,
            **self.libpq_options(),
            "host": self.host,
            "port": self.port,
            "user": self.user,
            "dbname": self.dbname,
            "application_name": "modelmeter",
        }
        if self.password is not None:
            arguments["password"] = self.password
        try:
            connection = psycopg.connect(autocommit=True, **arguments)
        except psycopg.OperationalError as error:
            raise WarehouseError(self._explain(error)) from None
        try:
            settings = {"TimeZone": "UTC", **session, **({} if self.is_local else _SIGNS_OF_LIFE_OF_SERVER)}
            items = sql.SQL(", ").join(
                sql.SQL("set_config({}, {}, false)").format(name, value) for name, value in settings.items()
            )
            connection.execute(sql.SQL("select {}").format(items))
            if self.role:
                connection.execute(sql.SQL("set role {}").format(sql.Identifier(self.role)))
            connection.autocommit = autocommit
        except BaseException:
            connection.close()
            raise
        return connection

    def _explain(self, error: psycopg.OperationalError) -> str:
        where = f"database {self.dbname!r} on {self.host} port {self.port} as user {self.user!r}"
        reason = str(error).strip()
        if self.password:
            reason = reason.replace(self.password, "***")
        return (
            f"can't connect to {where}: {reason}\n"
            "Check MODELMETER_DATABASE_URL (postgresql://user:password@host:port/database), that the server runs and "
            "that it accepts this user; unset the variable to use the embedded Postgres."
        )


@dataclass(frozen=True)
class Database:
    """The warehouse, open. `owner` writes, `reader` may only read; both lead to the same database."""

    owner: Address
    reader: Address
    is_embedded: bool
    dagster_database: str = "modelmeter_dagster"

    def connect(self, *, read_only: bool = False) -> psycopg.Connection[Any]:
        """A new connection in UTC; as a context manager it commits, or rolls back on error, and closes.

        With `read_only` it belongs to the reader's role, in read-only transactions.
        """
        return self.reader.connect(_READER_SESSION) if read_only else self.owner.connect(_OWNER_SESSION)

    def engine(self) -> sqlalchemy.Engine:
        """A SQLAlchemy engine over psycopg 3 that opens a connection of the owner per use and keeps none."""
        from sqlalchemy import create_engine
        from sqlalchemy.pool import NullPool

        return create_engine(self.url, creator=self.connect, poolclass=NullPool)

    @property
    def url(self) -> sqlalchemy.URL:
        """The owner's URL; `str()` and `repr()` mask the password, `render_as_string(hide_password=False)` shows it."""
        return self.owner.for_others().url()

    @property
    def dagster_url(self) -> str:
        """URL for dagster-postgres of `dagster_database` in the same server, made on first use.

        Where that is the warehouse's own database, Dagster's tables lie in its schema `dagster`. Holds the password in
        the clear. Raises WarehouseError where database or schema is missing and may not be made, or belongs to somebody else.
        """
        # An event of a run need not wait for the disk, 500 times in a run: what a crash of the machine takes is its last second.
        settings = ["-csynchronous_commit=off"]
        if self.dagster_database == self.owner.dbname:
            self._create_dagster_schema()
            settings.append(f"-csearch_path={DAGSTER_SCHEMA}")
        else:
            self.create_database(self.dagster_database)
            self._check_history_is_ours()
        address = replace(self.owner.for_others(*settings), dbname=self.dagster_database)
        return address.url("postgresql+psycopg2").render_as_string(hide_password=False)

    def _check_history_is_ours(self) -> None:
        with self.named(self.dagster_database).owner.connect(_OWNER_SESSION) as connection:
            found = connection.execute(
                "select pg_get_userbyid(relowner) from pg_class "
                "where oid = to_regclass('runs') and not has_table_privilege(oid, 'insert')"
            ).fetchone()
        if found is not None:
            raise WarehouseError(
                f"the run history in database {self.dagster_database!r} belongs to user {found[0]!r}, and user {self.owner.user!r} "
                "may not write it. Name another database in MODELMETER_DAGSTER_DATABASE: the warehouse's own will do."
            )

    def _create_dagster_schema(self) -> None:
        with self.owner.connect(_OWNER_SESSION, autocommit=True) as connection:
            try:
                connection.execute(create_schema(DAGSTER_SCHEMA).encode())
            except psycopg.errors.InsufficientPrivilege:
                raise WarehouseError(
                    f"the schema {DAGSTER_SCHEMA!r} is missing in database {self.owner.dbname!r} and user {self.owner.user!r} "
                    f"may not make it. Have it made: create schema {DAGSTER_SCHEMA} authorization {self.owner.user};"
                ) from None

    def dbt_env(self) -> dict[str, str]:
        """Environment variables for the dbt profile; the host may be a folder of sockets, the password empty."""
        return {
            "MODELMETER_PG_HOST": self.owner.host,
            "MODELMETER_PG_PORT": str(self.owner.port),
            "MODELMETER_PG_USER": self.owner.user,
            "MODELMETER_PG_PASSWORD": self.owner.password or "",
            "MODELMETER_PG_DATABASE": self.owner.dbname,
            "PGOPTIONS": self.owner.startup_options(),
        }

    def named(self, dbname: str) -> Database:
        """The same server and users, another database."""
        return replace(self, owner=replace(self.owner, dbname=dbname), reader=replace(self.reader, dbname=dbname))

    def create_database(self, name: str, *, template: str | None = None) -> None:
        """Make database `name` in the same server, for the owner and the reader alone, unless it exists."""
        with self.owner.connect(_OWNER_SESSION, autocommit=True) as connection:
            if connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
                return
            database = sql.Identifier(name)
            source = sql.SQL(" template {}").format(sql.Identifier(template)) if template else sql.SQL("")
            try:
                connection.execute(sql.SQL("create database {}").format(database) + source)
            except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):  # another command was faster
                return
            except psycopg.errors.InsufficientPrivilege:
                raise WarehouseError(
                    f"the database {name!r} is missing on {self.owner.host} and user {self.owner.user!r} may not make "
                    f"it. Have it made: create database {name} owner {self.owner.user}; or name one that is there in "
                    "MODELMETER_DAGSTER_DATABASE: the warehouse's own will do."
                ) from None
            if self.is_embedded:
                reader = sql.Identifier(privileges.READER_ROLE)
                connection.execute(sql.SQL("revoke all on database {} from public").format(database))
                connection.execute(sql.SQL("grant connect on database {} to {}").format(database, reader))


def embedded_database(running: server.Running) -> Database:
    """The warehouse inside a running embedded server, reached over its private socket."""
    owner = Address(str(running.sockets), running.port, privileges.OWNER_ROLE, privileges.DATABASE)
    return Database(owner, replace(owner, user=privileges.READER_ROLE), is_embedded=True)


def tcp_database(home: Path, running: server.Running) -> Database:
    """The same warehouse over the loopback TCP port of a server that has one, with the generated passwords."""
    database, known = embedded_database(running), server.passwords(home)
    owner, reader = (
        replace(address, host="127.0.0.1", password=known[address.user])
        for address in (database.owner, database.reader)
    )
    return Database(owner, reader, is_embedded=True)


def set_passwords(home: Path, running: server.Running) -> None:
    """Give both roles their generated passwords; they travel as SCRAM verifiers, so that no log can hold them."""
    database, known = embedded_database(running), server.passwords(home)
    for address in (database.owner, database.reader):
        with address.connect({"default_transaction_read_only": "off"}) as connection:
            connection.pgconn.change_password(address.user.encode(), known[address.user].encode())


def external_database(url: str) -> Database:
    """The warehouse in a server of somebody else's, after a look at its version and roles."""
    owner = parse_url(url)
    with owner.connect({}) as connection:
        major = connection.info.server_version // 10000
        if major < MINIMUM_MAJOR:
            raise WarehouseError(
                f"MODELMETER_DATABASE_URL names Postgres {major} on {owner.host}; modelmeter needs {MINIMUM_MAJOR} or "
                "later. Upgrade that server, or unset the variable to use the embedded Postgres."
            )
        switch = connection.execute(
            "select 1 from pg_roles where rolname = %s and pg_has_role(oid, 'member')", [privileges.READER_ROLE]
        ).fetchone()
    reader = owner if switch is None else replace(owner, role=privileges.READER_ROLE)
    return Database(owner, reader, is_embedded=False)


def create_schema(name: str) -> str:
    """Make the schema unless it is there. `if not exists` asks for the right to make one even where nothing is to be made."""
    return f"do $$ begin if to_regnamespace('{name}') is null then create schema {name}; end if; end $$;"


def parse_url(url: str) -> Address:
    """Read a Postgres URL or key=value string; SQLAlchemy's `postgresql+driver://` is understood."""
    scheme, separator, rest = url.partition("://")
    plain = f"{scheme.split('+')[0]}{separator}{rest}"
    try:
        found = {name: str(value) for name, value in conninfo_to_dict(plain).items() if value is not None}
        port = int(found.pop("port", "5432"))
    except (psycopg.ProgrammingError, ValueError):
        raise WarehouseError(
            "MODELMETER_DATABASE_URL can't be read as a Postgres address; accepted is "
            "postgresql://user:password@host:port/database. Special letters in the password are written as %XX."
        ) from None
    missing = [name for name in ("host", "user", "dbname") if not found.get(name)]
    if missing:
        raise WarehouseError(
            f"MODELMETER_DATABASE_URL names no {' and no '.join(missing)}; accepted is "
            "postgresql://user:password@host:port/database."
        )
    return Address(
        host=found.pop("host"),
        port=port,
        user=found.pop("user"),
        dbname=found.pop("dbname"),
        password=found.pop("password", None),
        options={name: value for name, value in found.items() if name != "application_name"},
    )
