"""Server-sent events, as `curl` or a proxy captured them: a file of them, or a text of them in a field of a record.

Of `event:`, `data:`, `id:` and `retry:` lines, comments and `[DONE]` only data that is an object says anything of a call. In a file
(`data_lines`) it keeps its line and its bytes, what stands around it becomes blank and is set aside as harmless; data over
several lines stands on the last of them. In a field (`with_events`) each event that counts something is a record, in the
place of the text; where none does, the first stands for the call.
Source: html.spec.whatwg.org, "Server-sent events".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any, TypeVar

import numpy as np
import orjson

from pipelines.records.json_record import Number, RecordError, load
from pipelines.records.layout import ItemReader, Layout
from pipelines.records.line_chunks import Chunk, Fault, digest_of
from pipelines.records.tally import Tally

LayoutT = TypeVar("LayoutT", bound=Layout)

MARKS = ("data: {\\", "data:{\\")
"""How a field that holds the text of a stream looks in a line: quotes in it are escaped, as \\" or as \\u0022."""
CALL = "event_stream"
"""A field that separates the events of one text from those of another."""

_HEAD_BYTES = 2**20
_DATA = re.compile(rb'(?:^|\n)data: ?(?:\{(?!"")|\[DONE\])')
"""A line of data; in a quoted field of a CSV file the quote after the brace is doubled."""
_FIRST = re.compile(rb"event: ?[\w.-]+\s|data: |: |:\r?\n")
_OBJECT = re.compile(rb"data:[ \t]*(?=[{])")
_PIECE = re.compile(rb"data:")
_AROUND = re.compile(rb"(?:event|id|retry|data)?:|[{}] \[\d+ bytes data\]")
"""Lines that belong to the stream and are no data; `curl -v` states the bytes of each packet."""
_MOST_HELD = 2**20
"""Bytes of an event over several lines that are held until its end is read."""
_LINE_END = re.compile(r"\r\n|\r|\n")
_HOLDS_USAGE = re.compile(r'(?:[uU]sage\w*|timings|details|error)"\s*:\s*[{"]')
"""An event that counts something, or says what went wrong."""
_ASKED = ("request", "prompt", "input", "question")
"""Names of fields that hold what was asked, where a text of events is no answer."""


def is_event_stream(head: bytes) -> bool:
    """Whether a file that begins so holds lines of server-sent events."""
    return _FIRST.match(head) is not None or _DATA.search(head, 0, _HEAD_BYTES) is not None


def data_lines(chunks: Iterable[Chunk], tally: Tally) -> Iterator[Chunk]:
    """The chunks with blanks around each object of a `data:` line, which keeps its bytes, and a fault of severity info for each
    line that is no data. A line that is not of a stream stays as it is."""
    held: Chunk | None = None
    for chunk in chunks:
        whole = chunk if held is None else held.followed_by(chunk)
        held = None
        if b"data:" not in whole.data and b"event:" not in whole.data:
            yield whole
            continue
        cut = _open_run(whole)
        if cut < len(whole.ends):
            whole, held = _parts(whole, cut)
        yield _counted(whole, _read(whole), tally)
    if held is not None:
        yield _counted(held, _read(held), tally)


def _counted(before: Chunk, after: Chunk, tally: Tally) -> Chunk:
    """`after`; a line that became blank is a record only where it was set aside."""
    tally.correct(int(after.filled.sum() - before.filled.sum()) + len(after.faults) - len(before.faults))
    return after


def _parts(chunk: Chunk, cut: int) -> tuple[Chunk, Chunk]:
    """The lines before `cut` and those from it on."""
    return replace(chunk.lines_from(0, cut), faults=chunk.faults), chunk.lines_from(cut)


def _open_run(chunk: Chunk) -> int:
    """The first of the data lines that end the chunk, where they may go on in the next; the number of lines if there are none."""
    first = len(chunk.ends)
    while first and _PIECE.match(chunk.data, int(chunk.starts[first - 1])):
        first -= 1
        if len(chunk.data) - int(chunk.starts[first]) > _MOST_HELD:
            return len(chunk.ends)
    return first


def _read(chunk: Chunk) -> Chunk:
    data, ends = bytearray(chunk.data), chunk.ends.copy()
    faults = list(chunk.faults)
    run: list[int] = []
    for number, (start, end) in enumerate(zip(chunk.starts.tolist(), chunk.ends.tolist(), strict=True)):
        if _PIECE.match(chunk.data, start, end):
            run.append(number)
            continue
        faults += _settled(chunk, run, data, ends)
        run = []
        if _AROUND.match(chunk.data, start, end):
            faults.append(_set_aside(chunk, number, data))
    faults += _settled(chunk, run, data, ends)
    return replace(chunk, data=bytes(data), ends=ends, faults=faults)


def _settled(chunk: Chunk, run: list[int], data: bytearray, ends: np.ndarray[Any, Any]) -> Iterator[Fault]:
    """Blank what stands around the objects of data lines that follow each other; what is no object is set aside."""
    lines = [chunk.data[chunk.starts[number] : chunk.ends[number]] for number in run]
    if len(run) > 1 and not all(map(_is_whole, lines)):
        joined = b" ".join(line[len(b"data:") :].strip() for line in lines)
        if _is_object(joined):
            start, end = int(chunk.starts[run[0]]), int(chunk.ends[run[-1]])
            blanks = len(run) - 1
            # Each line keeps one byte, and the last takes all the others.
            data[start:end] = b"\n" * blanks + joined.rjust(end - start - blanks - 1) + b"\n"
            ends[run[0] : run[-1]] = start + 1 + np.arange(blanks)
            return
    for number, line in zip(run, lines, strict=True):
        if (found := _OBJECT.match(line)) is not None:
            start = int(chunk.starts[number])
            data[start : start + found.end()] = b" " * found.end()
        else:
            yield _set_aside(chunk, number, data)


def _is_whole(line: bytes) -> bool:
    value = line[len(b"data:") :].strip()
    return (not value.startswith(b"{") and value.endswith(b"]")) or _is_object(value)


def _is_object(text: bytes) -> bool:
    try:
        return isinstance(orjson.loads(text), dict)
    except orjson.JSONDecodeError:
        return False


def _set_aside(chunk: Chunk, number: int, data: bytearray) -> Fault:
    start, end = int(chunk.starts[number]), int(chunk.ends[number])
    line = chunk.data[start:end]
    data[start:end] = b" " * (len(line) - 1) + (b"\n" if line.endswith(b"\n") else b" ")
    place = (chunk.line_no + number, chunk.byte_from + start, chunk.byte_from + end)
    detail = "a line of an event stream that holds no record"
    return Fault(*place, "not_a_request", detail, digest_of(line), severity="info")


def one_after_the_other(layout: LayoutT) -> LayoutT:
    """The format for a file of events: of streams that follow each other, an end that names no answer takes the id of its
    start (Cohere), or calls that count the same would be taken for one."""
    if layout.items is None or not layout.bodies:
        return layout
    reader, marks = layout.items, (*layout.marks, '"message-start"', '"message-end"') if layout.marks else ()
    return replace(layout, items=lambda: _named(reader()), marks=marks, in_sequence=True)


def _named(reader: ItemReader) -> ItemReader:
    started: list[object] = []

    def read(value: object) -> Iterable[object]:
        if isinstance(value, dict) and value.get("type") == "message-start":
            started.append(value.get("id"))
        elif isinstance(value, dict) and value.get("type") == "message-end":
            # Where several are open, whose end it is can't be known.
            value = {"id": started[0] if len(started) == 1 else None, **value}
            started.clear()
        return reader(value)

    return read


def with_events(layout: LayoutT) -> LayoutT:
    """The format, reading too what a place of its answers (`Layout.bodies`) holds as the text of a stream."""
    if not layout.bodies:
        return layout
    every_line = layout.items is not None and not layout.marks
    return replace(layout, items=lambda: _reader(layout), marks=() if every_line else (*layout.marks, *MARKS))


def _reader(layout: Layout) -> ItemReader:
    own = layout.own_reader()
    numbers = count(1)

    def read(value: object) -> Iterator[object]:
        place = _place_of_text(value, layout.bodies) if isinstance(value, dict) else None
        if place is None or not isinstance(value, dict):
            yield from own(value)
            return
        call = {CALL: Number(next(numbers))}
        for event in _events_of(str(_at(value, place))):
            if "" in layout.bodies:  # read as if it stood alone, with what else the record says
                yield from own(_put(value, place, None) | {"id": None} | event | call)
            else:
                answer = event.get("response")
                yield from own(_put(value, place, answer if isinstance(answer, dict) else event) | call)

    return read


def _events_of(text: str) -> list[dict[str, Any]]:
    """The events of one text that hold something of the call, each with the id and the model that the first of all names."""
    found = list(_events(text))
    if not found:
        raise RecordError("not_json", "a text of server-sent events holds no whole event")
    first = found[0][1]
    named = {name: first[name] for name in ("id", "model") if isinstance(first.get(name), str)}
    return [named | event for data, event in found if _HOLDS_USAGE.search(data)] or [first]


def _events(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a text of server-sent events, each with its data; what was cut is left out."""
    run: list[str] = []
    for line in (*_LINE_END.split(text), ""):
        if line.startswith("data:"):
            run.append(line.removeprefix("data:"))
            continue
        alone = [(data, event) for data in run if (event := _object(data)) is not None]
        joined = "\n".join(run)
        if not alone and (event := _object(joined)) is not None:
            alone = [(joined, event)]
        yield from alone
        run = []


def _object(text: str) -> dict[str, Any] | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        value = load(text)
    except RecordError:
        return None
    return value if isinstance(value, dict) else None


def _place_of_text(value: dict[str, Any], bodies: tuple[str, ...]) -> tuple[str, ...] | None:
    """Where a record holds the text of a stream: in a place of its answer, else, if the record may be one itself, in any of
    its fields or of theirs that are not what was asked."""
    for body in filter(None, bodies):
        if _is_text(_at(value, tuple(body.split("/")))):
            return tuple(body.split("/"))
    if "" not in bodies:
        return None
    for name, held in value.items():
        if any(asked in name.lower() for asked in _ASKED):
            continue
        if _is_text(held):
            return (name,)
        for inner, text in held.items() if isinstance(held, dict) else ():
            if _is_text(text):
                return (name, inner)
    return None


def _is_text(value: object) -> bool:
    is_text = isinstance(value, str) and not isinstance(value, Number)
    return is_text and re.match(r"\s*(?:(?:event|id|retry)?:[^\n]*\n\s*)*data: ?\{", str(value)) is not None


def _at(value: object, place: tuple[str, ...]) -> object:
    for key in place:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _put(value: dict[str, Any], place: tuple[str, ...], held: object) -> dict[str, Any]:
    """The record with something else at `place`."""
    key, *rest = place
    return {**value, key: _put(value[key], tuple(rest), held) if rest else held}
