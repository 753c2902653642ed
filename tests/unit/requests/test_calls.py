"""Spans and events of the same call as another one: what each kind is taken for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.unit.requests.helpers import buckets, parse_records, row

AT = "2026-02-12T10:00:00.123Z"


def log_record(**attributes: Any) -> dict[str, Any]:
    values = [{"key": name, "value": {"stringValue": str(value)}} for name, value in attributes.items()]
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"attributes": values}]}]}]}


def completed(**attributes: Any) -> dict[str, Any]:
    shared = {
        "event.name": "codex.sse_event",
        "event.kind": "response.completed",
        "event.timestamp": AT,
        "model": "gpt-5.1",
    }
    return log_record(**shared, **attributes)


def test_codex_states_a_completed_answer_twice_and_one_of_them_has_the_counts(tmp_path: Path) -> None:
    """The events may stand in lines of their own, the transport's before or after."""
    counted = completed(input_token_count=100, output_token_count=20, cached_token_count=40, cache_write_token_count=10)
    for number, lines in enumerate(([completed(duration_ms=3), counted], [counted, completed(duration_ms=3)])):
        (tmp_path / str(number)).mkdir()
        parsed = parse_records(tmp_path / str(number), "otel_genai", lines)
        assert (parsed.valid, parsed.quarantine["severity"].to_list()) == (1, ["info"])
        assert buckets(row(parsed)) == {
            "input_uncached": 50, "input_cache_read": 40, "input_cache_write": 10, "output_text": 20
        }  # fmt: skip


def test_a_completed_answer_of_codex_that_could_not_be_read_is_a_call_of_unknown_usage(tmp_path: Path) -> None:
    parsed = parse_records(tmp_path, "otel_genai", [completed(**{"error.message": "missing field"})])
    assert row(parsed)["usage_basis"] == "missing"


def vercel(operation: str, **attributes: Any) -> dict[str, Any]:
    named = {"ai.operationId": operation, "ai.model.provider": "openai", "ai.model.id": "text-embedding-3-small"}
    span = {
        "traceId": "a" * 32,
        "spanId": operation,
        "startTimeUnixNano": "1770890400000000000",
        "scope": {"name": "ai"},
    }
    return span | {"attributes": named | attributes}


def test_an_outer_span_of_vercels_sdk_is_no_call(tmp_path: Path) -> None:
    calls = {"ai.embedMany.doEmbed": {"ai.usage.tokens": 7}, "ai.generateText.doGenerate": {"ai.usage.promptTokens": 7}}
    outer = {"ai.embedMany": {"ai.usage.tokens": 7}, "ai.generateText": {"ai.usage.promptTokens": 7}, "ai.toolCall": {}}
    spans = [vercel(name, **stated) for name, stated in (calls | outer).items()]
    parsed = parse_records(tmp_path, "otel_genai", spans)
    assert (parsed.valid, parsed.quarantined) == (2, 3)
    assert parsed.quarantine["severity"].unique().to_list() == ["info"]
