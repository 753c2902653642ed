"""Log events that report a call over OpenTelemetry, as spans with the convention's names.

Claude Code, Codex and Gemini CLI send counts of calls as log records (`resourceLogs`), not as spans. The convention has an event of its
own, which bears the ids of the span of its call. What a span's
attributes mean is in `otel_genai.py`, names of spans are in `_otel_names.py` in the same folder.
Sources: code.claude.com/docs, "Monitoring"; codex-rs/otel of github.com/openai/codex; docs/telemetry of
github.com/google-gemini/gemini-cli.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SHARED = {
    "model": "gen_ai.request.model",
    "cost_usd": "gen_ai.usage.cost",
    "session.id": "session.id",
    "conversation.id": "gen_ai.conversation.id",
    "user.email": "user.id",
    "user.id": "user.id",
    "status_code": "http.response.status_code",
    "request_id": "anthropic.request.id",
    "response.id": "gen_ai.response.id",
    "response_id": "gen_ai.response.id",
}
_OPENAI = {
    "input_token_count": "input_tokens",
    "output_token_count": "output_tokens",
    "cached_token_count": "cache_read.input_tokens",
    "cache_write_token_count": "cache_write.input_tokens",
    "reasoning_token_count": "reasoning.output_tokens",
}
_GEMINI = {
    "input_token_count": "input_tokens",
    "output_token_count": "output_tokens",
    "cached_content_token_count": "cache_read.input_tokens",
    "thoughts_token_count": "reasoning.output_tokens",
    "tool_token_count": "tool.input_tokens",
    "total_token_count": "total_tokens",
}
CLAUDE = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_tokens": "cache_read.input_tokens",
    "cache_creation_tokens": "cache_creation.input_tokens",
}


@dataclass(frozen=True)
class _Event:
    """One kind of event: whose model answers, how it counts, and its counts under the convention's names."""

    provider: str
    rule: str
    counts: Mapping[str, str]
    only: tuple[str, str] | None = None
    echo: str | None = None
    """An attribute that marks an event without counts as the transport's own, next to one that has them."""

    def reports(self, attributes: Mapping[str, Any]) -> bool:
        """Whether an event with these attributes reports a call, and none that another event reports."""
        if self.only is not None and attributes.get(self.only[0]) != self.only[1]:
            return False
        return self.echo not in attributes or any(name in attributes for name in self.counts)


EVENTS = {
    "claude_code.api_request": _Event("anthropic", "anthropic_exclusive", CLAUDE),
    "codex.sse_event": _Event(
        "openai", "openai_inclusive", _OPENAI, only=("event.kind", "response.completed"), echo="duration_ms"
    ),
    "gemini_cli.api_response": _Event("google", "gemini_thoughts_apart", _GEMINI),
    "qwen-code.api_response": _Event("alibaba", "gemini_thoughts_apart", _GEMINI),
}
"""Events that report one answered call each, by name. Others report prompts, tools and errors before the answer.

Codex logs every event of its stream with a duration, the completed one as well, and besides the completed one's counts.
"""


_OWN = "gen_ai.client.inference.operation.details"
"""The convention's event, whose attributes are those of a span."""
_SAY_TWICE = ("gemini-cli", "qwen-code")
"""Emitters that write the convention's event too, for each request, answer and error, without what came from the cache."""


def as_span(record: dict[str, Any], attributes: dict[str, Any], scope: str) -> dict[str, Any]:
    """A log record of the scope, whose attributes are given as an object, as a span; one that reports no call keeps nothing but its
    instant."""
    body = record.get("body")
    said = body.get("stringValue") if isinstance(body, dict) else body
    names = (said, record.get("eventName"), attributes.get("event.name"))
    name = next((name for name in names if name in EVENTS), None)
    # Claude Code names the event without its prefix in the attribute, and in full in the body.
    event = EVENTS.get(str(name))
    span = {
        "start_time": attributes.get("event.timestamp")
        or record.get("timeUnixNano")
        or record.get("observedTimeUnixNano"),
        "trace_id": record.get("traceId") or attributes.get("session.id") or attributes.get("conversation.id"),
        "span_id": attributes.get("request_id") or attributes.get("event.sequence"),
    }
    if _OWN in names and scope in _SAY_TWICE:
        return span
    if _OWN in names:
        return {**span, "trace_id": record.get("traceId"), "span_id": record.get("spanId"), "attributes": attributes}
    if event is None or not event.reports(attributes):
        return span
    stated = {
        ours: attributes[theirs] for theirs, ours in reversed(SHARED.items()) if attributes.get(theirs) is not None
    }
    stated |= {
        f"gen_ai.usage.{ours}": attributes[theirs] for theirs, ours in event.counts.items() if theirs in attributes
    }
    stated |= {
        "gen_ai.provider.name": event.provider,
        "gen_ai.operation.name": "chat",
        "modelmeter.semantics": event.rule,
    }
    if attributes.get("speed") == "fast":
        stated["gen_ai.response.service_tier"] = "fast"
    return {**span, "duration_ms": attributes.get("duration_ms"), "attributes": stated}
