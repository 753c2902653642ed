"""JSON that is not one record per line: arrays and documents that hold records, and lines that hold several.

Each item keeps its place: the line where it starts, its number, and its bytes, or those of what contains it. Which lines are read together is decided
in `line_groups.py`, values are separated in `json_values.py`. Plain JSON lines are decoded in `json_texts.py`; how an item is opened further is the
format's `items`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import polars as pl

from pipelines.records.batches import POSITION
from pipelines.records.json_record import RecordError, Texts, load, load_item, texts_of
from pipelines.records.json_values import Scanner, skipped
from pipelines.records.layout import MAX_PREFIX, ItemReader
from pipelines.records.line_chunks import Fault, digest_of
from pipelines.records.paths import Node

TextReader = Callable[[str], object] | None
_BETWEEN = re.compile(r"[}\]]\s*,\s*(?=\{)")
"""What stands between two items of an array."""
_MOST_TRIES = 100
_COLOUR = re.compile(rb"\x1b\[[0-9;]*m")
"""What colours a log on a terminal."""


@dataclass(frozen=True)
class Item:
    """One record: its place and its texts, or why it has none."""

    line_no: int
    item_no: int
    byte_from: int
    byte_to: int
    texts: Texts | None = None
    fault: Fault | None = None

    def at(self, byte_from: int, byte_to: int) -> Item:
        """The item with these bytes as its own."""
        fault = self.fault and replace(self.fault, byte_from=byte_from, byte_to=byte_to)
        return replace(self, byte_from=byte_from, byte_to=byte_to, fault=fault)


@dataclass(frozen=True)
class _Holder:
    """A stretch of the file that holds records: its first line and byte, its bytes, and the number of its first item."""

    line_no: int
    byte_from: int
    record: bytes
    first_item: int = 0

    def item(self, number: int, texts: Texts) -> Item:
        return Item(self.line_no, self.first_item + number, self.byte_from, self.byte_from + len(self.record), texts)

    def failed(self, number: int, error: RecordError, severity: str = "error") -> Item:
        byte_to = self.byte_from + len(self.record)
        digest = digest_of(self.record)
        place = (self.line_no, self.byte_from, byte_to)
        fault = Fault(*place, error.reason, str(error), digest, self.first_item + number, severity)
        return Item(self.line_no, self.first_item + number, self.byte_from, byte_to, fault=fault)


def line_items(
    line: bytes, place: tuple[int, int], reader: ItemReader, tree: Node, of_text: TextReader = None
) -> Iterator[Item]:
    """The records of one line, which all have the line's bytes; objects that follow each other without a line end count each,
    what a log service writes before an object (an instant, a stream) is passed over, and a text is read by `of_text`.
    `place` is the line and the byte where it starts."""
    holder = _Holder(*place, line)
    text = _COLOUR.sub(b"", line).decode()
    try:
        values = [load(text)]
    except RecordError as error:
        values = _joined(text) if is_joined(error.reason, str(error)) else []
        whole = of_text(text) if of_text is not None and not values else None
        values = values if whole is None else [whole]
        if not values:
            rest = _rest_of_array(text)
            if rest is None:
                yield holder.failed(0, error)
            else:
                yield from _cut_array(text, rest, place, reader, tree)
            return
    for value in values:
        for item in _records(value, holder, reader, tree):
            yield item
            holder = replace(holder, first_item=item.item_no + 1)


def is_coloured(line: bytes) -> bool:
    """Whether a line was written for a terminal in colours, which are no JSON."""
    return b"\x1b[" in line


def is_joined(reason: str, detail: str) -> bool:
    """Whether a text that is no JSON value may hold several, as Firehose delivers and `jq .` prints them, or one after the
    instant that CloudWatch's exports and containers' logs put before it."""
    return reason == "not_json" and detail.startswith(("Extra data", "Expecting value"))


def _joined(text: str) -> list[object]:
    """The objects that a text consists of, one after the other; none where anything else but a prefix stands in it."""
    values: list[object] = []
    position = text.find("{", 0, MAX_PREFIX)
    while 0 <= position < len(text):
        try:
            value, position = load_item(text, position)
        except RecordError:
            return []
        if not isinstance(value, dict):
            return []
        values.append(value)
        position = skipped(text, position, between="")
    return values


def _rest_of_array(text: str) -> int | None:
    """Where the first whole item begins of a line that is the end of an array whose beginning was cut away."""
    if text.lstrip().startswith(("{", "[")):
        return None
    for found in islice(_BETWEEN.finditer(text), _MOST_TRIES):
        scanner = Scanner(text, found.end(), is_open=True)
        failed = [element.error is not None for element in scanner.elements()]
        if not failed[0] and not any(failed[:-1]) and (scanner.is_open or not failed[-1]):
            return found.end()
    return None


def _cut_array(text: str, start: int, place: tuple[int, int], reader: ItemReader, tree: Node) -> Iterator[Item]:
    head = text[:start].encode()
    yield _Holder(*place, head).failed(0, RecordError("not_json", "the beginning of this array is missing"))
    rest = (place[0], place[1] + len(head))
    yield from _element_items(Scanner(text, start, is_open=True), rest, reader, tree, first_item=1)


def document_items(data: bytes, line_no: int, byte_from: int, reader: ItemReader, tree: Node) -> Iterator[Item]:
    """The records of lines that are read together: objects over several lines, arrays, one after the other.

    Each element of an array and each object is read by itself; one that is broken is one fault, and so is an array that is
    never closed.
    """
    yield from _element_items(Scanner(data.decode(errors="surrogateescape")), (line_no, byte_from), reader, tree)


def debris_item(data: bytes, line_no: int, byte_from: int) -> Item:
    """Lines that are pieces of a document whose beginning or end is missing: one fault."""
    error = RecordError("not_json", "pieces of a JSON document whose beginning or end is missing")
    return _Holder(line_no, byte_from, data).failed(0, error)


def _element_items(
    scanner: Scanner, place: tuple[int, int], reader: ItemReader, tree: Node, first_item: int = 0
) -> Iterator[Item]:
    (line_no, offset), counted, item_no = place, scanner.position, first_item
    for element in scanner.elements():
        between = scanner.text[counted : element.start]
        line_no, offset, counted = line_no + between.count("\n"), offset + len(_encoded(between)), element.start
        holder = _Holder(line_no, offset, _encoded(scanner.text[element.start : element.end]), item_no)
        error = element.error or _not_utf8(holder.record)
        if error is not None:
            yield holder.failed(0, error, "info" if error.reason == "no_items" else "error")
            item_no += 1
            continue
        for item in _records(element.value, holder, reader, tree):
            yield item
            item_no = item.item_no + 1


def _encoded(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


def _not_utf8(record: bytes) -> RecordError | None:
    try:
        record.decode()
    except UnicodeDecodeError as error:
        return RecordError("not_utf8", f"byte {error.start + 1} of the record is not UTF-8")
    return None


def _records(value: object, holder: _Holder, reader: ItemReader, tree: Node) -> Iterator[Item]:
    try:
        values = list(reader(value))
    except RecordError as error:
        yield holder.failed(0, error)
        return
    for number, item in enumerate(values):
        try:
            yield holder.item(number, texts_of(item, tree))
        except RecordError as error:
            yield holder.failed(number, error)
    if not values:
        yield holder.failed(0, RecordError("no_items", "the container holds no record"), severity="info")


def item_texts(items: Sequence[Item], tree: Node) -> pl.DataFrame:
    """POSITION and the texts of those items that have any."""
    rows = [
        (*(getattr(item, name) for name in POSITION), *(item.texts[path] for path in tree.paths))
        for item in items
        if item.texts is not None
    ]
    schema = {**POSITION, **dict.fromkeys(tree.paths, pl.String())}
    # Columns cost more than rows, of which there is often one.
    return pl.DataFrame(rows, schema=schema, orient="row") if rows else pl.DataFrame(schema=schema)


def item_faults(items: Sequence[Item]) -> list[Fault]:
    """Why the other items have none."""
    return [item.fault for item in items if item.fault is not None]
