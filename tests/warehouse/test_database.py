"""Opening the warehouse: sessions, addresses, an external server, and errors that show no password."""

from __future__ import annotations

import socket

import psycopg
import pytest
import sqlalchemy
from pydantic import SecretStr

from pipelines.settings import Settings
from pipelines.warehouse import database as module
from pipelines.warehouse.database import Database, parse_url
from pipelines.warehouse.errors import WarehouseError
from pipelines.warehouse.migrate import apply_repeatable
from pipelines.warehouse.open import open_database


def test_sessions_are_in_utc_and_bounded(database: Database) -> None:
    with database.connect() as owner, database.connect(read_only=True) as reader:
        settings = (
            "select current_setting('timezone'), current_setting('application_name'), current_setting('lock_timeout')"
        )
        for connection in (owner, reader):
            assert connection.execute(settings).fetchone() == ("UTC", "modelmeter", "30s")
        limits = "select current_setting('statement_timeout'), current_setting('transaction_read_only')"
        assert owner.execute(limits).fetchone() == ("0", "off")
        assert reader.execute(limits).fetchone() == ("10min", "on")


def test_the_session_ignores_the_caller_s_libpq_variables(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("PGHOST", "nowhere"),
        ("PGPORT", "1"),
        ("PGUSER", "x"),
        ("PGDATABASE", "x"),
        ("PGTZ", "Asia/Tokyo"),
    ):
        monkeypatch.setenv(name, value)
    with database.connect() as connection:
        assert connection.execute("select current_setting('timezone')").fetchone() == ("UTC",)


def test_an_engine_uses_the_same_connections(database: Database) -> None:
    with database.engine().connect() as connection:
        row = connection.execute(sqlalchemy.text("select current_user, current_setting('timezone')")).one()
        assert row == ("modelmeter", "UTC")
        assert connection.dialect.driver == "psycopg"


def test_dbt_and_dagster_reach_it_by_their_own_drivers(database: Database) -> None:
    import psycopg2

    env = database.dbt_env()
    connection = psycopg2.connect(
        host=env["MODELMETER_PG_HOST"],
        port=env["MODELMETER_PG_PORT"],
        user=env["MODELMETER_PG_USER"],
        password=env["MODELMETER_PG_PASSWORD"],
        dbname=env["MODELMETER_PG_DATABASE"],
    )
    connection.close()
    for _ in range(2):
        engine = sqlalchemy.create_engine(database.dagster_url, poolclass=sqlalchemy.NullPool)
        with engine.connect() as dagster:
            row = dagster.execute(sqlalchemy.text("select current_database(), current_user")).one()
            assert row == ("modelmeter_dagster", "modelmeter")


def test_a_named_server_is_used_as_it_is(database: Database, database_settings: Settings) -> None:
    """The embedded server stands for an external one: all that is known of it is its address."""
    with open_database(database_settings) as external:
        assert not external.is_embedded
        with external.connect() as connection:
            assert connection.execute("select current_user, current_database()").fetchone() == (
                "modelmeter",
                database.owner.dbname,
            )
        with external.connect(read_only=True) as connection:
            assert connection.execute("select current_user, count(*) from core.model").fetchone() == (
                "modelmeter_reader",
                0,
            )
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                connection.execute("delete from core.model")
    assert not (database_settings.home / "postgres").exists()


def test_grants_can_be_given_again(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("revoke select on all tables in schema core from modelmeter_reader")
        apply_repeatable(connection)
        apply_repeatable(connection)
    with database.connect(read_only=True) as reader:
        assert reader.execute("select count(*) from core.request").fetchone() == (0,)


def test_a_server_that_is_too_old_is_reported(database_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MINIMUM_MAJOR", 99)
    with (
        pytest.raises(WarehouseError, match=r"names Postgres 18 on .*; modelmeter needs 99 or later"),
        open_database(database_settings),
    ):
        pass


def test_nobody_listening_is_reported_without_the_password() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        settings = Settings(database_url=SecretStr(f"postgresql://finance:s3cret@127.0.0.1:{port}/books"))
        with pytest.raises(
            WarehouseError, match=f"'books' on 127.0.0.1 port {port} as user 'finance'.*refused"
        ) as shown:
            open_database(settings).__enter__()
    assert "s3cret" not in str(shown.value)
    assert "MODELMETER_DATABASE_URL" in str(shown.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://user:s3cret@host", "names no dbname"),
        ("postgresql:///books", "names no host and no user"),
        ("mysql://user:s3cret@host/books", "can't be read as a Postgres address"),
        ("postgresql://user:s3cret@host:port:/books", "can't be read"),
        ("not an address s3cret", "can't be read"),
    ],
)
def test_an_address_that_can_not_be_read_is_shown_without_the_password(url: str, shown: str) -> None:
    with pytest.raises(WarehouseError, match=shown) as error:
        parse_url(url)
    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://finance:p%40ss%2Fw@db.example.com:6432/books?sslmode=require",
        "postgres://finance:p%40ss%2Fw@db.example.com:6432/books?sslmode=require",
        "postgresql+psycopg://finance:p%40ss%2Fw@db.example.com:6432/books?sslmode=require",
        "host=db.example.com port=6432 user=finance password=p@ss/w dbname=books sslmode=require",
    ],
)
def test_addresses_are_read_as_people_write_them(url: str) -> None:
    address = parse_url(url)
    found = (address.host, address.port, address.user, address.password, address.dbname, address.options)
    assert found == ("db.example.com", 6432, "finance", "p@ss/w", "books", {"sslmode": "require"})
    assert "p@ss" not in repr(address)
    assert parse_url(address.url().render_as_string(hide_password=False)) == address
    assert str(address.url("postgresql")) == "postgresql://finance:***@db.example.com:6432/books?sslmode=require"
