"""Where an answer may lie, a log may keep what the model said: the words are no fault of the record, and no answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.requests.helpers import buckets, landed_bytes, parse_records, row, rows, the_fault

AT = "2026-02-12T10:20:30Z"
CHAT = {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30}
LOGGED: dict[str, dict[str, Any]] = {
    "openai_chat": {"usage": CHAT},
    "vllm": {"usage": CHAT},
    "llamacpp": {"usage": CHAT},
    "tgi": {"usage": CHAT},
    "ollama": {"usage": CHAT},
    "openai_responses": {"usage": {"input_tokens": 10, "output_tokens": 20, "total_tokens": 30}},
    "anthropic_messages": {"usage": {"input_tokens": 10, "output_tokens": 20}},
    "bedrock_converse": {"usage": {"inputTokens": 10, "outputTokens": 20, "totalTokens": 30}},
    "gemini": {"usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 20, "totalTokenCount": 30}},
}
WORDS = ["Good day.", "", "[1, 2]", '{"id": 5, "model": "a lamp"}', '{"id": 5, ', ' \n{"id": 5}', ["Good day."], 7]


@pytest.mark.parametrize("name", ["response", "body"])
@pytest.mark.parametrize("format_name", LOGGED)
def test_what_a_model_said_is_not_read_as_its_answer(tmp_path: Path, format_name: str, name: str) -> None:
    own = {"timestamp": AT, "model": "some-model-1", **LOGGED[format_name]}
    parsed = parse_records(tmp_path, format_name, [{**own, name: words, "session_id": str(words)} for words in WORDS])
    assert (parsed.valid, parsed.quarantined) == (len(WORDS), 0)
    for found in rows(parsed).to_dicts():
        assert buckets(found) == {"input_uncached": 10, "output_text": 20}
        assert (found["source_request_id"], found["request_model"]) == (None, "some-model-1")


@pytest.mark.slow
def test_many_lines_and_a_table_say_the_same(tmp_path: Path) -> None:
    many = [
        {"timestamp": AT, "id": f"chatcmpl-{n:024d}", "usage": CHAT, "response": WORDS[n % len(WORDS)]}
        for n in range(2000)
    ]
    parsed = parse_records(tmp_path, "openai_chat", many)
    assert (parsed.valid, rows(parsed)["source_request_id"].n_unique()) == (2000, 2000)
    cell = json.dumps(CHAT).replace('"', '""')
    lines = [f'{AT},"{cell}","{str(words).replace(chr(34), chr(34) * 2)}"' for words in WORDS]
    table = "\n".join(("timestamp,usage,response", *lines)).encode()
    found = rows(landed_bytes(tmp_path, table, "openai_chat", "a.csv"))
    assert (found.height, set(found["source_request_id"]), set(found["input_uncached_tokens"])) == (
        len(WORDS),
        {None},
        {10},
    )


def test_an_answer_that_was_written_as_text_still_counts(tmp_path: Path) -> None:
    answer = json.dumps({"id": "chatcmpl-CzPqJ4V8mHk2QxT7", "model": "gpt-5", "usage": CHAT})
    found = row(parse_records(tmp_path, "openai_chat", [{"timestamp": AT, "usage": CHAT, "response": answer}]))
    assert (found["source_request_id"], found["request_model"]) == ("chatcmpl-CzPqJ4V8mHk2QxT7", "gpt-5")


def test_an_answer_that_was_cut_is_a_fault_where_nothing_else_counts(tmp_path: Path) -> None:
    cut = {"timestamp": AT, "model": "gpt-5", "response": '{"id": "chatcmpl-CzPqJ4V8mHk2QxT7", "usa'}
    assert the_fault(parse_records(tmp_path, "openai_chat", [cut]))["reason"] == "not_json"


@pytest.mark.parametrize("format_name", ["openai_chat", "anthropic_messages", "gemini"])
def test_an_error_in_words_is_a_call_that_failed(tmp_path: Path, format_name: str) -> None:
    records = [{"timestamp": AT, "id": "msg_01XFDUDYJgAACzvnptvVoYEL", "model": "m", "error": "slow down"}]
    found = row(parse_records(tmp_path, format_name, records))
    assert (found["status"], found["is_billable"]) == ("error", False)


@pytest.mark.parametrize(
    "instant", [{"time": 1770891630000}, {"ts": 1770891630.5}, {"@timestamp": AT}, {"datetime": AT}]
)
def test_the_instant_of_a_loggers_line_counts_where_nothing_else_states_one(
    tmp_path: Path, instant: dict[str, Any]
) -> None:
    message = {
        "id": "msg_01XFDUDYJgAACzvnptvVoYEL",
        "model": "claude-sonnet-4-5",
        "usage": {"input_tokens": 10, "output_tokens": 20},
    }
    found = row(parse_records(tmp_path, "anthropic_messages", [{"level": "info", **instant, "response": message}]))
    assert found["event_at"].isoformat().startswith("2026-02-12T10:20:30")


def test_an_error_in_place_of_an_answer_is_a_call_that_failed(tmp_path: Path) -> None:
    answer = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "req_1"}
    found = row(parse_records(tmp_path, "anthropic_messages", [{"timestamp": AT, "model": "m", "response": answer}]))
    assert (found["status"], found["is_billable"]) == ("error", False)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("slow down", "error"),
        (True, "error"),
        (["slow down"], "error"),
        (503, "error"),
        ({"type": "overloaded"}, "error"),
    ]
    + [(nothing, "ok") for nothing in ("", "null", "None", "false", False, [], 0, None)],
)
def test_an_error_of_any_shape_is_one_or_none(tmp_path: Path, error: object, status: str) -> None:
    record = {"timestamp": AT, "id": "chatcmpl-CzPqJ4V8mHk2QxT7", "usage": CHAT, "error": error}
    assert row(parse_records(tmp_path, "openai_chat", [record]))["status"] == status


@pytest.mark.parametrize(
    ("said", "status"), [("OK", "ok"), ("ERROR", "error"), ({"code": "STATUS_CODE_ERROR"}, "error"), ("", "ok")]
)
def test_a_span_whose_status_is_a_word_is_read(tmp_path: Path, said: object, status: str) -> None:
    usage = {"gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 20, "gen_ai.request.model": "gpt-5"}
    span = {
        "trace_id": "5b8efff798038103d269b633813fc60c",
        "span_id": "eee19b7ec3c1b174",
        "start_time": AT,
        "status": said,
    }
    assert row(parse_records(tmp_path, "otel_genai", [{**span, "attributes": usage}]))["status"] == status


@pytest.mark.parametrize("said", WORDS)
@pytest.mark.parametrize("format_name", ["litellm_payload", "litellm_spend_logs"])
def test_what_litellms_proxy_keeps_of_an_answer_may_be_words(tmp_path: Path, format_name: str, said: object) -> None:
    counts = {"model": "gpt-5", "custom_llm_provider": "openai", "status": "success", **CHAT}
    named = {
        "id": "chatcmpl-1a",
        "request_id": "chatcmpl-1a",
        "call_type": "acompletion",
        "startTime": AT,
        "endTime": AT,
    }
    found = row(parse_records(tmp_path, format_name, [{**named, **counts, "response": said}]))
    assert buckets(found) == {"input_uncached": 10, "output_text": 20}
