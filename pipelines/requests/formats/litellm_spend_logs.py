"""LiteLLM proxy: rows of the database table `LiteLLM_SpendLogs`, exported as JSONL, CSV or Parquet, and pages of `/spend/logs`.

Usage is normalised by the proxy as OpenAI counts it: `prompt_tokens` contains cached and written tokens; the
details are in `metadata.usage_object`, older ones in `metadata.additional_usage_values`, where `metadata` is an object or a JSON string. Times without a zone are
UTC. `cache_hit` is text: "True" is an answer from the proxy's own cache, which costs nothing; a failed call
(`status` failure) is logged with spend 0 and is not billable. What is charged by characters, images or seconds is logged with
no tokens and a spend: its usage is missing, not zero. `api_key` is already a hash.
Source: schema.prisma and litellm/proxy/spend_tracking of github.com/BerriAI/litellm.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pipelines.config.sources import RequestSource
from pipelines.records.conversions import TimeRule
from pipelines.records.layout import Paths
from pipelines.requests.conventions import CLAUDE, own_total
from pipelines.requests.format import Format
from pipelines.requests.formats import refuse_options
from pipelines.requests.formats._containers import marks_of, opened
from pipelines.requests.formats._envelope import ASKED
from pipelines.requests.formats.openai_chat import counted_alone
from pipelines.requests.semantics import measure, openai_variant, written_apart

_USAGE = "metadata/usage_object"
_INPUT = f"{_USAGE}/prompt_tokens_details"
_OUTPUT = f"{_USAGE}/completion_tokens_details"
_ADDED = "metadata/additional_usage_values"
"""The details without the counts: all that versions before `usage_object` write of them."""
_ADDED_INPUT, _ADDED_OUTPUT = f"{_ADDED}/prompt_tokens_details", f"{_ADDED}/completion_tokens_details"

OPERATIONS = {
    "completion": "chat",
    "acompletion": "chat",
    "anthropic_messages": "chat",
    "aresponses": "chat",
    "responses": "chat",
    "text_completion": "text_completion",
    "atext_completion": "text_completion",
    "embedding": "embeddings",
    "aembedding": "embeddings",
    "image_generation": "image_generation",
    "aimage_generation": "image_generation",
    "arerank": "rerank",
    "aocr": "ocr",
}
"""LiteLLM call types under their OpenTelemetry operation names; any other call type keeps its own name."""


_ANSWER = "response/usage"
_ANSWER_INPUT, _ANSWER_OUTPUT = f"{_ANSWER}/prompt_tokens_details", f"{_ANSWER}/completion_tokens_details"
"""The usage of the answer, for versions that logged it and no details apart from it."""


def _written(ttl: str) -> Paths:
    """Tokens written to a cache for `ttl`: in the details that the proxy makes, or as Anthropic's own answer states them."""
    name = f"ephemeral_{ttl}_input_tokens"
    made = tuple(f"{details}/cache_creation_token_details/{name}" for details in (_INPUT, _ADDED_INPUT))
    return (*made, *(f"{usage}/cache_creation/{name}" for usage in (_USAGE, _ADDED)))


USAGE: dict[str, Paths] = {
    "input": ("prompt_tokens", f"{_USAGE}/prompt_tokens"),
    "output": ("completion_tokens", f"{_USAGE}/completion_tokens"),
    "total": ("total_tokens", f"{_USAGE}/total_tokens"),
    "cache_read": (
        f"{_INPUT}/cached_tokens",
        f"{_USAGE}/cache_read_input_tokens",
        f"{_ADDED_INPUT}/cached_tokens",
        f"{_ADDED}/cache_read_input_tokens",
        f"{_ANSWER_INPUT}/cached_tokens",
        f"{_ANSWER}/cache_read_input_tokens",
    ),
    "cache_write": (
        f"{_USAGE}/cache_creation_input_tokens",
        f"{_INPUT}/cache_creation_tokens",
        f"{_INPUT}/cache_write_tokens",
        f"{_ADDED}/cache_creation_input_tokens",
        f"{_ADDED_INPUT}/cache_creation_tokens",
        f"{_ANSWER}/cache_creation_input_tokens",
    ),
    "cache_write_5m": _written("5m"),
    "cache_write_1h": _written("1h"),
    "input_audio": (f"{_INPUT}/audio_tokens", f"{_ADDED_INPUT}/audio_tokens", f"{_ANSWER_INPUT}/audio_tokens"),
    "input_audio_cache_read": (f"{_INPUT}/cached_tokens_details/audio_tokens",),
    "input_image": (
        f"{_INPUT}/image_tokens",
        f"{_ADDED_INPUT}/image_tokens",
        f"{_USAGE}/input_tokens_details/image_tokens",
    ),
    "input_image_cache_read": (f"{_INPUT}/cached_tokens_details/image_tokens",),
    "input_video": (f"{_INPUT}/video_tokens", f"{_ADDED_INPUT}/video_tokens"),
    "reasoning": (
        f"{_OUTPUT}/reasoning_tokens",
        f"{_ADDED_OUTPUT}/reasoning_tokens",
        f"{_ANSWER_OUTPUT}/reasoning_tokens",
    ),
    "output_audio": (f"{_OUTPUT}/audio_tokens", f"{_ADDED_OUTPUT}/audio_tokens"),
    "output_image": (f"{_OUTPUT}/image_tokens", f"{_ADDED_OUTPUT}/image_tokens"),
}
"""The measures of a spend log row or payload."""

SEARCHES = tuple(
    f"{place}/web_search_requests"
    for usage, details in ((_USAGE, _INPUT), (_ADDED, _ADDED_INPUT))
    for place in (f"{usage}/server_tool_use", details)
)
"""Searches of the web, which the proxy counts apart for Anthropic and among the details of the prompt for all others."""

ALONE = counted_alone(lambda *paths: tuple(f"response/{path}" for path in paths))
"""Search units and pages: neither is in the proxy's usage, only in the answer that it logs where it keeps answers."""

ANSWERED: dict[str, Paths] = {
    "answer_input": (f"{_ANSWER}/prompt_tokens", f"{_ANSWER}/input_tokens"),
    "answer_output": (f"{_ANSWER}/completion_tokens", f"{_ANSWER}/output_tokens"),
    "answers_own": (f"{_ANSWER}/input_tokens",),
}
"""Counts of the answer, which hold where the proxy logged it and counted nothing itself."""

SERVED: dict[str, Paths] = {
    "service_tier": ("metadata/cost_breakdown/service_tier", f"{_USAGE}/service_tier", f"{_ADDED}/service_tier"),
    "region": ("metadata/cost_breakdown/data_residency", f"{_USAGE}/inference_geo", f"{_ADDED}/inference_geo"),
    "speed": (f"{_USAGE}/speed", f"{_ADDED}/speed"),
}
"""What decides the price besides model and counts, as the answer stated it."""


def build(source: RequestSource) -> Format:
    """The format; it has no options."""
    refuse_options(source)
    return Format(
        name="litellm_spend_logs",
        version="9",
        text={
            "source_request_id": ("request_id",),
            "session_id": ("session_id",),
            "call_type": ("call_type",),
            "provider_id": ("custom_llm_provider",),
            "model_group": ("model_group", *ASKED),
            "response_model": ("model",),
            "team": ("metadata/user_api_key_team_alias", "team_id", "metadata/user_api_key_team_id"),
            "project": ("metadata/user_api_key_project_id",),
            "end_user_id": ("end_user", "user"),
            "cache_hit": ("cache_hit",),
            "logged_status": ("status", "metadata/status"),
            **SERVED,
        },
        usage=USAGE,
        integers={"web_search_count": SEARCHES, **ALONE, **ANSWERED},
        instants={"event_at": ("startTime",), "ended_at": ("endTime",), "first_at": ("completionStartTime",)},
        numbers={"duration_ms": ("request_duration_ms",)},
        money={"reported_cost_usd": ("spend",)},
        tags={
            "api_key": ("api_key",),
            "organization": ("organization_id",),
            "agent": ("agent_id",),
            "request_tags": ("request_tags[]",),
        },
        time=TimeRule("iso", epoch="epoch"),
        items=opened("data", "logs"),
        marks=marks_of("data", "logs"),
        maybe_objects=("response",),
        derive=_derive,
    )


_ASKS_NO_MODEL = r"mcp|(?:create|list|cancel)_batch|(?:^|_)a?files?(?:_|$)|vector_store_(?:create|list|retrieve|delete)|count_tokens|_input_items"
"""Calls of the proxy that manage something and ask no model; a batch is counted when its answers are asked for."""


def _derive() -> Mapping[str, pl.Expr]:
    hit = pl.col("cache_hit").str.to_lowercase() == "true"
    failed = pl.col("logged_status").str.to_lowercase().is_in(["failure", "error"])
    return dict(timing()) | {
        "operation": pl.col("call_type").replace(OPERATIONS),
        "request_model": pl.coalesce("model_group", "response_model"),
        "service_tier": served_tier(),
        "status": pl.when(hit).then(pl.lit("cache_hit")).when(failed).then(pl.lit("error")).otherwise(pl.lit("ok")),
        "latency_ms": pl.coalesce("duration_ms", timing()["latency_ms"]),
        **counted(),
    }


def counted() -> Mapping[str, pl.Expr]:
    """The rule of a call's counts, its total where that speaks for the rule, and the output of a drawn image."""
    apart = written_apart(by_litellm=True)
    unstated = (measure("input") == 0) & (measure("output") == 0) & (pl.col("answer_input") > 0)
    of_claude = pl.col("answers_own").is_not_null() & pl.col("response_model").str.contains(f"(?i){CLAUDE}")
    rule = (
        pl.when(unstated & of_claude.fill_null(value=False))
        .then(pl.lit("anthropic_exclusive"))
        .when(unstated | apart)
        .then(pl.lit("openai_inclusive"))
        .otherwise(openai_variant())
    )
    charged = (measure("input") + measure("output") > 0) | (pl.col("reported_cost_usd") > 0).fill_null(value=False)
    manages = pl.col("call_type").str.contains(_ASKS_NO_MODEL) & ~charged
    draws = pl.col("call_type").str.contains("image_(?:generation|edit)")
    return {
        "token_semantics": rule,
        "not_a_request": pl.when(manages).then(pl.lit("a call that manages something, and asks no model")),
        "usage.input": pl.when(apart)
        .then(measure("input") + measure("cache_write"))
        .when(unstated)
        .then("answer_input")
        .otherwise("usage.input"),
        "usage.output": pl.when(unstated).then("answer_output").otherwise("usage.output"),
        "usage.total": pl.when(~(apart | unstated)).then(own_total(rule)),
        "usage.output_image": pl.when(draws)
        .then(pl.coalesce("usage.output_image", "usage.output"))
        .otherwise("usage.output_image"),
    }


def served_tier() -> pl.Expr:
    """The tier by which a call is priced. A finished batch is one record, logged when it is asked for."""
    fast = pl.when(pl.col("speed") == "fast").then(pl.lit("fast"))
    batch = pl.when(pl.col("call_type").str.contains("_batch", literal=True)).then(pl.lit("batch"))
    return pl.coalesce(batch, fast, "service_tier")


def timing() -> Mapping[str, pl.Expr]:
    """Durations from the instants of start, first token and end."""
    elapsed = (pl.col("ended_at") - pl.col("event_at")).dt.total_microseconds() / 1000
    first = (pl.col("first_at") - pl.col("event_at")).dt.total_microseconds() / 1000
    # A row that was not streamed repeats the end as the start of the completion: no time to the first token.
    streamed = pl.col("first_at") < pl.col("ended_at")
    return {
        "latency_ms": pl.when(elapsed >= 0).then(elapsed),
        "ttft_ms": pl.when(streamed & (first >= 0)).then(first),
        "is_stream": pl.when(streamed).then(statement=True),
    }
