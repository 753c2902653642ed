"""Spans of Datadog's LLM Observability, brought to OpenTelemetry's names.

They come as the SDKs send them (`spans`, kind and model in `meta`), as the API takes them (`data.attributes.spans`) and as its export
answers (`data[].attributes`, kind and model next to the counts). Only spans of kind llm and embedding are calls; the others may repeat what these count.
`input_tokens` contains what came from a cache and what was written to one, of Claude too.
Source: docs.datadoghq.com, "List LLM Observability spans" and "LLM Observability API"; ddtrace/internal/llm of github.com/DataDog/dd-trace-py.
"""

from __future__ import annotations

from typing import Any

from pipelines.records.json_record import Number, count_of, object_in, objects_of

MARK = '"start_ns"'
"""A text of every line that holds such a span."""
_CALLS = {"llm": "chat", "embedding": "embeddings"}
_COUNTS = {
    "input_tokens": "input_tokens", "output_tokens": "output_tokens", "total_tokens": "total_tokens",
    "cache_read_input_tokens": "cache_read_input_tokens", "cache_write_input_tokens": "cache_write_input_tokens",
    "ephemeral_5m_input_tokens": "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens": "ephemeral_1h_input_tokens",
    "reasoning_output_tokens": "reasoning.output_tokens",
}  # fmt: skip
"""Metrics, and their names below `gen_ai.usage`."""
_SELLERS = {"amazon": "aws.bedrock"}


def spans_of(value: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The spans in a value, under OTLP's names; None if it holds none of Datadog's."""
    data = value.get("data")
    held = [item.get("attributes", item) for item in objects_of(data)] if isinstance(data, list) else [value]
    found: list[dict[str, Any]] = []
    for item in (object_in(data, "attributes"),) if isinstance(data, dict) else held:
        if not isinstance(item, dict):
            return None
        inner = objects_of(item.get("spans"))
        around = {name: item[name] for name in ("ml_app", "session_id") if name in item}
        found += [around | span for span in inner] if inner else [item]
    if not found or not all(_is_span(span) for span in found):
        return None
    return [_named(span) for span in found]


def _is_span(span: dict[str, Any]) -> bool:
    return {"span_id", "trace_id", "start_ns"} <= span.keys() and ("span_kind" in span or "meta" in span)


def _named(span: dict[str, Any]) -> dict[str, Any]:
    meta, start = object_in(span, "meta"), count_of(span["start_ns"])
    stated = meta | span
    kind = next((stated[name] for name in ("span_kind", "span.kind", "kind") if name in stated), None)
    kind = kind.get("kind") if isinstance(kind, dict) else kind or object_in(meta, "span").get("kind")
    own: dict[str, Any] = {"gen_ai.operation.name": _CALLS.get(str(kind), "invoke_agent")}
    if str(kind) in _CALLS:
        seller = stated.get("model_provider")
        own |= {
            "gen_ai.request.model": stated.get("model_name"),
            "gen_ai.provider.name": _SELLERS.get(str(seller), seller),
        }
        own |= {"session.id": stated.get("session_id"), "modelmeter.semantics": "openai_inclusive"}
        metrics = object_in(span, "metrics")
        own |= {
            f"gen_ai.usage.{ours}": metrics[theirs]
            for theirs, ours in _COUNTS.items()
            if metrics.get(theirs) is not None
        }
    took = str(span.get("duration", "0")).partition(".")[0]
    return {
        "traceId": span["trace_id"],
        "spanId": span["span_id"],
        "parentSpanId": span.get("parent_id"),
        "startTimeUnixNano": Number(start),
        "endTimeUnixNano": Number(start + count_of(took)),
        "attributes": {name: item for name, item in own.items() if item is not None},
        "scope": {"name": "datadog"},
        "resource": {"attributes": {"service.name": stated.get("ml_app") or stated.get("service")}},
        "status": {"code": "ERROR" if span.get("status") == "error" else "OK"},
    }
