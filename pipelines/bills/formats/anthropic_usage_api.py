"""Anthropic's usage reports of the Admin API, and the CSV files that its console exports.

Usage (`/v1/organizations/usage_report/messages`): `uncached_input_tokens` neither read nor wrote a cache, reads and
writes (by time to live) are counted apart, `output_tokens` contains thinking. Buckets of a minute, an hour or a day. Bucket times
are RFC 3339 in UTC. What else has tokens of the same calls:

- Claude Code (`usage_report/claude_code`): days by person or key, terminal, plan and model. Tokens of the plan `api` are also in the report of
  messages, and `estimated_cost` is no bill: neither is compared with what was computed.
- Analytics (`/v1/organizations/analytics/usage`): flat results with `group` and `usage`, of a platform and of Claude Enterprise. The
  older reports of Claude Enterprise (`.../usage_report`, `user_usage_report`) have results like those of messages, by product and person.
  Grouped by team they overlap, which no report states.

Sources: platform.claude.com/docs/en/api/admin, "Usage report"; the types of the package `anthropic` 2.14.0 (`types/beta/organization/analytics`).
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pipelines.records.conversions import TimeRule
from pipelines.records.layout import Layout

_NAMES = ("email", "email_address", "user_id", "service_account_id", "subject")
WHO = {
    "report": ("report",),
    "project_id": ("workspace_id", "workspace", "group/workspace_id"),
    "api_key_id": ("api_key_id", "api_key", "group/api_key_id", "group/actor/api_key_id"),
    "end_user_id": (
        "account_id",
        "service_account_id",
        *(f"{actor}/{name}" for actor in ("actor", "group/actor") for name in _NAMES),
    ),
    "raw_model": ("model", "model_version", "group/model"),
    "service_tier": ("service_tier", "usage_type", "group/service_tier"),
    "region": ("inference_geo", "group/inference_geo"),
    "context_window": ("context_window", "group/context_window"),
    "product": ("product", "group/product"),
}
DAY = {"bucket_from": ("starting_at", "usage_date_utc"), "bucket_to": ("ending_at",)}
_CSV = "usage_input_tokens"
_SEARCHES = "server_tool_use/web_search_requests"
_USAGE = {
    "input": ("uncached_input_tokens", f"{_CSV}_no_cache", "tokens/input"),
    "output": ("output_tokens", "usage_output_tokens", "tokens/output"),
    "cache_read": ("cache_read_input_tokens", f"{_CSV}_cache_read", "tokens/cache_read"),
    "cache_write": ("cache_creation_input_tokens", "tokens/cache_creation"),
    "cache_write_5m": ("cache_creation/ephemeral_5m_input_tokens", f"{_CSV}_cache_write_5m"),
    "cache_write_1h": ("cache_creation/ephemeral_1h_input_tokens", f"{_CSV}_cache_write_1h"),
}


def build() -> Layout:
    """Reports of usage: tokens by exclusive bucket."""
    return Layout(
        name="anthropic_usage_api",
        version="5",
        text={
            **WHO,
            "api_key_id": (*WHO["api_key_id"], "actor/api_key_name"),
            "meter": ("speed", "group/speed"),
            "line_item": WHO["product"],
        },
        usage={name: (*paths, *(f"usage/{path}" for path in paths)) for name, paths in _USAGE.items()},
        integers={
            "web_search_count": (_SEARCHES, "web_search_count", f"usage/{_SEARCHES}"),
            "request_count": ("requests", "usage/requests"),
        },
        instants=DAY,
        constants={"provider_id": "anthropic", "report": "usage_report"},
        time=TimeRule("iso"),
        semantics="anthropic_exclusive",
        derive=said_where_known,
    )


def said_where_known() -> Mapping[str, pl.Expr]:
    """Place and tier. The console writes `not_available` for no place, and the kind of call (`message`, `message_batch`) where reports have the tier."""
    kinds = {"message": "standard", "message_batch": "batch"}
    return {
        "region": pl.when(pl.col("region") != "not_available").then(pl.col("region")),
        "service_tier": pl.col("service_tier").replace(kinds),
    }
