"""Which lines of a file are read together: documents over several lines, arrays, and the pieces that are left of one.

A line that starts with `{` and ends with `}` is a record of its own, as nearly all are. Only the others are looked at, by
what follows them, so that no line decides how the rest of its file is read. What the lines hold is read in `json_documents.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import orjson

from pipelines.records.json_values import Scanner
from pipelines.records.line_chunks import Chunk, Fault, LineGroup, digest_of
from pipelines.records.tally import Tally

MAX_DOCUMENT_BYTES = 64 * 2**20
"""A value over several lines is decoded in memory up to this size."""

_FIRST_LINES = 4
"""So many lines are looked at first, then four times as many."""
_EFFORT = 8
"""Lines that begin like a value and are none may cost so many times their chunk; the others are then read by themselves."""
_LEAST_EFFORT = 2**20
_PIECES = b' \t}]"'
"""How the lines of a printed document begin that do not begin with a value."""


def grouped(chunks: Iterator[Chunk], tally: Tally) -> Iterator[Chunk]:
    """The chunks with their groups; a value that does not end with its chunk is passed on to the next one.

    One that is larger than MAX_DOCUMENT_BYTES is a fault, together with what follows it.
    """
    pending: Chunk | None = None
    for chunk in chunks:
        if not len(chunk.ends):
            if pending is not None:
                yield _whole(pending, tally)
            pending = None
            yield chunk
            continue
        held = chunk if pending is None else pending.followed_by(chunk)
        if pending is not None and len(held.data) > MAX_DOCUMENT_BYTES:
            yield from _too_large(held, chunks, tally)
            return
        found = _Finder(held, is_last=False)
        pending = None if found.rest_from is None else held.lines_from(found.rest_from)
        yield _with_groups(held, found, tally)
    if pending is not None:
        yield _whole(pending, tally)


def _whole(chunk: Chunk, tally: Tally) -> Chunk:
    return _with_groups(chunk, _Finder(chunk, is_last=True), tally)


def _with_groups(chunk: Chunk, found: _Finder, tally: Tally) -> Chunk:
    for group in found.groups:
        tally.correct(1 - int(np.count_nonzero(chunk.filled[group.first : group.last])))
    own = chunk
    if found.rest_from is not None:
        own = replace(chunk.lines_from(0, found.rest_from), faults=chunk.faults)
    return replace(own, groups=tuple(found.groups)) if found.groups else own


def _too_large(first: Chunk, chunks: Iterator[Chunk], tally: Tally) -> Iterator[Chunk]:
    """What is left of a file whose next value is too large, as one fault."""
    size, lines, faults = len(first.data), int(np.count_nonzero(first.filled)), list(first.faults)
    for chunk in chunks:
        size, lines = size + len(chunk.data), lines + int(np.count_nonzero(chunk.filled))
        faults += chunk.faults
    tally.correct(1 - lines)
    detail = f"the document has {size} bytes, at most {MAX_DOCUMENT_BYTES} are read at once; write one record per line instead"
    place = (first.line_no, first.byte_from, first.byte_from + size)
    faults.append(Fault(*place, "document_too_large", detail, digest_of(b"")))
    yield Chunk(b"", first.line_no, first.byte_from, np.empty(0, np.int64), faults)


class _Finder:
    """The `groups` of one chunk, and the line from which on it needs the next chunk, if it does and there may be one."""

    def __init__(self, chunk: Chunk, *, is_last: bool) -> None:
        self.groups: list[LineGroup] = []
        self.rest_from: int | None = None
        self._chunk, self._is_last = chunk, is_last
        self._effort = max(_EFFORT * len(chunk.data), _LEAST_EFFORT)
        done = 0
        for number, line in enumerate(np.flatnonzero(chunk.filled & ~chunk.stands_alone).tolist()):
            if line >= done and not self._stands_alone(line):
                done = self._read(line, is_first=not number)

    def _read(self, line: int, *, is_first: bool) -> int:
        """Find the group that begins on `line`, if one does; the line to go on with."""
        last = None
        count = len(self._chunk.ends)
        if self._begins_value(line):
            last = count if is_first and self._is_one_value(line) else self._last_of_value(line)
        if self.rest_from is not None:
            return count
        is_debris = last is None
        last = last or self._last_of_debris(line)
        if not is_debris or last > line + 1:
            self.groups.append(LineGroup(line, last, is_debris=is_debris))
        return last

    def _text(self, first: int, last: int) -> bytes:
        return self._chunk.data[self._chunk.starts[first] : self._chunk.ends[last - 1]]

    def _first_bytes(self, line: int) -> bytes:
        start = int(self._chunk.starts[line])
        return self._chunk.data[start : min(int(self._chunk.ends[line]), start + 4096)].lstrip(b" \t\r\n\xef\xbb\xbf")

    def _stands_alone(self, line: int) -> bool:
        """The same of a line with white space around its object."""
        text = self._text(line, line + 1).strip()
        return text.startswith(b"{") and text.endswith(b"}")

    def _begins_value(self, line: int) -> bool:
        return self._first_bytes(line)[:1] in (b"{", b"[")

    def _is_one_value(self, line: int) -> bool:
        """The quick answer for a file that is one document or one array."""
        try:
            orjson.loads(self._text(line, len(self._chunk.ends)))
        except orjson.JSONDecodeError:
            return False
        return True

    def _last_of_value(self, line: int) -> int | None:
        """The line after the value that begins on `line`; None if it is no whole value, or is left to the next chunk."""
        is_array = self._first_bytes(line)[:1] == b"["
        if is_array and self._goes_on_by_lines(line):
            return self._alone(line)
        count = len(self._chunk.ends)
        reach = line + _FIRST_LINES
        while True:
            last = min(reach, count)
            data = self._text(line, last)
            self._effort -= len(data)
            if self._effort < 0:
                return None
            text = data.decode(errors="surrogateescape")
            scanner = Scanner(text)
            end, is_unfinished = _unit(scanner)
            if end is not None:
                self._effort += len(data)
                return line + text.count("\n", 0, end) + 1
            if not is_unfinished:
                return None
            if last == count:
                return self._unfinished(line, is_array=is_array)
            reach = line + 4 * (last - line)

    def _unfinished(self, line: int, *, is_array: bool) -> int | None:
        """The chunk ends before the value does: whether it goes on in the next chunk, and what it is if there is none."""
        count = len(self._chunk.ends)
        # The last item of an array has no comma either: what follows it shows whether it stood alone.
        certain = count - 1 if is_array or not self._is_last else count
        if self._chunk.stands_alone[line + 1 : certain].any():
            return self._alone(line) if is_array else None
        if not self._is_last:
            self.rest_from = line
            return None
        if is_array:
            return count
        # What is printed over several lines begins its inner lines with white space; another document does not.
        begins = np.frombuffer(self._chunk.data, np.uint8)[self._chunk.starts[line + 1 :]]
        return count if len(begins) and not np.isin(begins, (ord("{"), ord("["))).any() else None

    def _goes_on_by_lines(self, line: int) -> bool:
        """Whether the two lines that follow stand alone, without a comma: lines of a file, not items of an array."""
        following = np.flatnonzero(self._chunk.filled[line + 1 : line + 64])[:2] + line + 1
        return len(following) == 2 and bool(self._chunk.stands_alone[following].all())

    def _alone(self, line: int) -> int | None:
        """An array that is only what its line holds of it, if that is records."""
        scanner = Scanner(self._text(line, line + 1).decode(errors="surrogateescape"))
        return line + 1 if any(element.error is None for element in scanner.elements()) else None

    def _last_of_debris(self, line: int) -> int:
        """The line after the pieces that begin with `line`, one of which must be a closing bracket of its own."""
        last, count, closed = line + 1, len(self._chunk.ends), line + 1
        while last < count and self._is_piece(last):
            last += 1
            if not self._text(last - 1, last).strip(b" \t\r\n}],"):
                closed = last
        return last if closed > line + 1 else line + 1

    def _is_piece(self, line: int) -> bool:
        first = self._chunk.data[self._chunk.starts[line]]
        return bool(self._chunk.filled[line]) and first in _PIECES and not self._begins_value(line)


def _unit(scanner: Scanner) -> tuple[int | None, bool]:
    """Where the values that begin on the first line end, with their line; else whether the text ends before they do.

    A broken object is not one of them; items of a broken array may be.
    """
    text, has_array = scanner.text, False
    while not scanner.at_end:
        was_open = scanner.is_open
        has_array |= was_open
        element = scanner.step()
        if element is not None and element.error is not None and element.error.reason != "no_items":
            is_unfinished = element.error.position is not None and element.error.position >= len(text.rstrip())
            if is_unfinished or not (was_open or has_array):
                return None, is_unfinished
        line_end = text.find("\n", scanner.position)
        rest = text[scanner.position : line_end if line_end >= 0 else len(text)]
        if not scanner.is_open and not rest.strip(" \t\r,"):
            return scanner.position, False
    return None, True
