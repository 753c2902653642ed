"""Codex sessions: cumulative counts, forks and sub-agents that copy them, compactions, and the usage records of later versions."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.unit.requests.helpers import all_days, buckets, parse_records, rows
from tests.unit.requests.samples import AT, SECRET


def count_line(at: str, total: tuple[int, int, int, int], **last: int) -> dict[str, Any]:
    names = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens")
    usage = dict(zip(names, total, strict=True))
    usage["total_tokens"] = usage["input_tokens"] + usage["output_tokens"]
    info = {"total_token_usage": usage} | ({"last_token_usage": last} if last else {})
    return {"timestamp": f"2026-02-12T{at}Z", "type": "event_msg", "payload": {"type": "token_count", "info": info}}


def test_codex_counts_differences_and_drops_replays_and_forks(tmp_path: Path) -> None:
    model = {"timestamp": AT, "type": "turn_context", "payload": {"model": "gpt-5-codex"}}
    parent_meta = {"timestamp": AT, "type": "session_meta", "payload": {"id": "A", "instructions": SECRET}}
    counts = [count_line("10:00:00", (100, 40, 20, 10)), count_line("10:01:00", (300, 140, 50, 10))]
    again = count_line("10:01:30", (300, 140, 50, 10))
    more = count_line("10:02:00", (310, 140, 55, 15))
    parent = parse_records(tmp_path, "codex", [parent_meta, model, counts[0], counts[1], again, more])
    fork_meta = {"timestamp": AT, "type": "session_meta", "payload": {"id": "B", "forked_from_id": "A"}}
    replay = [{**line, "timestamp": "2026-02-12T11:00:00Z"} for line in counts]
    own = count_line("11:05:00", (400, 200, 60, 10))
    fork = parse_records(tmp_path, "codex", [fork_meta, parent_meta, model, *replay, own])
    second_meta = {"timestamp": AT, "type": "session_meta", "payload": {"id": "C", "forked_from_id": "B"}}
    second = parse_records(
        tmp_path,
        "codex",
        [second_meta, fork_meta, parent_meta, model, *replay, {**own, "timestamp": "2026-02-12T12:00:00Z"}],
    )
    found = all_days([parent, fork, second])
    assert [buckets(request) for request in found.requests.to_dicts()] == [
        {"input_uncached": 60, "input_cache_read": 40, "output_text": 10, "output_reasoning": 10},
        {"input_uncached": 100, "input_cache_read": 100, "output_text": 30},
        {"input_uncached": 10, "output_reasoning": 5},
        {"input_uncached": 40, "input_cache_read": 60, "output_text": 10},
    ]
    assert set(found.requests["response_model"]) == {"gpt-5-codex"}
    assert found.requests["session_id"].to_list() == ["A", "A", "A", "B"]
    assert set(found.duplicates["rule"]) == {"counter_replay"}
    assert found.duplicates.height == 6


def test_codex_a_count_that_falls_starts_anew(tmp_path: Path) -> None:
    lines = [
        count_line("10:00:00", (100, 0, 20, 0)),
        count_line("10:01:00", (30, 0, 5, 0), input_tokens=30, output_tokens=5, total_tokens=35),
    ]
    found = all_days([parse_records(tmp_path, "codex", lines)])
    assert found.requests["input_uncached_tokens"].to_list() == [100, 30]


def test_codex_a_total_repeated_in_the_same_instant_keeps_its_usage(tmp_path: Path) -> None:
    """Counter-example: counted as a difference the repeat holds nothing, and of two records of one instant either may stay."""
    first, second = count_line("10:00:00", (100, 0, 20, 0)), count_line("10:01:00", (300, 0, 50, 0))
    meta = {"timestamp": AT, "type": "session_meta", "payload": {"id": "A"}}
    found = all_days([parse_records(tmp_path, "codex", [meta, first, second, second])])
    assert found.requests["input_uncached_tokens"].to_list() == [100, 200]


def test_codex_a_fork_that_names_its_parent_without_copying_its_head(tmp_path: Path) -> None:
    line = count_line("10:00:00", (100, 0, 20, 0))
    parent = {"timestamp": AT, "type": "session_meta", "payload": {"id": "A"}}
    fork = {"timestamp": AT, "type": "session_meta", "payload": {"id": "B", "forked_from_id": "A"}}
    other = {"timestamp": AT, "type": "session_meta", "payload": {"id": "C"}}
    files = [parse_records(tmp_path, "codex", [meta, line]) for meta in (parent, fork, other)]
    assert all_days(files).requests.height == 2


# --- Codex from version 0.153 on: each answer's usage in a record of its own, turns that name what is copied


def usage_of(input_tokens: int, output: int) -> dict[str, int]:
    return {
        "input_tokens": input_tokens, "cached_input_tokens": 0, "cache_write_input_tokens": 0, "output_tokens": output,
        "reasoning_output_tokens": 0, "total_tokens": input_tokens + output,
    }  # fmt: skip


def codex_line(at: str, kind: str, **payload: Any) -> dict[str, Any]:
    return {"timestamp": f"2026-09-12T{at}Z", "type": kind, "payload": payload}


def turn(at: str, turn_id: str) -> dict[str, Any]:
    return codex_line(at, "event_msg", type="task_started", turn_id=turn_id)


def counted(at: str, total: tuple[int, int], last: tuple[int, int]) -> dict[str, Any]:
    info = {"total_token_usage": usage_of(*total), "last_token_usage": usage_of(*last)}
    return codex_line(at, "event_msg", type="token_count", info=info)


def recorded(turn_id: str, response: str, own: tuple[int, int], total: tuple[int, int]) -> dict[str, Any]:
    return {
        "session_id": "A", "thread_id": "A", "turn_id": turn_id, "response_id": response, "usage": usage_of(*own),
        "turn_token_usage": usage_of(*total), "thread_token_usage": usage_of(*total),
    }  # fmt: skip


LATE = date(2026, 9, 13)
CODEX_PARENT = [
    codex_line("10:00:00", "session_meta", id="A", session_id="A", source="cli", cli_version="0.155.1"),
    codex_line("10:00:00", "event_msg", type="thread_settings_applied", thread_settings={"model": "gpt-5.6", "service_tier": "fast"}),
    turn("10:00:00", "t1"),
    codex_line("10:00:09", "token_usage_record", **recorded("t1", "r1", (100, 10), (100, 10))),
    counted("10:00:09", (100, 10), (100, 10)),
    codex_line("10:01:00", "token_usage_record", **recorded("t1", "r2", (200, 20), (300, 30))),
    counted("10:01:00", (300, 30), (200, 20)),
    # A compaction calls the model too: its record stands in the line again, the count after it falls and has no last usage.
    codex_line("10:02:00", "token_usage_record", **recorded("t1", "r3", (290, 5), (590, 35))),
    codex_line("10:02:00", "compacted", message=SECRET, latest_token_usage_record=recorded("t1", "r3", (290, 5), (590, 35))),
    counted("10:02:01", (250, 30), (0, 0)),
]  # fmt: skip


def test_codex_usage_records_and_the_counts_after_them_are_one_request(tmp_path: Path) -> None:
    found = all_days([parse_records(tmp_path, "codex", CODEX_PARENT, arrival=LATE)])
    assert found.requests.select("source_request_id", "input_uncached_tokens", "output_text_tokens").rows() == [
        ("r1", 100, 10), ("r2", 200, 20), ("r3", 290, 5)
    ]  # fmt: skip
    assert found.duplicates.height == 4
    assert found.requests.select("request_model", "service_tier").unique().rows() == [("gpt-5.6", "priority")]


def test_codex_a_spawned_agent_copies_counts_without_records(tmp_path: Path) -> None:
    """Only `thread_spawn` names the parent; the copies have the instant of the spawn and no records next to them."""
    spawned = {"subagent": {"thread_spawn": {"parent_thread_id": "A", "depth": 1}}}
    copied = [
        {**line, "timestamp": "2026-09-12T11:00:00Z"}
        for line in CODEX_PARENT[:7]
        if line["type"] != "token_usage_record"
    ]
    child = [
        codex_line("11:00:00", "session_meta", id="B", session_id="A", source=spawned), *copied, turn("11:00:01", "t2"),
        codex_line("11:00:30", "token_usage_record", **{**recorded("t2", "r9", (50, 5), (50, 5)), "thread_id": "B"}),
        counted("11:00:30", (50, 5), (50, 5)),
    ]  # fmt: skip
    files = [parse_records(tmp_path, "codex", lines, arrival=LATE) for lines in (CODEX_PARENT, child)]
    found = all_days(files).requests
    assert found["source_request_id"].to_list() == ["r1", "r2", "r3", "r9"]
    assert found["session_id"].to_list() == ["A", "A", "A", "B"]


def test_codex_two_agents_that_reach_the_same_totals_are_two(tmp_path: Path) -> None:
    def child(session: str, turn_id: str) -> list[dict[str, Any]]:
        meta = codex_line(
            "11:00:00", "session_meta", id=session, forked_from_id="A", parent_thread_id="A", thread_source="subagent"
        )
        return [meta, turn("11:00:00", turn_id), counted("11:00:30", (14700, 5), (14700, 5))]

    files = [parse_records(tmp_path, "codex", child(*who), arrival=LATE) for who in (("B", "t2"), ("C", "t3"))]
    assert all_days(files).requests["session_id"].to_list() == ["B", "C"]


def test_codex_what_a_fork_starts_with_is_no_call_of_its_own(tmp_path: Path) -> None:
    """A parent of 3,158,656,533 tokens: each of 33 forks of a day counted its last call again, others all of it."""
    lines = [
        codex_line("11:00:00", "session_meta", id="B", forked_from_id="A"),
        counted("11:00:00", (2000000, 1000), (9000, 35)), turn("11:00:01", "t2"), counted("11:00:30", (2000500, 1005), (500, 5)),
    ]  # fmt: skip
    parsed = parse_records(tmp_path, "codex", lines, arrival=LATE)
    assert rows(parsed)["input_uncached_tokens"].to_list() == [500]
    assert parsed.quarantine["severity"].unique().to_list() == ["info"]


@pytest.mark.slow
def test_codex_a_session_of_more_than_one_chunk_keeps_its_count(tmp_path: Path) -> None:
    """A reader for each chunk forgot the total, the model and the session after 16 MiB of tool output."""
    noise = codex_line("10:30:00", "response_item", type="function_call_output", output="x" * 2**20)
    calls = [
        line
        for minute in range(1, 40)
        for line in (counted(f"10:{minute:02d}:00", (100 * minute, minute), (100, 1)), noise)
    ]
    for line in calls[::2]:
        del line["payload"]["info"]["last_token_usage"]
    parsed = parse_records(tmp_path, "codex", [*CODEX_PARENT[:3], *calls], arrival=LATE)
    found = rows(parsed)
    assert found.select("input_uncached_tokens", "request_model", "session_id").unique().rows() == [
        (100, "gpt-5.6", "A")
    ]
    assert found.height == 39


@pytest.mark.parametrize(
    ("named", "seller"),
    [({"model_provider": "azure"}, "azure"), ({"model_provider": "ollama"}, "ollama"), ({}, "openai")],
)
def test_codex_asks_the_seller_that_the_sessions_own_line_names(
    tmp_path: Path, named: dict[str, str], seller: str
) -> None:
    """A session of a local model was charged at OpenAI's price."""
    own = {"timestamp": AT, "type": "session_meta", "payload": {"id": "B", "forked_from_id": "A", **named}}
    copied = {"timestamp": AT, "type": "session_meta", "payload": {"id": "A", "model_provider": "lmstudio"}}
    found = rows(parse_records(tmp_path, "codex", [own, copied, count_line("10:00:00", (100, 40, 20, 10))]))
    assert found["provider_id"].to_list() == [seller]


def test_codex_what_exec_prints_counts_the_thread(tmp_path: Path) -> None:
    def turn(total: tuple[int, int, int, int]) -> dict[str, Any]:
        names = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens")
        return {"type": "turn.completed", "usage": dict(zip(names, total, strict=True))}

    def thread(name: str) -> dict[str, Any]:
        return {"type": "thread.started", "thread_id": name}

    item = {"type": "item.completed", "item": {"type": "agent_message", "text": SECRET}}
    lines = [thread("A"), {"type": "turn.started"}, item, turn((1000, 400, 50, 20)), turn((3000, 1400, 90, 20))]
    lines += [thread("B"), turn((3500, 0, 70, 0)), thread("A"), turn((3600, 1900, 99, 20))]
    options: dict[str, Any] = {"options": {"undated": "arrival"}, "defaults": {"model": "gpt-5-codex"}}
    found = all_days([parse_records(tmp_path, "codex", lines, **options)]).requests.sort("input_uncached_tokens")
    assert [buckets(request) for request in found.to_dicts()] == [
        {"input_uncached": 100, "input_cache_read": 500, "output_text": 9},
        {"input_uncached": 600, "input_cache_read": 400, "output_text": 30, "output_reasoning": 20},
        {"input_uncached": 1000, "input_cache_read": 1000, "output_text": 40},
        {"input_uncached": 3500, "output_text": 70},
    ]
    assert found["session_id"].to_list() == ["A", "A", "A", "B"]
    assert set(found["request_model"]) == {"gpt-5-codex"}


def printed(*totals: int, thread: str = "0199a213-81c0-7800-8aa1-bbab2a035a53") -> list[dict[str, Any]]:
    """A run of `codex exec --json`, with the totals of its turns: so many tokens of input, a tenth of output."""
    usages = [
        {"input_tokens": total, "cached_input_tokens": total // 2, "output_tokens": total // 10} for total in totals
    ]
    return [
        {"type": "thread.started", "thread_id": thread},
        *({"type": "turn.completed", "usage": usage} for usage in usages),
    ]


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([printed(1000), printed(3000, 3600)], [1000, 2000, 600]),
        ([printed(1000, 3000), printed(3600), printed(9600)], [1000, 2000, 600, 6000]),
        ([printed(1000), printed(1000, 3000)], [1000, 2000]),
        ([printed(1000), printed(1000, 1000, 3000), printed(4000)], [1000, 2000, 1000]),
        ([printed(1000), printed(3000, thread="0199a213-81c0-7800-8aa1-bbab2a035a54")], [1000, 3000]),
        ([printed(3000), printed(1000, thread="0199a213-81c0-7800-8aa1-bbab2a035a54")], [3000, 1000]),
    ],
    ids=["resumed", "twice", "with the history", "with repeats", "another thread", "and a shorter one"],
)
def test_codex_a_thread_that_a_later_run_resumes_counts_on(
    tmp_path: Path, runs: list[list[dict[str, Any]]], expected: list[int]
) -> None:
    """The first turn of the later file held what the earlier file had counted."""
    options: dict[str, Any] = {"options": {"undated": "arrival"}, "defaults": {"model": "gpt-5-codex"}}
    files = [
        parse_records(tmp_path, "codex", run, name=f"{number}-", arrival=date(2026, 2, 10 + number), **options)
        for number, run in enumerate(runs)
    ]
    for order in (files, files[::-1]):
        found = all_days(order).requests
        counts = ["input_uncached_tokens", "input_cache_read_tokens", "output_text_tokens"]
        assert sorted(found.select(counts).rows()) == sorted(
            (count // 2, count // 2, count // 10) for count in expected
        )


@pytest.mark.parametrize("is_printed", [True, False])
def test_codex_flat_counts_of_old_versions_are_those_of_an_answer(tmp_path: Path, *, is_printed: bool) -> None:
    counts = {"input_tokens": 100, "cached_input_tokens": 40, "output_tokens": 20, "total_tokens": 120}
    event = {"type": "token_count", **counts}
    started = {"msg": {"type": "session_configured", "session_id": "A", "model": "gpt-5"}}
    line = {"timestamp": AT} | ({"id": "0", "msg": event} if is_printed else {"type": "event_msg", "payload": event})
    found = all_days([parse_records(tmp_path, "codex", [started | {"timestamp": AT}, line, line])]).requests
    assert [buckets(request) for request in found.to_dicts()] == [
        {"input_uncached": 60, "input_cache_read": 40, "output_text": 20}
    ] * 2
    assert found["request_model"].to_list() == ["gpt-5", "gpt-5"]
