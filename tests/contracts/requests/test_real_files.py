"""Real logs that no one on this project wrote: every total equals an independent count with the standard library."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.meters import INPUT_METERS, OUTPUT_METERS
from pipelines.requests import ParsedFile, parse_file
from tests.unit.requests.helpers import all_days, buckets, landed, rows, source_of

LATER = date(2026, 11, 1)


@pytest.fixture
def logs(shared_data: Path) -> Path:
    return shared_data / "requests"


def parse(path: Path, store: Path, format_name: str, **declared: Any) -> ParsedFile:
    source = source_of(format_name, **declared)
    parsed = parse_file(landed(path, source.source, LATER), source, store)
    assert parsed.lines == parsed.valid + parsed.quarantined
    return parsed


def total(frame: pl.DataFrame, meters: tuple[Any, ...]) -> int:
    return int(
        frame.select(pl.sum_horizontal(pl.col(meter.tokens_column).cast(pl.Int64) for meter in meters).sum()).item()
    )


def json_lines(path: Path) -> Iterator[dict[str, Any]]:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    for line in content.decode().splitlines():
        yield json.loads(line, parse_float=Decimal)


def test_300_billed_openrouter_calls(logs: Path, tmp_path: Path) -> None:
    path = logs / "openrouter" / "usage_2026-02_first300.jsonl"
    parsed = parse(path, tmp_path, "openrouter")
    records = list(json_lines(path))
    usages = [record["usage"] for record in records if record.get("usage")]
    reasoning = [usage["completion_tokens_details"]["reasoning_tokens"] for usage in usages]
    broken = [number for number, usage in enumerate(usages) if reasoning[number] > usage["completion_tokens"]]
    assert (len(records), len(usages), len(broken)) == (300, 299, 1)
    found = all_days([parsed]).requests
    assert (parsed.quarantined, found.height) == (0, 300)
    assert found["usage_basis"].value_counts().sort("usage_basis")["count"].to_list() == [1, 299]
    # One billed call counts more reasoning than output: it costs the detail, not the call.
    marked = found.filter(pl.col("tags").str.contains("dropped_details"))
    assert marked.select("line_no", "output_reasoning_tokens", "output_text_tokens").rows() == [
        (281, 0, usages[broken[0]]["completion_tokens"])
    ]
    assert total(found, INPUT_METERS) == sum(usage["prompt_tokens"] for usage in usages)
    assert total(found, OUTPUT_METERS) == sum(usage["completion_tokens"] for usage in usages)
    assert found["reported_cost_usd"].sum() == sum((Decimal(str(usage["cost"])) for usage in usages), Decimal(0))
    assert found["web_search_count"].sum() == 1
    assert set(found["provider_id"]) == {"openrouter"}


def test_the_azure_trace_through_a_mapping(logs: Path, tmp_path: Path) -> None:
    path = logs / "traces" / "AzureLLMInferenceTrace_code.csv"
    options = {"columns": {"event_at": "TIMESTAMP", "input": "ContextTokens", "output": "GeneratedTokens"}}
    parsed = parse(path, tmp_path, "mapping", options=options, defaults={"provider_id": "azure", "model": "gpt-4"})
    with path.open(newline="", encoding="utf-8") as file:
        records = list(csv.DictReader(file))
    found = all_days([parsed]).requests.sort("line_no")
    assert (parsed.lines, parsed.quarantined, found.height) == (len(records), 0, 8819)
    assert found["input_uncached_tokens"].to_list() == [int(record["ContextTokens"]) for record in records]
    assert found["output_text_tokens"].to_list() == [int(record["GeneratedTokens"]) for record in records]
    # Seven digits of a second are cut to microseconds.
    assert found["event_at"].dt.strftime("%Y-%m-%d %H:%M:%S%.6f").to_list() == [
        record["TIMESTAMP"][:26] for record in records
    ]
    assert parsed.event_dates == (date(2023, 11, 16),)


@pytest.mark.slow
def test_the_mooncake_trace_with_times_from_its_own_origin(logs: Path, tmp_path: Path) -> None:
    path = logs / "traces" / "mooncake_conversation_trace.jsonl.gz"
    options = {
        "columns": {"event_at": "timestamp", "input": "input_length", "output": "output_length"},
        "time": {"format": "epoch_ms", "origin": "2024-11-01T00:00:00Z"},
    }
    parsed = parse(path, tmp_path, "mapping", options=options)
    records = list(json_lines(path))
    found = rows(parsed)
    assert (parsed.lines, parsed.valid) == (len(records), 12031)
    assert found["input_uncached_tokens"].to_list() == [record["input_length"] for record in records]
    assert found["output_text_tokens"].sum() == sum(record["output_length"] for record in records)
    # Rows without an id that say the same are taken for one request: there is one such pair.
    repeated = Counter((record["timestamp"], record["input_length"], record["output_length"]) for record in records)
    assert all_days([parsed]).duplicates.height == sum(count - 1 for count in repeated.values()) == 1


def test_the_litellm_spend_log_payload(logs: Path, tmp_path: Path) -> None:
    parsed = parse(logs / "litellm" / "litellm_spend_logs_payload_sample.json", tmp_path, "litellm_spend_logs")
    [found] = rows(parsed).to_dicts()
    assert buckets(found) == {"input_uncached": 10, "output_text": 20}
    assert found["reported_cost_usd"] == Decimal("0.000225").quantize(Decimal(1).scaleb(-18))
    assert found["event_at"].isoformat() == "2025-01-24T09:20:46.847371+00:00"


def format_of(record: dict[str, Any]) -> str | None:
    """The format of one of the recorded usage objects, known by where it was recorded; None for parts of an answer."""
    usage, host = record["usage"], record["host"]
    if "guardrail" in record["usage_path"] or "breakdown" in record["usage_path"]:
        return None
    if "usageMetadata" in record["usage_path"]:
        return "gemini"
    if "inputTokens" in usage:
        return "bedrock_converse"
    if "cache_creation_input_tokens" in usage:
        return "anthropic_messages"
    if host == "openrouter.ai":
        return "openrouter"
    return "openai_responses" if "input_tokens" in usage else "openai_chat"


def as_logged(record: dict[str, Any], number: int) -> dict[str, Any]:
    """The answer as a logger writes it, put together from what was recorded of it."""
    path = record["usage_path"].strip(".").split(".")
    meta = {**record["meta"], "created": 1780000000, "created_at": 1780000000}
    kind = meta.pop("type", None)
    body: dict[str, Any] = {**meta, path[-1]: record["usage"], "responseId": str(number), "id": str(number)}
    if path[0] == "x_groq":
        body = {**meta, "id": str(number), "x_groq": {"usage": record["usage"]}}
    elif len(path) == 2:
        body = {"type": kind, path[0]: body}
    return {"timestamp": "2026-10-01T00:00:00Z", "requestId": str(number), **body}


def left_out(record: dict[str, Any]) -> list[dict[str, Any]]:
    """The calls within an answer of Anthropic's that its usage does not contain."""
    iterations = record["usage"].get("iterations") or []
    return [call for call in iterations if call["type"] in ("advisor_message", "compaction")]


def totals_of_call(call: dict[str, Any]) -> tuple[int, int]:
    return call["input_tokens"] + call["cache_read_input_tokens"] + call["cache_creation_input_tokens"], call[
        "output_tokens"
    ]


def totals(record: dict[str, Any]) -> tuple[int, int]:
    """Input and output tokens of a usage object by its provider's own documentation."""
    usage = {name: value for name, value in record["usage"].items() if isinstance(value, int)}
    get = usage.get
    match format_of(record):
        case "gemini":
            return (
                get("promptTokenCount", 0) + get("toolUsePromptTokenCount", 0),
                get("candidatesTokenCount", 0) + get("thoughtsTokenCount", 0),
            )
        case "bedrock_converse":
            cached = get("cacheReadInputTokens", 0) + get("cacheWriteInputTokens", 0)
            return usage["inputTokens"] + cached, usage["outputTokens"]
        case "anthropic_messages":
            # The output of a start is a placeholder.
            made = 0 if record["meta"].get("type") == "message_start" else usage["output_tokens"]
            cached = usage["cache_read_input_tokens"] + usage["cache_creation_input_tokens"]
            return usage["input_tokens"] + cached, made
        case _ if "billed_units" in record["usage"]:
            return record["usage"]["billed_units"]["input_tokens"], record["usage"]["billed_units"]["output_tokens"]
        case _ if (
            "gemini" in str(record["meta"].get("model")) and record["host"] == "generativelanguage.googleapis.com"
        ):
            return usage["prompt_tokens"], usage["total_tokens"] - usage["prompt_tokens"]
        case _ if "prompt_tokens" not in usage and "input_tokens" not in usage:
            return usage["total_tokens"], 0
        case _:
            return get("prompt_tokens", get("input_tokens", 0)), get("completion_tokens", get("output_tokens", 0))


@pytest.mark.slow
def test_1305_real_usage_objects_of_some_twenty_apis(logs: Path, tmp_path: Path) -> None:
    records = list(json_lines(logs / "provider_responses" / "usage_objects.jsonl"))
    by_format: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        if (name := format_of(record)) is not None:
            by_format.setdefault(name, []).append(record)
    checked, apart, refused, dropped = 0, 0, [], []
    for name, found in by_format.items():
        path = tmp_path / f"{name}.jsonl"
        lines = [json.dumps(as_logged(record, number), default=str) for number, record in enumerate(found)]
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        parsed = parse(path, tmp_path / "store", name)
        refused += parsed.quarantine.select(pl.lit(name), "reason", "severity", "line_no").rows()
        for request in rows(parsed).iter_rows(named=True):
            record = found[request["line_no"] - 1]
            bought = sum(request[meter.tokens_column] for meter in INPUT_METERS)
            made = sum(request[meter.tokens_column] for meter in OUTPUT_METERS)
            calls = [totals(record), *map(totals_of_call, left_out(record))]
            assert (bought, made) == calls[request["item_no"]], record
            checked += request["item_no"] == 0
            dropped += [text] if (text := json.loads(request["tags"] or "{}").get("dropped_details")) else []
            apart += request["item_no"] > 0
    assert (len(records), apart) == (1305, 7)
    # Set aside: a created cache, which is no call. An answer with more reasoning than output, and one whose cached
    # tokens were read and written at once, so that its parts exceed its input, lose these details.
    assert [(name, reason, severity) for name, reason, severity, _ in refused] == [("gemini", "not_a_request", "info")]
    assert sorted(dropped) == ["cache_read cache_write", "reasoning"]
    parts = sum(format_of(record) is None for record in records)
    assert checked + len(refused) + parts == 1305


def test_claude_code_sessions(logs: Path, tmp_path: Path) -> None:
    parsed, expected, lines = [], Counter[str](), 0
    for path in sorted((logs / "claude_code").glob("*.jsonl")):
        parsed.append(parse(path, tmp_path, "claude_code"))
        for line in path.read_text(encoding="utf-8").splitlines():
            if not line.strip():
                continue
            lines += 1
            try:
                record = json.loads(line)
            except json.JSONDecodeError:
                continue
            message = record.get("message") if isinstance(record, dict) else None
            if isinstance(message, dict) and isinstance(message.get("usage"), dict):
                expected.update(
                    {name: count for name, count in message["usage"].items() if isinstance(count, int)}
                    | {"requests": 1}
                )
    found = all_days(parsed).requests
    assert sum(file.lines for file in parsed) == lines
    assert found.height == expected["requests"] == 15
    assert found["input_uncached_tokens"].sum() == expected["input_tokens"]
    assert found["input_cache_read_tokens"].sum() == expected["cache_read_input_tokens"]
    assert found["input_cache_write_tokens"].sum() == expected["cache_creation_input_tokens"]
    assert found["output_text_tokens"].sum() == expected["output_tokens"]
    assert found["reported_cost_usd"].sum() == Decimal("1.09")


def test_a_codex_session(logs: Path, tmp_path: Path) -> None:
    [path] = (logs / "codex").glob("*.jsonl")
    found = all_days([parse(path, tmp_path, "codex")]).requests
    last = list(json_lines(path))[-1]["payload"]["info"]["total_token_usage"]
    assert (total(found, INPUT_METERS), total(found, INPUT_METERS) + total(found, OUTPUT_METERS)) == (
        last["input_tokens"],
        last["total_tokens"],
    )
    assert found["input_cache_read_tokens"].sum() == last["cached_input_tokens"]
    assert found["output_reasoning_tokens"].sum() == last["reasoning_output_tokens"]
    assert found["response_model"].to_list() == ["gpt-5.2-codex", "gpt-5.3-codex"]


@pytest.mark.slow
def test_langfuse_exports(logs: Path, tmp_path: Path) -> None:
    parsed, observations = [], []
    for path in sorted((logs / "langfuse").glob("*.json")):
        parsed.append(parse(path, tmp_path, "langfuse"))
        observations += json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)["observations"]
    calls = [item for item in observations if item["type"] == "GENERATION"]
    found = all_days(parsed).requests
    assert sum(file.lines for file in parsed) == len(observations)
    assert found.height == len(calls) == 12
    assert total(found, (*INPUT_METERS, *OUTPUT_METERS)) == sum(item["usageDetails"]["total"] for item in calls)
    assert found["reported_cost_usd"].sum() == sum((Decimal(str(item["totalCost"])) for item in calls), Decimal(0))
    assert all(file.quarantine["severity"].eq("info").all() for file in parsed)


# --- Every file of the folder, each with its own books

FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    "claude_code": ("claude_code", {}),
    "codex": ("codex", {}),
    "langfuse": ("langfuse", {}),
    "litellm": ("litellm_spend_logs", {}),
    "openrouter": ("openrouter", {}),
    "AzureLLMInferenceTrace_code.csv": (
        "mapping",
        {"options": {"columns": {"event_at": "TIMESTAMP", "input": "ContextTokens", "output": "GeneratedTokens"}}},
    ),
    "mooncake_conversation_trace.jsonl.gz": (
        "mapping",
        {"options": {"columns": {"event_at": "timestamp", "input": "input_length", "output": "output_length"},
                     "time": {"format": "epoch_ms", "origin": "2024-11-01T00:00:00Z"}}},
    ),
}  # fmt: skip
ELSEWHERE = {"provider_responses"}
"""What was recorded of answers, not a log: put together again in the tests above and below."""


def _messages(path: Path) -> list[object]:
    """Identities of the answers in a session file of Claude Code; other lines give None."""
    found: list[object] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            record = None
        message = record.get("message") if isinstance(record, dict) else None
        is_answer = isinstance(message, dict) and isinstance(message.get("usage"), dict)
        answered = is_answer and message.get("model") != "<synthetic>"
        found.append((message.get("id"), record.get("requestId")) if answered else None)
    return found


def _counts(path: Path) -> list[object]:
    """Totals that the counter of a Codex session reached; other lines give None."""
    totals: list[object] = []
    for record in json_lines(path):
        info = record.get("payload", {}).get("info") if record.get("type") == "event_msg" else None
        totals.append(json.dumps(info["total_token_usage"], default=str, sort_keys=True) if info else None)
    return totals


def _identities(path: Path) -> list[object]:
    """Per record of a file what makes it a request of its own, None where it is none; by the standard library alone."""
    match path.parent.name:
        case "claude_code":
            return _messages(path)
        case "codex":
            return _counts(path)
        case "langfuse":
            found = json.loads(path.read_text(encoding="utf-8"))["observations"]
            return [item["id"] if item["type"] in ("GENERATION", "EMBEDDING") else None for item in found]
        case "litellm":
            return [json.loads(path.read_text(encoding="utf-8"))["request_id"]]
        case "openrouter":
            return [number for number, _ in enumerate(json_lines(path))]
        case _ if path.suffix == ".csv":
            with path.open(newline="", encoding="utf-8") as file:
                return [tuple(row.values()) for row in csv.DictReader(file)]
        case _:
            return [(r["timestamp"], r["input_length"], r["output_length"]) for r in json_lines(path)]


@pytest.mark.slow
def test_every_file_has_its_books(logs: Path, tmp_path: Path) -> None:
    """For each file: lines, loaded, duplicates and quarantined, each as counted by the standard library alone."""
    seen = 0
    for path in sorted(path for path in logs.rglob("*") if path.is_file()):
        key = path.name if path.name in FORMATS else path.parent.name
        if key in ELSEWHERE:
            continue
        format_name, declared = FORMATS[key]
        parsed = parse(path, tmp_path, format_name, **declared)
        identities = _identities(path)
        requests = [identity for identity in identities if identity is not None]
        found = all_days([parsed]) if parsed.valid else None
        loaded, dropped = (found.requests.height, found.duplicates.height) if found else (0, 0)
        books = (parsed.lines, loaded, dropped, parsed.quarantined)
        distinct = len(set(requests))
        expected = (len(identities), distinct, len(requests) - distinct, len(identities) - len(requests))
        assert books == expected, path.name
        assert parsed.lines == loaded + dropped + parsed.quarantined
        seen += 1
    assert seen == 17


@pytest.mark.slow
def test_each_kind_of_api_is_loaded_in_full(logs: Path, tmp_path: Path) -> None:
    """Per host of the recorded answers: records, and those set aside, which are named above one by one."""
    records = list(json_lines(logs / "provider_responses" / "usage_objects.jsonl"))
    of_host: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for record in records:
        if (name := format_of(record)) is not None:
            of_host.setdefault((record["host"], name), []).append(record)
    refused: dict[str, int] = {}
    for number, ((host, name), found) in enumerate(sorted(of_host.items())):
        path = tmp_path / f"{number}.jsonl"
        lines = [json.dumps(as_logged(record, line), default=str) for line, record in enumerate(found)]
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        parsed = parse(path, tmp_path / "store", name)
        assert parsed.lines == len(found) + sum(len(left_out(record)) for record in found), host
        if parsed.quarantined:
            refused[host] = refused.get(host, 0) + parsed.quarantined
        by_line = {row["line_no"]: row for row in rows(parsed).iter_rows(named=True)}
        spent = [totals(record) for line, record in enumerate(found, start=1) if line in by_line]
        spent += [totals_of_call(call) for record in found for call in left_out(record)]
        made = rows(parsed)
        assert (total(made, INPUT_METERS), total(made, OUTPUT_METERS)) == (
            sum(i for i, _ in spent),
            sum(o for _, o in spent),
        ), host
    assert len({host for host, _ in of_host}) >= 18
    assert refused == {"generativelanguage.googleapis.com": 1}
