"""The content-addressed store of parsed files: one Parquet file of valid rows and one of quarantined ones.

`<format>-<parser version>/<snapshot id>.parquet` appears by renaming only once it is complete, and carries the
file's counts; the quarantine lies beside it and is complete before. What is written is decided in `parse.py`.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import TracebackType

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.requests.normalise import STORED_SCHEMA
from pipelines.warehouse.tables.raw import QUARANTINE

_COUNTS = b"modelmeter"
_UNIQUE = ("request_uid", "source_request_id", "line_no", "event_at", "revision")
"""Columns with a value per row, for which a dictionary is built in vain."""
_FILTERED = ("event_date", "event_at")
"""Columns that days and stretches of them are looked up by, the only use of statistics."""


@dataclass(frozen=True)
class ParsedFile:
    """What became of one landed file: `lines = valid + quarantined`, the UTC days it touches, and where its rows lie.

    `quarantine` has the columns of raw.quarantine; `path` is a Parquet file for `collect_days`.
    """

    snapshot_id: bytes
    parser_version: str
    lines: int
    valid: int
    quarantined: int
    event_dates: tuple[date, ...]
    quarantine: pl.DataFrame
    path: Path


def stored_path(store: Path, fmt: str, version: str, snapshot_id: bytes) -> Path:
    """Where the rows of one file lie in the store."""
    return store / f"{fmt}-{version}" / f"{snapshot_id.hex()}.parquet"


def load_parsed(path: Path, version: str, snapshot_id: bytes) -> ParsedFile:
    """A file that was parsed before."""
    counts = json.loads(pq.read_metadata(path).metadata[_COUNTS])
    return ParsedFile(
        snapshot_id=snapshot_id,
        parser_version=version,
        lines=counts["lines"],
        valid=counts["valid"],
        quarantined=counts["quarantined"],
        event_dates=tuple(date.fromisoformat(day) for day in counts["event_dates"]),
        quarantine=pl.read_parquet(_quarantine_path(path)),
        path=path,
    )


def _quarantine_path(path: Path) -> Path:
    return path.with_suffix(".quarantine.parquet")


class Writer:
    """Writes batches to temporary files beside `path`; nothing appears under `path` unless `finish` was reached."""

    def __init__(self, path: Path, schema: pl.Schema = STORED_SCHEMA) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._rows_path = path.with_suffix(f".{os.getpid()}.tmp")
        self._quarantine_tmp = _quarantine_path(path).with_suffix(f".{os.getpid()}.tmp")
        self._rows = _ParquetWriter(self._rows_path, schema)
        self._set_aside = _ParquetWriter(self._quarantine_tmp, QUARANTINE.polars_schema)
        self._days: set[date] = set()

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._rows.close()
        self._set_aside.close()
        for leftover in (self._rows_path, self._quarantine_tmp):
            leftover.unlink(missing_ok=True)

    def write(self, valid: pl.DataFrame, quarantine: pl.DataFrame) -> None:
        """Append valid rows (the schema given) and quarantined ones (raw.quarantine)."""
        self._rows.write(valid)
        self._set_aside.write(quarantine)
        self._days.update(valid["event_date"].unique().to_list())

    def finish(self) -> None:
        """Complete both files and let them appear, the quarantine first."""
        counts = {
            "lines": self._rows.count + self._set_aside.count,
            "valid": self._rows.count,
            "quarantined": self._set_aside.count,
            "event_dates": [day.isoformat() for day in sorted(self._days)],
        }
        self._rows.close({_COUNTS.decode(): json.dumps(counts)})
        self._set_aside.close()
        self._quarantine_tmp.replace(_quarantine_path(self._path))
        self._rows_path.replace(self._path)


class _ParquetWriter:
    def __init__(self, path: Path, schema: pl.Schema) -> None:
        self.count = 0
        self._schema = schema
        self._writer: pq.ParquetWriter | None = pq.ParquetWriter(
            path,
            self._arrow(pl.DataFrame(schema=schema)).schema,
            compression="lz4",
            use_dictionary=[name for name in schema if name not in _UNIQUE],
            write_statistics=list(_FILTERED),
        )

    def _arrow(self, frame: pl.DataFrame) -> pa.Table:
        return frame.to_arrow(compat_level=pl.CompatLevel.oldest())

    def write(self, frame: pl.DataFrame) -> None:
        if frame.schema != self._schema:
            raise AssertionError(f"the frame has {frame.schema}, the store takes {self._schema}")
        if frame.height and self._writer is not None:
            self._writer.write_table(self._arrow(frame))
            self.count += frame.height

    def close(self, metadata: dict[str, str] | None = None) -> None:
        if self._writer is None:
            return
        if metadata:
            self._writer.add_key_value_metadata(metadata)
        self._writer.close()
        self._writer = None
