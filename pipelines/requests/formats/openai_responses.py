"""OpenAI responses API answers, their stream events (`response.completed`) and polled background answers.

`input_tokens` contains cached and written tokens, `output_tokens` contains reasoning. The same id is logged again while an answer goes from queued to
completed: the last record with a usage is kept. A failed or cancelled answer is billable where it reports usage. `created_at` is in seconds since
1970. Images that a tool drew are counted apart from `usage`, in `tool_usage`, and charged by the tool's own model: they are a request of their own,
under the name that the tool was given or `image_generation`. Searches of the web are counted by the items `web_search_call` whose action is a search.
Of an answer of the images API without details all output is image, of a stream of speech all is sound. A transcription that is charged by the second is a request without tokens, with
the tag `audio_seconds`.
Source: platform.openai.com/docs/api-reference/responses, /images and /audio.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pipelines.config.sources import RequestSource
from pipelines.records.conversions import TimeRule
from pipelines.requests.conventions import own_total
from pipelines.requests.format import Format
from pipelines.requests.formats._anthropic_stream import STREAM
from pipelines.requests.formats._envelope import BATCH_RECORD, Envelope
from pipelines.requests.formats._langchain import CALLS, COLUMNS
from pipelines.requests.formats._openai_usage import MARKS, usage_paths
from pipelines.requests.formats.openai_chat import (
    ASKERS,
    OF_A_REPORT,
    OF_STREAMS,
    REPORTS,
    adds_up,
    batch_tier,
    is_of_anthropic,
    reader,
)
from pipelines.requests.reused_ids import ANSWERED
from pipelines.requests.semantics import openai_variant


def build(source: RequestSource) -> Format:
    """The format; options `body` and `timestamp`."""
    at = Envelope(source, ("response", "response/body", "body"))
    return Format(
        name="openai_responses",
        version="16",
        text={
            "source_request_id": at.body("id"),
            "request_model": at.model("model"),
            "response_model": (*at.body("model"), *at.outer("response.model")),
            "batch_record": (BATCH_RECORD,),
            "batch_answer": at.batch_answer("id", "model", "object"),
            "service_tier": at.body("service_tier", "usage/service_tier"),
            "error": at.outer("error/type", "error/code", "response/body/error/type"),
            "run_type": at.outer("run_type"),
            "role": at.outer("role"),
            "logged_status": at.body("status"),
            "session_id": (*at.outer("session_id"), *at.body("conversation/id", "previous_response_id", "id")),
            "end_user_id": at.body("user"),
            "finish_reason": at.body("incomplete_details/reason"),
            "logged_operation": at.body("operation"),
            "kind": at.outer("type"),
            "event": at.body("type"),
            "stream_id": (STREAM,),
            "created": at.body("created"),
            "object": at.body("object"),
        },
        usage=usage_paths(at),
        integers={
            "http_status": at.outer("http_status", "status_code", "response/status_code"),
            "web_search_count": at.body(
                "usage/server_side_tool_usage_details/web_search_calls",
                "web_searches",
                "tool_usage/web_search/num_requests",
            ),
        },
        numbers={"latency_ms": at.outer("latency_ms", "duration_ms")},
        instants={"event_at": at.instant("created_at", "created"), ANSWERED: at.body("created_at", "created")},
        money={"reported_cost_usd": at.body("usage/total_cost")},
        tags={"custom_id": at.outer("custom_id"), "audio_seconds": at.body("usage/seconds")},
        bodies=at.bodies,
        maybe_objects=at.body("stats"),
        time=TimeRule("iso", epoch="epoch"),
        trusts_total=True,
        keep="stream_delta",
        read_by_items=COLUMNS,
        items=lambda: at.opened(reader(at.bodies)),
        marks=(*OF_STREAMS, *MARKS, *at.marks),
        in_sequence_where=OF_STREAMS,
        derive=_derive,
    )


def _derive() -> Mapping[str, pl.Expr]:
    counted = pl.col("usage.input").is_not_null() | pl.col("usage.output").is_not_null()
    known = counted | pl.col("source_request_id").is_not_null() | pl.col("tag.audio_seconds").is_not_null()
    drawn = pl.col("kind").str.starts_with("image_") | (
        pl.col("source_request_id").is_null() & pl.col("created").is_not_null()
    )
    named = pl.col("logged_status").replace_strict(
        {"failed": "error", "cancelled": "cancelled"}, default="ok", return_dtype=pl.String
    )
    failed = (pl.col("http_status") >= 400) | (pl.col("error").is_not_null() & pl.col("logged_status").is_null())
    status = pl.when(failed.fill_null(value=False)).then(pl.lit("error")).otherwise(named)
    spoken = pl.col("kind").str.starts_with("speech.audio").fill_null(value=False)
    of_anthropic = is_of_anthropic("event")
    rule = pl.when(of_anthropic).then(pl.lit("anthropic_exclusive")).otherwise(openai_variant())
    return {
        "token_semantics": rule,
        "usage.total": own_total(rule),
        "usage.output_image": pl.when(drawn.fill_null(value=False))
        .then(pl.coalesce("usage.output_image", "usage.output"))
        .otherwise(pl.col("usage.output_image")),
        "usage.output_audio": pl.when(spoken)
        .then(pl.coalesce("usage.output_audio", "usage.output"))
        .otherwise(pl.col("usage.output_audio")),
        "operation": pl.col("logged_operation"),
        "service_tier": batch_tier(),
        "status": status,
        "is_billable": (status == "ok") | counted,
        "not_a_request": pl.when(~pl.col("run_type").is_in(CALLS))
        .then(pl.lit("a run that holds calls and adds them up"))
        .when(pl.col("object") == "response.input_tokens")
        .then(pl.lit("tokens were counted, and no model asked"))
        .when(pl.col("role").is_in(ASKERS) & pl.col("request_model").is_null() & ~counted)
        .then(pl.lit("what was asked, and no answer"))
        .when(adds_up("kind"))
        .then(pl.lit("a record that adds up others"))
        .when(pl.col("object").is_in(REPORTS))
        .then(pl.lit(OF_A_REPORT))
        .when(~known)
        .then(pl.lit("an event that carries no response")),
    }
