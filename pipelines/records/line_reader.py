"""Chunks of lines to batches: JSON lines as typed columns as far as they are sound, everything else as texts, line by line.

Which lines are read together is decided in `line_groups.py`; JSON is read by `json_columns.py`, `json_texts.py` and
`json_documents.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from pipelines.records.batches import Batch, Record, only_faults, placed
from pipelines.records.json_columns import ColumnReader, TypedLines
from pipelines.records.json_documents import (
    Item,
    debris_item,
    document_items,
    is_coloured,
    is_joined,
    item_faults,
    item_texts,
    line_items,
)
from pipelines.records.json_texts import JsonDecoder
from pipelines.records.layout import ItemReader, Layout
from pipelines.records.line_chunks import Chunk, Fault, LineGroup, digest_of, line_frame
from pipelines.records.paths import path_tree
from pipelines.records.tally import Tally
from pipelines.records.typed_frame import filled
from pipelines.records.wrappers import Wrappers

_FEW_LINES = 64
"""So few are read one by one, which is quicker than setting up the reading of blocks."""


class LineReader:
    """Reads the lines of one file along a layout; in a log, lines that are no records are expected."""

    def __init__(self, layout: Layout, tally: Tally, columns: ColumnReader | None, *, is_log: bool = False) -> None:
        self._layout, self._tally, self._columns, self._is_log = layout, tally, columns, is_log
        self._tree = path_tree(layout.paths, layout.detail_paths, layout.loose_paths)
        self._decoder = JsonDecoder(self._tree, layout.exact_paths)
        self._wrappers = Wrappers(layout)
        self._in_sequence = self._wrappers.reader() if layout.in_sequence else None

    def read(self, chunk: Chunk) -> Batch:
        """The chunk's lines typed as far as they are sound, the others as texts."""
        found = self._columns.read(chunk) if self._columns else None
        if found is None:
            return self._read_texts(chunk)
        found = self._without_wrapped(found, chunk)
        index = found.rows["index"]

        def reread(marked: pl.Series) -> Batch:
            return self._read_texts(replace(chunk, faults=[]), index.filter(marked).to_list())

        alone = found.left[~chunk.is_grouped[found.left]]
        left = self._read_texts(chunk, alone.tolist(), chunk.groups)
        return replace(left, typed=placed(_places(chunk), found.rows), reread=reread)

    def _without_wrapped(self, found: TypedLines, chunk: Chunk) -> TypedLines:
        """The typed lines without those that hold their records in something else, which are left."""
        columns = filled(found.rows)
        uncounted = found.rows.filter(self._wrappers.uncounted(columns))["index"]
        hidden = self._wrappers.crowded(chunk, columns, found.rows["index"])
        if len(uncounted):
            hidden += self._wrappers.hidden(line_frame(chunk, uncounted.to_list())[0], uncounted)
        if not hidden:
            return found
        rows = found.rows.filter(~pl.col("index").is_in(hidden))
        return TypedLines(rows, np.union1d(found.left, hidden).astype(np.int64))

    def _read_texts(
        self, chunk: Chunk, wanted: list[int] | None = None, groups: Sequence[LineGroup] | None = None
    ) -> Batch:
        """The chunk's lines as texts, all of them or those wanted, and what its groups hold, all or those given, with the
        chunk's own faults."""
        together = (chunk.groups if wanted is None else ()) if groups is None else groups
        if not together and wanted == []:
            faults = [self._judged(fault, chunk) for fault in chunk.faults]
            return replace(only_faults(faults, self._tree.paths), record=_record_of(chunk))
        lines, faults = line_frame(chunk, wanted)
        opened = lines.select(self._goes_through_items()).to_series()
        texts, unread = self._decoded(chunk, lines.filter(~opened))
        columns, read = filled(texts), texts["line_no"] - chunk.line_no
        uncounted = texts.filter(self._wrappers.uncounted(columns))["line_no"] - chunk.line_no
        crowded = self._wrappers.crowded(chunk, columns, read)
        hidden = sorted({*self._wrappers.hidden(lines, uncounted), *crowded})
        texts = texts.filter(~(pl.col("line_no") - chunk.line_no).is_in(hidden)) if hidden else texts
        joined: list[Fault] = []
        sound: list[Fault] = []
        for fault in unread:
            may_hold = is_joined(fault.reason, fault.detail) or is_coloured(_line_of(fault, chunk))
            (joined if may_hold else sound).append(fault)
        held = [LineGroup(index, index + 1) for index in (*lines["index"].filter(opened).to_list(), *hidden)]
        items: list[Item] = []
        reader = self._in_sequence or self._wrappers.reader()
        # In their order: some readers remember earlier lines of the file, or of the chunk where chunks are read side by side.
        for group in sorted([*held, *together], key=lambda group: group.first):
            items += self._items_of(chunk, group, reader, together=group in together)
        for fault in joined:
            index = fault.line_no - chunk.line_no
            items += self._items_of(chunk, LineGroup(index, index + 1), reader, together=False)
        if items:
            texts = pl.concat([texts, item_texts(items, self._tree)]).sort("line_no", "item_no")
        found = [self._judged(fault, chunk) for fault in (*chunk.faults, *faults, *sound, *item_faults(items))]
        return Batch(texts, found, _record_of(chunk))

    def _judged(self, fault: Fault, chunk: Chunk) -> Fault:
        """The fault, with what its place in the file says of it."""
        fault = _half_written(fault, chunk)
        return _chatter(fault, chunk) if self._is_log else fault

    def _decoded(self, chunk: Chunk, lines: pl.DataFrame) -> tuple[pl.DataFrame, list[Fault]]:
        """Lines of one record each as texts with their places, and those that can't be read as faults."""
        read = self._decoder.one_by_one if lines.height <= _FEW_LINES else self._decoder.decode
        texts, failures = read(lines)
        faults: list[Fault] = []
        for failure in failures:
            start, end = int(chunk.starts[failure.index]), int(chunk.ends[failure.index])
            place = (chunk.line_no + failure.index, chunk.byte_from + start, chunk.byte_from + end)
            faults.append(Fault(*place, failure.reason, failure.detail, digest_of(chunk.data[start:end])))
        return placed(_places(chunk), texts), faults

    def _items_of(self, chunk: Chunk, group: LineGroup, reader: ItemReader, *, together: bool) -> list[Item]:
        """The records of a group of lines, or of one line; they count as one record of the file's bytes."""
        start, end = int(chunk.starts[group.first]), int(chunk.ends[group.last - 1])
        data = chunk.data[start:end]
        place = (chunk.line_no + group.first, chunk.byte_from + start)
        if group.is_debris:
            return [debris_item(data, *place)]
        if together:
            items = list(document_items(data, *place, reader, self._tree))
        else:
            items = list(line_items(data, place, reader, self._tree, self._layout.of_text))
        self._tally.correct(len(items) - 1)
        return items

    def _goes_through_items(self) -> pl.Expr:
        if self._layout.items is None:
            return pl.col("line").is_null()
        if not self._layout.marks:
            return pl.col("line").is_not_null()
        return pl.col("line").str.contains_any(list(self._layout.marks))


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


def _record_of(chunk: Chunk) -> Record:
    def record(_line_no: int, byte_from: int | None, byte_to: int | None) -> bytes:
        if byte_from is None or byte_to is None:
            return b""
        return chunk.data[byte_from - chunk.byte_from : byte_to - chunk.byte_from]

    return record


def _line_of(fault: Fault, chunk: Chunk) -> bytes:
    return chunk.data[fault.byte_from - chunk.byte_from : fault.byte_to - chunk.byte_from]


def _chatter(fault: Fault, chunk: Chunk) -> Fault:
    """What a server says about itself is no record, and no broken one: only what begins as an object is."""
    if fault.reason != "not_json" or _line_of(fault, chunk).lstrip().startswith(b"{"):
        return fault
    return replace(fault, reason="not_a_request", severity="info", detail="a line of a server's log that is no record")


def _half_written(fault: Fault, chunk: Chunk) -> Fault:
    last = fault.byte_to == chunk.byte_from + len(chunk.data) and not chunk.data.endswith(b"\n")
    if fault.reason != "not_json" or not last:
        return fault
    return replace(fault, detail=f"{fault.detail}; the last line has no line end: probably half-written")
