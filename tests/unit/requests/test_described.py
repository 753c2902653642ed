"""What only describes a call never costs the call: a field of another shape is left out and named."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.unit.requests.helpers import as_csv, buckets, landed_bytes, parse_records, row, the_fault
from tests.unit.requests.samples import AT, EPOCH

USAGE = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
CHAT = {"id": "c", "created": EPOCH, "model": "gpt-4o", "object": "chat.completion", "usage": USAGE}
MESSAGE = {
    "id": "m",
    "model": "claude-sonnet-4-6",
    "timestamp": AT,
    "usage": {"input_tokens": 100, "output_tokens": 20},
}
SPENT = {"request_id": "l", "startTime": AT, "model": "gpt-4o", **USAGE}
OTHER_SHAPES: list[tuple[str, dict[str, Any], str]] = [
    ("openai_chat", CHAT | {"finish_reason": {"unified": "stop", "raw": "end_turn"}}, "finish_reason"),
    ("openai_chat", CHAT | {"usage": USAGE | {"prompt_audio_seconds": {}}}, "tag.audio_seconds"),
    ("openai_chat", CHAT | {"system_fingerprint": ["a"], "user": {"id": 1}}, "end_user_id tag.system_fingerprint"),
    ("anthropic_messages", MESSAGE | {"session_id": {"id": 1}}, "session_id"),
    ("litellm_spend_logs", SPENT | {"metadata": {"user_api_key_project_id": ["a", "b"]}}, "project"),
]


@pytest.mark.parametrize(("name", "record", "dropped"), OTHER_SHAPES)
def test_an_object_in_place_of_a_text_costs_the_text(
    tmp_path: Path, name: str, record: dict[str, Any], dropped: str
) -> None:
    found = row(parse_records(tmp_path, name, [record]))
    assert buckets(found) == {"input_uncached": 100, "output_text": 20}
    assert json.loads(found["tags"])["dropped_details"].split() == dropped.split()
    column = dropped.split(maxsplit=1)[0]
    assert column.startswith("tag.") or found[column] is None


def test_what_is_declared_describes_and_what_identifies_does_not(tmp_path: Path) -> None:
    record = CHAT | {"labels": {"team": {"name": "a"}, "desk": {"n": 1}}}
    attribution = {"team": "labels/team", "tags.desk": "labels/desk"}
    found = row(parse_records(tmp_path, "openai_chat", [record], attribution=attribution))
    assert (found["team"], json.loads(found["tags"])["dropped_details"]) == (None, "tag.desk team")
    for broken in ({"id": {"n": 1}}, {"model": ["gpt-4o"]}, {"service_tier": {"n": 1}}):
        assert the_fault(parse_records(tmp_path, "openai_chat", [CHAT | broken]))["reason"] == "wrong_type"


@pytest.mark.parametrize(
    ("cost", "amount"), [({"estimated_cost": 8.775e-06}, "0.000008775"), ({"cost": {"input_cost": 1}}, None)]
)  # fmt: skip
def test_what_a_seller_says_that_a_call_cost(tmp_path: Path, cost: dict[str, Any], amount: str | None) -> None:
    """DeepInfra's `estimated_cost`, github.com/BerriAI/litellm/issues/38802."""
    found = row(parse_records(tmp_path, "openai_chat", [CHAT | {"usage": USAGE | cost}]))
    assert found["reported_cost_usd"] == (None if amount is None else Decimal(amount))


def test_details_of_video_and_of_sound_from_the_cache(tmp_path: Path) -> None:
    details = {
        "cached_tokens": 50,
        "audio_tokens": 60,
        "video_tokens": 20,
        "cached_tokens_details": {"audio_tokens": 40},
    }
    record = CHAT | {"usage": USAGE | {"prompt_tokens_details": details}}
    expected = {"input_uncached": 10, "input_cache_read": 10, "input_audio": 20, "input_audio_cache_read": 40, "input_video": 20,
                "output_text": 20}  # fmt: skip
    for parsed in (
        parse_records(tmp_path, "openai_chat", [record]),
        landed_bytes(tmp_path, as_csv(record), "openai_chat", "a.csv"),
    ):
        assert buckets(row(parsed)) == expected
