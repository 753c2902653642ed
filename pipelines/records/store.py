"""The content-addressed store of parsed files: one Parquet file of valid rows and one of quarantined ones.

`<format>-<parser version>/<snapshot id>.parquet` appears by renaming only once it is complete, and carries the
file's counts; the quarantine lies next to it and is complete before, and so do the spans that are no requests, where there
are any (`<snapshot id>.spans.parquet`). A column that holds one value throughout a large
file is kept once, in the Parquet file's metadata; where that value changes on the way, the rows go on in a further
part (`<snapshot id>.2.parquet` ...). So rows are read by `scan_stored`, which puts everything back.
What is written is decided in `requests/parse.py`.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.constant import holds_only, same_throughout
from pipelines.landing import LandedFile, LandingError
from pipelines.outside import ANY_FAILURE, worded
from pipelines.records.layout import SourceError
from pipelines.records.tally import Tally
from pipelines.warehouse.tables.raw import QUARANTINE

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.EFBIG)
"""Failures of this machine, not of the reader: the step ends, and the days keep what they hold."""
READER_FAILED = "reader_failed"
"""Reason of the one record that stands for a file on which our own reader failed."""

_COUNTS = b"modelmeter"
_SHARED = b"modelmeter.shared"
"""What every row of a part holds in the columns that the part leaves out: JSON, bytes in hexadecimal digits."""
_SHARED_TYPES = (pl.String, pl.Boolean, pl.Int32, pl.Int64, pl.Binary)
_LARGE_ROWS = 10_000
"""A file whose first batch is smaller keeps every column, so that many small files are read at once."""
_UNIQUE = ("request_uid", "source_request_id", "line_no", "event_at", "revision")
"""Columns with a value per row, for which a dictionary is built in vain."""
_FILTERED = ("event_date", "event_at")
"""Columns that days and stretches of them are looked up by, the only use of statistics."""
_QUARANTINE_ROWS = 50_000
"""Rows of a quarantine that are held at once: some 20 MB."""


@dataclass(frozen=True)
class ParsedFile:
    """What became of one landed file: `lines = valid + quarantined`, the UTC days it touches, and where its rows lie.

    `lines` are the records as the file's bytes count them (`tally.py`), whatever its reader made of them.

    `path` is a Parquet file for `collect_days`; what was set aside lies next to it and is read where it is asked for, because
    a run holds all files that it parsed.
    """

    snapshot_id: bytes
    parser_version: str
    lines: int
    valid: int
    quarantined: int
    event_dates: tuple[date, ...]
    path: Path

    @property
    def quarantine(self) -> pl.DataFrame:
        """What was set aside, whole: the columns of raw.quarantine."""
        return pl.concat([QUARANTINE.empty(), *self.quarantine_parts()])

    def quarantine_parts(self) -> Iterator[pl.DataFrame]:
        """The same rows in their order, at most `_QUARANTINE_ROWS` at a time."""
        with pq.ParquetFile(_quarantine_path(self.path)) as file:
            for batch in file.iter_batches(batch_size=_QUARANTINE_ROWS, use_threads=False):
                yield pl.DataFrame(pa.Table.from_batches([batch])).cast(QUARANTINE.polars_schema)


def stored_path(store: Path, format_name: str, version: str, snapshot_id: bytes) -> Path:
    """Where the rows of one file lie in the store."""
    return store / f"{format_name}-{version}" / f"{snapshot_id.hex()}.parquet"


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
        path=path,
    )


def _quarantine_path(path: Path) -> Path:
    return path.with_suffix(".quarantine.parquet")


def _spans_path(path: Path) -> Path:
    return path.with_suffix(".spans.parquet")


def _failed_mark(path: Path) -> Path:
    return path.with_suffix(".failed")


def is_stored(path: Path) -> bool:
    """Whether the rows of a file lie at `path`; not where its reader failed, so that the next run tries again."""
    return path.is_file() and not has_failed(path)


def has_failed(path: Path) -> bool:
    """Whether our reader failed on the file whose rows were to lie at `path`."""
    return _failed_mark(path).exists()


def store_once(path: Path, parse: Callable[[], None], file: LandedFile, schema: pl.Schema) -> None:
    """Let `parse` write the rows of `file` to `path`, unless they are there. Where it fails in a way that no one thought of,
    the file is stored as one quarantined record that names the failure.

    Raises what says that the declaration or the file itself is gone or changed: LandingError, SourceError, FileNotFoundError.
    """
    if is_stored(path):
        return
    try:
        parse()
    except (LandingError, SourceError, FileNotFoundError):
        raise
    except ANY_FAILURE as error:
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            raise
        path.parent.mkdir(parents=True, exist_ok=True)
        _failed_mark(path).touch()
        detail = f"modelmeter's reader failed on this file; the file is not at fault: {worded(error)}; the next run tries again"
        row = (file.snapshot_id, 1, 0, 0, file.size_bytes, READER_FAILED, "error", detail, None, file.sha256)
        with Writer(path, schema) as writer:
            writer.write(
                pl.DataFrame(schema=schema), pl.DataFrame([row], schema=QUARANTINE.polars_schema, orient="row")
            )
            writer.finish()
    else:
        _failed_mark(path).unlink(missing_ok=True)


class Writer:
    """Writes batches to temporary files next to `path`; nothing appears under `path` unless `finish` was reached."""

    def __init__(self, path: Path, schema: pl.Schema) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._rows = _Rows(path.with_suffix(f".{os.getpid()}.tmp"), schema)
        self._set_aside = _ParquetWriter(
            _quarantine_path(path).with_suffix(f".{os.getpid()}.tmp"), QUARANTINE.polars_schema
        )
        self._spans: _ParquetWriter | None = None
        self._days: set[date] = set()
        self._sources: set[str] = set()

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._rows.discard()
        for writer in (self._set_aside, self._spans):
            if writer:
                writer.close()
                writer.path.unlink(missing_ok=True)

    def write(self, valid: pl.DataFrame, quarantine: pl.DataFrame, spans: pl.DataFrame | None = None) -> None:
        """Append valid rows (the schema given), quarantined ones (raw.quarantine) and spans that are no records."""
        self._rows.write(valid)
        if spans is not None and spans.height:
            self._spans = self._spans or _ParquetWriter(
                _spans_path(self._path).with_suffix(f".{os.getpid()}.tmp"), spans.schema
            )
            self._spans.write(spans)
        if "source" in valid.columns:
            self._sources.update(valid["source"].unique().to_list())
        _check_schema(quarantine, QUARANTINE.polars_schema)
        self._set_aside.write(quarantine)
        self._days.update(valid["event_date"].unique().to_list())

    def finish(self, origin: tuple[str, ...] = (), tally: Tally | None = None) -> None:
        """Complete all files and let them appear, the rows last. `origin` is the file's place among others: see `StoredPart`;
        `tally` holds the records as the file's bytes count them, without one they are those written."""
        self._set_aside.close()
        self._set_aside.path.replace(_quarantine_path(self._path))
        if self._spans:
            self._spans.close()
            self._spans.path.replace(_spans_path(self._path))
        self._rows.finish(
            self._path,
            {
                "lines": self._rows.count + self._set_aside.count if tally is None else tally.records,
                "valid": self._rows.count,
                "quarantined": self._set_aside.count,
                "event_dates": [day.isoformat() for day in sorted(self._days)],
                "sources": sorted(self._sources),
                "origin": origin,
            },
        )


class _Rows:
    """Rows in as few parts as the columns allow that hold one value; the first part, at `path`, is closed last."""

    def __init__(self, path: Path, schema: pl.Schema) -> None:
        self.count = 0
        self._path, self._schema = path, schema
        self._parts: list[_ParquetWriter] = []
        self._shared: dict[str, Any] = {}

    def write(self, frame: pl.DataFrame) -> None:
        _check_schema(frame, self._schema)
        if not frame.height:
            return
        self.count += frame.height
        if not self._parts:
            self._begin(_shared_by(frame) if frame.height >= _LARGE_ROWS else {})
        elif gone := [name for name, value in self._shared.items() if not holds_only(frame[name], value)]:
            self._begin({name: value for name, value in self._shared.items() if name not in gone})
        self._parts[-1].write(frame.drop(self._shared))

    def _begin(self, shared: dict[str, Any]) -> None:
        number = len(self._parts) + 1
        path = self._path if number == 1 else self._path.with_suffix(f".{number}.tmp")
        written = {name: value.hex() if isinstance(value, bytes) else value for name, value in shared.items()}
        schema = pl.Schema({name: dtype for name, dtype in self._schema.items() if name not in shared})
        self._shared = shared
        self._parts.append(_ParquetWriter(path, schema, {_SHARED.decode(): json.dumps(written)}))

    def finish(self, target: Path, counts: dict[str, Any]) -> None:
        if not self._parts:
            self._begin({})
        first, *others = self._parts
        for number, part in enumerate(others, start=2):
            part.close()
            part.path.replace(_part_path(target, number))
        first.close({_COUNTS.decode(): json.dumps({**counts, "parts": len(self._parts)})})
        first.path.replace(target)

    def discard(self) -> None:
        for part in self._parts:
            part.close()
            part.path.unlink(missing_ok=True)


def _part_path(path: Path, number: int) -> Path:
    return path if number == 1 else path.with_suffix(f".{number}.parquet")


def _shared_by(frame: pl.DataFrame) -> dict[str, Any]:
    names = [
        name for name, dtype in frame.schema.items() if dtype in _SHARED_TYPES and name not in (*_UNIQUE, *_FILTERED)
    ]
    nulls = [name for name in frame.columns if name not in names and frame[name].null_count() == frame.height]
    return same_throughout(frame, [*names, *nulls])


def _check_schema(frame: pl.DataFrame, schema: pl.Schema) -> None:
    if frame.schema != schema:
        raise AssertionError(f"the frame has {frame.schema}, the store takes {schema}")


@dataclass(frozen=True)
class StoredPart:
    """One Parquet file of rows of some sources, what all of them hold in the columns that it leaves out, and where they were read.

    `origin` of the landed file: when it was observed (ISO 8601 in UTC), its landing path, its snapshot id in hexadecimal.
    """

    path: Path
    metadata: pq.FileMetaData
    shared: Mapping[str, Any]
    sources: tuple[str, ...]
    origin: tuple[str, ...]


def stored_parts(paths: Sequence[Path]) -> list[StoredPart]:
    """Every part of the parsed files `paths`, in order."""
    parts = []
    for path in paths:
        first = pq.read_metadata(path)
        counts = json.loads(first.metadata[_COUNTS])
        further = [_part_path(path, number) for number in range(2, counts.get("parts", 1) + 1)]
        for part, metadata in [(path, first), *((part, pq.read_metadata(part)) for part in further)]:
            parts.append(
                StoredPart(part, metadata, _shared_in(metadata), tuple(counts["sources"]), tuple(counts["origin"]))
            )
    return parts


def shared_values(path: Path) -> Mapping[str, Any]:
    """What every row of one Parquet file holds in the columns that the file leaves out."""
    return _shared_in(pq.read_metadata(path))


def _shared_in(metadata: pq.FileMetaData) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads((metadata.metadata or {}).get(_SHARED, b"{}"))
    return found


def scan_spans(paths: Sequence[Path], schema: pl.Schema) -> pl.LazyFrame:
    """The spans (`schema`) of the parsed files `paths` that are no records."""
    found = [spans for path in paths if (spans := _spans_path(path)).is_file()]
    return pl.scan_parquet(found) if found else pl.LazyFrame(schema=schema)


def scan_stored(parts: Sequence[StoredPart], schema: pl.Schema) -> pl.LazyFrame:
    """The rows of all `parts` with every column; parts that leave nothing out are scanned as one."""
    scans = []
    if whole := [part.path for part in parts if not part.shared]:
        scans.append(pl.scan_parquet(whole))
    for part in parts:
        if part.shared:
            values = [_literal(value, schema[name]).alias(name) for name, value in part.shared.items()]
            scans.append(pl.scan_parquet(part.path).with_columns(values).select(schema.names()))
    return pl.concat(scans) if scans else pl.LazyFrame(schema=schema)


def read_groups(
    path: Path, shared: Mapping[str, Any], groups: Sequence[int], schema: pl.Schema, columns: Sequence[str]
) -> pl.DataFrame:
    """The named columns of some row groups of one part; `schema` is that of all its rows, `shared` what the part leaves out."""
    with pq.ParquetFile(path) as file:
        table = file.read_row_groups(list(groups), [n for n in columns if n not in shared], use_threads=False)
    rows = pl.DataFrame(table) if table.num_columns else pl.DataFrame({"": pl.repeat(None, table.num_rows, eager=True)})
    rows = rows.with_columns(_literal(shared[name], schema[name]).alias(name) for name in columns if name in shared)
    return rows.select(columns).cast({name: schema[name] for name in columns})


def _literal(value: str | bool | int | None, dtype: pl.DataType) -> pl.Expr:
    return pl.lit(bytes.fromhex(value) if isinstance(value, str) and dtype == pl.Binary else value, dtype=dtype)


class _ParquetWriter:
    def __init__(self, path: Path, schema: pl.Schema, metadata: dict[str, str] | None = None) -> None:
        self.path = path
        self.count = 0
        self._writer: pq.ParquetWriter | None = pq.ParquetWriter(
            path,
            _arrow_schema(tuple(schema.items())),
            compression="lz4",
            use_dictionary=[name for name, dtype in schema.items() if dtype == pl.String and name not in _UNIQUE],
            write_statistics=[name for name in _FILTERED if name in schema],
        )
        if metadata:
            self._writer.add_key_value_metadata(metadata)

    def write(self, frame: pl.DataFrame) -> None:
        if frame.height and self._writer is not None:
            self._writer.write_table(_arrow(frame))
            self.count += frame.height

    def close(self, metadata: dict[str, str] | None = None) -> None:
        if self._writer is None:
            return
        if metadata:
            self._writer.add_key_value_metadata(metadata)
        self._writer.close()
        self._writer = None


@cache
def _arrow_schema(columns: tuple[tuple[str, pl.DataType], ...]) -> pa.Schema:
    return _arrow(pl.DataFrame(schema=dict(columns))).schema


def _arrow(frame: pl.DataFrame) -> pa.Table:
    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    if "request_uid" not in frame.columns:
        return table
    # Of fixed length it is written, and looked through, in a third of the time.
    place = table.schema.get_field_index("request_uid")
    return table.set_column(place, "request_uid", table.column(place).cast(pa.binary(16)))
