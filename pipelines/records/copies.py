"""Records that state again what others next to them count: loggers write what they made of an answer next to it, and sums above their calls.

A copy has the same input and output, or a total alone that they add up to, no id of its own, and names no other model. A sum has the counts of all the records in a list, or of
one of them if all have ids, as runs of agents are logged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from pipelines.records.json_record import RecordError, count_of, texts_of
from pipelines.records.layout import Layout
from pipelines.records.paths import path_tree


class _Stated(NamedTuple):
    """Input and output that a record counts, its id, the models that it names, whether it states an amount, and the total that it
    counts alone."""

    counts: tuple[str | None, ...]
    identity: str | None
    models: frozenset[str]
    has_amount: bool = False
    total: str | None = None

    @property
    def has_id(self) -> bool:
        return self.identity is not None

    def says_no_more_than(self, other: _Stated) -> bool:
        """Whether it is a copy of one with the same counts, which may name the version that answered."""
        if self.has_id or not other.has_id:
            return not self.has_id and self.models < other.models
        return all(any(theirs.startswith(ours) for theirs in other.models) for ours in self.models)


_UNKNOWN = _Stated((None, None), "?", frozenset())


class Copies:
    """Finds the copies among records of one format; `read` makes of a value what the format does."""

    def __init__(self, layout: Layout, read: Callable[[object], Iterable[object]]) -> None:
        self._read = read
        self._ids = (*layout.text.get("source_request_id", ()), *layout.text.get("span_id", ()))
        self._models = (*layout.text.get("request_model", ()), *layout.text.get("response_model", ()))
        self._billed = tuple(layout.usage.get(name, ()) for name in ("input", "output"))
        self._totals = layout.usage.get("total", ())
        self._amounts = layout.exact_paths
        counts = (path for paths in (*self._billed, self._totals) for path in paths)
        self._tree = path_tree({*self._ids, *self._models, *self._amounts, *counts}, bodies=layout.loose_paths)

    def without(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The records that are no copies of others."""
        if len(records) < 2:
            return records
        stated = [self._stated_by(record) for record in records]
        of_counts: dict[object, set[_Stated]] = {}
        for each in stated:
            of_counts.setdefault((each.counts, each.total), set()).add(each)
            if all(each.counts):
                of_counts.setdefault(((None, None), str(sum(map(count_of, each.counts)))), set()).add(each)
        return [
            record
            for record, each in zip(records, stated, strict=True)
            if not any(each.says_no_more_than(other) for other in of_counts[each.counts, each.total])
        ]

    def names_a_call(self, record: dict[str, Any]) -> bool:
        """Whether a record has an id or a model of its own."""
        stated = self._stated_by(record)
        return stated.has_id or bool(stated.models)

    def is_sum(self, whole: object, records: list[dict[str, Any]]) -> bool:
        """Whether a record that counts something counts what the others add up to, or what the one of them counts that is the same call. The others
        must be calls that will not be taken for one, nor counted again with the next record."""
        outer, inner = self._stated_by(whole), [self._stated_by(record) for record in records]
        names = {each.identity or each for each in inner}
        if len(inner) < 2 or len(names) < len(inner) or not all(all(each.counts) for each in (outer, *inner)):
            return False
        added = tuple(sum(map(count_of, counts)) for counts in zip(*(each.counts for each in inner), strict=True))
        if tuple(map(count_of, outer.counts)) == added:
            # An amount that only the sum states would be lost with it, and nothing else is lost in it.
            return any(each.has_amount for each in inner) or not outer.has_amount
        # A list that grows with each call holds the earlier ones again: only their ids show that they are the same.
        return all(each.has_id for each in inner) and any(
            each.counts == outer.counts and outer.identity in (None, each.identity) for each in inner
        )

    def _stated_by(self, record: object) -> _Stated:
        for found in self._read(record):
            try:
                texts = texts_of(found, self._tree)
            except RecordError:
                continue
            counts = tuple(next(filter(None, (texts[path] for path in paths)), None) for paths in self._billed)
            total = None if any(counts) else next(filter(None, (texts[path] for path in self._totals)), None)
            if any(counts) or total:
                models = frozenset(filter(None, (texts[path] for path in self._models)))
                identity = next(filter(None, (texts[path] for path in self._ids)), None)
                return _Stated(counts, identity, models, any(texts[path] for path in self._amounts), total)
        return _UNKNOWN
