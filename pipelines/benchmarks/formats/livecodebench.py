"""LiveCodeBench: outcomes per problem; the window of problem dates decides the score."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from pipelines.benchmarks.collector import Collector
from pipelines.benchmarks.fields import BoardOptionsError, EntryError, is_blank, number, shown_name, text, within
from pipelines.benchmarks.formats._entries import Entry, entries_snapshot, fields_of, listed_records
from pipelines.benchmarks.observation import BoardSnapshot

_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
OPTIONS = ("window_from", "window_to")


def parse(into: Collector) -> BoardSnapshot:
    """Read `performances_generation.json`. Options `window_from` and `window_to` (days): the window decides the score."""
    start, end = (_day_option(into, name) for name in ("window_from", "window_to"))
    entries: dict[str, Entry] = {}
    for item_no, record in enumerate(listed_records(into, "performances")):
        try:
            asked = _asked(record.get("date"))
            shown = record.get("pass@1")
            percent = None if is_blank(shown) else within(number(shown, "pass@1"), "pass@1", 100)
            entry = entries.setdefault(shown_name(record.get("model"), "model"), Entry())
            if (start is None or asked >= start) and (end is None or asked < end):
                entry.add(text(record.get("question_id"), "question_id"), None if percent is None else percent / 100)
            into.count_valid()
        except EntryError as error:
            into.reject(item_no, error.reason, str(error), fields=fields_of(record, ("model", "question_id", "date")))
    version = f"{start or 'first'}..{end or 'last'}"
    return entries_snapshot(into, "livecodebench", "LiveCodeBench", version, entries)


def _asked(value: object) -> date:
    """Day of a problem: milliseconds since 1970, or ISO 8601."""
    if isinstance(value, str) and (found := _ISO_DAY.match(value)):
        return date.fromisoformat(found[0])
    try:
        return datetime.fromtimestamp(number(value, "date") / 1000, UTC).date()
    except (ValueError, OverflowError, OSError) as error:
        if isinstance(error, EntryError):
            raise
        raise EntryError(
            "not_a_date", f"date is {value!r}: accepted are milliseconds since 1970, or YYYY-MM-DD"
        ) from None


def _day_option(into: Collector, name: str) -> date | None:
    value = into.board.options.get(name)
    try:
        return None if value is None else date.fromisoformat(str(value))
    except ValueError:
        raise BoardOptionsError(
            f"leaderboard {into.board.board}: options.{name} is {value!r}: accepted is YYYY-MM-DD"
        ) from None
