"""JSON that is not one record per line: arrays and documents that hold records, and lines that hold several.

Each item keeps its place: the line where it starts, its number, and its bytes, or those of what contains it.
Plain JSON lines are decoded in `decode.py`; how an item is opened further is the format's `items`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from pipelines.requests.flatten import RecordError, Texts, flatten, load, load_item
from pipelines.requests.format import Format, ItemReader
from pipelines.requests.paths import Node
from pipelines.requests.stream import Fault, digest_of

TextReader = Callable[[str], object] | None
MAX_PREFIX = 256
"""Characters of a line in which its object has to begin."""


@dataclass(frozen=True)
class Item:
    """One record: its place and its texts, or why it has none."""

    line_no: int
    item_no: int
    byte_from: int
    byte_to: int
    texts: Texts | None = None
    fault: Fault | None = None


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


def reader_of(fmt: Format) -> ItemReader:
    """How one decoded value of `fmt` is opened into records; a fresh reader per file, since a reader may remember."""
    return fmt.items() if fmt.items is not None else lambda value: [value]


def line_items(
    line: bytes, place: tuple[int, int], reader: ItemReader, tree: Node, of_text: TextReader = None
) -> Iterator[Item]:
    """The records of one line, which all have the line's bytes; objects that follow each other without a line end count each,
    what a log service writes before an object (an instant, a stream) is passed over, and a text is read by `of_text`.
    `place` is the line and the byte where it starts."""
    holder = _Holder(*place, line)
    text = line.decode()
    try:
        values = [load(text)]
    except RecordError as error:
        values = _joined(text) if is_joined(error.reason, str(error)) else []
        told = of_text(text) if of_text is not None and not values else None
        values = values if told is None else [told]
        if not values:
            yield holder.failed(0, error)
            return
    for value in values:
        for item in _records(value, holder, reader, tree):
            yield item
            holder = replace(holder, first_item=item.item_no + 1)


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
        position = _skip(text, position, between="")
    return values


def document_items(data: bytes, line_no: int, byte_from: int, reader: ItemReader, tree: Node) -> Iterator[Item]:
    """The records of a whole document; of an array that breaks off, those before the break and one fault for the rest."""
    text = data.decode()
    start = len(text) - len(text.lstrip())
    if not text[start:].startswith("["):
        # A document has no place of its own per item: all items share its first line and its bytes.
        yield from line_items(data, (line_no, byte_from), reader, tree)
        return
    yield from _array_items(text, start + 1, (line_no, byte_from), reader, tree)


def _array_items(text: str, position: int, origin: tuple[int, int], reader: ItemReader, tree: Node) -> Iterator[Item]:
    line_no, offset = origin
    item_no, counted = 0, 0
    while True:
        position = _skip(text, position)
        line_no += text.count("\n", counted, position)
        offset += len(text[counted:position].encode())
        counted = position
        if text[position : position + 1] == "]":
            if text[position + 1 :].strip():
                holder = _Holder(line_no, offset + 1, text[position + 1 :].encode(), item_no)
                yield holder.failed(0, RecordError("not_json", "text follows the end of the array"))
            return
        try:
            value, end = load_item(text, position)
        except RecordError as error:
            yield _Holder(line_no, offset, text[position:].encode(), item_no).failed(0, error)
            return
        for item in _records(value, _Holder(line_no, offset, text[position:end].encode(), item_no), reader, tree):
            yield item
            item_no = item.item_no + 1
        position = end


def _skip(text: str, position: int, between: str = ",") -> int:
    """The index of the next value: white space and what stands between values are passed over."""
    while position < len(text) and (text[position].isspace() or text[position] in between):
        position += 1
    return position


def _records(value: object, holder: _Holder, reader: ItemReader, tree: Node) -> Iterator[Item]:
    try:
        values = list(reader(value))
    except RecordError as error:
        yield holder.failed(0, error)
        return
    for number, item in enumerate(values):
        try:
            yield holder.item(number, flatten(item, tree))
        except RecordError as error:
            yield holder.failed(number, error)
    if not values:
        yield holder.failed(0, RecordError("no_items", "the container holds no record"), severity="info")
