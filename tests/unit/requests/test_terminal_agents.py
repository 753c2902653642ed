"""Session files and printed results of agents in a terminal: each call once, with what it cost, or set aside with what helps."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.requests import ParsedFile
from tests.unit.requests.helpers import all_days, buckets, landed_bytes, parse_records, row, rows, sample, the_fault
from tests.unit.requests.samples import AT, INCLUSIVE, SECRET

# --- Gemini CLI

ANSWER = sample("gemini_cli")
USER = {"id": "u-1", "timestamp": AT, "type": "user", "content": SECRET}
META = {"sessionId": "s-1", "projectHash": "p", "startTime": AT, "lastUpdated": AT}


def test_both_kinds_of_chat_files_hold_the_same_calls(tmp_path: Path) -> None:
    """A message is written again as it grows; a resumed session writes all of it into a file of the newer kind."""
    older = META | {"messages": [USER, ANSWER]}
    grows = ANSWER | {"tokens": None}
    lines = [
        META,
        USER,
        grows,
        ANSWER,
        {"$set": {"lastUpdated": AT}},
        {"$rewindTo": USER["id"]},
        {"$set": {"messages": [USER, ANSWER]}},
    ]
    files = [
        landed_bytes(tmp_path, json.dumps(older, indent=2).encode(), "gemini_cli"),
        parse_records(tmp_path, "gemini_cli", lines),
    ]
    for parsed in files:
        [found] = all_days([parsed]).requests.to_dicts()
        assert (buckets(found), found["session_id"]) == (INCLUSIVE, "s-1")
        assert set(parsed.quarantine["severity"]) == {"info"}
    assert all_days(files).requests.height == 1


# --- What claude -p prints

USAGE = {
    "input_tokens": 4, "output_tokens": 90, "cache_read_input_tokens": 700, "cache_creation_input_tokens": 300,
    "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200}, "service_tier": "standard",
    "server_tool_use": {"web_search_requests": 0},
}  # fmt: skip


def _of(model: dict[str, int], cost: float) -> dict[str, Any]:
    return model | {"webSearchRequests": 0, "costUSD": cost, "contextWindow": 200000}


SONNET = {"inputTokens": 4, "outputTokens": 90, "cacheReadInputTokens": 700, "cacheCreationInputTokens": 300}
RESULT: dict[str, Any] = {
    "type": "result", "subtype": "success", "is_error": False, "num_turns": 2, "result": SECRET, "session_id": "s-1", "uuid": "r-1",
    "timestamp": AT, "total_cost_usd": 0.00351, "usage": USAGE, "modelUsage": {"claude-sonnet-4-5-20250929": _of(SONNET, 0.00351)},
}  # fmt: skip
INIT = {"type": "system", "subtype": "init", "session_id": "s-1", "model": "claude-sonnet-4-5-20250929"}
WRITTEN = {
    "input_uncached": 4, "input_cache_read": 700, "input_cache_write_5m": 100, "input_cache_write_1h": 200, "output_text": 90
}  # fmt: skip


def _printed(tmp_path: Path, *records: object, **options: str) -> ParsedFile:
    return parse_records(tmp_path, "claude_code", records, options=options)


def test_a_result_alone_is_set_aside_with_what_helps(tmp_path: Path) -> None:
    fault = the_fault(_printed(tmp_path, RESULT))
    assert (fault["reason"], fault["severity"], "results: count" in fault["detail"]) == (
        "result_of_a_run",
        "error",
        True,
    )


def test_a_result_below_its_answers_adds_nothing(tmp_path: Path) -> None:
    parsed = _printed(tmp_path, INIT, sample("claude_code"), RESULT)
    assert (parsed.valid, parsed.quarantine["severity"].to_list()) == (1, ["info", "info"])


@pytest.mark.parametrize("around", [(), (INIT, sample("claude_code"))])
def test_results_count_where_the_source_says_so(tmp_path: Path, around: tuple[dict[str, Any], ...]) -> None:
    parsed = _printed(tmp_path, *around, RESULT, results="count")
    found = row(parsed)
    assert (buckets(found), found["reported_cost_usd"], found["session_id"]) == (WRITTEN, Decimal("0.00351"), "s-1")
    assert parsed.quarantine.height == len(around)


def test_a_result_of_two_models_is_a_request_of_each(tmp_path: Path) -> None:
    haiku = {"inputTokens": 50, "outputTokens": 5, "cacheReadInputTokens": 0, "cacheCreationInputTokens": 0}
    models = {
        "claude-sonnet-4-5-20250929[1m]": _of(SONNET, 0.00351),
        "claude-haiku-4-5": _of(haiku, 0.000075),
        "claude-opus-4-1": _of({}, 0),
    }
    found = rows(_printed(tmp_path, RESULT | {"modelUsage": models}, results="count")).sort("request_model").to_dicts()
    assert [item["request_model"] for item in found] == ["claude-haiku-4-5", "claude-sonnet-4-5-20250929"]
    assert buckets(found[0]) == {"input_uncached": 50, "output_text": 5}
    assert buckets(found[1]) == {
        "input_uncached": 4,
        "input_cache_read": 700,
        "input_cache_write_5m": 100,
        "input_cache_write_1h": 200,
        "output_text": 90,
    }
    assert sum(item["reported_cost_usd"] for item in found) == Decimal("0.003585")


def test_a_model_with_a_long_context_is_a_request_next_to_the_same_model_without(tmp_path: Path) -> None:
    models = {"claude-sonnet-4-5": _of(SONNET, 0.00351), "claude-sonnet-4-5[1m]": _of({"inputTokens": 7}, 0.0001)}
    parsed = _printed(tmp_path, RESULT | {"modelUsage": models}, results="count")
    found = all_days([parsed]).requests
    assert found["request_model"].to_list() == ["claude-sonnet-4-5"] * 2
    assert sorted(found["reported_cost_usd"]) == [Decimal("0.0001"), Decimal("0.00351")]


@pytest.mark.parametrize(("is_one_process", "megabytes"), [(True, 0), (False, 0), (True, 17)])
def test_a_process_of_several_turns_adds_its_models_up(tmp_path: Path, megabytes: int, *, is_one_process: bool) -> None:
    """github.com/anthropics/claude-code/issues/83239: counts and cost by model are running totals of the process, the usage is the turn's."""
    counts = {"inputTokens": 5, "outputTokens": 9, "cacheReadInputTokens": 800, "cacheCreationInputTokens": 30}
    usage = dict(
        zip(
            ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"),
            counts.values(),
            strict=True,
        )
    )
    added = {name: count + (SONNET[name] if is_one_process else 0) for name, count in counts.items()}
    cost = 0.004 + (0.00351 if is_one_process else 0)
    second = RESULT | {"uuid": "r-2", "usage": usage, "modelUsage": {"claude-sonnet-4-5-20250929": _of(added, cost)}}
    between = [{"type": "user", "text": "x" * 2**20}] * megabytes
    parsed = _printed(tmp_path, RESULT, *between, second, results="count")
    found = rows(parsed).sort("source_request_id").to_dicts()
    assert buckets(found[1]) == {
        "input_uncached": 5,
        "input_cache_read": 800,
        "input_cache_write": 30,
        "output_text": 9,
    }
    assert found[1]["reported_cost_usd"] == Decimal("0.004")
    parsed = _printed(tmp_path, RESULT | {"session_id": [1]}, results="count")
    assert parsed.quarantine["reason"].to_list() != ["reader_failed"]


@pytest.mark.parametrize("broken", [INIT, RESULT])
def test_a_session_that_is_no_text_costs_its_own_line_only(broken: dict[str, Any], tmp_path: Path) -> None:
    parsed = _printed(tmp_path, broken | {"session_id": {"id": [1]}}, sample("claude_code"))
    assert (parsed.valid, parsed.quarantine.height) == (1, 1)
