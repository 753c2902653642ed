"""A bucket of parsed rows to request facts, by the same functions that make them on one machine, and written where all can read it."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import uuid4

import polars as pl
import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from pipelines.daily.request_rules import RequestRules
from pipelines.records.store import Writer, stored_parts
from pipelines.requests import Preferences
from pipelines.requests.collect import Gathered, iter_gathered
from pipelines.requests.identity import SPANS
from pipelines.spark.buckets import SCHEMA, Kind, unpacked_rows
from pipelines.warehouse.tables.core import REQUEST
from pipelines.warehouse.tables.raw import DUPLICATE, QUARANTINE

WRITTEN = pa.schema([("table", pa.string()), ("day", pa.string()), ("path", pa.string()), ("rows", pa.int64())])
"""One file that a task wrote: rows of which table, of which day (empty: of any)."""


@dataclass(frozen=True)
class Written:
    """One file of rows that executors wrote."""

    table: str
    day: str
    path: str
    rows: int


_GATHERED_ROWS = 50_000
"""Rows that are put together before they are written: values of many small pieces would make as many row groups."""
_PART_ROWS = 60_000
"""Rows of a bucket that are handled at once: several tasks share a machine."""


@dataclass(frozen=True)
class Making:
    """All that makes facts of a bucket besides its rows; sent to every executor."""

    from_date: date
    to_date: date
    rules: RequestRules
    preferences: Preferences
    order: pl.DataFrame
    """The files as they were written, `Gathered.order`."""
    shares_ids: bool
    target: str
    """Folder or URL under which files are written."""

    def written(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Make one bucket: `batches` have kind and rows of `buckets.py`. Gives WRITTEN."""
        with tempfile.TemporaryDirectory(prefix="modelmeter-") as scratch, _Files(self.target) as files:
            gathered = self._gathered(batches, Path(scratch))
            if gathered is not None:
                days = (self.from_date, self.to_date)
                for part in iter_gathered(gathered, *days, preferences=self.preferences, part_rows=_PART_ROWS):
                    files.write(DUPLICATE.qualified, None, part.duplicates)
                    rated = self.rules.applied(part.requests)
                    for (day,), rows in rated.partition_by(["event_date"], as_dict=True).items():
                        files.write(REQUEST.qualified, day, rows.drop("event_date"))  # its folder says it
            yield files.finished()

    def _gathered(self, batches: Iterable[pa.RecordBatch], scratch: Path) -> Gathered | None:
        """The rows of the bucket as parsed files; None if it has none."""
        writers = {kind: Writer(scratch / f"{kind}.parquet", SCHEMA["near"]) for kind in ("near", "whole")}
        spans = [pl.DataFrame(schema=SPANS)]
        for kind, rows in _joined(batches):
            if kind == "spans":
                spans.append(rows)
            else:
                writers[kind].write(rows, QUARANTINE.empty())
        for writer in writers.values():
            writer.finish()
        near, whole = (stored_parts([scratch / f"{kind}.parquet"]) for kind in writers)
        if not any(part.metadata.num_rows for part in (*near, *whole)):
            return None
        return Gathered(near, whole, pl.concat(spans).lazy(), self.order, self.shares_ids)


def _joined(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[Kind, pl.DataFrame]]:
    """Values of one kind put together to some 50,000 rows."""
    waiting: dict[Kind, list[pl.DataFrame]] = defaultdict(list)
    for batch in batches:
        for kind, value in zip(batch.column("kind").to_pylist(), batch.column("rows"), strict=True):
            frames = waiting[kind]
            frames.append(unpacked_rows(value.as_buffer().to_pybytes()))
            if sum(frame.height for frame in frames) >= _GATHERED_ROWS:
                yield kind, pl.concat(waiting.pop(kind), rechunk=True)
    for kind, frames in waiting.items():
        yield kind, pl.concat(frames, rechunk=True)


class _Files:
    """The files of one attempt at a task: one per table and day, under a name that no other attempt has."""

    def __init__(self, target: str) -> None:
        self._system, self._folder = file_system(target)
        self._name = uuid4().hex
        self._open: dict[tuple[str, date | None], pq.ParquetWriter] = {}
        self._rows: dict[tuple[str, date | None], int] = defaultdict(int)

    def __enter__(self) -> _Files:
        return self

    def __exit__(self, *_: object) -> None:
        for writer in self._open.values():
            writer.close()

    def write(self, table: str, day: date | None, rows: pl.DataFrame) -> None:
        """Add rows of one table and day."""
        if not rows.height:
            return
        key = (table, day)
        arrow = rows.to_arrow(compat_level=pl.CompatLevel.oldest())
        if key not in self._open:
            self._system.create_dir(self._folder, recursive=True)
            self._open[key] = pq.ParquetWriter(
                self._path(key), arrow.schema, filesystem=self._system, compression="zstd"
            )
        self._open[key].write_table(arrow)
        self._rows[key] += rows.height

    def finished(self) -> pa.RecordBatch:
        """Close all files and name them (WRITTEN)."""
        self.__exit__()
        rows = [
            {"table": table, "day": str(day or ""), "path": self._path((table, day)), "rows": count}
            for (table, day), count in self._rows.items()
        ]
        self._open = {}
        return pa.RecordBatch.from_pylist(rows, WRITTEN)

    def _path(self, key: tuple[str, date | None]) -> str:
        table, day = key
        return f"{self._folder}/{table}{f'.{day}' if day else ''}.{self._name}.parquet"


def file_system(target: str) -> tuple[pafs.FileSystem, str]:
    """Where a folder (absolute) or URL such as s3://bucket/prefix leads."""
    system, path = pafs.FileSystem.from_uri(target)
    return system, path
