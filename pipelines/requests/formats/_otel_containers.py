"""The containers that spans and log events of OpenTelemetry come in, opened: OTLP JSON, and the traces that Tempo and Jaeger give out.

OTLP JSON writes its names in camel case, a printed protobuf message in snake case. Tempo calls the list `batches`. Jaeger has traces of
its own shape: tags for attributes, processes for resources, microseconds since 1970. MLflow's trace holds its spans in `data`.
Source: OTLP JSON encoding of opentelemetry-proto; grafana.com/docs/tempo, "Query"; jaegertracing.io, "APIs".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipelines.records.json_record import object_of, objects_of
from pipelines.requests.formats._otel_events import as_span

_SPANS = ("resourceSpans", "resource_spans", "batches")
_LOGS = ("resourceLogs", "resource_logs")
_GROUPS = ("scopeSpans", "scope_spans", "instrumentationLibrarySpans")
_VALUES = (
    "stringValue",
    "intValue",
    "doubleValue",
    "boolValue",
    "string_value",
    "int_value",
    "double_value",
    "bool_value",
)
MARKS = (
    *(f'"{name}"' for name in (*_SPANS, *_LOGS, "spans")),
    '"stringValue"',
    '"intValue"',
    '"string_value"',
    '"int_value"',
)
"""Texts that mark a line with a container, or with attributes as OTLP writes them."""


def contained(value: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]] | None:
    """The spans and the log events that a container holds, attributes as plain objects; None for a value that is no container."""
    traces = _jaeger(value)
    if traces is not None:
        return [span for trace in traces for span in _jaeger_spans(trace)], []
    if spans_of_mlflow := objects_of(object_of(value.get("data")).get("spans")):
        return [flat_span(span) for span in spans_of_mlflow], []
    containers, logs = _held(value, *_SPANS), _held(value, *_LOGS)
    if containers is None and logs is None:
        return None
    spans: list[dict[str, Any]] = []
    for container in objects_of(containers):
        resource = _resource(container)
        for group in objects_of(_held(container, *_GROUPS)):
            scope = object_of(group.get("scope", group.get("instrumentationLibrary")))
            spans += [flat_span(span, resource, scope) for span in objects_of(group.get("spans"))]
    events: list[dict[str, Any]] = []
    for container in objects_of(logs):
        resource = _resource(container)
        for group in objects_of(_held(container, "scopeLogs", "scope_logs")):
            found = objects_of(_held(group, "logRecords", "log_records"))
            scope = object_of(group.get("scope"))
            as_spans = [as_span(record, _plain(record.get("attributes")), str(scope.get("name"))) for record in found]
            events += [flat_span(event, resource, scope) for event in as_spans]
    return spans, events


def flat_span(
    span: dict[str, Any], resource: dict[str, Any] | None = None, scope: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The span with its attributes as an object, its resource and its scope."""
    attributes = span.get("attributes")
    flat = {**span, "attributes": _plain(attributes) if isinstance(attributes, list) else attributes}
    return flat | ({"resource": resource} if resource else {}) | ({"scope": scope} if scope else {})


def _jaeger(value: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The traces of an answer of Jaeger, of one trace, or None."""
    traces = objects_of(value.get("data")) if "data" in value else [value]
    is_jaeger = traces and all(isinstance(trace.get("spans"), list) and "traceID" in trace for trace in traces)
    return traces if is_jaeger else None


def _jaeger_spans(trace: dict[str, Any]) -> Iterable[dict[str, Any]]:
    processes = object_of(trace.get("processes"))
    for span in objects_of(trace["spans"]):
        tags = _tags(span.get("tags"))
        process = object_of(processes.get(str(span.get("processID")), span.get("process")))
        service = {"service.name": process["serviceName"]} if "serviceName" in process else {}
        start, took = (str(span.get(name, "")) for name in ("startTime", "duration"))
        parent = next((ref for ref in objects_of(span.get("references")) if ref.get("refType") == "CHILD_OF"), {})
        yield {
            "trace_id": span.get("traceID"),
            "span_id": span.get("spanID"),
            "parent_span_id": parent.get("spanID"),
            "name": span.get("operationName"),
            "start_time_unix_nano": f"{start}000" if start.isdecimal() else start,
            "end_time_unix_nano": f"{int(start) + int(took)}000" if start.isdecimal() and took.isdecimal() else None,
            "attributes": tags,
            "resource": {"attributes": _tags(process.get("tags")) | service},
            "scope": {"name": tags.get("otel.scope.name"), "version": tags.get("otel.scope.version")},
            "status": {"code": tags.get("otel.status_code")},
        }


def _tags(tags: object) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for tag in objects_of(tags):
        found.setdefault(str(tag.get("key")), tag.get("value"))
    return found


def _resource(container: dict[str, Any]) -> dict[str, Any]:
    return {"attributes": _plain(object_of(container.get("resource")).get("attributes"))}


def _held(value: dict[str, Any], *names: str) -> object:
    return next((value[name] for name in names if name in value), None)


def _plain(attributes: object) -> dict[str, Any]:
    """An OTLP attribute list as an object; values that are no scalars or lists of scalars are left out."""
    found: dict[str, Any] = {}
    for entry in objects_of(attributes):
        value = object_of(entry.get("value"))
        kind = next((name for name in _VALUES if name in value), None)
        held = _held(value, "arrayValue", "array_value")
        if kind is not None:
            found.setdefault(str(entry.get("key")), value[kind])
        elif held is not None:
            scalars = objects_of(object_of(held).get("values"))
            items = [next((item[name] for name in _VALUES if name in item), None) for item in scalars]
            found.setdefault(str(entry.get("key")), items)
    return found
