"""One call that two instruments or two sources record is counted once: real emitters' spans and logs, from `shared/data/cases`."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelines.config.sources import LookAlike
from pipelines.requests import DayRequests, Preferences
from pipelines.requests.shared_keys import NO_PREFERENCES
from tests.unit.requests.helpers import all_days, buckets, parse

CASES = "cases/requests"


def collected(shared_data: Path, tmp_path: Path, *cases: str, preferences: Preferences = NO_PREFERENCES) -> DayRequests:
    """What the files of these cases become together; every record is kept, dropped or set aside."""
    parsed = []
    for case in cases:
        folder = shared_data / CASES / case
        declared: dict[str, Any] = json.loads((folder / "case.json").read_text())
        declaration = dict(declared["declaration"])
        for file in sorted(folder.glob("*.jsonl")):
            copy = tmp_path / f"{case}_{file.name}"
            copy.write_bytes(file.read_bytes())
            arrival = date.fromisoformat(declared["arrival_date"])
            parsed.append(parse(copy, declaration["format"], source=declaration["source"], arrival=arrival))
    found = all_days(parsed, preferences)
    assert sum(file.valid for file in parsed) == found.requests.height + found.duplicates.height
    return found


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("codex_events_twice", {"input_uncached": 10134, "input_cache_read": 560, "output_text": 886}),
        ("ai_sdk_6_embedding", {"input_uncached": 8807}),
    ],
)
def test_one_call(shared_data: Path, tmp_path: Path, case: str, expected: dict[str, int]) -> None:
    found = collected(shared_data, tmp_path, case)
    assert [buckets(row) for row in found.requests.to_dicts()] == [expected]


SPLIT = {"input_uncached": 4700, "input_cache_read": 544, "input_cache_write_5m": 300, "input_cache_write_1h": 400, "output_text": 400}  # fmt: skip


@pytest.mark.parametrize(
    ("cases", "rule", "expected"),
    [
        (["one_call_two_instruments_otel"], "same_response", {"input_uncached": 1000, "input_cache_read": 4000, "output_text": 100}),
        (["one_call_two_sources_gateway", "one_call_two_sources_otel"], "same_response", {"input_uncached": 1000, "output_text": 100}),
        (["sdk_own_span_beside_openllmetry"], "same_response",
         {"input_uncached": 2332, "input_cache_write_5m": 236, "input_cache_write_1h": 336, "output_text": 208}),
        (["cache_write_hour_in_spans"], "same_response",
         {"input_uncached": 5144, "input_cache_read": 512, "input_cache_write_5m": 312, "input_cache_write_1h": 412, "output_text": 436}),
        (["sdk_own_span_inside_official"], "same_response",
         {"input_uncached": 7734, "input_cache_read": 512, "input_cache_write_5m": 382, "output_text": 646}),
    ],
)  # fmt: skip
def test_one_call_seen_twice(
    shared_data: Path, tmp_path: Path, cases: list[str], rule: str, expected: dict[str, int]
) -> None:
    found = collected(shared_data, tmp_path, *cases)
    assert [buckets(row) for row in found.requests.to_dicts()] == [expected]
    assert found.duplicates["rule"].to_list() == [rule]


def test_an_agents_span_that_adds_up_its_calls_is_none(shared_data: Path, tmp_path: Path) -> None:
    found = collected(shared_data, tmp_path, "agent_span_repeats_children")
    assert [sum(buckets(row).values()) for row in found.requests.to_dicts()] == [61, 63]
    assert found.duplicates["rule"].to_list() == ["sum_of_spans"]


def test_a_call_seen_three_times_of_which_two_are_proven(shared_data: Path, tmp_path: Path) -> None:
    """LangChain's span has neither an id nor a parent: a rule of sources.yaml drops it, else it is reported (`look_alikes`)."""
    case = "langchain_provider_sdk_triple"
    found = collected(shared_data, tmp_path, case)
    assert (found.requests.height, found.duplicates["rule"].to_list()) == (2, ["nested_span"])
    rule = LookAlike.model_validate({"keep": {"emitter": "com.anthropic.*"}, "drop": {"emitter": "*langchain"}})
    found = collected(shared_data, tmp_path, case, preferences=Preferences(look_alikes=(rule,)))
    assert [buckets(row) for row in found.requests.to_dicts()] == [SPLIT]
    assert sorted(found.duplicates["rule"]) == ["declared_look_alike", "nested_span"]
