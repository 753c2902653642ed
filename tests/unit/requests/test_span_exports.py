"""A span as each tool of OpenTelemetry exports it: older and newer names, containers, rows of a table; every one the same facts.

Records are typed by hand after the tools' documented shapes.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.unit.requests.helpers import (
    all_days,
    as_csv,
    buckets,
    landed_bytes,
    parse,
    parse_records,
    row,
    sample,
)
from tests.unit.requests.samples import AT, INCLUSIVE, SECRET

NANOS = "1770891630500000000"

SPAN = {"trace_id": "5b8efff798038103d269b633813fc60c", "span_id": "eee19b7ec3c1b174", "start_time": AT}
SPANS: dict[str, dict[str, Any]] = {
    "newest": {"attributes": {"gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-5", "gen_ai.usage.input_tokens": 1000,
               "gen_ai.usage.output_tokens": 300, "gen_ai.usage.cache_read.input_tokens": 400,
               "gen_ai.usage.reasoning.output_tokens": 200}},
    "oldest": {"attributes": {"gen_ai.system": "openai", "gen_ai.response.model": "gpt-5", "gen_ai.usage.prompt_tokens": 1000,
               "gen_ai.usage.completion_tokens": 300, "llm.usage.total_tokens": 1300, "gen_ai.usage.cache_read_input_tokens": 400,
               "gen_ai.usage.reasoning_tokens": 200}},
    "details": {"attributes": {"gen_ai.system": "openai", "gen_ai.request.model": "gpt-5", "gen_ai.usage.input_tokens": 1000,
                "gen_ai.usage.output_tokens": 300, "gen_ai.usage.details.cached_tokens": 400,
                "gen_ai.usage.details.reasoning_tokens": 200}},
    "flat": {"gen_ai.system": "openai", "gen_ai.request.model": "gpt-5", "gen_ai.usage.input_tokens": "1000",
             "gen_ai.usage.output_tokens": "300", "gen_ai.usage.cache_read.input_tokens": "400",
             "gen_ai.usage.reasoning.output_tokens": "200"},
    "underscores": {"gen_ai_system": "openai", "gen_ai_request_model": "gpt-5", "gen_ai_usage_input_tokens": 1000,
                    "gen_ai_usage_output_tokens": 300, "gen_ai_usage_cache_read_input_tokens": 400,
                    "gen_ai_usage_reasoning_output_tokens": 200},
    "prefixed": {"attributes.gen_ai.system": "openai", "attributes.gen_ai.request.model": "gpt-5",
                 "attributes.gen_ai.usage.input_tokens": 1000, "attributes.gen_ai.usage.output_tokens": 300,
                 "attributes.gen_ai.usage.cache_read.input_tokens": 400,
                 "attributes.gen_ai.usage.reasoning.output_tokens": 200},
    "nested": {"attributes": {"gen_ai": {"system": "openai", "request": {"model": "gpt-5"}, "usage": {"input_tokens": 1000,
               "output_tokens": 300, "cache_read": {"input_tokens": 400}, "reasoning": {"output_tokens": 200}}}}},
    "openinference": {"attributes": {"openinference.span.kind": "LLM", "llm.provider": "openai", "llm.model_name": "gpt-5",
                      "llm.token_count.prompt": 1000, "llm.token_count.completion": 300, "llm.token_count.total": 1300,
                      "llm.token_count.prompt_details.cache_read": 400, "llm.token_count.completion_details.reasoning": 200,
                      "input.value": SECRET}},
    "openinference nested": {"attributes": {"openinference": {"span": {"kind": "LLM"}}, "llm": {"system": "openai",
                             "model_name": "gpt-5", "token_count": {"prompt": 1000, "completion": 300,
                             "prompt_details": {"cache_read": 400}, "completion_details": {"reasoning": 200}}}}},
    "phoenix": {"context": {"trace_id": "0x5B8EFFF798038103D269B633813FC60C", "span_id": "eee19b7ec3c1b174"}, "span_kind": "LLM",
                "attributes.llm.model_name": "gpt-5", "attributes.llm.provider": "openai",
                "attributes.llm.token_count.prompt": 1000, "attributes.llm.token_count.completion": 300,
                "attributes.llm.token_count.prompt_details.cache_read": 400,
                "attributes.llm.token_count.completion_details.reasoning": 200},
}  # fmt: skip


@pytest.mark.parametrize("name", SPANS)
def test_a_span_under_any_names(tmp_path: Path, name: str) -> None:
    record = SPANS[name] if "context" in SPANS[name] else {**SPAN, **SPANS[name]}
    found = row(parse_records(tmp_path, "otel_genai", [{"start_time": AT, **record}]))
    assert buckets(found) == INCLUSIVE
    assert (found["provider_id"], found["request_model"], found["operation"]) == ("openai", "gpt-5", "chat")
    plain = row(parse_records(tmp_path, "otel_genai", [{**SPAN, **SPANS["newest"]}]))
    assert found["request_uid"] == plain["request_uid"]


@pytest.mark.parametrize("name", ["flat", "underscores", "prefixed", "phoenix"])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_span_as_a_row_of_a_table(tmp_path: Path, name: str, kind: str) -> None:
    record = {**SPAN, **{key: value for key, value in SPANS[name].items() if key != "context"}}
    if name == "phoenix":
        record = {f"context.{key}" if key.endswith("_id") else key: value for key, value in record.items()}
    path = tmp_path / f"a.{kind}"
    if kind == "csv":
        path.write_bytes(as_csv(record))
    else:
        pl.DataFrame([record]).write_parquet(path)
    found = row(parse(path, "otel_genai"))
    assert buckets(found) == INCLUSIVE
    assert (found["provider_id"], found["request_model"]) == ("openai", "gpt-5")
    assert (
        found["request_uid"] == row(parse_records(tmp_path, "otel_genai", [{**SPAN, **SPANS["newest"]}]))["request_uid"]
    )


def _snake(value: Any) -> Any:
    """A container as a printed protobuf message names its parts."""
    if isinstance(value, list):
        return [_snake(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {re.sub("([A-Z])", lambda found: f"_{found[1].lower()}", key): _snake(item) for key, item in value.items()}


def _jaeger(otlp: dict[str, Any]) -> dict[str, Any]:
    """The one span of a container as Jaeger gives it out."""
    [container] = otlp["resourceSpans"]
    [group] = container["scopeSpans"]
    [span] = group["spans"]

    def tags(attributes: list[dict[str, Any]]) -> list[dict[str, Any]]:
        values = [(entry["key"], next(iter(entry["value"].values()))) for entry in attributes]
        return [{"key": key, "type": "string", "value": value} for key, value in values]

    scope = [{"key": f"otel.scope.{name}", "value": value} for name, value in group["scope"].items()]
    start = int(span["startTimeUnixNano"]) // 1000
    found = {
        "traceID": span["traceId"], "spanID": span["spanId"], "operationName": span["name"], "processID": "p1", "startTime": start,
        "duration": int(span["endTimeUnixNano"]) // 1000 - start, "tags": tags(span["attributes"]) + scope,
        "references": [{"refType": "CHILD_OF", "traceID": span["traceId"], "spanID": "aa"}],
    }  # fmt: skip
    processes = {"p1": {"serviceName": "shop", "tags": tags(container["resource"]["attributes"])}}
    return {"data": [{"traceID": span["traceId"], "spans": [found], "processes": processes}], "errors": None}


def test_a_span_in_the_containers_of_other_tools(tmp_path: Path) -> None:
    otlp = sample("otel_genai")
    same = ("request_uid", "event_at", "latency_ms", "request_model", "provider_id", "environment", "status")
    expected = row(parse_records(tmp_path, "otel_genai", [otlp]))
    for container in (_snake(otlp), {"batches": otlp["resourceSpans"]}, _jaeger(otlp), _jaeger(otlp)["data"][0]):
        found = row(parse_records(tmp_path, "otel_genai", [container]))
        assert buckets(found) == buckets(expected)
        assert [found[name] for name in same] == [expected[name] for name in same]
        assert json.loads(found["tags"])["emitter"] == json.loads(expected["tags"])["emitter"]


def test_a_row_of_clickhouse(tmp_path: Path) -> None:
    record = {
        "Timestamp": "2026-02-12 10:20:30.500000000", "TraceId": SPAN["trace_id"], "SpanId": SPAN["span_id"], "SpanName": "chat gpt-5",
        "ServiceName": "shop", "ResourceAttributes": {"deployment.environment": "prod"}, "ScopeName": "opentelemetry.openai",
        "SpanAttributes": {key: str(value) for key, value in SPANS["newest"]["attributes"].items()}, "Duration": "1500000000",
        "StatusCode": "Error",
    }  # fmt: skip
    found = row(parse_records(tmp_path, "otel_genai", [record]))
    assert buckets(found) == INCLUSIVE
    assert (found["latency_ms"], found["status"], found["environment"], found["application"]) == (
        1500,
        "error",
        "prod",
        "shop",
    )
    assert found["event_at"].isoformat() == "2026-02-12T10:20:30.500000+00:00"


def test_spans_of_openinference_that_only_hold_calls_are_none(tmp_path: Path) -> None:
    spans = [
        {**SPAN, "attributes": {**SPANS["openinference"]["attributes"], "openinference.span.kind": kind}}
        for kind in ("AGENT", "CHAIN", "TOOL", "RETRIEVER")
    ]
    parsed = parse_records(tmp_path, "otel_genai", spans)
    assert (parsed.valid, parsed.quarantine["severity"].unique().to_list()) == (0, ["info"])


def test_otlp_with_text_integers_lists_of_containers_and_one_document_per_line(tmp_path: Path) -> None:
    otlp = sample("otel_genai")
    expected = row(parse_records(tmp_path, "otel_genai", [otlp]))["request_uid"]
    for content in (json.dumps(otlp), json.dumps([otlp]), json.dumps(otlp, indent=2), f"{json.dumps(otlp)}\n"):
        found = row(landed_bytes(tmp_path, content.encode(), "otel_genai"))
        assert (found["request_uid"], buckets(found)["input_cache_read"]) == (expected, 600)


COUNTS = {
    "gen_ai.system": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": "5",
    "gen_ai.usage.output_tokens": "6",
}
AZURES = {
    "timestamp": AT,
    "id": "1a",
    "operation_Id": "a" * 32,
    "operation_ParentId": "b",
    "duration": 100,
    "success": True,
}
ANALYTICS = {"TimeGenerated": AT, "Id": "1b", "OperationId": "a" * 32, "DurationMs": 100, "Properties": COUNTS}
CONSOLE = {
    "traceId": "a" * 32,
    "id": "c" * 16,
    "timestamp": 1_770_890_400_123_456,
    "duration": 1000.5,
    "status": {"code": 0},
}


@pytest.mark.parametrize(
    "record",
    [
        {**AZURES, "customDimensions": COUNTS},
        {**AZURES, "customDimensions": json.dumps(COUNTS)},
        ANALYTICS,
        {"tables": [{"columns": [{"name": name} for name in ANALYTICS], "rows": [list(ANALYTICS.values())]}]},
        {"traceId": "a" * 32, "spans": [{"spanId": "1", "startTime": AT, "endTime": AT, "labels": COUNTS}]},
        {**CONSOLE, "attributes": COUNTS, "instrumentationScope": {"name": "x"}},
    ],
)
def test_spans_as_clouds_and_the_javascript_sdk_write_them(tmp_path: Path, record: dict[str, Any]) -> None:
    found = row(parse_records(tmp_path, "otel_genai", [record]))
    assert buckets(found) == {"input_uncached": 5, "output_text": 6}
    assert (found["request_model"], found["event_at"].hour) == ("gpt-4o", 10)


def test_a_table_that_application_insights_exports(tmp_path: Path) -> None:
    content = as_csv({**AZURES, "customDimensions": COUNTS})
    found = row(landed_bytes(tmp_path, content, "otel_genai", "a.csv"))
    assert (buckets(found), found["latency_ms"]) == ({"input_uncached": 5, "output_text": 6}, 100)


@pytest.mark.parametrize("written", ["otlp", "file"])
def test_gemini_cli_says_each_call_twice(tmp_path: Path, written: str) -> None:
    counts = {"input_token_count": 1000, "output_token_count": 50, "cached_content_token_count": 400}
    response = {"event.name": "gemini_cli.api_response", "session.id": "s", "model": "gemini-2.5-pro", **counts}
    own = {"event.name": "gen_ai.client.inference.operation.details", "gen_ai.request.model": "gemini-2.5-pro"}
    answered = own | {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 50}
    scope = {"name": "gemini-cli", "version": "v1"}

    def logged(attributes: dict[str, Any]) -> dict[str, Any]:
        if written == "file":
            return {"hrTime": [1_770_890_400, 5], "instrumentationScope": scope, "_body": "x", "attributes": attributes}
        listed = [
            {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
            for key, value in attributes.items()
        ]
        record = {"timeUnixNano": "1770890400000000005", "body": {"stringValue": "x"}, "attributes": listed}
        return {"resourceLogs": [{"scopeLogs": [{"scope": scope, "logRecords": [record]}]}]}

    parsed = parse_records(tmp_path, "otel_genai", [logged(own), logged(response), logged(answered)])
    assert buckets(row(parsed)) == {"input_uncached": 600, "input_cache_read": 400, "output_text": 50}


DATADOG = {
    "name": "chat", "trace_id": "7a", "span_id": "11", "parent_id": "10", "start_ns": 1770891630500000000, "duration": 1500000000.0,
    "status": "ok", "metrics": {"input_tokens": 1000.0, "output_tokens": 300.0, "total_tokens": 1300.0, "cache_read_input_tokens": 400,
                                "reasoning_output_tokens": 200},
}  # fmt: skip
OF_MODEL = {"model_name": "gpt-5", "model_provider": "openai"}


@pytest.mark.parametrize(
    "written",
    [
        [{"_dd.stage": "raw", "event_type": "span", "spans": [DATADOG | {"meta": {"span.kind": "llm", **OF_MODEL}}]}],
        {"data": {"type": "span", "attributes": {"ml_app": "shop", "session_id": "s", "spans": [
            DATADOG | {"meta": {"kind": "llm", **OF_MODEL, "input": {"value": SECRET}}}, DATADOG | {"span_id": "10", "meta": {"kind": "agent"}}]}}},
        {"data": [{"id": "e", "type": "span", "attributes": DATADOG | OF_MODEL | {"span_kind": "llm", "ml_app": "shop", "tags": ["env:prod"]}}],
         "meta": {"status": "done"}, "links": {}},
    ],
    ids=["sent by an SDK", "taken by the API", "exported"],
)  # fmt: skip
def test_spans_of_datadogs_llm_observability(tmp_path: Path, written: object) -> None:
    """The span of an agent repeats what the calls in it count, and is none."""
    parsed = parse_records(tmp_path, "otel_genai", written if isinstance(written, list) else [written])
    [found] = all_days([parsed]).requests.to_dicts()
    assert (buckets(found), found["request_model"], found["provider_id"]) == (INCLUSIVE, "gpt-5", "openai")
    assert (found["latency_ms"], found["event_at"].isoformat()) == (1500, "2026-02-12T10:20:30.500000+00:00")
