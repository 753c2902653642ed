"""Spans under other names than the convention's own, brought to these: OpenInference, ClickHouse, nested and flat exports.

Only names change here; what the attributes mean is in `otel_genai.py` in the same folder.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from pipelines.records.json_record import Number
from pipelines.requests.formats._otel_dialects import MARKS as DIALECTS
from pipelines.requests.formats._otel_dialects import translated

MARKS = (
    '"SpanAttributes"',
    '"openinference',
    '"llm.token_count',
    '"token_count"',
    '"attributes.',
    '"gen_ai_',
    '"gen_ai":',
    '"start_timestamp"',
    *DIALECTS,
)
"""Texts that mark a line with such names."""

OPENINFERENCE = {
    "llm.token_count.prompt": "gen_ai.usage.input_tokens",
    "llm.token_count.completion": "gen_ai.usage.output_tokens",
    "llm.token_count.total": "gen_ai.usage.total_tokens",
    "llm.token_count.prompt_details.cache_read": "gen_ai.usage.cache_read.input_tokens",
    "llm.token_count.prompt_details.cache_input": "gen_ai.usage.cache_read.input_tokens",
    "llm.token_count.prompt_details.cache_write": "gen_ai.usage.cache_write.input_tokens",
    "llm.token_count.prompt_details.audio": "gen_ai.usage.audio.input_tokens",
    "llm.token_count.completion_details.reasoning": "gen_ai.usage.reasoning.output_tokens",
    "llm.token_count.reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
    "llm.token_count.completion_details.audio": "gen_ai.usage.audio.output_tokens",
    "llm.request.model_name": "gen_ai.request.model",
    "llm.response.model_name": "gen_ai.response.model",
    "llm.model_name": "gen_ai.request.model",
    "embedding.model_name": "gen_ai.request.model",
    "llm.provider": "gen_ai.provider.name",
    "llm.system": "gen_ai.system",
    "llm.cost.total": "gen_ai.usage.cost",
}
"""OpenInference's attributes under the convention's names; its prompt count contains cached tokens too."""
_KINDS = {"LLM": "chat", "EMBEDDING": "embeddings"}
_KIND = "openinference.span.kind"
_PREFIX = re.compile(r"^(?:(?:span_?)?attributes|SpanAttributes)[./]")
_COLUMNS = {
    "context.trace_id": "trace_id",
    "context.span_id": "span_id",
    "TraceId": "trace_id",
    "SpanId": "span_id",
    "ParentSpanId": "parent_span_id",
    "Timestamp": "start_time",
    "ServiceName": "service_name",
    "ScopeName": "scope_name",
    "StatusCode": "status_code",
}


def plain_name(name: str, known: dict[str, str]) -> str:
    """A flat column or key as the path it stands for; `known` maps names with underscores for dots to these paths."""
    bare = _PREFIX.sub("", name)
    bare = _COLUMNS.get(bare, OPENINFERENCE.get(bare, bare))
    return known.get(underscored(bare), bare)


def underscored(name: str) -> str:
    """A name as databases write it that know no dots."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower())


def canonical(span: dict[str, Any], known: dict[str, str]) -> dict[str, Any]:
    """The span with the convention's names, whatever it was exported as."""
    if isinstance(span.get("SpanAttributes"), dict):
        span = _from_clickhouse(span)
    flat = {name: value for name, value in span.items() if name != "attributes"}
    renamed: dict[str, Any] = {}
    for name, value in flat.items():
        renamed.setdefault(name if name in known.values() else plain_name(name, known), value)
    attributes = span.get("attributes")
    if isinstance(attributes, dict):
        dotted = translated(_dotted(attributes, ""), _dotted)
        renamed["attributes"] = _from_openinference(dotted, str(dotted.get(_KIND, span.get("span_kind", ""))))
    return renamed


def _from_openinference(attributes: dict[str, Any], kind: str) -> dict[str, Any]:
    found = dict(attributes)
    for theirs, ours in OPENINFERENCE.items():
        if theirs in attributes:
            found.setdefault(ours, attributes[theirs])
    if _KIND in attributes:
        # A chain, an agent or a tool contains calls, it is none.
        found.setdefault("gen_ai.operation.name", _KINDS.get(kind.upper(), "invoke_agent"))
    return found


def _from_clickhouse(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the table `otel_traces`; its duration counts nanoseconds."""
    duration = str(row.get("Duration", ""))
    elapsed = {"duration_ms": Number(Decimal(duration) / 10**6)} if duration.isdigit() else {}
    return {
        "trace_id": row.get("TraceId"),
        "span_id": row.get("SpanId"),
        "parent_span_id": row.get("ParentSpanId"),
        "start_time": row.get("Timestamp"),
        "attributes": row["SpanAttributes"],
        "resource": {"attributes": row.get("ResourceAttributes")},
        "scope": {"name": row.get("ScopeName"), "version": row.get("ScopeVersion")},
        "service_name": row.get("ServiceName"),
        "status": {"code": row.get("StatusCode")},
        **elapsed,
    }


def _dotted(attributes: dict[str, Any], prefix: str) -> dict[str, Any]:
    """Nested objects as names with dots."""
    found: dict[str, Any] = {}
    for name, value in attributes.items():
        if isinstance(value, dict):
            found |= _dotted(value, f"{prefix}{name}.")
        else:
            found.setdefault(f"{prefix}{name}", value)
    return found
