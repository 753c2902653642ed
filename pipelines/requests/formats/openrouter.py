"""OpenRouter: chat and responses answers and messages of Anthropic's shape, streams included, with their `usage`, records of GET /api/v1/generation, and the CSV of single calls
that its activity page exports.

Usage counts as OpenAI does (input contains cached and written tokens, output contains reasoning), in the native
tokenizer, which is what is billed: of a generation record `native_tokens_*` count, not `tokens_*`; a row of the CSV
(`cost_total`) has the native counts under `tokens_*`. `usage.cost`
is what OpenRouter billed in USD; `upstream_inference_cost` is added only where `is_byok`, since it is contained
otherwise. The input of a message leaves the cache out. A record without an id is identified by all it says. A cancelled generation is billable where it
was charged. `created` is in seconds since 1970, other instants are ISO 8601.
Source: openrouter.ai/docs, "Usage accounting" and "Get a generation".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import polars as pl

from pipelines.config.sources import RequestSource
from pipelines.records.conversions import TimeRule
from pipelines.records.layout import Paths
from pipelines.requests.format import Format
from pipelines.requests.formats._anthropic_stream import STREAM, StreamReader
from pipelines.requests.formats._envelope import Envelope, answers
from pipelines.requests.formats._openai_usage import in_snake_case
from pipelines.requests.formats.openai_chat import OF_ANTHROPIC, is_chunk
from pipelines.requests.semantics import openai_variant

_MARKS = ('"native_tokens_prompt"', '"response.', '"promptTokens"', '"message_start"', '"message_delta"')
"""Texts of the lines that the reader changes."""


def _either(*names: str) -> Paths:
    """A field of the record itself, or of the `data` object that the generation endpoint wraps it in."""
    return (*names, *(f"data/{name}" for name in names))


def build(source: RequestSource) -> Format:
    """The format; options `body` and `timestamp`."""
    at = Envelope(source, ())
    declared = () if at.bodies == ("",) else at.bodies
    prompt, completion = "usage/prompt_tokens_details", "usage/completion_tokens_details"
    responses_in, responses_out = "usage/input_tokens_details", "usage/output_tokens_details"
    return Format(
        name="openrouter",
        version="11",
        text={
            "source_request_id": ("generation_id", *_either("id")),
            "request_model": ("request_model", *_either("model"), "model_permaslug"),
            "response_model": (*_either("model"), "model_permaslug"),
            "upstream_id": _either("upstream_id"),
            "upstream": ("provider", *_either("provider_name")),
            "object": ("object",),
            "event": ("type",),
            "stream_id": (STREAM,),
            "end_user_id": ("user", *_either("external_user")),
            "application": ("app_name",),
            "region": _either("data_region"),
            "service_tier": _either("service_tier"),
            "finish_reason": (*_either("finish_reason"), "finish_reason_normalized"),
            "session_id": ("session_id",),
        },
        usage={
            "input": ("usage/prompt_tokens", "usage/input_tokens", *_either("native_tokens_prompt")),
            "output": ("usage/completion_tokens", "usage/output_tokens", *_either("native_tokens_completion")),
            "total": ("usage/total_tokens",),
            "cache_read": (
                f"{prompt}/cached_tokens",
                f"{responses_in}/cached_tokens",
                "usage/cache_read_input_tokens",
                *_either("native_tokens_cached"),
            ),
            "cache_write": (
                f"{prompt}/cache_write_tokens",
                f"{responses_in}/cache_write_tokens",
                "usage/cache_creation_input_tokens",
            ),
            "cache_write_5m": ("usage/cache_creation/ephemeral_5m_input_tokens",),
            "cache_write_1h": ("usage/cache_creation/ephemeral_1h_input_tokens",),
            "input_audio": (f"{prompt}/audio_tokens",),
            "input_video": (f"{prompt}/video_tokens",),
            "reasoning": (
                f"{completion}/reasoning_tokens",
                f"{responses_out}/reasoning_tokens",
                *_either("native_tokens_reasoning"),
            ),
            "output_audio": (f"{completion}/audio_tokens",),
            "output_image": (f"{completion}/image_tokens", *_either("native_tokens_completion_images")),
        },
        integers={
            "csv_input": ("tokens_prompt",),
            "csv_output": ("tokens_completion",),
            "csv_reasoning": ("tokens_reasoning",),
            "csv_cached": ("tokens_cached",),
            "web_search_count": (
                "usage/server_tool_use/web_search_requests",
                "usage/server_tool_use_details/web_search_requests",
            ),
            "rerank_search_count": ("usage/search_units",),
        },
        numbers={
            "latency_ms": (*_either("generation_time"), "generation_time_ms"),
            "ttft_ms": (*_either("latency"), "time_to_first_token_ms"),
        },
        booleans={
            "was_stream": _either("streamed"),
            "is_byok": ("usage/is_byok", *_either("is_byok")),
            "cancelled": _either("cancelled"),
        },
        instants={"event_at": at.instant(*_either("created_at", "created"))},
        money={
            "row_usd": ("cost_total",),
            "own_key_usd": ("byok_usage_inference",),
            "charged_usd": ("usage/cost", *_either("total_cost")),
            "upstream_usd": ("usage/cost_details/upstream_inference_cost", *_either("upstream_inference_cost")),
        },
        tags={
            "api_key": ("api_key_name",),
            "upstream_provider": ("provider", *_either("provider_name")),
            "app": _either("app_id"),
        },
        call_ids=("source_request_id", "upstream_id"),
        bodies=at.bodies,
        time=TimeRule("iso", epoch="epoch"),
        trusts_total=True,
        constants={"provider_id": "openrouter"},
        keep="stream_delta",
        items=lambda: at.opened(_reader((*declared, *(f"{body}/response" for body in declared)) or ("response",))),
        in_sequence=True,
        marks=() if declared else (*_MARKS, *at.marks),
        derive=_derive,
    )


def _derive() -> Mapping[str, pl.Expr]:
    upstream = pl.when(pl.col("is_byok")).then(pl.col("upstream_usd").fill_null(0)).otherwise(0)
    cancelled = pl.col("cancelled").fill_null(value=False)
    is_row = pl.col("row_usd").is_not_null()
    counts = {
        f"usage.{name}": pl.when(is_row).then(pl.col(f"csv_{held}")).otherwise(pl.col(f"usage.{name}"))
        for name, held in (
            ("input", "input"),
            ("output", "output"),
            ("reasoning", "reasoning"),
            ("cache_read", "cached"),
        )
    }
    charged = pl.coalesce("row_usd", "charged_usd")
    known = (
        "source_request_id",
        "request_model",
        "usage.input",
        "usage.output",
        "usage.total",
        "csv_input",
        "csv_output",
        "row_usd",
        "charged_usd",
    )
    return {
        **counts,
        "token_semantics": pl.when(pl.col("event").is_in(OF_ANTHROPIC))
        .then(pl.lit("anthropic_exclusive"))
        .otherwise(openai_variant()),
        "reported_cost_usd": pl.when(is_row)
        .then(pl.col("row_usd") + pl.col("own_key_usd").fill_null(0))
        .otherwise(pl.col("charged_usd") + upstream.cast(pl.Decimal(38, 18))),
        "is_stream": pl.coalesce("was_stream", is_chunk()),
        "status": pl.when(cancelled).then(pl.lit("cancelled")).otherwise(pl.lit("ok")),
        "is_billable": ~cancelled | (charged > 0).fill_null(value=False),
        "not_a_request": pl.when(pl.all_horizontal(pl.col(name).is_null() for name in known)).then(
            pl.lit("the record has neither an id, nor a model, nor usage")
        ),
    }


def _reader(bodies: tuple[str, ...]) -> Callable[[object], Iterable[object]]:
    """The records of one file, events of Anthropic's streams with the message that they belong to."""
    whole = StreamReader(("", *bodies))
    return lambda value: [item for record in whole(value) for item in _answer(bodies, record)]


def _answer(bodies: Iterable[str], value: object) -> Iterable[object]:
    """The record with the answer that lies in one of `bodies` (of the responses API an event holds it) as its own, and of a
    generation record without `usage`, which in it is an amount, and the same as `total_cost`. Libraries of TypeScript write its names in camel case."""
    for path, answer in answers(value, bodies):
        if isinstance(value, dict):
            value = {**value, path.split("/")[0]: None, **answer}
    value = in_snake_case(value) if isinstance(value, dict) else value
    if isinstance(value, dict) and not isinstance(value.get("usage"), dict):
        return [{name: item for name, item in value.items() if name != "usage"}]
    return [value]
