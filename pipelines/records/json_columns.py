"""JSON lines straight to typed columns, for those lines that a whole block of them proves sound.

Whatever is in doubt is left to the reading by texts (`json_texts.py`, `json_record.py`): this one may refuse a line, but of one
that it takes it must say what they say. What the columns mean is decided in `requests/normalise.py`.

Arrow reads a block as a stream of JSON values and gives a row for each. A line that starts with `{` and ends with `}` can't
reach into the next: after the closing brace of something unfinished, the brace that opens the next line is an error. So
each such line gives one row at least, or an error, and as many rows as lines means one row for every line.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import polars as pl
import pyarrow as pa
import pyarrow.json as pj

from pipelines.constant import empty
from pipelines.records.conversions import INSTANT, MONEY
from pipelines.records.json_record import MAX_TEXT
from pipelines.records.json_texts import list_texts
from pipelines.records.layout import Layout
from pipelines.records.line_chunks import Chunk
from pipelines.records.paths import Node, path_tree

Indexes = npt.NDArray[np.int64]

_BLOCK_BYTES = 2**20
"""Bytes read at once: so few that a block's columns stay in the processor's cache."""
_LITTLE_BYTES = 2**16
_SMALLEST_BLOCK = 16
"""A block that can't be read is halved down to so many lines; these are left."""
_SAMPLE_LINES = 200
_MOST_LEFT = 0.2
"""Where more of the lines are left, the file is not of a kind that this reading suits, and it is not tried again."""
_MOST_SURPRISES = 8
"""Where no line of the sample has a field that is not read, blocks are read as if none had, a fifth faster, which fails
where one has: after so many of these, no more."""
_DEEP_BRACKETS = 300
"""A line with more opening brackets is left: the other reading refuses deep nesting, this one would not."""

# What Arrow takes or trips over and the other reading refuses: null after a record ends the process, NaN counts as a
# number, NUL as text. First a regular expression that finds it in a block, then how it stands in a line. Marks of what
# holds several records come on top.
_SUSPECTS = (
    (r"\}\s*n", re.compile(rb"\}\s*n")),
    (r"\\u0000", re.compile(rb"\\u0000")),
    ("NaN", re.compile(rb"[:\[,]\s*-?NaN")),
    ("Inf", re.compile(rb"[:\[,]\s*-?Inf")),
)
_NOT_ASCII = re.compile(rb"[\x80-\xff]+")
"""In a block that is not UTF-8 each such place is suspicious."""

_DIGITS = pa.decimal128(20, 18)
"""20 digits before 18 places are all that 128 bits hold: for a wider type Arrow lets numbers wrap around."""

_TYPES: dict[str, pa.DataType] = {
    "text": pa.large_string(), "integer": pa.int64(), "boolean": pa.bool_(), "number": pa.float64(),
    "decimal": _DIGITS, "instant": pa.timestamp("us", "UTC"), "list": pa.list_(pa.large_string()),
}  # fmt: skip
_WRITTEN_ALIKE = {"text", "integer", "boolean"}
"""Shapes whose values are the same text whatever reads them, so that a column may be filled from several."""
_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d(?::?\d\d)?)?")


@dataclass(frozen=True)
class TypedLines:
    """`rows`: the column index (of a line in its chunk) and a typed column per path that any line fills; `left`: the others."""

    rows: pl.DataFrame
    left: Indexes


@dataclass(frozen=True)
class _Part:
    """Lines read as an Arrow table along the tree, their indexes, and the shapes that the table was read by."""

    table: pa.Table
    kept: Indexes
    shapes: dict[str, str]


class ColumnReader:
    """Reads the chunks of one file along the paths of its format, and learns from the lines how each path is written."""

    def __init__(self, layout: Layout) -> None:
        self._tree = path_tree(layout.paths)
        self._columns = [(kind, paths) for _, paths, kind in layout.columns]
        self._kinds: dict[str, set[str]] = defaultdict(set)
        for kind, paths in self._columns:
            for path in paths:
                self._kinds[path].add(kind)
        self._has_iso = layout.time.kind == "iso" and layout.time.pattern is None and layout.time.zone == "UTC"
        self._shapes: dict[str, str] = {}
        self._is_suited = layout.items is None or bool(layout.marks)
        self._present: set[str] = set()
        self._surprises_left = _MOST_SURPRISES
        marks = "|".join(map(re.escape, layout.marks))  # one pass over the text finds any of them
        self._suspects = [*_SUSPECTS, *([(marks, re.compile(marks.encode()))] if marks else [])]
        self._has_learnt = False

    def read(self, chunk: Chunk) -> TypedLines | None:
        """The sound lines of the chunk, typed, and the others named; None if this reading does not suit the file."""
        count = len(chunk.ends)
        if not self._is_suited or not count:
            return None
        if not self._has_learnt:
            self._learn(chunk, 0, min(count, _SAMPLE_LINES))
            self._has_learnt = True
        sound = _stand_alone(chunk)
        parts: list[_Part] = []
        taken = 0
        blocks = list(_blocks(chunk))
        for (first, last), suspects in zip(blocks, self._suspects_of(chunk, blocks), strict=True):
            _set_aside(chunk, first, last, sound, suspects)
            found = list(self._read_by_halves(chunk, first, last, sound))
            parts += found
            taken += sum(len(part.kept) for part in found)
            if last - taken > max(_MOST_LEFT * last, _SMALLEST_BLOCK):
                self._is_suited = False
            if not self._is_suited:
                return None
        if not self._fits():
            self._is_suited = False
            return None
        rows = _with_list_texts(_without_long_texts(self._joined(parts), chunk))
        left = np.ones(count, np.bool_)
        left[rows["index"].to_numpy()] = False
        return TypedLines(rows, np.flatnonzero(left).astype(np.int64))

    def _suspects_of(self, chunk: Chunk, blocks: Sequence[tuple[int, int]]) -> list[list[re.Pattern[bytes]]]:
        """Per block what must be looked for in its lines, because the block has something like it."""
        if len(chunk.data) <= _LITTLE_BYTES:
            return [self._suspects_in(chunk.data)]
        offsets = np.array([0, *(chunk.ends[last - 1] for _, last in blocks)], np.int64)
        array = pa.LargeStringArray.from_buffers(len(blocks), pa.py_buffer(offsets), pa.py_buffer(chunk.data))
        everything = [_NOT_ASCII, *(pattern for _, pattern in self._suspects)]
        found = [[] if _is_utf8(array.slice(number, 1)) else everything for number in range(len(blocks))]
        readable = [number for number, patterns in enumerate(found) if not patterns]
        texts = pl.Series(values=array.take(pa.array(readable, pa.int64())) if len(readable) < len(blocks) else array)
        for glance, pattern in self._suspects:
            for place in texts.str.contains(glance).arg_true().to_list():
                found[readable[place]] = [*found[readable[place]], pattern]
        return found

    def _suspects_in(self, data: bytes) -> list[re.Pattern[bytes]]:
        """The same of so little that Python's own search is the quicker one."""
        patterns = [pattern for _, pattern in self._suspects]
        try:
            data.decode()
        except UnicodeDecodeError:
            return [_NOT_ASCII, *patterns]
        return [pattern for pattern in patterns if pattern.search(data)]

    def _read_by_halves(self, chunk: Chunk, first: int, last: int, sound: npt.NDArray[np.bool_]) -> Iterator[_Part]:
        """What of the lines [first, last) can be read, by halves: one in doubt does not take its neighbours with it."""
        data, kept = _block_of(chunk, first, last, sound)
        if not len(kept):
            return
        found = self._typed(data, kept)
        if found is None and last - first <= _SMALLEST_BLOCK and self._learn(chunk, first, last):
            found = self._typed(data, kept)
        if found is not None:
            yield found
        elif last - first > _SMALLEST_BLOCK:
            middle = (first + last) // 2
            yield from self._read_by_halves(chunk, first, middle, sound)
            yield from self._read_by_halves(chunk, middle, last, sound)

    def _typed(self, data: pa.Buffer, kept: Indexes) -> _Part | None:
        """One row per line, or None if the block does not read so."""
        shapes = dict(self._shapes)
        if self._surprises_left:
            table = _read(data, _fields(self._tree, shapes, self._present), "error")
            if table is not None and table.num_rows == len(kept):
                return _Part(table, kept, shapes)
        table = _read(data, _fields(self._tree, shapes), "ignore")
        if table is None or table.num_rows != len(kept):
            return None
        self._surprises_left = max(0, self._surprises_left - 1)
        return _Part(table, kept, shapes)

    def _joined(self, parts: list[_Part]) -> pl.DataFrame:
        """The parts as one frame; those read alike go over from Arrow together, which takes a lock each time."""
        frames = [empty({"index": pl.Int64()})]
        for _, group in groupby(parts, key=lambda part: (part.shapes, part.table.schema)):
            alike = list(group)
            frame = pl.DataFrame(pa.concat_tables([part.table for part in alike]))
            index = pl.Series("index", np.concatenate([part.kept for part in alike]))
            frames.append(pl.DataFrame([index, *_flat(frame.get_column, self._tree, alike[0].shapes)]))
        return pl.concat(frames, how="diagonal", rechunk=True)

    def _learn(self, chunk: Chunk, first: int, last: int) -> bool:
        """Learn from the lines [first, last) how paths are written; True where something was new."""
        before = dict(self._shapes)
        for start, end in zip(chunk.starts[first:last].tolist(), chunk.ends[first:last].tolist(), strict=True):
            try:
                record = orjson.loads(chunk.data[start:end])
            except orjson.JSONDecodeError:
                continue
            if isinstance(record, dict):
                self._observe(record, self._tree)
        return self._shapes != before

    def _observe(self, record: dict[str, Any], node: Node) -> None:
        """What is written as something that has no shape here is not remembered: such lines are left."""
        known = node.places
        self._present.update(known[key] for key in record if key in known)
        if not known.keys() >= record.keys():
            self._surprises_left = 0
        for key, value in record.items():
            if key in node.leaves:
                path = node.leaves[key]
                if (shape := self._shape(path, value)) is not None:
                    self._shapes.setdefault(path, shape)
            elif key in node.lists:
                if isinstance(value, list):
                    self._shapes.setdefault(node.lists[key], "list")
            elif key in node.children and isinstance(value, dict):
                self._observe(value, node.children[key])

    def _shape(self, path: str, value: object) -> str | None:
        kinds = self._kinds[path]
        if isinstance(value, str):
            return "instant" if kinds == {"instant"} and self._has_iso and _ISO.fullmatch(value) else "text"
        if isinstance(value, bool):
            return "boolean"
        if isinstance(value, int | float) and kinds in ({"decimal"}, {"number"}):
            return "decimal" if kinds == {"decimal"} else "number"
        return "integer" if isinstance(value, int) else None

    def _fits(self) -> bool:
        """Whether the paths that may fill one column are written alike."""
        for _, paths in self._columns:
            shapes = {self._shapes[path] for path in paths if path in self._shapes}
            if len(shapes) > 1 and not shapes <= _WRITTEN_ALIKE:
                return False
        return True


def _read(data: pa.Buffer, fields: list[pa.Field], unexpected: str) -> pa.Table | None:
    try:
        return pj.read_json(
            pa.BufferReader(data),
            read_options=pj.ReadOptions(use_threads=False, block_size=data.size + 1),
            parse_options=pj.ParseOptions(explicit_schema=pa.schema(fields), unexpected_field_behavior=unexpected),
        )
    except pa.ArrowInvalid:
        return None


def _fields(node: Node, shapes: dict[str, str], present: Collection[str] | None = None) -> list[pa.Field]:
    """The schema below `node`: what was never seen filled must stay null, or the block does not read.

    With `present`, only what was seen filled or is among these.
    """
    fields = []
    for key, path in node.places.items():
        kind = _TYPES.get(shapes.get(path, ""), pa.null())
        if (child := node.children.get(key)) and any(inner in shapes for inner in child.paths):
            kind = pa.struct(_fields(child, shapes, present))
        if present is None or path in present or kind != pa.null():
            fields.append(pa.field(key, kind))
    return fields


def _flat(column: Callable[[str], pl.Series], node: Node, shapes: dict[str, str]) -> Iterator[pl.Series]:
    """The columns below `node` that any line may fill, under their paths."""
    for key, path in {**node.leaves, **node.lists}.items():
        shape = shapes.get(path)
        if shape is None:
            continue
        values = column(key)
        match shape:
            case "decimal":
                values = values.cast(MONEY)
            case "instant":
                values = values.cast(INSTANT)
        yield values.rename(path)
    for key, child in node.children.items():
        if any(path in shapes for path in child.paths):
            yield from _flat(column(key).struct.field, child, shapes)


def _blocks(chunk: Chunk) -> Iterator[tuple[int, int]]:
    """Runs of lines [first, last) of some _BLOCK_BYTES each."""
    edges = np.searchsorted(chunk.ends, np.arange(_BLOCK_BYTES, len(chunk.data), _BLOCK_BYTES))
    bounds = np.unique(np.concatenate([[0], edges, [len(chunk.ends)]])).tolist()
    return pairwise(bounds)


def _stand_alone(chunk: Chunk) -> npt.NDArray[np.bool_]:
    """Which lines start with `{`, end with `}`, belong to no span and are not suspiciously deep."""
    sound = chunk.stands_alone & ~chunk.is_grouped
    for index in np.flatnonzero(chunk.ends - chunk.starts > 2 * _DEEP_BRACKETS).tolist():
        line = chunk.data[chunk.starts[index] : chunk.ends[index]]
        sound[index] &= line.count(b"{") + line.count(b"[") <= _DEEP_BRACKETS
    return sound


def _is_utf8(texts: pa.LargeStringArray) -> bool:
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _set_aside(
    chunk: Chunk, first: int, last: int, sound: npt.NDArray[np.bool_], suspects: Sequence[re.Pattern[bytes]]
) -> None:
    """Mark those of the lines [first, last) that hold anything suspicious as not sound."""
    begin, end = int(chunk.starts[first]), int(chunk.ends[last - 1])
    data = pa.py_buffer(chunk.data).slice(begin, end - begin)
    for pattern in suspects:
        for match in pattern.finditer(data):
            sound[first + np.searchsorted(chunk.ends[first:last], begin + match.start(), side="right")] = False


def _block_of(chunk: Chunk, first: int, last: int, sound: npt.NDArray[np.bool_]) -> tuple[pa.Buffer, Indexes]:
    """The bytes of the lines [first, last), blanks in place of those that are not sound, and the indexes of the others."""
    begin, end = int(chunk.starts[first]), int(chunk.ends[last - 1])
    data = pa.py_buffer(chunk.data).slice(begin, end - begin)
    kept = sound[first:last]
    if not kept.all():
        blanked = bytearray(data)
        for index in (np.flatnonzero(~kept) + first).tolist():
            start, stop = int(chunk.starts[index]), int(chunk.ends[index])
            blanked[start - begin : stop - begin] = b" " * (stop - start - 1) + b"\n"
        data = pa.py_buffer(blanked)
    return data, np.flatnonzero(kept).astype(np.int64) + first


def _without_long_texts(rows: pl.DataFrame, chunk: Chunk) -> pl.DataFrame:
    """`rows` without those that hold a text longer than an identifier may be."""
    texts = [name for name, dtype in rows.schema.items() if dtype == pl.String]
    lengths = np.diff(chunk.ends, prepend=0)
    if not texts or lengths.max() <= MAX_TEXT:
        return rows
    long = pl.any_horizontal(pl.col(name).str.len_bytes() > MAX_TEXT for name in texts)
    return rows.filter(~long.fill_null(value=False))


def _with_list_texts(rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` with lists as JSON texts, without those whose list the other reading must look at."""
    failed: set[int] = set()
    for name, dtype in rows.schema.items():
        if isinstance(dtype, pl.List):
            texts, doubted = list_texts(rows["index"], rows[name])
            rows = rows.with_columns(texts)
            failed |= doubted
    return rows.filter(~pl.col("index").is_in(sorted(failed))) if failed else rows
