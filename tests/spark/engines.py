"""The same landing zone by both engines, and what each left in the warehouse."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import polars as pl

from pipelines.daily import Window, ingest_requests, load_requests, refresh_prices, refresh_rate_card
from pipelines.settings import Settings
from pipelines.spark.engine import SparkEngine
from pipelines.warehouse.database import Database
from pipelines.warehouse.open import open_database
from pipelines.warehouse.read import read_frame
from pipelines.workspace import Workspace, open_workspace
from tests.spark.cluster import PROPERTIES, Standalone
from tests.warehouse_fixtures import fresh_database

TABLES = {
    "core.request": "request_uid",
    "raw.duplicate": "snapshot_id, line_no, item_no",
    "raw.quarantine": "snapshot_id, line_no, item_no, reason",
    "raw.loaded_file": "event_date, snapshot_id",
    "raw.quiet_day": "event_date",
    "raw.snapshot": "snapshot_id",
    "core.model_alias": "provider_id, raw_name",
}
"""What an engine writes, and the order in which it is compared."""
_ONE, _APART = timedelta(days=1), timedelta(days=60)
"""Days less than that apart are loaded at once: a session takes seconds to start."""
Left = dict[str, pl.DataFrame]


def settings_of(database: Database, root: Path, home: str, cluster: Standalone | None = None) -> Settings:
    """The settings of one engine: the landing zone and configuration are below `root`, as is its home."""
    config = root / "config"
    spark = {"engine": "spark", "spark_master": cluster.url, "spark_conf": PROPERTIES} if cluster else {}
    return Settings(
        home=root / home,
        landing=str(root / "landing"),
        config=config if config.is_dir() else None,
        database_url=database.url.render_as_string(hide_password=False),  # type: ignore[arg-type]
        offline=True,
        **spark,  # type: ignore[arg-type]
    )


@contextmanager
def priced_workspace(settings: Settings) -> Iterator[Workspace]:
    """The workspace, with prices and rate card made."""
    with open_workspace(settings) as workspace:
        refresh_prices(workspace)
        refresh_rate_card(workspace)
        yield workspace


def run(workspace: Workspace) -> Left:
    """Every day of the landing zone by the engine of the settings; what it left."""
    load(workspace, windows(workspace))
    return left(workspace)


def windows(workspace: Workspace) -> list[Window]:
    """Parse what is new; the days that have rows."""
    engine = SparkEngine(workspace.settings) if workspace.settings.engine == "spark" else None
    assert not ingest_requests(workspace, None, read=engine.read if engine else None).problems
    query = "select distinct unnest(event_dates) as day from raw.snapshot where kind = 'requests' order by 1"
    with workspace.database.connect() as connection:
        days = read_frame(connection, query)["day"].to_list()
    found = [Window.of_day(days[0])]
    for day in days[1:]:
        near = day - found[-1].last_day < _APART
        found[-1:] = [Window(found[-1].from_date, day + _ONE)] if near else [found[-1], Window.of_day(day)]
    return found


def load(workspace: Workspace, days: list[Window]) -> None:
    engine = SparkEngine(workspace.settings) if workspace.settings.engine == "spark" else None
    for window in days:
        load_requests(workspace, window, engine.parts if engine else None)
        if engine:
            engine.publish()


def left(workspace: Workspace) -> Left:
    """The rows of every table."""
    with workspace.database.connect() as connection:
        return {
            name: read_frame(connection, f"select * from {name} order by {order}") for name, order in TABLES.items()
        }


def assert_same(found: Left, expected: Left) -> None:
    """Row by row and column by column; where they differ, the columns are named."""
    for name, rows in expected.items():
        assert found[name].height == rows.height, f"{name}: {found[name].height} rows, not {rows.height}"
        apart = [column for column in rows.columns if not found[name][column].equals(rows[column])]
        assert not apart, f"{name}: {apart}"


def local_run(postgres_home: Path, root: Path) -> Left:
    """What this machine makes of the landing zone below `root`."""
    with (
        open_database(Settings(home=postgres_home), migrate=False) as shared,
        priced_workspace(settings_of(fresh_database(shared), root, "home-local")) as workspace,
    ):
        return run(workspace)


@contextmanager
def spark_workspace(postgres_home: Path, root: Path, cluster: Standalone, home: str) -> Iterator[Workspace]:
    """A workspace whose engine is the cluster."""
    with (
        open_database(Settings(home=postgres_home), migrate=False) as shared,
        priced_workspace(settings_of(fresh_database(shared), root, home, cluster)) as workspace,
    ):
        yield workspace


_DRIVER = """
import sys
from pipelines.settings import Settings
from pipelines.workspace import open_workspace
from tests.spark.engines import load, windows
with open_workspace(Settings.model_validate_json(sys.stdin.read())) as workspace:
    load(workspace, windows(workspace))
"""


def driver(settings: Settings) -> subprocess.Popen[bytes]:
    """A process of its own that parses and loads every day."""
    given = settings.model_dump(mode="json") | {"database_url": settings.database_url.get_secret_value()}  # type: ignore[union-attr]
    text = Settings.model_validate(given).model_dump_json().encode()
    text = text.replace(b'"**********"', f'"{given["database_url"]}"'.encode(), 1)
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", _DRIVER], stdin=subprocess.PIPE, env=os.environ, start_new_session=True
    )
    assert process.stdin
    process.stdin.write(text)
    process.stdin.close()
    return process
