"""One call however it was written: by another API into the same log, by a library with names of its own case, by a log service around it.

What each must come to is worked out by hand from the providers' references: buckets that are not 0, tier, searches.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.unit.requests.helpers import buckets, parse_records, row

AT, EPOCH = "2026-02-12T10:20:30Z", 1770891630
CHAT = {
    "prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120,
    "prompt_tokens_details": {"cached_tokens": 40}, "completion_tokens_details": {"reasoning_tokens": 8},
}  # fmt: skip
RESPONSES = {
    "input_tokens": 100, "input_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 0},
    "output_tokens": 20, "output_tokens_details": {"reasoning_tokens": 8}, "total_tokens": 120,
}  # fmt: skip
EXPECTED = {"input_uncached": 60, "input_cache_read": 40, "output_text": 12, "output_reasoning": 8}
ANSWER = {"id": "c1", "object": "chat.completion", "created": EPOCH, "model": "m"}
CHUNK = ANSWER | {"object": "chat.completion.chunk"}


def camel(value: object) -> object:
    if not isinstance(value, dict):
        return value
    return {
        first + "".join(map(str.capitalize, rest)): camel(item)
        for name, item in value.items()
        for first, *rest in [name.split("_")]
    }


@pytest.mark.parametrize("format_name", ["openai_chat", "openai_responses"])
@pytest.mark.parametrize(
    "answer",
    [
        ANSWER | {"usage": CHAT},
        CHUNK | {"usage": CHAT},
        {"id": "resp_1", "object": "response", "created_at": EPOCH, "model": "m", "usage": RESPONSES},
        {"type": "response.completed", "response": {"id": "resp_1", "created_at": EPOCH, "model": "m", "usage": RESPONSES}},
        # TypeScript's libraries of Mistral and OpenRouter.
        ANSWER | {"usage": camel(CHAT)},
        {"timestamp": AT, "response": ANSWER | {"usage": camel(CHAT)}},
        ANSWER | {"usage": camel(RESPONSES)},
        # Groq's streams, older ones in `x_groq` only.
        CHUNK | {"x_groq": {"id": "r", "usage": CHAT}},
        CHUNK | {"usage": CHAT, "x_groq": {"id": "r", "usage": CHAT}},
        # Vercel's AI SDK from version 6 on, whose input holds the cache whoever answers.
        {"id": "c1", "timestamp": AT, "model": "claude-m", "usage": {
            "inputTokens": 100, "outputTokens": 20, "totalTokens": 120, "cachedInputTokens": 40, "reasoningTokens": 8,
            "inputTokenDetails": {"noCacheTokens": 60, "cacheReadTokens": 40, "cacheWriteTokens": 0},
            "outputTokenDetails": {"textTokens": 12, "reasoningTokens": 8},
        }},
        # The same from a provider of it, as middleware logs it.
        {"id": "c1", "timestamp": AT, "model": "claude-m", "usage": {
            "inputTokens": {"total": 100, "noCache": 60, "cacheRead": 40, "cacheWrite": 0},
            "outputTokens": {"total": 20, "text": 12, "reasoning": 8},
        }},
    ],
)  # fmt: skip
def test_either_api_in_either_case_in_one_log(answer: dict[str, Any], format_name: str, tmp_path: Path) -> None:
    found = row(parse_records(tmp_path, format_name, [answer]))
    assert buckets(found) == EXPECTED
    assert (found["usage_basis"], found["request_model"]) == ("reported", answer.get("response", answer)["model"])


@pytest.mark.parametrize("format_name", ["openai_chat", "openai_responses"])
def test_the_response_of_a_result_of_vercels_sdk_names_model_and_instant(format_name: str, tmp_path: Path) -> None:
    result = {"usage": camel(RESPONSES), "response": {"id": "chatcmpl-abcdefgh", "modelId": "m", "timestamp": AT}}
    found = row(parse_records(tmp_path, format_name, [result]))
    assert (found["request_model"], found["event_at"].isoformat()) == ("m", AT.replace("Z", "+00:00"))
    assert buckets(found) == EXPECTED
    logged = result | {"time": AT, "response": result["response"] | {"timestamp": "10:00:01"}}
    assert row(parse_records(tmp_path, format_name, [logged]))["event_at"] == found["event_at"]


def test_input_that_may_or_may_not_hold_the_cache_is_unknown(tmp_path: Path) -> None:
    """The AI SDK before version 6: Claude's input without the cache, everybody else's with it, and nothing in the record says which."""
    usage = {"inputTokens": 100, "outputTokens": 20, "totalTokens": 120, "cachedInputTokens": 40}
    claude, other = (ANSWER | {"model": model, "usage": usage} for model in ("claude-sonnet-4-5", "gpt-5"))
    assert row(parse_records(tmp_path, "openai_chat", [claude]))["usage_basis"] == "missing"
    assert buckets(row(parse_records(tmp_path, "openai_chat", [other])))["input_uncached"] == 60


@pytest.mark.parametrize(
    ("usage", "expected", "searches"),
    [
        # Cohere charges its billed units, in either case.
        ({"billedUnits": {"inputTokens": 10, "outputTokens": 5}, "tokens": {"inputTokens": 80, "outputTokens": 6}}, {"input_uncached": 10, "output_text": 5}, 0),
        # Mistral's agents: what connectors read is charged as input and stands apart from the prompt.
        ({"prompt_tokens": 188, "completion_tokens": 55, "total_tokens": 7355, "connector_tokens": 7112, "connectors": {"web_search": 1}}, {"input_uncached": 188, "input_tool": 7112, "output_text": 55}, 1),
        # Mistral's sound: its tokens are in the total only, and it is charged by the second.
        ({"prompt_tokens": 4, "completion_tokens": 635, "total_tokens": 3264, "prompt_audio_seconds": 203}, {"input_uncached": 4, "output_text": 635}, 0),
        ({"prompt_tokens": 4, "completion_tokens": 6, "total_tokens": 10, "prompt_audio_seconds": None}, {"input_uncached": 4, "output_text": 6}, 0),
    ],
)  # fmt: skip
def test_what_stands_apart_from_the_prompt(
    usage: dict[str, Any], expected: dict[str, int], searches: int, tmp_path: Path
) -> None:
    found = row(parse_records(tmp_path, "openai_chat", [ANSWER | {"usage": usage}]))
    assert (buckets(found), found["web_search_count"] or 0) == (expected, searches)


@pytest.mark.parametrize(
    ("written", "tier"),
    [
        ("TrafficType.ON_DEMAND", "standard"), ("TrafficType.ON_DEMAND_FLEX", "flex"), ("ON_DEMAND_PRIORITY", "priority"),
        ("ServiceTier.PRIORITY", "priority"), ("SERVICE_TIER_FLEX", "flex"), ("SERVICE_TIER_UNSPECIFIED", "standard"),
        ("TRAFFIC_TYPE_UNSPECIFIED", "standard"), ("PROVISIONED_THROUGHPUT", "provisioned_throughput"), ("Flex", "flex"),
    ],
)  # fmt: skip
def test_a_tier_as_an_enumeration_writes_it(written: str, tier: str, tmp_path: Path) -> None:
    usage = {"prompt_token_count": 100, "candidates_token_count": 20, "total_token_count": 120, "traffic_type": written}
    gemini = {"response_id": "g1", "model_version": "gemini-3-pro", "timestamp": AT, "usage_metadata": usage}
    assert row(parse_records(tmp_path, "gemini", [gemini]))["service_tier"] == tier
    openai = ANSWER | {"usage": CHAT, "service_tier": written}
    assert row(parse_records(tmp_path, "openai_chat", [openai]))["service_tier"] == tier


VERTEX = {
    "usageMetadata": {"promptTokenCount": 100, "candidatesTokenCount": 20, "thoughtsTokenCount": 7, "totalTokenCount": 127},
    "modelVersion": "gemini-2.5-pro", "responseId": "g1",
}  # fmt: skip


@pytest.mark.parametrize("answer", [VERTEX, json.dumps(VERTEX)])
def test_vertex_ais_log_in_bigquery(answer: object, tmp_path: Path) -> None:
    logged = {"logging_time": "2026-02-12 10:20:30.5 UTC", "request_id": "1", "model": "gemini-2.5-pro", "full_request": {}, "full_response": answer}  # fmt: skip
    found = row(parse_records(tmp_path, "gemini", [logged]))
    assert buckets(found) == {"input_uncached": 100, "output_text": 20, "output_reasoning": 7}
    assert found["event_at"] == datetime(2026, 2, 12, 10, 20, 30, 500_000, tzinfo=UTC)
