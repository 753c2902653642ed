"""The same call as each tool exports it: older and newer names, containers, flat columns, CSV; every one the same facts.

Records are typed by hand after the tools' documented shapes.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.unit.requests.helpers import (
    ARRIVAL,
    all_days,
    as_csv,
    buckets,
    landed_bytes,
    parse,
    parse_records,
    row,
    rows,
    sample,
    the_fault,
)
from tests.unit.requests.samples import AT, EPOCH, INCLUSIVE, MESSAGES, OPENAI_USAGE, SECRET

NANOS = "1770891630500000000"


# --- Gateways


def test_pages_of_litellms_spend_logs(tmp_path: Path) -> None:
    record = sample("litellm_spend_logs")
    page = {"data": [record, {**record, "request_id": "other"}], "total": 2, "page": 1}
    for content in (
        json.dumps(page),
        f"{json.dumps(page)}\n{json.dumps(page)}\n",
        json.dumps([record, {**record, "request_id": "other"}]),
    ):
        found = all_days([landed_bytes(tmp_path, content.encode(), "litellm_spend_logs")])
        assert [buckets(item) for item in found.requests.iter_rows(named=True)] == [INCLUSIVE] * 2


def test_a_csv_of_litellms_table_with_text_for_objects_and_empty_for_null(tmp_path: Path) -> None:
    record = {**sample("litellm_spend_logs"), "team_id": "", "completionStartTime": "", "cache_hit": ""}
    found = row(landed_bytes(tmp_path, as_csv(record), "litellm_spend_logs", "a.csv"))
    assert buckets(found) == INCLUSIVE
    assert (found["team"], found["reported_cost_usd"], found["ttft_ms"]) == ("search", Decimal("0.00123"), None)
    assert json.loads(found["tags"])["request_tags"] == '["a","b"]'


def test_langfuse_in_snake_case_and_as_csv(tmp_path: Path) -> None:
    """The export to a bucket writes the names of its database; the batch export writes objects as texts."""
    camel = sample("langfuse")
    names = {
        "traceId": "trace_id", "startTime": "start_time", "endTime": "end_time", "model": "provided_model_name",
        "usageDetails": "usage_details", "totalCost": "total_cost", "statusMessage": "status_message",
    }  # fmt: skip
    snake = {names.get(key, key): value for key, value in camel.items()}
    expected = row(parse_records(tmp_path, "langfuse", [camel]))
    for parsed in (
        parse_records(tmp_path, "langfuse", [snake]),
        landed_bytes(tmp_path, as_csv(camel), "langfuse", "camel.csv"),
        landed_bytes(tmp_path, as_csv(snake), "langfuse", "snake.csv"),
    ):
        found = row(parsed)
        assert buckets(found) == INCLUSIVE
        assert {
            name: found[name]
            for name in ("request_uid", "request_model", "session_id", "latency_ms", "reported_cost_usd")
        } == {
            name: expected[name]
            for name in ("request_uid", "request_model", "session_id", "latency_ms", "reported_cost_usd")
        }


def test_rows_of_langfuses_clickhouse_as_json_and_parquet(tmp_path: Path) -> None:
    """What ClickHouse 26.5 wrote of Langfuse's table `observations` with the query of docs/sources.md, in JSONEachRow and Parquet."""
    usage = {"input": 60, "input_cached_tokens": 40, "output": 12, "output_reasoning_tokens": 8, "total": 120}
    stated = {"id": "a", "trace_id": "ta", "project_id": "p", "type": "GENERATION", "parent_observation_id": "", "provided_model_name": "gpt-5", "level": "DEFAULT"}  # fmt: skip
    as_json = {**stated, "start_time": "2026-02-12 10:20:30.500", "end_time": "2026-02-12 10:20:32.000", "usage_details": usage, "total_cost": 0.000375, "status_message": None}  # fmt: skip
    start = datetime(2026, 2, 12, 10, 20, 30, 500_000, tzinfo=UTC)
    columns: dict[str, pa.Array] = {name: pa.array([value]) for name, value in stated.items()}
    columns |= {
        "start_time": pa.array([start], pa.timestamp("ms", "UTC")),
        "usage_details": pa.array([list(usage.items())], pa.map_(pa.string(), pa.uint64())),
        "total_cost": pa.array([Decimal("0.000375")], pa.decimal128(18, 12)),
    }
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    for parsed in (parse_records(tmp_path, "langfuse", [as_json]), parse(tmp_path / "a.parquet", "langfuse")):
        found = row(parsed)
        assert buckets(found) == {
            "input_uncached": 60,
            "input_cache_read": 40,
            "output_text": 12,
            "output_reasoning": 8,
        }
        assert (found["event_at"], found["reported_cost_usd"]) == (start, Decimal("0.000375"))


def test_an_older_observation_of_langfuse_counts_in_usage_only(tmp_path: Path) -> None:
    record = {**sample("langfuse"), "usage": {"input": 1000, "output": 300, "total": 1300, "unit": "TOKENS"}}
    del record["usageDetails"]
    assert buckets(row(parse_records(tmp_path, "langfuse", [record]))) == {"input_uncached": 1000, "output_text": 300}


def test_helicones_answer_and_csv(tmp_path: Path) -> None:
    record = sample("helicone")
    del record["request_properties"]["secret"]
    page = json.dumps({"data": [record], "error": None}).encode()
    for parsed in (
        landed_bytes(tmp_path, page, "helicone"),
        landed_bytes(tmp_path, as_csv(record), "helicone", "a.csv"),
    ):
        found = row(parsed)
        assert buckets(found) == {"input_uncached": 600, "input_cache_read": 400, "output_text": 300}
        assert found["session_id"] == "s1"


OPENROUTER_CSV = {
    "generation_id": "gen-1", "created_at": "2026-02-12 10:20:30.500", "cost_total": "0.00123", "cost_web_search": "0",
    "cost_cache": "-0.0001", "cost_file_processing": "0", "byok_usage_inference": "0", "tokens_prompt": "1000",
    "tokens_completion": "300", "tokens_reasoning": "200", "tokens_cached": "400", "model_permaslug": "openai/gpt-5-2025-08-07",
    "provider_name": "OpenAI", "variant": "standard", "cancelled": "false", "streamed": "true", "user": "u1",
    "finish_reason_raw": "stop", "finish_reason_normalized": "stop", "generation_time_ms": "1500", "time_to_first_token_ms": "300",
    "app_name": "shop", "api_key_name": "prod",
}  # fmt: skip


def test_openrouters_csv_of_single_calls(tmp_path: Path) -> None:
    own_key = {**OPENROUTER_CSV, "generation_id": "gen-2", "cost_total": "0.0001", "byok_usage_inference": "0.002"}
    found = rows(
        landed_bytes(tmp_path, as_csv(OPENROUTER_CSV, own_key), "openrouter", "openrouter_activity_2026-02-12.csv")
    )
    assert [buckets(item) for item in found.iter_rows(named=True)] == [INCLUSIVE] * 2
    assert found["reported_cost_usd"].to_list() == [Decimal("0.00123"), Decimal("0.0021")]
    first = found.row(0, named=True)
    assert (first["latency_ms"], first["ttft_ms"], first["application"], first["finish_reason"]) == (
        1500,
        300,
        "shop",
        "stop",
    )
    api = sample("openrouter")
    assert first["request_uid"] == row(parse_records(tmp_path, "openrouter", [{**api, "id": "gen-1"}]))["request_uid"]


def test_normalized_counts_of_a_generation_are_not_the_billed_ones(tmp_path: Path) -> None:
    generation = {"data": {"id": "gen-1", "created_at": AT, "model": "openai/gpt-5", "total_cost": 0.1, "tokens_prompt": 9, "tokens_completion": 9,
                           "native_tokens_prompt": 1000, "native_tokens_completion": 300}}  # fmt: skip
    assert buckets(row(parse_records(tmp_path, "openrouter", [generation]))) == {
        "input_uncached": 1000,
        "output_text": 300,
    }


# --- Clouds


def test_containers_of_bedrocks_invocation_log(tmp_path: Path) -> None:
    record = sample("bedrock_invocation")
    expected = row(parse_records(tmp_path, "bedrock_invocation", [record]))
    event = {"id": "3", "timestamp": 1770891630500, "message": json.dumps(record)}
    wrapped: dict[str, Any] = {
        "Records": {"Records": [record]},
        "subscription": {"messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "/bedrock", "logEvents": [event]},
        "query": {"events": [event], "searchedLogStreams": []},
    }
    for name, value in wrapped.items():
        for content in (json.dumps(value), json.dumps(value, indent=1), f"{json.dumps(value)}\n{json.dumps(record)}\n"):
            found = all_days([landed_bytes(tmp_path, content.encode(), "bedrock_invocation")]).requests
            assert found["request_uid"].to_list() == [expected["request_uid"]], name
    control = {
        "messageType": "CONTROL_MESSAGE",
        "logEvents": [{"id": "", "timestamp": 1, "message": f"CWL CONTROL MESSAGE {SECRET}"}],
    }
    fault = the_fault(parse_records(tmp_path, "bedrock_invocation", [control]))
    assert (fault["reason"], fault["severity"]) == ("not_a_request", "info")
    assert SECRET not in str(fault)


def _diagnostic(record: dict[str, Any]) -> dict[str, Any]:
    lower = {name[0].lower() + name[1:]: value for name, value in record.items() if name != "TimeGenerated"}
    return {
        "time": record["TimeGenerated"],
        "resourceId": "/SUBSCRIPTIONS/1",
        "category": "GatewayLlmLogs",
        "properties": lower,
    }


def test_containers_of_azures_gateway_log(tmp_path: Path) -> None:
    record = sample("azure_apim")
    expected = row(parse_records(tmp_path, "azure_apim", [record]))
    diagnostic = _diagnostic(record)
    answer = {"tables": [{"name": "PrimaryResult", "columns": [{"name": name, "type": "string"} for name in record],
                          "rows": [list(record.values())]}]}  # fmt: skip
    for content in (
        json.dumps({"records": [diagnostic]}), json.dumps([{"records": [diagnostic]}]), json.dumps(diagnostic) + "\n",
        json.dumps(answer), json.dumps(answer, indent=2),
    ):  # fmt: skip
        found = row(landed_bytes(tmp_path, content.encode(), "azure_apim"))
        names = ("request_uid", "request_model", "response_model", "region", "is_stream")
        assert {name: found[name] for name in names} == {name: expected[name] for name in names}
        assert buckets(found) == {"input_uncached": 100, "output_text": 20}
    table = {("TimeGenerated [UTC]" if name == "TimeGenerated" else name): value for name, value in record.items()}
    assert buckets(row(landed_bytes(tmp_path, as_csv(table), "azure_apim", "query.csv"))) == {
        "input_uncached": 100,
        "output_text": 20,
    }


@pytest.mark.parametrize(
    ("model", "prompt", "cached", "total", "expected"),
    [
        ("gpt-4o", 1000, 400, 1020, {"input_uncached": 600, "input_cache_read": 400, "output_text": 20}),
        ("claude-opus-4-5", 1000, 400, 1020, {"input_uncached": 1000, "input_cache_read": 400, "output_text": 20}),
        # A Claude model counts what came out of a cache next to the prompt, and the gateway's total leaves it out.
        ("claude-opus-4-5", 26, 48854, 46, {"input_uncached": 26, "input_cache_read": 48854, "output_text": 20}),
    ],
)
def test_cached_tokens_of_azures_diagnostic_records(
    tmp_path: Path, model: str, prompt: int, cached: int, total: int, expected: dict[str, int]
) -> None:
    counts = {"ModelName": model, "PromptTokens": prompt, "PromptCachedTokens": cached, "TotalTokens": total}
    record = _diagnostic({**sample("azure_apim"), **counts})
    other = {**record, "category": "GatewayLogs", "properties": {"correlationId": "c1", "method": "POST"}}
    parsed = parse_records(tmp_path, "azure_apim", [record, other])
    assert parsed.quarantine["severity"].to_list() == ["info"]
    assert buckets(rows(parsed).row(0, named=True)) == expected


# --- Providers


def test_lines_of_openais_batch_output_are_the_tier_batch(tmp_path: Path) -> None:
    def line(body: dict[str, Any] | None, status: int = 200) -> dict[str, Any]:
        response = None if body is None else {"status_code": status, "request_id": "r", "body": body}
        error = None if body else {"code": "batch_expired", "message": "expired"}
        return {"id": "batch_req_1", "custom_id": "c-1", "response": response, "error": error}

    chat = row(parse_records(tmp_path, "openai_chat", [line(sample("openai_chat"))]))
    assert (buckets(chat), chat["service_tier"], chat["response_model"]) == (INCLUSIVE, "batch", "gpt-5-2025-08-07")
    answer = row(parse_records(tmp_path, "openai_responses", [line(sample("openai_responses"))]))
    assert (buckets(answer), answer["service_tier"]) == (INCLUSIVE, "batch")
    assert (
        row(parse_records(tmp_path, "openai_chat", [{**sample("openai_chat"), "custom_id": "c-1"}]))["service_tier"]
        == "flex"
    )
    expired = parse_records(tmp_path, "openai_chat", [line(None)], options={"undated": "arrival"})
    assert (row(expired)["status"], row(expired)["is_billable"]) == ("error", False)


def test_a_realtime_answer_and_an_image(tmp_path: Path) -> None:
    usage = {
        "total_tokens": 1300, "input_tokens": 1000, "output_tokens": 300,
        "input_token_details": {"text_tokens": 500, "audio_tokens": 500, "cached_tokens": 400,
                                "cached_tokens_details": {"text_tokens": 300, "audio_tokens": 100}},
        "output_token_details": {"text_tokens": 100, "audio_tokens": 200},
    }  # fmt: skip
    event = {
        "timestamp": AT,
        "type": "response.done",
        "response": {"id": "resp_1", "status": "completed", "usage": usage},
    }
    assert buckets(row(parse_records(tmp_path, "openai_responses", [event], defaults={"model": "gpt-realtime"}))) == {
        "input_uncached": 200, "input_audio": 400, "input_cache_read": 300, "input_audio_cache_read": 100,
        "output_text": 100, "output_audio": 200,
    }  # fmt: skip
    image = {"created": EPOCH, "data": [{"b64_json": SECRET}], "usage": {"input_tokens": 50, "output_tokens": 1000, "total_tokens": 1050,
             "input_tokens_details": {"text_tokens": 10, "image_tokens": 40}, "output_tokens_details": {"image_tokens": 1000, "text_tokens": 0}}}  # fmt: skip
    assert buckets(row(parse_records(tmp_path, "openai_responses", [image]))) == {
        "input_uncached": 10, "input_image": 40, "output_image": 1000
    }  # fmt: skip


def test_batch_results_without_an_instant_are_set_aside_or_take_the_day_of_arrival(tmp_path: Path) -> None:
    message = {key: value for key, value in sample("anthropic_messages").items() if key != "timestamp"}
    line = {"custom_id": "c-1", "result": {"type": "succeeded", "message": message}}
    fault = the_fault(parse_records(tmp_path, "anthropic_messages", [line]))
    assert fault["reason"] == "missing_field"
    assert "option `undated: arrival` takes the day of arrival" in fault["detail"]
    found = row(parse_records(tmp_path, "anthropic_messages", [line], options={"undated": "arrival"}))
    assert (found["event_date"], found["service_tier"]) == (ARRIVAL, "batch")
    unreadable = parse_records(
        tmp_path, "anthropic_messages", [{**line, "timestamp": "soon"}], options={"undated": "arrival"}
    )
    assert the_fault(unreadable)["reason"] == "not_an_instant"


def test_a_mapping_without_an_instant_takes_the_day_of_arrival_where_it_says_so(tmp_path: Path) -> None:
    options = {"columns": {"input": "in", "output": "out"}, "undated": "arrival"}
    found = row(parse_records(tmp_path, "mapping", [{"in": 1, "out": 2}], options=options))
    assert (found["event_date"], buckets(found)) == (ARRIVAL, {"input_uncached": 1, "output_text": 2})


def test_gemini_in_snake_case_and_as_a_batch_prediction(tmp_path: Path) -> None:
    camel = sample("gemini")
    usage = {
        "prompt_token_count": 500, "cached_content_token_count": 200, "candidates_token_count": 30, "thoughts_token_count": 400,
        "tool_use_prompt_token_count": 70, "total_token_count": 1000, "traffic_type": "ON_DEMAND",
        "prompt_tokens_details": [{"modality": "TEXT", "token_count": 242}, {"modality": "MediaModality.IMAGE", "token_count": 258}],
    }  # fmt: skip
    snake = {"timestamp": AT, "response_id": "r1", "model_version": "gemini-2.5-flash", "usage_metadata": usage}
    expected = row(parse_records(tmp_path, "gemini", [camel]))
    found = row(parse_records(tmp_path, "gemini", [snake]))
    assert (buckets(found), found["request_uid"]) == (buckets(expected), expected["request_uid"])
    answer = {key: value for key, value in camel.items() if key != "timestamp"}
    batch = {
        "status": "",
        "processed_time": "2026-02-12T18:13:16.826+00:00",
        "request": {"contents": MESSAGES},
        "response": answer,
    }
    found = row(parse_records(tmp_path, "gemini", [batch]))
    assert (buckets(found), found["service_tier"]) == (buckets(expected), "batch")


def test_cohere_of_both_versions_is_charged_by_billed_units(tmp_path: Path) -> None:
    units = {
        "billed_units": {"input_tokens": 10, "output_tokens": 5},
        "tokens": {"input_tokens": 80, "output_tokens": 6},
    }
    first = {"timestamp": AT, "response_id": "x", "generation_id": "g", "meta": units, "text": SECRET}
    second = {"timestamp": AT, "id": "y", "usage": units}
    for record in (first, second):
        found = row(
            parse_records(tmp_path, "openai_chat", [record], defaults={"provider_id": "cohere", "model": "command-r"})
        )
        assert (buckets(found), found["token_semantics"]) == (
            {"input_uncached": 10, "output_text": 5},
            "cohere_billed_units",
        )


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 100, "completion_tokens": 9, "total_tokens": 109, "prompt_cache_hit_tokens": 64, "prompt_cache_miss_tokens": 36},
         {"input_uncached": 36, "input_cache_read": 64, "output_text": 9}),
        ({"prompt_tokens": 100, "completion_tokens": 9, "total_tokens": 109, "num_cached_tokens": 64},
         {"input_uncached": 36, "input_cache_read": 64, "output_text": 9}),
        ({"prompt_tokens": 100, "completion_tokens": 9, "total_tokens": 119, "completion_tokens_details": {"reasoning_tokens": 10}},
         {"input_uncached": 100, "output_text": 9, "output_reasoning": 10}),
        ({**OPENAI_USAGE, "queue_time": 0.1, "total_time": 1.5}, INCLUSIVE),
    ],
    ids=["deepseek", "mistral", "xai", "groq"],
)  # fmt: skip
def test_variants_of_openais_shape(tmp_path: Path, usage: dict[str, Any], expected: dict[str, int]) -> None:
    record = {"id": "1", "object": "chat.completion", "created": EPOCH, "model": "m", "usage": usage}
    assert buckets(row(parse_records(tmp_path, "openai_chat", [record]))) == expected


# --- Coding agents


def test_a_codex_event_that_only_states_limits_is_no_request(tmp_path: Path) -> None:
    event = {
        "timestamp": AT,
        "type": "event_msg",
        "payload": {"type": "token_count", "info": None, "rate_limits": {"primary": {}}},
    }
    fault = the_fault(parse_records(tmp_path, "codex", [event]))
    assert (fault["reason"], fault["severity"]) == ("not_a_request", "info")


def test_a_claude_code_line_of_an_old_version_keeps_its_cost(tmp_path: Path) -> None:
    record = {**sample("claude_code"), "costUSD": 0.0123456789, "durationMs": 1500}
    assert row(parse_records(tmp_path, "claude_code", [record]))["reported_cost_usd"] == Decimal("0.0123456789")
