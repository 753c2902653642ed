"""The APIs that can be pulled, as a table: where each is asked, how it takes a window, and how its pages follow each other.

The format that `reads` names says what the answers mean; `api.py` asks. `{start}` and `{end}` in `asks` stand for the bounds
of the window, written as `time` says. Sources: the reference of each API, as of 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pipelines.fetch.paging import Numbered, Offset, OnePage, Paging, Token

Time = Literal["epoch", "iso", "date", "plain"]


@dataclass(frozen=True)
class Connector:
    """One API. `reports` maps a name to a path; `key` maps each header to its text, in which `{}` stands for the key.

    `key_env` are the usual variables of the key: two of them are user and password of Basic. `records` is the place of the list of
    records in an answer, empty where the answer is the list, and `inner` the list in a record (a bucket) that holds the records.
    """

    reads: str
    origin: str | None
    reports: Mapping[str, str]
    key: Mapping[str, str]
    key_env: tuple[str, ...]
    time: Time
    at: str
    """Where a record says when it was."""
    asks: Mapping[str, Any]
    paging: Paging
    asks_of: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Parameters of single reports, in place of those of `asks`: OpenAI refuses a group that a report does not have."""
    records: str = "data"
    inner: str | None = None
    days: int = 1
    """Days that are asked for again, if the declaration names none."""
    whole_days: bool = False
    """Whether only days that have ended are asked for: the report of an unfinished day would be incomplete."""
    oldest_days: int | None = None
    """How many days back the API has data."""
    posts: bool = False
    """`asks` is sent as JSON with POST."""
    headers: Mapping[str, str] = field(default_factory=dict)
    states: str = ""
    """What this kind states about an organization. Two kinds that state the same would count it twice."""
    lacks: str = ""
    """What a user may expect here that the API does not give, and where to get it."""


_BEARER = {"Authorization": "Bearer {}"}
_ANTHROPIC: dict[str, Any] = {
    "origin": "https://api.anthropic.com",
    "key": {"X-Api-Key": "{}"},
    "key_env": ("ANTHROPIC_ADMIN_KEY",),
    "headers": {"anthropic-version": "2023-06-01"},
    "paging": Token("page", "next_page", more="has_more"),
    "days": 7,
    "whole_days": True,
}
_OPENAI: dict[str, Any] = {
    "origin": "https://api.openai.com",
    "key": _BEARER,
    "key_env": ("OPENAI_ADMIN_KEY",),
    "paging": Token("page", "next_page", more="has_more"),
    "time": "epoch",
    "at": "start_time",
    "inner": "results",
    "days": 7,
    "whole_days": True,
}
_BY_PROJECT = ("file_search_calls", "code_interpreter_sessions", "vector_stores")
"""Reports of OpenAI that can't be grouped by model."""
_ANALYTICS: dict[str, Any] = {
    **_ANTHROPIC,
    "headers": {**_ANTHROPIC["headers"], "anthropic-beta": "analytics-usage-cost-2026-08-24"},
    "time": "iso",
    "at": "starting_at",
    "oldest_days": 364,
}
_ANALYTICS_ASKS: dict[str, Any] = {
    "starting_at": "{start}",
    "ending_at": "{end}",
    "time_bucket_width": "1d",
    "order_by": "time",
    "limit": 1000,
}
_ANALYTICS_GROUPS = ("workspace_id", "api_key_id", "product", "model", "service_tier")
"""The API takes five, not counting the two of cost. None of them names a person."""
_LANGFUSE: dict[str, Any] = {
    "reads": "langfuse",
    "origin": "https://cloud.langfuse.com",
    "key": {"Authorization": "Basic {}"},
    "key_env": ("LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY"),
    "time": "iso",
    "at": "startTime",
}

CONNECTORS: dict[str, Connector] = {
    "openai_usage": Connector(
        **_OPENAI,
        reads="openai_usage_api",
        reports={
            name: f"/v1/organization/usage/{name}"
            for name in (
                "completions",
                "embeddings",
                "images",
                "audio_speeches",
                "audio_transcriptions",
                "moderations",
                "web_search_calls",
                *_BY_PROJECT,
            )
        },
        asks={
            "start_time": "{start}",
            "end_time": "{end}",
            "bucket_width": "1d",
            "limit": 31,
            "group_by": ["project_id", "model"],
        },
        asks_of={name: {"group_by": ["project_id"]} for name in _BY_PROJECT},
    ),
    "openai_costs": Connector(
        **_OPENAI,
        reads="openai_costs_api",
        reports={"costs": "/v1/organization/costs"},
        asks={
            "start_time": "{start}",
            "end_time": "{end}",
            "bucket_width": "1d",
            "limit": 180,
            "group_by": ["project_id", "line_item"],
        },
    ),
    "anthropic_usage": Connector(
        **_ANTHROPIC,
        reads="anthropic_usage_api",
        reports={"messages": "/v1/organizations/usage_report/messages"},
        states="the usage of an organization at Anthropic",
        time="iso",
        at="starting_at",
        inner="results",
        asks={
            "starting_at": "{start}",
            "ending_at": "{end}",
            "bucket_width": "1d",
            "limit": 31,
            "group_by[]": ["workspace_id", "model", "service_tier", "context_window", "inference_geo"],
        },
    ),
    "anthropic_costs": Connector(
        **_ANTHROPIC,
        reads="anthropic_cost_api",
        reports={"cost_report": "/v1/organizations/cost_report"},
        states="the costs of an organization at Anthropic",
        time="iso",
        at="starting_at",
        inner="results",
        asks={
            "starting_at": "{start}",
            "ending_at": "{end}",
            "bucket_width": "1d",
            "limit": 31,
            "group_by[]": ["workspace_id", "description"],
        },
    ),
    "anthropic_claude_code": Connector(
        **_ANTHROPIC,
        reads="anthropic_usage_api",
        reports={"claude_code": "/v1/organizations/usage_report/claude_code"},
        time="date",
        at="date",
        asks={"starting_at": "{start}", "limit": 1000},
    ),
    "anthropic_analytics_usage": Connector(
        **_ANALYTICS,
        reads="anthropic_usage_api",
        reports={"usage": "/v1/organizations/analytics/usage"},
        asks={**_ANALYTICS_ASKS, "group_by[]": [*_ANALYTICS_GROUPS]},
        states="the usage of an organization at Anthropic",
    ),
    "anthropic_analytics_costs": Connector(
        **_ANALYTICS,
        reads="anthropic_cost_api",
        reports={"cost": "/v1/organizations/analytics/cost"},
        asks={**_ANALYTICS_ASKS, "group_by[]": [*_ANALYTICS_GROUPS, "cost_type", "token_type"]},
        states="the costs of an organization at Anthropic",
    ),
    "openrouter_activity": Connector(
        reads="openrouter_activity",
        origin="https://openrouter.ai",
        reports={"activity": "/api/v1/activity"},
        key=_BEARER,
        key_env=("OPENROUTER_MANAGEMENT_KEY",),
        time="date",
        at="date",
        asks={"date": "{start}"},
        paging=OnePage(),
        days=3,
        whole_days=True,
        oldest_days=30,
        lacks="single calls, which OpenRouter lists nowhere: log its answers yourself (format openrouter), or ask "
        "/api/v1/generation for each id in a log of yours",
    ),
    "langfuse": Connector(
        **_LANGFUSE,
        reports={"observations": "/api/public/v2/observations"},
        asks={
            "fromStartTime": "{start}",
            "toStartTime": "{end}",
            "type": "GENERATION",
            "fields": "core,basic,time,metadata,model,usage,metrics",
            "limit": 1000,
        },
        paging=Token("cursor", "meta/cursor"),
    ),
    "langfuse_v1": Connector(
        **_LANGFUSE,
        reports={"observations": "/api/public/observations"},
        asks={"fromStartTime": "{start}", "toStartTime": "{end}", "type": "GENERATION", "limit": 100},
        paging=Numbered("page", last="meta/totalPages"),
    ),
    "litellm": Connector(
        reads="litellm_spend_logs",
        origin=None,
        reports={"spend_logs": "/spend/logs/v2"},
        key=_BEARER,
        key_env=("LITELLM_API_KEY",),
        time="plain",
        at="startTime",
        asks={"start_date": "{start}", "end_date": "{end}", "page_size": 100},
        paging=Numbered("page", last="total_pages"),
    ),
    "helicone": Connector(
        reads="helicone",
        origin="https://api.helicone.ai",
        reports={"requests": "/v1/request/query-clickhouse"},
        key=_BEARER,
        key_env=("HELICONE_API_KEY",),
        time="iso",
        at="request_created_at",
        asks={
            "filter": {
                "left": {"request_response_rmt": {"request_created_at": {"gte": "{start}"}}},
                "operator": "and",
                "right": {"request_response_rmt": {"request_created_at": {"lt": "{end}"}}},
            },
            "isCached": False,
            "limit": 1000,
            "sort": {"created_at": "asc"},
        },
        paging=Offset("offset", size="limit"),
        posts=True,
    ),
}
"""By the kind that `pull:` names."""
