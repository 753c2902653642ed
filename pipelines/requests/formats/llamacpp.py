"""llama.cpp server: answers of its native completion endpoint and of those that are OpenAI's and Anthropic's.

`usage.prompt_tokens` and the responses API's `input_tokens` contain what came from the cache; `timings.prompt_n` and the `input_tokens` of a message (Anthropic's endpoint) do not: `timings.cache_n` and
`cache_read_input_tokens` are counted apart from them. A stream that was not asked for its usage has timings at its end. Natively, `tokens_evaluated` is the whole prompt. Nothing is charged for the cache of an own server, but
tokens read from it are kept apart. Durations are milliseconds, `created` is in seconds since 1970; the native
endpoint gives no instant: the envelope's `timestamp` counts.
Source: github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pipelines.config.sources import RequestSource
from pipelines.records.conversions import TimeRule
from pipelines.requests.format import Format
from pipelines.requests.formats._anthropic_stream import STREAM, StreamReader
from pipelines.requests.formats._envelope import Envelope
from pipelines.requests.formats._openai_usage import usage_paths
from pipelines.requests.formats.openai_chat import OF_STREAMS, is_of_anthropic


def build(source: RequestSource) -> Format:
    """The format; options `body` and `timestamp`."""
    at = Envelope(source, ("response", "body"))
    return Format(
        name="llamacpp",
        version="4",
        text={
            "source_request_id": at.body("id"),
            "request_model": at.model("model"),
            "response_model": (*at.body("model"), *at.outer("response.model")),
            "object": at.body("type"),
            "stream_id": (STREAM,),
        },
        usage=usage_paths(
            at,
            input=("tokens_evaluated",),
            output=("tokens_predicted", "timings/predicted_n"),
            cache_read=("timings/cache_n",),
        ),
        integers={"processed": at.body("timings/prompt_n")},
        numbers={"prompt_ms": at.body("timings/prompt_ms"), "predicted_ms": at.body("timings/predicted_ms")},
        instants={"event_at": at.instant("created", "created_at")},
        constants={"provider_id": "llamacpp"},
        bodies=at.bodies,
        maybe_objects=at.body("stats"),
        time=TimeRule("iso", epoch="epoch"),
        trusts_total=True,
        keep="stream_delta",
        items=lambda: at.opened(StreamReader(at.bodies)),
        in_sequence=True,
        marks=(*OF_STREAMS, *at.marks),
        derive=_derive,
    )


def _derive() -> Mapping[str, pl.Expr]:
    prompt = pl.coalesce(pl.col("usage.input"), pl.col("processed") + pl.col("usage.cache_read").fill_null(0))
    is_message = is_of_anthropic("object")
    return {
        "token_semantics": pl.when(is_message)
        .then(pl.lit("anthropic_exclusive"))
        .otherwise(pl.lit("openai_inclusive")),
        "usage.input": prompt,
        "latency_ms": pl.col("prompt_ms") + pl.col("predicted_ms"),
        "ttft_ms": pl.col("prompt_ms"),
        "not_a_request": pl.when(prompt.is_null() & pl.col("usage.output").is_null()).then(
            pl.lit("a record without usage")
        ),
    }
