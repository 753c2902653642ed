"""OpenAI responses API answers, their stream events (`response.completed`) and polled background answers.

`input_tokens` contains cached and written tokens, `output_tokens` contains reasoning. The same id is logged again
while an answer goes from queued to completed: the last record with a usage is kept. A failed or cancelled
answer is billable where it reports usage. `created_at` is in seconds since 1970.
Images that a tool drew are counted apart from `usage`, in `tool_usage`, and charged by the tool's own model: they are a request
of their own, under the name that the tool was given or `image_generation`. Searches of the web are counted by the items `web_search_call` whose action is a search. Of an answer of the images API without details all
output is image. A transcription that is charged by the second is a request without tokens, with the tag `audio_seconds`.
Source: platform.openai.com/docs/api-reference/responses, /images and /audio.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import polars as pl

from pipelines.config.sources import RequestSource
from pipelines.records.conversions import TimeRule
from pipelines.records.json_record import Number
from pipelines.records.layout import Paths
from pipelines.requests.format import Format
from pipelines.requests.formats._envelope import Envelope, answers, with_answer
from pipelines.requests.formats.openai_chat import batch_tier
from pipelines.requests.semantics import openai_variant


def build(source: RequestSource) -> Format:
    """The format; options `body` and `timestamp`."""
    at = Envelope(source, ("response", "response/body", "body"))
    # The realtime API writes token_details where the others write tokens_details.
    inner = ("usage/input_tokens_details", "usage/input_token_details")
    outer = ("usage/output_tokens_details", "usage/output_token_details")

    def within(holders: tuple[str, ...], name: str) -> Paths:
        return at.body(*(f"{holder}/{name}" for holder in holders))

    return Format(
        name="openai_responses",
        version="5",
        text={
            "source_request_id": at.body("id"),
            "request_model": at.model("model"),
            "response_model": at.body("model"),
            "batch_answer": at.batch_answer("id", "model", "object"),
            "service_tier": at.body("service_tier"),
            "logged_status": at.body("status"),
            "session_id": (*at.outer("session_id"), *at.body("conversation/id", "previous_response_id", "id")),
            "end_user_id": at.body("user"),
            "finish_reason": at.body("incomplete_details/reason"),
            "logged_operation": at.body("operation"),
            "kind": at.outer("type"),
            "created": at.body("created"),
        },
        usage={
            "input": at.body("usage/input_tokens"),
            "output": at.body("usage/output_tokens"),
            "total": at.body("usage/total_tokens"),
            "cache_read": within(inner, "cached_tokens"),
            "cache_write": within(inner, "cache_write_tokens"),
            "cache_write_30m": within(inner, "cache_write_tokens_details/ttl_30m_tokens"),
            "cache_write_12h": within(inner, "cache_write_tokens_details/ttl_12h_tokens"),
            "input_audio": within(inner, "audio_tokens"),
            "input_audio_cache_read": within(inner, "cached_tokens_details/audio_tokens"),
            "input_image": within(inner, "image_tokens"),
            "input_image_cache_read": within(inner, "cached_tokens_details/image_tokens"),
            "reasoning": within(outer, "reasoning_tokens"),
            "output_audio": within(outer, "audio_tokens"),
            "output_image": within(outer, "image_tokens"),
        },
        integers={
            "http_status": at.outer("http_status", "status_code", "response/status_code"),
            "web_search_count": at.body(
                "usage/server_side_tool_usage_details/web_search_calls",
                "web_searches",
                "tool_usage/web_search/num_requests",
            ),
        },
        numbers={"latency_ms": at.outer("latency_ms", "duration_ms")},
        instants={"event_at": at.instant("created_at", "created")},
        tags={"custom_id": at.outer("custom_id"), "audio_seconds": at.body("usage/seconds")},
        bodies=at.bodies,
        time=TimeRule("iso", epoch="epoch"),
        trusts_total=True,
        keep="stream_delta",
        items=lambda: partial(with_tools, at.bodies),
        marks=('"image_generation_call"', '"web_search_call"'),
        derive=_derive,
    )


def _derive() -> Mapping[str, pl.Expr]:
    counted = pl.col("usage.input").is_not_null()
    known = counted | pl.col("source_request_id").is_not_null() | pl.col("tag.audio_seconds").is_not_null()
    drawn = pl.col("kind").str.starts_with("image_") | (
        pl.col("source_request_id").is_null() & pl.col("created").is_not_null()
    )
    named = pl.col("logged_status").replace_strict(
        {"failed": "error", "cancelled": "cancelled"}, default="ok", return_dtype=pl.String
    )
    status = pl.when(pl.col("http_status") >= 400).then(pl.lit("error")).otherwise(named)
    return {
        "token_semantics": openai_variant(),
        "usage.output_image": pl.when(drawn.fill_null(value=False))
        .then(pl.coalesce("usage.output_image", "usage.output"))
        .otherwise(pl.col("usage.output_image")),
        "operation": pl.col("logged_operation"),
        "service_tier": batch_tier(),
        "status": status,
        "is_billable": (status == "ok") | counted,
        "not_a_request": pl.when(~known).then(pl.lit("an event that carries no response")),
    }


def with_tools(bodies: Iterable[str], value: object) -> Iterator[object]:
    """The record with its searches counted, and one more for the images that a tool drew for it."""
    found = list(answers(value, bodies))
    searched = {path: count for path, answer in found if (count := _searches(answer))}
    counted = value
    for path, count in searched.items():
        if isinstance(counted, dict):
            counted = with_answer(counted, path, {**dict(found)[path], "web_searches": Number(count)})
    yield counted
    for path, answer in found:
        used = answer.get("tool_usage")
        image = used.get("image_gen") if isinstance(used, dict) else None
        if isinstance(value, dict) and isinstance(image, dict) and str(image.get("total_tokens") or "0") != "0":
            own = {"usage": image, "model": _image_model(answer), "operation": "image_generation", "output": None}
            own |= {"web_searches": None, "tool_usage": None}
            yield with_answer(value, path, {**answer, **own, "id": answer.get("id") and f"{answer['id']}/image_gen"})


def _searches(answer: dict[str, Any]) -> int:
    """Searches that the tool ran; a page opened or looked through is one of its calls too, and free."""
    output = answer.get("output")
    calls = [item for item in output if isinstance(item, dict)] if isinstance(output, list) else []
    actions = [item.get("action") for item in calls if item.get("type") == "web_search_call"]
    kinds = [action.get("type") if isinstance(action, dict) else "search" for action in actions]
    return kinds.count("search")


def _image_model(answer: dict[str, Any]) -> object:
    tools = answer.get("tools")
    drawing = [tool for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
    named = (tool.get("model") for tool in drawing if tool.get("type") == "image_generation")
    return next((name for name in named if name), "image_generation")
