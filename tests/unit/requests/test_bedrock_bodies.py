"""Records of Bedrock's invocation log that state no counts of their own: those of the answer in them count."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.requests.helpers import all_days, buckets, parse_records, row
from tests.unit.requests.samples import AT

CLAUDE = {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 500, "cache_creation_input_tokens": 100}
METRICS = {"inputTokenCount": 10, "outputTokenCount": 5, "cacheReadInputTokenCount": 7}


def logged(body: object, **counts: int) -> dict[str, Any]:
    held = {side: {f"{side}TokenCount": counts[side]} if side in counts else {} for side in ("input", "output")}
    held["output"] = held["output"] | {"outputBodyJson": body}
    return {"timestamp": AT, "requestId": "r-1", "modelId": "a-model", "operation": "InvokeModel", **held}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"usage": CLAUDE},
            {"input_uncached": 10, "input_cache_read": 500, "input_cache_write": 100, "output_text": 5},
        ),
        (
            {"usage": CLAUDE | {"cache_creation": {"ephemeral_1h_input_tokens": 100}}},
            {"input_uncached": 10, "input_cache_read": 500, "input_cache_write_1h": 100, "output_text": 5},
        ),
        ({"usage": {"inputTokens": 9, "outputTokens": 4}}, {"input_uncached": 9, "output_text": 4}),
        ({"prompt_token_count": 9, "generation_token_count": 4}, {"input_uncached": 9, "output_text": 4}),
        (
            [{"type": "message_start"}, {"type": "message_stop", "amazon-bedrock-invocationMetrics": METRICS}],
            {"input_uncached": 10, "input_cache_read": 7, "output_text": 5},
        ),
    ],
)
def test_the_answer_counts_where_the_record_does_not(tmp_path: Path, body: object, expected: dict[str, int]) -> None:
    assert buckets(row(parse_records(tmp_path, "bedrock_invocation", [logged(body)]))) == expected


@pytest.mark.parametrize("body", [{"usage": CLAUDE | {"input_tokens": 99}}, "words", [1, 2], {"usage": "words"}])
def test_the_record_s_own_counts_go_first(tmp_path: Path, body: object) -> None:
    found = buckets(row(parse_records(tmp_path, "bedrock_invocation", [logged(body, input=10, output=5)])))
    assert (found["input_uncached"], found["output_text"]) == (10, 5)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("bedrock_converse", {"stopReason": "end_turn", "usage": {"inputTokens": 10, "outputTokens": 5, "totalTokens": 15}}),
        ("openai_chat", {"object": "chat.completion", "id": "chatcmpl-a1b2c3d4e5f6", "model": "openai.gpt-oss-120b-1:0",
                         "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}}),
        ("openai_responses", {"object": "response", "id": "resp_a1b2c3d4e5f6", "model": "openai.gpt-oss-120b-1:0",
                              "usage": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}}),
    ],
)  # fmt: skip
def test_records_of_a_batch_are_the_tier_batch(tmp_path: Path, name: str, answer: dict[str, Any]) -> None:
    """They were charged twice of what a batch costs."""
    record = {"recordId": "R1", "modelInput": {"messages": []}, "modelOutput": answer}
    found = row(parse_records(tmp_path, name, [record], options={"undated": "arrival"}, defaults={"model": "m"}))
    assert (found["service_tier"], buckets(found)) == ("batch", {"input_uncached": 10, "output_text": 5})
    plain = row(parse_records(tmp_path, name, [answer | {"recordId": "R1"}], options={"undated": "arrival"}))
    assert plain["service_tier"] == "standard"


def test_a_prompt_router_names_the_model_that_answered(tmp_path: Path) -> None:
    router = "arn:aws:bedrock:us-east-1:1:default-prompt-router/anthropic.claude:1"
    asked = "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-3-5-sonnet-20240620-v1:0"
    record = {"timestamp": AT, "requestId": "r", "modelId": router, "trace": {"promptRouter": {"invokedModelId": asked}},
              "usage": {"inputTokens": 10, "outputTokens": 5, "totalTokens": 15}}  # fmt: skip
    found = row(parse_records(tmp_path, "bedrock_converse", [record]))
    assert (found["request_model"], found["response_model"]) == (router, asked)


@pytest.mark.parametrize("is_stream", [False, True])
def test_the_answer_that_an_application_logged_is_the_invocation_that_holds_it(
    tmp_path: Path, *, is_stream: bool
) -> None:
    """Bedrock's log and the application's have no id of the request in common, only that of the answer."""
    message = {"id": "msg_bdrk_01AbCdEfGhIjKlMn", "type": "message", "model": "claude-sonnet-4-5", "usage": CLAUDE}
    pieces = [
        {"type": "message_start", "message": message},
        {"type": "message_stop", "amazon-bedrock-invocationMetrics": METRICS},
    ]
    invocation = logged(pieces if is_stream else message)
    files = [
        parse_records(tmp_path, "bedrock_invocation", [invocation], source="aws"),
        parse_records(tmp_path, "anthropic_messages", [{"timestamp": AT, **message}], source="app"),
    ]
    found = all_days(files)
    assert (found.requests.height, found.duplicates["rule"].to_list()) == (1, ["same_response"])
