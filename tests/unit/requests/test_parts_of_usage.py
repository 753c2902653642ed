"""Usage that a tool takes apart under keys of its own: each part counts, once, and what it says of tier and place decides the price.

The shapes are those of Langfuse's LangChain callback (langfuse-python, `_parse_usage_model`), of langchain-openai
(`_create_usage_metadata`) and of LiteLLM (`Usage`, pull requests 26919 and 30558, issue 42663); the numbers are ours.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.requests.helpers import all_days, as_csv, buckets, landed_bytes, parse_records, row, sample
from tests.unit.requests.samples import AT

OBSERVATION = {"id": "o", "type": "GENERATION", "traceId": "t", "startTime": AT, "endTime": AT, "model": "m"}
DETAILS: dict[str, tuple[dict[str, int], dict[str, int], str]] = {
    "OpenAI's flex tier": (
        {"input": 0, "output": 0, "total": 150, "input_audio": 0, "input_flex": 60, "input_flex_cache_read": 40,
         "output_flex": 40, "output_flex_reasoning": 10},
        {"input_uncached": 60, "input_cache_read": 40, "output_text": 40, "output_reasoning": 10}, "flex",
    ),
    "its priority tier, nothing cached": (
        {"input": 0, "output": 0, "total": 150, "input_priority": 100, "input_priority_cache_read": 0, "output_priority": 50},
        {"input_uncached": 100, "output_text": 50}, "priority",
    ),
    "Vertex AI's modalities": (
        {"input": 0, "output": 0, "total": 1220, "input_modality_TEXT": 300, "input_modality_AUDIO": 200, "cached_modality_TEXT": 100,
         "cached_modality_AUDIO": 400, "cached_content_token_count": 500, "output_modality_TEXT": 120, "thoughts_token_count": 100},
        {"input_uncached": 300, "input_cache_read": 100, "input_audio": 200, "input_audio_cache_read": 400, "output_text": 120,
         "output_reasoning": 100}, "standard",
    ),
    "a cache that no modality names": (
        {"input": 0, "output": 0, "input_modality_TEXT": 1000, "cached_content_token_count": 400, "output_modality_IMAGE": 1290},
        {"input_uncached": 600, "input_cache_read": 400, "output_image": 1290}, "standard",
    ),
    "Google's own usage": (
        {"promptTokenCount": 1000, "candidatesTokenCount": 20, "thoughtsTokenCount": 100, "toolUsePromptTokenCount": 50,
         "totalTokenCount": 1170, "cachedContentTokenCount": 400},
        {"input_uncached": 600, "input_cache_read": 400, "input_tool": 50, "output_text": 20, "output_reasoning": 100}, "standard",
    ),
    "predictions": (
        {"input": 100, "output": 50, "total": 200, "output_accepted_prediction_tokens": 20, "output_rejected_prediction_tokens": 30},
        {"input_uncached": 100, "output_text": 100}, "standard",
    ),
    "LiteLLM, which leaves in what was written to a cache": (
        {"input": 400, "output": 20, "total": 920, "cache_read_input_tokens": 500, "cache_creation_input_tokens": 300},
        {"input_uncached": 100, "input_cache_read": 500, "input_cache_write": 300, "output_text": 20}, "standard",
    ),
    "parts that the counts contain": (
        {"input": 100, "output": 50, "total": 150, "input_text_tokens": 100, "output_text_tokens": 50},
        {"input_uncached": 100, "output_text": 50}, "standard",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DETAILS)
def test_every_part_of_langfuses_details_counts_once(tmp_path: Path, name: str) -> None:
    details, expected, tier = DETAILS[name]
    record = {**OBSERVATION, "usageDetails": details}
    for parsed in (
        parse_records(tmp_path, "langfuse", [record]),
        landed_bytes(tmp_path, as_csv(record), "langfuse", "a.csv"),
    ):
        found = row(parsed)
        assert (buckets(found), found["service_tier"], found["usage_basis"]) == (expected, tier, "reported")


SERVED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"usage_object": {"service_tier": "priority"}}, {"service_tier": "priority"}),
    ({"cost_breakdown": {"service_tier": "flex"}, "usage_object": {"service_tier": "default"}}, {"service_tier": "flex"}),
    ({"usage_object": {"inference_geo": "us", "speed": "fast"}}, {"service_tier": "fast", "region": "us"}),
    ({"usage_object": {"inference_geo": "not_available", "speed": None}}, {"service_tier": "standard", "region": ""}),
    ({"usage_object": {"prompt_tokens_details": {"web_search_requests": 3}}}, {"web_search_count": 3}),
    ({"usage_object": {"server_tool_use": {"web_search_requests": 2}}}, {"web_search_count": 2}),
    ({"additional_usage_values": {"prompt_tokens_details": {"web_search_requests": 1}}}, {"web_search_count": 1}),
    ({"usage_object": {"cache_creation_input_tokens": 30, "cache_creation": {"ephemeral_1h_input_tokens": 20}}},
     {"input_cache_write_1h_tokens": 20, "input_cache_write_tokens": 10, "input_uncached_tokens": 70}),
    ({"usage_object": {"prompt_tokens_details": {"video_tokens": 60, "audio_tokens": 20, "cached_tokens": 10,
                                                 "cached_tokens_details": {"audio_tokens": 10}}}},
     {"input_video_tokens": 60, "input_audio_tokens": 10, "input_audio_cache_read_tokens": 10, "input_uncached_tokens": 20}),
]  # fmt: skip


@pytest.mark.parametrize("name", ["litellm_spend_logs", "litellm_payload"])
@pytest.mark.parametrize(("metadata", "expected"), SERVED, ids=str)
def test_litellm_states_what_decides_a_price_in_its_metadata(
    tmp_path: Path, name: str, metadata: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Of both of its logs: a tier, a place or a search that is read from one of them only is charged wrong in the other."""
    counts = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    found = row(parse_records(tmp_path, name, [sample(name) | counts | {"metadata": metadata}]))
    assert {key: found[key] for key in expected} == expected


def test_a_batch_in_litellms_payload_is_priced_as_one(tmp_path: Path) -> None:
    record = sample("litellm_payload") | {"call_type": "aretrieve_batch"}
    assert row(parse_records(tmp_path, "litellm_payload", [record]))["service_tier"] == "batch"


GEMINI = {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}
JOBS: dict[str, dict[str, Any]] = {
    "the API's": {
        "name": "batches/1", "done": True, "metadata": {"model": "models/gemini-2.5-flash", "endTime": AT},
        "response": {"inlinedResponses": {"inlinedResponses": [
            {"response": {"responseId": "r1", "usageMetadata": GEMINI}}, {"error": {"code": 3, "message": "no"}}]}},
    },
    "the SDK's": {
        "name": "batches/1", "state": "JOB_STATE_SUCCEEDED", "model": "models/gemini-2.5-flash", "end_time": AT,
        "dest": {"inlined_responses": [
            {"response": {"response_id": "r1", "usage_metadata": {"prompt_token_count": 10, "candidates_token_count": 5}}},
            {"error": {"code": 3, "message": "no"}}]},
    },
}  # fmt: skip


@pytest.mark.parametrize("name", JOBS)
def test_the_answers_that_a_batch_job_of_gemini_holds_itself(tmp_path: Path, name: str) -> None:
    """The job was no request, so that none of its answers was counted."""
    parsed = parse_records(tmp_path, "gemini", [JOBS[name]])
    found = all_days([parsed]).requests.sort("status", descending=True)
    assert found.select("service_tier", "request_model", "status", "is_billable").rows() == [
        ("batch", "gemini-2.5-flash", "ok", True), ("batch", "gemini-2.5-flash", "error", False)
    ]  # fmt: skip
    assert buckets(found.row(0, named=True)) == {"input_uncached": 10, "output_text": 5}
    assert (
        parse_records(
            tmp_path, "gemini", [{"timestamp": AT, "responseId": "r", "usageMetadata": GEMINI, "dest": []}]
        ).valid
        == 1
    )


CONVERSE = {"timestamp": AT, "requestId": "q", "modelId": "m", "usage": {"inputTokens": 10, "outputTokens": 5}}
INVOKED = {"schemaType": "ModelInvocationLog", "timestamp": AT, "requestId": "q", "operation": "Converse", "modelId": "m",
           "input": {"inputTokenCount": 10}}  # fmt: skip
BEDROCK: list[tuple[dict[str, Any], str]] = [
    ({"serviceTier": {"type": "flex"}, "performanceConfig": {"latency": "standard"}}, "flex"),
    ({"serviceTier": {"type": "default"}, "performanceConfig": {"latency": "optimized"}}, "optimized"),
    ({"performanceConfig": {"latency": "standard"}}, "standard"),
    ({"serviceTier": {"type": "reserved"}}, "reserved"),
]


@pytest.mark.parametrize(("stated", "tier"), BEDROCK, ids=str)
def test_bedrocks_answers_state_tier_and_latency_wherever_they_are_logged(
    tmp_path: Path, stated: dict[str, Any], tier: str
) -> None:
    """Of the invocation log no tier was read, and a default tier hid optimised latency, which costs more."""
    streamed = [{"contentBlockDelta": {}}, {"metadata": stated}]
    logged = [INVOKED | {"output": {"outputTokenCount": 5, "outputBodyJson": body}} for body in (stated, streamed)]
    for name, record in (("bedrock_converse", CONVERSE | stated), *(("bedrock_invocation", line) for line in logged)):
        found = row(parse_records(tmp_path, name, [record]))
        assert (buckets(found), found["service_tier"]) == ({"input_uncached": 10, "output_text": 5}, tier)


def test_a_tier_that_a_logger_wrote_flat_costs_no_call(tmp_path: Path) -> None:
    found = row(parse_records(tmp_path, "bedrock_converse", [CONVERSE | {"serviceTier": "priority"}]))
    assert found["service_tier"] == "priority"


@pytest.mark.parametrize("trace", ["1-67891233-abcdef", "ENABLED", ["a"], {"promptRouter": "none"}], ids=str)
def test_a_trace_that_is_none_of_bedrocks_costs_no_call(tmp_path: Path, trace: object) -> None:
    found = row(parse_records(tmp_path, "bedrock_converse", [CONVERSE | {"trace": trace}]))
    assert buckets(found) == {"input_uncached": 10, "output_text": 5}


@pytest.mark.parametrize("written", ["Hello", ["Hello"], None], ids=str)
@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("ollama", {"prompt_eval_count": 10, "eval_count": 5}),
        ("openai_chat", {"usage": {"prompt_tokens": 10, "completion_tokens": 5}}),
        ("anthropic_messages", {"usage": {"input_tokens": 10, "output_tokens": 5}}),
    ],
)
def test_a_response_in_a_declared_body_may_be_the_text_of_the_answer(
    tmp_path: Path, name: str, counts: dict[str, Any], written: object
) -> None:
    """Ollama's own API names it so: every call of such a log was set aside."""
    answer = {"id": "a-1", "model": "m", "done": True, "response": written} | counts
    parsed = parse_records(tmp_path, name, [{"timestamp": AT, "answer": answer}], options={"body": "answer"})
    assert buckets(row(parsed)) == {"input_uncached": 10, "output_text": 5}


@pytest.mark.parametrize("name", ["openai_chat", "openai_responses", "llamacpp"])
def test_an_envelope_that_is_called_a_message_is_none_of_anthropics(tmp_path: Path, name: str) -> None:
    """What a cache held is in the input; it was charged on top of it."""
    usage = {
        "input_tokens": 1000,
        "output_tokens": 50,
        "total_tokens": 1050,
        "input_tokens_details": {"cached_tokens": 600},
    }
    answer = {"id": "resp_a1b2c3d4e5f6", "object": "response", "model": "gpt-5", "usage": usage}
    found = row(parse_records(tmp_path, name, [{"type": "message", "timestamp": AT, "response": answer}]))
    assert buckets(found) == {"input_uncached": 400, "input_cache_read": 600, "output_text": 50}


WRITTEN_APART = {"input": 260, "output": 20, "input_cached_tokens": 40, "cache_write.input_tokens": 25}
SOUND = {"input": 1000, "output": 300, "input_text_tokens": 400, "input_audio_tokens": 600, "input_cached_tokens": 0,
         "output_text_tokens": 60, "output_audio_tokens": 240}  # fmt: skip


@pytest.mark.parametrize("total", [{}, {"total": 280}, {"total": 320}, {"total": 345}], ids=str)
def test_what_was_written_is_in_the_input_where_langfuse_does_not_know_its_name(
    tmp_path: Path, total: dict[str, int]
) -> None:
    """github.com/langfuse/langfuse/issues/17117: only what was read is taken off the input of 300."""
    record = sample("langfuse") | {"usageDetails": WRITTEN_APART | total}
    expected = {"input_uncached": 235, "input_cache_read": 40, "input_cache_write": 25, "output_text": 20}
    assert buckets(row(parse_records(tmp_path, "langfuse", [record]))) == expected


@pytest.mark.parametrize("total", [{}, {"total": 1300}, {"total": 2600}], ids=str)
def test_text_and_sound_that_make_up_a_count_are_not_added_to_it(tmp_path: Path, total: dict[str, int]) -> None:
    """LiveKit's spans of a realtime model, which Langfuse adds up; each token was charged twice."""
    record = sample("langfuse") | {"usageDetails": SOUND | total, "model": "gpt-realtime"}
    expected = {"input_uncached": 400, "input_audio": 600, "output_text": 60, "output_audio": 240}
    assert buckets(row(parse_records(tmp_path, "langfuse", [record]))) == expected


def answered(model: str, usage: dict[str, Any]) -> dict[str, Any]:
    return sample("openai_chat") | {"model": model, "usage": usage}


@pytest.mark.parametrize(
    ("model", "reasoning", "expected"),
    [
        ("google/gemini-2.5-pro", 1541, {"input_uncached": 9, "output_text": 1124, "output_reasoning": 1541}),
        ("google/gemini-2.5-pro", 1000, {"input_uncached": 9, "output_text": 124, "output_reasoning": 1000}),
        ("gpt-5", 1541, {"input_uncached": 9, "output_text": 1124}),
    ],
)
def test_googles_reasoning_above_the_output_is_apart_whatever_the_total_says(
    tmp_path: Path, model: str, reasoning: int, expected: dict[str, int]
) -> None:
    """github.com/vercel/ai/pull/12242: DeepInfra counts it in neither the output nor the total; it was free."""
    usage = {"prompt_tokens": 9, "completion_tokens": 1124, "total_tokens": 1133,
             "completion_tokens_details": {"reasoning_tokens": reasoning}}  # fmt: skip
    assert buckets(row(parse_records(tmp_path, "openai_chat", [answered(model, usage)]))) == expected


def test_runs_of_assistants_name_what_came_from_a_cache_otherwise(tmp_path: Path) -> None:
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "total_tokens": 120,
        "prompt_token_details": {"cached_tokens": 40},
    }
    run = answered("gpt-4o", usage) | {"object": "thread.run", "id": "run_a1b2c3d4e5f6"}
    expected = {"input_uncached": 60, "input_cache_read": 40, "output_text": 20}
    assert buckets(row(parse_records(tmp_path, "openai_chat", [run]))) == expected


def test_an_output_that_is_all_text_does_not_put_the_cache_into_the_input(tmp_path: Path) -> None:
    """The total adds up input, cache and output; what the cache held was taken off the input."""
    usage = {"input": 500, "input_cached_tokens": 300, "output": 200, "output_text_tokens": 200, "total": 1000}
    expected = {"input_uncached": 500, "input_cache_read": 300, "output_text": 200}
    assert buckets(row(parse_records(tmp_path, "langfuse", [sample("langfuse") | {"usageDetails": usage}]))) == expected
