"""What tools around models export: nodes of workflows, chats, runs in tables, spans of observability services."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.requests.formats import _langchain
from tests.unit.requests.helpers import all_days, as_csv, buckets, landed_bytes, parse_records, row, the_fault

AT = "2026-02-12T10:20:30Z"
CREATED = 1770891630
USAGE = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
CACHED = {"input_uncached": 60, "input_cache_read": 40, "output_text": 20}
PLAIN = {"input_uncached": 100, "output_text": 20}


def counted(parsed: Any) -> list[dict[str, int]]:
    found = all_days([parsed]).requests.sort("input_uncached_tokens", descending=True)
    return [buckets(each) for each in found.to_dicts()]


def test_a_total_next_to_the_counts_that_it_adds_up_is_no_second_call(tmp_path: Path) -> None:
    """Dify states a node's usage twice and its total once more; a total of something else is a call of its own."""
    node = {
        "id": "n1", "node_type": "llm", "status": "succeeded", "created_at": CREATED,
        "process_data": {"model_name": "gpt-5", "usage": USAGE},
        "outputs": {"text": "x", "usage": USAGE},
        "execution_metadata": {"total_tokens": 120, "currency": "USD"},
    }  # fmt: skip
    assert counted(parse_records(tmp_path, "openai_chat", [node])) == [PLAIN]
    other = node | {"execution_metadata": {"model": "text-embedding-3-small", "total_tokens": 90}}
    assert counted(parse_records(tmp_path, "openai_chat", [other])) == [PLAIN, {"input_uncached": 90}]


def test_what_a_person_wrote_in_an_exported_chat_is_no_call(tmp_path: Path) -> None:
    asked = {"id": "m1", "role": "user", "content": "q", "timestamp": CREATED - 5, "models": ["gpt-5"]}
    usage = USAGE | {"prompt_tokens_details": {"cached_tokens": 40}}
    said = {"id": "m2", "role": "assistant", "model": "gpt-5", "timestamp": CREATED, "usage": usage}
    chat = {"history": {"messages": {"m1": asked, "m2": said}}, "messages": [asked, said]}
    for name in ("openai_chat", "openai_responses"):
        assert counted(parse_records(tmp_path, name, [{"id": "c1", "chat": chat}])) == [CACHED]
        # Of an end user's role nothing follows.
        named = {"id": "chatcmpl-a1b2c3d4e5f6g7", "model": "gpt-5", "role": "user", "timestamp": AT}
        assert row(parse_records(tmp_path, name, [named]))["usage_basis"] == "missing"


def test_a_table_of_runs_says_what_was_cached_and_which_model_answered(tmp_path: Path) -> None:
    usage = {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120, "input_token_details": {"cache_read": 40}}
    message = {"kwargs": {"usage_metadata": usage, "response_metadata": {"model_name": "gpt-5-2025-08-07"}}}
    run = {
        "id": "0b0b0b0b-0000-4000-8000-000000000001", "run_type": "llm", "start_time": AT, **USAGE,
        "extra": {"metadata": {"ls_model_name": "gpt-5"}}, "outputs": {"generations": [[{"message": message}]]},
    }  # fmt: skip
    found = row(landed_bytes(tmp_path, as_csv(run), "openai_chat", "a.csv"))
    assert (buckets(found), found["request_model"]) == (CACHED, "gpt-5-2025-08-07")
    del run["outputs"]
    found = row(landed_bytes(tmp_path, as_csv(run), "openai_chat", "b.csv"))
    assert (buckets(found), found["request_model"]) == (PLAIN, "gpt-5")


def test_a_table_of_no_runs_is_not_read_row_by_row_for_an_object_in_a_column(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row costs fifty times as much that way, and columns named `extra` are anyone's."""
    seen: list[object] = []
    whole = _langchain.answers_of
    monkeypatch.setattr(
        _langchain, "answers_of", lambda value, *rest, **more: seen.append(value) or whole(value, *rest, **more)
    )  # type: ignore[func-returns-value]
    call = {"timestamp": AT, "id": "a1b2c3d4", "model": "gpt-5", "prompt_tokens": 100, "completion_tokens": 20}
    for name in ("extra", "outputs"):
        content = as_csv(call | {name: {"a": 1}})
        assert buckets(row(landed_bytes(tmp_path, content, "openai_chat", f"{name}.csv"))) == PLAIN
    assert seen == []


def test_spans_of_sentry_and_honeycomb_have_their_ids_and_instants(tmp_path: Path) -> None:
    attributes = {
        "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-5", "gen_ai.provider.name": "openai",
        "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 20, "gen_ai.usage.input_tokens.cached": 40,
    }  # fmt: skip
    trace = "5b8efff798038103d269b633813fc60c"
    flat = {"Timestamp": AT, "trace.trace_id": trace, "trace.span_id": "b3e1a1a1a1a1a1a1", **attributes}
    spans = [flat, flat | {"trace.span_id": "b3e1a1a1a1a1a1a2"}]
    assert counted(landed_bytes(tmp_path, as_csv(*spans), "otel_genai", "a.csv")) == [CACHED] * 2
    assert counted(parse_records(tmp_path, "otel_genai", [*spans, flat])) == [CACHED] * 2
    call = {"span_id": "b3e1a1a1a1a1a1a1", "trace_id": trace, "start_timestamp": CREATED + 0.1, "data": attributes}
    agent = call | {
        "span_id": "aaaaaaaaaaaaaaaa",
        "data": attributes | {"gen_ai.operation.name": "invoke_agent"},
    }
    event = {"type": "transaction", "start_timestamp": CREATED, "spans": [agent, call]}
    assert counted(parse_records(tmp_path, "otel_genai", [event])) == [CACHED]


def test_counts_under_names_of_other_tools(tmp_path: Path) -> None:
    def of(record: dict[str, Any]) -> dict[str, int]:
        return buckets(row(parse_records(tmp_path, "openai_chat", [json.loads(json.dumps(record))])))

    stats = {"input_tokens": 419, "total_output_tokens": 362, "reasoning_output_tokens": 195}
    studio = {"timestamp": AT, "model_instance_id": "openai/gpt-oss-20b", "output": [], "stats": stats}
    assert of(studio) == {"input_uncached": 419, "output_text": 167, "output_reasoning": 195}
    enveloped = {"timestamp": AT, "response": {"model_instance_id": "openai/gpt-oss-20b", "stats": stats}}
    assert row(parse_records(tmp_path, "openai_chat", [enveloped]))["request_model"] == "openai/gpt-oss-20b"
    assert of({"timestamp": AT, "model": "gpt-5", "promptTokens": 100, "generatedTokens": 20}) == PLAIN
    relic = {"timestamp": CREATED * 1000, "id": "n1", "response.model": "gpt-5"}
    assert of(relic | {f"response.usage.{name}": count for name, count in USAGE.items()}) == PLAIN
    written = USAGE | {"prompt_tokens_details": {"cached_tokens": 40, "caching_tokens": 10}}
    expected = {"input_uncached": 50, "input_cache_read": 40, "input_cache_write": 10, "output_text": 20}
    assert of({"id": "r1", "timestamp": AT, "model": "anthropic/claude-opus-4-6", "usage": written}) == expected


def test_counts_of_agents_and_frameworks(tmp_path: Path) -> None:
    """Each by the names that its tool gives them; what was cached is never charged in full."""

    def of(record: dict[str, Any]) -> dict[str, int]:
        return buckets(row(parse_records(tmp_path, "openai_chat", [record])))

    whole = {"input_uncached": 7, "input_cache_read": 9000, "input_cache_write": 100, "output_text": 20}
    parts = {"input": 7, "output": 20, "cacheRead": 9000, "cacheWrite": 100, "totalTokens": 9127, "cost": {"total": 1}}
    message = {"role": "assistant", "model": "claude-opus-4-6", "usage": parts}
    assert of({"type": "message", "id": "a1", "timestamp": AT, "message": message}) == whole
    # Without a total, and under another name, for every seller: the input leaves the cache out.
    del parts["totalTokens"]
    for more in ({}, {"total": 9127}):
        said = {"role": "assistant", "model": "gpt-5", "usage": parts | more}
        assert of({"type": "message", "id": "a2", "timestamp": AT, "message": said}) == whole
    # What it cost may be written otherwise, and costs no count.
    for cost in ("x", {"usd": 1}, [1], 0.01):
        said = {"role": "assistant", "model": "gpt-5", "usage": parts | {"cost": {"total": cost}}}
        found = row(parse_records(tmp_path, "openai_chat", [{"id": "a3", "timestamp": AT, "message": said}]))
        assert buckets(found) == whole
        assert found["reported_cost_usd"] == (Decimal("0.01") if cost == 0.01 else None)
    written = {"model": "sonar", "timestamp": AT, "usage": USAGE | {"cost": {"total_cost": "0.02"}}}
    assert row(parse_records(tmp_path, "openai_chat", [written]))["reported_cost_usd"] == Decimal("0.02")
    own = {"cache_creation_input_tokens": 100, "cache_read_input_tokens": 9000, "input_tokens": 7, "output_tokens": 20}
    usage: dict[str, Any] = {"inputTokens": 7, "outputTokens": 20, "totalTokens": 27, "custom": own}
    assert of({"timestamp": AT, "model": "anthropic/claude-sonnet-4-5", "usage": usage}) == whole
    usage = {"prompt_tokens": 9107, "completion_tokens": 20, "total_tokens": 9127}
    usage |= {f"original_usage.{name}": count for name, count in own.items()}
    assert of({"id": "0192", "start_time": AT, "model": "claude-opus-4-6", "usage": usage}) == whole
    thinking = {"input_uncached": 60, "input_cache_read": 40, "output_text": 15, "output_reasoning": 5}
    usage = USAGE | {
        "original_usage.prompt_tokens_details.cached_tokens": 40,
        "original_usage.completion_tokens_details.reasoning_tokens": 5,
    }
    assert of({"id": "0193", "start_time": AT, "model": "gpt-5", "usage": usage}) == thinking
    metrics = USAGE | {"prompt_cached_tokens": 40, "completion_reasoning_tokens": 5}
    assert of({"id": "b1", "created": AT, "metadata": {"model": "gpt-5"}, "metrics": metrics}) == thinking
    for odd in (None, 5):
        assert (
            of({"id": "0194", "start_time": AT, "model": "gpt-5", "usage": usage | {"prompt_tokens_details": odd}})
            == thinking
        )
    gemini = {
        "inputTokens": 100,
        "outputTokens": 20,
        "thoughtsTokens": 5,
        "totalTokens": 125,
        "cachedContentTokens": 40,
    }
    expected = {"input_uncached": 60, "input_cache_read": 40, "output_text": 20, "output_reasoning": 5}
    assert of({"timestamp": AT, "model": "googleai/gemini-2.5-pro", "usage": gemini}) == expected
    logged = {"model": "gpt-5", "duration": 9, "prompt_tokens": 100, "completion_tokens": 20}
    assert of({"start_time": CREATED * 1000, "llm_summary": logged, "response": {"status": 200}}) == PLAIN


@pytest.mark.parametrize("name", ["openai_chat", "openai_responses", "vllm", "llamacpp"])
@pytest.mark.parametrize("field", ["role", "stats", "base_resp"])
def test_a_field_that_only_some_tools_fill_costs_no_record_of_another(name: str, field: str, tmp_path: Path) -> None:
    for other in ("p50", ["a"], {"name": "a"}, 0, None):
        record = {"id": "chatcmpl-a1b2c3d4e5f6g7", "timestamp": AT, "model": "gpt-5", "usage": USAGE, field: other}
        assert buckets(row(parse_records(tmp_path, name, [record]))) == PLAIN


@pytest.mark.parametrize("name", ["openai_chat", "openai_responses", "anthropic_messages", "llamacpp"])
def test_a_column_of_the_model_that_answered_is_not_the_one_asked_for(name: str, tmp_path: Path) -> None:
    call = {
        "timestamp": AT,
        "request_model": "my-alias",
        "response.id": "a1b2c3d4e5f6",
        "response.model": "gpt-5-2025-08-07",
    }
    call |= {"response.usage.input_tokens": 100, "response.usage.output_tokens": 20}  # type: ignore[dict-item]
    found = row(landed_bytes(tmp_path, as_csv(call), name, "a.csv"))
    assert (found["request_model"], found["response_model"]) == ("my-alias", "gpt-5-2025-08-07")


def test_a_table_with_geminis_names_counts_its_output_too(tmp_path: Path) -> None:
    counts = {
        "prompt_token_count": 100,
        "candidates_token_count": 20,
        "thoughts_token_count": 5,
        "total_token_count": 125,
    }
    record = {"timestamp": AT, "model": "gemini-2.5-pro", **counts, "cached_content_token_count": 40}
    expected = {"input_uncached": 60, "input_cache_read": 40, "output_text": 20, "output_reasoning": 5}
    assert counted(parse_records(tmp_path, "openai_chat", [record])) == [expected]


def test_a_span_with_attributes_of_its_own_keeps_them(tmp_path: Path) -> None:
    attributes = {"gen_ai.request.model": "gpt-5", "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 20}
    span = {"trace_id": "5b8efff798038103d269b633813fc60c", "span_id": "b3e1a1a1a1a1a1a1", "start_timestamp": AT}
    record = span | {"attributes": attributes, "data": {"x": 1}}
    assert counted(parse_records(tmp_path, "otel_genai", [record])) == [PLAIN]


@pytest.mark.parametrize("name", ["openai_chat", "openai_responses", "anthropic_messages", "llamacpp"])
def test_a_message_whose_total_adds_up_the_cache_is_still_claudes(name: str, tmp_path: Path) -> None:
    usage = {"input_tokens": 100, "output_tokens": 20, "cache_read_input_tokens": 40, "total_tokens": 160}
    record = {"id": "msg_01A", "type": "message", "timestamp": AT, "model": "claude-opus-4-6", "usage": usage}
    assert counted(parse_records(tmp_path, name, [record])) == [PLAIN | {"input_cache_read": 40}]


@pytest.mark.parametrize("name", ["openai_chat", "openai_responses", "bedrock_converse", "llamacpp"])
def test_something_else_in_a_declared_place_is_named(name: str, tmp_path: Path) -> None:
    """A place that was declared wrongly would else hide every call as no request."""
    for held, reason in (("words", "not_json"), (["a"], "wrong_type"), (5, "wrong_type")):
        options = {"body": "data/answer"}
        fault = the_fault(parse_records(tmp_path, name, [{"timestamp": AT, "data": {"answer": held}}], options=options))
        assert fault["reason"] == reason
        assert fault["detail"].startswith("data/answer ")


def test_claude_in_vertex_ais_table_of_answers_has_its_instant(tmp_path: Path) -> None:
    answer = {"id": "msg_vrtx_01A", "type": "message", "role": "assistant", "model": "claude-opus-4-6"}
    answer["usage"] = {"input_tokens": 100, "output_tokens": 20}  # type: ignore[assignment]
    logged = {"logging_time": AT, "full_request": {}, "full_response": answer}
    assert buckets(row(parse_records(tmp_path, "anthropic_messages", [logged]))) == PLAIN


def test_what_a_call_embeds_is_charged_by_its_kind(tmp_path: Path) -> None:
    details = [{"modality": "IMAGE", "tokenCount": 258}, {"modality": "TEXT", "tokenCount": 5}]
    usage = {"promptTokenCount": 263, "promptTokenDetails": details}
    embedded = {"timestamp": AT, "model": "gemini-embedding-2", "embedding": {"values": [0.1]}, "usageMetadata": usage}
    assert buckets(row(parse_records(tmp_path, "gemini", [embedded]))) == {"input_uncached": 5, "input_image": 258}


@pytest.mark.parametrize("kind", ["acreate_batch", "acreate_file", "afile_content", "call_mcp_tool", "list_mcp_tools"])
def test_what_litellm_manages_asks_no_model(kind: str, tmp_path: Path) -> None:
    logged = {"request_id": "6a6a6a6a-0000", "call_type": kind, "model": "gpt-5", "startTime": AT, "spend": 0.0}
    counts = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    managed = parse_records(tmp_path, "litellm_spend_logs", [logged | counts])
    assert the_fault(managed)["reason"] == "not_a_request"
    # What was charged or counted stays, and so does a call that asks a model and counted nothing.
    for kept in (counts | {"spend": 0.01}, USAGE, counts | {"call_type": "acompletion"}):
        assert row(parse_records(tmp_path, "litellm_spend_logs", [logged | kept]))


def test_a_line_of_a_table_that_adds_up_others_is_no_call(tmp_path: Path) -> None:
    lines = "Time,Model,In,Out\n2026-02-12 10:00,gpt-5,100,20\n2026-02-12,Grand Total,100,20\n"
    columns = {"event_at": "Time", "model": "Model", "input": "In", "output": "Out"}
    parsed = landed_bytes(tmp_path, lines.encode(), "mapping", "a.csv", options={"columns": columns})
    assert counted(parsed) == [PLAIN]


@pytest.mark.parametrize("name", ["openai_chat", "openai_responses", "anthropic_messages", "gemini", "vllm"])
@pytest.mark.parametrize("place", ["response", "body", "message", "payload"])
def test_words_in_the_place_of_an_answer_hide_no_count_of_a_wrapped_record(
    name: str, place: str, tmp_path: Path
) -> None:
    """Workers AI answers with the text as `response`, next to the usage, in a `result`."""
    own = {
        "anthropic_messages": {"usage": {"input_tokens": 100, "output_tokens": 20}},
        "gemini": {"usageMetadata": {"promptTokenCount": 100, "candidatesTokenCount": 20, "totalTokenCount": 120}},
    }
    said = {place: "Hello there, friend.", **own.get(name, {"usage": USAGE})}
    wrapped = {"timestamp": AT, "model": "m", "result": said, "success": True}
    listed = {"items": [{"timestamp": AT, "model": "m", **said}]}
    for record in (wrapped, listed):
        assert counted(parse_records(tmp_path, name, [record])) == [PLAIN]


def test_counts_of_models_that_clouds_serve_under_names_of_their_own(tmp_path: Path) -> None:
    nova = {"inputTokens": 10, "outputTokens": 5, "totalTokens": 52}
    nova |= {"cacheReadInputTokenCount": 30, "cacheWriteInputTokenCount": 7}
    record: dict[str, Any] = {"timestamp": AT, "model": "amazon.nova-lite-v1:0", "usage": nova}
    expected = {"input_uncached": 10, "input_cache_read": 30, "input_cache_write": 7, "output_text": 5}
    assert counted(parse_records(tmp_path, "openai_chat", [record])) == [expected]
    for names in (("input_token_count", "output_token_count"), ("prompt_token_count", "generation_token_count")):
        counts = dict(zip(names, (100, 20), strict=True))
        assert counted(parse_records(tmp_path, "openai_chat", [{"request_time": AT, "model": "m"} | counts])) == [PLAIN]
    refused = {"id": "06a1b2c3d4e5f6a8", "created": CREATED, "model": "MiniMax-M2", "base_resp": {"status_code": 1008}}
    found = row(parse_records(tmp_path, "openai_chat", [refused]))
    assert (found["status"], found["is_billable"]) == ("error", False)
    answered = refused | {"base_resp": {"status_code": 0}, "usage": USAGE}
    assert row(parse_records(tmp_path, "openai_chat", [answered]))["status"] == "ok"


@pytest.mark.parametrize(
    "name", ["cumulative", "running", "session", "budget", "limits", "estimated_usage", "previous"]
)
def test_counts_next_to_a_call_that_are_no_call_do_not_count(name: str, tmp_path: Path) -> None:
    """A sum until now, a limit, an estimate; alone, with a model or with an id it may be a call."""
    line = {"timestamp": AT, "model": "gpt-5"}
    whole = {"prompt_tokens": 1000, "completion_tokens": 200}
    both = [line | {"turn": {"usage": USAGE}, name: whole}, line | {name: {"usage": whole}, "turn": USAGE}]
    for record in both:
        assert counted(parse_records(tmp_path, "openai_chat", [record])) == [PLAIN]
    alone = {"input_uncached": 1000, "output_text": 200}
    assert counted(parse_records(tmp_path, "openai_chat", [line | {name: {"usage": whole}}])) == [alone]
    for own in ({"model": "gpt-5-mini"}, {"id": "chatcmpl-a1b2c3d4e5f6g7"}):
        record = {"timestamp": AT, "turn": {"model": "gpt-5", "usage": USAGE}, name: {"usage": whole, **own}}
        assert counted(parse_records(tmp_path, "openai_chat", [record])) == [alone, PLAIN]


@pytest.mark.parametrize("name", ["openai_chat", "openai_responses"])
def test_a_page_of_a_usage_report_names_the_format_that_reads_it(name: str, tmp_path: Path) -> None:
    result = {"object": "organization.usage.completions.result", "input_tokens": 1000, "output_tokens": 500}
    page = {"object": "page", "data": [{"object": "bucket", "start_time": CREATED, "results": [result]}]}
    fault = the_fault(parse_records(tmp_path, name, [page]))
    assert "openai_usage_api" in fault["detail"]
