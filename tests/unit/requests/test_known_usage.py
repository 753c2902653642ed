"""What of a usage is known, and which of its details can be true: unknown counts have no price, a broken detail costs no call."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.requests import ParsedFile
from tests.unit.requests.helpers import buckets, parse, parse_records, row, rows, the_fault
from tests.unit.requests.samples import AT, SAMPLES
from tests.unit.requests.test_formats import flat_span

BY_FORMAT = {sample.format: sample for sample in SAMPLES}
COLUMNS = {"event_at": "at", "model": "model", "input": "in", "output": "out"}


def mapped(folder: Path, *counts: str, columns: dict[str, str] | None = None, **declared: Any) -> ParsedFile:
    path = folder / "a.csv"
    lines = [f"2026-02-09 08:00:{number:02},gpt-4o,{pair}" for number, pair in enumerate(counts)]
    path.write_text("\n".join(["at,model,in,out", *lines, ""]), encoding="utf-8")
    options = {"columns": columns or COLUMNS, **declared.pop("options", {})}
    return parse(path, "mapping", options=options, **declared)


# --- B3: half-known usage is not known


@pytest.mark.parametrize(
    "nothing", ["", "-", "--", "NULL", "null", "n/a", "N/A", "#N/A", "NaN", "None", "\\N", "<NA>", " ", " - "]
)
@pytest.mark.parametrize("side", ["input", "output"])
def test_a_count_that_is_not_there_is_unknown(tmp_path: Path, nothing: str, side: str) -> None:
    found = row(mapped(tmp_path, f"{nothing},10" if side == "input" else f"10,{nothing}"))
    assert (found["usage_basis"], found["is_billable"]) == ("partial", True)
    assert buckets(found) == {"output_text" if side == "input" else "input_uncached": 10}


def test_both_counts_missing_and_words_that_are_none(tmp_path: Path) -> None:
    assert row(mapped(tmp_path, "-,NULL"))["usage_basis"] == "missing"
    assert the_fault(mapped(tmp_path, "many,10"))["reason"] == "not_an_integer"


@pytest.mark.parametrize(("written", "count"), [("1000.0", 1000), ("1.2E+05", 120_000), ("1e3", 1000), (" 7 ", 7)])
def test_numbers_as_spreadsheets_write_them(tmp_path: Path, written: str, count: int) -> None:
    found = row(mapped(tmp_path, f"{written},10"))
    assert (found["usage_basis"], found["input_uncached_tokens"]) == ("reported", count)
    assert the_fault(mapped(tmp_path, "1.25e1,10"))["reason"] == "not_an_integer"


def zeros(name: str) -> dict[str, Any]:
    """The sample record of a format, all counts 0."""
    record: dict[str, Any] = json.loads(json.dumps(BY_FORMAT[name].record))
    match name:
        case "litellm_spend_logs" | "litellm_payload":
            usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
            return record | usage | {"metadata": {"usage_object": usage}, "spend": 0, "response_cost": 0}
        case "helicone":
            return {
                key: 0 if key.endswith("_tokens") and isinstance(value, int) else value for key, value in record.items()
            }
        case "langfuse":
            usage = {"input": 0, "output": 0, "total": 0, "promptTokens": 0, "completionTokens": 0, "totalTokens": 0}
            return record | {"usageDetails": {}, "usage": usage, "promptTokens": 0, "completionTokens": 0}
        case "openai_chat" | "vllm" | "openrouter":
            return record | {"usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}}
        case "anthropic_messages":
            return record | {"usage": {"input_tokens": 0, "output_tokens": 0}}
        case "otel_genai":
            counts = {"gen_ai.usage.input_tokens": 0, "gen_ai.usage.output_tokens": 0}
            return flat_span(attributes={key: 0 for key in flat_span()["attributes"] if "usage" in key} | counts)
        case "bedrock_invocation":
            return record | {"input": {"inputTokenCount": 0}, "output": {"outputTokenCount": 0}}
    raise AssertionError(name)


@pytest.mark.parametrize(
    "name",
    [
        "litellm_spend_logs", "litellm_payload", "helicone", "langfuse", "openai_chat", "vllm", "openrouter",
        "anthropic_messages", "otel_genai", "bedrock_invocation",
    ],
)  # fmt: skip
def test_zeros_of_a_call_that_was_answered_are_no_count(tmp_path: Path, name: str) -> None:
    """A call that was answered has a prompt: zeros stand for a stream that reported nothing, or for a default."""
    found = row(parse_records(tmp_path, name, [zeros(name)], **BY_FORMAT[name].declared))
    assert (found["status"], found["is_billable"]) == ("ok", True)
    assert (found["usage_basis"], found["token_semantics"], buckets(found)) == ("missing", "missing", {})


def test_zeros_of_a_failed_call_and_of_a_cache_hit_are_free(tmp_path: Path) -> None:
    failed = row(parse_records(tmp_path, "litellm_spend_logs", [zeros("litellm_spend_logs") | {"status": "failure"}]))
    assert (failed["usage_basis"], failed["is_billable"]) == ("reported", False)
    hit = row(parse_records(tmp_path, "litellm_spend_logs", [zeros("litellm_spend_logs") | {"cache_hit": "True"}]))
    assert (hit["status"], hit["is_billable"]) == ("cache_hit", False)


CHAT = {"id": "1", "created": 1770891630, "model": "gpt-4o", "object": "chat.completion"}


@pytest.mark.parametrize(
    ("name", "record", "basis"),
    [
        ("openai_chat", CHAT | {"usage": {"prompt_tokens": 10}}, "partial"),
        ("openai_chat", CHAT | {"usage": {"completion_tokens": 10}}, "partial"),
        ("openai_chat", CHAT | {"usage": {"prompt_tokens": 0, "completion_tokens": 10, "total_tokens": 10}}, "partial"),
        ("openai_chat", CHAT | {"usage": {"prompt_tokens": 10, "completion_tokens": 0, "total_tokens": 10}}, "reported"),
        ("openai_chat", CHAT | {"usage": {"prompt_tokens": 10, "total_tokens": 10}}, "reported"),
        ("openai_chat", CHAT | {"object": "list", "usage": {"prompt_tokens": 10}}, "reported"),
        ("openai_chat", CHAT | {"model": "text-embedding-3-small", "usage": {"prompt_tokens": 10}}, "reported"),
        ("anthropic_messages", {"timestamp": AT, "id": "m", "usage": {"input_tokens": 10}}, "partial"),
        ("gemini", {"timestamp": AT, "responseId": "r", "usageMetadata": {"promptTokenCount": 10}}, "partial"),
        ("gemini", {"timestamp": AT, "responseId": "r",
                    "usageMetadata": {"promptTokenCount": 10, "thoughtsTokenCount": 5, "totalTokenCount": 15}}, "reported"),
        ("bedrock_converse", {"timestamp": AT, "requestId": "r", "usage": {"inputTokens": 5}}, "partial"),
        ("bedrock_invocation", {"timestamp": AT, "requestId": "r", "modelId": "amazon.titan-embed-text-v2:0",
                                "input": {"inputTokenCount": 5}}, "reported"),
        ("azure_apim", {"TimeGenerated": AT, "CorrelationId": "c", "SequenceNumber": 0, "PromptTokens": 5}, "partial"),
        ("helicone", {"request_created_at": AT, "request_id": "h", "completion_tokens": 5}, "partial"),
        ("langfuse", {"id": "l", "type": "GENERATION", "startTime": AT, "usageDetails": {"input": 5}}, "partial"),
        ("langfuse", {"id": "l", "type": "EMBEDDING", "startTime": AT, "usageDetails": {"input": 5}}, "reported"),
        ("litellm_spend_logs", {"request_id": "l", "startTime": AT, "call_type": "arerank", "prompt_tokens": 5}, "reported"),
        ("llamacpp", {"timestamp": AT, "model": "m", "tokens_predicted": 5}, "partial"),
    ],
)  # fmt: skip
def test_one_side_is_a_part_unless_the_call_has_no_other(
    tmp_path: Path, name: str, record: dict[str, Any], basis: str
) -> None:
    assert row(parse_records(tmp_path, name, [record]))["usage_basis"] == basis


def test_a_mapping_without_an_output_column_knows_a_part_only(tmp_path: Path) -> None:
    columns = {"event_at": "at", "model": "model", "input": "in"}
    assert row(mapped(tmp_path, "10,5", columns=columns))["usage_basis"] == "partial"
    embeddings = mapped(tmp_path, "10,5", columns=columns, defaults={"operation": "embeddings"})
    assert row(embeddings)["usage_basis"] == "reported"
    total = mapped(tmp_path, "10,5", columns={"event_at": "at", "model": "model", "total": "in"})
    assert (row(total)["usage_basis"], buckets(row(total))) == ("partial", {})


@pytest.mark.parametrize(
    "names",
    [
        ("anthropic.usage.cache_creation.ephemeral_5m_input_tokens", "anthropic.usage.cache_creation.ephemeral_1h_input_tokens"),
        ("gen_ai.usage.details.ephemeral_5m_input_tokens", "gen_ai.usage.details.ephemeral_1h_input_tokens"),
        ("gen_ai.usage.cache_creation.ephemeral_5m_input_tokens", "gen_ai.usage.cache_creation.ephemeral_1h_input_tokens"),
    ],
)  # fmt: skip
def test_cache_writes_of_an_hour_in_spans(tmp_path: Path, names: tuple[str, str]) -> None:
    counts = dict(zip(names, (40, 60), strict=True))
    found = row(parse_records(tmp_path, "otel_genai", [flat_span(attributes=counts)]))
    assert buckets(found) == {
        "input_uncached": 300, "input_cache_read": 600, "input_cache_write_5m": 40, "input_cache_write_1h": 60, "output_text": 200
    }  # fmt: skip


def test_cache_writes_in_what_the_ai_sdk_repeats_of_an_answer(tmp_path: Path) -> None:
    """Its own counts know no times to live, and before version 6 no cache writes at all."""
    created = {"ephemeral_5m_input_tokens": 40, "ephemeral_1h_input_tokens": 60}
    metadata = json.dumps({"anthropic": {"cacheCreationInputTokens": 100, "usage": {"cache_creation": created}}})
    span = flat_span(
        attributes={
            "gen_ai.usage.cache_read.input_tokens": None, "gen_ai.usage.cache_creation.input_tokens": None,
            "gen_ai.usage.input_tokens": 50, "ai.usage.cachedInputTokens": 600, "ai.response.providerMetadata": metadata,
        },
        scope={"name": "ai"},
    )  # fmt: skip
    found = row(parse_records(tmp_path, "otel_genai", [span]))
    assert (found["token_semantics"], buckets(found)) == (
        "anthropic_exclusive",
        {"input_uncached": 50, "input_cache_read": 600, "input_cache_write_5m": 40, "input_cache_write_1h": 60, "output_text": 200},
    )  # fmt: skip


def test_langchain_gives_no_sum_of_what_it_gives_by_time_to_live(tmp_path: Path) -> None:
    details = {"input": 10, "output": 5, "input_cache_creation": 0, "input_cache_creation_1h": 60}
    record = {"id": "l", "type": "GENERATION", "startTime": AT, "usageDetails": details}
    assert buckets(row(parse_records(tmp_path, "langfuse", [record]))) == {
        "input_uncached": 10, "input_cache_write_1h": 60, "output_text": 5
    }  # fmt: skip


# --- B4: a broken detail costs the detail, not the call


def usage(**counts: Any) -> dict[str, Any]:
    return {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120} | counts


@pytest.mark.parametrize(
    ("counts", "expected", "dropped"),
    [
        (usage(completion_tokens_details={"reasoning_tokens": 30}), {"input_uncached": 100, "output_text": 20}, "reasoning"),
        (usage(prompt_tokens_details={"cached_tokens": 90, "image_tokens": 60}),
         {"input_uncached": 10, "input_cache_read": 90, "output_text": 20}, "input_image"),
        (usage(prompt_tokens_details={"cached_tokens": 90, "audio_tokens": 60}),
         {"input_uncached": 10, "input_cache_read": 90, "output_text": 20}, "input_audio"),
        (usage(prompt_tokens_details={"cached_tokens": 130}), {"input_uncached": 100, "output_text": 20}, "cache_read"),
        (usage(prompt_tokens_details={"cached_tokens": -3}), {"input_uncached": 100, "output_text": 20}, "cache_read"),
        (usage(prompt_tokens_details={"cached_tokens": 1.5}), {"input_uncached": 100, "output_text": 20}, "cache_read"),
        (usage(completion_tokens_details={"audio_tokens": 21}), {"input_uncached": 100, "output_text": 20}, "output_audio"),
        (usage(completion_tokens_details={"audio_tokens": 15, "reasoning_tokens": 10}),
         {"input_uncached": 100, "output_audio": 15, "output_text": 5}, "reasoning"),
        (usage(prompt_tokens_details={"cache_write_tokens": 10, "cache_creation": {"ephemeral_1h_input_tokens": 60}}),
         {"input_uncached": 90, "input_cache_write": 10, "output_text": 20}, "cache_write_1h"),
    ],
)  # fmt: skip
def test_a_detail_that_cant_be_true(
    tmp_path: Path, counts: dict[str, Any], expected: dict[str, int], dropped: str
) -> None:
    good = CHAT | {"id": "2", "usage": usage(prompt_tokens_details={"cached_tokens": 40})}
    parsed = parse_records(tmp_path, "openai_chat", [CHAT | {"usage": counts}, good])
    found = {record["source_request_id"]: record for record in rows(parsed).to_dicts()}
    assert (parsed.quarantined, found["1"]["usage_basis"]) == (0, "reported")
    assert (buckets(found["1"]), json.loads(found["1"]["tags"])) == (expected, {"dropped_details": dropped})
    assert (found["2"]["input_cache_read_tokens"], found["2"]["tags"]) == (40, None)


@pytest.mark.parametrize("broken", ["n/a?", "{", [], [1], 5, True], ids=repr)
def test_details_of_another_shape_are_left_out_with_their_names(tmp_path: Path, broken: Any) -> None:
    lines = [CHAT | {"usage": usage(completion_tokens_details=broken)}, CHAT | {"id": "2", "usage": usage()}]
    found = rows(parse_records(tmp_path, "openai_chat", lines)).sort("source_request_id").row(0, named=True)
    assert (found["usage_basis"], buckets(found)) == ("reported", {"input_uncached": 100, "output_text": 20})
    assert "reasoning" in json.loads(found["tags"])["dropped_details"]


@pytest.mark.parametrize("broken", [{"n": 5}, [5]], ids=repr)
def test_an_object_in_place_of_a_detail_costs_the_detail_and_of_a_total_the_record(tmp_path: Path, broken: Any) -> None:
    detail = CHAT | {"usage": usage(prompt_tokens_details={"cached_tokens": broken})}
    found = row(parse_records(tmp_path, "openai_chat", [detail]))
    assert (buckets(found)["input_uncached"], json.loads(found["tags"])) == (100, {"dropped_details": "cache_read"})
    total = parse_records(tmp_path, "openai_chat", [CHAT | {"usage": usage(prompt_tokens=broken)}])
    assert the_fault(total)["reason"] == "wrong_type"


@pytest.mark.parametrize(
    ("name", "record", "dropped"),
    [
        ("openai_chat", CHAT | {"usage": usage(), "latency_ms": "fast"}, "latency_ms"),
        ("openai_chat", CHAT | {"usage": usage(), "ttft_ms": "soon", "stream": "perhaps"}, "is_stream ttft_ms"),
        ("litellm_spend_logs", {"request_id": "l", "startTime": AT, "endTime": "later", "prompt_tokens": 100,
                                "completion_tokens": 20}, "ended_at"),
    ],
)  # fmt: skip
def test_how_long_a_call_took_is_no_reason_to_lose_it(
    tmp_path: Path, name: str, record: dict[str, Any], dropped: str
) -> None:
    found = row(parse_records(tmp_path, name, [record]))
    assert (buckets(found), found["latency_ms"]) == ({"input_uncached": 100, "output_text": 20}, None)
    assert json.loads(found["tags"])["dropped_details"] == dropped


@pytest.mark.parametrize(
    "counts", [usage(total_tokens=119), usage(prompt_tokens=-1), usage(total_tokens=500)], ids=["below", "minus", "above"]
)  # fmt: skip
def test_totals_that_contradict_each_other_are_set_aside(tmp_path: Path, counts: dict[str, Any]) -> None:
    fault = the_fault(parse_records(tmp_path, "openai_chat", [CHAT | {"usage": counts}]))
    assert fault["reason"] in ("identity_broken", "negative_tokens")


def test_a_cache_count_next_to_the_input_that_is_no_number_leaves_a_gap(tmp_path: Path) -> None:
    record = {
        "timestamp": AT,
        "id": "m",
        "usage": {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": -1},
    }
    found = row(parse_records(tmp_path, "anthropic_messages", [record]))
    assert (found["usage_basis"], json.loads(found["tags"])) == ("partial", {"dropped_details": "cache_read"})


# --- B5: rules follow what answered


@pytest.mark.parametrize(
    ("model", "counts", "rule", "uncached"),
    [
        ("openai.gpt-5.6-sol", {"inputTokens": 6002, "cacheWriteInputTokens": 6000, "totalTokens": 12052}, "openai_inclusive", 2),
        ("us.openai.gpt-5.6", {"inputTokens": 2, "cacheWriteInputTokens": 6000, "totalTokens": 6052}, "anthropic_exclusive", 2),
        ("amazon.nova-pro-v1:0", {"inputTokens": 9, "cacheReadInputTokens": 6, "totalTokens": 65}, "anthropic_exclusive", 9),
    ],
)  # fmt: skip
def test_converse_counts_by_the_family_of_the_model(
    tmp_path: Path, model: str, counts: dict[str, int], rule: str, uncached: int
) -> None:
    """A stream of OpenAI's models counts the cache inside, an answer in one piece counts it apart: the counts show which."""
    record = {"timestamp": AT, "requestId": "k", "modelId": model, "usage": {"outputTokens": 50} | counts}
    found = row(parse_records(tmp_path, "bedrock_converse", [record]))
    assert (found["token_semantics"], found["input_uncached_tokens"]) == (rule, uncached)
    cached = {"cacheReadInputTokenCount": counts.get("cacheReadInputTokens", 0),
              "cacheWriteInputTokenCount": counts.get("cacheWriteInputTokens", 0)}  # fmt: skip
    logged = {"timestamp": AT, "requestId": "k", "modelId": model, "output": {"outputTokenCount": 50},
              "input": {"inputTokenCount": counts["inputTokens"], **cached}}  # fmt: skip
    found = row(parse_records(tmp_path, "bedrock_invocation", [logged]))
    assert (found["token_semantics"], found["input_uncached_tokens"]) == (rule, uncached)


@pytest.mark.parametrize(
    ("scope", "version", "seller", "model", "rule"),
    [
        ("opentelemetry.instrumentation.bedrock", "0.62.4", "aws.bedrock", "anthropic.claude-sonnet-4-5", "anthropic_exclusive"),
        ("opentelemetry.instrumentation.bedrock", "0.62.4", "aws.bedrock", "openai.gpt-5.6-sol", "openai_inclusive"),
        ("opentelemetry.instrumentation.llamaindex", "0.62.4", "anthropic", "claude-sonnet-4-5", "anthropic_exclusive"),
        ("opentelemetry.instrumentation.llamaindex", "0.62.4", "openai", "gpt-5", "openai_inclusive"),
        ("opentelemetry.instrumentation.anthropic", "0.62.4", "anthropic", "claude-sonnet-4-5", "openai_inclusive"),
        ("@traceloop/instrumentation-anthropic", "0.27.0", "anthropic", "claude-sonnet-4-5", "anthropic_exclusive"),
        ("ai", "5.0.9", "anthropic.messages", "claude-sonnet-4-5", "anthropic_exclusive"),
        ("ai", "5.0.9", "amazon-bedrock", "us.anthropic.claude-sonnet-4-5", "anthropic_exclusive"),
        ("ai", "5.0.9", "vertex.anthropic.messages", "claude-sonnet-4-5", "anthropic_exclusive"),
        ("ai", "5.0.9", "openai.chat", "gpt-5", "openai_inclusive"),
        ("ai", "6.0.97", "anthropic.messages", "claude-sonnet-4-5", "openai_inclusive"),
        ("ai", "10.1", "anthropic.messages", "claude-sonnet-4-5", "openai_inclusive"),
        ("pydantic-ai", "2.68.0", "anthropic", "claude-sonnet-4-5", "openai_inclusive"),
    ],
)  # fmt: skip
def test_spans_count_by_emitter_version_and_family(
    tmp_path: Path, scope: str, version: str, seller: str, model: str, rule: str
) -> None:
    attributes = {"gen_ai.provider.name": seller, "gen_ai.request.model": model, "gen_ai.response.model": model}
    span = flat_span(attributes=attributes, scope={"name": scope, "version": version})
    found = row(parse_records(tmp_path, "otel_genai", [span]))
    assert found["token_semantics"] == rule
    assert found["input_uncached_tokens"] == (1000 if rule == "anthropic_exclusive" else 300)


def test_counts_that_the_input_cant_hold_stand_next_to_it(tmp_path: Path) -> None:
    """A gateway that passes Claude's own counts on under OpenAI's names."""
    record = CHAT | {"model": "claude-sonnet-4-5", "usage": {"prompt_tokens": 50, "completion_tokens": 5,
                     "cache_read_input_tokens": 600}}  # fmt: skip
    found = row(parse_records(tmp_path, "openai_chat", [record]))
    assert (found["token_semantics"], found["input_uncached_tokens"]) == ("anthropic_exclusive", 50)


@pytest.mark.parametrize(
    ("provider", "model", "rule"),
    [
        ("ANTHROPIC", "claude-sonnet-4-5", "anthropic_exclusive"),
        ("GOOGLE", "claude-sonnet-4-5", "anthropic_exclusive"),
        ("AWS", "amazon.nova-pro-v1:0", "anthropic_exclusive"),
        ("OPENROUTER", "anthropic/claude-sonnet-4.5", "openai_inclusive"),
        ("OPENAI", "gpt-5", "openai_inclusive"),
        ("GOOGLE", "gemini-2.5-pro", "openai_inclusive"),
    ],
)
def test_helicone_counts_by_the_family_of_the_model(tmp_path: Path, provider: str, model: str, rule: str) -> None:
    record = BY_FORMAT["helicone"].record | {"provider": provider, "request_model": model, "response_model": model}
    assert row(parse_records(tmp_path, "helicone", [record]))["token_semantics"] == rule


def test_counts_of_minus_one_are_unknown(tmp_path: Path) -> None:
    """Proxies that can't count write -1: the call was set aside. One such count alone stays a fault."""
    base = {"timestamp": "2026-02-12T10:20:30Z", "id": "chatcmpl-CzPqJ4V8mHk2QxT7", "model": "gpt-5"}
    unknown = {"prompt_tokens": -1, "completion_tokens": -1, "total_tokens": -1}
    found = row(parse_records(tmp_path, "openai_chat", [{**base, "usage": unknown}]))
    assert (found["usage_basis"], found["status"]) == ("missing", "ok")
    broken = parse_records(tmp_path, "openai_chat", [{**base, "usage": {**unknown, "prompt_tokens": 5}}])
    assert broken.quarantine["reason"].to_list() == ["negative_tokens"]
