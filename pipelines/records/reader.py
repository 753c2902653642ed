"""A landed file to batches of records with their places: its kind is recognised once, then one reader per kind reads it.

What kinds there are is in `file_kinds.py`. Each batch is bounded in memory; what the records mean is for the caller to say.
"""

from __future__ import annotations

import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar

from pipelines.records.batches import Batch, only_faults
from pipelines.records.container_logs import unwrapped
from pipelines.records.csv_tables import csv_chunks
from pipelines.records.event_streams import data_lines, one_after_the_other
from pipelines.records.file_kinds import FileKind, Recognised, recognise
from pipelines.records.json_columns import ColumnReader
from pipelines.records.layout import Layout
from pipelines.records.line_chunks import Chunk, Fault, digest_of
from pipelines.records.line_groups import grouped
from pipelines.records.line_reader import LineReader
from pipelines.records.parquet_tables import parquet_chunks, parquet_columns
from pipelines.records.table_reader import TableReader
from pipelines.records.tables import known_columns
from pipelines.records.tally import Tally
from pipelines.records.unpacking import unpack

T = TypeVar("T")
Work = Iterator[Callable[[], Batch]]
"""The batches of a file in order, each still to be read."""

_WORKERS = min(4, os.cpu_count() or 1)
"""Chunks of lines that are read at once: each costs some 200 MB."""


@dataclass(frozen=True)
class _Reading:
    """How one file is read: along `layout`, as typed columns where that is wanted; `tally` counts its records."""

    layout: Layout
    tally: Tally
    as_columns: bool


def read_batches(path: Path, layout: Layout, tally: Tally) -> Iterator[Batch]:
    """Every record of a file, once, as a row of `texts` or as a fault; `tally` counts them by the file's bytes."""
    yield from _finished(path, _Reading(layout, tally, as_columns=False), lambda batch: batch, workers=1)


def read_finished(path: Path, layout: Layout, finish: Callable[[Batch], T], tally: Tally | None = None) -> Iterator[T]:
    """As `read_batches`, but also with rows of `typed`, and each batch as what `finish` makes of it.

    Batches are read and finished side by side; what they become comes in their order.
    """
    yield from _finished(path, _Reading(layout, tally or Tally(), as_columns=True), finish, _WORKERS)


def _finished(path: Path, reading: _Reading, finish: Callable[[Batch], T], workers: int) -> Iterator[T]:
    found, reading = _as_it_begins(recognise(path, reading.layout, reading.tally), reading)
    one_by_one = found.kind not in _SIDE_BY_SIDE or reading.layout.in_sequence
    work = _READERS[found.kind](found, reading)
    yield from _in_order(work, finish, 1 if one_by_one else workers)


def _as_it_begins(found: Recognised, reading: _Reading) -> tuple[Recognised, _Reading]:
    """The file and how it is read: one chunk after the other where its beginning holds what the reader has to remember."""
    sought = [text.encode() for text in reading.layout.in_sequence_where]
    if not sought or found.kind not in _SIDE_BY_SIDE:
        return found, reading
    first = list(islice(found.chunks, 1))
    found = replace(found, chunks=chain(first, found.chunks))
    if any(text in chunk.data for chunk in first for text in sought):
        reading = replace(reading, layout=replace(reading.layout, in_sequence=True))
    return found, reading


def _in_order(work: Work, finish: Callable[[Batch], T], workers: int) -> Iterator[T]:
    """What the batches become, in their order; some are worked on while the caller uses the one before.

    The only batch of a small file is worked on here: threads for it cost more than it does.
    """
    first = list(islice(work, 2))
    if len(first) < 2:
        yield from (finish(batch()) for batch in first)
        return
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[T]] = deque()
        for batch in chain(first, work):
            waiting.append(pool.submit(lambda batch: finish(batch()), batch))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _foreign(found: Recognised, reading: _Reading) -> Work:
    detail = f"the file is {found.foreign}: unpack or convert it; JSON lines, JSON, CSV and Parquet are read, also as gzip or zstd"
    yield _fault_of_file(found.path, "unknown_container", detail, reading)


def _parquet(found: Recognised, reading: _Reading) -> Work:
    yield from _parquet_at(found.path, reading)


def _packed_parquet(found: Recognised, reading: _Reading) -> Work:
    """A Parquet file inside gzip or zstd: its index stands at its end, so that it is unpacked to the disk first."""
    with tempfile.TemporaryDirectory(prefix="modelmeter-") as folder:
        target = Path(folder, "unpacked.parquet")
        trouble = unpack(found.path, target)
        yield from _parquet_at(target, reading)
        if trouble is not None:
            yield _fault_of_file(found.path, *trouble, reading, item_no=1)


def _parquet_at(path: Path, reading: _Reading) -> Work:
    columns = parquet_columns(path)
    if isinstance(columns, Fault):
        reading.tally.correct(1)
        yield partial(only_faults, [columns], reading.layout.paths)
        return
    reader = TableReader(reading.layout, reading.tally, _absent_columns(reading.layout, columns))
    for part in parquet_chunks(path, reading.layout.readable, reading.tally, reading.layout.path_of):
        yield partial(reader.read, part)


def _csv(found: Recognised, reading: _Reading) -> Work:
    if found.head is None:
        raise AssertionError("a CSV file has a header")
    layout = reading.layout
    reader = TableReader(layout, reading.tally, _absent_columns(layout, found.head.columns))
    for part in csv_chunks(found.chunks, found.head, layout.readable, reading.tally, layout.path_of):
        yield partial(reader.read, part)


def _container_log(found: Recognised, reading: _Reading) -> Work:
    written = data_lines(unwrapped(found.chunks, reading.tally), reading.tally)
    yield from _lines_of(written, reading, reading.layout, is_log=True)


def _event_stream(found: Recognised, reading: _Reading) -> Work:
    layout = one_after_the_other(reading.layout)
    yield from _lines_of(data_lines(found.chunks, reading.tally), reading, layout, is_log=True)


def _lines(found: Recognised, reading: _Reading) -> Work:
    yield from _lines_of(found.chunks, reading, reading.layout, is_log=reading.layout.of_text is not None)


def _lines_of(chunks: Iterator[Chunk], reading: _Reading, layout: Layout, *, is_log: bool) -> Work:
    columns = ColumnReader(layout) if reading.as_columns else None
    # One reader for the file: one for each chunk forgot a session's totals and model after its first 16 MiB.
    reader = LineReader(layout, reading.tally, columns, is_log=is_log)
    for chunk in grouped(chunks, reading.tally):
        yield partial(reader.read, chunk)


_READERS: dict[FileKind, Callable[[Recognised, _Reading], Work]] = {
    FileKind.FOREIGN: _foreign,
    FileKind.PARQUET: _parquet,
    FileKind.PACKED_PARQUET: _packed_parquet,
    FileKind.CSV: _csv,
    FileKind.CONTAINER_LOG: _container_log,
    FileKind.EVENT_STREAM: _event_stream,
    FileKind.LINES: _lines,
}
_SIDE_BY_SIDE = (FileKind.CONTAINER_LOG, FileKind.LINES)
"""Kinds whose batches may be read at once: the others are read in order, because their readers remember what came before."""


def _fault_of_file(path: Path, reason: str, detail: str, reading: _Reading, item_no: int = 0) -> Callable[[], Batch]:
    """The whole file as one fault."""
    reading.tally.correct(1)
    fault = Fault(1, 0, path.stat().st_size, reason, detail, digest_of(b""), item_no)
    return partial(only_faults, [fault], reading.layout.paths)


def _absent_columns(layout: Layout, found: Iterable[str]) -> str | None:
    """In words, the declared columns that a table does not have. Its own are named where one of them is known: a line that names
    none may be a record, cut from its header, and hold anything."""
    names = list(found)
    absent = {option: column for option, column in layout.columns_of.items() if column not in names}
    if not absent:
        return None
    listed = ", ".join(f"{option} names {column!r}" for option, column in absent.items())
    is_known = bool(known_columns(names, layout.path_of, layout.readable))
    own = f"its columns are {', '.join(names)}" if is_known else f"none of its {len(names)} columns is known"
    return f"{listed}, which the file does not have; {own}"
