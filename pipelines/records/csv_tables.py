"""CSV files to rows of the columns that a layout reads, with exact places.

A record is found by its quotes, so that a line break inside a field shifts nothing; a record with too few or too many fields
is a fault. What the rows become is in `tables.py`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.records.line_chunks import Chunk, Fault, digest_of, is_blank
from pipelines.records.tables import Naming, TableChunk, known_columns
from pipelines.records.tally import Tally

MAX_CSV_RECORD_BYTES = 8 * 2**20
"""A quoted field that runs on for longer is taken for a quote that was never closed."""


@dataclass(frozen=True)
class Head:
    """Where the header of a table stands (the line's number, its bytes) and what separates its columns."""

    line_no: int
    line: bytes
    delimiter: str

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return csv_columns(self.line, self.delimiter)


@dataclass(frozen=True)
class _Header:
    """The columns of a CSV file, in order, and those that are read with the path that each stands for."""

    line: bytes
    names: list[str]
    known: dict[str, str]
    delimiter: str

    @property
    def twice(self) -> list[list[str]]:
        """The columns, by number, of each name that is read and that several columns have."""
        places = ([str(at) for at, name in enumerate(self.names) if name == known] for known in self.known)
        return [columns for columns in places if len(columns) > 1]


def csv_chunks(
    stream: Iterable[Chunk], head: Head, heads: frozenset[str], tally: Tally, named: Naming
) -> Iterator[TableChunk | Chunk]:
    """A CSV file's records below the header `head`; each line above it is a fault. Where the header comes again, as files that were
    joined have it, or another one that names the same columns, it holds for what follows it.

    Chunks of `stream` that only carry faults are passed on.
    """
    header: _Header | None = None
    pending: Chunk | None = None
    for chunk in stream:
        if chunk.faults:
            yield chunk
            continue
        if header is None:
            own = head.line_no - chunk.line_no
            if own >= len(chunk.ends):  # blank lines
                continue
            header = _header_of(head.line, head.delimiter, named, heads)
            yield from _above(chunk, own, header)
            tally.correct(-1 if header.known else 0)
            pending = chunk.lines_from(own + 1)
        else:
            pending = chunk if pending is None else pending.followed_by(chunk)
        while (again := _next_header(pending, header, named, heads)) is not None and pending is not None:
            line, following = again
            yield from _complete_records(pending.lines_from(0, line), header, tally, is_last=True)
            header, pending = following, pending.lines_from(line + 1)
            tally.correct(-1)
        pending = yield from _complete_records(pending, header, tally, is_last=False)
    if header is not None:
        yield from _complete_records(pending, header, tally, is_last=True)


def _header_of(line: bytes, delimiter: str, named: Naming, heads: frozenset[str]) -> _Header:
    names = csv_columns(line, delimiter)
    return _Header(line, names, known_columns(names, named, heads), delimiter)


def _above(chunk: Chunk, own: int, header: _Header) -> Iterator[Chunk]:
    """The lines above a header as faults: harmless, unless they have as many fields as a record. So is a header, as a fault,
    that names nothing that the format reads."""
    faults: list[Fault] = []
    for number in range(own + 1):
        line = chunk.data[chunk.starts[number] : chunk.ends[number]]
        place = (
            chunk.line_no + number,
            chunk.byte_from + int(chunk.starts[number]),
            chunk.byte_from + int(chunk.ends[number]),
        )
        if number == own and not header.known:
            detail = "the line where a table has its header names no column that the format reads"
            faults.append(Fault(*place, "missing_header", detail, digest_of(line)))
        elif number < own and chunk.filled[number]:
            is_record = line.lstrip().startswith(b"{") or (
                len(header.names) > 1 and len(csv_columns(line, header.delimiter)) == len(header.names)
            )
            severity, detail = ("error", "a record") if is_record else ("info", "a line")
            detail += f" above the header, which is line {chunk.line_no + own}"
            faults.append(Fault(*place, "above_header", detail, digest_of(line), severity=severity))
    if faults:
        yield Chunk(b"", chunk.line_no, chunk.byte_from, np.empty(0, np.int64), faults)


def _next_header(
    chunk: Chunk | None, header: _Header, named: Naming, heads: frozenset[str]
) -> tuple[int, _Header] | None:
    """The next line of a chunk that is a header of the same kind, and what it says; looked for by one of the names."""
    if chunk is None or not header.known:
        return None
    name = max(header.known, key=len).encode()
    around = (b"", b'"', b"\n", b"\r", header.delimiter.encode())
    at = chunk.data.find(name)
    while at >= 0:
        end = at + len(name)
        if chunk.data[max(at - 1, 0) : at] in around and chunk.data[end : end + 1] in around:
            line = int(np.searchsorted(chunk.ends, at, side="right"))
            text = chunk.data[chunk.starts[line] : chunk.ends[line]]
            found = _header_of(text, header.delimiter, named, heads)
            if text.strip() == header.line.strip() or len(found.known) >= max(2, len(header.known) / 2):
                return line, found
        at = chunk.data.find(name, end)
    return None


def _complete_records(
    pending: Chunk | None, header: _Header, tally: Tally, *, is_last: bool
) -> Generator[TableChunk | Chunk, None, Chunk | None]:
    """Yields the records that `pending` completes and returns the rest; a quote that stays open costs its line."""
    while pending is not None and len(pending.ends):
        ends = _record_ends(pending)
        if len(ends):
            yield _records(pending, ends, header, tally)
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


def _after(chunk: Chunk, cut: int) -> Chunk | None:
    """What follows byte `cut` of a chunk, which is the end of one of its lines."""
    if cut >= len(chunk.data):
        return None
    passed = int(np.searchsorted(chunk.ends, cut, side="right"))
    return Chunk(chunk.data[cut:], chunk.line_no + passed, chunk.byte_from + cut, chunk.ends[passed:] - cut)


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


def _records(chunk: Chunk, ends: npt.NDArray[np.int64], header: _Header, tally: Tally) -> TableChunk:
    names = header.names
    starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]])
    lines = chunk.line_no + np.searchsorted(chunk.ends, starts, side="right")
    faults: list[Fault] = []
    good: list[int] = []
    counts = _field_counts(chunk.data, ends, header.delimiter)
    whole = _is_utf8(chunk.data)
    of_lines = int(np.count_nonzero(chunk.filled[: np.searchsorted(chunk.ends, ends[-1], side="right")]))
    records = 0
    for number, (start, end, count) in enumerate(zip(starts.tolist(), ends.tolist(), counts.tolist(), strict=True)):
        record = chunk.data[start:end]
        if count == 1 and is_blank(record):
            continue
        records += 1
        if count != len(names):
            reason, detail = "wrong_field_count", f"the record has {count} fields, the header has {len(names)}"
        elif not whole and not _is_utf8(record):
            reason, detail = "not_utf8", "the record is not UTF-8"
        else:
            good.append(number)
            continue
        place = (int(lines[number]), chunk.byte_from + start, chunk.byte_from + end)
        faults.append(Fault(*place, reason, detail, digest_of(record)))
    tally.correct(records - of_lines)
    stretches = list(zip(starts[good].tolist(), ends[good].tolist(), strict=True))
    rows, broken = _parsed(chunk.data, stretches, header)
    for number, (reason, detail) in broken.items():
        start, end = stretches[number]
        place = (int(lines[good[number]]), chunk.byte_from + start, chunk.byte_from + end)
        faults.append(Fault(*place, reason, detail, digest_of(chunk.data[start:end])))
    good = [number for index, number in enumerate(good) if index not in broken]
    kept = np.asarray(good, dtype=np.int64)
    index = pl.int_range(len(good), eager=True)
    places = pl.DataFrame(
        {
            "index": index,
            "line_no": lines[kept],
            "byte_from": chunk.byte_from + starts[kept],
            "byte_to": chunk.byte_from + ends[kept],
        }
    )
    return TableChunk(rows, places, faults, chunk.data, chunk.byte_from, frozenset(header.known.values()))


def _field_counts(data: bytes, ends: npt.NDArray[np.int64], delimiter: str) -> npt.NDArray[np.int64]:
    buffer = np.frombuffer(data, np.uint8)
    separators = np.flatnonzero(buffer == ord(delimiter))
    quotes = np.flatnonzero(buffer == ord('"'))
    outside = separators[np.searchsorted(quotes, separators) % 2 == 0]
    upto = np.searchsorted(outside, ends)
    return np.diff(upto, prepend=0) + 1


def _parsed(
    data: bytes, stretches: list[tuple[int, int]], header: _Header
) -> tuple[pl.DataFrame, dict[int, tuple[str, str]]]:
    """The records at `stretches` of `data` as rows of the columns that are read, and why others can't be read, by their index: by
    halves, so that one does not take its neighbours with it."""
    if not stretches:
        return pl.DataFrame(schema=dict.fromkeys(header.known.values() or [""], pl.String())), {}
    whole = stretches[-1][1] - stretches[0][0] == sum(end - start for start, end in stretches)
    text = data[stretches[0][0] : stretches[-1][1]] if whole else b"".join(data[start:end] for start, end in stretches)
    columns = [str(number) for number in range(len(header.names))]  # two columns of a file may have one name
    try:
        rows = pl.read_csv(
            io.BytesIO(text), separator=header.delimiter, has_header=False, new_columns=columns, infer_schema=False
        )
    except pl.exceptions.PolarsError:
        rows = pl.DataFrame()
    if rows.shape == (len(stretches), len(columns)):
        if not header.known:
            return pl.DataFrame({"": [None] * len(stretches)}, schema={"": pl.String()}), {}
        differing = _differing(rows, header)
        numbers = np.flatnonzero(differing).tolist()
        detail = "columns of one name hold different values"
        return (
            rows.filter(~differing).select(
                pl.col(str(header.names.index(name))).alias(path) for name, path in header.known.items()
            ),
            dict.fromkeys(numbers, ("ambiguous_column", detail)),
        )
    if len(stretches) == 1:
        return _parsed(data, [], header)[0], {0: ("not_csv", "the record's quotes are not those of a CSV file")}
    half = len(stretches) // 2
    (first, broken), (second, more) = _parsed(data, stretches[:half], header), _parsed(data, stretches[half:], header)
    return pl.concat([first, second]), broken | {half + number: why for number, why in more.items()}


def _differing(rows: pl.DataFrame, header: _Header) -> pl.Series:
    """Which rows hold different values in columns of one name, so that none of them can be believed."""
    found = pl.repeat(value=False, n=rows.height, dtype=pl.Boolean, eager=True)
    for first, *others in header.twice:
        for other in others:
            found |= rows[first].ne_missing(rows[other])
    return found


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
