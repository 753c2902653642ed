"""Streams: which of their records counts, whose usage it is, and what a stream that was cut leaves unknown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.requests.helpers import all_days, parse_records, row
from tests.unit.requests.samples import SAMPLES

_ENVELOPED = (
    "anthropic_messages", "openai_chat", "openai_responses", "gemini", "vllm", "openrouter", "ollama", "tgi", "llamacpp",
    "bedrock_converse",
)  # fmt: skip
_OTHERS = ("bedrock_invocation", "azure_apim", "langfuse", "helicone", "litellm_payload", "litellm_spend_logs")
_MODELS = ("model", "modelVersion", "modelId", "model_group", "DeploymentName", "ModelName", "properties")


@pytest.mark.parametrize(
    ("format_name", "name"),
    [(name, stated) for name in _ENVELOPED for stated in ("request_model", "model")] + [(name, "request_model") for name in _OTHERS],
)  # fmt: skip
def test_the_envelope_names_a_model_that_the_answer_does_not(tmp_path: Path, format_name: str, name: str) -> None:
    sample = next(sample for sample in SAMPLES if sample.format == format_name)
    record: dict[str, Any] = {key: value for key, value in sample.record.items() if key not in _MODELS}
    found = row(parse_records(tmp_path, format_name, [{**record, name: "the-model"}], **sample.declared))
    assert found["request_model"] == "the-model"


def start(name: str, tokens: int, **envelope: object) -> dict[str, Any]:
    message = {"id": name, "model": "claude-sonnet-4-5", "usage": {"input_tokens": tokens, "output_tokens": 1}}
    return {"timestamp": "2026-02-12T08:00:00Z", **envelope, "type": "message_start", "message": message}


def delta(tokens: int, stop: str | None = "end_turn", **usage_or_ids: Any) -> dict[str, Any]:
    ids = {name: value for name, value in usage_or_ids.items() if name.endswith("id")}
    usage = {name: value for name, value in usage_or_ids.items() if name not in ids}
    event = {"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": tokens, **usage}}
    return {"timestamp": "2026-02-12T08:00:09Z", **ids, **event}


def stated(folder: Path, events: list[dict[str, Any]], **declared: Any) -> set[tuple[str | None, str, int, int]]:
    """Of each request: its id, how much of its usage is known, input and output."""
    found = all_days([parse_records(folder, "anthropic_messages", events, **declared)]).requests
    columns = ("source_request_id", "usage_basis", "input_uncached_tokens", "output_text_tokens")
    return set(found.select(columns).iter_rows())


def test_streams_one_after_the_other_need_no_ids(tmp_path: Path) -> None:
    events = [start("a", 10), delta(5, None), delta(7), start("b", 20), delta(9)]
    assert stated(tmp_path, events) == {("a", "reported", 10, 7), ("b", "reported", 20, 9)}


def test_a_stream_that_was_cut_is_known_in_part(tmp_path: Path) -> None:
    assert stated(tmp_path, [start("a", 10)]) == {("a", "partial", 10, 0)}


def test_an_id_of_the_envelope_or_the_message_finds_the_start(tmp_path: Path) -> None:
    events = [start("a", 10), start("b", 10), start("c", 30, request_id="r"), delta(7, message_id="a")]
    events += [delta(9, request_id="r"), delta(8, message_id="b")]
    assert stated(tmp_path, events) == {("a", "reported", 10, 7), ("b", "reported", 10, 8), ("c", "reported", 30, 9)}


def test_a_delta_of_another_call_is_not_taken_for_the_open_ones(tmp_path: Path) -> None:
    events = [start("a", 10, request_id="ra"), delta(7, request_id="rb")]
    assert stated(tmp_path, events) == {("a", "partial", 10, 0), (None, "partial", 0, 7)}


@pytest.mark.parametrize("usage", [{}, {"input_tokens": 10}])
def test_a_delta_that_fits_several_open_streams_is_nobodys(tmp_path: Path, usage: dict[str, int]) -> None:
    events = [start("a", 10), start("b", 10), delta(7, **usage)]
    basis, tokens = ("reported", 10) if usage else ("partial", 0)
    assert stated(tmp_path, events) == {("a", "partial", 10, 0), ("b", "partial", 10, 0), (None, basis, tokens, 7)}


@pytest.mark.parametrize("body", ["event", "event/message", "log/event"])
def test_events_are_found_in_an_envelope(tmp_path: Path, body: str) -> None:
    events: list[dict[str, Any]] = [
        start("a", 10),
        start("b", 20),
        delta(7, input_tokens=10),
        delta(9, input_tokens=20),
    ]
    for name in reversed(body.removesuffix("/message").split("/")):
        events = [{"timestamp": "2026-02-12T08:00:00Z", name: event} for event in events]
    found = stated(tmp_path, events, options={"body": body})
    assert found == {("a", "reported", 10, 7), ("b", "reported", 20, 9)}
