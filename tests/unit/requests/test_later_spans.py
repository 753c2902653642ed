"""Names of OpenTelemetry of 2026, and agents that record their calls as log events. Every record is typed by hand."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.unit.requests.helpers import all_days, buckets, parse_records, row
from tests.unit.requests.samples import AT, SECRET


def span_of(*, scope: str = "x", **attributes: Any) -> dict[str, Any]:
    return {"trace_id": "t", "span_id": "s", "start_time": AT, "scope": {"name": scope}, "attributes": {
        "gen_ai.operation.name": "chat", "gen_ai.request.model": "m", **{f"gen_ai.usage.{name}": count for name, count in attributes.items()}}}  # fmt: skip


SPANS: dict[str, tuple[dict[str, Any], dict[str, int]]] = {
    "pydantic": (
        span_of(**{"input_tokens": 100, "output_tokens": 200, "details.reasoning_tokens": 30, "details.cache_write_tokens": 10,
                   "details.cache_read_tokens": 20, "details.input_audio_tokens": 10, "details.cache_audio_read_tokens": 5,
                   "details.output_audio_tokens": 40}),
        {"input_uncached": 65, "input_cache_read": 15, "input_cache_write": 10, "input_audio": 5, "input_audio_cache_read": 5,
         "output_text": 130, "output_reasoning": 30, "output_audio": 40},
    ),
    "cached sound and images": (
        span_of(**{"input_tokens": 1000, "output_tokens": 200, "cache_read.input_tokens": 430, "audio.input_tokens": 300, "text.input_tokens": 600,
                   "image.input_tokens": 100, "audio.cache_read.input_tokens": 100, "image.cache_read.input_tokens": 30,
                   "text.cache_read.input_tokens": 300, "audio.output_tokens": 150, "text.output_tokens": 50}),
        {"input_uncached": 300, "input_cache_read": 300, "input_audio": 200, "input_audio_cache_read": 100, "input_image": 70,
         "input_image_cache_read": 30, "output_text": 50, "output_audio": 150},
    ),
    "names of OpenAI's details": (
        span_of(**{"input_tokens": 100, "output_tokens": 200, "prompt_tokens_details.cached_tokens": 40,
                   "completion_tokens_details.reasoning_tokens": 30}),
        {"input_uncached": 60, "input_cache_read": 40, "output_text": 170, "output_reasoning": 30},
    ),
    "strands": (
        span_of(input_tokens=10, output_tokens=20, total_tokens=1530, cache_read_input_tokens=1000, cache_write_input_tokens=500),
        {"input_uncached": 10, "input_cache_read": 1000, "input_cache_write": 500, "output_text": 20},
    ),
}  # fmt: skip


@pytest.mark.parametrize("emitter", SPANS)
def test_spans_of_2026_say_all_they_hold(tmp_path: Path, emitter: str) -> None:
    span, expected = SPANS[emitter]
    assert buckets(row(parse_records(tmp_path, "otel_genai", [span]))) == expected


@pytest.mark.parametrize(("seller", "uncached"), [("anthropic", 1000), ("openai", 600)])
def test_microsofts_agent_framework_passes_on_claudes_own_counts(tmp_path: Path, seller: str, uncached: int) -> None:
    """`_parse_usage_from_anthropic`; a gateway in OpenAI's shape counts the cache within."""
    span = span_of(
        scope="agent_framework", **{"input_tokens": 1000, "output_tokens": 20, "cache_read.input_tokens": 400}
    )
    span["attributes"] |= {"gen_ai.provider.name": seller, "gen_ai.request.model": "claude-sonnet-4-6"}
    found = buckets(row(parse_records(tmp_path, "otel_genai", [span])))
    assert found == {"input_uncached": uncached, "input_cache_read": 400, "output_text": 20}


def log_record(body: str | None, **attributes: Any) -> dict[str, Any]:
    values = [{"key": name, "value": {"stringValue": str(value)}} for name, value in attributes.items()]
    said = {"body": {"stringValue": body}} if body else {}
    return {"timeUnixNano": "1770891630500000000", "attributes": values, **said}


EVENTS: dict[str, tuple[dict[str, Any], dict[str, int], dict[str, Any]]] = {
    "claude": (
        log_record("claude_code.api_request", **{
            "event.name": "api_request", "event.timestamp": AT, "event.sequence": 7, "session.id": "s1", "user.email": "a@b.c",
            "model": "claude-sonnet-4-6", "input_tokens": 3, "output_tokens": 90, "cache_read_tokens": 700,
            "cache_creation_tokens": 300, "cost_usd": 0.0125, "duration_ms": 1500, "request_id": "req_1", "speed": "fast"}),
        {"input_uncached": 3, "input_cache_read": 700, "input_cache_write": 300, "output_text": 90},
        {"provider_id": "anthropic", "end_user_id": "a@b.c", "session_id": "s1", "latency_ms": 1500, "service_tier": "fast",
         "reported_cost_usd": Decimal("0.0125"), "application": "agent"},
    ),
    "codex": (
        log_record(None, **{"event.name": "codex.sse_event", "event.kind": "response.completed", "event.timestamp": AT, "model": "gpt-5.6",
                            "conversation.id": "c1", "input_token_count": 1000, "output_token_count": 300, "cached_token_count": 400,
                            "reasoning_token_count": 200, "tool_token_count": 1300}),
        {"input_uncached": 600, "input_cache_read": 400, "output_text": 100, "output_reasoning": 200},
        {"provider_id": "openai", "session_id": "c1"},
    ),
    "gemini": (
        log_record("API response from gemini-3-pro.", **{
            "event.name": "gemini_cli.api_response", "event.timestamp": AT, "model": "gemini-3-pro", "status_code": 200, "duration_ms": 900,
            "input_token_count": 1000, "output_token_count": 50, "cached_content_token_count": 400, "thoughts_token_count": 30,
            "tool_token_count": 20, "total_token_count": 1100, "session.id": "s1", "response_text": SECRET}),
        {"input_uncached": 600, "input_cache_read": 400, "input_tool": 20, "output_text": 50, "output_reasoning": 30},
        {"provider_id": "google", "http_status": 200, "status": "ok"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("agent", EVENTS)
def test_agents_state_their_calls_as_log_events(tmp_path: Path, agent: str) -> None:
    event, expected, facts = EVENTS[agent]
    prompt = log_record("claude_code.user_prompt", **{"event.timestamp": AT, "prompt": SECRET, "session.id": "s1"})
    delta = log_record(
        None, **{"event.name": "codex.sse_event", "event.kind": "response.created", "event.timestamp": AT}
    )
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "agent"}}]}
    logs = {
        "resourceLogs": [
            {"resource": resource, "scopeLogs": [{"scope": {"name": "x"}, "logRecords": [prompt, event, delta]}]}
        ]
    }
    parsed = parse_records(tmp_path, "otel_genai", [logs])
    found = row(parsed)
    assert buckets(found) == expected
    assert {name: found[name] for name in facts} == facts
    assert (parsed.quarantined, set(parsed.quarantine["severity"])) == (2, {"info"})
    again = parse_records(tmp_path, "otel_genai", [logs], name="again")
    assert all_days([parsed, again]).requests.height == 1
