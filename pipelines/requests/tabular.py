"""CSV and Parquet to the same lines of JSON that every other file is decoded from, with exact places.

Only columns that a format reads are taken. A CSV record is found by its quotes, so that a line break inside a
field shifts nothing; a record with too few or too many fields is a fault. JSON itself is read in `decode.py`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.outside import worded
from pipelines.requests.stream import Chunk, Fault, digest_of

PARQUET_ROWS = 50_000
_DAMAGE = (OSError, pa.ArrowException, UnicodeDecodeError)
"""What reading a truncated or damaged Parquet file raises."""
Naming = Callable[[str], str]
"""How a format brings a column's name to the path that it stands for."""

MAX_CSV_RECORD_BYTES = 8 * 2**20
"""A quoted field that runs on for longer is taken for a quote that was never closed."""


@dataclass(frozen=True)
class TableChunk:
    """Rows of a table as JSON lines: `lines` has index and line, `places` line_no, byte_from, byte_to per index.

    `data` are the bytes that the places point into, from `data_from` on; empty for Parquet. `written` are the paths
    whose values are texts in the table.
    """

    lines: pl.DataFrame
    places: pl.DataFrame
    faults: list[Fault]
    data: bytes = b""
    data_from: int = 0
    written: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Header:
    """The columns of a CSV file, in order, and those that are read with the path that each stands for."""

    names: list[str]
    known: dict[str, str]
    delimiter: str


def as_json_lines(rows: pl.DataFrame) -> pl.Series:
    """One JSON object per row; bytes become hexadecimal text, not-a-number becomes null."""
    binary = [name for name, dtype in rows.schema.items() if dtype == pl.Binary]
    buffer = io.BytesIO()
    rows.with_columns(pl.col(binary).bin.encode("hex")).write_ndjson(buffer)
    return pl.Series("line", buffer.getvalue().decode().split("\n")[: rows.height], dtype=pl.String)


def known_columns(found: Iterable[str], named: Naming, heads: set[str]) -> dict[str, str]:
    """Columns that a format reads, each to the path that it stands for; a name of its own comes before one translated."""
    names = list(found)
    own = {name: name for name in names if name in heads}
    for name in names:
        path = named(name)
        if name not in own and path in heads and path not in own.values():
            own[name] = path
    return own


def parquet_columns(path: Path) -> list[str] | Fault:
    """The column names of a Parquet file, or why it can't be opened."""
    try:
        with pq.ParquetFile(path) as file:
            return list(file.schema_arrow.names)
    except _DAMAGE as error:
        return _damaged(path, 1, error)


def parquet_chunks(path: Path, heads: set[str], named: Naming = str) -> Iterator[TableChunk | Chunk]:
    """A Parquet file's rows; `line_no` is the row from 1, and there are no byte positions.

    A row group that is damaged becomes one fault from its first row that can't be read; the others are read.
    """
    with pq.ParquetFile(path) as file:
        known = known_columns(file.schema_arrow.names, named, heads)
        before = 0
        for group in range(file.num_row_groups):
            first = before + 1
            try:
                for batch in file.iter_batches(batch_size=PARQUET_ROWS, row_groups=[group], columns=list(known)):
                    yield _rows(batch, known, first)
                    first += batch.num_rows
            except _DAMAGE as error:
                fault = _damaged(path, first, error)
                yield Chunk(b"", first, 0, np.empty(0, np.int64), [fault])
            before += file.metadata.row_group(group).num_rows


def _rows(batch: pa.RecordBatch, known: dict[str, str], first: int) -> TableChunk:
    held = pl.DataFrame(pl.from_arrow(batch)).rename(known) if known else pl.DataFrame({"": [None] * batch.num_rows})
    index = pl.int_range(held.height, eager=True)
    places = pl.DataFrame({"index": index, "line_no": index + first}).with_columns(
        byte_from=pl.lit(None, dtype=pl.Int64), byte_to=pl.lit(None, dtype=pl.Int64)
    )
    written = frozenset(name for name, dtype in held.schema.items() if dtype in (pl.String, pl.Categorical))
    return TableChunk(pl.DataFrame([index.alias("index"), as_json_lines(held)]), places, [], written=written)


def _damaged(path: Path, row: int, error: Exception) -> Fault:
    detail = f"the Parquet file can't be read from row {row} on: {worded(error)}; what is damaged counts as one record"
    return Fault(row, 0, path.stat().st_size, "broken_parquet", detail, digest_of(b""))


def csv_chunks(
    stream: Iterable[Chunk], heads: set[str], delimiter: str, named: Naming = str
) -> Iterator[TableChunk | Chunk]:
    """A CSV file's records; chunks of `stream` that only carry faults are passed on."""
    header: _Header | None = None
    pending: Chunk | None = None
    for chunk in stream:
        if chunk.faults:
            yield chunk
            continue
        pending = _joined(pending, chunk)
        if header is None:
            line, pending = _header(pending)
            names = csv_columns(line, delimiter)
            header = _Header(names, known_columns(names, named, heads), delimiter)
        pending = yield from _complete_records(pending, header, is_last=False)
    if header is not None:
        yield from _complete_records(pending, header, is_last=True)


def _complete_records(
    pending: Chunk | None, header: _Header, *, is_last: bool
) -> Generator[TableChunk | Chunk, None, Chunk | None]:
    """Yields the records that `pending` completes and returns the rest; a quote that stays open costs its line."""
    while pending is not None:
        ends = _record_ends(pending)
        if len(ends):
            yield _records(pending, ends, header)
            pending = _after(pending, int(ends[-1]))
        elif is_last or len(pending.data) > MAX_CSV_RECORD_BYTES:
            fault, pending = _unclosed(pending)
            yield Chunk(b"", fault.line_no, fault.byte_from, np.empty(0, np.int64), [fault])
        else:
            break
    return pending


def csv_columns(line: bytes, delimiter: str) -> list[str]:
    """The column names of a header line; none where the line is nothing that a table has."""
    text = line.decode("utf-8-sig", errors="replace").strip("\r\n")
    try:
        return [name.strip() for name in next(csv.reader([text], delimiter=delimiter), [])]
    except csv.Error:  # a field longer than the module takes
        return []


def _joined(pending: Chunk | None, chunk: Chunk) -> Chunk:
    if pending is None:
        return chunk
    shift = len(pending.data)
    return Chunk(
        pending.data + chunk.data,
        pending.line_no,
        pending.byte_from,
        np.concatenate([pending.ends, chunk.ends + shift]),
    )


def _after(chunk: Chunk, cut: int) -> Chunk | None:
    """What follows byte `cut` of a chunk, which is the end of one of its lines."""
    if cut >= len(chunk.data):
        return None
    passed = int(np.searchsorted(chunk.ends, cut, side="right"))
    return Chunk(chunk.data[cut:], chunk.line_no + passed, chunk.byte_from + cut, chunk.ends[passed:] - cut)


def _header(chunk: Chunk) -> tuple[bytes, Chunk | None]:
    end = int(chunk.ends[0])
    return chunk.data[:end], _after(chunk, end)


def _record_ends(chunk: Chunk) -> npt.NDArray[np.int64]:
    """Line ends that close a record: those with an even number of quotes before them."""
    quotes = np.flatnonzero(np.frombuffer(chunk.data, np.uint8) == ord('"'))
    return chunk.ends[np.searchsorted(quotes, chunk.ends) % 2 == 0] if len(quotes) else chunk.ends


def _unclosed(chunk: Chunk) -> tuple[Fault, Chunk | None]:
    """The first line of a chunk whose quote is never closed, as a fault, and what follows that line."""
    end = int(chunk.ends[0])
    record = chunk.data[:end]
    detail = "a quote is opened on this line and never closed"
    digest = digest_of(record)
    return Fault(chunk.line_no, chunk.byte_from, chunk.byte_from + end, "not_csv", detail, digest), _after(chunk, end)


def _records(chunk: Chunk, ends: npt.NDArray[np.int64], header: _Header) -> TableChunk:
    names = header.names
    starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]])
    lines = chunk.line_no + np.searchsorted(chunk.ends, starts, side="right")
    faults: list[Fault] = []
    good: list[int] = []
    counts = _field_counts(chunk.data, ends, header.delimiter)
    whole = _is_utf8(chunk.data)
    for number, (start, end, count) in enumerate(zip(starts.tolist(), ends.tolist(), counts.tolist(), strict=True)):
        record = chunk.data[start:end]
        if count == 1 and not record.strip():
            continue
        if count != len(names):
            reason, detail = "wrong_field_count", f"the record has {count} fields, the header has {len(names)}"
        elif not whole and not _is_utf8(record):
            reason, detail = "not_utf8", "the record is not UTF-8"
        else:
            good.append(number)
            continue
        place = (int(lines[number]), chunk.byte_from + start, chunk.byte_from + end)
        faults.append(Fault(*place, reason, detail, digest_of(record)))
    kept = np.asarray(good, dtype=np.int64)
    data = chunk.data[: ends[-1]] if len(good) == len(ends) else b"".join(chunk.data[starts[n] : ends[n]] for n in good)
    rows = _parsed(data, header, len(good))
    index = pl.int_range(len(good), eager=True)
    places = pl.DataFrame(
        {
            "index": index,
            "line_no": lines[kept],
            "byte_from": chunk.byte_from + starts[kept],
            "byte_to": chunk.byte_from + ends[kept],
        }
    )
    lines_frame = pl.DataFrame([index.alias("index"), as_json_lines(rows)])
    return TableChunk(lines_frame, places, faults, chunk.data, chunk.byte_from, frozenset(header.known.values()))


def _field_counts(data: bytes, ends: npt.NDArray[np.int64], delimiter: str) -> npt.NDArray[np.int64]:
    buffer = np.frombuffer(data, np.uint8)
    separators = np.flatnonzero(buffer == ord(delimiter))
    quotes = np.flatnonzero(buffer == ord('"'))
    outside = separators[np.searchsorted(quotes, separators) % 2 == 0]
    upto = np.searchsorted(outside, ends)
    return np.diff(upto, prepend=0) + 1


def _parsed(data: bytes, header: _Header, expected: int) -> pl.DataFrame:
    rows = (
        pl.read_csv(
            io.BytesIO(data), separator=header.delimiter, has_header=False, new_columns=header.names, infer_schema=False
        )
        if expected
        else pl.DataFrame(schema=dict.fromkeys(header.names, pl.String()))
    )
    if rows.height != expected:
        raise AssertionError(f"{expected} CSV records were read as {rows.height} rows")
    if not header.known:
        return pl.DataFrame({"": [None] * expected})
    return rows.select(list(header.known)).rename(header.known)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
