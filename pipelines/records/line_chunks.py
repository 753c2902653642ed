"""A landed file as bounded chunks of whole lines with their places.

A line that is too long and an archive that ends too early become faults with their place; memory stays bounded. The bytes
come from `unpacking.py`. What the lines hold is read elsewhere: JSON in `line_reader.py`, tables in `tables.py`.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from pipelines.constant import empty
from pipelines.records.tally import Tally
from pipelines.records.unpacking import CHUNK_BYTES, UTF8_BOM, Unpacked

MAX_RECORD_BYTES = 64 * 2**20
"""A longer record is set aside unread: no request record without content text comes near."""
MAX_CHUNK_LINES = 125_000
"""Lines of a request are longer than 134 bytes; a chunk of shorter ones is cut, because memory goes by lines and columns."""

_STRETCH_BYTES = 2**18
_LINES = {"index": pl.Int64(), "line": pl.String()}
_WHITE = "".join(c for c in map(chr, range(0x3001)) if c.isspace() and not "\x1c" <= c <= "\x1f") + "\ufeff"
"""Unicode's white space, and the byte order mark that joined files leave on a line of its own."""


@dataclass(frozen=True)
class Fault:
    """A stretch of the decompressed file that can't be read: bytes [byte_from, byte_to) from line `line_no`."""

    line_no: int
    byte_from: int
    byte_to: int
    reason: str
    detail: str
    sha256: str
    item_no: int = 0
    severity: str = "error"


@dataclass(frozen=True)
class LineGroup:
    """The lines [first, last) of a chunk that are read together, because a value does not end with its line.

    `is_debris`: they are pieces of a document whose beginning or end is missing.
    """

    first: int
    last: int
    is_debris: bool = False


@dataclass(frozen=True)
class Chunk:
    """Whole lines. `ends` holds, per line, the index in `data` after its last byte (line end included)."""

    data: bytes
    line_no: int
    byte_from: int
    ends: npt.NDArray[np.int64]
    faults: list[Fault] = field(default_factory=list)
    groups: tuple[LineGroup, ...] = ()

    @cached_property  # asked for line by line: built anew each time, 250,000 doubtful lines took more than a minute
    def starts(self) -> npt.NDArray[np.int64]:
        """Per line, the index in `data` of its first byte."""
        return np.concatenate([np.zeros(min(1, len(self.ends)), np.int64), self.ends[:-1]])

    @cached_property
    def filled(self) -> npt.NDArray[np.bool_]:
        """Per line, whether it holds more than white space: each that does is one record, unless it belongs to another's."""
        first = np.frombuffer(self.data, np.uint8)[self.starts]
        filled = (first > ord(" ")) & (first < 128)
        doubted = ~filled & ((self.ends - self.starts > 1) | (first != ord("\n")))
        for number in np.flatnonzero(doubted).tolist():
            filled[number] = not is_blank(self.data[self.starts[number] : self.ends[number]])
        return np.asarray(filled)

    @cached_property
    def stands_alone(self) -> npt.NDArray[np.bool_]:
        """Which lines start with `{` and end with `}`."""
        data = np.frombuffer(self.data, np.uint8)
        starts, ends = self.starts, self.ends.copy()
        for end_byte in b"\n\r":
            ends -= (data[np.maximum(ends - 1, 0)] == end_byte) & (ends > starts)
        first, last = data[np.minimum(starts, len(data) - 1)], data[np.maximum(ends - 1, 0)]
        return np.asarray((ends > starts) & (first == ord("{")) & (last == ord("}")))

    @cached_property
    def is_grouped(self) -> npt.NDArray[np.bool_]:
        """Which lines lie in one of the groups."""
        marks = np.zeros(len(self.ends), np.bool_)
        for group in self.groups:
            marks[group.first : group.last] = True
        return marks

    def lines_from(self, first: int, last: int | None = None) -> Chunk:
        """The lines [first, last) as a chunk of their own, without faults and groups."""
        last = len(self.ends) if last is None else last
        start = int(self.starts[first]) if first < len(self.ends) else len(self.data)
        ends = self.ends[first:last] - start
        data = self.data[start : start + int(ends[-1])] if len(ends) else b""
        return Chunk(data, self.line_no + first, self.byte_from + start, ends)

    def followed_by(self, chunk: Chunk) -> Chunk:
        """Both as one, without groups."""
        ends = np.concatenate([self.ends, chunk.ends + len(self.data)])
        return Chunk(self.data + chunk.data, self.line_no, self.byte_from, ends, [*self.faults, *chunk.faults])


def is_blank(line: bytes) -> bool:
    """Whether a line is white space only."""
    try:
        return not line.decode().strip(_WHITE)
    except UnicodeDecodeError:
        return False


def chunks(
    path: Path,
    tally: Tally | None = None,
    *,
    encoding: str | None = None,
    chunk_bytes: int = CHUNK_BYTES,
    max_record: int = MAX_RECORD_BYTES,
) -> Iterator[Chunk]:
    """The lines of a plain, gzip or zstd file in order, some `chunk_bytes` at a time; `tally` counts their records.

    Positions count bytes of the decompressed file; UTF-16, or an `encoding` that is declared, is read as its UTF-8 form and positions count that.
    """
    tally = tally or Tally()
    unpacked = Unpacked(path, chunk_bytes, tally, encoding)
    for chunk in _chunks(unpacked, max_record):
        tally.of_bytes -= len(chunk.ends) - int(np.count_nonzero(chunk.filled))
        yield chunk
    tally.correct(int(unpacked.trouble is not None))


def _chunks(unpacked: Unpacked, max_record: int) -> Iterator[Chunk]:
    pending = b""
    line_no, byte_from = 1, len(UTF8_BOM) if unpacked.has_utf8_bom else 0
    for piece in unpacked.pieces():
        first_end = piece.find(b"\n") + 1
        if len(pending) + (first_end or len(piece)) > max_record:
            fault, pending = _skip_line(pending + piece, unpacked, line_no, byte_from)
            yield Chunk(b"", line_no, byte_from, np.empty(0, np.int64), [fault])
            line_no, byte_from = line_no + 1, fault.byte_to
            continue
        if not first_end:
            pending += piece
            continue
        cut = piece.rfind(b"\n") + 1
        data, pending = b"".join((pending, memoryview(piece)[:cut])), piece[cut:]
        chunk = _chunk(data, line_no, byte_from)
        yield from _cut(chunk)
        line_no, byte_from = line_no + len(chunk.ends), byte_from + len(data)
    if pending:
        yield _chunk(pending, line_no, byte_from)
        line_no, byte_from = line_no + 1, byte_from + len(pending)
    if unpacked.trouble:
        reason, detail = unpacked.trouble
        fault = Fault(line_no, byte_from, byte_from, reason, detail, digest_of(b""))
        yield Chunk(b"", line_no, byte_from, np.empty(0, np.int64), [fault])


def _chunk(data: bytes, line_no: int, byte_from: int) -> Chunk:
    # By stretches that stay in the processor's cache.
    stretches = range(0, len(data), _STRETCH_BYTES)
    found = [np.flatnonzero(np.frombuffer(data, np.uint8)[at : at + _STRETCH_BYTES] == 10) + at + 1 for at in stretches]
    ends = np.concatenate([np.empty(0, np.int64), *found])
    if not data.endswith(b"\n"):
        ends = np.append(ends, len(data))
    return Chunk(data, line_no, byte_from, ends)


def _cut(chunk: Chunk) -> Iterator[Chunk]:
    """The chunk in parts of at most MAX_CHUNK_LINES lines."""
    start = 0
    for first in range(0, len(chunk.ends), MAX_CHUNK_LINES):
        ends = chunk.ends[first : first + MAX_CHUNK_LINES]
        end = int(ends[-1])
        yield Chunk(chunk.data[start:end], chunk.line_no + first, chunk.byte_from + start, ends - start)
        start = end


def _skip_line(head: bytes, unpacked: Unpacked, line_no: int, byte_from: int) -> tuple[Fault, bytes]:
    """Read on to the end of a line that is too long, keeping only its hash and length; also gives what follows it."""
    digest, size = hashlib.sha256(), 0
    for piece in itertools.chain([head], unpacked.pieces()):
        end = piece.find(b"\n") + 1
        part = piece[:end] if end else piece
        digest.update(part.rstrip(b"\r\n") if end else part)
        size += len(part)
        rest = piece[len(part) :]
        if end:
            break
    detail = f"the line is {size} bytes long, which is more than one record may have"
    return Fault(line_no, byte_from, byte_from + size, "line_too_long", detail, digest.hexdigest()), rest


def digest_of(record: bytes) -> str:
    """SHA-256 of a record without its line end, hexadecimal."""
    return hashlib.sha256(record.rstrip(b"\r\n")).hexdigest()


def line_frame(chunk: Chunk, wanted: list[int] | None = None) -> tuple[pl.DataFrame, list[Fault]]:
    """The chunk's lines as a frame (index: Int64 within the chunk, line: String), blank lines left out.

    Lines that are not UTF-8 become faults. Where indexes are `wanted`, which should be few, only these are looked at.
    """
    if wanted is not None:
        return _few_lines(chunk, wanted)
    if not len(chunk.ends):
        return empty(_LINES), []
    data, faults = _utf8_only(chunk)
    offsets = np.concatenate([chunk.starts[:1], chunk.ends])
    array = pa.LargeStringArray.from_buffers(len(chunk.ends), pa.py_buffer(offsets), pa.py_buffer(data))
    kept = chunk.filled & ~chunk.is_grouped
    kept[[fault.line_no - chunk.line_no for fault in faults]] = False
    lines = pl.DataFrame({"index": np.arange(len(kept)), "line": pl.from_arrow(array)}, schema=_LINES)
    return lines if kept.all() else lines.filter(pl.Series(kept)), faults


def _few_lines(chunk: Chunk, wanted: list[int]) -> tuple[pl.DataFrame, list[Fault]]:
    indexes, lines, faults = [], [], []
    for number in wanted:
        line = _decoded(chunk, number)
        if isinstance(line, Fault):
            faults.append(line)
        elif chunk.filled[number]:
            indexes.append(number)
            lines.append(line)
    return pl.DataFrame({"index": indexes, "line": lines}, schema=_LINES), faults


def _decoded(chunk: Chunk, number: int) -> str | Fault:
    """One line as text, or as a fault where it is not UTF-8."""
    start, end = int(chunk.starts[number]), int(chunk.ends[number])
    record = chunk.data[start:end]
    try:
        return record.decode()
    except UnicodeDecodeError as error:
        detail = f"byte {error.start + 1} of the line is not UTF-8 ({error.reason})"
        place = (chunk.line_no + number, chunk.byte_from + start, chunk.byte_from + end)
        return Fault(*place, "not_utf8", detail, digest_of(record))


def _utf8_only(chunk: Chunk) -> tuple[bytes, list[Fault]]:
    """The chunk's bytes with lines that are not UTF-8 blanked out, and a fault for each of these."""
    try:
        chunk.data.decode()
    except UnicodeDecodeError as error:
        first = int(np.searchsorted(chunk.ends, error.start, side="right"))
    else:
        return chunk.data, []
    data, faults = bytearray(chunk.data), []
    for number in range(first, len(chunk.ends)):
        line = _decoded(chunk, number)
        if isinstance(line, Fault):
            start, end = int(chunk.starts[number]), int(chunk.ends[number])
            if not chunk.is_grouped[number]:
                faults.append(line)
            data[start:end] = b" " * (end - start)
    return bytes(data), faults
