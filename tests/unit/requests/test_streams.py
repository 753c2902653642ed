"""Streams: which of their records counts, whose usage it is, and what a stream that was cut leaves unknown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.requests.helpers import parse_records, row
from tests.unit.requests.samples import SAMPLES

_ENVELOPED = (
    "anthropic_messages", "openai_chat", "openai_responses", "gemini", "vllm", "openrouter", "ollama", "tgi", "llamacpp",
    "bedrock_converse",
)  # fmt: skip
_MODELS = ("model", "modelVersion", "modelId")


@pytest.mark.parametrize("name", ["request_model", "model"])
@pytest.mark.parametrize("format_name", _ENVELOPED)
def test_the_envelope_names_a_model_that_the_answer_does_not(tmp_path: Path, format_name: str, name: str) -> None:
    sample = next(sample for sample in SAMPLES if sample.format == format_name)
    record: dict[str, Any] = {key: value for key, value in sample.record.items() if key not in _MODELS}
    found = row(parse_records(tmp_path, format_name, [{**record, name: "the-model"}], **sample.declared))
    assert found["request_model"] == "the-model"
