"""Containers that tools put around whole records: pages of an API, batches of a log service, answers of a query.

A format that is exported so names its containers; what the records say is the format's own. Envelopes around the one
answer of a provider are in `_envelope.py`, lines and arrays of records need no container at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pipelines.records.json_record import RecordError, load
from pipelines.records.layout import ItemReader


def opened(*names: str) -> Callable[[], ItemReader]:
    """A reader that opens an object whose `names` hold a list of objects into these; any other value stays as it is."""

    def read(value: object) -> Iterable[object]:
        held = listed(value, names)
        return [value] if held is None else held

    return lambda: read


def marks_of(*names: str) -> tuple[str, ...]:
    """Texts by which a line that holds a container differs from a line that is a record."""
    return tuple(f'"{name}":{space}[' for name in names for space in ("", " "))


def listed(value: object, names: Iterable[str]) -> list[object] | None:
    """The list of objects that one of `names` holds, or None; an empty list is an empty container."""
    if not isinstance(value, dict):
        return None
    for name in names:
        held = value.get(name)
        if isinstance(held, list) and all(isinstance(item, dict) for item in held):
            return held
    return None


def messages(value: object) -> list[object] | None:
    """The records that CloudWatch wrapped as texts: `{"logEvents": [{"message": "{...}"}]}`, and the rows of a Logs Insights
    query, `{"results": [[{"field": "@message", "value": "{...}"}]]}`. A text that is no JSON object stays a log event, and
    becomes no request."""
    held = listed(value, ("logEvents", "events"))
    if held is None and isinstance(value, dict) and isinstance(rows := value.get("results"), list):
        held = [_row(row) for row in rows]
    return None if held is None else [_message(item) for item in held]


def _row(fields: object) -> object:
    """A row of a Logs Insights query as a log event; `@message` is the whole line, if it was asked for."""
    named = [field for field in fields if isinstance(field, dict)] if isinstance(fields, list) else []
    return {str(field.get("field")).removeprefix("@"): field.get("value") for field in named}


def _message(event: object) -> object:
    text = event.get("message") if isinstance(event, dict) else None
    if not isinstance(text, str):
        return text if isinstance(text, dict) else event
    try:
        record = load(text)
    except RecordError:
        return event
    return record if isinstance(record, dict) else event


def tables(value: object) -> list[object] | None:
    """The rows of a Log Analytics answer, `{"tables": [{"columns": [{"name": ...}], "rows": [[...]]}]}`, as objects."""
    held = listed(value, ("tables",))
    if held is None:
        return None
    rows: list[object] = []
    for table in held:
        columns, lines = (table.get("columns"), table.get("rows")) if isinstance(table, dict) else (None, None)
        if isinstance(columns, list) and isinstance(lines, list):
            names = [str(column.get("name")) if isinstance(column, dict) else str(column) for column in columns]
            rows += [dict(zip(names, line, strict=False)) if isinstance(line, list) else line for line in lines]
    return rows
