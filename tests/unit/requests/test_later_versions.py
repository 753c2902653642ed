"""What tools and providers added to their logs in 2026. Every record is typed by hand after what was found in the wild.

Each was silently zero, dropped or given to another model before it was known; a file of any of them must say all it holds.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.requests.helpers import all_days, buckets, parse_records, row, rows
from tests.unit.requests.samples import AT, SECRET

# --- Anthropic: iterations

CALL = {"input_tokens": 2, "output_tokens": 491, "cache_read_input_tokens": 700, "cache_creation_input_tokens": 0}
ITERATIONS: list[dict[str, Any]] = [
    {"type": "message", "input_tokens": 1, "output_tokens": 45, "cache_read_input_tokens": 300, "cache_creation_input_tokens": 0},
    {"type": "advisor_message", "model": "claude-opus-4-7", "input_tokens": 1594, "output_tokens": 78, "cache_read_input_tokens": 0,
     "cache_creation_input_tokens": 20, "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 0}},
    {"type": "compaction", "input_tokens": 180000, "output_tokens": 3500, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0},
    {"type": "message", "input_tokens": 1, "output_tokens": 446, "cache_read_input_tokens": 400, "cache_creation_input_tokens": 0},
]  # fmt: skip
MESSAGE = {
    "id": "msg_bdrk_01", "model": "claude-sonnet-4-6", "stop_reason": "end_turn", "content": [{"type": "text", "text": SECRET}],
    "usage": {**CALL, "iterations": ITERATIONS, "service_tier": "standard", "inference_geo": "us", "speed": "fast",
              "output_tokens_details": {"thinking_tokens": 91}},
}  # fmt: skip
START = {
    "type": "message_start",
    "message": {**MESSAGE, "usage": {"input_tokens": 2, "output_tokens": 1}},
    "timestamp": AT,
}
DELTA = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": MESSAGE["usage"], "timestamp": AT}
HOLDERS: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "answer": ("anthropic_messages", [{**MESSAGE, "timestamp": AT}]),
    "stream": ("anthropic_messages", [START, DELTA]),
    "batch": ("anthropic_messages", [{"custom_id": "a", "timestamp": AT, "result": {"type": "succeeded", "message": MESSAGE}}]),
    "session": ("claude_code", [{"type": "assistant", "timestamp": AT, "sessionId": "s", "requestId": "r", "message": MESSAGE}]),
}  # fmt: skip


@pytest.mark.parametrize("holder", HOLDERS)
def test_what_a_message_does_not_contain_is_a_request_of_its_own(tmp_path: Path, holder: str) -> None:
    """An advisor is charged by its own model, a compaction beside the answer; neither is in the usage of the message."""
    format_name, lines = HOLDERS[holder]
    parsed = [parse_records(tmp_path, format_name, lines), parse_records(tmp_path, format_name, lines, name="again")]
    found = {
        found["source_request_id"]: found for found in all_days(parsed).requests.sort("source_request_id").to_dicts()
    }
    assert {uid: (f["request_model"], buckets(f)) for uid, f in found.items()} == {
        "msg_bdrk_01": ("claude-sonnet-4-6", {"input_uncached": 2, "input_cache_read": 700, "output_text": 400, "output_reasoning": 91}),
        "msg_bdrk_01/iterations/1": ("claude-opus-4-7", {"input_uncached": 1594, "input_cache_write_5m": 20, "output_text": 78}),
        "msg_bdrk_01/iterations/2": ("claude-sonnet-4-6", {"input_uncached": 180000, "output_text": 3500}),
    }  # fmt: skip
    tier = "batch" if holder == "batch" else "fast"
    assert [f["service_tier"] for f in found.values()] == [tier, "batch" if holder == "batch" else "standard", tier]
    assert {(f["provider_id"], f["region"]) for f in found.values()} == {("aws.bedrock", "us")}
    assert [json.loads(f["tags"] or "{}").get("call") for f in found.values()] == [
        None,
        "advisor_message",
        "compaction",
    ]


def test_a_model_that_fell_back_is_not_charged(tmp_path: Path) -> None:
    tried = {"type": "message", "model": "claude-fable-5", "input_tokens": 2, "output_tokens": 578}
    served = {"type": "fallback_message", "model": "claude-sonnet-4-6", **CALL}
    message = {**MESSAGE, "usage": {**CALL, "iterations": [tried, served]}, "timestamp": AT}
    assert buckets(row(parse_records(tmp_path, "anthropic_messages", [message])))["output_text"] == 491


def test_the_amount_of_a_line_stays_with_its_message(tmp_path: Path) -> None:
    line = {**HOLDERS["session"][1][0], "costUSD": 0.5}
    assert rows(parse_records(tmp_path, "claude_code", [line]))["reported_cost_usd"].null_count() == 2
