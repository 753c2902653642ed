"""What is special about each format: its streams, envelopes, variants, repeats, and what is no request in it."""

from __future__ import annotations

import json
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.records.layout import SourceError
from tests.unit.requests.helpers import all_days, buckets, parse, parse_records, row, rows, the_fault
from tests.unit.requests.samples import ANTHROPIC_USAGE, AT, OPENAI_USAGE, OTLP, SAMPLES, SECRET, SPAN

BY_FORMAT = {sample.format: sample for sample in SAMPLES}


def test_litellm_cache_hits_and_failures_are_free_and_say_so(tmp_path: Path) -> None:
    base = BY_FORMAT["litellm_spend_logs"].record
    hit = row(parse_records(tmp_path, "litellm_spend_logs", [{**base, "cache_hit": "True", "spend": 0}]))
    failed = row(parse_records(tmp_path, "litellm_spend_logs", [{**base, "status": "failure", "spend": 0.0}]))
    assert (hit["status"], hit["is_billable"]) == ("cache_hit", False)
    assert (failed["status"], failed["is_billable"]) == ("error", False)
    assert json.loads(hit["tags"]) == {"api_key": "hash-1", "request_tags": '["a","b"]'}


def test_attribution_of_the_declaration_comes_before_the_format_s_own(tmp_path: Path) -> None:
    base = BY_FORMAT["litellm_spend_logs"].record
    declared = {"attribution": {"team": "team_id", "project": "metadata/requester/project"}}
    meta = json.dumps(
        {"requester": {"project": "p1"}, "usage_object": OPENAI_USAGE, "user_api_key_team_alias": "search"}
    )
    found = row(parse_records(tmp_path, "litellm_spend_logs", [{**base, "metadata": meta}], **declared))
    assert (found["team"], found["project"]) == ("t1", "p1")


def flat_span(**changes: Any) -> dict[str, Any]:
    base = {"trace_id": "0x5B8EFFF798038103D269B633813FC60C", "span_id": "0xeee19b7ec3c1b174", "start_time": AT,
            "end_time": "2026-02-12T10:20:32Z", "attributes": dict(SPAN)}  # fmt: skip
    base["attributes"].update(changes.pop("attributes", {}))
    return base | changes


def test_further_fields_are_kept_as_tags_and_a_path_that_is_an_object_is_refused(tmp_path: Path) -> None:
    record = {**BY_FORMAT["litellm_spend_logs"].record, "headers": {"x-cost-centre": "42"}, "labels": ["a", "b"]}
    declared = {"attribution": {"tags.cost_centre": "headers/x-cost-centre", "tags.labels": "labels[]"}}
    found = row(parse_records(tmp_path, "litellm_spend_logs", [record], **declared))
    tags = json.loads(found["tags"])
    assert (tags["cost_centre"], tags["labels"], tags["api_key"]) == ("42", '["a","b"]', "hash-1")
    with pytest.raises(SourceError, match="field metadata is named both as a value and as an object"):
        parse_records(tmp_path, "litellm_spend_logs", [record], attribution={"team": "metadata"})
    with pytest.raises(SourceError, match=r"attribution.tags: no such field; accepted are team, .*, tags.<name>"):
        parse_records(tmp_path, "litellm_spend_logs", [record], attribution={"tags": "headers"})


@pytest.mark.parametrize(
    ("logged", "tier"),
    [("provisioned", "provisioned"), ("scale", "scale"), ("ON_DEMAND_PRIORITY", "priority"), ("auto", "standard"),
     ("batch", "batch"), ("Ultrafast", "ultrafast"), ("", "standard"), ("see the <script> of my prompt", "unknown")],
)  # fmt: skip
def test_a_tier_keeps_its_name_and_is_standard_only_where_that_is_meant(tmp_path: Path, logged: str, tier: str) -> None:
    found = row(parse_records(tmp_path, "openai_chat", [{**BY_FORMAT["openai_chat"].record, "service_tier": logged}]))
    assert found["service_tier"] == tier
    assert "service_tier" not in json.loads(found["tags"] or "{}")


@pytest.mark.parametrize("format_name", ["anthropic_messages", "claude_code"])
@pytest.mark.parametrize(("speed", "tier"), [("fast", "fast"), ("standard", "priority"), (None, "priority")])
def test_fast_is_a_tier_of_its_own(tmp_path: Path, format_name: str, speed: str | None, tier: str) -> None:
    record = deepcopy(BY_FORMAT[format_name].record)
    record.get("message", record)["usage"]["speed"] = speed
    assert row(parse_records(tmp_path, format_name, [record]))["service_tier"] == tier


@pytest.mark.parametrize(("logged", "kept"), [(1500, 1500.0), (0, 0.0), (-3, None), ("NaN", None), ("inf", None)])
def test_a_duration_below_zero_is_unknown(tmp_path: Path, logged: object, kept: float | None) -> None:
    record = {**BY_FORMAT["helicone"].record, "delay_ms": logged, "time_to_first_token": logged}
    found = row(parse_records(tmp_path, "helicone", [record]))
    assert (found["latency_ms"], found["ttft_ms"]) == (kept, kept)


def test_words_of_logs_for_a_status_and_a_word_that_is_none(tmp_path: Path) -> None:
    options = {"columns": {"event_at": "at", "input": "in", "output": "out", "status": "s"}}
    words = {"Success": "ok", "200": "ok", "FAILED": "error", "canceled": "cancelled", "cached": "cache_hit", "": "ok"}
    lines = [{"at": AT, "in": number, "out": 1, "s": word} for number, word in enumerate(words)]
    parsed = parse_records(tmp_path, "mapping", [*lines, {"at": AT, "in": 9, "out": 1, "s": "odd"}], options=options)
    assert rows(parsed)["status"].to_list() == list(words.values())
    assert parsed.quarantine.select("reason", "detail").rows() == [
        ("unknown_value", "status: found odd, accepted are ok, error, cancelled, cache_hit")
    ]
    with pytest.raises(SourceError, match=r"defaults.service_tier: found 'tur bo', a name such as standard"):
        parse_records(tmp_path, "mapping", lines, options=options, defaults={"service_tier": "tur bo"})


def test_otel_spans_are_the_same_request_in_a_container_flattened_and_pretty_printed(tmp_path: Path) -> None:
    otlp = row(parse_records(tmp_path, "otel_genai", [OTLP]))
    flat = row(parse_records(tmp_path, "otel_genai", [flat_span()]))
    top = row(parse_records(tmp_path, "otel_genai", [{**SPAN, "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174",
                                                      "startTimeUnixNano": 1770891630500000000}]))  # fmt: skip
    single = deepcopy(OTLP["resourceSpans"][0]["scopeSpans"][0]["spans"][0])
    alone = row(parse_records(tmp_path, "otel_genai", [single]))
    (tmp_path / "p.json").write_text(json.dumps(OTLP, indent=2), encoding="utf-8")
    pretty = row(parse(tmp_path / "p.json", "otel_genai"))
    for other in (flat, top, alone, pretty):
        assert other["request_uid"] == otlp["request_uid"]
        assert buckets(other) == buckets(otlp)
        assert other["event_at"] == otlp["event_at"]


def test_otel_names_of_every_age_mean_the_same(tmp_path: Path) -> None:
    old = {"gen_ai.system": "openai", "gen_ai.request.model": "gpt-4", "gen_ai.usage.prompt_tokens": 10, "gen_ai.usage.completion_tokens": 5,
           "gen_ai.usage.cache_read_input_tokens": 4}  # fmt: skip
    found = row(parse_records(tmp_path, "otel_genai", [{**flat_span(), "attributes": old}]))
    assert buckets(found) == {"input_uncached": 6, "input_cache_read": 4, "output_text": 5}
    assert found["provider_id"] == "openai"


def test_otel_emitters_that_count_cache_apart_are_declared_by_scope(tmp_path: Path) -> None:
    """Counter-example: where the rule that is declared can't be, the same span is a broken identity, never a clamp."""
    counts = {"gen_ai.usage.input_tokens": 50, "gen_ai.usage.cache_read.input_tokens": 600}
    span = flat_span(attributes=counts, scope={"name": "my.anthropic.wrapper", "version": "1"})
    wrong = parse_records(tmp_path, "otel_genai", [span], options={"emitters": {"my.*": "openai_inclusive"}})
    assert the_fault(wrong)["reason"] == "identity_broken"
    options = {"emitters": {"my.*": "anthropic_exclusive"}}
    found = row(parse_records(tmp_path, "otel_genai", [span], options=options))
    assert buckets(found) == {
        "input_uncached": 50,
        "input_cache_read": 600,
        "input_cache_write": 100,
        "output_text": 200,
    }
    assert found["token_semantics"] == "anthropic_exclusive"
    assert json.loads(found["tags"]) == {"emitter": "my.anthropic.wrapper", "emitter_version": "1"}
    with pytest.raises(SourceError, match=r"options.emitters.my\.\*: no such rule 'exclusive'; accepted are"):
        parse_records(tmp_path, "otel_genai", [span], options={"emitters": {"my.*": "exclusive"}})


def test_a_total_that_holds_the_reasoning_contradicts_a_rule_that_counts_it_apart(tmp_path: Path) -> None:
    """The output could hold the reasoning, and the total says that it does: it would be charged twice."""
    counts = {
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.cache_read.input_tokens": 0,
        "gen_ai.usage.cache_creation.input_tokens": 0,
        "gen_ai.usage.output_tokens": 200,
        "gen_ai.usage.reasoning_tokens": 80,
        "gen_ai.usage.total_tokens": 1200,
    }
    span = flat_span(attributes=counts, scope={"name": "my.wrapper", "version": "1"})
    options = {"emitters": {"my.*": "openai_reasoning_apart"}}
    assert the_fault(parse_records(tmp_path, "otel_genai", [span], options=options))["reason"] == "identity_broken"


@pytest.mark.parametrize(
    ("scope", "extra", "rule"),
    [
        ("opentelemetry.instrumentation.bedrock", {}, "anthropic_exclusive"),
        ("opentelemetry.instrumentation.anthropic", {}, "openai_inclusive"),
        ("ai", {}, "anthropic_exclusive"),
        ("ai", {"ai.usage.inputTokenDetails.noCacheTokens": 50}, "openai_inclusive"),
        ("ai", {"gen_ai.provider.name": "openai"}, "openai_inclusive"),
    ],
)
def test_otel_emitters_that_are_known_to_differ(tmp_path: Path, scope: str, extra: dict[str, Any], rule: str) -> None:
    found = row(parse_records(tmp_path, "otel_genai", [flat_span(attributes=extra, scope={"name": scope})]))
    assert found["token_semantics"] == rule
    assert found["input_uncached_tokens"] == (1000 if rule == "anthropic_exclusive" else 300)
    totals = {"gen_ai.usage.total_tokens": 1200}
    total = parse_records(tmp_path, "otel_genai", [flat_span(attributes=extra | totals, scope={"name": scope})])
    assert total.valid == 1
    wrong = parse_records(
        tmp_path,
        "otel_genai",
        [flat_span(attributes=extra | {"gen_ai.usage.total_tokens": 1201}, scope={"name": scope})],
    )
    assert the_fault(wrong)["reason"] == "identity_broken"


def test_otel_agent_and_other_spans_are_no_requests(tmp_path: Path) -> None:
    agent = flat_span(attributes={"gen_ai.operation.name": "invoke_agent"})
    web = {"trace_id": "t", "span_id": "s", "start_time": AT, "attributes": {"http.route": "/"}}
    empty = {"resourceSpans": []}
    parsed = parse_records(tmp_path, "otel_genai", [agent, web, empty])
    assert parsed.valid == 0
    assert parsed.quarantine.select("reason", "severity").unique().sort("reason").rows() == [
        ("no_items", "info"),
        ("not_a_request", "info"),
    ]


def test_otel_failed_spans_are_billable_only_with_usage(tmp_path: Path) -> None:
    failed = flat_span(status={"code": 2}, attributes={"error.type": "timeout"})
    without = {**failed, "attributes": {"gen_ai.request.model": "gpt-4", "error.type": "CancelledError"}}
    assert (row(parse_records(tmp_path, "otel_genai", [failed]))["status"], True) == ("error", True)
    found = row(parse_records(tmp_path, "otel_genai", [without]))
    assert (found["status"], found["is_billable"], found["usage_basis"], found["token_semantics"]) == (
        "cancelled",
        False,
        "missing",
        "missing",
    )


def test_openrouter_adds_the_upstream_cost_only_for_own_keys(tmp_path: Path) -> None:
    base = BY_FORMAT["openrouter"].record
    usage = {**base["usage"], "cost": 0.0001, "cost_details": {"upstream_inference_cost": 0.002}}
    own = row(parse_records(tmp_path, "openrouter", [{**base, "usage": {**usage, "is_byok": True}}]))
    shared = row(parse_records(tmp_path, "openrouter", [{**base, "usage": usage}]))
    assert own["reported_cost_usd"] == Decimal("0.0021")
    assert shared["reported_cost_usd"] == Decimal("0.0001")


def test_openrouter_generations_count_native_tokens(tmp_path: Path) -> None:
    generation = {"data": {"id": "gen-1", "created_at": AT, "model": "openai/gpt-5", "provider_name": "Azure", "tokens_prompt": 900,
        "tokens_completion": 280, "native_tokens_prompt": 1000, "native_tokens_completion": 300, "native_tokens_cached": 400,
        "native_tokens_reasoning": 200, "total_cost": 0.00123, "streamed": True, "cancelled": True, "generation_time": 1500}}  # fmt: skip
    found = row(parse_records(tmp_path, "openrouter", [generation]))
    assert buckets(found) == BY_FORMAT["openrouter"].expected
    assert (found["status"], found["is_billable"], found["reported_cost_usd"]) == (
        "cancelled",
        True,
        Decimal("0.00123"),
    )
    free = {"data": {**generation["data"], "total_cost": 0}}
    assert row(parse_records(tmp_path, "openrouter", [free]))["is_billable"] is False


def test_a_stream_keeps_its_last_usage_and_without_usage_stays_one_request(tmp_path: Path) -> None:
    chunk = {"id": "c1", "object": "chat.completion.chunk", "created": 1770891630, "model": "gpt-5", "usage": None}
    usage = [
        None,
        {"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11},
        {"prompt_tokens": 10, "completion_tokens": 7, "total_tokens": 17},
    ]
    silent = [{**chunk, "id": "c2"}] * 3
    for number, order in enumerate(([0, 1, 2], [2, 1, 0], [1, 2, 0])):
        folder = tmp_path / str(number)
        folder.mkdir()
        parsed = parse_records(folder, "openai_chat", [*({**chunk, "usage": usage[n]} for n in order), *silent])
        found = all_days([parsed])
        by_id = {request["source_request_id"]: request for request in found.requests.to_dicts()}
        last = [stated["completion_tokens"] for n in order if (stated := usage[n])][-1]
        assert buckets(by_id["c1"]) == {"input_uncached": 10, "output_text": last}
        assert by_id["c2"]["usage_basis"] == "missing"
        assert (found.requests.height, found.duplicates.height) == (2, 4)
        assert set(found.duplicates["rule"]) == {"stream_delta", "same_record"}


@pytest.mark.parametrize(
    ("usage", "expected", "rule"),
    [
        ({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, "prompt_cache_hit_tokens": 4, "prompt_cache_miss_tokens": 6},
         {"input_uncached": 6, "input_cache_read": 4, "output_text": 5}, "openai_inclusive"),  # DeepSeek
        ({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, "num_cached_tokens": 4},
         {"input_uncached": 6, "input_cache_read": 4, "output_text": 5}, "openai_inclusive"),  # Mistral
        ({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 45, "completion_tokens_details": {"reasoning_tokens": 30}},
         {"input_uncached": 10, "output_text": 5, "output_reasoning": 30}, "openai_reasoning_apart"),  # xAI
        ({"billed_units": {"input_tokens": 33, "output_tokens": 22}, "cached_tokens": 144, "tokens": {"input_tokens": 1452}},
         {"input_uncached": 33, "output_text": 22}, "cohere_billed_units"),  # Cohere
        ({"total_tokens": 12}, {"input_uncached": 12}, "openai_inclusive"),  # Voyage embeddings
        ({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, "completion_tokens_details": {"rejected_prediction_tokens": 3}},
         {"input_uncached": 10, "output_text": 5}, "openai_inclusive"),
    ],
)  # fmt: skip
def test_variants_of_the_openai_shape(
    tmp_path: Path, usage: dict[str, Any], expected: dict[str, int], rule: str
) -> None:
    found = row(
        parse_records(tmp_path, "openai_chat", [{"id": "1", "created": 1770891630, "model": "m", "usage": usage}])
    )
    assert (buckets(found), found["token_semantics"]) == (expected, rule)


def test_openai_batch_results_and_declared_envelopes(tmp_path: Path) -> None:
    base = BY_FORMAT["openai_chat"]
    batch = {
        "id": "batch_req_1",
        "custom_id": "x",
        "response": {"status_code": 200, "request_id": "r", "body": base.record},
    }
    assert buckets(row(parse_records(tmp_path, "openai_chat", [batch]))) == base.expected
    own = {"meta": {"when": AT}, "answer": base.record}
    found = row(parse_records(tmp_path, "openai_chat", [own], options={"body": "answer", "timestamp": "meta/when"}))
    assert buckets(found) == base.expected
    assert found["event_at"].isoformat() == "2026-02-12T10:20:30.500000+00:00"


def test_an_anthropic_stream_counts_its_last_usage(tmp_path: Path) -> None:
    """A real stream raised its input from 702 to 1,591 tokens between start and delta."""
    start = {
        "timestamp": AT,
        "type": "message_start",
        "message": {"id": "m1", "model": "claude-x", "usage": {"input_tokens": 702, "output_tokens": 1}},
    }
    delta = {
        "timestamp": AT,
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn"},
        "usage": {"input_tokens": 1591, "output_tokens": 90},
    }
    text = {"type": "content_block_delta", "delta": {"type": "text_delta", "text": SECRET}}
    other = {**start, "message": {**start["message"], "id": "m2"}}
    parsed = parse_records(tmp_path, "anthropic_messages", [start, text, delta, other, {"type": "message_stop"}])
    found = all_days([parsed])
    assert {request["source_request_id"]: buckets(request) for request in found.requests.to_dicts()} == {
        "m1": {"input_uncached": 1591, "output_text": 90},
        "m2": {"input_uncached": 702},
    }
    assert parsed.quarantine["severity"].to_list() == ["info", "info"]


def test_anthropic_batch_results_are_batch_tier(tmp_path: Path) -> None:
    message = {key: value for key, value in BY_FORMAT["anthropic_messages"].record.items() if key != "timestamp"}
    done = {"timestamp": AT, "custom_id": "a", "result": {"type": "succeeded", "message": message}}
    expired = {"timestamp": AT, "custom_id": "b", "result": {"type": "expired"}}
    parsed = parse_records(tmp_path, "anthropic_messages", [done, expired])
    found = {json.loads(request["tags"])["custom_id"]: request for request in rows(parsed).to_dicts()}
    assert (found["a"]["service_tier"], buckets(found["a"])) == ("batch", BY_FORMAT["anthropic_messages"].expected)
    assert (found["b"]["status"], found["b"]["is_billable"], found["b"]["usage_basis"]) == (
        "cancelled",
        False,
        "missing",
    )


def test_gemini_cached_audio_and_video_are_distinguished(tmp_path: Path) -> None:
    usage = {"promptTokenCount": 100, "cachedContentTokenCount": 60, "candidatesTokenCount": 5, "totalTokenCount": 105,
             "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 20}, {"modality": "AUDIO", "tokenCount": 50}, {"modality": "VIDEO", "tokenCount": 30}],
             "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 40}, {"modality": "VIDEO", "tokenCount": 20}]}  # fmt: skip
    found = row(parse_records(tmp_path, "gemini", [{"timestamp": AT, "responseId": "r", "usageMetadata": usage}]))
    assert buckets(found) == {"input_uncached": 20, "input_cache_read": 20, "input_audio": 10, "input_audio_cache_read": 40,
                              "input_video": 10, "output_text": 5}  # fmt: skip


def test_claude_code_counts_a_message_once_with_its_last_usage(tmp_path: Path) -> None:
    """Each content block repeats the message with a usage that grows; resumed sessions repeat all of it."""
    base = BY_FORMAT["claude_code"].record
    blocks = [
        {**base, "uuid": str(n), "message": {**base["message"], "usage": {**ANTHROPIC_USAGE, "output_tokens": n}}}
        for n in (1, 30, 90)
    ]
    resumed = [{**block, "sessionId": "s2"} for block in blocks]
    user = {"type": "user", "timestamp": AT, "message": {"role": "user", "content": SECRET}}
    system = {"type": "system", "timestamp": AT, "message": SECRET}
    synthetic = {**base, "requestId": None, "message": {**base["message"], "id": "x", "model": "<synthetic>"}}
    parsed = parse_records(tmp_path, "claude_code", [user, *blocks, system, *resumed, synthetic])
    found = all_days([parsed])
    assert (parsed.valid, found.requests.height, found.duplicates.height) == (6, 1, 5)
    assert buckets(found.requests.row(0, named=True)) == BY_FORMAT["claude_code"].expected
    assert parsed.quarantine["severity"].to_list() == ["info"] * 3


def test_langfuse_documents_join_the_trace_and_the_last_update_counts(tmp_path: Path) -> None:
    observation = BY_FORMAT["langfuse"].record
    inner = {
        "input": 1000,
        "prompt_details.cache_read": 400,
        "output": 300,
        "completion_details.reasoning": 200,
        "total": 1300,
    }
    older = {**observation, "updatedAt": "2026-02-12T11:00:00Z", "usageDetails": {"input": 1, "output": 1}}
    newer = {**observation, "updatedAt": "2026-02-12T12:00:00Z", "usageDetails": inner}
    span = {"id": "s", "type": "SPAN", "startTime": AT}
    document = {"trace": {"id": "t1", "userId": "u1", "sessionId": "s1", "name": "bot", "tags": ["x"], "input": SECRET},
                "observations": [newer, span, older]}  # fmt: skip
    path = tmp_path / "export.json"
    path.write_text(json.dumps(document, indent=2), encoding="utf-8")
    parsed = parse(path, "langfuse")
    [request] = all_days([parsed]).requests.to_dicts()
    assert buckets(request) == BY_FORMAT["langfuse"].expected
    assert (request["token_semantics"], request["end_user_id"], request["session_id"]) == (
        "openai_inclusive",
        "u1",
        "s1",
    )
    assert (request["application"], json.loads(request["tags"])) == ("bot", {"tags": '["x"]'})


def test_helicone_semantics_by_provider_or_by_option(tmp_path: Path) -> None:
    base = BY_FORMAT["helicone"].record
    anthropic = {**base, "provider": "ANTHROPIC", "prompt_tokens": 50, "prompt_cache_read_tokens": 700}
    found = row(parse_records(tmp_path, "helicone", [anthropic]))
    assert buckets(found) == {"input_uncached": 50, "input_cache_read": 700, "output_text": 300}
    stated = parse_records(tmp_path, "helicone", [anthropic], options={"semantics": "openai_inclusive"})
    assert the_fault(stated)["reason"] == "identity_broken"


def test_apim_pieces_of_messages_are_no_requests(tmp_path: Path) -> None:
    base = BY_FORMAT["azure_apim"].record
    diagnostic = {
        "time": AT,
        "properties": {
            "correlationId": "c2",
            "sequenceNumber": 0,
            "modelName": "gpt-4o",
            "promptTokens": 7,
            "completionTokens": 3,
        },
    }
    parsed = parse_records(
        tmp_path, "azure_apim", [base, {**base, "SequenceNumber": 1, "PromptTokens": None}, diagnostic]
    )
    assert (parsed.valid, parsed.quarantine["severity"].to_list()) == (2, ["info"])
    assert rows(parsed)["input_uncached_tokens"].to_list() == [100, 7]


def test_ollama_without_a_prompt_count_is_partial(tmp_path: Path) -> None:
    base = {key: value for key, value in BY_FORMAT["ollama"].record.items() if key != "prompt_eval_count"}
    found = row(parse_records(tmp_path, "ollama", [base]))
    assert (found["usage_basis"], buckets(found)) == ("partial", {"output_text": 298})
    assert the_fault(parse_records(tmp_path, "ollama", [{**base, "done": False}]))["severity"] == "info"


def test_langfuse_totals_come_before_names(tmp_path: Path) -> None:
    """Keys named as if they added up, under a total that says they are parts of input and output."""
    usage = {"input": 1000, "input_cached_tokens": 400, "output": 300, "output_reasoning": 200, "total": 1300}
    found = row(parse_records(tmp_path, "langfuse", [{**BY_FORMAT["langfuse"].record, "usageDetails": usage}]))
    assert (buckets(found), found["token_semantics"]) == (BY_FORMAT["langfuse"].expected, "openai_inclusive")


@pytest.mark.parametrize(
    ("stated", "status"),
    [({"code": "500"}, "error"), ({"code": "200"}, "ok"), ({"said": "429"}, "error"), ({"said": "201"}, "ok"), ({"said": "timeout"}, "error")],
)  # fmt: skip
def test_a_mapped_status_may_be_a_code_or_stand_in_one(tmp_path: Path, stated: dict[str, str], status: str) -> None:
    columns = {"event_at": "at", "model": "m", "input": "in", "output": "out", "http_status": "code", "status": "said"}
    used = {field: column for field, column in columns.items() if column in (*stated, "at", "m", "in", "out")}
    line = {"at": AT, "m": "gpt-4o", "in": 5, "out": 6, **stated}
    found = row(parse_records(tmp_path, "mapping", [line], options={"columns": used}))
    assert (found["status"], found["is_billable"]) == (status, status == "ok")
