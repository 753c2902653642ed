"""Logs of containers and of servers: the records that were written, each once, whatever a runtime put around or between them."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pipelines.records import file_kinds, line_chunks
from pipelines.requests import ParsedFile
from tests.unit.requests.helpers import buckets, parse, row, rows
from tests.unit.requests.samples import AT, SAMPLES, SECRET

CHAT = next(sample for sample in SAMPLES if sample.format == "openai_chat")
AT_NS = "2026-02-12T10:20:31.123456789Z"
Wrap = Callable[[str], list[str]]


def docker(written: str) -> list[str]:
    pieces = [written[start : start + 16384] for start in range(0, len(written), 16384)]
    ends = [*[""] * (len(pieces) - 1), "\n"]
    return [
        json.dumps({"log": piece + end, "stream": "stdout", "time": AT_NS})
        for piece, end in zip(pieces, ends, strict=True)
    ]


def kubernetes(written: str) -> list[str]:
    pieces = [written[start : start + 16384] for start in range(0, len(written), 16384)]
    return [f"{AT_NS} stdout {'P' if piece is not pieces[-1] else 'F'} {piece}" for piece in pieces]


def fluent_bit(written: str) -> list[str]:
    """A collector that joined the pieces and put the pod next to them."""
    return [json.dumps({"@timestamp": AT_NS, "kubernetes": {"pod_name": "vllm-0"}, "log": written})]


WRAPS: dict[str, Wrap] = {"docker": docker, "kubernetes": kubernetes, "fluent_bit": fluent_bit}


def land(folder: Path, lines: list[str], format_name: str, **declared: Any) -> ParsedFile:
    path = folder / f"{len(lines)}.log"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return parse(path, format_name, **declared)


def record(number: int, size: int = 0) -> dict[str, Any]:
    return {**CHAT.record, "id": f"chatcmpl-{number}", "choices": [{"message": {"content": SECRET + "é" * size}}]}


@pytest.mark.parametrize("wrap", WRAPS)
def test_every_wrapped_record_is_read_and_what_the_server_says_is_none(tmp_path: Path, wrap: str) -> None:
    said = 'INFO:     127.0.0.1:1234 - "POST /v1/chat/completions HTTP/1.1" 200 OK'
    written = [
        said,
        *(json.dumps(record(number, size), ensure_ascii=False) for number, size in ((1, 0), (2, 50_000), (3, 0))),
    ]
    lines = [line for text in written for line in WRAPS[wrap](text)]
    parsed = land(tmp_path, lines, "openai_chat")
    found = rows(parsed)
    assert found["source_request_id"].to_list() == ["chatcmpl-1", "chatcmpl-2", "chatcmpl-3"]
    assert all(buckets(request) == CHAT.expected for request in found.to_dicts())
    assert parsed.quarantine.select("reason", "severity").rows() == [("not_a_request", "info")]
    # Each record is on the line of its last piece.
    assert found["line_no"].to_list() == [2, len(lines) - 1, len(lines)]


@pytest.mark.parametrize("wrap", WRAPS)
def test_an_answer_without_an_instant_has_that_of_its_wrapper(tmp_path: Path, wrap: str) -> None:
    bare = {key: value for key, value in CHAT.record.items() if key != "created"}
    found = row(land(tmp_path, WRAPS[wrap](json.dumps(bare)), "openai_chat"))
    assert found["event_at"].isoformat() == "2026-02-12T10:20:31.123456+00:00"
    dated = row(land(tmp_path, [*WRAPS[wrap](json.dumps(CHAT.record)), "", ""], "openai_chat"))
    assert dated["event_at"].isoformat() == "2026-02-12T10:20:30+00:00"


@pytest.mark.slow
def test_pieces_are_joined_across_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_kinds, "chunks", partial(line_chunks.chunks, chunk_bytes=40_000))
    lines = [line for number in range(20) for line in docker(json.dumps(record(number, 10_000)))]
    parsed = land(tmp_path, lines, "openai_chat")
    assert (parsed.valid, parsed.quarantined) == (20, 0)


def test_a_half_written_wrapped_line_is_named(tmp_path: Path) -> None:
    lines = [*docker(json.dumps(record(1))), *kubernetes(json.dumps(record(2, 50_000)))[:-1]]
    parsed = land(tmp_path, lines, "openai_chat")
    assert (parsed.valid, parsed.quarantine["reason"].to_list()) == (1, ["not_json"])


def test_a_field_called_log_is_no_wrapper(tmp_path: Path) -> None:
    assert row(land(tmp_path, [json.dumps({**CHAT.record, "log": "level=info"})], "openai_chat"))["source_request_id"]


def test_a_log_in_colours_is_read_as_without(tmp_path: Path) -> None:
    lines = [json.dumps(record(number)) for number in range(80)]
    lines[3] = f"\x1b[32mINFO\x1b[0m {lines[3]}"
    lines[5] = f"\x1b[36m{lines[5]}\x1b[0m"
    lines[7] = lines[7].replace('"id"', '\x1b[1;34m"id"\x1b[0m')
    parsed = land(tmp_path, lines, "openai_chat")
    assert (parsed.valid, parsed.quarantined) == (80, 0)


# --- Text Generation Inference's own log

TEXT = (
    "\x1b[2m2026-02-12T10:20:30.500000Z\x1b[0m \x1b[32m INFO\x1b[0m \x1b[1mgenerate_stream\x1b[0m{\x1b[3mparameters\x1b[0m\x1b[2m=\x1b[0m"
    "GenerateParameters { best_of: None, max_new_tokens: Some(20), stop: [\"" + SECRET + "\"] } \x1b[3mtotal_time\x1b[0m\x1b[2m=\x1b[0m"
    '"1.204567891s" validation_time="1.1ms" queue_time="50.2µs" inference_time="1.203417691s" time_per_token="60.170884ms" '
    'seed="Some(1)"}: text_generation_router::server: router/src/server.rs:500: Success'
)  # fmt: skip
STARTED = "2026-02-12T10:20:00.000000Z  INFO text_generation_router::server: router/src/server.rs:2266: Connected"
SPAN = {"total_time": "1.204567891s", "validation_time": "1.1ms", "queue_time": "50.2µs", "inference_time": "1.203417691s",
        "time_per_token": "60.170884ms", "parameters": SECRET, "name": "generate_stream"}  # fmt: skip
JSON = json.dumps({"timestamp": AT, "level": "INFO", "message": "Success", "span": SPAN, "spans": [SPAN]})


@pytest.mark.parametrize(
    "lines", [[STARTED, TEXT], [JSON], docker(STARTED) + docker(TEXT), kubernetes(JSON), kubernetes(TEXT)]
)
def test_the_log_of_a_tgi_server_states_what_was_generated(tmp_path: Path, lines: list[str]) -> None:
    """1.203417691 s at 60.170884 ms a token are 20 tokens."""
    found = row_of = rows(land(tmp_path, lines, "tgi", defaults={"model": "mistral-7b"}))
    assert found.height == 1
    request = row_of.row(0, named=True)
    assert (buckets(request), request["usage_basis"], request["request_model"]) == (
        {"output_text": 20},
        "partial",
        "mistral-7b",
    )
    assert (request["latency_ms"], request["event_at"].isoformat()) == (1204.567891, "2026-02-12T10:20:30.500000+00:00")
