"""Spans whose counts stand under names of a product's own, and what of a span decides the price besides its counts.

After github.com/anthropics/claude-code/issues/50776, Langfuse's attributes for OpenTelemetry, ai-sdk.dev (provider metadata), OpenRouter's
broadcast and github.com/pydantic/pydantic-ai-gateway/issues/188; numbers are ours.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.unit.requests.helpers import all_days, buckets, parse_records, row, rows, the_fault
from tests.unit.requests.samples import AT

SPAN = {"trace_id": "5b8efff798038103d269b633813fc60c", "span_id": "eee19b7ec3c1b174", "start_time": AT}
CLAUDE_CODE = {
    "span.type": "llm_request", "session.id": "s", "model": "claude-opus-5", "gen_ai.system": "anthropic",
    "gen_ai.request.model": "claude-opus-5", "input_tokens": 2, "output_tokens": 1200, "cache_read_tokens": 84562,
    "cache_creation_tokens": 7096, "success": True, "request_id": "req_1",
}  # fmt: skip
CLAUDE_CODES = {"input_uncached": 2, "input_cache_read": 84562, "input_cache_write": 7096, "output_text": 1200}
LOGGED = {"event.name": "api_request", "event.timestamp": AT, "cost_usd": "0.1", **{
    name: CLAUDE_CODE[name] for name in ("model", "session.id", "request_id", "input_tokens", "output_tokens", "cache_read_tokens",
                                         "cache_creation_tokens")}}  # fmt: skip
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-sonnet-4-6",
        "gen_ai.usage.input_tokens": 50, "gen_ai.usage.output_tokens": 30}  # fmt: skip


def span(**attributes: Any) -> dict[str, Any]:
    return {**SPAN, "attributes": attributes}


def test_a_call_that_claude_code_traced_and_logged_is_one(tmp_path: Path) -> None:
    """The span named no count that was known: a call without usage, and a second time where its log event was landed too."""
    event = {"body": {"stringValue": "claude_code.api_request"},
             "attributes": [{"key": key, "value": {"stringValue": str(value)}} for key, value in LOGGED.items()]}  # fmt: skip
    scope = "com.anthropic.claude_code"
    log = {"resourceLogs": [{"scopeLogs": [{"scope": {"name": f"{scope}.events"}, "logRecords": [event]}]}]}
    traced = span(**CLAUDE_CODE) | {"scope": {"name": f"{scope}.tracing"}}
    for lines in ([traced], [traced, log], [log, traced]):
        parsed = parse_records(tmp_path, "otel_genai", lines)
        found = all_days([parsed]).requests
        assert (parsed.valid, found.height) == (len(lines), 1)
        assert buckets(found.row(0, named=True)) == CLAUDE_CODES
        assert found["token_semantics"].to_list() == ["anthropic_exclusive"]


def test_claude_codes_input_never_holds_the_cache(tmp_path: Path) -> None:
    counts = {"input_tokens": 9000, "cache_read_tokens": 100, "cache_creation_tokens": 0}
    found = row(parse_records(tmp_path, "otel_genai", [span(**CLAUDE_CODE | counts)]))
    assert buckets(found) == {"input_uncached": 9000, "input_cache_read": 100, "output_text": 1200}


def test_a_call_of_claude_code_that_failed_is_free_and_other_spans_are_no_calls(tmp_path: Path) -> None:
    failed = {name: value for name, value in CLAUDE_CODE.items() if not name.endswith("_tokens")} | {"success": "false"}
    found = row(parse_records(tmp_path, "otel_genai", [span(**failed)]))
    assert (found["status"], found["is_billable"]) == ("error", False)
    turn = span(**{"span.type": "interaction", "input_tokens": 500, "output_tokens": 7})
    assert the_fault(parse_records(tmp_path, "otel_genai", [turn]))["reason"] == "not_a_request"


LANGFUSES = {
    "parts": ({"input": 60, "output": 20, "input_cached_tokens": 40, "total": 120}, "additive"),
    "parts without a total": ({"input": 60, "output": 20, "input_cached_tokens": 40}, "additive"),
    "tiers": ({"input": 0, "output": 0, "input_flex": 60, "input_flex_cache_read": 40, "output_flex": 20}, "additive"),
    "OpenAI's own": ({"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120,
                      "prompt_tokens_details": {"cached_tokens": 40}}, "openai_inclusive"),
}  # fmt: skip


@pytest.mark.parametrize("name", LANGFUSES)
def test_langfuses_attributes_hold_the_usage_of_its_exports(tmp_path: Path, name: str) -> None:
    details, rule = LANGFUSES[name]
    own = {"langfuse.observation.type": "generation", "langfuse.observation.model.name": "gpt-4o",
           "langfuse.observation.usage_details": json.dumps(details), "langfuse.observation.cost_details": '{"total": 0.25}'}  # fmt: skip
    found = row(parse_records(tmp_path, "otel_genai", [span(**own)]))
    assert buckets(found) == {"input_uncached": 60, "input_cache_read": 40, "output_text": 20}
    assert (found["token_semantics"], found["request_model"], found["reported_cost_usd"]) == (
        rule,
        "gpt-4o",
        Decimal("0.25"),
    )
    kept = row(parse_records(tmp_path, "otel_genai", [span(**own, **CHAT)]))
    assert (buckets(kept), kept["token_semantics"]) == ({"input_uncached": 50, "output_text": 30}, "openai_inclusive")
    agent = span(**own | {"langfuse.observation.type": "agent"})
    assert the_fault(parse_records(tmp_path, "otel_genai", [agent]))["reason"] == "not_a_request"


def metadata(**of_seller: Any) -> dict[str, str]:
    return {"ai.response.providerMetadata": json.dumps(of_seller)}


STATED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"gen_ai.usage.server_tool_use.web_search_requests": 2}, {"web_search_count": 2}),
    ({"gen_ai.usage.details.web_search_requests": 2}, {"web_search_count": 2}),
    (metadata(anthropic={"usage": {"server_tool_use": {"web_search_requests": 2}}}), {"web_search_count": 2}),
    (metadata(openai={"serviceTier": "flex"}), {"service_tier": "flex"}),
    (metadata(google={"usageMetadata": {"trafficType": "ON_DEMAND_PRIORITY"}}), {"service_tier": "priority"}),
    (metadata(anthropic={"usage": {"service_tier": "priority", "inference_geo": "us"}}), {"service_tier": "priority", "region": "us"}),
    (metadata(anthropic={"usage": {"service_tier": "standard", "speed": "fast"}}), {"service_tier": "fast"}),
    ({"gen_ai.usage.total_cost": 0.5}, {"reported_cost_usd": Decimal("0.5")}),
    ({"gen_ai.usage.experimental.reasoning_tokens": 20}, {"output_reasoning_tokens": 20, "output_text_tokens": 30}),
    ({"gen_ai.usage.thoughts_tokens": 20}, {"output_reasoning_tokens": 20, "output_text_tokens": 10}),
    ({"gen_ai.usage.input_tokens.cache_read": 20, "gen_ai.usage.input_tokens.cache_creation": 10},
     {"input_cache_read_tokens": 20, "input_cache_write_tokens": 10, "input_uncached_tokens": 20}),
]  # fmt: skip


@pytest.mark.parametrize(("attributes", "expected"), STATED, ids=str)
def test_what_a_span_says_of_searches_tier_and_place(
    tmp_path: Path, attributes: dict[str, Any], expected: dict[str, Any]
) -> None:
    found = rows(parse_records(tmp_path, "otel_genai", [span(**CHAT, **attributes)])).row(0, named=True)
    assert {name: found[name] for name in expected} == expected


def of_mlflow(kind: str, written: str, model: str, **counts: int) -> dict[str, Any]:
    said = {
        "mlflow.spanType": kind,
        "mlflow.message.format": written,
        "mlflow.llm.model": model,
        "mlflow.chat.tokenUsage": counts,
    }
    return {name: json.dumps(value) for name, value in said.items()}


@pytest.mark.parametrize(
    ("written", "model", "uncached"),
    [("openai", "gpt-5", 50), ("anthropic", "claude-opus-5", 100), ("pydantic_ai", "claude-opus-5", 50)],
)
def test_spans_of_mlflow_are_calls(tmp_path: Path, written: str, model: str, uncached: int) -> None:
    """Its integration of Anthropic passes Anthropic's own counts on; what others count as input holds the cache."""
    usage = {
        "input_tokens": 100,
        "output_tokens": 20,
        "total_tokens": 120,
        "cache_read_input_tokens": 40,
        "cache_creation_input_tokens": 10,
    }
    attributes = of_mlflow("CHAT_MODEL", written, model, **usage)
    trace = {"info": {"trace_id": "tr-1"}, "data": {"spans": [{**SPAN, "attributes": attributes}]}}
    expected = {"input_uncached": uncached, "input_cache_read": 40, "input_cache_write": 10, "output_text": 20}
    for record in ({**SPAN, "attributes": attributes}, trace):
        found = row(parse_records(tmp_path, "otel_genai", [record]))
        assert (buckets(found), found["request_model"]) == (expected, model)


def test_spans_of_mlflow_around_calls_are_none(tmp_path: Path) -> None:
    record = {**SPAN, "attributes": of_mlflow("AGENT", "langchain", "gpt-5", input_tokens=100, output_tokens=20)}
    assert the_fault(parse_records(tmp_path, "otel_genai", [record]))["severity"] == "info"


def test_modalities_of_googles_development_kit_are_counted(tmp_path: Path) -> None:
    usage = {
        "input_tokens": 100,
        "output_tokens": 40,
        "experimental.input_audio_tokens": 90,
        "experimental.output_audio_tokens": 35,
    }
    attributes = {
        "gen_ai.operation.name": "generate_content",
        **{f"gen_ai.usage.{name}": count for name, count in usage.items()},
    }
    found = row(parse_records(tmp_path, "otel_genai", [{**SPAN, "attributes": attributes}]))
    assert buckets(found) == {"input_uncached": 10, "input_audio": 90, "output_text": 5, "output_audio": 35}


def test_what_langsmith_says_an_input_was_made_of_is_read(tmp_path: Path) -> None:
    """Cached tokens were charged in full."""
    attributes = {
        "langsmith.span.kind": "llm", "gen_ai.request.model": "gpt-5", "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.input_token_details": json.dumps({"cache_read": 40, "audio": 0}),
        "gen_ai.usage.output_token_details": json.dumps({"reasoning": 15}),
    }  # fmt: skip
    found = row(parse_records(tmp_path, "otel_genai", [{**SPAN, "attributes": attributes}]))
    assert buckets(found) == {"input_uncached": 60, "input_cache_read": 40, "output_text": 5, "output_reasoning": 15}


def test_the_conventions_own_event_is_the_call_of_its_span(tmp_path: Path) -> None:
    usage = {"gen_ai.usage.input_tokens": "100", "gen_ai.usage.output_tokens": "20"}
    stated = [{"key": name, "value": {"intValue": count}} for name, count in usage.items()]
    stated.append({"key": "gen_ai.request.model", "value": {"stringValue": "gpt-5"}})
    ids = {"traceId": SPAN["trace_id"], "spanId": SPAN["span_id"]}
    event = {
        **ids,
        "timeUnixNano": "1770891631000000000",
        "eventName": "gen_ai.client.inference.operation.details",
        "attributes": stated,
    }
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [event]}]}]}
    span = {
        **SPAN,
        "attributes": {"gen_ai.request.model": "gpt-5", **{name: int(count) for name, count in usage.items()}},
    }
    for records in ([logs], [logs, span]):
        (found,) = all_days([parse_records(tmp_path, "otel_genai", records)]).requests.to_dicts()
        assert buckets(found) == {"input_uncached": 100, "output_text": 20}


SPELLED: list[tuple[dict[str, Any], dict[str, int]]] = [
    # LiveKit Agents before and without the convention's names, for a realtime model.
    ({"input_text_tokens": 60, "input_audio_tokens": 40, "input_cached_tokens": 0, "output_text_tokens": 5, "output_audio_tokens": 15},
     {"input_uncached": 60, "input_audio": 40, "output_text": 5, "output_audio": 15}),
    ({"input_cached_tokens": 40, "input_cache_creation": 30}, {"input_uncached": 30, "input_cache_read": 40, "input_cache_write": 30, "output_text": 20}),
    ({"cached_tokens": 40}, {"input_uncached": 60, "input_cache_read": 40, "output_text": 20}),
    ({"cached_input_tokens": 40, "reasoning_output_tokens": 15}, {"input_uncached": 60, "input_cache_read": 40, "output_text": 5, "output_reasoning": 15}),
    # OpenLIT's instruments for LangChain and in TypeScript.
    ({"prompt_tokens_details.cache_read": 40, "prompt_tokens_details.cache_write": 30, "completion_tokens_details.reasoning": 15},
     {"input_uncached": 30, "input_cache_read": 40, "input_cache_write": 30, "output_text": 5, "output_reasoning": 15}),
    ({"prompt_tokens_details": '{"cached_tokens": 40}', "completion_tokens_details": '{"reasoning_tokens": 15}'},
     {"input_uncached": 60, "input_cache_read": 40, "output_text": 5, "output_reasoning": 15}),
    ({"input_tokens_details": {"cached_tokens": 40}}, {"input_uncached": 60, "input_cache_read": 40, "output_text": 20}),
]  # fmt: skip


@pytest.mark.parametrize(("named", "expected"), SPELLED, ids=str)
def test_what_a_usage_is_made_of_under_names_of_emitters_own(
    tmp_path: Path, named: dict[str, Any], expected: dict[str, int]
) -> None:
    """Sound and what came from a cache were charged as plain text."""
    counts = {"input_tokens": 100, "output_tokens": 20, **named}
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-realtime",
                  **{f"gen_ai.usage.{name}": count for name, count in counts.items()}}  # fmt: skip
    plain = [{**SPAN, **attributes}] if all(isinstance(count, int) for count in named.values()) else []
    for record in ({**SPAN, "attributes": attributes}, *plain):
        assert buckets(row(parse_records(tmp_path, "otel_genai", [record]))) == expected


def test_counts_of_the_cache_that_openinference_kept_as_metadata_are_read(tmp_path: Path) -> None:
    """A call of Strands whose total holds them was set aside."""
    held = json.dumps({"gen_ai.usage.cache_read_input_tokens": 1500, "gen_ai.usage.cache_write_input_tokens": 0})
    counts = {"llm.token_count.prompt": 3, "llm.token_count.completion": 120, "llm.token_count.total": 1623}
    attributes = {"openinference.span.kind": "LLM", "llm.model_name": "us.anthropic.claude-sonnet-4-5-20250929-v1:0"}
    found = row(parse_records(tmp_path, "otel_genai", [span(**attributes, **counts, metadata=held)]))
    assert buckets(found) == {"input_uncached": 3, "input_cache_read": 1500, "output_text": 120}


def test_langfuses_usage_may_be_an_attribute_for_each_count(tmp_path: Path) -> None:
    counts = {"input": 60, "input_cached_tokens": 40, "output": 20}
    own = {f"langfuse.observation.usage_details.{name}": count for name, count in counts.items()}
    found = row(parse_records(tmp_path, "otel_genai", [span(**own, **{"langfuse.observation.model.name": "gpt-4o"})]))
    assert buckets(found) == {"input_uncached": 60, "input_cache_read": 40, "output_text": 20}


@pytest.mark.parametrize(
    ("seller", "model", "uncached"),
    [("anthropic", "claude-sonnet-4-6", 5000), ("aws.bedrock", "us.anthropic.claude-sonnet-4-6", 5000), ("openai", "gpt-5", 2000),
     ("openrouter", "anthropic/claude-sonnet-4.6", 2000)],
)  # fmt: skip
@pytest.mark.parametrize("scope", ["pipecat", "openinference.instrumentation.agno"])
def test_pipecat_and_agno_keep_claudes_own_counts(
    tmp_path: Path, seller: str, model: str, uncached: int, scope: str
) -> None:
    counts = {
        "gen_ai.usage.input_tokens": 5000,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read_input_tokens": 3000,
    }
    named = {"gen_ai.operation.name": "chat", "gen_ai.system": seller, "gen_ai.request.model": model}
    found = row(parse_records(tmp_path, "otel_genai", [span(**named, **counts) | {"scope": {"name": scope}}]))
    assert buckets(found) == {"input_uncached": uncached, "input_cache_read": 3000, "output_text": 20}


PROMPTED = {"ai.usage.promptTokens": 1000, "ai.usage.completionTokens": 50}
STREAMED = {"ai.usage.inputTokens": 1000, "ai.usage.outputTokens": 50}
OF_GOOGLE = {"usageMetadata": {"candidatesTokenCount": 50, "thoughtsTokenCount": 20, "cachedContentTokenCount": 600}}
WHOLE_OF_GOOGLE = {
    "ai.usage.inputTokens": 1000,
    "ai.usage.outputTokens": 70,
    "ai.usage.inputTokenDetails.noCacheTokens": 400,
}
CACHED = {"input_uncached": 400, "input_cache_read": 600, "output_text": 50}
APART = {"input_uncached": 1000, "input_cache_read": 600, "output_text": 50}
REASONED = CACHED | {"output_text": 30, "output_reasoning": 20}
THOUGHT = CACHED | {"output_reasoning": 20}
VERCELS: list[tuple[str, str, dict[str, Any], dict[str, int]]] = [
    ("openai.responses", "gpt-5", PROMPTED | metadata(openai={"cachedPromptTokens": 600, "reasoningTokens": 20}), REASONED),
    ("deepseek.chat", "deepseek-chat", PROMPTED | metadata(deepseek={"promptCacheHitTokens": 600}), CACHED),
    ("openrouter", "openai/gpt-5", PROMPTED | metadata(openrouter={"usage": {"promptTokensDetails": {"cachedTokens": 600}}}), CACHED),
    ("anthropic.messages", "claude-sonnet-4-6", PROMPTED | metadata(anthropic={"usage": {"cache_read_input_tokens": 600}}), APART),
    ("anthropic.messages", "claude-sonnet-4-6", PROMPTED | metadata(anthropic={"cacheReadInputTokens": 600}), APART),
    ("amazon-bedrock", "us.anthropic.claude-sonnet-4-6", PROMPTED | metadata(bedrock={"usage": {"cacheReadInputTokens": 600}}), APART),
    ("google.generative-ai", "gemini-2.5-pro", PROMPTED | metadata(google=OF_GOOGLE), THOUGHT),
    ("google.vertex.chat", "gemini-2.5-pro", STREAMED | metadata(vertex=OF_GOOGLE), THOUGHT),
    ("google.generative-ai", "gemini-2.5-pro", WHOLE_OF_GOOGLE | metadata(google=OF_GOOGLE), THOUGHT),
    ("google.generative-ai", "gemini-2.5-pro", STREAMED | {"ai.usage.totalTokens": 1070, "ai.usage.reasoningTokens": 20,
                                                           "ai.usage.cachedInputTokens": 600}, THOUGHT),
    ("openai.responses", "gpt-5", STREAMED | {"ai.usage.totalTokens": 1050, "ai.usage.reasoningTokens": 20, "ai.usage.cachedInputTokens": 600},
     REASONED),
    # Sentry's integration added the cache to an input that held it, under the convention's name.
    ("anthropic.messages", "claude-sonnet-4-6", STREAMED | {"ai.usage.inputTokenDetails.cacheReadTokens": 600, "gen_ai.usage.input_tokens": 1600},
     CACHED),
]  # fmt: skip


@pytest.mark.parametrize(("seller", "model", "attributes", "expected"), VERCELS, ids=str)
def test_vercels_spans_keep_some_counts_in_the_sellers_answer_alone(
    tmp_path: Path, seller: str, model: str, attributes: dict[str, Any], expected: dict[str, int]
) -> None:
    """github.com/vercel/ai/issues/12801: `generateText` stated prompt and completion; what came from a cache was charged in full or not at all."""
    named = {"ai.operationId": "ai.generateText.doGenerate", "ai.model.provider": seller, "ai.model.id": model}
    record = span(**named, **attributes) | {"scope": {"name": "ai"}}
    assert buckets(row(parse_records(tmp_path, "otel_genai", [record]))) == expected


def test_counts_of_semantic_kernels_first_spans_are_read(tmp_path: Path) -> None:
    counts = {"gen_ai.response.prompt_tokens": 100, "gen_ai.response.completion_tokens": 20}
    named = {"gen_ai.operation.name": "chat.completions", "gen_ai.system": "openai", "gen_ai.request.model": "gpt-4o"}
    found = row(parse_records(tmp_path, "otel_genai", [span(**named, **counts)]))
    assert buckets(found) == {"input_uncached": 100, "output_text": 20}
