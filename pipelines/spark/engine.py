"""The steps of a run that executors make: files to parsed rows, and parsed rows to the requests of a window."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.daily.days import Window
from pipelines.daily.parse_tasks import ParseTask
from pipelines.daily.request_rules import rules_of
from pipelines.daily.requests import Part, parsed_files, preferences
from pipelines.records.store import ParsedFile
from pipelines.requests.collect import Gathered, gather, micros
from pipelines.settings import Settings
from pipelines.spark.buckets import dealt
from pipelines.spark.calls import connect, question_of
from pipelines.spark.facts import Making, Written, file_system
from pipelines.spark.files import read_files
from pipelines.spark.pieces import reach_of
from pipelines.spark.published import publish, sweep
from pipelines.spark.session import require_spark, spark_session
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.raw import DUPLICATE
from pipelines.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow.fs as pafs
    from pyspark.sql import SparkSession

_ABANDONED = timedelta(days=1)
"""After so long a load that is not published is one whose driver was killed."""
_BUCKET_ROWS = 250_000
"""Rows of a bucket, on average. One that is larger takes longer, not more memory."""


class SparkEngine:
    """What `ingest_requests` and `load_requests` let make elsewhere. Raises SparkMissingError where that is impossible."""

    def __init__(self, settings: Settings) -> None:
        require_spark()
        self._settings = settings
        self._made: list[tuple[Window, str, list[Written]]] = []

    def read(self, tasks: Sequence[ParseTask]) -> Iterator[tuple[ParseTask, ParsedFile | str]]:
        """Parse files; no session is opened where there are none."""
        if tasks:
            with self._session() as spark:
                yield from read_files(spark, tasks)

    def parts(self, workspace: Workspace, window: Window) -> Iterator[Part]:
        """The window's rows of core.request and raw.duplicate: first what was dropped."""
        load, loads = uuid4().hex, f"{self._settings.facts_root.rstrip('/')}/_loads"
        target = f"{loads}/{load}"
        for left_behind in (loads, str(self._settings.home / "spark")):
            sweep(left_behind, datetime.now(UTC) - _ABANDONED)
        written = self._written(workspace, window, target, load)
        system, _ = file_system(target)
        self._made.append((window, target, written))
        dropped = [rows for _, rows in _frames(system, written, DUPLICATE.qualified)]
        yield REQUEST.empty(), pl.concat([DUPLICATE.empty(), *dropped])
        for day, rows in _frames(system, written, REQUEST.qualified):
            of_day = rows.with_columns(event_date=pl.lit(day).str.to_date()).cast(REQUEST.polars_schema)
            yield of_day.select(REQUEST.polars_schema.names()), DUPLICATE.empty()

    def publish(self) -> None:
        """Let the facts that were made stand in the place of those of the same days, once the warehouse holds them."""
        for window, target, written in self._made:
            facts = [(file.day, file.path) for file in written if file.table == REQUEST.qualified]
            publish(self._settings.facts_root, target, facts, window.days)
        self._made.clear()

    def _written(self, workspace: Workspace, window: Window, target: str, load: str) -> list[Written]:
        gathered = gather(*parsed_files(workspace, window))
        if not gathered.parts:
            return []
        wishes = preferences(workspace.config.sources)
        days = (window.from_date, window.to_date)
        making = Making(*days, rules_of(workspace), wishes, gathered.order, gathered.shares_ids, target)
        with self._session() as spark, _folder(self._settings.home / "spark" / load) as folder:
            return _make(spark, gathered, making, folder)

    @contextmanager
    def _session(self) -> Iterator[SparkSession]:
        with spark_session(self._settings.spark_master, self._settings.spark_conf) as spark:
            yield spark


def _make(spark: SparkSession, gathered: Gathered, making: Making, folder: Path) -> list[Written]:
    """Deal the rows out by call, and make each bucket."""
    one = timedelta(days=1)
    reach = reach_of(gathered, (micros(making.from_date - one), micros(making.to_date + one)))
    connect(spark, question_of(gathered, making.preferences), reach, folder)
    buckets = max(spark.sparkContext.defaultParallelism, -(-reach.rows // _BUCKET_ROWS))
    shared = spark.sparkContext.broadcast(making)

    def make(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield from shared.value.written(batches)

    made = dealt(spark, reach, folder, buckets).mapInArrow(make, "table string, day string, path string, rows long")
    return [Written(row.table, row.day, row.path, row.rows) for row in made.collect()]


def _frames(system: pafs.FileSystem, written: Sequence[Written], table: str) -> Iterator[tuple[str, pl.DataFrame]]:
    """The rows of a table with their day, day by day, a row group at a time."""
    for file in sorted((file for file in written if file.table == table), key=lambda file: (file.day, file.path)):
        with pq.ParquetFile(file.path, filesystem=system) as opened:
            for group in range(opened.num_row_groups):
                yield file.day, pl.DataFrame(opened.read_row_group(group, use_threads=False))


@contextmanager
def _folder(path: Path) -> Iterator[Path]:
    """A folder that all machines see, for the length of a step."""
    path.mkdir(parents=True)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
