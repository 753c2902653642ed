"""A server that is not ours: Postgres 16 with a password, first as its superuser, then as a user who may make nothing."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import psycopg2
import pytest
import sqlalchemy
from pydantic import SecretStr

from assets.dbt_resource import PROJECT_DIR, patience
from pipelines.quality.run import _connection_string
from pipelines.settings import Settings
from pipelines.warehouse import backup
from pipelines.warehouse.checksums import checksums
from pipelines.warehouse.database import Database
from pipelines.warehouse.errors import WarehouseError
from pipelines.warehouse.migrate import current, newest
from pipelines.warehouse.open import open_database
from pipelines.warehouse.replace import replace_days
from pipelines.warehouse.tables.core import REQUEST
from tests.warehouse.external import PASSWORD, address, execute
from tests.warehouse.rows import DAY, requests

__all__ = ["address"]


def settings(address: str, user: str, dbname: str, password: str = PASSWORD) -> Settings:
    return Settings(database_url=SecretStr(f"postgresql://{user}:{quote(password, safe='')}@{address}/{dbname}"))


def test_who_may_make_roles_gets_a_reader(address: str) -> None:
    execute(address, "create database owned")
    with open_database(settings(address, "admin", "owned")):
        pass
    with open_database(settings(address, "admin", "owned")) as database:
        replace_days(database, REQUEST, requests(3), DAY, DAY.replace(day=15))
        with database.connect(read_only=True) as reader:
            assert reader.execute("select current_user, count(*) from core.request").fetchone() == (
                "modelmeter_reader",
                3,
            )
        assert PASSWORD not in f"{database!r} {database.url} {database.url!r}"
        with pytest.raises(WarehouseError, match="can't connect to database 'nowhere'"):
            database.named("nowhere").connect()
        engine = sqlalchemy.create_engine(database.dagster_url, poolclass=sqlalchemy.NullPool)
        with engine.connect() as connection:
            assert connection.execute(sqlalchemy.text("select current_database()")).scalar() == "modelmeter_dagster"


def test_connections_that_others_make_give_up_a_silent_network_too(address: str) -> None:
    """Checks connect by a URL, Dagster too: a network that went half open in a check was waited for a quarter of an hour."""
    execute(address, "create database quiet")
    with open_database(settings(address, "admin", "quiet")) as database:
        urls = [_connection_string(database.engine()), database.dagster_url]
        for url in urls:
            with sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool).connect() as connection:
                assert connection.execute(sqlalchemy.text("show tcp_user_timeout")).scalar() == "60000"
                driver: Any = connection.connection.driver_connection
                info = driver.info
                own = info.get_parameters() if hasattr(info, "get_parameters") else info.dsn_parameters
                kept = [own[name] for name in ("connect_timeout", "tcp_user_timeout", "keepalives_idle")]
                assert kept == ["10", "60000", "30"]
    execute(address, "drop database quiet")


def test_dbt_gives_up_a_silent_network_too(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    host, port = address.split(":")
    for name, value in patience(PROJECT_DIR).items():
        monkeypatch.setenv(name, value)
    with closing(
        psycopg2.connect(host=host, port=port, user="admin", password=PASSWORD, dbname="postgres", keepalives_idle=30)
    ) as connection:
        kept = connection.info.dsn_parameters
    names = ("keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout")
    assert [kept[name] for name in names] == ["30", "10", "3", "60000"]


def test_who_may_not_reads_as_the_same_user_in_read_only_transactions(address: str) -> None:
    execute(
        address,
        "drop database if exists owned",
        "drop owned by modelmeter_reader",
        "drop role if exists modelmeter_reader",
        "drop database if exists modelmeter_dagster",
    )
    execute(address, f"create role books login password '{PASSWORD}'", "create database books owner books")
    with open_database(settings(address, "books", "books")) as database:
        replace_days(database, REQUEST, requests(3), DAY, DAY.replace(day=15))
        with database.connect(read_only=True) as reader:
            assert reader.execute("select current_user, count(*) from core.request").fetchone() == ("books", 3)
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                reader.execute("delete from core.request")
        with pytest.raises(WarehouseError, match="may not make it") as refused:
            _ = database.dagster_url
        advice = str(refused.value).partition("Have it made: ")[2].partition(";")[0]
        execute(address, advice)  # the statement in the message is all that an administrator has to run
        engine = sqlalchemy.create_engine(database.dagster_url, poolclass=sqlalchemy.NullPool)
        with engine.connect() as connection:
            assert connection.execute(sqlalchemy.text("select current_database()")).scalar() == "modelmeter_dagster"


def test_the_run_history_of_somebody_else_is_refused_in_words(address: str) -> None:
    execute(address, f"create role tenant login password '{PASSWORD}'", "create database rented owner tenant")
    execute(address, "create database history")
    named = settings(address, "tenant", "rented").model_copy(update={"dagster_database": "history"})
    with open_database(named) as database:
        assert database.dagster_url, "nothing is in it yet"
        execute(address, "create table runs (id int)", dbname="history")
        with pytest.raises(
            WarehouseError, match=r"run history in database 'history' belongs to user 'admin', and user 'tenant'"
        ):
            _ = database.dagster_url


def test_a_wrong_password_is_reported_without_it(address: str) -> None:
    wrong = settings(address, "admin", "postgres", "s3cret-but-wrong")
    with pytest.raises(WarehouseError, match="password authentication failed") as refused, open_database(wrong):
        pass
    assert "s3cret" not in str(refused.value)
    assert PASSWORD not in str(refused.value)


def test_a_reader_in_place_of_the_owner_is_refused_in_words(address: str) -> None:
    execute(address, f"create role analyst login password '{PASSWORD}'", "create database analysis")
    expected = pytest.raises(WarehouseError, match=r"user 'analyst' may not make or change .* \(permission denied")
    with expected, open_database(settings(address, "analyst", "analysis")):
        pass


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        (("create schema core", "create table core.request (n integer)"), "things of the same name"),
        (("create schema core", "create table core.alembic_version (n integer)"), "without a revision"),
        (
            ("create schema core", "create table core.alembic_version (version_num text)",
             "insert into core.alembic_version values ('ab12cd34ef56')"),
            "at revision 'ab12cd34ef56'",
        ),
    ],
)  # fmt: skip
def test_a_database_of_another_program_is_left_as_it_is(address: str, statements: tuple[str, ...], found: str) -> None:
    execute(address, "drop database if exists foreign_one", "create database foreign_one")
    tables = (
        "select table_schema, table_name from information_schema.tables where table_schema in ('raw', 'core', 'mart')"
    )
    with psycopg.connect(
        f"postgresql://admin:{quote(PASSWORD, safe='')}@{address}/foreign_one", autocommit=True
    ) as other:
        for statement in statements:
            other.execute(statement.encode())
        before = other.execute(tables).fetchall()
        expected = pytest.raises(WarehouseError, match=f"{found}.*that modelmeter did not make. Nothing was changed")
        with expected, open_database(settings(address, "admin", "foreign_one")):
            pass
        assert other.execute(tables).fetchall() == before


def test_the_embedded_database_moves_to_an_older_server(address: str, database: Database, tmp_path: Path) -> None:
    """From 18 to 16, straight and by way of a dump."""
    replace_days(database, REQUEST, requests(5), DAY, DAY.replace(day=15))
    with database.connect(read_only=True) as connection:
        before = checksums(connection)
    assert before["core.request"] is not None
    assert before["core.request"].rows == 5
    backup.dump(database, tmp_path / "w.dump")
    execute(address, "create database straight", "create database dumped")
    for dbname in ("straight", "dumped"):
        with open_database(settings(address, "admin", dbname), migrate=False) as target:
            if dbname == "straight":
                backup.move(database, target)
            else:
                backup.restore(target, tmp_path / "w.dump")
            with target.connect(read_only=True) as connection:
                assert connection.info.server_version // 10000 == 16
                assert checksums(connection) == before
            assert current(target) == newest()
