"""What log services and log shippers put around the lines that an application wrote, taken off for the formats of providers' answers.

Google Cloud Logging (`jsonPayload`, `textPayload`), CloudWatch (`logEvents`, `events`), Elasticsearch (`_source`), Splunk's collector
(`event`), Datadog's archives (`attributes`), Loki (`streams`), the OpenTelemetry collector (`resourceLogs`), and Logstash, Vector and
journald, which keep the line as text (`message`, `MESSAGE`). Several may lie around each other. The instant of the outermost counts
where the record has none. A source that declares `body` has said where the answer lies: nothing is taken off there.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from pipelines.records.container_logs import INSTANT
from pipelines.records.json_record import Number, RecordError, load, objects_of
from pipelines.records.python_texts import as_json

_DEEPEST = 4
_PAYLOADS: dict[str, tuple[str, ...]] = {
    "jsonPayload": ("insertId", "logName", "resource", "timestamp"),
    "textPayload": ("insertId", "logName", "resource", "timestamp"),
    "_source": ("_index", "_id"),
    "event": ("sourcetype", "index", "host"),
    "attributes": ("_id", "service", "host"),
    "MESSAGE": ("__REALTIME_TIMESTAMP", "_SYSTEMD_UNIT"),
    "message": ("@timestamp", "timestamp", "time", "host", "source_type", "logger", "level"),
}
"""Where a record lies, and what else such a wrapper holds, of which one is enough: the name alone may be anyone's field."""
_TEXTS = ("textPayload", "MESSAGE", "message")
"""Payloads that count only as the text of an object: as an object each is somebody's own field."""
_ANSWERS = ("usage", "usageMetadata", "usage_metadata", "response", "timings", "tokens_evaluated")
"""What an answer or the envelope of one holds: such a record is no wrapper, whatever else stands in it."""
_INSTANTS = ("timestamp", "@timestamp", "time", "date", "__REALTIME_TIMESTAMP", "timeUnixNano", "observedTimeUnixNano")
_UNITS = ((10**17, 10**9), (10**14, 10**6), (10**11, 10**3))
"""From which size on a number of an instant counts which parts of a second."""
_TEXT_MARKS = tuple(f'"{name}":{space}"{{' for name in _TEXTS for space in ("", " "))
MARKS = ('"jsonPayload"', '"_source"', '"sourcetype"', '"_id"', '"streams"', '"resourceLogs"', *_TEXT_MARKS)  # fmt: skip
"""Texts by which a line that was wrapped differs from one that was not."""


def unshipped(value: object, depth: int = _DEEPEST) -> Iterator[object]:
    """The records within a value; the value itself where it is not one of these wrappers."""
    found = list(_inside(value)) if depth and isinstance(value, dict) else []
    if not found:
        yield value
    for record, instant in found:
        for inner in unshipped(record, depth - 1):
            if isinstance(inner, dict) and instant is not None and INSTANT not in inner:
                yield {**inner, INSTANT: instant}
            else:
                yield inner


def _inside(value: dict[str, Any]) -> Iterator[tuple[object, str | None]]:
    """Each record of a wrapper, with its instant; none where the value is no wrapper."""
    if any(value.get(name) is not None for name in _ANSWERS):
        return
    for name, others in _PAYLOADS.items():
        held = value.get(name)
        if (isinstance(held, str) or name not in _TEXTS) and any(other in value for other in others):
            record = as_object(held)
            if record is not None:
                yield record, _instant_of(value)
                return
    yield from _listed(value)


def _listed(value: dict[str, Any]) -> Iterator[tuple[object, str | None]]:
    for event in (*objects_of(value.get("logEvents")), *objects_of(value.get("events"))):
        yield _record(event.get("message")), _instant_of(event)
    for stream in objects_of(value.get("streams")):
        values = stream.get("values")
        for pair in values if isinstance(values, list) else ():
            if isinstance(pair, list) and len(pair) > 1:
                yield _record(pair[1]), _instant(pair[0])
    for resource in objects_of(value.get("resourceLogs")):
        for scope in objects_of(resource.get("scopeLogs")):
            for record in objects_of(scope.get("logRecords")):
                yield _record(_of_otlp(record.get("body"))), _instant_of(record)


def _record(written: object) -> dict[str, Any]:
    """What was written, as an object; a line of words as one without the service's own id of it, which is not a request's."""
    return as_object(written) or {"line": written}


def _of_otlp(value: object) -> object:
    """A value of OTLP's JSON as plain JSON."""
    if not isinstance(value, dict) or len(value) != 1:
        return None
    ((kind, held),) = value.items()
    match kind:
        case "kvlistValue" if isinstance(held, dict):
            return {str(item.get("key")): _of_otlp(item.get("value")) for item in objects_of(held.get("values"))}
        case "arrayValue" if isinstance(held, dict):
            items = held.get("values")
            return [_of_otlp(item) for item in items] if isinstance(items, list) else []
        case "intValue" | "doubleValue":
            return Number(held)
    return held


def as_object(value: object) -> dict[str, Any] | None:
    """An object, also as text; None for anything else."""
    if isinstance(value, str) and not isinstance(value, Number) and value.lstrip()[:1] == "{":
        try:
            value = load(as_json(value) or value)
        except RecordError:
            return None
    return value if isinstance(value, dict) and value else None


def _instant_of(value: dict[str, Any]) -> str | None:
    return next((found for name in _INSTANTS if (found := _instant(value.get(name))) is not None), None)


def _instant(value: object) -> str | None:
    """An instant as ISO 8601, of a number by its size: seconds, milliseconds, microseconds or nanoseconds."""
    if not isinstance(value, str):
        return None
    try:
        number = float(value)
        unit = next((unit for least, unit in _UNITS if number >= least), 1)
        seconds = timedelta(microseconds=int(number) * 10**6 // unit) if unit > 1 else timedelta(seconds=number)
        return (datetime(1970, 1, 1, tzinfo=UTC) + seconds).isoformat()
    except (ValueError, OverflowError):
        return value or None
