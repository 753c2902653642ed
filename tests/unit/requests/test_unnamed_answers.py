"""Answers that bear no id of their own: pieces of Gemini's streams without a `responseId`, and what subagents of Claude Code report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.requests.helpers import all_days, buckets, landed_bytes, parse_records
from tests.unit.requests.samples import AT


def piece(prompt: int, output: int, reason: str | None = None, **more: Any) -> dict[str, Any]:
    usage = {"promptTokenCount": prompt, "candidatesTokenCount": output, "totalTokenCount": prompt + output}
    candidate = {"content": {"parts": []}} | ({"finishReason": reason} if reason else {})
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "gemini-2.0-flash", **more}


STREAM = [piece(100, 5), piece(100, 12), piece(100, 20, "STOP")]


@pytest.mark.parametrize("kept", ["lines", "list", "events", "text", "document"])
def test_pieces_of_a_stream_without_a_name_are_one_request(tmp_path: Path, kept: str) -> None:
    events = "".join(f"data: {json.dumps(item)}\n\n" for item in STREAM)
    content = {
        "lines": "\n".join(json.dumps(item | {"timestamp": AT}) for item in STREAM),
        "list": json.dumps({"timestamp": AT, "response": STREAM}),
        "events": events,
        "text": json.dumps({"timestamp": AT, "response": events}),
        "document": json.dumps(STREAM, indent=1),
    }[kept]
    parsed = landed_bytes(tmp_path, content.encode(), "gemini", options={"undated": "arrival"})
    found = all_days([parsed])
    assert [buckets(request) for request in found.requests.to_dicts()] == [{"input_uncached": 100, "output_text": 20}]
    assert set(found.duplicates["rule"]) == {"stream_delta"}
    assert found.requests["source_request_id"].to_list() == [None]


def test_streams_at_the_same_time_and_whole_answers_stay_apart(tmp_path: Path) -> None:
    lines = [piece(100, 5), piece(200, 6), piece(100, 3, "STOP"), piece(300, 7, "STOP"), piece(100, 25, "STOP")]
    lines += [piece(200, 26, "STOP"), piece(100, 8), piece(100, 8, "STOP"), piece(100, 5), piece(100, 9, "STOP")]
    lines += [piece(400, 9), piece(400, 2, "STOP")]  # one that was cut, and a shorter answer to the same prompt
    found = all_days([parse_records(tmp_path, "gemini", [line | {"timestamp": AT} for line in lines])]).requests
    counted = sorted((request["input_uncached"], request["output_text"]) for request in map(buckets, found.to_dicts()))
    assert counted == [(100, 3), (100, 8), (100, 9), (100, 25), (200, 26), (300, 7), (400, 2), (400, 9)]


def test_ids_in_the_envelope_part_streams_of_the_same_prompt(tmp_path: Path) -> None:
    lines = [piece(100, number, reason, timestamp=AT, request_id=name) for number, reason, name in (
        (5, None, "a"), (6, None, "b"), (20, "STOP", "a"), (30, "STOP", "b"),
    )]  # fmt: skip
    found = all_days([parse_records(tmp_path, "gemini", lines)]).requests
    assert sorted(found["output_text_tokens"]) == [20, 30]


def test_an_answer_that_a_progress_line_reports_counts_once(tmp_path: Path) -> None:
    usage = {"input_tokens": 5, "output_tokens": 50, "cache_read_input_tokens": 100}
    message = {"id": "msg_01S", "type": "message", "role": "assistant", "model": "claude-haiku-4-5", "usage": usage}
    line = {"type": "assistant", "timestamp": AT, "requestId": "req_1", "uuid": "u", "message": message}
    data = {"type": "agent_progress", "agentId": "a1", "message": line}
    progress = {"type": "progress", "timestamp": AT, "sessionId": "s", "data": data}
    other = {"type": "progress", "timestamp": AT, "sessionId": "s", "data": {"type": "bash_progress", "output": "x"}}
    main = parse_records(tmp_path, "claude_code", [progress, other])
    [request] = all_days([main]).requests.to_dicts()
    assert buckets(request) == {"input_uncached": 5, "input_cache_read": 100, "output_text": 50}
    assert (request["session_id"], json.loads(request["tags"])) == ("s", {"agent": "a1", "sidechain": "true"})
    own = parse_records(tmp_path, "claude_code", [{**line, "sessionId": "s", "agentId": "a1", "isSidechain": True}])
    assert all_days([main, own]).requests.height == 1


def test_an_embedding_whose_tokens_google_does_not_state_is_a_call_of_unknown_usage(tmp_path: Path) -> None:
    line = {"timestamp": AT, "model": "gemini-embedding-001", "embedding": {"values": [0.1]}}
    [request] = all_days([parse_records(tmp_path, "gemini", [line])]).requests.to_dicts()
    assert (request["operation"], request["usage_basis"]) == ("embeddings", "missing")


def test_the_date_header_dates_an_answer_of_converse_that_nothing_else_dates(tmp_path: Path) -> None:
    headers = {"date": "Thu, 12 Feb 2026 10:00:00 GMT"}
    answer = {"modelId": "m", "ResponseMetadata": {"RequestId": "r-1234567890", "HTTPHeaders": headers}}
    usage = {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}
    [request] = all_days([parse_records(tmp_path, "bedrock_converse", [answer | {"usage": usage}])]).requests.to_dicts()
    assert f"{request['event_at']:%m-%d %H}" == "02-12 10"
