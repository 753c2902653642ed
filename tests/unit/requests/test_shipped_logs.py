"""Answers of every provider as log services and shippers hand them out: each is the same request as without the wrapper."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.unit.requests.helpers import all_days, buckets, landed_bytes, parse_records, row, rows, sample
from tests.unit.requests.samples import AT, SAMPLES, SECRET

FORMATS = (
    "openai_chat",
    "openai_responses",
    "anthropic_messages",
    "gemini",
    "bedrock_converse",
    "openrouter",
    "llamacpp",
    "vllm",
    "bedrock_invocation",
    "litellm_payload",
    "ollama",
)
MILLIS, NANOS = 1770891630500, "1770891630500000000"
_PLACE = ("snapshot_id", "line_no", "item_no")
TIME = datetime(2026, 2, 12, 10, 20, 30, 500_000, tzinfo=UTC)


def otlp(value: object) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case dict():
            return {"kvlistValue": {"values": [{"key": key, "value": otlp(item)} for key, item in value.items()]}}
        case list():
            return {"arrayValue": {"values": [otlp(item) for item in value]}}
    return {"stringValue": value}


def logs(body: dict[str, Any]) -> dict[str, Any]:
    return {"resourceLogs": [{"resource": {}, "scopeLogs": [{"logRecords": [{"timeUnixNano": NANOS, "body": body}]}]}]}


WRAPPERS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "cloud_logging": lambda r: {"insertId": "1", "jsonPayload": r, "timestamp": AT, "logName": "projects/p/logs/stdout"},
    "cloud_logging_text": lambda r: {"insertId": "1", "textPayload": json.dumps(r), "timestamp": AT},
    "subscription": lambda r: {"messageType": "DATA_MESSAGE", "logEvents": [{"id": "1", "timestamp": MILLIS, "message": json.dumps(r)}]},
    "cloudwatch": lambda r: {"events": [{"timestamp": MILLIS, "message": json.dumps(r), "ingestionTime": MILLIS}]},
    "elasticsearch": lambda r: {"_index": "logs", "_id": "1", "_source": {"@timestamp": AT, "message": json.dumps(r)}},
    "splunk": lambda r: {"time": MILLIS / 1000, "host": "h", "sourcetype": "_json", "event": r},
    "datadog": lambda r: {"_id": "AZ", "date": AT, "service": "shop", "attributes": r},
    "loki": lambda r: {"streams": [{"stream": {"app": "shop"}, "values": [[NANOS, json.dumps(r)]]}]},
    "collector_text": lambda r: logs({"stringValue": json.dumps(r)}),
    "collector_object": lambda r: logs(otlp(r)),
    "logstash": lambda r: {"@timestamp": AT, "@version": "1", "message": json.dumps(r), "host": {"name": "h"}},
    "vector": lambda r: {"timestamp": AT, "source_type": "file", "message": json.dumps(r)},
    "journald": lambda r: {"__REALTIME_TIMESTAMP": str(MILLIS * 1000), "MESSAGE": json.dumps(r), "_SYSTEMD_UNIT": "a.service"},
}  # fmt: skip


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_wrapped_answer_is_the_same_request(format_name: str, tmp_path: Path) -> None:
    """In lines and in an array over many lines, as the services' tools print it; nothing of a prompt is kept."""
    record = sample(format_name)
    declared = next(item.declared for item in SAMPLES if item.format == format_name)
    plain = row(parse_records(tmp_path, format_name, [record], **declared))
    wrapped = [wrap(deepcopy(record)) for wrap in WRAPPERS.values()]
    array = landed_bytes(tmp_path, json.dumps(wrapped, indent=1).encode(), format_name, **declared)
    for parsed in (parse_records(tmp_path, format_name, wrapped, **declared), array):
        found = rows(parsed).to_dicts()
        for name, one in zip(WRAPPERS, found, strict=True):
            assert {**one, **dict.fromkeys(_PLACE)} == {**plain, **dict.fromkeys(_PLACE)}, name
        assert SECRET not in str(found)


def test_the_wrapper_dates_what_has_no_instant(tmp_path: Path) -> None:
    usage = {"input_tokens": 10, "output_tokens": 5}
    messages = [
        {"id": f"msg_{n}", "type": "message", "model": "claude-sonnet-4-5", "usage": usage}
        for n in range(len(WRAPPERS))
    ]
    wrapped = [wrap(message) for wrap, message in zip(WRAPPERS.values(), messages, strict=True)]
    found = rows(parse_records(tmp_path, "anthropic_messages", wrapped)).to_dicts()
    for name, one in zip(WRAPPERS, found, strict=True):
        assert (one["event_at"], buckets(one)) == (TIME, {"input_uncached": 10, "output_text": 5}), name


def test_all_records_of_a_batch_are_read_and_what_is_no_answer_is_named(tmp_path: Path) -> None:
    answers = [
        {"id": f"c{n}", "created": 1770891630, "model": "m", "usage": {"prompt_tokens": n, "completion_tokens": 1}}
        for n in (1, 2, 3)
    ]
    lines = [json.dumps(answer) for answer in answers]
    events = [
        {"id": str(n), "timestamp": MILLIS, "message": text}
        for n, text in enumerate([lines[0], "GET /health 200", lines[1]])
    ]
    streams = [{"stream": {}, "values": [[NANOS, lines[1]], [NANOS, lines[2]], [NANOS, "started"]]}]
    parsed = parse_records(tmp_path, "openai_chat", [{"logEvents": events}, {"streams": streams}])
    assert (parsed.valid, parsed.quarantine["reason"].to_list()) == (4, ["not_a_request"] * 2)
    assert sorted(all_days([parsed]).requests["input_uncached_tokens"]) == [1, 2, 3]


@pytest.mark.parametrize(
    "record",
    [
        {"id": "c1", "timestamp": AT, "level": "INFO", "model": "m", "usage": {"prompt_tokens": 7, "completion_tokens": 1}, "message": '{"usage": {"prompt_tokens": 9}}'},
        {"timestamp": AT, "service": "shop", "attributes": {"usage": {"prompt_tokens": 9}}, "response": {"id": "c1", "model": "m", "usage": {"prompt_tokens": 7, "completion_tokens": 1}}},
    ],
)  # fmt: skip
def test_an_answer_that_holds_something_like_a_wrapper_is_an_answer(record: dict[str, Any], tmp_path: Path) -> None:
    assert row(parse_records(tmp_path, "openai_chat", [record]))["input_uncached_tokens"] == 7


def test_a_declared_body_is_read_where_it_was_declared(tmp_path: Path) -> None:
    answer = {"id": "c1", "model": "m", "usage": {"prompt_tokens": 7, "completion_tokens": 1}}
    logged = {"insertId": "1", "timestamp": AT, "jsonPayload": {"team": "search", "made": answer}}
    declared = {"options": {"body": "jsonPayload/made"}, "attribution": {"team": "jsonPayload/team"}}
    found = row(parse_records(tmp_path, "openai_chat", [logged], **declared))
    assert (found["input_uncached_tokens"], found["team"]) == (7, "search")


USAGE = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
WRITTEN = {
    "inputTokens": 10,
    "outputTokens": 20,
    "totalTokens": 80,
    "cacheReadInputTokens": 0,
    "cacheWriteInputTokens": 50,
}
TEXTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("openai_chat", {"id": "c1", "model": "m", "usage": {"promptTokens": 100, "completionTokens": 20, "totalTokens": 120}}),
    ("openai_chat", {"id": "c1", "model": "m", "x_groq": {"usage": USAGE}}),
    ("openai_responses", {"id": "r1", "model": "m", "usage": {"input_tokens": 10, "output_tokens": 20}, "output": [{"type": "web_search_call"}]}),
    ("gemini", {"responseId": "g", "modelVersion": "m", "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15, "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 4}]}}),
    ("bedrock_converse", {"ResponseMetadata": {"RequestId": "q"}, "usage": {**WRITTEN, "cacheDetails": [{"ttl": "1h", "inputTokens": 50}]}}),
    ("anthropic_messages", {"id": "msg_1", "model": "claude-m", "usage": {"input_tokens": 5, "output_tokens": 6, "iterations": [{"type": "message", "input_tokens": 5, "output_tokens": 6}, {"type": "compaction", "input_tokens": 70, "output_tokens": 8}]}}),
)  # fmt: skip


@pytest.mark.parametrize(("format_name", "answer"), TEXTS)
@pytest.mark.parametrize("declared", [{}, {"options": {"body": "response"}}])
def test_an_answer_that_is_logged_as_text_is_the_same(
    format_name: str, answer: dict[str, Any], declared: dict[str, Any], tmp_path: Path
) -> None:
    """What lies deep in an answer counts as well: times to live, modalities, searches, calls within a message."""
    found = [
        rows(parse_records(tmp_path, format_name, [{"timestamp": AT, "modelId": "m", "response": held}], **declared))
        for held in (answer, json.dumps(answer))
    ]
    as_object, as_text = (frame.drop("snapshot_id").to_dicts() for frame in found)
    assert as_text == as_object
    assert {one["usage_basis"] for one in as_text} == {"reported"}


CHUNK = {"id": "c1", "object": "chat.completion.chunk", "model": "m"}
STREAMS: tuple[tuple[str, list[dict[str, Any]], dict[str, int]], ...] = (
    ("openai_chat", [{**CHUNK, "usage": None}, {**CHUNK, "usage": USAGE}], {"input_uncached": 100, "output_text": 20}),
    ("gemini", [{"responseId": "g", "modelVersion": "m", "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": n, "totalTokenCount": 10 + n}} for n in (1, 5)], {"input_uncached": 10, "output_text": 5}),
    ("anthropic_messages", [{"type": "message_start", "message": {"id": "msg_1", "model": "claude-m", "usage": {"input_tokens": 10, "output_tokens": 1}}}, {"type": "message_delta", "usage": {"output_tokens": 20}}], {"input_uncached": 10, "output_text": 20}),
    ("openai_responses", [{"type": "response.created", "response": {"id": "r", "model": "m", "usage": None}}, {"type": "response.completed", "response": {"id": "r", "model": "m", "usage": {"input_tokens": 3, "output_tokens": 2}}}], {"input_uncached": 3, "output_text": 2}),
)  # fmt: skip


@pytest.mark.parametrize(("format_name", "events", "expected"), STREAMS)
def test_a_stream_that_is_logged_as_a_list_is_one_request(
    format_name: str, events: list[dict[str, Any]], expected: dict[str, int], tmp_path: Path
) -> None:
    parsed = parse_records(tmp_path, format_name, [{"timestamp": AT, "request_model": "m", "body": events}])
    (found,) = all_days([parsed]).requests.to_dicts()
    assert (buckets(found), found["usage_basis"]) == (expected, "reported")
