"""Anthropic's usage reports of the Admin API, and the CSV files that its console exports.

Usage (`/v1/organizations/usage_report/messages`): `uncached_input_tokens` neither read nor wrote a cache, reads and
writes (by time to live) are counted apart, `output_tokens` contains thinking. Buckets of a minute, an hour or a
day. Also the report of Claude Code (`usage_report/claude_code`): days by person or key and model; its `estimated_cost` is no
bill and is not read. The reports of Claude Enterprise (`/v1/organizations/analytics/usage_report`, `user_usage_report`)
have the same results, by product and person; grouped by team they overlap, which no report states. Bucket times are
RFC 3339 in UTC. Source: platform.claude.com/docs/en/api/admin, "Usage report" and "Analytics".
"""

from __future__ import annotations

from pipelines.records.conversions import TimeRule
from pipelines.records.layout import Layout

WHO = {
    "project_id": ("workspace_id", "workspace"),
    "api_key_id": ("api_key_id", "api_key"),
    "end_user_id": ("account_id", "service_account_id", "actor/email", "actor/user_id"),
    "raw_model": ("model", "model_version"),
    "service_tier": ("service_tier", "usage_type"),
    "region": ("inference_geo",),
    "context_window": ("context_window",),
    "product": ("product",),
}
DAY = {"bucket_from": ("starting_at", "usage_date_utc"), "bucket_to": ("ending_at",)}
_CSV = "usage_input_tokens"


def build() -> Layout:
    """Reports of usage: tokens by exclusive bucket."""
    return Layout(
        name="anthropic_usage_api",
        version="3",
        text={
            **WHO,
            "report": ("report",),
            "api_key_id": (*WHO["api_key_id"], "actor/api_key_name"),
            "end_user_id": (*WHO["end_user_id"], "actor/email_address"),
            "meter": ("speed",),
            "line_item": ("product",),
        },
        usage={
            "input": ("uncached_input_tokens", f"{_CSV}_no_cache", "tokens/input"),
            "output": ("output_tokens", "usage_output_tokens", "tokens/output"),
            "cache_read": ("cache_read_input_tokens", f"{_CSV}_cache_read", "tokens/cache_read"),
            "cache_write": ("cache_creation_input_tokens", "tokens/cache_creation"),
            "cache_write_5m": ("cache_creation/ephemeral_5m_input_tokens", f"{_CSV}_cache_write_5m"),
            "cache_write_1h": ("cache_creation/ephemeral_1h_input_tokens", f"{_CSV}_cache_write_1h"),
        },
        integers={
            "web_search_count": ("server_tool_use/web_search_requests", "web_search_count"),
            "request_count": ("requests",),
        },
        instants=DAY,
        constants={"provider_id": "anthropic", "report": "usage_report"},
        time=TimeRule("iso"),
        semantics="anthropic_exclusive",
    )
