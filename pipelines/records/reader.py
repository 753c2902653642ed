"""A landed file to batches of texts with their places: picks the reader by what the bytes are, not by the name.

Each batch is bounded in memory. Lines and bytes come from `line_chunks.py`, what a file is from `file_kinds.py` and `line_groups.py`, JSON is read by `json_columns.py`, `json_texts.py` and
`json_documents.py`, tables by `tables.py`; what the texts mean is decided in `normalise.py`.
"""

from __future__ import annotations

import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TypeVar

import numpy as np
import polars as pl

from pipelines.records.batches import POSITION, Batch
from pipelines.records.container_logs import unwrapped
from pipelines.records.event_streams import MARKS, data_lines, is_event_stream, one_after_the_other
from pipelines.records.file_kinds import head_of, is_wrapped, sample_of
from pipelines.records.json_columns import QuickReader
from pipelines.records.json_documents import Item, debris_item, document_items, is_joined, line_items, reader_of
from pipelines.records.json_texts import JsonDecoder
from pipelines.records.layout import ItemReader, Layout
from pipelines.records.line_chunks import (
    Chunk,
    Fault,
    Span,
    Tally,
    chunks,
    digest_of,
    foreign_kind,
    is_parquet,
    is_parquet_head,
    line_frame,
    unpack,
)
from pipelines.records.line_groups import spanned
from pipelines.records.paths import path_tree
from pipelines.records.tables import TableChunk, csv_chunks, known_columns, parquet_chunks, parquet_columns

T = TypeVar("T")

_WORKERS = min(4, os.cpu_count() or 1)
"""Chunks of lines that are read at once: each costs some 200 MB."""


_FEW_LINES = 64
"""So few are read one by one, which is quicker than setting up the reading of blocks."""


def read_batches(path: Path, fmt: Layout, tally: Tally) -> Iterator[Batch]:
    """Every record of a file, once, as a row of `flat` or as a fault; `tally` counts them by the file's bytes."""
    yield from _read(path, fmt, lambda batch: batch, None, tally)


def read_finished(path: Path, fmt: Layout, finish: Callable[[Batch], T], tally: Tally | None = None) -> Iterator[T]:
    """As `read_batches`, but also with rows of `typed`, and each batch as what `finish` makes of it.

    Chunks of lines are read and finished side by side; what they become comes in their order.
    """
    yield from _read(path, fmt, finish, QuickReader(fmt), tally or Tally())


def _read(
    path: Path, fmt: Layout, finish: Callable[[Batch], T], quick: QuickReader | None, tally: Tally
) -> Iterator[T]:
    tree = path_tree(fmt.paths, fmt.detail_paths)
    decoder = JsonDecoder(tree, fmt.exact_paths)
    heads = fmt.heads
    if is_parquet(path):
        yield from map(finish, _parquet(path, fmt, heads, decoder, tally))
        return
    if (kind := foreign_kind(path)) is not None:
        detail = f"the file is {kind}: unpack or convert it; JSON lines, JSON, CSV and Parquet are read, also as gzip or zstd"
        fault = Fault(1, 0, path.stat().st_size, "unknown_container", detail, digest_of(b""))
        tally.correct(1)
        yield finish(_one_fault(fault, decoder))
        return
    stream = chunks(path, tally)
    early: list[Chunk] = []
    sample: dict[int, bytes] = {}
    for chunk in stream:
        early.append(chunk)
        sample = sample_of(chunk)
        if sample:
            break
    if sample and is_parquet_head(early[-1].data):
        tally.of_bytes = 0
        yield from map(finish, _packed_parquet(path, fmt, heads, decoder, tally))
        return
    replay: Iterator[Chunk] = chain(early, stream)
    wrapped = is_wrapped(sample)
    head = None if wrapped else head_of(sample, path, fmt, heads)
    if head is not None:
        absent = _absent_columns(fmt, head.columns)
        parts = csv_chunks(replay, head, heads, tally, fmt.column_name)
        yield from map(finish, _tables(parts, _How(fmt, decoder, None, reader_of(fmt), tally), absent))
        return
    is_stream = is_event_stream(early[-1].data.lstrip()) if early else False
    if wrapped:
        replay = unwrapped(replay, tally)
    if wrapped or is_stream:
        replay = data_lines(replay, tally)
    # One reader for the file: one for each chunk forgot a session's totals and model after its first 16 MiB.
    is_log = wrapped or is_stream or fmt.of_text is not None
    fmt = one_after_the_other(fmt) if is_stream else fmt
    how = _How(fmt, decoder, quick, reader_of(fmt), tally, is_log)
    workers = 1 if fmt.in_sequence else _WORKERS
    yield from _lines(spanned(replay, tally), lambda chunk: finish(_chunk_batch(chunk, how)), workers)


def _parquet(path: Path, fmt: Layout, heads: set[str], decoder: JsonDecoder, tally: Tally) -> Iterator[Batch]:
    columns = parquet_columns(path)
    if isinstance(columns, Fault):
        tally.correct(1)
        yield _one_fault(columns, decoder)
        return
    parts = parquet_chunks(path, heads, tally, fmt.column_name)
    how = _How(fmt, decoder, None, reader_of(fmt), tally)
    yield from _tables(parts, how, _absent_columns(fmt, columns))


def _packed_parquet(path: Path, fmt: Layout, heads: set[str], decoder: JsonDecoder, tally: Tally) -> Iterator[Batch]:
    """A Parquet file inside gzip or zstd: its index stands at its end, so that it is unpacked to the disk first."""
    with tempfile.TemporaryDirectory(prefix="modelmeter-") as folder:
        target = Path(folder, "unpacked.parquet")
        trouble = unpack(path, target)
        yield from _parquet(target, fmt, heads, decoder, tally)
        if trouble is not None:
            tally.correct(1)
            reason, detail = trouble
            yield _one_fault(Fault(1, 0, path.stat().st_size, reason, detail, digest_of(b""), item_no=1), decoder)


def _one_fault(fault: Fault, decoder: JsonDecoder) -> Batch:
    return _decoded(_only_faults(Chunk(b"", fault.line_no, fault.byte_from, np.empty(0, np.int64), [fault])), decoder)


def _absent_columns(fmt: Layout, found: Iterable[str]) -> str | None:
    """In words, the declared columns that a table does not have. Its own are named where one of them is known: a line that names
    none may be a record, cut from its header, and hold anything."""
    names = list(found)
    absent = {option: column for option, column in fmt.columns_of.items() if column not in names}
    if not absent:
        return None
    listed = ", ".join(f"{option} names {column!r}" for option, column in absent.items())
    known = known_columns(names, fmt.column_name, fmt.heads)
    told = f"its columns are {', '.join(names)}" if known else f"none of its {len(names)} columns is known"
    return f"{listed}, which the file does not have; {told}"


def _lines(stream: Iterator[Chunk], finished: Callable[[Chunk], T], workers: int) -> Iterator[T]:
    """In the order of the chunks, some of which are read at once while the caller uses the one before."""
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[T]] = deque()
        for chunk in stream:
            waiting.append(pool.submit(finished, chunk))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


@dataclass(frozen=True)
class _How:
    """What reads the lines of one file; in a log, lines that are no records are expected."""

    fmt: Layout
    decoder: JsonDecoder
    quick: QuickReader | None
    reader: ItemReader
    tally: Tally
    is_log: bool = False


def _chunk_batch(chunk: Chunk, how: _How) -> Batch:
    """The chunk's lines typed as far as they are sound, the others as texts."""
    found = how.quick.read(chunk) if how.quick else None
    if found is None:
        return _line_batch(chunk, how)
    index = found.rows["index"]

    def again(marked: pl.Series) -> Batch:
        return _line_batch(replace(chunk, faults=[]), how, index.filter(marked).to_list())

    alone = found.left[~chunk.is_spanned[found.left]]
    left = _line_batch(chunk, how, alone.tolist(), chunk.spans)
    return replace(left, typed=_placed(_places(chunk), found.rows), again=again)


def _line_batch(chunk: Chunk, how: _How, wanted: list[int] | None = None, spans: Sequence[Span] | None = None) -> Batch:
    """The chunk's lines as texts, all of them or those wanted, and what its spans hold, all or those given, with the chunk's
    own faults."""
    tree = path_tree(how.fmt.paths, how.fmt.detail_paths)
    lines, faults = line_frame(chunk, wanted)
    opened = lines.select(_goes_through_items(how.fmt)).to_series()
    table = TableChunk(lines.filter(~opened), _places(chunk), faults, chunk.data, chunk.byte_from)
    plain = _decoded(table, how.decoder)
    joined: list[Fault] = []
    sound: list[Fault] = []
    for fault in plain.faults:
        (joined if is_joined(fault.reason, fault.detail) else sound).append(fault)
    together = (chunk.spans if wanted is None else ()) if spans is None else spans
    held = [Span(index, index + 1) for index in lines["index"].filter(opened).to_list()]
    items: list[Item] = []
    # In their order: some readers remember earlier lines of the file.
    for span in sorted([*held, *together], key=lambda span: span.first):
        items += _items_of(chunk, span, how, together=span in together)
    for fault in joined:
        index = fault.line_no - chunk.line_no
        items += _items_of(chunk, Span(index, index + 1), how, together=False)
    inner = _item_batch(items, tree.paths, [], chunk.data, chunk.byte_from)
    flat = plain.flat
    if items:
        flat = pl.concat([plain.flat.select(inner.flat.columns), inner.flat]).sort("line_no", "item_no")
    found = [_half_written(fault, chunk) for fault in (*chunk.faults, *sound, *inner.faults)]
    return Batch(flat, [_chatter(fault, chunk) for fault in found] if how.is_log else found, plain.record)


def _items_of(chunk: Chunk, span: Span, how: _How, *, together: bool) -> list[Item]:
    """The records of a span, or of one line; they count as one record of the file's bytes."""
    start, end = int(chunk.starts[span.first]), int(chunk.ends[span.last - 1])
    data, tree = chunk.data[start:end], path_tree(how.fmt.paths, how.fmt.detail_paths)
    place = (chunk.line_no + span.first, chunk.byte_from + start)
    if span.is_debris:
        return [debris_item(data, *place)]
    if together:
        items = list(document_items(data, *place, how.reader, tree))
    else:
        items = list(line_items(data, place, how.reader, tree, how.fmt.of_text))
    how.tally.correct(len(items) - 1)
    return items


def _goes_through_items(fmt: Layout) -> pl.Expr:
    if fmt.items is None:
        return pl.col("line").is_null()
    if not fmt.marks:
        return pl.col("line").is_not_null()
    return pl.col("line").str.contains_any(list(fmt.marks))


def _places(chunk: Chunk) -> pl.DataFrame:
    index = np.arange(len(chunk.ends))
    return pl.DataFrame(
        {
            "index": index,
            "line_no": chunk.line_no + index,
            "byte_from": chunk.byte_from + chunk.starts,
            "byte_to": chunk.byte_from + chunk.ends,
        }
    )


def _placed(places: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` with POSITION in place of their index."""
    own = places if rows.height == places.height else places[rows["index"]]
    own = own.drop("index").with_columns(item_no=pl.lit(0)).select(*POSITION).cast(pl.Schema(POSITION))
    return own.hstack(rows.drop("index"))


def _tables(parts: Iterator[TableChunk | Chunk], how: _How, absent: str | None) -> Iterator[Batch]:
    for part in parts:
        batch = _table_batch(part if isinstance(part, TableChunk) else _only_faults(part), how)
        yield batch if absent is None else _refused(batch, absent)


def _table_batch(part: TableChunk, how: _How) -> Batch:
    """The rows of a table; one that holds the text of an event stream gives a record for each of its events."""
    opened = part.lines["line"].str.contains_any(list(MARKS)) if how.fmt.bodies else None
    if opened is None or not opened.any():
        return _decoded(part, how.decoder)
    plain = _decoded(replace(part, lines=part.lines.filter(~opened)), how.decoder)
    tree = path_tree(how.fmt.paths, how.fmt.detail_paths)
    items: list[Item] = []
    for index, line in part.lines.filter(opened).iter_rows():
        _, line_no, byte_from, byte_to = part.places.row(index)
        found = [item.at(byte_from, byte_to) for item in line_items(line.encode(), (line_no, 0), how.reader, tree)]
        how.tally.correct(len(found) - 1)
        items += found
    inner = _item_batch(items, tree.paths, [], b"", 0)
    flat = pl.concat([plain.flat.select(inner.flat.columns), inner.flat]).sort("line_no", "item_no")
    return Batch(flat, [*plain.faults, *inner.faults], _records_of(part), written=part.written)


def _refused(batch: Batch, detail: str) -> Batch:
    """Every row as a fault: the declaration does not fit the table, so that nothing in it can be trusted."""
    faults = list(batch.faults)
    for line_no, item_no, byte_from, byte_to in batch.flat.select(*POSITION).iter_rows():
        digest = digest_of(batch.record(line_no, byte_from, byte_to))
        faults.append(Fault(line_no, byte_from, byte_to, "missing_column", detail, digest, item_no))
    return Batch(batch.flat.clear(), faults, batch.record)


def _decoded(part: TableChunk, decoder: JsonDecoder) -> Batch:
    few = part.lines.height <= _FEW_LINES
    flat, failures = decoder.one_by_one(part.lines) if few else decoder.decode(part.lines)
    record = _records_of(part)
    faults = list(part.faults)
    for failure in failures:
        _, line_no, byte_from, byte_to = part.places.row(failure.index)
        digest = digest_of(record(line_no, byte_from, byte_to))
        faults.append(Fault(line_no, byte_from, byte_to, failure.reason, failure.detail, digest))
    return Batch(_placed(part.places, flat), faults, record, written=part.written)


def _records_of(part: TableChunk) -> Callable[[int, int | None, int | None], bytes]:
    def record(line_no: int, byte_from: int | None, byte_to: int | None) -> bytes:
        if byte_from is None or byte_to is None:
            return str(part.lines["line"][line_no - int(part.places["line_no"][0])]).encode()
        return part.data[byte_from - part.data_from : byte_to - part.data_from]

    return record


def _only_faults(chunk: Chunk) -> TableChunk:
    lines = pl.DataFrame(schema={"index": pl.Int64, "line": pl.String})
    places = pl.DataFrame(schema={"index": pl.Int64, "line_no": pl.Int64, "byte_from": pl.Int64, "byte_to": pl.Int64})
    return TableChunk(lines, places, chunk.faults)


def _chatter(fault: Fault, chunk: Chunk) -> Fault:
    """What a server says about itself is no record, and no broken one: only what begins as an object is."""
    start = fault.byte_from - chunk.byte_from
    end = fault.byte_to - chunk.byte_from
    if fault.reason != "not_json" or chunk.data[start:end].lstrip().startswith(b"{"):
        return fault
    return replace(fault, reason="not_a_request", severity="info", detail="a line of a server's log that is no record")


def _half_written(fault: Fault, chunk: Chunk) -> Fault:
    last = fault.byte_to == chunk.byte_from + len(chunk.data) and not chunk.data.endswith(b"\n")
    if fault.reason != "not_json" or not last:
        return fault
    return replace(fault, detail=f"{fault.detail}; the last line has no line end: probably half-written")


def _item_batch(items: list[Item], paths: list[str], faults: list[Fault], data: bytes, data_from: int) -> Batch:
    good = [item for item in items if item.texts is not None]
    found = [*faults, *(item.fault for item in items if item.fault is not None)]
    columns = {
        "line_no": [item.line_no for item in good],
        "item_no": [item.item_no for item in good],
        "byte_from": [item.byte_from for item in good],
        "byte_to": [item.byte_to for item in good],
    }
    texts = {path: [item.texts[path] for item in good if item.texts is not None] for path in paths}
    flat = pl.DataFrame({**columns, **texts}, schema={**POSITION, **dict.fromkeys(paths, pl.String())})

    def record(_line_no: int, byte_from: int | None, byte_to: int | None) -> bytes:
        return b"" if byte_from is None or byte_to is None else data[byte_from - data_from : byte_to - data_from]

    return Batch(flat, found, record)
