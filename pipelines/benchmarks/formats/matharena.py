"""MathArena: outcomes per problem and trial, with tokens and costs; prompts and answers in the same file are never read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from pipelines.benchmarks.collector import Collector
from pipelines.benchmarks.fields import EntryError, count, money, shown_name, text
from pipelines.benchmarks.formats._entries import Entry, entries_snapshot, fields_of, solved
from pipelines.benchmarks.formats._tables import read_parquet
from pipelines.benchmarks.observation import BoardSnapshot
from pipelines.landing import read_bytes
from pipelines.outside import worded

_COLUMNS = ("problem_idx", "model_name", "correct", "input_tokens", "output_tokens", "cost", "source")
OPTIONS = ("benchmark",)


def parse(into: Collector) -> BoardSnapshot:
    """Read a MathArena output set (Parquet or JSON Lines). Option `benchmark` names the competition."""
    entries: dict[str, Entry] = {}
    for item_no, record in enumerate(_records(into)):
        try:
            outcome = solved(record.get("correct"), "correct")
            entry = entries.setdefault(shown_name(record.get("model_name"), "model_name"), Entry())
            cost = money(record.get("cost"), "cost")
            entry.add(text(record.get("problem_idx"), "problem_idx"), outcome)
            entry.input_tokens += count(record.get("input_tokens"), "input_tokens") or 0
            entry.output_tokens += count(record.get("output_tokens"), "output_tokens") or 0
            entry.spend(cost)
            into.count_valid()
        except EntryError as error:
            into.reject(item_no, error.reason, str(error), fields=fields_of(record, ("model_name", "problem_idx")))
    name = str(into.board.options.get("benchmark", into.board.board))
    return entries_snapshot(into, name, f"MathArena {name}", "1", entries)


def _records(into: Collector) -> Iterable[dict[str, Any]]:
    if into.file.content_suffix == ".parquet":
        return read_parquet(into, _COLUMNS)
    found = []
    for line_no, line in enumerate(read_bytes(into.file).splitlines(), start=1):
        try:
            record = orjson.loads(line) if line.strip() else None
        except orjson.JSONDecodeError as error:
            into.reject(0, "not_json", f"the line is no JSON: {worded(error)}", record=line, line_no=line_no)
            continue
        if record is not None:
            found.append({name: record.get(name) for name in _COLUMNS} if isinstance(record, dict) else {})
    return found
