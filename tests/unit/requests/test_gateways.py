"""Usage where gateways and sellers put it: lines of a batch's output, the last choice of a stream, details of older versions, other units."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.unit.requests.helpers import all_days, buckets, parse_records, row, sample
from tests.unit.requests.samples import AT, EPOCH, INCLUSIVE, SECRET

CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": EPOCH,
    "model": "m",
    "choices": [{"message": {"content": SECRET}}],
}
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": EPOCH,
    "model": "gpt-5",
    "status": "completed",
    "usage": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15},
}
CHAT_USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
BATCHES: dict[str, tuple[str, dict[str, Any]]] = {
    "openai": ("openai_chat", {"id": "batch_req_1", "custom_id": "a", "error": None,
                               "response": {"status_code": 200, "body": {**CHAT, "usage": CHAT_USAGE}}}),
    "azure": ("openai_chat", {"custom_id": "a", "error": None,
                              "response": {"status_code": 200, "request_id": "r", "body": {**CHAT, "usage": CHAT_USAGE}}}),
    "mistral": ("openai_chat", {"id": "batch-2-0-af", "custom_id": "a",
                                "response": {"status_code": 200, "body": {**CHAT, "usage": CHAT_USAGE}}}),
    "fireworks": ("openai_chat", {"custom_id": "a", "response": {**CHAT, "usage": CHAT_USAGE}}),
    "azure, responses": ("openai_responses", {"custom_id": "a", "response": {"status_code": 200, "body": RESPONSE}}),
    "gemini": ("gemini", {"key": "a", "response": {"responseId": "g", "createTime": AT, "modelVersion": "gemini-2.5-pro", "usageMetadata": {
        "promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}}}),
    "bedrock": ("anthropic_messages", {"recordId": "a", "timestamp": AT, "modelOutput": {
        "id": "msg_bdrk_1", "model": "claude-sonnet-4-6", "usage": {"input_tokens": 10, "output_tokens": 5}}}),
    "litellm": ("litellm_spend_logs", {"request_id": "b", "call_type": "aretrieve_batch", "model": "gpt-4o", "startTime": AT, "spend": 0.1,
                                       "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}),
}  # fmt: skip


@pytest.mark.parametrize("seller", BATCHES)
def test_a_line_of_a_batch_is_of_the_tier_batch(tmp_path: Path, seller: str) -> None:
    format_name, line = BATCHES[seller]
    found = row(parse_records(tmp_path, format_name, [line]))
    assert (found["service_tier"], found["usage_basis"]) == ("batch", "reported")


@pytest.mark.parametrize(
    ("format_name", "line"),
    [
        ("openai_chat", {**CHAT, "custom_id": "a", "usage": CHAT_USAGE}),
        ("openai_chat", {"timestamp": AT, "response": {**CHAT, "usage": CHAT_USAGE}}),
        ("gemini", {**BATCHES["gemini"][1], "timestamp": AT}),
    ],
)
def test_a_logger_s_envelope_is_no_batch(tmp_path: Path, format_name: str, line: dict[str, Any]) -> None:
    assert row(parse_records(tmp_path, format_name, [line]))["service_tier"] == "standard"


def test_a_stream_of_moonshot_counts_in_its_last_choice(tmp_path: Path) -> None:
    piece = {"id": "c-1", "object": "chat.completion.chunk", "created": EPOCH, "model": "kimi-k2"}
    last = {"index": 0, "delta": {}, "finish_reason": "stop", "usage": CHAT_USAGE}
    lines = [{**piece, "choices": [{"index": 0, "delta": {"content": SECRET}}]}, {**piece, "choices": [last]}]
    found = all_days([parse_records(tmp_path, "openai_chat", lines)]).requests.to_dicts()
    assert [buckets(f) for f in found] == [{"input_uncached": 10, "output_text": 5}]


def test_a_total_alone_counts_an_embedding_and_no_completion(tmp_path: Path) -> None:
    usage = {"usage": {"total_tokens": 150}}
    embedded = row(parse_records(tmp_path, "openai_chat", [{"object": "list", "model": "v", "timestamp": AT, **usage}]))
    answered = row(parse_records(tmp_path, "openai_chat", [{**CHAT, **usage}]))
    assert (buckets(embedded), buckets(answered)) == ({"input_uncached": 150}, {})
    assert (embedded["usage_basis"], answered["usage_basis"]) == ("reported", "partial")


def test_details_of_older_versions_of_litellm(tmp_path: Path) -> None:
    added = {
        "prompt_tokens_details": {"cached_tokens": 4},
        "cache_creation_input_tokens": 3,
        "cache_read_input_tokens": 4,
    }
    line = BATCHES["litellm"][1] | {
        "call_type": "acompletion",
        "metadata": json.dumps({"additional_usage_values": added}),
    }
    assert buckets(row(parse_records(tmp_path, "litellm_spend_logs", [line]))) == {
        "input_uncached": 3, "input_cache_read": 4, "input_cache_write": 3, "output_text": 5
    }  # fmt: skip


OBSERVED = {"id": "o", "traceId": "t", "type": "GENERATION", "startTime": AT, "model": "m"}
DETAILS: dict[str, tuple[dict[str, int], dict[str, int]]] = {
    "OpenAI's names": (
        {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120, "prompt_tokens_details.cached_tokens": 40,
         "completion_tokens_details.reasoning_tokens": 5},
        {"input_uncached": 60, "input_cache_read": 40, "output_text": 15, "output_reasoning": 5},
    ),
    "those of its responses": (
        {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120, "input_tokens_details.cached_tokens": 40},
        {"input_uncached": 60, "input_cache_read": 40, "output_text": 20},
    ),
    "Anthropic's names": (
        {"input_tokens": 100, "output_tokens": 20, "cache_read_input_tokens": 400, "cache_creation_input_tokens": 10,
         "cache_creation.ephemeral_5m_input_tokens": 4, "cache_creation.ephemeral_1h_input_tokens": 6},
        {"input_uncached": 100, "input_cache_read": 400, "input_cache_write_5m": 4, "input_cache_write_1h": 6, "output_text": 20},
    ),
    "LangChain's names": (
        {"input": 60, "input_cache_read": 40, "input_cache_creation": 0, "input_ephemeral_5m_input_tokens": 4,
         "input_ephemeral_1h_input_tokens": 6, "output": 20, "total": 130},
        {"input_uncached": 60, "input_cache_read": 40, "input_cache_write_5m": 4, "input_cache_write_1h": 6, "output_text": 20},
    ),
}  # fmt: skip


@pytest.mark.parametrize("names", DETAILS)
def test_langfuse_keeps_usage_under_the_names_it_was_given(tmp_path: Path, names: str) -> None:
    stated, expected = DETAILS[names]
    assert buckets(row(parse_records(tmp_path, "langfuse", [{**OBSERVED, "usageDetails": stated}]))) == expected


@pytest.mark.parametrize("unit", ["CHARACTERS", "IMAGES", "SECONDS", "MILLISECONDS", "REQUESTS"])
def test_counts_of_another_unit_are_no_tokens(tmp_path: Path, unit: str) -> None:
    usage = {"input": 600, "output": 20, "total": 620, "unit": unit}
    found = row(parse_records(tmp_path, "langfuse", [{**OBSERVED, "usage": usage}]))
    assert (found["usage_basis"], json.loads(found["tags"])["usage_unit"]) == ("missing", unit.lower())
    counted = row(parse_records(tmp_path, "langfuse", [{**OBSERVED, "usage": {**usage, "unit": "TOKENS"}}]))
    assert (buckets(counted), counted["tags"]) == ({"input_uncached": 600, "output_text": 20}, None)


def test_a_cost_with_a_fraction_is_in_dollars_also_where_a_row_has_the_tables_names(tmp_path: Path) -> None:
    record = {name: item for name, item in sample("helicone").items() if name != "delay_ms"} | {"latency": 1500}
    assert row(parse_records(tmp_path, "helicone", [record]))["reported_cost_usd"] == Decimal("0.00123")


def test_costs_of_helicones_own_table_are_billionths(tmp_path: Path) -> None:
    """Its API divides them; a row of ClickHouse has its latency and organisation under the table's own names."""
    api = sample("helicone")
    row_of_table = {
        "request_id": "r2", "request_created_at": "2026-02-12 10:20:30.500", "status": 200, "latency": 1500, "provider": "OPENAI",
        "model": "gpt-5", "prompt_tokens": 1000, "prompt_cache_read_tokens": 400, "completion_tokens": 300, "cost": 1230000,
        "organization_id": "83635a30-5ba6-41a8-8cc6-fb7df941b24a", "user_id": "u1", "properties": {"Helicone-Session-Id": "s1"},
    }  # fmt: skip
    found = [row(parse_records(tmp_path, "helicone", [record])) for record in (api, row_of_table)]
    assert [item["reported_cost_usd"] for item in found] == [Decimal("0.00123")] * 2
    assert [item["latency_ms"] for item in found] == [1500] * 2
    assert buckets(found[0]) == buckets(found[1])


def test_attempts_under_one_correlation_are_calls_of_their_own(tmp_path: Path) -> None:
    """A policy of API Management asks again, or another backend; a record that is exported twice is one call."""
    first, piece = sample("azure_apim"), sample("azure_apim") | {"SequenceNumber": 1, "PromptTokens": None}
    again = first | {"RequestId": "r2", "PromptTokens": 90, "TotalTokens": 110}
    found = all_days([parse_records(tmp_path, "azure_apim", [first, piece, again, first])])
    assert (found.requests["input_uncached_tokens"].sort().to_list(), found.duplicates.height) == ([90, 100], 1)


def test_openrouters_answers_in_camel_case(tmp_path: Path) -> None:
    """Its libraries for TypeScript rename all fields of a usage, the amounts too."""
    usage = {
        "promptTokens": 1000, "completionTokens": 300, "totalTokens": 1300, "promptTokensDetails": {"cachedTokens": 400},
        "completionTokensDetails": {"reasoningTokens": 200}, "cost": 0.0001, "isByok": True, "costDetails": {"upstreamInferenceCost": 0.00113},
    }  # fmt: skip
    found = row(parse_records(tmp_path, "openrouter", [sample("openrouter") | {"usage": usage}]))
    assert (buckets(found), found["reported_cost_usd"]) == (INCLUSIVE, Decimal("0.00123"))


def test_a_line_of_kongs_log_names_instant_seller_and_models_next_to_the_usage(tmp_path: Path) -> None:
    meta = {
        "provider_name": "azure",
        "request_model": "gpt-4o",
        "response_model": "gpt-4o-2024-08-06",
        "llm_latency": 900,
    }
    line = {"started_at": EPOCH * 1000, "latencies": {"request": 1200}, "response": {"status": 200, "size": 900},
            "ai": {"proxy": {"meta": meta, "usage": CHAT_USAGE | {"time_per_token": 5}, "cache": {}}}}  # fmt: skip
    found = row(parse_records(tmp_path, "openai_chat", [line]))
    assert buckets(found) == {"input_uncached": 10, "output_text": 5}
    assert (found["provider_id"], found["request_model"], found["response_model"]) == (
        "azure", "gpt-4o", "gpt-4o-2024-08-06",
    )  # fmt: skip


@pytest.mark.parametrize("format_name", ["openai_chat", "openrouter", "vllm", "ollama"])
def test_messages_of_anthropics_shape_among_others_count_as_anthropic_does(format_name: str, tmp_path: Path) -> None:
    """The endpoint `/messages` of gateways and servers, plain and streamed; the input leaves the cache out, also where it is larger."""
    usage = {"input_tokens": 3000, "cache_read_input_tokens": 700, "cache_creation_input_tokens": 300, "output_tokens": 90,
             "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200}}  # fmt: skip
    message = {
        "id": "gen-1770891630-abcdef",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "usage": usage,
        "created_at": AT,
    }
    start = {"type": "message_start", "message": message | {"usage": usage | {"output_tokens": 1}}, "created_at": AT}
    end = {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn"},
        "usage": {"output_tokens": 90},
        "created_at": AT,
    }
    for lines in ([message], [start, end]):
        [found] = all_days([parse_records(tmp_path, format_name, lines)]).requests.to_dicts()
        assert buckets(found) == {"input_uncached": 3000, "input_cache_read": 700, "input_cache_write_5m": 100,
                                  "input_cache_write_1h": 200, "output_text": 90}  # fmt: skip


_ATTRIBUTES = {"attributes": {"gen_ai.usage.input_tokens": "1000"}, "scope": {"name": "pydantic-ai"}}
_INSIDE = {"input_uncached": 500, "input_cache_read": 400, "input_cache_write": 100, "output_text": 250}


@pytest.mark.parametrize(
    ("details", "metadata", "expected"),
    [
        ({"input": 1000, "cache_read_tokens": 400, "cache_write_tokens": 100, "total": 1750}, _ATTRIBUTES, _INSIDE),
        ({"input": 1000, "cache_read_tokens": 400, "cache_write_tokens": 100, "total": 1750}, json.dumps(_ATTRIBUTES), _INSIDE),
        ({"input": 500, "input_cached_tokens": 400, "input_cache_creation": 100, "total": 1250}, _ATTRIBUTES, _INSIDE),
        ({"input": 500, "input_cached_tokens": 400, "input_cache_creation": 100, "details.cached_tokens": 400, "total": 1250}, None, _INSIDE),
        ({"input": 1000, "cache_read.input_tokens": 400, "reasoning.output_tokens": 150, "total": 1800}, "words",
         {"input_uncached": 600, "input_cache_read": 400, "output_text": 100, "output_reasoning": 150}),
        ({"input": 1000, "cache_read_input_tokens": 400, "total": 1650}, _ATTRIBUTES | {"scope": {"name": "opentelemetry.instrumentation.bedrock"}},
         {"input_uncached": 1000, "input_cache_read": 400, "output_text": 250}),
        ({"input": 10, "cache_read.input_tokens": 1000, "total": 1260}, ["a"], {"input_uncached": 10, "input_cache_read": 1000, "output_text": 250}),
    ],
    ids=["attributes", "as text", "taken apart", "taken apart and named", "keys", "an emitter that leaves the cache out", "not contained"],
)  # fmt: skip
def test_spans_in_langfuse_keep_the_conventions_counts(
    details: dict[str, int], metadata: object, expected: dict[str, int], tmp_path: Path
) -> None:
    """github.com/langfuse/langfuse/issues/12306: Langfuse adds up the keys that it does not know, the cache within the input twice."""
    observation = sample("langfuse") | {"usageDetails": {"output": 250} | details, "metadata": metadata, "model": "m"}
    assert buckets(row(parse_records(tmp_path, "langfuse", [observation]))) == expected


@pytest.mark.parametrize("gateway", ["helicone", "openrouter"])
def test_a_gateway_that_names_the_providers_answer_saw_the_applications_call(gateway: str, tmp_path: Path) -> None:
    answer = "chatcmpl-AbC9dEf0123456"
    helicone = {"request_id": "6f1c2b1e-1", "request_created_at": AT, "provider": "OPENAI", "request_model": "m", "prompt_tokens": 10,
                "completion_tokens": 5, "response_status": 200, "response_body": {"id": answer, "choices": []}}  # fmt: skip
    generation = {"id": "gen-1770891630-abcdef", "upstream_id": answer, "created_at": AT, "model": "openai/m", "total_cost": 0.001,
                  "native_tokens_prompt": 10, "native_tokens_completion": 5}  # fmt: skip
    seen = {"helicone": helicone, "openrouter": {"data": generation}}[gateway]
    files = [
        parse_records(tmp_path, gateway, [seen], source="gateway"),
        parse_records(tmp_path, "openai_chat", [CHAT | {"id": answer, "usage": CHAT_USAGE}], source="app"),
    ]
    assert all_days(files).duplicates["rule"].to_list() == ["same_response"]
