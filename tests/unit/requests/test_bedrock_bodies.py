"""Records of Bedrock's invocation log that state no counts of their own: those of the answer in them count."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.requests.helpers import buckets, parse_records, row
from tests.unit.requests.samples import AT

CLAUDE = {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 500, "cache_creation_input_tokens": 100}
METRICS = {"inputTokenCount": 10, "outputTokenCount": 5, "cacheReadInputTokenCount": 7}


def logged(body: object, **counts: int) -> dict[str, Any]:
    held = {side: {f"{side}TokenCount": counts[side]} if side in counts else {} for side in ("input", "output")}
    held["output"] = held["output"] | {"outputBodyJson": body}
    return {"timestamp": AT, "requestId": "r-1", "modelId": "a-model", "operation": "InvokeModel", **held}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"usage": CLAUDE},
            {"input_uncached": 10, "input_cache_read": 500, "input_cache_write": 100, "output_text": 5},
        ),
        (
            {"usage": CLAUDE | {"cache_creation": {"ephemeral_1h_input_tokens": 100}}},
            {"input_uncached": 10, "input_cache_read": 500, "input_cache_write_1h": 100, "output_text": 5},
        ),
        ({"usage": {"inputTokens": 9, "outputTokens": 4}}, {"input_uncached": 9, "output_text": 4}),
        ({"prompt_token_count": 9, "generation_token_count": 4}, {"input_uncached": 9, "output_text": 4}),
        (
            [{"type": "message_start"}, {"type": "message_stop", "amazon-bedrock-invocationMetrics": METRICS}],
            {"input_uncached": 10, "input_cache_read": 7, "output_text": 5},
        ),
    ],
)
def test_the_answer_counts_where_the_record_does_not(tmp_path: Path, body: object, expected: dict[str, int]) -> None:
    assert buckets(row(parse_records(tmp_path, "bedrock_invocation", [logged(body)]))) == expected


@pytest.mark.parametrize("body", [{"usage": CLAUDE | {"input_tokens": 99}}, "words", [1, 2], {"usage": "words"}])
def test_the_record_s_own_counts_go_first(tmp_path: Path, body: object) -> None:
    found = buckets(row(parse_records(tmp_path, "bedrock_invocation", [logged(body, input=10, output=5)])))
    assert (found["input_uncached"], found["output_text"]) == (10, 5)
