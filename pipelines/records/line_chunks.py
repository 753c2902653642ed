"""A landed file as bounded chunks of whole lines with their places, whatever it is compressed with.

Compression is told by the first bytes, never by the name. A line that is too long, an archive that ends too
early and an archive that expands without end become faults with their place; memory stays bounded. What the
lines hold is none of this module's business: see `json_texts.py` (JSON), `json_documents.py` (JSON containers) and
`tables.py` (CSV, Parquet).
"""

from __future__ import annotations

import codecs
import hashlib
import itertools
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

CHUNK_BYTES = 16 * 2**20
MAX_RECORD_BYTES = 64 * 2**20
"""A longer record is set aside unread: no request record without content text comes near."""
MAX_CHUNK_LINES = 250_000
"""Lines of a request are longer than 64 bytes; a chunk of shorter ones is cut, because memory goes by lines and columns."""
MAX_EXPANSION = 1000
"""An archive may expand to this multiple of its size; the first GiB is always read."""
_FREE_EXPANSION_BYTES = 2**30

_STRETCH_BYTES = 2**18
_SALVAGE_STEPS = (2**16, 2**8, 1)
_LINES = {"index": pl.Int64(), "line": pl.String()}
_UTF8_BOM = codecs.BOM_UTF8
_WHITE = "".join(c for c in map(chr, range(0x3001)) if c.isspace() and not "\x1c" <= c <= "\x1f") + "\ufeff"
"""Unicode's white space, and the byte order mark that joined files leave on a line of its own."""
_UTF16_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


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
class Span:
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
    spans: tuple[Span, ...] = ()

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
    def is_spanned(self) -> npt.NDArray[np.bool_]:
        """Which lines lie in one of the spans."""
        marks = np.zeros(len(self.ends), np.bool_)
        for span in self.spans:
            marks[span.first : span.last] = True
        return marks

    def lines_from(self, first: int, last: int | None = None) -> Chunk:
        """The lines [first, last) as a chunk of their own, without faults and spans."""
        last = len(self.ends) if last is None else last
        start = int(self.starts[first]) if first < len(self.ends) else len(self.data)
        ends = self.ends[first:last] - start
        data = self.data[start : start + int(ends[-1])] if len(ends) else b""
        return Chunk(data, self.line_no + first, self.byte_from + start, ends)

    def followed_by(self, chunk: Chunk) -> Chunk:
        """Both as one, without spans."""
        ends = np.concatenate([self.ends, chunk.ends + len(self.data)])
        return Chunk(self.data + chunk.data, self.line_no, self.byte_from, ends, [*self.faults, *chunk.faults])


@dataclass
class Tally:
    """The records of a file as its bytes count them, whatever becomes of them in the reading.

    `of_bytes` are the lines that hold more than white space (of a Parquet file the rows that its index names), counted
    where the bytes come out of the file. Readers correct it, each where it happens: `corrections` are negative for lines that
    belong to the record of another line (a document over several lines, a quoted line break, a header) and positive for
    records that share a line, and for what is set aside beyond any line (an archive that breaks off).
    """

    of_bytes: int = 0
    corrections: list[int] = field(default_factory=list)

    @property
    def records(self) -> int:
        """What valid and quarantined records must add up to."""
        return self.of_bytes + sum(self.corrections)

    def correct(self, by: int) -> None:
        """Add `by` records; may be called by several threads."""
        if by:
            self.corrections.append(by)


def is_blank(line: bytes) -> bool:
    """Whether a line is white space only."""
    try:
        return not line.decode().strip(_WHITE)
    except UnicodeDecodeError:
        return False


PARQUET_MAGIC = b"PAR1"
_HEAD_BYTES = 4096
_FOREIGN = {
    b"PK\x03\x04": "a ZIP archive or a workbook",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"\x04\x22\x4d\x18": "an lz4 archive",
    b"%PDF": "a PDF document",
    b"Obj\x01": "an Avro file",
    b"ORC": "an ORC file",
    b"SQLite format 3": "a SQLite database",
}


def foreign_kind(path: Path) -> str | None:
    """What a file is by its first bytes, where that is nothing we read; None for every other."""
    head = _head(path)
    kind = next((kind for magic, kind in _FOREIGN.items() if head.startswith(magic)), None)
    return None if kind is None or _is_text(head) else kind


def is_parquet(path: Path) -> bool:
    """True where the file's first bytes are Parquet's, and it is not a text that begins so."""
    return is_parquet_head(_head(path))


def is_parquet_head(head: bytes) -> bool:
    """The same of the first bytes, as many as are there."""
    return head.startswith(PARQUET_MAGIC) and not _is_text(head[:_HEAD_BYTES])


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES)


def _is_text(head: bytes) -> bool:
    """Whether a head is of lines of text: a log may begin with ORCHESTRATOR."""
    lines = head.rpartition(b"\n")[0]
    try:
        text = lines.decode()
    except UnicodeDecodeError:
        return False
    return bool(text) and not any(c < " " and c not in "\t\r\n\f\x1b" for c in text)


def chunks(
    path: Path, tally: Tally | None = None, *, chunk_bytes: int = CHUNK_BYTES, max_record: int = MAX_RECORD_BYTES
) -> Iterator[Chunk]:
    """The lines of a plain, gzip or zstd file in order, some `chunk_bytes` at a time; `tally` counts their records.

    Positions count bytes of the decompressed file; UTF-16 is read as its UTF-8 form and positions count that.
    """
    tally = tally or Tally()
    reader = _Reader(path, chunk_bytes, tally)
    for chunk in _chunks(reader, max_record):
        tally.of_bytes -= len(chunk.ends) - int(np.count_nonzero(chunk.filled))
        yield chunk
    tally.correct(int(reader.trouble is not None))


def _chunks(reader: _Reader, max_record: int) -> Iterator[Chunk]:
    pending = b""
    line_no, byte_from = 1, len(_UTF8_BOM) if reader.has_utf8_bom else 0
    for piece in reader.pieces():
        first_end = piece.find(b"\n") + 1
        if len(pending) + (first_end or len(piece)) > max_record:
            fault, pending = _skip_line(pending + piece, reader, line_no, byte_from)
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
    if reader.trouble:
        reason, detail = reader.trouble
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


def _skip_line(head: bytes, reader: _Reader, line_no: int, byte_from: int) -> tuple[Fault, bytes]:
    """Read on to the end of a line that is too long, keeping only its hash and length; also gives what follows it."""
    digest, size = hashlib.sha256(), 0
    for piece in itertools.chain([head], reader.pieces()):
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
        return pl.DataFrame(schema=_LINES), []
    data, faults = _utf8_only(chunk)
    offsets = np.concatenate([chunk.starts[:1], chunk.ends])
    array = pa.LargeStringArray.from_buffers(len(chunk.ends), pa.py_buffer(offsets), pa.py_buffer(data))
    kept = chunk.filled & ~chunk.is_spanned
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
            if not chunk.is_spanned[number]:
                faults.append(line)
            data[start:end] = b" " * (end - start)
    return bytes(data), faults


class _Reader:
    """The decompressed bytes in pieces; `trouble` says, once they end, why they ended too early."""

    def __init__(self, path: Path, piece_bytes: int, tally: Tally) -> None:
        self.trouble: tuple[str, str] | None = None
        self._tally = tally
        self._path = path
        self._piece_bytes = piece_bytes
        self._rest = self._raw()
        self._first = next(self._rest, b"")
        self.has_utf8_bom = self._first.startswith(_UTF8_BOM)
        self._generator = self._decoded()

    def pieces(self) -> Iterator[bytes]:
        """The pieces that are left; may be taken up again after a break."""
        return self._generator

    def _decoded(self) -> Iterator[bytes]:
        """The bytes as UTF-8 without a byte order mark, by which UTF-16 is recognised."""
        pieces = itertools.chain([self._first.removeprefix(_UTF8_BOM)], self._rest)
        decoder = codecs.getincrementaldecoder("utf-16")(errors="replace") if self._first[:2] in _UTF16_BOMS else None
        last = b"\n"
        for piece in pieces:
            text = decoder.decode(piece).encode() if decoder else piece
            self._tally.of_bytes += text.count(b"\n")
            last = text[-1:] or last
            yield text
        self._tally.of_bytes += last != b"\n"

    def _raw(self) -> Iterator[bytes]:
        limit = max(_FREE_EXPANSION_BYTES, self._path.stat().st_size * MAX_EXPANSION)
        total = 0
        with _opened(self._path) as file:
            while True:
                try:
                    piece = file.read(self._piece_bytes)
                except (OSError, pa.ArrowInvalid):
                    yield _salvage(self._path, total, self._piece_bytes)
                    self.trouble = ("broken_archive", "the archive is cut off or damaged")
                    return
                if not piece:
                    return
                total += len(piece)
                if total > limit:
                    detail = f"the archive expands to more than {MAX_EXPANSION} times its size; reading stopped there"
                    self.trouble = ("expands_too_far", detail)
                    return
                yield piece


def _salvage(path: Path, skip: int, piece_bytes: int) -> bytes:
    """What a damaged archive still gives after its first `skip` bytes. A failing read drops what it had got, so each pass
    reads on, in smaller steps, from where the one before failed."""
    found = bytearray()
    for step in _SALVAGE_STEPS:
        with _opened(path) as file, suppress(OSError, pa.ArrowInvalid):
            passed = 0
            while passed < skip + len(found) and (piece := file.read(min(skip + len(found) - passed, piece_bytes))):
                passed += len(piece)
            while len(found) < piece_bytes and (piece := file.read(step)):
                found += piece
    return bytes(found)


def unpack(path: Path, target: Path) -> tuple[str, str] | None:
    """Write the decompressed bytes of an archive to `target`; reason and detail where the archive ends too early."""
    reader = _Reader(path, CHUNK_BYTES, Tally())
    with target.open("wb") as file:
        for piece in reader.pieces():
            file.write(piece)
    return reader.trouble


@contextmanager
def _opened(path: Path) -> Iterator[pa.NativeFile]:
    with path.open("rb") as file:
        magic = file.read(4)
    raw = pa.OSFile(str(path), "rb")
    codec = "gzip" if magic[:2] == b"\x1f\x8b" else "zstd" if magic == b"\x28\xb5\x2f\xfd" else None
    with raw, pa.CompressedInputStream(raw, codec) if codec else raw as opened:
        yield opened
