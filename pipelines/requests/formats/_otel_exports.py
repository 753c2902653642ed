"""Single spans and log records as the JavaScript SDK prints them, and as Azure's, Google's and Datadog's tables hold them, brought to OTLP's names.

The SDK's console exporter counts microseconds under `timestamp`; what Gemini CLI writes to its file are log records of the SDK with
`hrTime`, seconds and nanoseconds. Azure Monitor keeps attributes as JSON in `customDimensions` (Application Insights) or `Properties` (Log
Analytics), Google's Cloud Trace in `labels`. Datadog's spans are in `_otel_datadog.py`.
Sources: opentelemetry-js, ConsoleSpanExporter; packages/core/src/telemetry/file-exporters.ts of github.com/google-gemini/gemini-cli;
learn.microsoft.com/azure/azure-monitor/reference/tables/appdependencies; cloud.google.com/trace/docs/reference/v1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipelines.records.json_record import Number, RecordError, load, object_of
from pipelines.requests.formats import _otel_datadog
from pipelines.requests.formats._containers import tables
from pipelines.requests.formats._otel_events import as_span

MARKS = (
    '"hrTime"',
    '"customDimensions"',
    '"Properties"',
    '"labels"',
    '"parentSpanContext"',
    '"instrumentationScope"',
    '"tables"',
    _otel_datadog.MARK,
)
"""Texts of lines that hold such a record."""
_KEPT = ("customDimensions", "Properties")
_AZURE = {
    "traceId": ("operation_Id", "OperationId"), "spanId": ("id", "Id"), "parentSpanId": ("operation_ParentId", "ParentId"),
    "startTime": ("timestamp", "TimeGenerated"), "duration_ms": ("duration", "DurationMs"), "service_name": ("cloud_RoleName", "AppRoleName"),
}  # fmt: skip

_COLUMNS = {
    "attributes": _KEPT, "trace_id": _AZURE["traceId"], "span_id": _AZURE["spanId"], "parent_span_id": _AZURE["parentSpanId"],
    "start_time": (*_AZURE["startTime"], "timestamp [UTC]", "TimeGenerated [UTC]"), "duration_ms": _AZURE["duration_ms"],
    "service_name": _AZURE["service_name"],
}  # fmt: skip
"""Paths, and the columns of Azure's tables that hold them."""
_PATHS = {column: path for path, columns in _COLUMNS.items() for column in columns}


def column_path(column: str) -> str | None:
    """The path that a column of Azure's tables stands for."""
    return _PATHS.get(column)


def plain(value: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The spans in a value of one of these shapes; None for any other."""
    if (rows := tables(value)) is not None:
        return [_of_azure(row) or row for row in rows if isinstance(row, dict)]
    if (of_datadog := _otel_datadog.spans_of(value)) is not None:
        return of_datadog
    for read in (_of_log_record, _of_console, _of_azure):
        if (span := read(value)) is not None:
            return [span]
    spans = value.get("spans")
    held = [span for span in spans if isinstance(span, dict)] if isinstance(spans, list) and "traceId" in value else []
    if held and all(isinstance(span.get("labels"), dict) for span in held):
        return list(_of_cloud_trace(value["traceId"], held))
    return None


def _of_log_record(value: dict[str, Any]) -> dict[str, Any] | None:
    attributes, at = value.get("attributes"), _nanoseconds(value.get("hrTime"))
    if not isinstance(attributes, dict) or at is None:
        return None
    scope = object_of(value.get("instrumentationScope", value.get("scope")))
    body = next((value[name] for name in ("_body", "body") if name in value), None)
    record = {"timeUnixNano": at, "body": body, "eventName": value.get("eventName")}
    span = as_span(record, attributes, str(scope.get("name")))
    return {**span, "scope": scope, "resource": _resource(value)}


def _of_console(value: dict[str, Any]) -> dict[str, Any] | None:
    attributes, start = value.get("attributes"), value.get("timestamp")
    if not isinstance(attributes, dict) or not isinstance(start, Number) or not {"id", "traceId"} <= value.keys():
        return None
    took = str(value.get("duration", "0"))
    parent = value.get("parentId") or object_of(value.get("parentSpanContext")).get("spanId")
    micros = _whole(str(start))
    return {
        "traceId": value["traceId"],
        "spanId": value["id"],
        "parentSpanId": parent,
        "startTimeUnixNano": Number(micros * 1000),
        "endTimeUnixNano": Number((micros + _whole(took)) * 1000),
        "attributes": attributes,
        "scope": object_of(value.get("instrumentationScope", value.get("instrumentationLibrary"))),
        "resource": _resource(value),
        "status": value.get("status"),
    }


def _of_azure(row: dict[str, Any]) -> dict[str, Any] | None:
    held = next((row[name] for name in _KEPT if name in row), None)
    if isinstance(held, str):
        try:
            held = load(held)
        except RecordError:
            return None
    if not isinstance(held, dict) or not any(name in row for name in ("operation_Id", "OperationId")):
        return None
    named = {
        ours: next((row[name] for name in theirs if row.get(name) is not None), None) for ours, theirs in _AZURE.items()
    }
    failed = str(row.get("success", row.get("Success", "true"))).lower() == "false"
    return {**named, "attributes": held, "status": {"code": "ERROR" if failed else "OK"}}


def _of_cloud_trace(trace: object, spans: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for span in spans:
        yield {
            "traceId": trace,
            "spanId": span.get("spanId"),
            "parentSpanId": span.get("parentSpanId"),
            "startTime": span.get("startTime"),
            "endTime": span.get("endTime"),
            "attributes": span["labels"],
        }


def _resource(value: dict[str, Any]) -> dict[str, Any]:
    held = object_of(value.get("resource"))
    return {"attributes": object_of(held.get("attributes", held.get("_attributes")))}


def _nanoseconds(pair: object) -> Number | None:
    if not isinstance(pair, list) or len(pair) != 2 or not all(str(part).isdecimal() for part in pair):
        return None
    return Number(int(str(pair[0])) * 10**9 + int(str(pair[1])))


def _whole(text: str) -> int:
    digits = text.partition(".")[0]
    return int(digits) if digits.isdecimal() else 0
