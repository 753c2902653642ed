"""Server-sent events mean what the same events mean as JSON lines: in a file as captured, and as a text in a field of a log."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.records import event_streams
from pipelines.records.line_chunks import chunks
from pipelines.records.tally import Tally
from pipelines.requests import ParsedFile
from tests.unit.requests.helpers import all_days, buckets, parse, parse_records

AT = {"timestamp": "2026-02-12T08:00:00Z"}
UNDATED = {"options": {"undated": "arrival"}}
Event = dict[str, Any]


def chat(name: str, usage: Event | None, **more: Any) -> list[Event]:
    """Chunks of a chat completion, the usage in the last one."""
    chunk = {
        "id": name,
        "object": "chat.completion.chunk",
        "created": 1770883200,
        "model": "gpt-5",
        "choices": [],
        **more,
    }
    return [{**chunk, "usage": None}, {**chunk, "usage": None}, {**chunk, "usage": usage}]


def anthropic(name: str, tokens: int, output: int) -> list[Event]:
    usage = {"input_tokens": tokens, "output_tokens": 1, "cache_read_input_tokens": 0}
    return [
        {"type": "message_start", "message": {"id": name, "model": "claude-sonnet-4-5", "usage": usage}},
        {"type": "ping"},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": 'data: {\u2028"usage": {'}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": output}},
        {"type": "message_stop"},
    ]


def responses(name: str) -> list[Event]:
    answer = {
        "id": name,
        "created_at": 1770883200,
        "model": "gpt-5",
        "status": "in_progress",
        "usage": None,
        "error": None,
    }
    usage = {
        "input_tokens": 75,
        "output_tokens": 30,
        "total_tokens": 105,
        "input_tokens_details": {"cached_tokens": 25},
    }
    return [
        {"type": "response.created", "response": answer},
        {"type": "response.output_text.delta", "delta": "{"},
        {"type": "response.completed", "response": {**answer, "status": "completed", "usage": usage}},
    ]


def gemini(name: str) -> list[Event]:
    chunk = {"responseId": name, "modelVersion": "gemini-2.5-flash"}
    usage = {"promptTokenCount": 80, "candidatesTokenCount": 4, "totalTokenCount": 84}
    last = {"promptTokenCount": 80, "candidatesTokenCount": 12, "totalTokenCount": 92}
    return [{**chunk, "usageMetadata": usage}, {**chunk, "usageMetadata": last}]


def openrouter_responses(name: str) -> list[Event]:
    events = responses(name)
    usage = {"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100, "cost": 0.00021}
    return [*events[:-1], {**events[-1], "response": {**events[-1]["response"], "usage": usage}}]


OPENROUTER_USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100, "cost": 0.00021}
COHERE = [
    {"type": "message-start", "id": "29f1", "delta": {"message": {"role": "assistant"}}},
    {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "x"}}}},
    {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": {"billed_units": {"input_tokens": 62, "output_tokens": 28}}}},
]  # fmt: skip
DEEPSEEK = {"prompt_tokens": 100, "completion_tokens": 9, "total_tokens": 109, "prompt_cache_hit_tokens": 64}
XAI = {"prompt_tokens": 32, "completion_tokens": 9, "total_tokens": 135, "cost_in_usd_ticks": 42000000, "completion_tokens_details": {"reasoning_tokens": 94}}  # fmt: skip
MISTRAL = {"prompt_tokens": 17, "completion_tokens": 5, "total_tokens": 22}

STREAMS: dict[str, tuple[str, list[Event], dict[str, int], str | None]] = {
    "openai": ("openai_chat", chat("c-1", {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}), {"input_uncached": 7, "output_text": 3}, None),
    "deepseek": ("openai_chat", chat("ds", DEEPSEEK), {"input_uncached": 36, "input_cache_read": 64, "output_text": 9}, None),
    "xai": ("openai_chat", chat("x", XAI), {"input_uncached": 32, "output_text": 9, "output_reasoning": 94}, "0.0042"),
    "mistral": ("openai_chat", chat("m", MISTRAL), {"input_uncached": 17, "output_text": 5}, None),
    "cohere": ("openai_chat", COHERE, {"input_uncached": 62, "output_text": 28}, None),
    "vllm": ("vllm", chat("v-1", MISTRAL), {"input_uncached": 17, "output_text": 5}, None),
    "openrouter": ("openrouter", chat("gen-1", OPENROUTER_USAGE), {"input_uncached": 1000, "output_text": 100}, "0.00021"),
    "openrouter responses": ("openrouter", openrouter_responses("gen-2"), {"input_uncached": 1000, "output_text": 100}, "0.00021"),
    "responses": ("openai_responses", responses("resp_1"), {"input_uncached": 50, "input_cache_read": 25, "output_text": 30}, None),
    "anthropic": ("anthropic_messages", anthropic("msg_1", 40, 9), {"input_uncached": 40, "output_text": 9}, None),
    "gemini": ("gemini", gemini("g-1"), {"input_uncached": 80, "output_text": 12}, None),
}  # fmt: skip


def captured(events: Sequence[Event], end: str = "\n", *, done: bool = True) -> str:
    """The events as a server sends them."""
    lines = [": OPENROUTER PROCESSING", "", "retry: 3000", ""]
    for number, event in enumerate(events):
        named = [f"event: {event['type']}"] if "type" in event else [f"id: {number}"]
        lines += [*named, f"data: {json.dumps(event, ensure_ascii=False)}", ""]
    lines += ["data: [DONE]", ""] if done else []
    return "".join(line + end for line in lines)


def land(folder: Path, text: str, format_name: str, name: str = "capture.log", **declared: Any) -> ParsedFile:
    path = folder / name
    path.write_bytes(text.encode())
    return parse(path, format_name, **declared)


def stated(*parsed: ParsedFile) -> list[tuple[str, dict[str, int], str | None]]:
    """Of each request: how much of its usage is known, the buckets, and the stated cost."""
    found = all_days(parsed).requests.to_dicts()
    costs = [None if one["reported_cost_usd"] is None else str(one["reported_cost_usd"].normalize()) for one in found]
    return [(one["usage_basis"], buckets(one), cost) for one, cost in zip(found, costs, strict=True)]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("name", STREAMS)
def test_a_captured_stream_is_one_request_and_nothing_in_it_is_broken(tmp_path: Path, name: str, end: str) -> None:
    format_name, events, expected, cost = STREAMS[name]
    text = captured(events, end)
    parsed = land(tmp_path, text, format_name, **(UNDATED if "created" not in str(events) else {}))
    assert stated(parsed) == [("reported", expected, cost)]
    assert set(parsed.quarantine["severity"]) == {"info"}
    assert parsed.lines == sum(1 for line in text.split(end) if line)


@pytest.mark.parametrize("place", ["response_body", "response", "response/body", "upstream/text", "body"])
@pytest.mark.parametrize("name", STREAMS)
def test_the_text_of_a_stream_in_a_field_is_one_request(tmp_path: Path, name: str, place: str) -> None:
    format_name, events, expected, cost = STREAMS[name]
    record: object = captured(events, "\r\n")
    for key in reversed(place.split("/")):
        record = {key: record}
    assert isinstance(record, dict)
    parsed = parse_records(tmp_path, format_name, [{**AT, "id": "log-1", "status_code": 200, **record}])
    assert stated(parsed) == [("reported", expected, cost)]
    assert not (parsed.quarantine["severity"] == "error").any()


@pytest.mark.parametrize("name", STREAMS)
def test_the_declared_place_of_the_answer_may_hold_the_text(tmp_path: Path, name: str) -> None:
    format_name, events, expected, cost = STREAMS[name]
    record = {**AT, "http": {"out": captured(events)}}
    assert stated(parse_records(tmp_path, format_name, [record], options={"body": "http/out"})) == [("reported", expected, cost)]  # fmt: skip


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("name", ["openai", "anthropic", "gemini", "cohere", "openrouter"])
def test_a_column_of_a_table_may_hold_the_text(tmp_path: Path, name: str, kind: str) -> None:
    format_name, events, expected, cost = STREAMS[name]
    texts = [captured(events, "\r\n"), None, captured(events[:1], done=False) + "data: {"]
    table = pl.DataFrame({**AT, "status_code": [200, 200, 200], "out": texts})
    path = tmp_path / f"log.{kind}"
    table.write_csv(path) if kind == "csv" else table.write_parquet(path)
    parsed = parse(path, format_name, options={"body": "out"})
    assert ("reported", expected, cost) in stated(parsed)
    assert not (parsed.quarantine["severity"] == "error").any()


def test_a_row_of_parquet_that_is_set_aside_below_a_stream_is_found_by_its_own_hash(tmp_path: Path) -> None:
    """Once the hash was that of the row that has the same number among those without a stream, or there was none."""
    format_name, events, _, _ = STREAMS["openai"]
    rows = [{**AT, "model": f"gpt-{number}", "out": captured(events) if number == 0 else None} for number in range(4)]
    rows[2]["model"] = "gpt-\x00"
    pl.DataFrame(rows).write_parquet(tmp_path / "log.parquet")
    parsed = parse(tmp_path / "log.parquet", format_name, options={"body": "out"})
    aside = parsed.quarantine.filter(pl.col("line_no") == 3)
    own = json.dumps(rows[2], separators=(",", ":")).encode()
    assert aside["record_sha256"].to_list() == [hashlib.sha256(own).hexdigest()]


def test_quotes_may_be_escaped_by_their_number(tmp_path: Path) -> None:
    _, events, expected, cost = STREAMS["openai"]
    line = json.dumps({**AT, "response_body": captured(events)}).replace('\\"', "\\u0022")
    assert stated(parse_records(tmp_path, "openai_chat", [line])) == [("reported", expected, cost)]


def test_streams_one_after_the_other_and_at_once_are_distinguished(tmp_path: Path) -> None:
    one, two = (chat(name, {"prompt_tokens": tokens, "completion_tokens": 1}) for name, tokens in (("a", 5), ("b", 6)))
    mixed = [event for pair in zip(one, two, strict=True) for event in pair]
    usage = [("reported", {"input_uncached": tokens, "output_text": 1}, None) for tokens in (5, 6)]
    for number, text in enumerate([captured(one) + captured(two), captured(mixed)]):
        assert sorted(stated(land(tmp_path, text, "openai_chat", f"{number}.sse")), key=str) == usage


def test_calls_whose_texts_say_the_same_are_distinguished_by_their_ids(tmp_path: Path) -> None:
    again = [{**event, "id": "77aa"} if "id" in event else event for event in COHERE]
    lines = [{**AT, "response": captured(events)} for events in (COHERE, again)]
    assert len(stated(parse_records(tmp_path, "openai_chat", lines))) == 2
    assert len(stated(land(tmp_path, captured(COHERE) + captured(again), "openai_chat", **UNDATED))) == 2


def test_a_cut_text_leaves_the_next_record_its_own_usage(tmp_path: Path) -> None:
    cut, whole = captured(anthropic("msg_1", 40, 9)[:2], done=False), captured(anthropic("msg_2", 50, 8))
    parsed = parse_records(
        tmp_path, "anthropic_messages", [{**AT, "response": text + "data: {"} for text in (cut, whole)]
    )
    assert stated(parsed) == [
        ("partial", {"input_uncached": 40}, None),
        ("reported", {"input_uncached": 50, "output_text": 8}, None),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_data_over_several_lines_is_one_event(tmp_path: Path, end: str) -> None:
    _, events, expected, cost = STREAMS["openai"]
    pretty = [json.dumps(event, indent=1).split("\n") for event in events]
    text = (end + end).join("".join(f"data: {line}{end}" for line in event) for event in pretty)
    parsed = land(tmp_path, text, "openai_chat")
    assert (stated(parsed), parsed.quarantined) == ([("reported", expected, cost)], 0)
    assert stated(parse_records(tmp_path, "openai_chat", [{"response": text}])) == [("reported", expected, cost)]  # fmt: skip


def test_each_record_keeps_its_place(tmp_path: Path) -> None:
    text = captured(chat("a", None), "\r\n").replace('"usage": null', '"usage": nul')
    parsed = land(tmp_path, text, "openai_chat")
    broken = parsed.quarantine.filter(severity="error")
    assert broken.height == 3
    for line_no, byte_from, byte_to in broken.select("line_no", "byte_from", "byte_to").iter_rows():
        line = text.encode()[byte_from:byte_to]
        assert line == (text.split("\n")[line_no - 1] + "\n").encode()
        assert line.startswith(b"data: {")
    assert set(parsed.quarantine.filter(severity="info")["reason"]) == {"not_a_request"}


@pytest.mark.parametrize("chunk_bytes", [1, 7, 64, 1000])
def test_the_places_of_chunks_do_not_matter(tmp_path: Path, chunk_bytes: int) -> None:
    events = [json.dumps(event, indent=1) for event in chat("a", MISTRAL)]
    text = "\n\n".join("\n".join(f"data: {line}" for line in event.split("\n")) for event in events)
    path = tmp_path / "capture.sse"
    path.write_text(text)
    read = list(event_streams.data_lines(chunks(path, chunk_bytes=chunk_bytes), Tally()))
    lines = [chunk.data[start:end] for chunk in read for start, end in zip(chunk.starts, chunk.ends, strict=True)]
    assert [json.loads(line) for line in lines if line.strip()] == chat("a", MISTRAL)
    assert (len(lines), sum(map(len, lines))) == (text.count("\n") + 1, len(text))


def test_what_curl_prints_around_a_stream_is_harmless(tmp_path: Path) -> None:
    _, events, expected, cost = STREAMS["openai"]
    around = "* Connected\n> POST /v1 HTTP/2\n< HTTP/2 200\n< content-type: text/event-stream\n{ [5 bytes data]\n\n"
    parsed = land(tmp_path, around + captured(events), "openai_chat")
    assert stated(parsed) == [("reported", expected, cost)]
    assert set(parsed.quarantine["severity"]) == {"info"}


def test_a_container_may_have_written_the_stream(tmp_path: Path) -> None:
    instant = "2026-02-12T08:00:00.000000000Z"
    text = captured(anthropic("msg_1", 40, 9))
    records = [{"log": f"{line}\n", "stream": "stdout", "time": instant} for line in text.split("\n")]
    assert stated(parse_records(tmp_path, "anthropic_messages", records)) == [
        ("reported", STREAMS["anthropic"][2], None)
    ]


def test_a_text_of_events_in_what_was_asked_is_no_answer(tmp_path: Path) -> None:
    answer = {**chat("a", MISTRAL)[2], "request_body": captured(chat("b", DEEPSEEK))}
    assert stated(parse_records(tmp_path, "openai_chat", [answer])) == [("reported", STREAMS["mistral"][2], None)]


def test_a_text_without_any_whole_event_is_set_aside(tmp_path: Path) -> None:
    parsed = parse_records(tmp_path, "openai_chat", [{**AT, "response_body": 'data: {"id": "a", "usa'}])
    assert parsed.quarantine.select("reason", "severity").rows() == [("not_json", "error")]
