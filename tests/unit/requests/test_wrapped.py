"""Records within objects that no format names are the records that they are without these; what was asked and said is no record."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.unit.requests.helpers import all_days, buckets, landed_bytes, parse_records, row, rows, sample
from tests.unit.requests.samples import AT, INCLUSIVE, OPENAI_USAGE, SAMPLES, SECRET, Sample

WRAPPERS: dict[str, Callable[[Any], Any]] = {
    "a page": lambda r: {"object": "list", "items": [r], "has_more": False, "meta": {"page": 1, "total": 1}},
    "a page in an answer": lambda r: {"status": 200, "result": {"data": {"items": [r]}}},
    "hits of a search": lambda r: {"took": 3, "hits": {"total": {"value": 1}, "hits": [{"_index": "logs", "_source": r}]}},
    "a list of requests": lambda r: {"requests": [r]},
    "Spring's page": lambda r: {"content": [r], "totalElements": 1, "last": True},
    "by id": lambda r: {"f0e1": r},
    "pages in pages": lambda r: {"pages": [{"rows": [r]}]},
    "a message of a queue": lambda r: {"topic": "llm", "offset": 7, "payload": r},
    "text of a queue": lambda r: {"topic": "llm", "partition": 0, "payload": json.dumps(r)},
    "an event": lambda r: {"version": "0", "detail-type": "call", "source": "app", "detail": r},
    "words before text": lambda r: {"level": "info", "message": f"answer of the model: {json.dumps(r)}"},
    "text in a list": lambda r: {"lines": [json.dumps(r)]},
}  # fmt: skip
_PLACE = ("snapshot_id", "line_no", "item_no")
_OPEN = [item for item in SAMPLES if item.format not in ("claude_code", "codex", "gemini_cli")]
"""Sessions of agents hold what tools read, which may be anyone's log."""


def _facts(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in _PLACE}


@pytest.mark.parametrize("item", _OPEN, ids=lambda item: item.format)
def test_a_record_in_a_wrapper_is_the_same_request(item: Sample, tmp_path: Path) -> None:
    plain = _facts(row(parse_records(tmp_path, item.format, [item.record], **item.declared)))
    wrapped = [wrap(item.record) for wrap in WRAPPERS.values()]
    array = landed_bytes(tmp_path, json.dumps(wrapped, indent=1).encode(), item.format, **item.declared)
    # So many lines that they are read as typed columns.
    lines = parse_records(tmp_path, item.format, [*wrapped, *[item.record] * 80], **item.declared)
    assert (array.valid, lines.valid) == (len(wrapped), len(wrapped) + 80)
    for found in (*rows(array).to_dicts(), *rows(lines).to_dicts()):
        assert _facts(found) == plain
    assert all_days([array]).requests.height == 1


def test_spans_that_are_no_calls_are_that_in_a_page_too(tmp_path: Path) -> None:
    span = sample("langfuse") | {
        "type": "SPAN",
        "usageDetails": None,
        "metadata": {"usageDetails": {"input": 7, "output": 2}},
    }
    parsed = parse_records(tmp_path, "langfuse", [{"items": [span, span]}])
    assert (parsed.valid, parsed.quarantine["severity"].to_list()) == (0, ["info"] * 2)


def test_a_call_that_failed_is_not_the_one_before_it(tmp_path: Path) -> None:
    failed = {"id": "chatcmpl-abcdefghijklm", "model": "gpt-5", "time": AT, "error": {"type": "rate_limit"}}
    found = row(parse_records(tmp_path, "openai_chat", [failed | {"context": {"previous": {"usage": OPENAI_USAGE}}}]))
    assert (found["source_request_id"], found["status"], buckets(found)) == ("chatcmpl-abcdefghijklm", "error", {})


def test_words_under_the_name_of_a_count_are_no_call(tmp_path: Path) -> None:
    """A row of a declared table without counts is a call of which they are missing; what lies in it changes nothing."""
    columns = {"event_at": "at", "input": "in", "output": "out"}
    line = {"at": AT, "model": "m", "said": {"in": "What is it?", "out": "That."}}
    found = row(parse_records(tmp_path, "mapping", [line], options={"columns": columns}))
    assert (found["usage_basis"], buckets(found)) == ("missing", {})


@pytest.mark.parametrize(
    "copy", [{"prompt_tokens": 1000, "completion_tokens": 300}, {"model": "gpt-5", "usage": OPENAI_USAGE}]
)
def test_the_counts_of_an_answer_stated_again_next_to_it_are_no_call(copy: dict[str, Any], tmp_path: Path) -> None:
    held = {"answer_metrics": copy, "raw": sample("openai_chat") | {"model": "gpt-5"}}
    for line in ({"time": AT, **held}, {"time": AT, "result": dict(reversed(held.items()))}):
        assert row(parse_records(tmp_path, "openai_chat", [line]))["source_request_id"] == "chatcmpl-1"
    for judge in ({"model": "gpt-5-mini", "usage": OPENAI_USAGE}, {"prompt_tokens": 1000, "completion_tokens": 301}):
        assert parse_records(tmp_path, "openai_chat", [{"time": AT, **held, "judge": judge}]).valid == 2


@pytest.mark.parametrize("further", [{}, {"metadata": {"host": "a"}, "labels": ["b"]}], ids=["alone", "next to others"])
def test_a_wrapper_names_what_its_record_does_not(further: dict[str, Any], tmp_path: Path) -> None:
    record = {
        "id": "chatcmpl-1",
        "model": "gpt-5",
        "time": AT,
        "kind": "llm",
        "result": {"meta": {"usage": OPENAI_USAGE}},
    }
    found = row(parse_records(tmp_path, "openai_chat", [record | further]))
    assert (found["request_model"], found["source_request_id"], found["input_uncached_tokens"]) == (
        "gpt-5",
        "chatcmpl-1",
        600,
    )


@pytest.mark.parametrize(
    "held",
    [lambda calls: {"first": calls[0], "fallback": calls[1]}, lambda calls: {"calls": calls}],
    ids=["by name", "a list"],
)
def test_the_id_of_a_wrapper_is_not_that_of_each_call_in_it(held: Callable[[Any], Any], tmp_path: Path) -> None:
    calls = [{"model": model, "usage": OPENAI_USAGE} for model in ("gpt-5", "gpt-5-mini")]
    line = {"id": "trace-1-abcdefghijkl", "time": AT, "result": held(calls)}
    found = all_days([parse_records(tmp_path, "openai_chat", [line])]).requests
    assert set(found["request_model"]) == {"gpt-5", "gpt-5-mini"}


@pytest.mark.parametrize("name", ["request_logs", "requestLog", "request_records", "llm_requests", "requestEvents"])
def test_a_log_of_requests_is_not_what_was_asked(name: str, tmp_path: Path) -> None:
    assert parse_records(tmp_path, "openai_chat", [{name: [sample("openai_chat")]}]).valid == 1


@pytest.mark.parametrize("number", range(2))
def test_a_record_in_a_wrapper_counts_next_to_one_without(number: int, tmp_path: Path) -> None:
    records = [{**sample("openai_chat"), "id": f"chatcmpl-{item}abcdefghijklm"} for item in range(3)]
    items: list[Any] = [{"payload": records[0]}, records[1]][:: (1, -1)[number]]
    items += [{"level": "info", "message": f"answer: {json.dumps(records[2])}"}, {"level": "info", "message": "ready"}]
    parsed = parse_records(tmp_path, "openai_chat", [{"items": items}])
    assert (parsed.valid, parsed.quarantine["severity"].to_list()) == (3, ["info"])
    assert all_days([parsed]).requests.height == 3


@pytest.mark.parametrize("name", ["consumer", "resumed", "checksummed"])
def test_a_name_that_has_the_letters_of_a_sum_is_none(name: str, tmp_path: Path) -> None:
    assert parse_records(tmp_path, "openai_chat", [{name: sample("openai_chat")}]).valid == 1


@pytest.mark.parametrize(
    "name", ["total", "usageTotals", "sum", "usage_sum", "usageSum", "SUM", "session_summary", "aggregated", "Overall"]
)
def test_a_sum_is_no_call(name: str, tmp_path: Path) -> None:
    line = {"time": AT, name: {"usage": OPENAI_USAGE}, "last": sample("openai_chat")}
    assert row(parse_records(tmp_path, "openai_chat", [line]))["source_request_id"] == "chatcmpl-1"


def test_calls_of_one_line_without_an_instant_have_that_of_the_line(tmp_path: Path) -> None:
    calls = [{"id": f"{number}-abcdefghijklmn", "model": "gpt-5", "usage": OPENAI_USAGE} for number in range(3)]
    lines = [{"time": AT, "attempts": calls[:2]}, {"time": AT, "first": calls[0], "fallback": calls[2]}]
    found = all_days([parse_records(tmp_path, "openai_chat", lines)]).requests
    assert (found.height, set(found["event_at"].dt.strftime("%FT%T"))) == (3, {"2026-02-12T10:20:30"})


def test_what_adds_up_a_list_is_no_call(tmp_path: Path) -> None:
    calls = [sample("openai_chat") | {"id": f"chatcmpl-{number}abcdefghijklm"} for number in range(3)]
    report = {"totals": {"usage": {"prompt_tokens": 3000}}, "last": calls[2], "calls": calls}
    assert [
        buckets(found)["input_uncached"] for found in rows(parse_records(tmp_path, "openai_chat", [report])).to_dicts()
    ] == [600] * 3


def _call(number: int, prompt: int = 100) -> dict[str, Any]:
    usage = {"prompt_tokens": prompt, "completion_tokens": 20, "total_tokens": prompt + 20}
    return {"id": f"chatcmpl-{number}abcdefghijklm", "created": 1770891630, "model": "gpt-5", "usage": usage}


_CALLS = [_call(1), _call(2, 150), _call(3, 300)]
_SUM = {"prompt_tokens": 550, "completion_tokens": 60, "total_tokens": 610}
_ADDED_UP: dict[str, dict[str, Any]] = {
    "a page": {"data": _CALLS, "total": 3, "usage": _SUM, "model": "gpt-5"},
    "a run": {
        "time": AT,
        "id": "run_1",
        "model": "gpt-5",
        "usage": _SUM,
        "calls": [{key: item for key, item in call.items() if key != "model"} for call in _CALLS],
    },
    "a run in an object": {"time": AT, "result": {"usage": _SUM, "raw_responses": _CALLS}},
    "the last of several steps": {"usage": _CALLS[2]["usage"], "response": {"id": _CALLS[2]["id"]}, "steps": _CALLS},
    "attempts and the answer": {"time": AT, "attempts": _CALLS, "response": _CALLS[1]},
}


@pytest.mark.parametrize("name", _ADDED_UP)
def test_a_record_that_counts_what_its_list_adds_up_to_is_no_call(name: str, tmp_path: Path) -> None:
    plain = [_call(number + 10) for number in range(80)]  # so many lines that they are read as typed columns
    for lines in ([_ADDED_UP[name]], [*plain, _ADDED_UP[name]]):
        found = rows(parse_records(tmp_path, "openai_chat", lines))
        counts = found.filter(pl.col("source_request_id").str.contains(r"-\dabc")).sort("source_request_id")
        assert (found.height, counts["input_uncached_tokens"].to_list()) == (len(lines) + 2, [100, 150, 300])
        assert set(counts["request_model"]) == {"gpt-5"}


def test_the_calls_of_a_run_are_those_of_who_made_it(tmp_path: Path) -> None:
    run = {
        "time": AT,
        "user": "u1",
        "metadata": {"team": "search"},
        "service_tier": "flex",
        "usage": _SUM,
        "calls": _CALLS,
    }
    found = rows(parse_records(tmp_path, "openai_chat", [run], attribution={"team": "metadata/team"}))
    assert found.select("team", "end_user_id", "service_tier").unique().rows() == [("search", "u1", "flex")]
    assert found.height == 3


def test_an_attempt_without_counts_stays_next_to_those_that_add_up(tmp_path: Path) -> None:
    failed = {"id": "chatcmpl-0abcdefghijklm", "created": 1770891630, "model": "gpt-5", "error": {"type": "overloaded"}}
    line = {"time": AT, "attempts": [failed, *_CALLS], "response": _CALLS[2], "error": "the last was too late"}
    found = rows(parse_records(tmp_path, "openai_chat", [line])).sort("source_request_id")
    assert found["status"].to_list() == ["error", "ok", "ok", "ok"]


def test_spans_in_one_document_are_what_they_are(tmp_path: Path) -> None:
    """A document that holds several records is no sum of them, though the first counts what one of them does."""
    spans = [{"trace_id": "t", "span_id": f"s{number}", "start_time": AT, "attributes": {
        "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": number, "gen_ai.usage.output_tokens": 1}} for number in (1, 2)]  # fmt: skip
    failed = {**spans[0], "span_id": "s3", "attributes": {"gen_ai.request.model": "m"}, "status": {"code": 2}}
    page = {"spans": [*spans, failed]}
    assert landed_bytes(tmp_path, json.dumps(page).encode(), "otel_genai").valid == 3


@pytest.mark.parametrize(
    "line",
    [
        {**_call(1, 551), "calls": _CALLS},
        {"time": AT, "model": "gpt-5", "usage": _SUM | {"estimated_cost": 0.5}, "calls": _CALLS},
        {**_call(4), "calls": [_call(2, 60), _call(3, 61)]},
        {"time": AT, "model": "gpt-5", "usage": _SUM, "steps": [{"usage": {"prompt_tokens": 275, "completion_tokens": 30}}] * 2},
        # The next line holds these turns again, and one more.
        {"time": AT, "model": "gpt-5", "usage": _CALLS[2]["usage"], "turns": [{"usage": call["usage"]} for call in _CALLS]},
    ],
    ids=["other counts", "an amount of its own", "no sum", "calls that nothing separates", "turns without ids"],
)  # fmt: skip
def test_a_record_that_counts_otherwise_than_its_list_is_a_call(line: dict[str, Any], tmp_path: Path) -> None:
    assert (
        row(parse_records(tmp_path, "openai_chat", [line]))["input_uncached_tokens"] == line["usage"]["prompt_tokens"]
    )


@pytest.mark.parametrize(
    "line",
    [
        {"type": "session_summary", "time": AT, "model": "gpt-5", "usage": _SUM},
        {"object": "thread.run.step", "id": "step_1", "created_at": 1770891630, "usage": _SUM},
    ],
)
@pytest.mark.parametrize("format_name", ["openai_chat", "openai_responses"])
def test_a_record_that_says_that_it_is_counted_elsewhere_is_no_call(
    line: dict[str, Any], format_name: str, tmp_path: Path
) -> None:
    assert parse_records(tmp_path, format_name, [line]).quarantine["severity"].to_list() == ["info"]


@pytest.mark.parametrize("purpose", ["summary", "chat_summary", "document.summary"])
def test_a_call_that_was_made_for_a_summary_is_a_call(purpose: str, tmp_path: Path) -> None:
    line = {"type": purpose, "time": AT, "model": "gpt-5", "usage": OPENAI_USAGE}
    assert row(parse_records(tmp_path, "openai_chat", [line]))["input_uncached_tokens"] == 600


def test_buckets_of_a_usage_report_are_no_calls(tmp_path: Path) -> None:
    """A report of OpenAI's that was landed as a log: `openai_usage_api` reads it."""
    result = {
        "object": "organization.usage.completions.result",
        "input_tokens": 10**6,
        "output_tokens": 10**5,
        "model": "gpt-5",
    }
    page = {
        "object": "page",
        "data": [{"object": "bucket", "start_time": 1770854400, "end_time": 1770940800, "results": [result]}],
    }
    assert parse_records(tmp_path, "openai_chat", [page]).valid == 0


@pytest.mark.parametrize(
    "held",
    [
        {"request": {"messages": [{"role": "assistant", "usage": OPENAI_USAGE}]}},
        {"input": {"history": [{"usage": OPENAI_USAGE}]}},
        {"tool_result": json.dumps({"usage": OPENAI_USAGE})},
        {"role": "assistant", "content": {"usage": OPENAI_USAGE}},
        {"content": json.dumps({"usage": OPENAI_USAGE, "text": SECRET})},
        {"messages": [{"role": "user"}, {"role": "assistant", "usage": OPENAI_USAGE}]},
        {"answer": json.dumps({"usage": OPENAI_USAGE})},
        {"type": "text_delta", "delta": {"text": json.dumps({"usage": OPENAI_USAGE})}},
        {"event": "asked", "query": json.dumps({"usage": OPENAI_USAGE})},
    ],
)
def test_what_was_asked_and_said_is_never_opened(held: dict[str, Any], tmp_path: Path) -> None:
    parsed = parse_records(tmp_path, "openai_chat", [{"time": AT, **held}])
    assert (parsed.valid, parsed.quarantine["reason"].to_list()) == (0, ["not_a_request"])


def test_a_record_that_says_which_it_is_holds_no_other(tmp_path: Path) -> None:
    """What frameworks put into the metadata of an observation that is no call counts nothing."""
    span = sample("langfuse") | {
        "type": "SPAN",
        "usageDetails": None,
        "metadata": {"usageDetails": {"input": 7, "output": 2}},
    }
    parsed = parse_records(tmp_path, "langfuse", [span])
    assert (parsed.valid, parsed.quarantine["severity"].to_list()) == (0, ["info"])


def _entry(
    text: str, url: str = "https://api.openai.com/v1/chat/completions", status: int = 200, **content: str
) -> dict[str, Any]:
    asked = {"method": "POST", "url": url, "postData": {"text": json.dumps({"usage": OPENAI_USAGE})}}
    return {
        "startedDateTime": AT,
        "time": 1500,
        "request": asked,
        "response": {"status": status, "content": {"text": text, **content}},
    }


def test_an_archive_of_a_browser_holds_the_answers_in_it(tmp_path: Path) -> None:
    """Plain, in base64 and as the text of a stream; a failure is a call only where models answer."""
    calls = [sample("openai_chat") | {"id": f"chatcmpl-{number}abcdefghijklm"} for number in range(3)]
    chunk = {"object": "chat.completion.chunk", "choices": []}
    stream = "".join(f"data: {json.dumps(item)}\n\n" for item in (calls[2] | chunk | {"usage": None}, calls[2] | chunk))
    entries = [
        _entry(json.dumps(calls[0])),
        _entry(base64.b64encode(json.dumps(calls[1]).encode()).decode(), encoding="base64"),
        _entry(stream + "data: [DONE]\n\n"),
        _entry('{"error": {"type": "rate_limit_error"}}', status=429),
        _entry("<html>", url="https://example.com/chatter", status=404),
    ]
    archive = {"log": {"version": "1.2", "pages": [{"startedDateTime": AT, "id": "page_1"}], "entries": entries}}
    for parsed in (
        landed_bytes(tmp_path, json.dumps(archive, indent=1).encode(), "openai_chat"),
        parse_records(tmp_path, "openai_chat", [archive]),
    ):
        found = all_days([parsed]).requests
        assert found["status"].sort().to_list() == ["error", "ok", "ok", "ok"]
        assert [buckets(item) for item in found.filter(status="ok").to_dicts()] == [INCLUSIVE] * 3
        assert found["latency_ms"].to_list() == [1500] * 4


@pytest.mark.parametrize("name", ["provider_response_id", "vendor_id"])
def test_a_history_of_messages_counts_each_answer_once(name: str, tmp_path: Path) -> None:
    """What Pydantic AI dumps: its own names of counts, and all that was said before in every line."""
    usage = {"input_tokens": 1000, "cache_read_tokens": 400, "output_tokens": 300, "details": {"reasoning_tokens": 200}}
    asked = {"parts": [{"content": SECRET, "part_kind": "user-prompt"}], "kind": "request"}
    said = [
        {"parts": [{"content": SECRET}], "usage": usage, "model_name": "gpt-5", "timestamp": AT, "kind": "response",
         name: f"chatcmpl-{number}abcdefghijklm"}
        for number in range(2)
    ]  # fmt: skip
    lines = [{"run": 1, "messages": [asked, said[0]]}, {"run": 2, "messages": [asked, said[0], asked, said[1]]}]
    found = all_days([parse_records(tmp_path, "openai_chat", lines)]).requests.to_dicts()
    assert [(buckets(item), item["request_model"]) for item in found] == [(INCLUSIVE, "gpt-5")] * 2


def test_the_id_of_a_vendor_is_not_that_of_a_call(tmp_path: Path) -> None:
    line = {"vendor_id": "vendor-abcdefghijklmnop", "model": "gpt-5", "usage": OPENAI_USAGE}
    lines = [line | {"time": AT}, line | {"time": AT.replace("10:20", "10:21")}]
    assert all_days([parse_records(tmp_path, "openai_chat", lines)]).requests.height == 2
