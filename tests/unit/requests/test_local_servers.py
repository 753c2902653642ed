"""What llama.cpp's server (b11434) and vLLM (0.32.0) answered on each of their endpoints with a model of some hundred kilobytes, against their
own counters.

The counts are those of one run each; `/metrics` then said: 121 tokens of prompts processed, 330 from the cache, 65 predicted (llama.cpp);
`vllm:prompt_tokens_total` 1914, `vllm:prompt_tokens_cached_total` 1024, `vllm:generation_tokens_total` 240.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.requests.helpers import all_days, buckets, landed_bytes, parse_records, row, rows, the_fault

AT, EPOCH = "2026-02-12T10:20:30Z", 1770891630
METRICS = {"input_uncached_tokens": 121, "input_cache_read_tokens": 330, "output_text_tokens": 65}


def timings(cached: int, processed: int, predicted: int) -> dict[str, Any]:
    return {
        "cache_n": cached, "prompt_n": processed, "prompt_ms": 0.9, "predicted_n": predicted, "predicted_ms": 0.7,
        "prompt_per_token_ms": 0.01, "prompt_per_second": 77494.7, "predicted_per_token_ms": 0.1, "predicted_per_second": 9497.9,
    }  # fmt: skip


def chat(
    number: int, cached: int, *, prompt: int = 73, predicted: int = 8, kind: str = "chat.completion"
) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{number}", "object": kind, "created": EPOCH, "model": "tiny", "system_fingerprint": "b0-unknown",
        "usage": {
            "prompt_tokens": prompt, "completion_tokens": predicted, "total_tokens": prompt + predicted,
            "prompt_tokens_details": {"cached_tokens": cached},
        },
        "timings": timings(cached, prompt - cached, predicted),
    }  # fmt: skip


def stream(*chunks: dict[str, Any]) -> str:
    return "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"


PIECE = {"id": "chatcmpl-4", "object": "chat.completion.chunk", "created": EPOCH, "model": "tiny", "choices": [{"index": 0, "delta": {"content": "a"}}]}  # fmt: skip
NATIVE = {
    "model": "tiny",
    "stop": True,
    "stop_type": "limit",
    "tokens_predicted": 6,
    "tokens_evaluated": 9,
    "tokens_cached": 14,
}
LOGGED: tuple[dict[str, Any], ...] = (
    {"response": chat(1, 0)},
    {"response": chat(2, 72)},
    {"response_body": stream({**PIECE, "id": "chatcmpl-3"}, chat(3, 72, kind="chat.completion.chunk"))},
    # Not asked for its usage: the last chunk has timings.
    {"response_body": stream(PIECE, {**PIECE, "timings": timings(72, 1, 8)})},
    {"response": {**NATIVE, "timings": timings(2, 7, 6)}},
    {"response_body": stream({"content": "a", "stop": False, "tokens_predicted": 1, "tokens_evaluated": 9}, {**NATIVE, "timings": timings(8, 1, 6)})},
    {"response": chat(7, 2, prompt=5, predicted=5, kind="text_completion")},
    {"response": {"id": "chatcmpl-8", "type": "message", "model": "tiny", "usage": {"cache_read_input_tokens": 72, "input_tokens": 1, "output_tokens": 8}}},
    {"response": {
        "id": "resp_9", "object": "response", "created_at": EPOCH, "completed_at": EPOCH, "model": "tiny", "status": "completed",
        "usage": {"input_tokens": 63, "output_tokens": 8, "total_tokens": 71, "input_tokens_details": {"cached_tokens": 30}},
    }},
)  # fmt: skip


def test_every_endpoint_of_llama_cpp_adds_up_to_the_servers_own_counters(tmp_path: Path) -> None:
    parsed = parse_records(tmp_path, "llamacpp", [{"timestamp": AT, **record} for record in LOGGED])
    found = all_days([parsed]).requests
    assert (found.height, set(found["usage_basis"])) == (len(LOGGED), {"reported"})
    assert {name: found[name].sum() for name in METRICS} == METRICS
    assert set(rows(parsed)["provider_id"]) == {"llamacpp"}


def vllm_chat(
    number: int, prompt: int, output: int = 16, *, cached: int = 0, written: int | None = 0
) -> dict[str, Any]:
    usage = {
        "prompt_tokens": prompt, "total_tokens": prompt + output, "completion_tokens": output,
        "prompt_tokens_details": {"cached_tokens": cached, "created_cache_tokens": written, "multimodal_tokens": None},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }  # fmt: skip
    return {"id": f"chatcmpl-v{number}", "object": "chat.completion", "created": EPOCH, "model": "tiny", "usage": usage}


def vllm_responses(number: int) -> dict[str, Any]:
    usage = {
        "input_tokens": 23, "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0, "cached_tokens_per_turn": []},
        "output_tokens": 16, "output_tokens_details": {"reasoning_tokens": 0, "tool_output_tokens": 0}, "total_tokens": 39,
    }  # fmt: skip
    return {
        "id": f"resp_v{number}",
        "object": "response",
        "created_at": EPOCH,
        "model": "tiny",
        "status": "incomplete",
        "usage": usage,
    }


def vllm_message(counts: dict[str, int]) -> dict[str, Any]:
    return {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, **counts}


VLLM_PIECE = {"id": "chatcmpl-v2", "object": "chat.completion.chunk", "created": EPOCH, "model": "tiny", "choices": [{"index": 0, "delta": {"content": "a"}}]}  # fmt: skip
VLLM_COUNTED = {**vllm_chat(2, 23), "object": "chat.completion.chunk", "choices": []}
MESSAGE = {"id": "chatcmpl-v12", "type": "message", "role": "assistant", "model": "tiny"}
VLLM: tuple[dict[str, Any], ...] = (
    {"response": vllm_chat(1, 23)},
    {"response_body": stream(VLLM_PIECE, VLLM_COUNTED)},
    # With continuous usage.
    {"response_body": stream(
        *({**VLLM_COUNTED, "id": "chatcmpl-v3", "usage": {"prompt_tokens": 23, "total_tokens": 23 + n, "completion_tokens": n}} for n in (1, 9, 16))
    )},
    {"response": vllm_chat(4, 558, written=512)},
    {"response": vllm_chat(5, 558, cached=512)},
    # Two choices: the answer counts the prompt once, the server twice.
    {"response": vllm_chat(6, 29, 32)},
    {"response": {**vllm_chat(7, 16, written=None), "object": "text_completion"}},
    {"response_body": stream({**vllm_chat(8, 16), "object": "text_completion", "choices": []})},
    {"response": {**vllm_chat(9, 15, 32), "object": "text_completion"}},
    {"response": vllm_responses(10)},
    {"response_body": stream({"type": "response.completed", "response": vllm_responses(11)})},
    {"response": {**MESSAGE, "usage": vllm_message({"input_tokens": 46, "output_tokens": 16, "cache_read_input_tokens": 512})}},
    {"response_body": stream(
        {"type": "message_start", "message": {**MESSAGE, "id": "chatcmpl-v13", "usage": {"input_tokens": 20, "output_tokens": 0}}},
        {"type": "message_delta", "delta": {"stop_reason": "max_tokens"}, "usage": vllm_message({"input_tokens": 20, "output_tokens": 16})},
    )},
)  # fmt: skip


def test_every_endpoint_of_vllm_adds_up_to_the_servers_own_counters(tmp_path: Path) -> None:
    """Also from Anthropic's endpoint, whose input leaves out what came from the cache: 512 tokens were missing."""
    parsed = parse_records(tmp_path, "vllm", [{"timestamp": AT, **record} for record in VLLM])
    found = all_days([parsed]).requests
    assert (found.height, set(found["usage_basis"]), set(found["provider_id"])) == (len(VLLM), {"reported"}, {"vllm"})
    assert found["source_request_id"].null_count() == 0, "the end of a message's stream has the id of its start"
    sums = {name: found[name].sum() for name in METRICS}
    assert sums == {
        "input_uncached_tokens": 1914 - 1024 - 29,
        "input_cache_read_tokens": 1024,
        "output_text_tokens": 240,
    }


def test_a_message_is_read_as_one_among_chat_completions(tmp_path: Path) -> None:
    usage = vllm_message({"input_tokens": 46, "output_tokens": 16, "cache_read_input_tokens": 512})
    (found,) = rows(
        parse_records(tmp_path, "openai_chat", [{"timestamp": AT, "response": {**MESSAGE, "usage": usage}}])
    ).to_dicts()
    assert (found["input_uncached_tokens"], found["input_cache_read_tokens"]) == (46, 512)


OWN = {
    "model": "llama3.2", "created_at": "2026-02-12T10:20:30.123456789Z", "done": True, "done_reason": "stop", "total_duration": 5000000000,
    "prompt_eval_count": 26, "eval_count": 298,
}  # fmt: skip
BEFORE = {"model": "llama3.2", "created_at": AT, "message": {"content": "a"}, "done": False}
OLLAMA: tuple[tuple[dict[str, Any], dict[str, int]], ...] = (
    (OWN, {"input_uncached": 26, "output_text": 298}),
    ({**OWN, "prompt_eval_cached_count": 10}, {"input_uncached": 16, "input_cache_read": 10, "output_text": 298}),
    # What the model wrote is no answer of an API.
    ({**OWN, "response": json.dumps({"id": 5, "usage": {"prompt_tokens": 7}})}, {"input_uncached": 26, "output_text": 298}),
    ({"timestamp": AT, "response": OWN}, {"input_uncached": 26, "output_text": 298}),
    ({"timestamp": AT, "response": [BEFORE, OWN]}, {"input_uncached": 26, "output_text": 298}),
    ({"timestamp": AT, "response_body": f"{json.dumps(BEFORE)}\n{json.dumps(OWN)}\n"}, {"input_uncached": 26, "output_text": 298}),
    ({"timestamp": AT, "model": "my-own", "embeddings": [[0.1, 0.2]], "prompt_eval_count": 8}, {"input_uncached": 8}),
    (chat(517, 0), {"input_uncached": 73, "output_text": 8}),
    (
        {"timestamp": AT, "type": "message", "id": "msg_1", "usage": {"input_tokens": 20, "cache_read_input_tokens": 6, "output_tokens": 9}},
        {"input_uncached": 20, "input_cache_read": 6, "output_text": 9},
    ),
)  # fmt: skip


@pytest.mark.parametrize(("record", "expected"), OLLAMA)
def test_every_answer_of_ollama_is_counted(tmp_path: Path, record: dict[str, Any], expected: dict[str, int]) -> None:
    requests = all_days([parse_records(tmp_path, "ollama", [record])]).requests
    (found,) = requests.to_dicts()
    assert (buckets(found), found["usage_basis"], found["provider_id"]) == (expected, "reported", "ollama")


@pytest.mark.parametrize("reason", ["load", "unload"])
def test_loading_a_model_is_no_request(tmp_path: Path, reason: str) -> None:
    record = {"model": "llama3.2", "created_at": AT, "response": "", "done": True, "done_reason": reason}
    assert the_fault(parse_records(tmp_path, "ollama", [record]))["severity"] == "info"


TGI: tuple[dict[str, Any], ...] = (
    {"headers": {"X-Prompt-Tokens": ["73"], "X-Generated-Tokens": ["8"]}},
    {"response_headers": {"x-prompt-tokens": "73", "x-generated-tokens": "8"}},
    {"response": {**chat(0, 0), "id": ""}},
    {"response": {"index": 8, "token": {"id": 1}, "details": {"generated_tokens": 8, "input_length": 73}}},
)


@pytest.mark.parametrize("record", TGI)
def test_every_answer_of_tgi_is_counted(tmp_path: Path, record: dict[str, Any]) -> None:
    found = row(parse_records(tmp_path, "tgi", [{"timestamp": AT, **record}]))
    assert (buckets(found), found["usage_basis"]) == ({"input_uncached": 73, "output_text": 8}, "reported")


@pytest.mark.parametrize(
    "instant", ["2/12/2026, 10:20:30.123 AM", "2/12/2026 10:20:30.123 AM", "2026-02-12T10:20:30.123Z"]
)
def test_a_table_that_azures_portal_exports_is_read(tmp_path: Path, instant: str) -> None:
    columns = "TimeGenerated [UTC],CorrelationId,SequenceNumber,ModelName,OperationName,PromptTokens,CompletionTokens"
    content = f'{columns}\n"{instant}",c1,0,text-embedding-3-large,Embeddings_Create,100,0\n'.encode()
    found = row(landed_bytes(tmp_path, content, "azure_apim", "a.csv"))
    assert (found["operation"], buckets(found)) == ("embeddings", {"input_uncached": 100})
    assert found["event_at"].isoformat() == "2026-02-12T10:20:30.123000+00:00"
