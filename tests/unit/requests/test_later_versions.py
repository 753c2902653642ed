"""What tools and providers added to their logs in 2026. Every record is typed by hand after what was found in the wild.

Each was silently zero, dropped or given to another model before it was known; a file of any of them must say all it holds.
"""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.unit.requests.helpers import all_days, buckets, parse_records, row, rows
from tests.unit.requests.samples import AT, EPOCH, SECRET

# --- Anthropic: iterations

CALL: dict[str, Any] = {
    "input_tokens": 2,
    "output_tokens": 491,
    "cache_read_input_tokens": 700,
    "cache_creation_input_tokens": 0,
}
ITERATIONS: list[dict[str, Any]] = [
    {"type": "message", "input_tokens": 1, "output_tokens": 45, "cache_read_input_tokens": 300, "cache_creation_input_tokens": 0},
    {"type": "advisor_message", "model": "claude-opus-4-7", "input_tokens": 1594, "output_tokens": 78, "cache_read_input_tokens": 0,
     "cache_creation_input_tokens": 20, "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 0}},
    {"type": "compaction", "input_tokens": 180000, "output_tokens": 3500, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0},
    {"type": "message", "input_tokens": 1, "output_tokens": 446, "cache_read_input_tokens": 400, "cache_creation_input_tokens": 0},
]  # fmt: skip
MESSAGE: dict[str, Any] = {
    "id": "msg_bdrk_01", "model": "claude-sonnet-4-6", "stop_reason": "end_turn", "content": [{"type": "text", "text": SECRET}],
    "usage": {**CALL, "iterations": ITERATIONS, "service_tier": "standard", "inference_geo": "us", "speed": "fast",
              "output_tokens_details": {"thinking_tokens": 91}},
}  # fmt: skip
START = {
    "type": "message_start",
    "message": {**MESSAGE, "usage": {"input_tokens": 2, "output_tokens": 1}},
    "timestamp": AT,
}
DELTA = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": MESSAGE["usage"], "timestamp": AT}
HOLDERS: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "answer": ("anthropic_messages", [{**MESSAGE, "timestamp": AT}]),
    "stream": ("anthropic_messages", [START, DELTA]),
    "batch": ("anthropic_messages", [{"custom_id": "a", "timestamp": AT, "result": {"type": "succeeded", "message": MESSAGE}}]),
    "session": ("claude_code", [{"type": "assistant", "timestamp": AT, "sessionId": "s", "requestId": "r", "message": MESSAGE}]),
}  # fmt: skip


@pytest.mark.parametrize("holder", HOLDERS)
def test_what_a_message_does_not_contain_is_a_request_of_its_own(tmp_path: Path, holder: str) -> None:
    """An advisor is charged by its own model, a compaction apart from the answer; neither is in the usage of the message."""
    format_name, lines = HOLDERS[holder]
    parsed = [parse_records(tmp_path, format_name, lines), parse_records(tmp_path, format_name, lines, name="again")]
    found = {
        found["source_request_id"]: found for found in all_days(parsed).requests.sort("source_request_id").to_dicts()
    }
    assert {uid: (f["request_model"], buckets(f)) for uid, f in found.items()} == {
        "msg_bdrk_01": ("claude-sonnet-4-6", {"input_uncached": 2, "input_cache_read": 700, "output_text": 400, "output_reasoning": 91}),
        "msg_bdrk_01/iterations/1": ("claude-opus-4-7", {"input_uncached": 1594, "input_cache_write_5m": 20, "output_text": 78}),
        "msg_bdrk_01/iterations/2": ("claude-sonnet-4-6", {"input_uncached": 180000, "output_text": 3500}),
    }  # fmt: skip
    tier = "batch" if holder == "batch" else "fast"
    assert [f["service_tier"] for f in found.values()] == [tier, "batch" if holder == "batch" else "standard", tier]
    assert {(f["provider_id"], f["region"]) for f in found.values()} == {("aws.bedrock", "us")}
    assert [json.loads(f["tags"] or "{}").get("call") for f in found.values()] == [
        None,
        "advisor_message",
        "compaction",
    ]


@pytest.mark.parametrize("format_name", ["anthropic_messages", "claude_code"])
def test_the_usage_between_an_advisor_s_calls_is_that_of_all_of_them(tmp_path: Path, format_name: str) -> None:
    """The counts are those of the API's documentation: the message states the input of its first call, and the output of all."""
    first = {"type": "message", "input_tokens": 412, "cache_read_input_tokens": 0, "output_tokens": 89}
    advisor = {"type": "advisor_message", "model": "claude-opus-4-6", "input_tokens": 823, "output_tokens": 1612}
    second = {"type": "message", "input_tokens": 1348, "cache_read_input_tokens": 412, "output_tokens": 442,
              "cache_creation_input_tokens": None}  # fmt: skip
    usage = {"input_tokens": 412, "cache_read_input_tokens": 0, "output_tokens": 531,
             "iterations": [first, advisor, second]}  # fmt: skip
    message = {**MESSAGE, "usage": usage}
    line = {"type": "assistant", "timestamp": AT, "sessionId": "s", "requestId": "r", "message": message}
    record = line if format_name == "claude_code" else {**message, "timestamp": AT}
    found = rows(parse_records(tmp_path, format_name, [record])).sort("source_request_id").to_dicts()
    assert [buckets(f) for f in found] == [
        {"input_uncached": 1760, "input_cache_read": 412, "output_text": 531},
        {"input_uncached": 823, "output_text": 1612},
    ]
    broken = {**usage, "iterations": [first | {"input_tokens": "many"}, advisor, second]}
    kept = rows(parse_records(tmp_path, "anthropic_messages", [{**message, "usage": broken, "timestamp": AT}]))
    assert kept.sort("source_request_id")["input_uncached_tokens"][0] == 412


@pytest.mark.parametrize("said", [0, 578])
def test_a_model_that_declined_is_charged_where_it_had_begun_to_answer(tmp_path: Path, said: int) -> None:
    """platform.claude.com/docs, "Refusals and fallback": each attempt that put something out is billed at the rates of its own model."""
    tried = {"type": "message", "model": "claude-fable-5", "input_tokens": 2, "output_tokens": said}
    served = {"type": "fallback_message", "model": "claude-sonnet-4-6", **CALL}
    message = {**MESSAGE, "usage": {**CALL, "iterations": [tried, served]}, "timestamp": AT}
    found = rows(parse_records(tmp_path, "anthropic_messages", [message])).sort("source_request_id").to_dicts()
    assert [(f["request_model"], f["output_text_tokens"]) for f in found] == [
        ("claude-sonnet-4-6", 491), *([("claude-fable-5", 578)] if said else [])
    ]  # fmt: skip


def test_a_stream_is_of_the_model_that_answered_in_place_of_the_first(tmp_path: Path) -> None:
    start = {"type": "message_start", "message": {**MESSAGE, "model": "claude-fable-5", "usage": CALL}, "timestamp": AT}
    tried = {"type": "message", "model": "claude-fable-5", "input_tokens": 2, "output_tokens": 0}
    usage = {**CALL, "iterations": [tried, {"type": "fallback_message", "model": "claude-sonnet-4-6", **CALL}]}
    end = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage, "timestamp": AT}
    found = all_days([parse_records(tmp_path, "anthropic_messages", [start, end])]).requests
    assert found["response_model"].to_list() == ["claude-sonnet-4-6"]


@pytest.mark.parametrize(
    ("at", "identity", "output", "is_billable"),
    [
        (AT.replace("-02-", "-06-"), "msg_1", 0, False),
        (AT.replace("-02-", "-05-"), "msg_1", 0, True),
        (AT.replace("-02-", "-06-"), "msg_1", 7, True),
        (AT.replace("-02-", "-06-"), "msg_bdrk_1", 0, True),
    ],
    ids=["free", "before June 2026", "in the middle", "another seller"],
)
def test_what_claude_refuses_before_it_answers_is_free(
    tmp_path: Path, at: str, identity: str, output: int, is_billable: bool
) -> None:
    message = {
        **MESSAGE,
        "id": identity,
        "stop_reason": "refusal",
        "usage": {"input_tokens": 2863, "output_tokens": output},
    }
    parsed = parse_records(tmp_path, "anthropic_messages", [message | {"timestamp": at}], arrival=date(2026, 7, 1))
    assert row(parsed)["is_billable"] == is_billable


def test_the_amount_of_a_line_stays_with_its_message(tmp_path: Path) -> None:
    line = {**HOLDERS["session"][1][0], "costUSD": 0.5}
    assert rows(parse_records(tmp_path, "claude_code", [line]))["reported_cost_usd"].null_count() == 2


# --- OpenAI and those who answer like it

IMAGE = {
    "input_tokens": 7918, "input_tokens_details": {"image_tokens": 7620, "text_tokens": 298}, "output_tokens": 186,
    "output_tokens_details": {"image_tokens": 186, "text_tokens": 0}, "total_tokens": 8104,
}  # fmt: skip
ANSWER: dict[str, Any] = {
    "id": "resp_1", "object": "response", "created_at": EPOCH, "model": "gpt-5.5", "status": "completed",
    "output": [{"type": "image_generation_call", "id": "ig_1", "result": SECRET}], "tools": [{"type": "image_generation", "model": "gpt-image-2"}],
    "usage": {"input_tokens": 43792, "output_tokens": 1005, "total_tokens": 44797},
    "tool_usage": {"image_gen": IMAGE, "web_search": {"num_requests": 0}},
}  # fmt: skip


@pytest.mark.parametrize("line", [ANSWER, {"type": "response.completed", "response": ANSWER}])
def test_images_that_a_tool_drew_are_charged_by_its_model(tmp_path: Path, line: dict[str, Any]) -> None:
    found = rows(parse_records(tmp_path, "openai_responses", [line])).sort("source_request_id").to_dicts()
    assert [(f["request_model"], f["operation"], buckets(f)) for f in found] == [
        ("gpt-5.5", "chat", {"input_uncached": 43792, "output_text": 1005}),
        ("gpt-image-2", "image_generation", {"input_uncached": 298, "input_image": 7620, "output_image": 186}),
    ]


def test_an_image_model_that_no_one_named_stays_unresolved(tmp_path: Path) -> None:
    found = rows(parse_records(tmp_path, "openai_responses", [{**ANSWER, "tools": [{"type": "image_generation"}]}]))
    assert set(found["request_model"]) == {"gpt-5.5", "image_generation"}


def test_what_the_images_api_puts_out_is_image(tmp_path: Path) -> None:
    usage = {
        "input_tokens": 22,
        "input_tokens_details": {"image_tokens": 0, "text_tokens": 22},
        "output_tokens": 272,
        "total_tokens": 294,
    }
    line = {"created": EPOCH, "request_model": "gpt-image-1", "data": [{"b64_json": SECRET}], "usage": usage}
    streamed = {
        "type": "image_generation.completed",
        "created_at": EPOCH,
        "b64_json": SECRET,
        "usage": usage,
        "model": "gpt-image-1",
    }
    for record in (line, streamed):
        assert buckets(row(parse_records(tmp_path, "openai_responses", [record]))) == {
            "input_uncached": 22,
            "output_image": 272,
        }


def test_a_transcription_by_the_second_is_a_request_of_unknown_cost(tmp_path: Path) -> None:
    line = {"timestamp": AT, "request_model": "whisper-1", "text": SECRET, "usage": {"type": "duration", "seconds": 9}}
    found = row(parse_records(tmp_path, "openai_responses", [{**line, "model": "whisper-1"}]))
    assert (found["usage_basis"], json.loads(found["tags"])["audio_seconds"]) == ("missing", "9")


CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": EPOCH,
    "model": "m",
    "choices": [{"message": {"content": SECRET}}],
}
USAGES: dict[str, tuple[dict[str, Any], dict[str, int], str | None]] = {
    "dashscope": (
        {"prompt_tokens": 3019, "completion_tokens": 104, "total_tokens": 3123, "prompt_tokens_details": {
            "cached_tokens": 2048, "cache_creation_input_tokens": 500, "cache_creation": {"ephemeral_5m_input_tokens": 500},
            "cache_type": "ephemeral"}},
        {"input_uncached": 471, "input_cache_read": 2048, "input_cache_write_5m": 500, "output_text": 104}, None,
    ),
    "litellm": (
        {"prompt_tokens": 1000, "completion_tokens": 10, "total_tokens": 1010, "cache_creation_input_tokens": 300,
         "cache_read_input_tokens": 600},
        {"input_uncached": 100, "input_cache_read": 600, "input_cache_write": 300, "output_text": 10}, None,
    ),
    "sglang": (
        {"prompt_tokens": 10, "completion_tokens": 60, "total_tokens": 70, "reasoning_tokens": 50, "prompt_tokens_details": None},
        {"input_uncached": 10, "output_text": 10, "output_reasoning": 50}, None,
    ),
    "perplexity": (
        {"prompt_tokens": 33, "completion_tokens": 7163, "total_tokens": 7196, "citation_tokens": 20016, "num_search_queries": 19,
         "reasoning_tokens": 73997, "search_context_size": "low",
         "cost": {"input_tokens_cost": 0.0, "reasoning_tokens_cost": 0.222, "total_cost": 0.4143}},
        {"input_uncached": 33, "input_tool": 20016, "output_text": 7163, "output_reasoning": 73997}, "0.4143",
    ),
    "xai": (
        {"prompt_tokens": 199, "completion_tokens": 1, "total_tokens": 329, "cost_in_usd_ticks": 1581500, "num_sources_used": 0,
         "prompt_tokens_details": {"text_tokens": 199, "audio_tokens": 0, "image_tokens": 0, "cached_tokens": 198},
         "completion_tokens_details": {"reasoning_tokens": 129}},
        {"input_uncached": 1, "input_cache_read": 198, "output_text": 1, "output_reasoning": 129}, "0.00015815",
    ),
    "openrouter": (
        {"prompt_tokens": 10, "completion_tokens": 6, "total_tokens": 16, "cost": 0.5}, {"input_uncached": 10, "output_text": 6}, None
    ),
}  # fmt: skip


@pytest.mark.parametrize("seller", USAGES)
def test_every_seller_in_openai_shape_says_all_it_holds(tmp_path: Path, seller: str) -> None:
    usage, expected, cost = USAGES[seller]
    found = row(parse_records(tmp_path, "openai_chat", [{**CHAT, "usage": usage}]))
    assert buckets(found) == expected
    assert found["reported_cost_usd"] == (None if cost is None else Decimal(cost))


# --- Google: the Interactions API and the Live API

INTERACTION = {
    "id": "v1_1", "object": "interaction", "created": AT, "model": "gemini-3.5-flash", "steps": [{"type": "model_output", "text": SECRET}],
    "usage": {
        "total_input_tokens": 1000, "total_output_tokens": 40, "total_thought_tokens": 20, "total_cached_tokens": 300, "total_tool_use_tokens": 7,
        "total_tokens": 1067, "input_tokens_by_modality": [{"modality": "text", "tokens": 800}, {"modality": "audio", "tokens": 200}],
    },
}  # fmt: skip


@pytest.mark.parametrize("status", ["completed", "requires_action", "failed", "cancelled"])
def test_an_interaction_is_one_request_however_often_it_is_polled(tmp_path: Path, status: str) -> None:
    waiting = {key: value for key, value in INTERACTION.items() if key != "usage"}
    lines = [
        {"event_type": "interaction.created", "interaction": {**waiting, "status": "in_progress"}},
        {"event_type": "step.delta", "index": 0, "delta": {"text": SECRET}},
        {"event_type": f"interaction.{status}", "interaction": {**INTERACTION, "status": status}},
        {**INTERACTION, "status": status},
    ]
    parsed = parse_records(tmp_path, "gemini", lines)
    found = all_days([parsed]).requests.row(0, named=True)
    assert (all_days([parsed]).requests.height, parsed.quarantine["severity"].to_list()) == (1, ["info"])
    assert buckets(found) == {
        "input_uncached": 500, "input_cache_read": 300, "input_audio": 200, "input_tool": 7, "output_text": 40, "output_reasoning": 20
    }  # fmt: skip
    assert (found["source_request_id"], found["response_model"]) == ("v1_1", "gemini-3.5-flash")
    assert (found["status"], found["is_billable"]) == (
        {"failed": "error", "cancelled": "cancelled"}.get(status, "ok"),
        True,
    )


def test_the_live_api_counts_responses(tmp_path: Path) -> None:
    usage = {
        "promptTokenCount": 100, "responseTokenCount": 50, "totalTokenCount": 150,
        "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 100}], "responseTokensDetails": [{"modality": "AUDIO", "tokenCount": 50}],
    }  # fmt: skip
    found = row(parse_records(tmp_path, "gemini", [{"timestamp": AT, "model": "gemini-live", "usageMetadata": usage}]))
    assert buckets(found) == {"input_audio": 100, "output_audio": 50}


# --- What is charged by another unit than tokens, and a query of CloudWatch

SPEECH = {
    "request_id": "35a810f8", "call_type": "aspeech", "model": "tts-1", "custom_llm_provider": "openai", "startTime": AT, "endTime": AT,
    "spend": 0.001125, "prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0, "status": "success",
    "metadata": {"usage_object": {"total_tokens": 0, "prompt_tokens": 0, "completion_tokens": 0}},
}  # fmt: skip


@pytest.mark.parametrize("spend", [0.001125, 0])
def test_speech_by_the_character_is_not_free(tmp_path: Path, spend: float) -> None:
    """LiteLLM logs no tokens of it: priced by tokens it cost nothing, against the spend that the gateway booked."""
    logged = row(parse_records(tmp_path, "litellm_spend_logs", [{**SPEECH, "spend": spend}]))
    payload = {**SPEECH, "id": "35a810f8", "response_cost": spend}
    sent = row(parse_records(tmp_path, "litellm_payload", [payload]))
    assert logged["usage_basis"] == sent["usage_basis"] == "missing"


def test_the_rows_of_a_query_are_requests(tmp_path: Path) -> None:
    record = {
        "schemaType": "ModelInvocationLog", "timestamp": "2026-02-12T10:20:30Z", "requestId": "r1", "operation": "Converse", "region": "eu-west-1",
        "modelId": "apac.amazon.nova-micro-v1:0", "input": {"inputTokenCount": 10}, "output": {"outputTokenCount": 8},
    }  # fmt: skip
    field = [
        {"field": "@timestamp", "value": "2026-02-12 10:20:30.000"},
        {"field": "@message", "value": json.dumps(record)},
    ]
    other = [{"field": "@message", "value": "START RequestId"}]
    parsed = parse_records(
        tmp_path, "bedrock_invocation", [{"results": [field, other], "statistics": {}, "status": "Complete"}]
    )
    assert buckets(row(parsed)) == {"input_uncached": 10, "output_text": 8}
    assert parsed.quarantine["severity"].to_list() == ["info"]


LANGFUSE = {
    "id": "o1",
    "type": "GENERATION",
    "traceId": "t",
    "startTime": AT,
    "endTime": AT,
    "model": "gpt-5.6",
    "output": SECRET,
}


@pytest.mark.parametrize(
    "usage",
    [
        {"input": 100, "input_cached_tokens": 40, "input_cache_write_tokens": 50, "input_image_tokens": 10, "output": 7, "total": 207},
        {"input": 200, "prompt_details.cache_read": 40, "prompt_details.cache_write": 50, "prompt_details.image": 10, "output": 7, "total": 207},
    ],
)  # fmt: skip
def test_langfuse_states_what_was_written_to_a_cache(tmp_path: Path, usage: dict[str, int]) -> None:
    """Without a total to break, writes under these names were read as plain input, or not at all."""
    expected = {
        "input_uncached": 100,
        "input_cache_read": 40,
        "input_cache_write": 50,
        "input_image": 10,
        "output_text": 7,
    }
    for stated in (usage, {name: count for name, count in usage.items() if name != "total"}):
        assert buckets(row(parse_records(tmp_path, "langfuse", [{**LANGFUSE, "usageDetails": stated}]))) == expected


def test_envoys_gateway_states_what_was_written_to_a_cache(tmp_path: Path) -> None:
    details = {"cached_tokens": 40, "cached_write_tokens": 50}
    usage = {"prompt_tokens": 100, "completion_tokens": 7, "total_tokens": 107, "prompt_tokens_details": details}
    found = row(parse_records(tmp_path, "openai_chat", [{**CHAT, "usage": usage}]))
    assert buckets(found) == {"input_uncached": 10, "input_cache_read": 40, "input_cache_write": 50, "output_text": 7}


def test_an_answer_with_the_names_of_another_api_is_not_all_input(tmp_path: Path) -> None:
    """DashScope's own API: its total was taken for an embedding's, so that what it put out was charged as input."""
    usage = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15, "prompt_tokens_details": {"cached_tokens": 2}}
    line = {"request_id": "q1", "timestamp": AT, "model": "qwen-max", "output": {"text": SECRET}, "usage": usage}
    found = row(parse_records(tmp_path, "openai_chat", [line]))
    assert (buckets(found), found["source_request_id"]) == (
        {"input_uncached": 8, "input_cache_read": 2, "output_text": 5},
        "q1",
    )
    details = {
        "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 4},
        "output_tokens_details": {"reasoning_tokens": 2},
    }
    other = {**CHAT, "id": "resp_1", "usage": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15, **details}}
    assert buckets(row(parse_records(tmp_path, "openai_chat", [other]))) == {
        "input_uncached": 3, "input_cache_read": 3, "input_cache_write": 4, "output_text": 3, "output_reasoning": 2
    }  # fmt: skip


def test_a_generation_record_taken_out_of_its_answer(tmp_path: Path) -> None:
    record = {
        "id": "gen-1", "created_at": AT, "model": "sao10k/l3", "total_cost": 0.0015, "usage": 0.0015, "native_tokens_prompt": 10,
        "native_tokens_completion": 25, "native_tokens_reasoning": 5, "native_tokens_cached": 3, "tokens_prompt": 11, "is_byok": False,
    }  # fmt: skip
    for line in (record, {"data": record}):
        found = row(parse_records(tmp_path, "openrouter", [line]))
        assert buckets(found) == {"input_uncached": 7, "input_cache_read": 3, "output_text": 20, "output_reasoning": 5}
        assert found["reported_cost_usd"] == Decimal("0.0015")


ANSWERS: dict[str, Any] = {
    "converse": {"usage": {"cacheDetails": [{"ttl": "1h", "inputTokens": 150}, {"ttl": "5m", "inputTokens": 50}]}, "output": SECRET},
    "anthropic": {"content": SECRET, "usage": {"cache_creation": {"ephemeral_5m_input_tokens": 50, "ephemeral_1h_input_tokens": 150}}},
    "stream": [
        {"type": "message_start", "message": {"usage": {"cache_creation": {"ephemeral_5m_input_tokens": 50, "ephemeral_1h_input_tokens": 150}}}},
        {"type": "content_block_delta", "delta": {"text": SECRET}},
    ],
    "that holds other counts": {"usage": {"cacheDetails": [{"ttl": "1h", "inputTokens": 999}]}},
    "as text": json.dumps({"usage": {"cacheDetails": SECRET}}),
}  # fmt: skip


@pytest.mark.parametrize("answer", ANSWERS)
def test_bedrocks_log_states_how_long_a_cache_was_written_for(tmp_path: Path, answer: str) -> None:
    """An hour costs 2.0 times the input, five minutes 1.25: the log's own count does not say which."""
    record = {
        "schemaType": "ModelInvocationLog", "timestamp": AT, "requestId": "r1", "operation": "Converse", "modelId": "anthropic.claude-sonnet-4-6",
        "input": {"inputTokenCount": 3, "cacheReadInputTokenCount": 1000, "cacheWriteInputTokenCount": 200},
        "output": {"outputTokenCount": 55, "outputBodyJson": ANSWERS[answer]},
    }  # fmt: skip
    stated = {"input_cache_write_5m": 50, "input_cache_write_1h": 150}
    written = {"input_cache_write": 200} if answer in ("that holds other counts", "as text") else stated
    for line in (record, {"logEvents": [{"message": json.dumps(record)}]}):
        found = row(parse_records(tmp_path, "bedrock_invocation", [line]))
        assert buckets(found) == {"input_uncached": 3, "input_cache_read": 1000, "output_text": 55, **written}


@pytest.mark.parametrize("holder", ["answer", "session"])
def test_where_a_model_ran_may_be_declared_where_it_is_not_reported(tmp_path: Path, holder: str) -> None:
    """Bedrock prices a global profile and a regional one, and its answer names neither."""
    format_name, [line] = HOLDERS[holder]
    for stated, region in (("not_available", "global"), ("us", "us")):
        changed = json.loads(json.dumps(line).replace('"inference_geo": "us"', f'"inference_geo": "{stated}"'))
        parsed = parse_records(tmp_path, format_name, [changed], defaults={"region": "global"})
        assert set(rows(parsed)["region"]) == {region}
