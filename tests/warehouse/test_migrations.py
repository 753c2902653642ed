"""The migrated database is the one that the tables describe: columns, types, keys, comments, checks and grants."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from pipelines.warehouse.bulk_copy import copy_frame
from pipelines.warehouse.database import Database
from pipelines.warehouse.ddl import column_comment
from pipelines.warehouse.errors import LoadError, WarehouseError
from pipelines.warehouse.migrate import SQL_FOLDER, current, head, migrate
from pipelines.warehouse.tables import TABLES, Column, Table
from pipelines.warehouse.tables.core_benchmarks import BENCHMARK, BENCHMARK_SCORE, BENCHMARK_VERSION
from pipelines.warehouse.tables.core_prices import PRICE
from tests.warehouse.rows import frame, uuid_bytes

PYTHON_BUILT = [table for table in TABLES if table.built_by == "python"]

Shape = dict[str, Any]


def described(table: Table) -> Shape:
    return {
        "columns": [(c.name, c.type, c.nullable, column_comment(c)) for c in table.columns],
        "key": list(table.primary_key),
        "comment": f"{table.description} Grain: {table.grain}.",
        "partitioned": table.range_partitioned,
    }


def found(connection: psycopg.Connection[Any]) -> dict[str, Shape]:
    """The same of every table in the database, read from Postgres's own catalogue."""
    columns = """
        select n.nspname || '.' || c.relname, a.attname,
            replace(format_type(a.atttypid, a.atttypmod), 'timestamp with time zone', 'timestamptz'),
            not a.attnotnull, col_description(c.oid, a.attnum)
        from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('raw', 'core', 'mart') and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
            and c.relname <> 'alembic_version' and not c.relispartition
        order by 1, a.attnum"""
    tables = """
        select n.nspname || '.' || c.relname, obj_description(c.oid), c.relkind = 'p',
            array(select a.attname from pg_constraint k cross join unnest(k.conkey) with ordinality as key (number, place)
                join pg_attribute a on a.attrelid = k.conrelid and a.attnum = key.number
                where k.conrelid = c.oid and k.contype = 'p' order by place)::text[]
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('raw', 'core', 'mart') and c.relkind in ('r', 'p') and not c.relispartition
            and c.relname <> 'alembic_version'"""
    shapes: dict[str, Shape] = {
        name: {"columns": [], "key": key, "comment": comment, "partitioned": partitioned}
        for name, comment, partitioned, key in connection.execute(tables)  # type: ignore[call-overload]
    }
    for name, *column in connection.execute(columns):  # type: ignore[call-overload]
        shapes[name]["columns"].append(tuple(column))
    return shapes


def test_the_database_is_as_the_tables_describe_it(database: Database) -> None:
    with database.connect() as connection:
        assert found(connection) == {table.qualified: described(table) for table in PYTHON_BUILT}


@pytest.mark.parametrize(
    "change",
    [
        "alter table core.model add column extra text",
        "alter table core.model alter column family set not null",
        "alter table core.model alter column context_tokens type integer",
        "alter table raw.duplicate drop constraint duplicate_pkey",
        "comment on column core.request.event_at is 'something else'",
        "create table core.surplus (n integer)",
        "drop table mart.benchmark_drift",
    ],
)
def test_drift_is_seen(database: Database, change: str) -> None:
    with database.connect() as connection:
        connection.execute(change)
        assert found(connection) != {table.qualified: described(table) for table in PYTHON_BUILT}


def test_file_names_tell_the_newest_revision() -> None:
    assert ScriptDirectory.from_config(Config(str(SQL_FOLDER / "alembic.ini"))).get_current_head() == head()


def test_an_empty_database_is_migrated_once_by_two_at_once(database: Database) -> None:
    database.create_database(f"{database.owner.dbname}_empty")
    empty = database.named(f"{database.owner.dbname}_empty")
    assert current(empty) is None
    outcomes: list[object] = []

    def bring_up() -> None:
        try:
            outcomes.append(migrate(empty))
        except Exception as error:  # noqa: BLE001, shown by the assertion below
            outcomes.append(error)

    # Alembic's context is one per process: two commands are two processes, here one thread and one process.
    script = (
        "import sys; from pydantic import SecretStr; from pipelines.settings import Settings\n"
        "from pipelines.warehouse.open import open_database\n"
        "with open_database(Settings(database_url=SecretStr(sys.argv[1]))): pass"
    )
    thread = threading.Thread(target=bring_up)
    thread.start()
    url = empty.url.render_as_string(hide_password=False)
    other = subprocess.run([sys.executable, "-c", script, url], capture_output=True, text=True, check=False)
    thread.join()
    assert (other.returncode, other.stderr) == (0, "")
    assert len(outcomes) == 1
    assert outcomes[0] in {True, False}
    assert current(empty) == head()
    assert migrate(empty) is False
    with empty.connect() as connection:
        assert found(connection) == {table.qualified: described(table) for table in PYTHON_BUILT}
    with database.owner.connect({}, autocommit=True) as connection:
        connection.execute(f'drop database "{empty.owner.dbname}"')


def test_a_migrated_database_costs_no_import_of_alembic(database: Database) -> None:
    script = (
        "import sys; from pydantic import SecretStr; from pipelines.settings import Settings\n"
        "from pipelines.warehouse.open import open_database\n"
        "with open_database(Settings(database_url=SecretStr(sys.argv[1]))): pass\n"
        "print([name for name in ('alembic', 'sqlalchemy', 'polars', 'pyarrow') if name in sys.modules])"
    )
    url = database.url.render_as_string(hide_password=False)
    done = subprocess.run([sys.executable, "-c", script, url], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_database_of_a_newer_modelmeter_is_left_alone(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("update core.alembic_version set version_num = '9999'")
    with pytest.raises(WarehouseError, match="at revision 9999, this version of modelmeter knows only up to"):
        migrate(database)


T0 = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def price(label: str, **changes: object) -> pl.DataFrame:
    row: dict[str, object] = {
        **{column.name: next(iter(column.accepted), "") for column in PRICE.columns if column.type == "text"},
        "price_id": uuid_bytes(label),
        "sku_id": uuid_bytes("sku"),
        "snapshot_id": uuid_bytes("snapshot"),
        "context_from_tokens": 0,
        "unit_price": Decimal("0.25"),
        "pricing_quantity": 1_000_000,
        "valid_from": T0,
        "recorded_at": T0,
    }
    return frame(PRICE, [{**row, **changes}])


@pytest.mark.parametrize(
    ("first", "second", "accepted"),
    [
        ({}, {}, False),
        ({}, {"sku_id": uuid_bytes("another")}, True),
        ({"valid_to": T0 + DAY}, {"valid_from": T0 + DAY}, True),
        ({"valid_to": T0 + 2 * DAY}, {"valid_from": T0 + DAY}, False),
        ({"superseded_at": T0 + DAY}, {"recorded_at": T0 + DAY}, True),
        ({"superseded_at": T0 + 2 * DAY}, {"recorded_at": T0 + DAY}, False),
        ({"superseded_at": T0 + DAY, "valid_to": T0 + DAY}, {"recorded_at": T0 + DAY, "valid_from": T0}, True),
        ({"valid_to": T0}, {"valid_from": T0 + DAY}, False),
    ],
)
def test_one_sku_has_one_price_at_a_time_as_believed_at_a_time(
    database: Database, first: dict[str, object], second: dict[str, object], accepted: bool
) -> None:
    rows = pl.concat([price("first", **first), price("second", **second)])
    with database.connect() as connection:
        if accepted:
            assert copy_frame(connection, PRICE, rows) == 2
        else:
            with pytest.raises(LoadError, match=r"price_one_at_a_time|price_valid_period"):
                copy_frame(connection, PRICE, rows)
            connection.rollback()


@pytest.mark.parametrize(
    "column", [column for column in PRICE.columns if column.accepted], ids=lambda column: column.name
)
def test_a_value_that_is_not_accepted_is_refused(database: Database, column: Column) -> None:
    with database.connect() as connection:
        for number, value in enumerate(column.accepted):
            row = price(value, sku_id=uuid_bytes(str(number)), **{column.name: value})
            assert copy_frame(connection, PRICE, row) == 1
        with pytest.raises(LoadError, match=f"price_{column.name}_accepted"):
            copy_frame(connection, PRICE, price("x", **{column.name: "something else"}))
        connection.rollback()


def score(label: str, **changes: object) -> pl.DataFrame:
    row: dict[str, object] = {
        **{column.name: next(iter(column.accepted), "") for column in BENCHMARK_SCORE.columns if column.type == "text"},
        "score_id": uuid_bytes(label),
        "board": "lmarena",
        "benchmark_version_id": "b@1#0",
        "source_row_key": "m",
        "score": 1400.0,
        "as_of": T0.date(),
        "observed_at": T0,
        "snapshot_id": uuid_bytes("snapshot"),
    }
    return frame(BENCHMARK_SCORE, [{**row, **changes}])


@pytest.mark.parametrize(
    ("first", "second", "accepted"),
    [
        ({}, {}, False),
        ({}, {"as_of": T0.date() + DAY}, True),
        ({}, {"source_row_key": "n"}, True),
        ({}, {"board": "arena_daily"}, True),
        ({"superseded_at": T0 + DAY}, {"observed_at": T0 + DAY}, True),
        ({"superseded_at": T0 + DAY}, {}, False),
        ({"superseded_at": T0}, {"observed_at": T0 + DAY}, False),
    ],
)
def test_one_row_of_a_board_is_believed_at_a_time(
    database: Database, first: dict[str, object], second: dict[str, object], accepted: bool
) -> None:
    rows = pl.concat([score("first", **first), score("second", **second)])
    benchmark = {
        "benchmark_id": "b",
        "display_name": "B",
        "metric_kind": "elo",
        "unit": "elo",
        "lower_is_better": False,
    }
    version = {
        "benchmark_version_id": "b@1#0",
        "benchmark_id": "b",
        "version_label": "1",
        "scale_epoch": 0,
        "valid_from": T0.date(),
    }
    with database.connect() as connection:
        copy_frame(connection, BENCHMARK, frame(BENCHMARK, [benchmark]))
        copy_frame(connection, BENCHMARK_VERSION, frame(BENCHMARK_VERSION, [version]))
        if accepted:
            assert copy_frame(connection, BENCHMARK_SCORE, rows) == 2
        else:
            with pytest.raises(LoadError, match=r"benchmark_score_one_at_a_time|benchmark_score_belief_period"):
                copy_frame(connection, BENCHMARK_SCORE, rows)
            connection.rollback()


def test_a_score_names_a_version_that_is_there_by_the_commit(database: Database) -> None:
    connection = database.connect()
    copy_frame(connection, BENCHMARK_SCORE, score("orphan"))
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        connection.commit()
    connection.close()
