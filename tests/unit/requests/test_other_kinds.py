"""A value of another kind than anyone expects, anywhere in a record, costs its record at most: no reader fails on it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from pipelines.records.json_record import RecordError, load, texts_of
from pipelines.records.paths import path_tree
from pipelines.records.wrappers import Wrappers
from pipelines.requests.formats import build_format
from tests.unit.requests.helpers import sample, source_of
from tests.unit.requests.samples import AT, OPENAI_USAGE, SAMPLES, Sample

_KINDS: tuple[Any, ...] = ({}, [[1]], {"a": None}, 5, None, "ä", "{")
_START = 1770891630500000000
_ANSWER = base64.b64encode(json.dumps(sample("openai_chat")).encode()).decode()
_ENTRY = {
    "startedDateTime": AT, "time": 15, "request": {"url": "https://example.com/v1/chat/completions"},
    "response": {"status": 200, "content": {"text": _ANSWER, "encoding": "base64"}},
}  # fmt: skip
_SPAN = {
    "span_id": "1",
    "trace_id": "t",
    "start_ns": _START,
    "duration": 5,
    "span_kind": "llm",
    "model_name": "m",
    "metrics": {"input_tokens": 5},
}
_MODELS = {"m": {"inputTokens": 4, "costUSD": 0.1}}
FURTHER: dict[str, list[Any]] = {
    "claude_code": [
        {"type": "result", "timestamp": AT, "session_id": "s", "uuid": "r", "usage": {"input_tokens": 4}, "modelUsage": _MODELS},
        {"type": "system", "subtype": "init", "session_id": "s"},
    ],
    "gemini_cli": [{"$set": {"sessionId": "s", "messages": [sample("gemini_cli")]}}],
    "otel_genai": [{"data": [{"attributes": _SPAN}]}, {"ml_app": "shop", "spans": [_SPAN | {"meta": {"span": {"kind": "llm"}}}]}],
    "openai_chat": [
        {"log": {"entries": [_ENTRY]}},
        {"kind": "response", "parts": [], "vendor_id": "x", "usage": OPENAI_USAGE, "timestamp": AT},
        sample("openai_chat") | {"usage_breakdown": {"models": [{"model": "a"}]}},
        {"data": {"raw": sample("openai_chat"), "counts": {"prompt_tokens": 1000, "completion_tokens": 300}}},
    ],
    "gemini": [sample("gemini") | {"candidates": [{"groundingMetadata": {"webSearchQueries": ["a"]}}]}],
}  # fmt: skip
"""Records of other shapes that a format reads."""


def _changed(value: Any) -> Iterator[Any]:
    """The value with each part of it, and itself, of each other kind."""
    yield from _KINDS
    for key, item in value.items() if isinstance(value, dict) else ():
        yield from (value | {key: other} for other in _changed(item))
    for number, item in enumerate(value) if isinstance(value, list) else ():
        yield from ([*value[:number], other, *value[number + 1 :]] for other in _changed(item))


@pytest.mark.parametrize("item", SAMPLES, ids=lambda item: item.format)
def test_no_reader_fails_on_a_value_of_another_kind(item: Sample) -> None:
    counted: list[dict[str, Any]] = [{"options": {"results": "count"}}] if item.format == "claude_code" else []
    for declared in (item.declared, *counted):
        layout = build_format(source_of(item.format, **declared))
        reader, tree = Wrappers(layout).reader(), path_tree(layout.paths, layout.detail_paths, layout.loose_paths)
        for record in (item.record, *FURTHER.get(item.format, ())):
            for changed in _changed(record):
                with suppress(RecordError):
                    for found in reader(load(json.dumps(changed))):
                        texts_of(found, tree)
