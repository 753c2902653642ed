"""What llama.cpp's server (b11434) answered on each of its endpoints with a model of a hundred kilobytes, against its own counters.

The counts are those of one run; `/metrics` of that server then said: 121 tokens of prompts processed, 330 from the cache, 65 predicted.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.unit.requests.helpers import all_days, parse_records, rows

AT, EPOCH = "2026-02-12T10:20:30Z", 1770891630
METRICS = {"input_uncached_tokens": 121, "input_cache_read_tokens": 330, "output_text_tokens": 65}


def timings(cached: int, processed: int, predicted: int) -> dict[str, Any]:
    return {
        "cache_n": cached, "prompt_n": processed, "prompt_ms": 0.9, "predicted_n": predicted, "predicted_ms": 0.7,
        "prompt_per_token_ms": 0.01, "prompt_per_second": 77494.7, "predicted_per_token_ms": 0.1, "predicted_per_second": 9497.9,
    }  # fmt: skip


def chat(
    number: int, cached: int, *, prompt: int = 73, predicted: int = 8, kind: str = "chat.completion"
) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{number}", "object": kind, "created": EPOCH, "model": "tiny", "system_fingerprint": "b0-unknown",
        "usage": {
            "prompt_tokens": prompt, "completion_tokens": predicted, "total_tokens": prompt + predicted,
            "prompt_tokens_details": {"cached_tokens": cached},
        },
        "timings": timings(cached, prompt - cached, predicted),
    }  # fmt: skip


def stream(*chunks: dict[str, Any]) -> str:
    return "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"


PIECE = {"id": "chatcmpl-4", "object": "chat.completion.chunk", "created": EPOCH, "model": "tiny", "choices": [{"index": 0, "delta": {"content": "a"}}]}  # fmt: skip
NATIVE = {
    "model": "tiny",
    "stop": True,
    "stop_type": "limit",
    "tokens_predicted": 6,
    "tokens_evaluated": 9,
    "tokens_cached": 14,
}
LOGGED: tuple[dict[str, Any], ...] = (
    {"response": chat(1, 0)},
    {"response": chat(2, 72)},
    {"response_body": stream({**PIECE, "id": "chatcmpl-3"}, chat(3, 72, kind="chat.completion.chunk"))},
    # Not asked for its usage: the last chunk has timings.
    {"response_body": stream(PIECE, {**PIECE, "timings": timings(72, 1, 8)})},
    {"response": {**NATIVE, "timings": timings(2, 7, 6)}},
    {"response_body": stream({"content": "a", "stop": False, "tokens_predicted": 1, "tokens_evaluated": 9}, {**NATIVE, "timings": timings(8, 1, 6)})},
    {"response": chat(7, 2, prompt=5, predicted=5, kind="text_completion")},
    {"response": {"id": "chatcmpl-8", "type": "message", "model": "tiny", "usage": {"cache_read_input_tokens": 72, "input_tokens": 1, "output_tokens": 8}}},
    {"response": {
        "id": "resp_9", "object": "response", "created_at": EPOCH, "completed_at": EPOCH, "model": "tiny", "status": "completed",
        "usage": {"input_tokens": 63, "output_tokens": 8, "total_tokens": 71, "input_tokens_details": {"cached_tokens": 30}},
    }},
)  # fmt: skip


def test_every_endpoint_of_llama_cpp_adds_up_to_the_servers_own_counters(tmp_path: Path) -> None:
    parsed = parse_records(tmp_path, "llamacpp", [{"timestamp": AT, **record} for record in LOGGED])
    found = all_days([parsed]).requests
    assert (found.height, set(found["usage_basis"])) == (len(LOGGED), {"reported"})
    assert {name: found[name].sum() for name in METRICS} == METRICS
    assert set(rows(parsed)["provider_id"]) == {"llamacpp"}
