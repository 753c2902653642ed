"""Out of one database and into another: dumps, moves, acts and checksums, to the same rows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from pipelines.warehouse import acts, backup
from pipelines.warehouse.bulk_copy import copy_frame
from pipelines.warehouse.checksums import Checksum, checksums
from pipelines.warehouse.database import Database
from pipelines.warehouse.errors import WarehouseError
from pipelines.warehouse.migrate import current, migrate, newest
from pipelines.warehouse.replace import replace_days
from pipelines.warehouse.tables.core import FORGOTTEN_USER, REQUEST
from pipelines.warehouse.tables.core_books import BOOKED_CHARGE, PERIOD_ACT
from tests.warehouse.rows import DAY, frame, requests
from tests.warehouse_fixtures import drop_database

RELEASED = Path(__file__).parent / "released"
Made = Callable[[str], Database]


@pytest.fixture
def other(database: Database) -> Iterator[Made]:
    """Further databases of the server: empty ones, dropped after the test."""
    names: list[str] = []

    def make(name: str) -> Database:
        names.append(f"{database.owner.dbname}_{name}")
        database.create_database(names[-1])
        return database.named(names[-1])

    yield make
    for name in names:
        drop_database(database, name)


def fill(database: Database) -> None:
    with database.connect() as connection:
        replace_days(connection, REQUEST, requests(5), DAY, DAY + timedelta(days=1))
        connection.execute("insert into raw.quarantine_removed values (gen_random_uuid(), 'not_json', 'error', 3)")
        closed = ("close", None, 2, Decimal("0.123456789012345678"))
        copy_frame(
            connection,
            PERIOD_ACT,
            pl.DataFrame(
                [(date(2026, 1, 1), datetime(2026, 2, 1, 1, 2, 3, 456789, tzinfo=UTC), *closed)],
                schema=PERIOD_ACT.polars_schema,
                orient="row",
            ),
        )
        copy_frame(connection, BOOKED_CHARGE, booked())
        connection.execute("insert into core.forgotten_user values ('abc', null, now())")


def booked() -> pl.DataFrame:
    """One booked charge: every column that may not be null holds the simplest value of its type."""
    simple = {"text": "x", "date": DAY, "uuid": b"0" * 16, "bigint": 1, "boolean": True, "jsonb": "{}", "integer": 1}
    row = {c.name: simple.get(c.type, Decimal(1)) for c in BOOKED_CHARGE.columns if not c.nullable}
    return frame(BOOKED_CHARGE, [row])


def sums(database: Database) -> dict[str, Checksum | None]:
    with database.connect(read_only=True) as connection:
        return checksums(connection)


def test_a_dump_restores_to_the_same_rows(database: Database, other: Made, tmp_path: Path) -> None:
    fill(database)
    before = sums(database)
    assert before["core.request"] is not None
    assert before["core.request"].rows == 5
    backup.dump(database, tmp_path / "w.dump")
    assert (tmp_path / "w.dump").stat().st_mode & 0o077 == 0

    elsewhere = other("elsewhere")
    backup.restore(elsewhere, tmp_path / "w.dump")
    assert sums(elsewhere) == before, "as the reader, whose grants are made again"
    assert current(elsewhere) == newest()

    with pytest.raises(WarehouseError, match="--replace"):
        backup.restore(elsewhere, tmp_path / "w.dump")
    with elsewhere.connect() as connection:
        connection.execute("delete from core.request")
    assert sums(elsewhere) != before
    backup.restore(elsewhere, tmp_path / "w.dump", replace=True)
    assert sums(elsewhere) == before

    moved = other("moved")
    backup.move(database, moved)
    assert sums(moved) == before


def test_a_broken_dump_changes_nothing(database: Database, tmp_path: Path) -> None:
    fill(database)
    before = sums(database)
    backup.dump(database, tmp_path / "w.dump")
    whole = (tmp_path / "w.dump").read_bytes()
    for content in (b"", b"no dump", whole[: len(whole) * 3 // 4]):
        (tmp_path / "broken.dump").write_bytes(content)
        with pytest.raises(WarehouseError, match="restored"):
            backup.restore(database, tmp_path / "broken.dump", replace=True)
        assert sums(database) == before


def test_a_dump_of_a_newer_version_is_refused(database: Database, other: Made, tmp_path: Path) -> None:
    with database.connect() as connection:
        connection.execute("update core.alembic_version set version_num = '9999'")
    backup.dump(database, tmp_path / "newer.dump")
    with pytest.raises(WarehouseError, match="9999 and this version of modelmeter knows only up to") as refused:
        backup.restore(other("old"), tmp_path / "newer.dump")
    assert "\n" not in str(refused.value)


def test_acts_travel_exactly_and_once(database: Database, other: Made, tmp_path: Path) -> None:
    fill(database)
    elsewhere = other("elsewhere")
    migrate(elsewhere)
    with database.connect(read_only=True) as connection:
        assert sum(acts.export_acts(connection, tmp_path / "acts.json").values()) == 3
    with elsewhere.connect() as connection:
        assert sum(acts.import_acts(connection, tmp_path / "acts.json").values()) == 3
        assert sum(acts.import_acts(connection, tmp_path / "acts.json").values()) == 0
    names = [table.qualified for table in (PERIOD_ACT, BOOKED_CHARGE, FORGOTTEN_USER)]
    assert [sums(elsewhere)[name] for name in names] == [sums(database)[name] for name in names]
    for text in ("{}", "[]", "no json", '{"format": "modelmeter acts 1", "tables": {"core.request": []}}'):
        (tmp_path / "bad.json").write_text(text)
        with elsewhere.connect() as connection, pytest.raises(WarehouseError, match="export-acts"):
            acts.import_acts(connection, tmp_path / "bad.json")


def test_a_checksum_sees_a_change_and_not_the_order(database: Database) -> None:
    fill(database)
    before = sums(database)["core.period_act"]
    with database.connect() as connection:
        connection.execute(
            "insert into core.period_act select period + 31, acted_at, act, reason, charges, 1 from core.period_act"
        )
        both = sums(database)["core.period_act"]
        assert both == before, "not committed"
    both = sums(database)["core.period_act"]
    with database.connect() as connection:
        connection.execute("create temporary table kept as select * from core.period_act order by period desc")
        connection.execute("delete from core.period_act")
        connection.execute("insert into core.period_act select * from kept")
    assert sums(database)["core.period_act"] == both != before
    with database.connect() as connection:
        connection.execute("update core.period_act set reason = '' where billed_cost_usd = 1")
    assert sums(database)["core.period_act"] != both


@pytest.mark.parametrize("path", sorted(RELEASED.glob("*.sql")), ids=lambda path: path.stem)
def test_the_database_of_a_released_version_migrates_forward(path: Path, other: Made) -> None:
    """Its rows are those that the dump has; a migration that fills a new column does not lose one."""
    released = other("released")
    backup.load(released, ["cat", str(path)], {"PATH": os.defpath})
    assert current(released) == newest()
    with released.connect(read_only=True) as connection:
        for table, rows in rows_of(path).items():
            assert connection.execute(f"select count(*) from {table}").fetchone() == (rows,), table


def rows_of(path: Path) -> dict[str, int]:
    """How many rows the dump copies into each table; partitions count for the table itself."""
    found: dict[str, int] = {}
    table = None
    for line in path.read_text().splitlines():
        if line.startswith("COPY "):
            table = line.split()[1]
        elif line == "\\.":
            table = None
        elif table and table != "core.alembic_version":
            found[table] = found.get(table, 0) + 1
    return found
