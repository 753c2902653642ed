"""What batches put out, and answers that are charged by another kind of token: embeddings, images, speech, a guard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.requests.helpers import all_days, buckets, landed_bytes, parse_records, row, rows, the_fault

UNDATED: dict[str, Any] = {"options": {"undated": "arrival"}}
AT = "2026-02-12T10:20:30Z"
CREATED = 1770891630


def counted(*parsed: Any) -> list[dict[str, int]]:
    return [buckets(found) for found in all_days(parsed).requests.sort("line_no").to_dicts()]


def test_lines_of_a_batch_that_say_the_same_are_calls_of_their_own(tmp_path: Path) -> None:
    """Embeddings have no id: the key of Gemini's lines, the line itself of Vertex AI's tell two of one length apart."""
    counts = {"promptTokenCount": 7, "totalTokenCount": 7}
    gemini = [{"key": f"r{n}", "response": {"embedding": {"values": [0.1]}, "usageMetadata": counts}} for n in range(3)]
    declared = {**UNDATED, "defaults": {"model": "gemini-embedding-001"}}
    parsed = parse_records(tmp_path, "gemini", gemini, **declared)
    assert counted(parsed) == [{"input_uncached": 7}] * 3
    assert rows(parsed)["tags"].to_list() == [f'{{"custom_id":"r{n}"}}' for n in range(3)]
    stated = [{"key": f"r{n}", "response": {"embedding": {"values": [0.1]}, "tokenCount": 7}} for n in range(2)]
    assert counted(parse_records(tmp_path, "gemini", stated, **declared)) == [{"input_uncached": 7}] * 2
    vertex = {"instance": {}, "predictions": [{"embeddings": {"statistics": {"token_count": 7}}}], "status": ""}
    assert counted(parse_records(tmp_path, "gemini", [vertex] * 3, **declared)) == [{"input_uncached": 7}] * 3


def test_a_record_without_an_instant_counts_by_its_line_and_once_in_two_copies_of_a_file(tmp_path: Path) -> None:
    content = b"model,prompt_tokens,completion_tokens\n" + b"gpt-5,10,5\n" * 4
    files = [landed_bytes(tmp_path, content, "openai_chat", name, **UNDATED) for name in ("a.csv", "b.csv")]
    assert counted(*files) == [{"input_uncached": 10, "output_text": 5}] * 4
    dated = [{"timestamp": AT, "model": "gpt-5", "usage": {"prompt_tokens": 10, "completion_tokens": 5}}] * 3
    assert len(counted(parse_records(tmp_path, "openai_chat", dated, **UNDATED))) == 1


def test_a_status_object_of_geminis_batch_is_a_call_that_failed(tmp_path: Path) -> None:
    found = row(parse_records(tmp_path, "gemini", [{"key": "r", "status": {"code": 3, "message": "bad"}}], **UNDATED))
    assert (found["status"], found["is_billable"]) == ("error", False)


@pytest.mark.parametrize("name", ["anthropic_messages", "openai_chat", "openai_responses"])
def test_claudes_batch_results_are_the_tier_batch(name: str, tmp_path: Path) -> None:
    usage = {"input_tokens": 10, "output_tokens": 5}
    message = {"id": "msg_01A", "type": "message", "role": "assistant", "model": "claude-opus-4-6", "usage": usage}
    batch = {**message, "usage": {**usage, "service_tier": "batch"}}
    result = {"custom_id": "r", "result": {"type": "succeeded", "message": batch}}
    of_vertex = {"custom_id": "r", "request": {}, "status": "", "response": {**message, "id": "msg_vrtx_01A"}}
    for record in (result, of_vertex):
        found = row(parse_records(tmp_path, name, [record], **UNDATED))
        assert (buckets(found), found["service_tier"]) == ({"input_uncached": 10, "output_text": 5}, "batch")


def test_a_logged_answer_of_claude_is_no_batch_because_its_envelope_has_an_id(tmp_path: Path) -> None:
    usage = {"input_tokens": 10, "output_tokens": 5}
    message = {"id": "msg_01A", "type": "message", "role": "assistant", "model": "claude-opus-4-6", "usage": usage}
    logged = {"timestamp": AT, "custom_id": "tenant-7", "response": message}
    assert row(parse_records(tmp_path, "anthropic_messages", [logged]))["service_tier"] == "standard"
    of_gateway = {"custom_id": "r", "response": {"status_code": 200, "body": message}}
    assert row(parse_records(tmp_path, "anthropic_messages", [of_gateway], **UNDATED))["service_tier"] == "batch"


@pytest.mark.parametrize("name", ["openai_chat", "openai_responses"])
def test_the_object_of_a_batch_adds_up_its_calls_and_a_line_that_expired_failed(name: str, tmp_path: Path) -> None:
    usage = {"input_tokens": 1500, "output_tokens": 500, "total_tokens": 2000}
    batch = {"id": "batch_a", "object": "batch", "created_at": CREATED, "model": "gpt-5", "usage": usage}
    assert the_fault(parse_records(tmp_path, name, [batch]))["reason"] == "not_a_request"
    expired = {"id": "batch_req_1", "custom_id": "r", "response": None, "error": {"code": "batch_expired"}}
    found = row(parse_records(tmp_path, name, [expired], **UNDATED))
    assert (found["status"], found["is_billable"]) == ("error", False)


def test_tokens_of_another_kind_are_charged_as_such(tmp_path: Path) -> None:
    def of(name: str, record: dict[str, Any], **declared: Any) -> dict[str, int]:
        return buckets(row(parse_records(tmp_path, name, [{"timestamp": AT, **record}], **declared)))

    for billed, expected in (
        ({"images": 1, "image_tokens": 1200, "input_tokens": 5}, {"input_uncached": 5, "input_image": 1200}),
        ({"images": 1, "image_tokens": 1200}, {"input_image": 1200}),
    ):
        embedded = {"id": "5f4a5f4a-0000-4000-8000-000000000001", "model": "embed-v4.0"}
        assert of("openai_chat", {**embedded, "meta": {"billed_units": billed}}) == expected
    guarded = {"prompt_tokens": 80, "completion_tokens": 20, "guardrails_tokens": 50, "total_tokens": 150}
    expected = {"input_uncached": 80, "input_tool": 50, "output_text": 20}
    assert of("openai_chat", {"model": "mistral-large2", "usage": guarded}) == expected
    # Snowflake states a guard of 0 too, next to reasoning that its output holds.
    thought = {"prompt_tokens": 80, "completion_tokens": 20, "guardrails_tokens": 0, "total_tokens": 100}
    thought["completion_tokens_details"] = {"reasoning_tokens": 15}  # type: ignore[assignment]
    expected = {"input_uncached": 80, "output_text": 5, "output_reasoning": 15}
    assert of("openai_chat", {"model": "openai-gpt-5", "usage": thought}) == expected
    drawn = {"input_tokens": 50, "output_tokens": 4200, "total_tokens": 4250}
    expected = {"input_uncached": 50, "output_image": 4200}
    assert of("openai_chat", {"created": CREATED, "model": "gpt-image-1", "usage": drawn}) == expected
    spoken = {"type": "speech.audio.done", "usage": {"input_tokens": 14, "output_tokens": 101, "total_tokens": 115}}
    expected = {"input_uncached": 14, "output_audio": 101}
    assert of("openai_responses", spoken, defaults={"model": "gpt-4o-mini-tts"}) == expected
