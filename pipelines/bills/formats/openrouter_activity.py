"""OpenRouter's activity: days by model and endpoint, of `GET /api/v1/activity` or the grouped CSV of its activity page.

`usage` is what OpenRouter took in credits, one credit a dollar; `byok_usage_inference` is what another provider billed on
a key of your own, and no part of it. Counts follow OpenAI: prompt contains cached, completion contains reasoning tokens.
A day has no end in the report. Records of single calls (`generation_id`) are requests: format `openrouter`.
Source: openrouter.ai/docs, "Get user activity".
"""

from __future__ import annotations

from pipelines.records.conversions import TimeRule
from pipelines.records.layout import Layout


def build() -> Layout:
    """Activity: tokens, requests and amount in one record."""
    return Layout(
        name="openrouter_activity",
        version="1",
        text={
            "project_id": ("workspace_id", "workspaceId"),
            "api_key_id": ("api_key_id", "api_key_name"),
            "raw_model": ("model_permaslug", "modelPermaslug", "model"),
            "upstream_provider": ("provider_name", "providerName"),
            "line_item": ("endpoint_id", "endpointId"),
            "meter": ("variant",),
        },
        usage={
            "input": ("prompt_tokens", "promptTokens"),
            "output": ("completion_tokens", "completionTokens"),
            "cache_read": ("cached_tokens", "cachedTokens"),
            "reasoning": ("reasoning_tokens", "reasoningTokens"),
        },
        integers={"request_count": ("requests",)},
        instants={"bucket_from": ("date",)},
        money={"amount": ("usage",), "byok_cost_usd": ("byok_usage_inference", "byokUsageInference")},
        constants={"provider_id": "openrouter", "report": "activity", "currency": "USD"},
        time=TimeRule("iso"),
    )
