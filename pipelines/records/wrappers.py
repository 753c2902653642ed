"""Records within what a tool put around them and no format names: `{"items": [...]}`, `{"result": {"data": [...]}}`, `{"payload": {...}}`.

A value that counts nothing, and holds objects that do, is what stands around records, not one of them; so is one that counts what the records
in its list add up to. Lists come before objects, which next to a list add it up. What was asked, and texts that a model said, are never opened: they may hold anything. Containers that a
format knows are opened by its own reader (`Layout.items`); entries of HTTP archives in `http_archives.py`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from pipelines.meters import STAND_ALONE
from pipelines.records.container_logs import INSTANT
from pipelines.records.copies import Copies
from pipelines.records.http_archives import MARK, answer_of
from pipelines.records.json_record import COUNTED, Number, RecordError, load, texts_of
from pipelines.records.layout import LINE_COLUMNS, MAX_PREFIX, ItemReader, Layout, Paths
from pipelines.records.line_chunks import Chunk
from pipelines.records.measures import TOTALS
from pipelines.records.paths import path_tree

_DEEPEST = 5
_TRIED = 16
_ASKED = ("request", "prompt", "input", "question", "tool")
"""Parts of names of fields that hold what was asked."""
_LOGGED = re.compile("requests$|request.*(log|record|event|call|entr|histor)")
"""Names of fields that hold what became of requests."""
_SAID = (
    "choices",
    "candidates",
    "output",
    "outputs",
    "content",
    "contents",
    "messages",
    "completion",
    "arguments",
    "parts",
    "text",
    "generated_text",
    "answer",
    "query",
)
"""Fields that hold what a model or a user said: a list in one holds records only where each of its items counts something, a text never."""
_SUM = re.compile(r"(?i:total|aggregate|overall|summar)|(?<![A-Za-z])(?i:sums?)(?![a-z])|Sums?(?![a-z])")
"""How a name says that a field adds up others; `consumer` has the same letters."""
_ASIDE = re.compile(
    r"(?i)cumulat|accumulat|running|session|lifetime|so_far|to_date|previous|estimat|budget|limit|quota|remaining"
)
"""How a name says that counts next to a call are no call: of all until now, of one before, or of what is expected or allowed."""
_TERMS = ("provider_id", "request_model", "response_model", "service_tier", "region", "speed")
"""Columns that say on which terms a call was made."""
_OF_WRAPPER = ("type", "object", "status", "kind", "event", "name", "version")
"""What a wrapper says of itself, not of the record in it."""
_NUMBER = re.compile(r"\s*[-+]?\d")


class Wrappers:
    """Opens the wrappers around one format's records."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._tree = path_tree(self.counted, bodies=layout.loose_paths)
        ids = tuple(path for name in ("source_request_id", "span_id") for path in layout.text.get(name, ()))
        self._places = (ids, layout.instants.get("event_at", ()))
        self._failed = layout.text.get("error", ())
        self._known = path_tree({*self._failed, *(path for paths in self._places for path in paths)})
        self._copies = Copies(layout, self._read)

    @cached_property
    def counted(self) -> list[str]:
        """The paths of which a record of a call fills one."""
        layout = self._layout
        alone = [path for name in STAND_ALONE for path in layout.integers.get(name, ())]
        return sorted({*(path for name in TOTALS for path in layout.usage.get(name, ())), *alone})

    @cached_property
    def shared(self) -> list[str]:
        """Fields in which a run says for all its calls who made them, and on which model and terms."""
        said = {*_TERMS, *self._layout.described_by} - {"finish_reason", "role"}
        paths = (path for column in self._layout.columns if column.name in said for path in column.paths)
        heads = {path.partition("/")[0] for path in (*self._failed, *self._places[0])} | {*self._tree.places}
        return sorted({path.partition("/")[0] for path in paths} - heads)

    @cached_property
    def names(self) -> list[str]:
        """Texts of which a line holds one wherever a call is counted in it."""
        last = {path.rpartition("/")[2] for path in self.counted}
        return sorted(
            {MARK}
            | last
            | {re.sub(r"(?<=[a-z])([A-Z])", lambda found: "_" + str(found[1]).lower(), name) for name in last}
        )

    def hidden(self, lines: pl.DataFrame, uncounted: pl.Series) -> list[int]:
        """Of lines (index, line) those whose record, by the indexes in `uncounted`, counts nothing although a count stands in them."""
        if not len(uncounted):
            return []
        found = lines.filter(pl.col("index").is_in(uncounted.implode()) & pl.col("line").str.contains_any(self.names))
        return found["index"].to_list()

    def crowded(self, chunk: Chunk, columns: Mapping[str, pl.Series], index: pl.Series) -> list[int]:
        """Of the lines of a chunk those that may add up the calls that they hold: a count of input stands there twice more than it is read. `columns`
        are what is filled of the chunk's records by path, `index` their lines. Many such lines are so for another reason where some of them add nothing up."""
        if not self._layout.is_wrapped:
            return []
        paths = [path for path in self._layout.usage.get("input", ()) if path in columns]
        found: set[int] = set()
        for name in {path.rpartition("/")[2] for path in paths}:
            sought = f'"{name}"'.encode()
            read = [columns[path] for path in paths if path.rpartition("/")[2] == name]
            if chunk.data.count(sought) > sum(len(column) - column.null_count() for column in read) + 1:
                places = [match.start() for match in re.finditer(re.escape(sought), chunk.data)]
                stated = np.bincount(np.searchsorted(chunk.ends, places), minlength=len(chunk.ends))
                lines_read = pl.concat(index.filter(column.is_not_null()) for column in read)
                known = np.bincount(lines_read.to_numpy(), minlength=len(chunk.ends))
                found.update(np.flatnonzero((known > 0) & (stated > known + 1)).tolist())
        lines = sorted(found)
        tried = lines[:: max(1, len(lines) // _TRIED)]
        return lines if any(self._adds_up(chunk.data[chunk.starts[line] : chunk.ends[line]]) for line in tried) else []

    def _adds_up(self, line: bytes) -> bool:
        value = _loaded(line.decode(errors="replace"))
        return bool(self._added_up(value))

    def uncounted(self, columns: Collection[str]) -> pl.Expr:
        """Whether a row of texts or typed columns, of which these hold anything, counts nothing and may be a wrapper."""
        return pl.all_horizontal(
            pl.lit(self._layout.is_wrapped), *(pl.col(path).is_null() for path in self.counted if path in columns)
        )

    def reader(self) -> ItemReader:
        """A fresh reader of the format's records that opens what stands around them."""
        read = self._layout.own_reader()
        if not self._layout.is_wrapped:
            return read

        def records(value: object) -> Iterable[object]:
            found = list(read(value))
            if any(map(self._counts, found)):
                return [item for call in self._added_up(value) for item in read(call)] or found
            if self._says_which(found):
                return found
            inner = list(self._within(value, _DEEPEST))
            return [item for record in inner for item in read(record)] if inner else found

        return records

    def _says_which(self, records: Iterable[object]) -> bool:
        """Whether what a value was read as is no wrapper although it counts nothing. An answer in an envelope may leave its id and instant to
        that, unless the envelope says that the call failed."""
        needed = (*self._places, *([self._failed] if self._layout.bodies else []))
        return any(self._is_known(record, needed) for record in records)

    def _is_known(self, record: object, needed: Iterable[Paths]) -> bool:
        """Whether a record fills one of each of the paths."""
        try:
            texts = texts_of(record, self._known)
        except RecordError:  # an envelope may hold words where an answer may lie
            return not self._layout.bodies
        return all(any(texts[path] for path in paths) for paths in needed)

    def _counts(self, record: object) -> bool:
        try:
            return any(text is not None and _NUMBER.match(text) for text in texts_of(record, self._tree).values())
        except RecordError:
            return False

    def _is_counted(self, value: object) -> bool:
        """The same of a value that the format has yet to read; a bucket of a seller's usage report adds up calls."""
        if isinstance(value, dict) and str(value.get("object")).startswith("organization."):
            return False
        return any(map(self._counts, self._read(value)))

    def _read(self, value: object) -> list[object]:
        """What the format makes of a value, whatever it remembers of others; nothing where it can't read it."""
        try:
            return list(self._layout.own_reader()(value))
        except RecordError:
            return []

    def _within(self, value: object, depth: int) -> Iterator[object]:
        """The records in a value that is none; nothing where it holds none."""
        value = _opened(value)
        if not depth or not isinstance(value, dict | list):
            return
        if isinstance(value, list):
            yield from self._of_list(value, depth)
            return
        held = [(name, inner) for name, item in value.items() if (inner := _opened(item, name)) is not None]
        lists = [
            record for name, inner in held if isinstance(inner, list) for record in self._listed(name, inner, depth)
        ]
        dated = self._dated(value)
        if lists:
            yield from ({**dated, **record} if isinstance(record, dict) else record for record in lists)
            return
        named = [
            (name, record)
            for name, inner in held
            if isinstance(inner, dict) and _may_hold(name, value)
            for record in self._of_object(inner, depth)
        ]
        calls = [record for name, record in named if not _ASIDE.search(name)]
        if calls:
            calls = [record for name, record in named if not _ASIDE.search(name) or self._copies.names_a_call(record)]
        records = self._copies.without(calls or [record for _, record in named])
        is_one = len(records) == 1
        around = self._around(value, of_one=is_one) if is_one or len(held) == 1 else dated
        yield from ({**around, **record} for record in records)

    def _around(self, value: dict[str, Any], *, of_one: bool) -> dict[str, Any]:
        """What a wrapper says of the records in it; its id would make one call of several."""
        unsaid = (*_OF_WRAPPER, *(() if of_one else self._places[0]))
        return {name: item for name, item in value.items() if isinstance(item, str) and name not in unsaid}

    def _dated(self, value: dict[str, Any]) -> dict[str, Any]:
        """The wrapper's instant as the last one that a record looks for, where the format looks for such a one."""
        names = self._layout.instants.get("event_at", ())
        stated = next((value[name] for name in names if isinstance(value.get(name), str)), None)
        return {INSTANT: stated} if stated is not None and INSTANT in names else {}

    def _added_up(self, value: object, depth: int = _DEEPEST) -> list[dict[str, Any]]:
        """The records in the lists of a value that counts what they add up to; none where it is a call of its own."""
        lists = [
            (name, item)
            for name, item in (value.items() if isinstance(value, dict) else ())
            if isinstance(item, list) and len(item) > 1 and self._may_count(item) and _opened(item, name) is not None
        ]
        if not isinstance(value, dict) or not lists or len(self._read(value)) != 1:
            return []
        held = [
            record for name, item in lists for record in self._listed(name, item, depth) if isinstance(record, dict)
        ]
        if not self._copies.is_sum(value, [record for record in held if self._is_counted(record)]):
            return []
        said = {name: value[name] for name in self.shared if isinstance(value.get(name), str | dict)}
        return [{**self._dated(value), **said, **record} for record in held]

    def _may_count(self, items: list[object]) -> bool:
        """A quick look at whether one of the items has a field where a count may lie."""
        return any(isinstance(item, dict) and not item.keys().isdisjoint(self._tree.places) for item in items)

    def _of_object(self, value: dict[str, Any], depth: int) -> Iterator[dict[str, Any]]:
        if self._is_counted(value):
            yield from self._added_up(value, depth) or [value]
        else:
            yield from (record for record in self._within(value, depth - 1) if isinstance(record, dict))

    def _listed(self, name: str, items: list[object], depth: int) -> Iterator[object]:
        """The records in a list; in one of what a model said only where all of it counts, or what counts says which call it was and when:
        a history that is logged again holds the same calls."""
        if name not in _SAID:
            yield from self._of_list(items, depth)
            return
        said = [item for item in items if isinstance(item, dict)]
        counted = [item for item in said if self._is_counted(item)]
        known = (any(self._is_known(record, self._places) for record in self._read(item)) for item in counted)
        if counted and (len(counted) == len(items) or all(known)):
            yield from said

    def _of_list(self, items: list[object], depth: int) -> Iterator[object]:
        """The records among the items and in them; where one item is a record, each that holds none is one too."""
        opened = [answer_of(item) or item if isinstance(item, dict) else item for item in map(_opened, items)]
        whole = [
            isinstance(item, dict) and (self._is_counted(item) or self._says_which(self._read(item))) for item in opened
        ]
        has_records = any(whole)
        for item, is_whole in zip(opened, whole, strict=True):
            inner: list[object] = [*(self._added_up(item, depth - 1) if is_whole else self._within(item, depth - 1))]
            if not inner and has_records and isinstance(item, dict):
                inner = [item]
            yield from inner


_OF_CALL = "llm_summary"
"""The object in which APISIX logs a call."""


def _may_hold(name: str, value: dict[str, Any]) -> bool:
    """Whether an object of that name in a value may hold records: not a usage that the format left unread, nor what was said, nor a sum."""
    return (
        name not in COUNTED and not (name in _SAID and "role" in value) and (name == _OF_CALL or not _SUM.search(name))
    )


def _opened(value: object, name: str = "") -> object:
    """An object or a list, also one that is written as text, in a line of a log behind a few words; None for anything else, and for what was
    asked."""
    lower = name.lower()
    if any(asked in lower for asked in _ASKED) and not _LOGGED.search(lower):
        return None
    if isinstance(value, str) and not isinstance(value, Number) and name not in _SAID:
        start = value.find("{", 0, MAX_PREFIX) if name in LINE_COLUMNS and value.lstrip()[:1] != "[" else 0
        value = _loaded(value[max(start, 0) :])
    return value if isinstance(value, dict | list) and value else None


def _loaded(text: str) -> object:
    """What a text holds as JSON, if that is an object or a list."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return load(text)
    except RecordError:
        return None
