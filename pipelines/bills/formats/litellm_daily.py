"""What LiteLLM's proxy computed by day: rows of its tables `LiteLLM_DailyUserSpend`, `...TeamSpend`, `...TagSpend` and their kin, and pages of
`/user/daily/activity`.

One row is one day, key, model and seller, of a user, team or other owner. One such table holds the whole spend; those of tags hold a request once for
each tag. `prompt_tokens` contains cached and written tokens, `api_key` is already a hash. It is the proxy's own computation, for companies that have no
bill of the seller: next to one, the same cost would stand twice.

A page names the sellers of a day next to its models, so of a day with several the models have none: a source says it
(`defaults: {provider_id: openai}`), or asks for each seller's keys apart.
Source: schema.prisma of github.com/BerriAI/litellm.
"""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from pipelines.bills.formats import seller_of
from pipelines.config.sources import RequestSource
from pipelines.records.conversions import TimeRule
from pipelines.records.layout import Layout


def build() -> Layout:
    """Rows of a daily table: tokens, requests and spend in one record."""
    return Layout(
        name="litellm_daily",
        version="2",
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


def described(source: RequestSource) -> Layout:
    """The layout with the seller of records that name none. Raises SourceError for other declarations."""
    seller = seller_of(source)
    plain = build()
    if seller is None:
        return plain
    return replace(plain, derive=lambda: {"provider_id": pl.coalesce("provider_id", pl.lit(seller))})
