"""What LiteLLM's proxy computed by day: rows of its tables `LiteLLM_DailyUserSpend`, `...TeamSpend`, `...TagSpend` and their kin.

One row is one day, key, model and seller, of a user, team or other owner. One such table holds the whole spend; those of tags hold a request once for
each tag. `prompt_tokens` contains cached and written tokens, `api_key` is already a hash. It is the proxy's own computation, for companies that have no
bill of the seller: next to one, the same cost would stand twice.
Source: schema.prisma of github.com/BerriAI/litellm.
"""

from __future__ import annotations

from pipelines.records.conversions import TimeRule
from pipelines.records.layout import Layout


def build() -> Layout:
    """Rows of a daily table: tokens, requests and spend in one record."""
    return Layout(
        name="litellm_daily",
        version="1",
        text={
            "provider_id": ("custom_llm_provider",),
            "project_id": ("team_id", "organization_id"),
            "api_key_id": ("api_key",),
            "end_user_id": ("user_id", "end_user_id"),
            "raw_model": ("model", "model_group"),
            "line_item": ("mcp_namespaced_tool_name", "endpoint", "tag", "agent_id"),
        },
        usage={
            "input": ("prompt_tokens",),
            "output": ("completion_tokens",),
            "cache_read": ("cache_read_input_tokens",),
            "cache_write": ("cache_creation_input_tokens",),
        },
        integers={"request_count": ("api_requests",)},
        instants={"bucket_from": ("date",)},
        money={"amount": ("spend",)},
        constants={"report": "daily_spend", "currency": "USD"},
        time=TimeRule("iso"),
    )
