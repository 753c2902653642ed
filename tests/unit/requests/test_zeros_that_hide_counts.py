"""A detail that an API states in two places: a 0 in the first never hides the count in the second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.requests.helpers import buckets, landed_bytes, parse_records, row
from tests.unit.requests.samples import AT

OF_CHAT: dict[str, Any] = {
    "id": "chatcmpl-AbCdEfGhIjKlMnOpQrStUvWx",
    "object": "chat.completion",
    "created": 1_770_890_400,
}


def spend_log(**usage: Any) -> dict[str, Any]:
    counts = {"prompt_tokens": 2459, "completion_tokens": 23, "total_tokens": 2482}
    row = {"request_id": "r1", "model": "claude-3-5-haiku", "startTime": AT, "endTime": AT, "spend": 0.0, **counts}
    return row | {"metadata": {"usage_object": counts | usage}}


@pytest.mark.parametrize(("details", "anthropics"), [(0, 2455), (2455, 0), (None, 2455), (2455, 2455)])
def test_litellm_states_the_cache_twice(tmp_path: Path, details: int | None, anthropics: int) -> None:
    stated = spend_log(prompt_tokens_details={"cached_tokens": details}, cache_read_input_tokens=anthropics)
    found = row(parse_records(tmp_path, "litellm_spend_logs", [stated]))
    assert buckets(found) == {"input_uncached": 4, "input_cache_read": 2455, "output_text": 23}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"prompt_tokens_details": {"cached_tokens": 0}}, {"prompt_cache_hit_tokens": 900}),
        ({"prompt_tokens_details": {"cached_tokens": 0}}, {"cached_tokens": 900}),
    ],
)
def test_an_answer_of_openais_shape_states_the_cache_twice(
    tmp_path: Path, first: dict[str, Any], second: dict[str, Any]
) -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 10, "total_tokens": 1010}
    found = row(parse_records(tmp_path, "openai_chat", [OF_CHAT | {"model": "m", "usage": usage | first | second}]))
    assert buckets(found) == {"input_uncached": 100, "input_cache_read": 900, "output_text": 10}


def test_zeros_in_all_places_stay_zero_and_an_input_of_zero_gives_way_to_nothing(tmp_path: Path) -> None:
    details = {"input": 0, "input_cached_tokens": 500, "output": 10, "total": 510}
    observation = {"id": "o", "type": "GENERATION", "model": "gpt-4o", "startTime": AT, "usageDetails": details}
    found = row(parse_records(tmp_path, "langfuse", [observation | {"inputUsage": 500, "outputUsage": 10}]))
    assert buckets(found) == {"input_cache_read": 500, "output_text": 10}, "inputUsage holds the cached tokens too"
    zeros = spend_log(prompt_tokens_details={"cached_tokens": 0}, cache_read_input_tokens=0)
    found = row(parse_records(tmp_path, "litellm_spend_logs", [zeros]))
    assert buckets(found) == {"input_uncached": 2459, "output_text": 23}


def test_a_table_says_the_same(tmp_path: Path) -> None:
    columns = "event_at,model,cached,cache_hits,prompt,answer"
    options = {
        "columns": {
            "event_at": "event_at", "model": "model", "input": "prompt", "output": "answer", "cache_read": ["cached", "cache_hits"]
        }
    }  # fmt: skip
    content = f"{columns}\n{AT},m,0,900,1000,10\n".encode()
    found = row(landed_bytes(tmp_path, content, "mapping", "a.csv", options=options))
    assert buckets(found) == {"input_uncached": 100, "input_cache_read": 900, "output_text": 10}
