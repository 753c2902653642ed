"""Ids that a server hands out again: each answer is a request of its own, however often it is logged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.requests.helpers import all_days, parse_records

EPOCH = 1770891630


def answer(name: str, created: int, prompt: int) -> dict[str, Any]:
    usage = {"prompt_tokens": prompt, "completion_tokens": 20, "total_tokens": prompt + 20}
    return {"id": name, "object": "chat.completion", "created": created, "model": "llama3.2", "usage": usage}


def prompts(folder: Path, format_name: str, records: list[dict[str, Any]]) -> list[int]:
    return sorted(all_days([parse_records(folder, format_name, records)]).requests["input_uncached_tokens"])


@pytest.mark.parametrize("name", ["chatcmpl-517", "chatcmpl-A1", "7"])
@pytest.mark.parametrize("format_name", ["openai_chat", "vllm", "ollama"])
def test_two_answers_under_one_id_are_two_requests(tmp_path: Path, format_name: str, name: str) -> None:
    first, second = answer(name, EPOCH, 10), answer(name, EPOCH + 3600, 11)
    again = {"timestamp": "2026-02-12T10:20:31Z", "response": first}
    assert prompts(tmp_path, format_name, [first, second, again]) == [10, 11]


def test_an_id_that_is_unique_needs_no_instant(tmp_path: Path) -> None:
    name = "chatcmpl-CzPqJ4V8mHk2QxT7"
    assert prompts(tmp_path, "openai_chat", [answer(name, EPOCH, 10), answer(name, EPOCH + 1, 10)]) == [10]


def test_streams_of_ollama_under_one_id_are_as_many_requests(tmp_path: Path) -> None:
    """Each piece states its own instant; usage comes in the last."""
    records = []
    for stream in (0, 1):
        pieces = [answer("chatcmpl-517", EPOCH + 600 * stream + second, 10 + stream) for second in range(3)]
        records += [{**piece, "object": "chat.completion.chunk", "system_fingerprint": "fp_ollama"} for piece in pieces]
        for piece in records[-3:-1]:
            del piece["usage"]
    assert prompts(tmp_path, "openai_chat", records) == [10, 11]


def test_answers_of_the_responses_api_under_one_id_are_as_many_requests(tmp_path: Path) -> None:
    usage = {"input_tokens": 10, "output_tokens": 20, "total_tokens": 30}
    records = [
        {"id": "resp_517", "object": "response", "created_at": EPOCH + second, "status": status, "usage": counted}
        for second in (0, 60)
        for status, counted in (("in_progress", None), ("completed", usage))
    ]
    assert prompts(tmp_path, "openai_responses", records) == [10, 10]
