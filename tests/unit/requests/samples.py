"""One realistic record per format, prompt and answer text included, and the facts it must become.

The text is the canary `SECRET`, which no test may find again in rows, quarantine or errors.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

SECRET = "canary-7f3a-prompt-text"
AT = "2026-02-12T10:20:30.500Z"
EPOCH = 1770891630
MESSAGES = [{"role": "user", "content": SECRET}, {"role": "assistant", "content": [{"type": "text", "text": SECRET}]}]


@dataclass(frozen=True)
class Sample:
    """`expected` are buckets that are not 0; `facts` further columns of the one request."""

    format: str
    record: dict[str, Any]
    expected: dict[str, int]
    facts: dict[str, Any] = field(default_factory=dict)
    declared: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return self.format


def _attribute(key: str, value: Any) -> dict[str, Any]:
    kind = {bool: "boolValue", int: "intValue", str: "stringValue", float: "doubleValue"}.get(type(value))
    if kind is None:
        return {"key": key, "value": {"arrayValue": {"values": [{"stringValue": item} for item in value]}}}
    return {"key": key, "value": {kind: str(value) if kind == "intValue" else value}}


SPAN = {
    "gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-sonnet-4-5",
    "gen_ai.response.model": "claude-sonnet-4-5-20250929", "gen_ai.response.id": "msg_1", "gen_ai.conversation.id": "conv_1",
    "gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 200, "gen_ai.usage.cache_read.input_tokens": 600,
    "gen_ai.usage.cache_creation.input_tokens": 100, "gen_ai.response.finish_reasons": ["end_turn"],
    "gen_ai.input.messages": json.dumps(MESSAGES), "gen_ai.prompt.0.content": SECRET, "gen_ai.request.stream": True,
    "gen_ai.response.time_to_first_chunk": 0.25,
}  # fmt: skip
OTLP = {
    "resourceSpans": [
        {
            "resource": {"attributes": [_attribute("service.name", "shop"), _attribute("deployment.environment.name", "prod")]},
            "scopeSpans": [
                {
                    "scope": {"name": "opentelemetry.instrumentation.anthropic", "version": "0.40"},
                    "spans": [
                        {
                            "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "chat",
                            "startTimeUnixNano": "1770891630500000000", "endTimeUnixNano": "1770891632000000000",
                            "attributes": [_attribute(key, value) for key, value in SPAN.items()], "status": {},
                            "events": [{"name": "gen_ai.content.prompt", "attributes": [_attribute("gen_ai.prompt", SECRET)]}],
                        }
                    ],
                }
            ],
        }
    ]
}  # fmt: skip
OPENAI_USAGE = {
    "prompt_tokens": 1000, "completion_tokens": 300, "total_tokens": 1300,
    "prompt_tokens_details": {"cached_tokens": 400, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 200, "rejected_prediction_tokens": 10},
}  # fmt: skip
ANTHROPIC_USAGE = {
    "input_tokens": 50, "cache_creation_input_tokens": 300, "cache_read_input_tokens": 700, "output_tokens": 90,
    "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200}, "service_tier": "priority",
    "server_tool_use": {"web_search_requests": 2}, "inference_geo": "us",
}  # fmt: skip
INCLUSIVE = {"input_uncached": 600, "input_cache_read": 400, "output_text": 100, "output_reasoning": 200}
EXCLUSIVE = {
    "input_uncached": 50, "input_cache_read": 700, "input_cache_write_5m": 100, "input_cache_write_1h": 200, "output_text": 90
}  # fmt: skip

_SPEND_LOG = {
    "request_id": "chatcmpl-1", "call_type": "acompletion", "api_key": "hash-1", "spend": 0.00123, "total_tokens": 1300,
    "prompt_tokens": 1000, "completion_tokens": 300, "startTime": "2026-02-12 10:20:30.500000", "endTime": "2026-02-12 10:20:32",
    "completionStartTime": "2026-02-12 10:20:31", "model": "gpt-5", "model_group": "prod-chat", "custom_llm_provider": "openai",
    "metadata": json.dumps({"usage_object": OPENAI_USAGE, "user_api_key_team_alias": "search", "note": SECRET}),
    "cache_hit": "None", "request_tags": '["a","b"]', "team_id": "t1", "end_user": "u1", "session_id": "s1", "status": "success",
    "messages": json.dumps(MESSAGES), "response": json.dumps({"choices": MESSAGES}), "proxy_server_request": json.dumps(MESSAGES),
}  # fmt: skip

SAMPLES = (
    Sample(
        "litellm_spend_logs", _SPEND_LOG, INCLUSIVE,
        {"team": "search", "end_user_id": "u1", "request_model": "prod-chat", "response_model": "gpt-5", "latency_ms": 1500,
         "ttft_ms": 500, "is_stream": True, "provider_id": "openai", "session_id": "s1", "status": "ok", "is_billable": True},
    ),
    Sample(
        "litellm_payload",
        {"id": "chatcmpl-1", "trace_id": "tr", "call_type": "acompletion", "stream": True, "response_cost": 0.00123, "status": "success",
         "custom_llm_provider": "openai", "prompt_tokens": 1000, "completion_tokens": 300, "total_tokens": 1300,
         "startTime": 1770891630.5, "endTime": 1770891632.0, "completionStartTime": 1770891631.0, "model": "gpt-5",
         "metadata": {"user_api_key_team_alias": "search", "usage_object": OPENAI_USAGE, "prompt": SECRET}, "cache_hit": False,
         "request_tags": ["a"], "end_user": "u1", "messages": MESSAGES, "response": {"choices": MESSAGES}},
        INCLUSIVE, {"team": "search", "latency_ms": 1500, "ttft_ms": 500, "is_stream": True, "operation": "chat"},
    ),
    Sample(
        "otel_genai", OTLP, {"input_uncached": 300, "input_cache_read": 600, "input_cache_write": 100, "output_text": 200},
        {"application": "shop", "environment": "prod", "source_request_id": "msg_1", "session_id": "conv_1", "latency_ms": 1500,
         "ttft_ms": 250, "is_stream": True, "finish_reason": "end_turn", "token_semantics": "openai_inclusive", "provider_id": "anthropic"},
    ),
    Sample(
        "openrouter",
        {"id": "gen-1", "model": "openai/gpt-5", "provider": "OpenAI", "created": EPOCH, "choices": MESSAGES,
         "usage": {**OPENAI_USAGE, "cost": 0.00123, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.00123}}},
        INCLUSIVE, {"provider_id": "openrouter", "source_request_id": "gen-1", "request_model": "openai/gpt-5"},
    ),
    Sample(
        "openai_chat",
        {"id": "chatcmpl-1", "object": "chat.completion", "created": EPOCH, "model": "gpt-5-2025-08-07", "service_tier": "flex",
         "choices": MESSAGES, "usage": OPENAI_USAGE},
        INCLUSIVE, {"service_tier": "flex", "response_model": "gpt-5-2025-08-07", "event_epoch": EPOCH},
    ),
    Sample(
        "openai_responses",
        {"id": "resp_1", "object": "response", "created_at": EPOCH, "model": "gpt-5", "status": "completed", "service_tier": "default",
         "instructions": SECRET, "output": MESSAGES,
         "usage": {"input_tokens": 1000, "input_tokens_details": {"cached_tokens": 400}, "output_tokens": 300,
                   "output_tokens_details": {"reasoning_tokens": 200}, "total_tokens": 1300}},
        INCLUSIVE, {"service_tier": "standard", "status": "ok"},
    ),
    Sample(
        "anthropic_messages",
        {"timestamp": AT, "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5-20250929",
         "content": [{"type": "text", "text": SECRET}], "stop_reason": "end_turn", "usage": ANTHROPIC_USAGE},
        EXCLUSIVE, {"service_tier": "priority", "region": "us", "web_search_count": 2, "token_semantics": "anthropic_exclusive"},
    ),
    Sample(
        "gemini",
        {"timestamp": AT, "responseId": "r1", "modelVersion": "gemini-2.5-flash", "candidates": [{"content": {"parts": [{"text": SECRET}]}}],
         "usageMetadata": {"promptTokenCount": 500, "cachedContentTokenCount": 200, "candidatesTokenCount": 30, "thoughtsTokenCount": 400,
                           "toolUsePromptTokenCount": 70, "totalTokenCount": 1000, "trafficType": "ON_DEMAND",
                           "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 242}, {"modality": "IMAGE", "tokenCount": 258}]}},
        {"input_uncached": 42, "input_cache_read": 200, "input_image": 258, "input_tool": 70, "output_text": 30, "output_reasoning": 400},
        {"provider_id": "google", "service_tier": "standard", "response_model": "gemini-2.5-flash"},
    ),
    Sample(
        "bedrock_invocation",
        {"schemaType": "ModelInvocationLog", "schemaVersion": "1.0", "timestamp": "2026-02-12T10:20:30Z", "accountId": "123456789012",
         "region": "us-east-1", "requestId": "req-1", "operation": "ConverseStream", "inferenceRegion": "us-west-2",
         "modelId": "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "identity": {"arn": "arn:aws:iam::1:role/app"},
         "requestMetadata": {"team": "search"},
         "input": {"inputContentType": "application/json", "inputBodyJson": {"messages": MESSAGES}, "inputTokenCount": 50,
                   "cacheReadInputTokenCount": 700, "cacheWriteInputTokenCount": 300},
         "output": {"outputBodyJson": {"output": MESSAGES}, "outputTokenCount": 90}},
        {"input_uncached": 50, "input_cache_read": 700, "input_cache_write": 300, "output_text": 90},
        {"region": "us-west-2", "team": "search", "is_stream": True, "end_user_id": "arn:aws:iam::1:role/app"},
    ),
    Sample(
        "bedrock_converse",
        {"timestamp": AT, "requestId": "req-1", "modelId": "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
         "output": {"message": MESSAGES[1]}, "stopReason": "end_turn", "metrics": {"latencyMs": 2818},
         "usage": {"inputTokens": 3, "outputTokens": 121, "totalTokens": 2072, "cacheReadInputTokens": 1712,
                   "cacheWriteInputTokens": 236, "cacheDetails": [{"ttl": "5m", "inputTokens": 200}, {"ttl": "1h", "inputTokens": 36}]}},
        {"input_uncached": 3, "input_cache_read": 1712, "input_cache_write_5m": 200, "input_cache_write_1h": 36, "output_text": 121},
        {"latency_ms": 2818, "finish_reason": "end_turn"},
    ),
    Sample(
        "azure_apim",
        {"TimeGenerated": AT, "CorrelationId": "c1", "RequestId": "r1", "SequenceNumber": 0, "ModelName": "gpt-4o",
         "DeploymentName": "chat-prod", "PromptTokens": 100, "CompletionTokens": 20, "TotalTokens": 120, "IsStreamCompletion": True,
         "Region": "West Europe", "RequestMessages": json.dumps(MESSAGES), "ResponseMessages": SECRET},
        {"input_uncached": 100, "output_text": 20}, {"request_model": "chat-prod", "response_model": "gpt-4o", "is_stream": True},
    ),
    Sample(
        "langfuse",
        {"id": "o1", "traceId": "t1", "type": "GENERATION", "startTime": AT, "endTime": "2026-02-12T10:20:32.000Z", "model": "gpt-5",
         "modelParameters": {"instructions": SECRET}, "input": MESSAGES, "output": SECRET, "metadata": {"prompt": SECRET},
         "usageDetails": {"input": 600, "input_cached_tokens": 400, "output": 100, "output_reasoning": 200, "total": 1300},
         "totalCost": 0.00123, "level": "DEFAULT", "environment": "prod", "statusMessage": SECRET},
        INCLUSIVE, {"token_semantics": "additive", "environment": "prod", "latency_ms": 1500, "session_id": "t1"},
    ),
    Sample(
        "helicone",
        {"request_id": "r1", "request_created_at": AT, "response_status": 200, "provider": "OPENAI", "request_model": "gpt-5",
         "response_model": "gpt-5", "delay_ms": 1500, "time_to_first_token": 300, "prompt_tokens": 1000, "prompt_cache_read_tokens": 400,
         "completion_tokens": 300, "total_tokens": 1300, "cost": 0.00123, "request_user_id": "u1", "request_body": MESSAGES,
         "response_body": {"choices": MESSAGES}, "request_properties": {"Helicone-Session-Id": "s1", "secret": SECRET}},
        {"input_uncached": 600, "input_cache_read": 400, "output_text": 300}, {"latency_ms": 1500, "ttft_ms": 300, "session_id": "s1"},
    ),
    Sample(
        "vllm",
        {"id": "cmpl-1", "object": "chat.completion.chunk", "created": EPOCH, "model": "llama-3.3-70b", "choices": [],
         "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120, "prompt_tokens_details": {"cached_tokens": 64}}},
        {"input_uncached": 36, "input_cache_read": 64, "output_text": 20}, {"provider_id": "vllm", "is_stream": True},
    ),
    Sample(
        "ollama",
        {"model": "llama3.2", "created_at": "2026-02-12T10:20:30.500123456Z", "message": MESSAGES[0], "response": SECRET, "done": True,
         "done_reason": "stop", "total_duration": 2000000000, "load_duration": 500000000, "prompt_eval_count": 26,
         "prompt_eval_duration": 250000000, "eval_count": 298, "eval_duration": 1000000000, "context": [1, 2]},
        {"input_uncached": 26, "output_text": 298}, {"latency_ms": 2000, "ttft_ms": 750, "usage_basis": "reported"},
    ),
    Sample(
        "llamacpp",
        {"id": "chatcmpl-1", "created": EPOCH, "model": "qwen", "choices": MESSAGES,
         "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
         "timings": {"cache_n": 70, "prompt_n": 30, "prompt_ms": 12.5, "predicted_n": 20, "predicted_ms": 100.5}},
        {"input_uncached": 30, "input_cache_read": 70, "output_text": 20}, {"latency_ms": 113.0, "ttft_ms": 12.5},
    ),
    Sample(
        "tgi",
        {"timestamp": AT, "model": "mistral-7b", "headers": {"x-prompt-tokens": "100", "x-generated-tokens": "20", "x-total-time": "986"},
         "generated_text": SECRET, "details": {"finish_reason": "length", "generated_tokens": 20, "prefill": [{"text": SECRET}]}},
        {"input_uncached": 100, "output_text": 20}, {"latency_ms": 986, "finish_reason": "length"},
    ),
    Sample(
        "claude_code",
        {"type": "assistant", "timestamp": AT, "sessionId": "s1", "requestId": "req_1", "uuid": "u", "isSidechain": False, "cwd": "/x",
         "version": "2.0.1", "message": {"id": "msg_1", "model": "claude-sonnet-4-5", "role": "assistant",
                                         "content": [{"type": "text", "text": SECRET}], "usage": ANTHROPIC_USAGE}},
        EXCLUSIVE, {"session_id": "s1", "web_search_count": 2, "application": "claude-code"},
    ),
    Sample(
        "codex",
        {"timestamp": AT, "type": "event_msg", "payload": {"type": "token_count", "text": SECRET, "info": {"model": "gpt-5-codex",
         "total_token_usage": {"input_tokens": 1000, "cached_input_tokens": 400, "output_tokens": 300, "reasoning_output_tokens": 200,
                               "total_tokens": 1300}}}},
        INCLUSIVE, {"application": "codex", "request_model": "gpt-5-codex"},
    ),
    Sample(
        "gemini_cli",
        {"id": "0b7e3a52-7f1f-4a3c-9a65-0f4a2f1f9f10", "timestamp": AT, "type": "gemini", "content": SECRET, "model": "gemini-2.5-pro",
         "thoughts": [{"subject": SECRET}], "toolCalls": [{"id": "t1", "args": {"text": SECRET}, "result": SECRET}],
         "tokens": {"input": 1000, "output": 100, "cached": 400, "thoughts": 200, "tool": 0, "total": 1300}},
        INCLUSIVE, {"application": "gemini-cli", "provider_id": "google", "request_model": "gemini-2.5-pro"},
    ),
    Sample(
        "mapping", {"at": AT, "in": 1000, "cached": 400, "out": 300, "thought": 200, "note": SECRET}, INCLUSIVE, {},
        {"options": {"columns": {"event_at": "at", "input": "in", "cache_read": "cached", "output": "out", "reasoning": "thought"}}},
    ),
)  # fmt: skip
