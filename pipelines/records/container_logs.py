"""Lines that a container's runtime wrapped, as the lines that were written: Docker's json-file and Kubernetes' CRI.

A wrapped record keeps its line: of one that the runtime cut into pieces (Docker after 16 KiB, CRI's `P`) all stands on the
line of its last piece, and the lines before it are blank. Positions count the bytes as they were written, as they do for
UTF-16. What the lines hold is read by `reader.py` as if no container had been there; a record without an instant has
that of its wrapper under `INSTANT`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import orjson

from pipelines.records.line_chunks import MAX_RECORD_BYTES, Chunk
from pipelines.records.tally import Tally

INSTANT = "logged_by_container"
"""The field that holds the instant of the wrapper; the last place in which a format looks for one."""

_CRI = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) (stdout|stderr) ([FP])(?::\S*)? ?")
_COLLECTOR_FIELDS = (
    "stream",
    "time",
    "@timestamp",
    "timestamp",
    "kubernetes",
    "docker",
    "container_id",
    "container_name",
)
"""What else stands in a wrapped line: `log` alone may be anyone's field."""
_DOCKER_PIECE = 16 * 1024
"""Bytes at which Docker cuts a line; only the last piece has a line end. A character that was cut takes more bytes, not fewer."""


class _Piece(NamedTuple):
    """What was written, which stream it went to, the instant, and whether the line ends with it."""

    written: bytes
    stream: str
    instant: str
    is_whole: bool


def is_wrapped_line(line: bytes) -> bool:
    """Whether a line was written by a container's runtime."""
    return _piece(line.lstrip()) is not None


def unwrapped(chunks: Iterator[Chunk], tally: Tally) -> Iterator[Chunk]:
    """The chunks with each wrapped line as it was written; what is no wrapped line stays as it is."""
    pending: dict[str, bytes] = {}
    line_no, byte_from = 1, 0
    for chunk in chunks:
        lines = [_written(chunk.data[start:end], pending) for start, end in zip(chunk.starts, chunk.ends, strict=True)]
        found = _chunk(lines, chunk.line_no, byte_from)
        # Pieces of a line that ends further on, and empty lines inside a wrapper, are no records.
        tally.correct(int(found.filled.sum()) - int(chunk.filled.sum()))
        yield replace(found, faults=chunk.faults)
        line_no, byte_from = chunk.line_no + len(lines), byte_from + len(found.data)
    if pending:
        # A line that is half-written, where the pieces that were blank before are all there is.
        tally.correct(1)
        yield _chunk([b" ".join(pending.values())], line_no - 1, byte_from)


def _chunk(lines: list[bytes], line_no: int, byte_from: int) -> Chunk:
    ends = np.cumsum([len(line) for line in lines], dtype=np.int64)
    return Chunk(b"".join(lines), line_no, byte_from, ends)


def _written(line: bytes, pending: dict[str, bytes]) -> bytes:
    piece = _piece(line)
    if piece is None:
        return line
    written = pending.pop(piece.stream, b"") + piece.written
    if not piece.is_whole and len(written) <= MAX_RECORD_BYTES:
        pending[piece.stream] = written
        return b"\n"
    return _dated(written.rstrip(b"\r\n"), piece.instant) + b"\n"


def _dated(record: bytes, instant: str) -> bytes:
    """An object, or that of an event stream's data, with the wrapper's instant as its last field; anything else as it is."""
    if record.startswith(b"data:") and record.removeprefix(b"data:").lstrip().startswith(b"{"):
        return b"data: " + _dated(record.removeprefix(b"data:").strip(), instant)
    if not instant or not record.startswith(b"{") or not record.endswith(b"}") or record == b"{}":
        return record
    return record[:-1] + b',"' + INSTANT.encode() + b'":' + orjson.dumps(instant) + b"}"


def _piece(line: bytes) -> _Piece | None:
    if (match := _CRI.match(line)) is not None:
        instant, stream, tag = (part.decode() for part in match.groups())
        return _Piece(line[match.end() :].rstrip(b"\r\n"), stream, instant, tag == "F")
    if not line.startswith(b"{") or b'"log"' not in line:
        return None
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    written = value.get("log")
    if not isinstance(written, str) or not any(name in value for name in _COLLECTOR_FIELDS):
        return None
    instant = next(
        (value[name] for name in ("time", "@timestamp", "timestamp") if isinstance(value.get(name), str)), ""
    )
    is_whole = written.endswith("\n") or len(written.encode()) < _DOCKER_PIECE or _is_json(written)
    return _Piece(written.encode(), str(value.get("stream", "")), instant, is_whole)


def _is_json(text: str) -> bool:
    """Whether a text is a value of its own: a collector that joins Docker's pieces takes their line end off."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True
