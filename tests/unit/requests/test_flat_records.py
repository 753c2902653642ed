"""Calls without a usage object: tables with a column for each count, messages that LangChain dumped, runs of LangSmith."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.requests.helpers import all_days, buckets, landed_bytes, parse_records, row, rows
from tests.unit.requests.samples import AT

USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 10,
    "total_tokens": 110,
    "prompt_tokens_details": {"cached_tokens": 64},
}
COUNTED = {"input_tokens": 100, "output_tokens": 10, "total_tokens": 110, "input_token_details": {"cache_read": 64}}
FOUND = {"input_uncached": 36, "input_cache_read": 64, "output_text": 10}
OPENAIS = ("openai_chat", "openai_responses")


@pytest.mark.parametrize("format_name", OPENAIS)
@pytest.mark.parametrize(
    "names",
    [
        ("prompt_tokens", "completion_tokens", "cached_tokens"),
        ("input_tokens", "output_tokens", "cached_input_tokens"),
        ("usage.prompt_tokens", "usage.completion_tokens", "usage.prompt_tokens_details.cached_tokens"),
        ("usage_prompt_tokens", "usage_completion_tokens", "usage_prompt_tokens_details_cached_tokens"),
        ("inputTokens", "outputTokens", "cachedInputTokens"),
    ],
)
@pytest.mark.parametrize("kind", ["lines", "table"])
def test_counts_without_a_usage_object(tmp_path: Path, format_name: str, names: tuple[str, ...], kind: str) -> None:
    record = {"start_time": AT, "model": "gpt-4o"} | dict(zip(names, (100, 10, 64), strict=True))
    table = f"{','.join(record)}\n{','.join(map(str, record.values()))}\n"
    content = json.dumps(record) if kind == "lines" else table
    found = row(landed_bytes(tmp_path, content.encode(), format_name))
    assert (buckets(found), found["request_model"]) == (FOUND, "gpt-4o")


def test_counts_of_claude_without_a_usage_object_leave_the_cache_out(tmp_path: Path) -> None:
    counts = {"input_tokens": 100, "output_tokens": 10, "cache_read_input_tokens": 50}
    line = {"timestamp": AT, "model": "claude-sonnet-4-5"} | counts
    found = row(parse_records(tmp_path, "anthropic_messages", [line]))
    assert buckets(found) == {"input_uncached": 100, "input_cache_read": 50, "output_text": 10}


def test_an_answer_s_own_counts_go_before_those_next_to_it(tmp_path: Path) -> None:
    answer = {"id": "chatcmpl-AbCdEfGhIjKlMnOpQrStUvWx", "object": "chat.completion", "model": "gpt-4o", "usage": USAGE}
    line = {"timestamp": AT, "prompt_tokens": 1, "completion_tokens": 1, "response": answer}
    assert buckets(row(parse_records(tmp_path, "openai_chat", [line]))) == FOUND


def message(**metadata: Any) -> dict[str, Any]:
    return {"type": "ai", "id": "run--1", "content": "x", "response_metadata": {"model_name": "gpt-4o", **metadata}}


@pytest.mark.parametrize(
    "dumped",
    [
        message(token_usage=USAGE),
        message() | {"usage_metadata": COUNTED},
        message(token_usage=USAGE) | {"usage_metadata": COUNTED | {"input_tokens": 1}},
        {"lc": 1, "type": "constructor", "id": ["langchain", "AIMessage"], "kwargs": message(token_usage=USAGE)},
        {"type": "ai", "data": message() | {"usage_metadata": COUNTED}},
    ],
)
@pytest.mark.parametrize("place", ["", "response", "messages"])
def test_a_message_that_langchain_dumped(tmp_path: Path, dumped: dict[str, Any], place: str) -> None:
    asked = {"type": "human", "id": "h", "content": "x", "response_metadata": {}}
    held = {"": dumped, "response": {"response": dumped}, "messages": {"messages": [asked, dumped]}}[place]
    found = row(parse_records(tmp_path, "openai_chat", [{**held, "timestamp": AT}]))
    assert (buckets(found), found["request_model"], found["source_request_id"]) == (FOUND, "gpt-4o", "run--1")


def test_a_conversation_that_is_dumped_again_and_again_counts_each_answer_once(tmp_path: Path) -> None:
    first, second = message(token_usage=USAGE), message(token_usage=USAGE) | {"id": "run--2"}
    lines = [{"timestamp": AT, "messages": [first]}, {"timestamp": AT, "messages": [first, second]}]
    assert all_days([parse_records(tmp_path, "openai_chat", lines)]).requests.height == 2


@pytest.mark.parametrize("raw", [True, False])
def test_langchain_s_counts_of_claude_hold_the_cache(tmp_path: Path, *, raw: bool) -> None:
    own = {"input_tokens": 5, "output_tokens": 10, "cache_read_input_tokens": 500, "cache_creation_input_tokens": 100}
    details = {"cache_read": 500, "cache_creation": 0, "ephemeral_5m_input_tokens": 100}
    counted = {"input_tokens": 605, "output_tokens": 10, "total_tokens": 615, "input_token_details": details}
    dumped = message(id="msg_01ABC", **({"usage": own} if raw else {})) | {"usage_metadata": counted}
    expected = {"input_uncached": 5, "input_cache_read": 500, "output_text": 10}
    written = {"input_cache_write": 100} if raw else {"input_cache_write_5m": 100}
    found = row(parse_records(tmp_path, "anthropic_messages", [{**dumped, "timestamp": AT}]))
    assert buckets(found) == expected | written
    chat = row(parse_records(tmp_path, "openai_chat", [{**dumped, "timestamp": AT}]))
    assert buckets(chat) == expected | {"input_cache_write": 100}


def test_of_langsmith_s_runs_calls_count_and_those_around_them_do_not(tmp_path: Path) -> None:
    flat = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    shared = {"start_time": AT, "trace_id": "t", "extra": {"metadata": {"ls_model_name": "gpt-4o"}}}
    generations = {"generations": [[{"message": message() | {"usage_metadata": COUNTED}}]]}
    runs = [
        {"id": "a", "run_type": "chain", **shared, **flat},
        {"id": "b", "run_type": "llm", **shared, **flat, "prompt_token_details": {"cache_read": 64}},
        {"id": "c", "run_type": "llm", **shared, "outputs": generations},
        {"id": "d", "run_type": "llm", **shared, "error": "refused"},
    ]
    parsed = parse_records(tmp_path, "openai_chat", runs)
    found = rows(parsed).sort("source_request_id").to_dicts()
    assert [(item["source_request_id"], item["status"], buckets(item)) for item in found] == [
        ("b", "ok", FOUND), ("d", "error", {}), ("run--1", "ok", FOUND),
    ]  # fmt: skip
    assert parsed.quarantine["reason"].to_list() == ["not_a_request"]
    table = f"start_time,run_type,model,prompt_tokens,completion_tokens\n{AT},llm,m,1,2\n{AT},chain,m,1,2\n"
    for format_name in (*OPENAIS, "anthropic_messages"):
        assert rows(landed_bytes(tmp_path, table.encode(), format_name, "a.csv")).height == 1
        assert parse_records(tmp_path, format_name, runs[:1]).valid == 0


def test_an_answer_that_only_counts_tokens_is_no_call(tmp_path: Path) -> None:
    for format_name, record in (
        ("anthropic_messages", {"input_tokens": 2095}),
        ("openai_responses", {"object": "response.input_tokens", "input_tokens": 11}),
    ):
        parsed = parse_records(tmp_path, format_name, [{"timestamp": AT, **record}])
        assert (parsed.valid, parsed.quarantine["reason"].to_list()) == (0, ["not_a_request"])


@pytest.mark.parametrize(
    ("counts", "model", "rule"),
    [
        ({"total_tokens": 640, "prompt_tokens_details": {"cached_tokens": 500}}, "gpt-5", "additive"),
        ({}, "grok-4", "openai_reasoning_apart"),
    ],
)
def test_counts_that_stand_each_for_itself(tmp_path: Path, counts: dict[str, Any], model: str, rule: str) -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "completion_tokens_details": {"reasoning_tokens": 30}}
    answer = {"id": "chatcmpl-AbCdEfGhIjKlMnOpQrStUvWx", "model": model, "usage": usage | counts}
    found = row(parse_records(tmp_path, "openai_chat", [{"timestamp": AT, **answer}]))
    expected = {"input_uncached": 100, "output_text": 10, "output_reasoning": 30}
    assert found["token_semantics"] == rule
    assert buckets(found) == expected | ({"input_cache_read": 500} if rule == "additive" else {})
