"""Records that state again what another next to them counts: loggers write what they made of an answer next to it.

A copy has the same input and output, no id of its own, and names no other model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from pipelines.records.json_record import RecordError, texts_of
from pipelines.records.layout import Layout
from pipelines.records.paths import path_tree


class _Stated(NamedTuple):
    """Input and output that a record counts, whether it has an id, and the models that it names."""

    counts: tuple[str | None, ...]
    has_id: bool
    models: frozenset[str]

    def says_no_more_than(self, other: _Stated) -> bool:
        """Whether it is a copy of one with the same counts, which may name the version that answered."""
        if self.has_id or not other.has_id:
            return not self.has_id and self.models < other.models
        return all(any(theirs.startswith(ours) for theirs in other.models) for ours in self.models)


_UNKNOWN = _Stated((None, None), has_id=True, models=frozenset())


class Copies:
    """Finds the copies among records of one format; `read` makes of a value what the format does."""

    def __init__(self, layout: Layout, read: Callable[[object], Iterable[object]]) -> None:
        self._read = read
        self._ids = (*layout.text.get("source_request_id", ()), *layout.text.get("span_id", ()))
        self._models = (*layout.text.get("request_model", ()), *layout.text.get("response_model", ()))
        self._billed = tuple(layout.usage.get(name, ()) for name in ("input", "output"))
        self._tree = path_tree({*self._ids, *self._models, *(path for paths in self._billed for path in paths)})

    def without(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The records that are no copies of others."""
        if len(records) < 2:
            return records
        stated = [self._stated_by(record) for record in records]
        of_counts: dict[object, set[_Stated]] = {}
        for each in stated:
            of_counts.setdefault(each.counts, set()).add(each)
        return [
            record
            for record, each in zip(records, stated, strict=True)
            if not any(each.says_no_more_than(other) for other in of_counts[each.counts])
        ]

    def _stated_by(self, record: object) -> _Stated:
        for found in self._read(record):
            try:
                texts = texts_of(found, self._tree)
            except RecordError:
                continue
            counts = tuple(next(filter(None, (texts[path] for path in paths)), None) for paths in self._billed)
            if any(counts):
                models = frozenset(filter(None, (texts[path] for path in self._models)))
                return _Stated(counts, any(texts[path] for path in self._ids), models)
        return _UNKNOWN
