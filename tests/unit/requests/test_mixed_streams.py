"""Events of Anthropic's streams among the answers of other APIs, as gateways and local servers log them, and events in a declared envelope."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from pipelines.records import line_chunks
from tests.unit.requests.helpers import all_days, buckets, parse_records
from tests.unit.requests.test_streams import delta, start

FORMATS = ("openai_chat", "openai_responses", "openrouter", "vllm", "ollama", "llamacpp")
WHOLE = {"input_uncached": 1000, "output_text": 700}
CALL = "req_011CSabcdefgh"
ANSWER = {
    "id": "resp_1", "object": "response", "created_at": 1770891630, "model": "gpt-5", "status": "completed",
    "usage": {"input_tokens": 100, "input_tokens_details": {"cached_tokens": 40}, "output_tokens": 20, "total_tokens": 120},
}  # fmt: skip


def counted(parsed: list[Any]) -> list[tuple[str, str, dict[str, int]]]:
    found = all_days(parsed).requests.to_dicts()
    return [(row["usage_basis"], row["token_semantics"], buckets(row)) for row in found]


@pytest.mark.parametrize("name", FORMATS)
def test_a_stream_is_one_call_whatever_was_logged_around_it(tmp_path: Path, name: str) -> None:
    """llama.cpp's and that of a log of the responses API was a call of 1 token of output, and one of unknown input."""
    parsed = parse_records(tmp_path, name, [start("msg_R", 1000), delta(700)])
    assert counted([parsed]) == [("reported", "anthropic_exclusive", WHOLE)]


@pytest.mark.parametrize("name", FORMATS)
def test_a_stream_that_was_cut_by_rotation_too(tmp_path: Path, name: str) -> None:
    """The id of its call in the envelope of the end passed for the answer's own."""
    halves = [
        parse_records(tmp_path, name, [event], name=f"{number}-")
        for number, event in enumerate([start("msg_R", 1000, request_id=CALL), delta(700, request_id=CALL)])
    ]
    assert counted(halves) == [("reported", "anthropic_exclusive", WHOLE)]


@pytest.mark.parametrize("name", ["openai_chat", "openai_responses"])
def test_streams_go_on_behind_the_end_of_a_chunk(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cast("Any", line_chunks.chunks).__kwdefaults__, "chunk_bytes", 256)
    events = [event for number in range(40) for event in (start(f"msg_{number}", 1000), delta(700))]
    assert counted([parse_records(tmp_path, name, events)]) == [("reported", "anthropic_exclusive", WHOLE)] * 40


@pytest.mark.parametrize("name", ["openai_responses", "openai_chat", "openrouter"])
def test_events_of_the_responses_api_in_a_declared_envelope(tmp_path: Path, name: str) -> None:
    """Their answers lie one deeper than the declared place: all were set aside as none, without a warning."""
    begun = {**ANSWER, "status": "in_progress", "usage": None}
    events = [("response.created", begun), ("response.completed", ANSWER)]
    lines = [{"ts": "2026-02-12T10:20:30Z", "event": {"type": kind, "response": held}} for kind, held in events]
    parsed = parse_records(tmp_path, name, lines, options={"body": "event"})
    assert counted([parsed]) == [
        ("reported", "openai_inclusive", {"input_uncached": 60, "input_cache_read": 40, "output_text": 20})
    ]
