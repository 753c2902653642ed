"""The migrated database is the one that the tables describe: columns, types, keys, comments, checks and grants."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
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
from pipelines.warehouse.ddl import column_comment, table_comment, tables_sql
from pipelines.warehouse.errors import LoadError, WarehouseError
from pipelines.warehouse.migrate import SQL_FOLDER, current, migrate, newest, repeatable_sql, revisions
from pipelines.warehouse.read import read_table
from pipelines.warehouse.replace import replace_all, replace_days
from pipelines.warehouse.tables import TABLES, Column, Table
from pipelines.warehouse.tables.core import MODEL, REQUEST
from pipelines.warehouse.tables.core_benchmarks import BENCHMARK, BENCHMARK_SCORE, BENCHMARK_VERSION
from pipelines.warehouse.tables.core_prices import PRICE
from tests.warehouse.rows import frame, requests, uuid_bytes
from tests.warehouse_fixtures import drop_database

PYTHON_BUILT = [table for table in TABLES if table.built_by == "python"]

T0 = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)

Shape = dict[str, Any]


def described(table: Table) -> Shape:
    return {
        "columns": {c.name: (c.type, c.nullable, column_comment(c)) for c in table.columns},
        "key": list(table.primary_key),
        "comment": table_comment(table),
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
            and c.relname <> 'alembic_version' and not c.relispartition"""
    tables = """
        select n.nspname || '.' || c.relname, obj_description(c.oid), c.relkind = 'p',
            array(select a.attname from pg_constraint k cross join unnest(k.conkey) with ordinality as key (number, place)
                join pg_attribute a on a.attrelid = k.conrelid and a.attnum = key.number
                where k.conrelid = c.oid and k.contype = 'p' order by place)::text[]
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('raw', 'core', 'mart') and c.relkind in ('r', 'p') and not c.relispartition
            and c.relname <> 'alembic_version'"""
    shapes: dict[str, Shape] = {
        name: {"columns": {}, "key": key, "comment": comment, "partitioned": partitioned}
        for name, comment, partitioned, key in connection.execute(tables)  # type: ignore[call-overload]
    }
    for name, column, *rest in connection.execute(columns):  # type: ignore[call-overload]
        shapes[name]["columns"][column] = tuple(rest)
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


def rules(connection: psycopg.Connection[Any]) -> list[tuple[str, ...]]:
    """Every constraint and index of the schemas, as Postgres writes them."""
    query = """
        select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint
        where connamespace::regnamespace::text in ('raw', 'core', 'mart') and contype <> 'n'
            and conrelid <> 'core.alembic_version'::regclass
        union all
        select tablename, indexname, indexdef from pg_indexes
        where schemaname in ('raw', 'core', 'mart') and tablename <> 'alembic_version'"""
    return sorted(connection.execute(query).fetchall())


def test_the_migrations_make_the_constraints_and_indexes_that_ddl_describes(
    database: Database, other: Database
) -> None:
    with other.connect() as connection:
        connection.execute(tables_sql().encode())
        connection.execute("create table core.alembic_version ()")
        described_rules = rules(connection)
    with database.connect() as connection:
        assert rules(connection) == described_rules


def test_file_names_name_the_newest_revision() -> None:
    scripts = ScriptDirectory.from_config(Config(str(SQL_FOLDER / "alembic.ini")))
    assert scripts.get_current_head() == newest().revision
    assert [script.revision for script in scripts.walk_revisions()] == revisions()[::-1]


@pytest.fixture
def other(database: Database) -> Iterator[Database]:
    """A second database of the server, without any table."""
    name = f"{database.owner.dbname}_other"
    database.create_database(name)
    yield database.named(name)
    drop_database(database, name)


def test_an_empty_database_is_migrated_once_by_two_at_once(other: Database) -> None:
    assert current(other) is None
    outcomes: list[object] = []

    def bring_up() -> None:
        try:
            outcomes.append(migrate(other))
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
    url = other.url.render_as_string(hide_password=False)
    process = subprocess.run([sys.executable, "-c", script, url], capture_output=True, text=True, check=False)
    thread.join()
    assert (process.returncode, process.stderr) == (0, "")
    assert len(outcomes) == 1
    assert outcomes[0] in {True, False}
    assert current(other) == newest()
    assert migrate(other) is False
    with other.connect() as connection:
        assert found(connection) == {table.qualified: described(table) for table in PYTHON_BUILT}


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


FORMER = "'.* is from before the first release and can't be migrated: {removal}, then rebuild it from the landing zone with `{rebuild}`."


@pytest.mark.parametrize(
    ("is_embedded", "removal"),
    [
        (True, "delete it with `modelmeter db remove --yes`"),
        (False, "run `drop schema raw, core, mart, staging cascade` in it"),
    ],
)
def test_a_database_from_before_the_first_release_is_to_be_rebuilt(
    database: Database, is_embedded: bool, removal: str
) -> None:
    former = replace(database, is_embedded=is_embedded)
    with database.connect() as connection:
        connection.execute("update core.alembic_version set version_num = '0017'")
    with pytest.raises(WarehouseError, match=FORMER.format(removal=removal, rebuild="modelmeter daily")):
        migrate(former)
    replace_days(database, REQUEST, requests(2, day=T0.date()), T0.date(), T0.date() + DAY)
    replace_days(database, REQUEST, requests(2, day=T0.date() + 9 * DAY), T0.date() + 9 * DAY, T0.date() + 10 * DAY)
    rebuild = "modelmeter daily --from 2026-01-01 --to 2026-01-10"
    with pytest.raises(WarehouseError, match=FORMER.format(removal=removal, rebuild=rebuild)) as refused:
        migrate(former)
    assert "\n" not in str(refused.value)


def test_a_database_whose_schemas_were_dropped_is_made_again(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("create schema staging")
        connection.execute("drop schema raw, core, mart, staging cascade")
    assert migrate(database) is True
    with database.connect() as connection:
        assert found(connection) == {table.qualified: described(table) for table in PYTHON_BUILT}


def test_a_comment_that_was_changed_in_a_description_arrives(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert migrate(database) is False
    texts = repeatable_sql().replace(MODEL.description, "Another sentence.")
    monkeypatch.setattr("pipelines.warehouse.migrate.repeatable_sql", lambda: texts)
    assert migrate(database) is True
    assert migrate(database) is False
    with database.connect() as connection:
        row = connection.execute("select obj_description('core.model'::regclass)").fetchone()
    assert row == (f"Another sentence. Grain: {MODEL.grain}.",)


def test_functions_and_grants_are_made_again(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("drop function core.price_as_known")
        connection.execute("revoke select on core.price from modelmeter_reader")
        connection.execute("comment on table core.alembic_version is null")
    assert migrate(database) is True
    with database.connect(read_only=True) as reader:
        reader.execute("select from core.price_as_known(), core.price")


EXTRA = Column("extra", "text", "Added in the middle of a description.", nullable=True)


def with_a_column_in_the_middle(database: Database, table: Table) -> Table:
    """The description with a column in its middle, and the table as a migration leaves it, with the column at the end."""
    with database.connect() as connection:
        connection.execute(f"alter table {table.qualified} add column extra text".encode())
    return replace(table, columns=(*table.columns[:3], EXTRA, *table.columns[3:]))


def test_the_order_of_columns_does_not_matter_to_a_ledger(database: Database) -> None:
    table = with_a_column_in_the_middle(database, MODEL)
    filled = {column.name: "closed" for column in table.columns if not column.nullable}
    for extra in ("first", "second"):
        rows = [{**filled, "model_id": f"m{n}", "extra": extra if n else "always"} for n in range(3)]
        wanted = frame(table, rows)
        assert replace_all(database, table, wanted) == 3
        with database.connect() as connection:
            assert read_table(connection, table).sort("model_id").equals(wanted.sort("model_id"))


def test_the_order_of_columns_does_not_matter_to_a_day(database: Database) -> None:
    table = with_a_column_in_the_middle(database, REQUEST)
    day = T0.date()
    for extra in ("first", None):
        wanted = requests(3, day=day).with_columns(extra=pl.lit(extra, pl.String)).select(table.polars_schema.names())
        assert replace_days(database, table, wanted, day, day + DAY) == 3
        with database.connect() as connection:
            assert read_table(connection, table).sort("request_uid").equals(wanted.sort("request_uid"))


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
