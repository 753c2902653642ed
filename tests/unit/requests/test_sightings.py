"""One call that several sources or instruments record counts once, and nothing else is taken for one call."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.config.sources import LookAlike
from pipelines.requests import DayRequests, ParsedFile, Preferences, collect_days, iter_days
from tests.unit.requests.helpers import all_days, parse_records

DAY = date(2026, 2, 12)
NOON_NS = 1_770_897_600_000_000_000
ID = "chatcmpl-AbC9dEf0123"
Counts = tuple[int, int]


def span(number: int, counts: Counts | None = (100, 10), *, at: float = 0, parent: int | None = None, trace: int = 1,
         scope: str = "opentelemetry.instrumentation.openai", answer: str | None = None, seconds: float = 1, **more: Any) -> dict[str, Any]:  # fmt: skip
    stated = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        **more,
    }
    if counts:
        stated |= {"gen_ai.usage.input_tokens": counts[0], "gen_ai.usage.output_tokens": counts[1]}
    if answer:
        stated["gen_ai.response.id"] = answer
    start = NOON_NS + int(at * 1e9)
    return {
        "traceId": f"{trace:032x}", "spanId": f"{number:016x}", "parentSpanId": f"{parent:016x}" if parent else "",
        "startTimeUnixNano": str(start), "endTimeUnixNano": str(start + int(seconds * 1e9)), "scope": {"name": scope},
        "attributes": stated,
    }  # fmt: skip


def spend(request_id: str, counts: Counts = (100, 10), *, at: str = "12:00:00", day: str = "2026-02-12", **more: Any) -> dict[str, Any]:  # fmt: skip
    return {
        "request_id": request_id, "startTime": f"{day} {at}", "endTime": f"{day} {at}", "model": "gpt-4o", "custom_llm_provider": "openai",
        "prompt_tokens": counts[0], "completion_tokens": counts[1], "total_tokens": sum(counts), "spend": 0.001, "status": "success", **more,
    }  # fmt: skip


def otel(folder: Path, *spans: dict[str, Any], source: str = "app") -> ParsedFile:
    return parse_records(folder, "otel_genai", spans, source=source)


def gateway(folder: Path, *rows: dict[str, Any]) -> ParsedFile:
    return parse_records(folder, "litellm_spend_logs", rows, source="gateway")


def kept(found: DayRequests) -> list[tuple[str, int, int]]:
    rows = found.requests.sort("source", "event_at", "input_uncached_tokens")
    return rows.select("source", "input_uncached_tokens", "output_text_tokens").rows()


def rules(found: DayRequests) -> list[str]:
    return sorted(found.duplicates["rule"])


def test_an_id_makes_records_of_two_sources_one_call_whatever_the_order(tmp_path: Path) -> None:
    files = [gateway(tmp_path, spend(ID)), otel(tmp_path, span(1, answer=ID))]
    for order in itertools.permutations(files):
        found = all_days(order)
        assert (kept(found), rules(found)) == ([("gateway", 100, 10)], ["same_response"])
        assert found.duplicates["kept_snapshot_id"][0] == files[0].snapshot_id


@pytest.mark.parametrize("stated", [f"time-12-00-00-123456_{ID}", f" {ID}"])
def test_what_a_gateway_puts_around_an_id_is_no_part_of_it(tmp_path: Path, stated: str) -> None:
    assert all_days([gateway(tmp_path, spend(stated)), otel(tmp_path, span(1, answer=ID))]).requests.height == 1


@pytest.mark.parametrize("stated", ["", "0", "null", "unknown", "00000000-0000-0000-0000-000000000000", "17"])
def test_what_is_no_id_makes_nothing_one_call(tmp_path: Path, stated: str) -> None:
    assert all_days([gateway(tmp_path, spend(stated)), otel(tmp_path, span(1, answer=stated))]).requests.height == 2


@pytest.mark.parametrize(
    ("counts", "seconds", "model", "calls"),
    [((100, 10), 20, "gpt-4o-2024-08-06", 1), ((100, 11), 20, "gpt-4o", 2), ((100, 10), 600, "gpt-4o", 2),
     ((100, 10), 20, "llama-3.1-8b", 2)],
)  # fmt: skip
def test_a_counter_of_some_server_needs_the_output_the_model_and_the_minute(
    tmp_path: Path, counts: Counts, seconds: float, model: str, calls: int
) -> None:
    stated = span(1, counts, at=seconds, answer="chatcmpl-517", **{"gen_ai.request.model": model})
    assert all_days([gateway(tmp_path, spend("chatcmpl-517")), otel(tmp_path, stated)]).requests.height == calls


def test_an_id_far_apart_in_time_and_in_every_count_is_not_one_call(tmp_path: Path) -> None:
    row = gateway(tmp_path, spend(ID))
    assert all_days([row, otel(tmp_path, span(1, (70, 7), at=1800, answer=ID))]).requests.height == 1
    assert all_days([row, otel(tmp_path, span(1, (70, 7), at=7200, answer=ID))]).requests.height == 2
    assert all_days([row, otel(tmp_path, span(1, (100, 7), at=7200, answer=ID))]).requests.height == 1


def test_an_id_that_one_server_never_changes_loses_no_call(tmp_path: Path) -> None:
    """Two instruments saw four calls of a server with one id: the first of one belongs to the first of the other."""
    calls = [((100, 10), 0), ((200, 20), 600), ((100, 10), 1200), ((100, 10), 1210)]
    inner = [span(n, c, at=at, trace=n, answer="stub-answer") for n, (c, at) in enumerate(calls, 1)]
    outer = [span(n, c, at=at, trace=n, answer="stub-answer", scope="b") for n, (c, at) in enumerate(calls, 11)]
    found = all_days([otel(tmp_path, *inner, *outer)])
    assert [row[1:] for row in kept(found)] == [(100, 10), (200, 20), (100, 10), (100, 10)]
    assert all_days([otel(tmp_path, *inner)]).requests.height == 4


def test_an_answer_that_a_gateway_gave_again_from_its_cache_is_free_where_the_application_saw_it_too(
    tmp_path: Path,
) -> None:
    rows = [spend(ID), spend(f"{ID}_cache_hit1770897900.25", at="12:05:00", cache_hit="True", spend=0)]
    spans = [span(1, trace=1, answer=ID), span(2, trace=2, at=300, answer=ID)]
    found = all_days([gateway(tmp_path, *rows), otel(tmp_path, *spans)])
    assert found.requests["status"].to_list() == ["ok", "cache_hit"]
    assert found.requests["is_billable"].to_list() == [True, False]


def test_the_same_span_in_two_sources_is_one_call(tmp_path: Path) -> None:
    found = all_days([otel(tmp_path, span(1), source="collector"), otel(tmp_path, span(1, seconds=1), source="app")])
    assert (found.requests.height, rules(found)) == (1, ["same_span"])


def test_the_record_that_splits_usage_the_finest_is_kept_and_takes_who_pays_from_the_other(tmp_path: Path) -> None:
    fine = span(1, answer=ID, **{"gen_ai.usage.cache_read.input_tokens": 60, "team": "search"})
    row = spend(ID, end_user="ann", metadata={"user_api_key_team_alias": "core"})
    found = all_days([gateway(tmp_path, row), otel(tmp_path, fine)])
    [request] = found.requests.to_dicts()
    assert (request["source"], request["input_cache_read_tokens"], request["team"]) == ("app", 60, "search")
    assert (request["end_user_id"], request["reported_cost_usd"]) == ("ann", Decimal("0.001"))


def test_of_records_that_state_the_same_the_precedence_of_their_sources_decides(tmp_path: Path) -> None:
    files = [gateway(tmp_path, spend(ID)), otel(tmp_path, span(1, answer=ID))]
    assert all_days(files, Preferences({"app": 1})).requests["source"].to_list() == ["app"]
    assert all_days(files, Preferences({"gateway": 1})).requests["source"].to_list() == ["gateway"]


def test_a_pair_of_sources_across_midnight_ends_alike_whichever_day_is_collected(tmp_path: Path) -> None:
    late = otel(tmp_path, span(1, at=43_199, answer=ID))
    early = gateway(tmp_path, spend(ID, at="00:00:01", day="2026-02-13"))
    one, paths = timedelta(days=1), [late.path, early.path]
    both = collect_days(paths, DAY, DAY + 2 * one)
    days = [collect_days(paths, day, day + one) for day in (DAY, DAY + one)]
    assert pl.concat([day.requests for day in days]).equals(both.requests)
    assert pl.concat([day.duplicates for day in days]).equals(both.duplicates)
    assert (both.requests.height, both.duplicates.height) == (1, 1)


def test_a_chain_leads_through_spans_that_are_no_requests_in_another_file(tmp_path: Path) -> None:
    chain = span(2, None, parent=1, **{"gen_ai.operation.name": "invoke_workflow"})
    calls = [span(3, (60, 6), parent=2, at=1), span(4, (40, 4), parent=2, at=2)]
    found = all_days([otel(tmp_path, span(1, (100, 10)), *calls), otel(tmp_path, chain)])
    assert [row[1:] for row in kept(found)] == [(60, 6), (40, 4)]
    assert rules(found) == ["sum_of_spans"]


def test_nested_wrappers_of_one_call_are_one_call(tmp_path: Path) -> None:
    spans = [span(1, scope="framework"), span(2, parent=1, scope="library"), span(3, None, parent=2, scope="client")]
    found = all_days([otel(tmp_path, *spans)])
    assert [row[1:] for row in kept(found)] == [(100, 10)]
    assert rules(found) == ["nested_span", "nested_span"]
    assert found.duplicates["kept_line_no"].n_unique() == 1


@pytest.mark.parametrize("outer", [True, False], ids=["outer", "inner"])
@pytest.mark.parametrize(("name", "said"), [("experimental.reasoning_tokens", 120), ("reasoning.output_tokens", 200)])
def test_an_instrument_that_leaves_out_what_was_thought_is_no_other_call(
    tmp_path: Path, name: str, said: int, *, outer: bool
) -> None:
    """Google's Agent Development Kit 1.26 writes the thoughts on one of the two spans that it has for a call."""
    whole = {"counts": (1000, said), f"gen_ai.usage.{name}": 80}
    plain = {"counts": (1000, 120)}
    first, second = (whole, plain) if outer else (plain, whole)
    found = all_days([otel(tmp_path, span(1, **first), span(2, parent=1, **second))])
    assert rules(found) == ["nested_span"]
    assert found.requests.select("output_text_tokens", "output_reasoning_tokens").row(0) == (120, 80)


def test_an_outer_span_without_counts_is_no_call_and_gives_what_it_says_of_who_pays(tmp_path: Path) -> None:
    outer = span(1, None, team="search")
    found = all_days([otel(tmp_path, outer, span(2, (60, 6), parent=1), span(3, (40, 4), parent=1, at=1))])
    assert [row[1:] for row in kept(found)] == [(60, 6), (40, 4)]
    assert found.requests["team"].to_list() == ["search", "search"]


def test_an_outer_span_that_states_something_else_stays_and_says_how_many_calls_lie_in_it(tmp_path: Path) -> None:
    found = all_days([otel(tmp_path, span(1, (500, 50)), span(2, (60, 6), parent=1), span(3, (40, 4), parent=1, at=1))])
    assert found.requests.height == 3
    inside = found.requests["tags"].str.json_path_match("$.calls_inside").to_list()
    assert sorted(filter(None, inside)) == ["2"]
    assert found.requests["tags"].str.json_path_match("$.emitter").null_count() == 0


def test_calls_next_to_each_other_with_equal_counts_are_calls(tmp_path: Path) -> None:
    found = all_days([otel(tmp_path, span(1, parent=9), span(2, parent=9), span(3, trace=2))])
    assert (found.requests.height, found.duplicates.height) == (3, 0)


def test_spans_that_lie_in_each_other_in_a_circle_end(tmp_path: Path) -> None:
    found = all_days([otel(tmp_path, span(1, parent=2), span(2, parent=1), span(3, parent=3))])
    assert found.requests.height + found.duplicates.height == 3
    assert found.requests.height >= 1


def test_a_nested_generation_of_langfuse_is_one_call(tmp_path: Path) -> None:
    shared = {"traceId": "t1", "type": "GENERATION", "model": "gpt-4o", "usageDetails": {"input": 100, "output": 10}}
    outer = {
        "id": "o1",
        "startTime": "2026-02-12T12:00:00Z",
        "endTime": "2026-02-12T12:00:09Z",
        "parentObservationId": None,
    }
    inner = {
        "id": "o2",
        "startTime": "2026-02-12T12:00:01Z",
        "endTime": "2026-02-12T12:00:08Z",
        "parentObservationId": "s1",
    }
    between = {
        "id": "s1",
        "traceId": "t1",
        "type": "SPAN",
        "startTime": "2026-02-12T12:00:01Z",
        "parentObservationId": "o1",
    }
    found = all_days([parse_records(tmp_path, "langfuse", [shared | outer, between, shared | inner])])
    assert (found.requests.height, rules(found)) == (1, ["nested_span"])


def test_calls_that_share_the_request_of_their_message_stay_apart(tmp_path: Path) -> None:
    """An advisor's call and its message came by one HTTP request."""
    usage = {"input_tokens": 50, "output_tokens": 5, "iterations": [
        {"type": "advisor_message", "model": "claude-opus-4-6", "input_tokens": 900, "output_tokens": 90}]}  # fmt: skip
    line = {"type": "assistant", "requestId": "req_011CabcdEFGH", "timestamp": "2026-02-12T12:00:00Z", "sessionId": "s",
            "message": {"id": "msg_01AbCdEfGh", "model": "claude-sonnet-4-6", "usage": usage}}  # fmt: skip
    found = all_days([parse_records(tmp_path, "claude_code", [line])])
    assert (found.requests.height, found.duplicates.height) == (2, 0)


def test_claude_codes_events_and_its_session_files_state_one_call(tmp_path: Path) -> None:
    usage = {"input_tokens": 50, "output_tokens": 5}
    line = {"type": "assistant", "requestId": "req_011CabcdEFGH", "timestamp": "2026-02-12T12:00:02Z", "sessionId": "s",
            "message": {"id": "msg_01AbCdEfGh", "model": "claude-sonnet-4-6", "usage": usage}}  # fmt: skip
    stated = {"event.name": "claude_code.api_request", "event.timestamp": "2026-02-12T12:00:01Z", "session.id": "s",
            "model": "claude-sonnet-4-6", "request_id": "req_011CabcdEFGH", **usage}  # fmt: skip
    values = [{"key": name, "value": {"stringValue": str(value)}} for name, value in stated.items()]
    event = {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"attributes": values}]}]}]}
    files = [parse_records(tmp_path, "claude_code", [line], source="sessions"), otel(tmp_path, event)]
    assert (all_days(files).requests.height, rules(all_days(files))) == (1, ["same_response"])


@pytest.mark.parametrize("place", ["around", "inside"])
def test_a_span_at_one_that_a_gateway_reported_by_its_id_is_the_same_call(tmp_path: Path, place: str) -> None:
    """Three saw one call: the gateway and one instrument state its id, the other instrument is known by its trace alone."""
    stated, silent = span(1, answer=ID, parent=2), span(2, scope="openinference.instrumentation.litellm", seconds=2)
    if place == "inside":
        stated, silent = span(1, answer=ID), span(2, scope="openinference.instrumentation.openai", parent=1)
    files = [gateway(tmp_path, spend(ID)), otel(tmp_path, stated, silent)]
    for order in itertools.permutations(files):
        found = all_days(order)
        assert (kept(found), rules(found)) == ([("gateway", 100, 10)], ["nested_span", "same_response"])
        assert set(found.duplicates["kept_snapshot_id"]) == {files[0].snapshot_id}


def test_the_finer_span_around_one_that_a_gateway_reported_is_kept_for_both(tmp_path: Path) -> None:
    fine = span(2, seconds=2, **{"gen_ai.usage.cache_read.input_tokens": 60})
    found = all_days([gateway(tmp_path, spend(ID)), otel(tmp_path, span(1, answer=ID, parent=2), fine)])
    [request] = found.requests.to_dicts()
    assert (request["source"], request["input_cache_read_tokens"]) == ("app", 60)
    assert request["reported_cost_usd"] == Decimal("0.001")


def test_an_agents_sum_over_calls_that_a_gateway_reported_is_none(tmp_path: Path) -> None:
    other = "chatcmpl-QwE4rTy5678"
    spans = [span(1, (300, 30), seconds=9, scope="crew"), span(2, parent=1, answer=ID), span(3, (200, 20), parent=1, at=4, answer=other)]  # fmt: skip
    found = all_days([gateway(tmp_path, spend(ID), spend(other, (200, 20), at="12:00:04")), otel(tmp_path, *spans)])
    assert kept(found) == [("gateway", 100, 10), ("gateway", 200, 20)]


@pytest.mark.parametrize("outputs", [(10, 10), (10, 12)])
@pytest.mark.parametrize("traces", [(1, 1), (1, 2)])
def test_attempts_of_one_request_that_were_both_answered_are_two_calls(
    tmp_path: Path, outputs: Counts, traces: Counts
) -> None:
    """A gateway gives all its attempts the id of the request; each answer has an id of its own."""
    shared = {"litellm.call_id": "5b0e0a4e-7a5a-4a39-8f26-0d5b6f0e2a11"}
    spans = [
        span(n, (100, output), at=3 * n, trace=trace, answer=f"{ID}-attempt{n}x", **shared)
        for n, (output, trace) in enumerate(zip(outputs, traces, strict=True), 1)
    ]
    assert [row[2] for row in kept(all_days([otel(tmp_path, *spans)]))] == list(outputs)


def test_what_only_looks_alike_is_dropped_by_a_rule_one_for_one(tmp_path: Path) -> None:
    spans = [span(1, trace=1, scope="wrapper", seconds=3), span(2, trace=2, at=1), span(3, trace=3, scope="wrapper", at=1), span(4, trace=4, at=900)]  # fmt: skip
    parsed = otel(tmp_path, *spans)
    assert all_days([parsed]).requests.height == 4
    rule = LookAlike.model_validate({"keep": {"emitter": "*openai"}, "drop": {"source": "app", "emitter": "wrapper"}})
    found = all_days([parsed], Preferences(look_alikes=(rule,)))
    assert (found.requests.height, rules(found)) == (3, ["declared_look_alike"])


def test_calls_that_failed_are_one_by_a_rule_where_model_and_time_agree(tmp_path: Path) -> None:
    """They have no counts: without a rule nothing says that they are one, and a rule says nothing of calls that were answered."""
    failed: dict[str, Any] = {"counts": None, "error.type": "400"}
    other = {"gen_ai.request.model": "gpt-5"}
    spans = [
        span(1, trace=1, scope="wrapper", seconds=3, **failed), span(2, trace=2, at=1, **failed),
        span(3, trace=3, scope="wrapper", at=100, **failed), span(4, trace=4, at=100, **failed | other),
        span(5, trace=5, scope="wrapper", at=200, **failed), span(6, trace=6, at=202, **failed),
        span(7, trace=7, scope="wrapper", at=300, **failed), span(8, None, trace=8, at=300),
    ]  # fmt: skip
    parsed = otel(tmp_path, *spans)
    assert all_days([parsed]).requests.height == 8
    rule = LookAlike.model_validate({"keep": {"emitter": "*openai"}, "drop": {"emitter": "wrapper"}})
    found = all_days([parsed], Preferences(look_alikes=(rule,)))
    assert (found.requests.height, rules(found)) == (7, ["declared_look_alike"])


@pytest.mark.slow
def test_parts_give_the_same_as_all_at_once(tmp_path: Path) -> None:
    rows = [spend(f"chatcmpl-AbC9dEf{n:015}", (100 + n, 10), at=f"12:{n % 60:02}:00") for n in range(300)]
    spans = [
        span(n + 1, (100 + n, 10), trace=n + 1, at=(n % 60) * 60, answer=f"chatcmpl-AbC9dEf{n:015}") for n in range(300)
    ] + [span(n + 1001, (100 + n, 10), parent=n + 1, trace=n + 1, at=(n % 60) * 60) for n in range(300)]
    paths = [gateway(tmp_path, *rows).path, otel(tmp_path, *spans).path]
    whole = collect_days(paths, DAY, DAY + timedelta(days=1))
    parts = list(iter_days(paths, DAY, DAY + timedelta(days=1), part_rows=40))
    assert len(parts) > 20
    assert pl.concat([part.requests for part in parts]).equals(whole.requests)
    place = ["snapshot_id", "line_no"]
    assert pl.concat([part.duplicates for part in parts]).sort(place).equals(whole.duplicates.sort(place))
    assert whole.requests.height + whole.duplicates.height == 900
