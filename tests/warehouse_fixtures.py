"""Fixtures that give tests a real Postgres: one embedded server per test session, one fresh database per test.

Nothing here stands in for the real thing. Tests of the server's own life start homes of their own, see
`tests/warehouse`.
"""

from __future__ import annotations

import contextlib
import itertools
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from pipelines.settings import Settings
from pipelines.warehouse import cluster as clusters
from pipelines.warehouse import server
from pipelines.warehouse.cluster import Cluster
from pipelines.warehouse.database import Database
from pipelines.warehouse.open import open_database
from tests.once import made_once

_TEMPLATE = "modelmeter_template"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_home() -> Iterator[Path]:
    """MODELMETER_HOME of the session's embedded server, which runs and is migrated; removed at the end."""
    home = Path(tempfile.mkdtemp(prefix="modelmeter-tests-"))
    home.chmod(0o711)  # the server's own user has to reach it when root runs the tests
    cluster = clusters.locate(home)
    clusters.ensure_data(cluster, clusters.programs(cluster))
    _write_without_waiting(cluster)
    try:
        with open_database(Settings(home=home)) as database:
            database.create_database(_TEMPLATE, template=database.owner.dbname)
            yield home
        server.remove(home)
    finally:
        shutil.rmtree(home)


def _write_without_waiting(cluster: Cluster) -> None:
    """Only a crash of the machine would show that its server does not wait for the disk."""
    with (cluster.data / "postgresql.conf").open("a") as config:
        config.write("fsync = off\nfull_page_writes = off\n")


def lay_cluster(home: Path) -> None:
    """Give `home` a cluster as a first command makes it, with all tables of ours and of Dagster's, in the time that a copy takes."""
    made = made_once("cluster", _cluster_of_a_first_command)
    subprocess.run(["cp", "-a", made, clusters.locate(home).data], check=True)


def _cluster_of_a_first_command(folder: Path) -> Path:
    from assets.run_history import RunHistory

    folder.chmod(0o711)
    with open_database(Settings(home=folder)) as database:
        RunHistory(database.dagster_url)
    cluster = clusters.locate(folder)
    _write_without_waiting(cluster)
    return cluster.data


def drop_database(database: Database, name: str) -> None:
    """Drop a database of the server and end its sessions; `with (force)` would also end the server's own workers, which the owner may not."""
    with database.owner.connect({}, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s and usename is not null", [name]
        )
        connection.execute(sql.SQL("drop database {}").format(sql.Identifier(name)))


def fresh_database(shared: Database, template: str = _TEMPLATE) -> Database:
    """A migrated database of the session's server, empty or a copy of `template`; it goes with the session's home at the latest."""
    name = f"test_{next(_numbers)}"
    shared.create_database(name, template=template)
    return shared.named(name)


@contextlib.contextmanager
def passing_database(home: Path, template: str = _TEMPLATE) -> Iterator[Database]:
    """As `fresh_database`, dropped afterwards."""
    with open_database(Settings(home=home), migrate=False) as shared:
        fresh = fresh_database(shared, template)
        yield fresh
        # A failed test may still hold a connection; its database then goes with the session's home.
        with (
            contextlib.suppress(psycopg.errors.ObjectInUse),
            psycopg.connect(shared.url.set(drivername="postgresql").render_as_string(), autocommit=True) as connection,
        ):
            connection.execute(sql.SQL("drop database {}").format(sql.Identifier(fresh.owner.dbname)))


@pytest.fixture
def database(postgres_home: Path) -> Iterator[Database]:
    """A fresh, migrated, empty database of the session's server, dropped after the test."""
    with passing_database(postgres_home) as fresh:
        yield fresh


@pytest.fixture
def database_settings(database: Database, tmp_path: Path) -> Settings:
    """Settings whose `open_database` leads to this test's database, with a home of its own for everything else."""
    url = database.url.render_as_string(hide_password=False)
    return Settings(home=tmp_path / "home", database_url=SecretStr(url))
