"""llama.cpp server: answers of its OpenAI-compatible and of its native completion endpoint.

`usage.prompt_tokens` contains what came from the cache; `timings.prompt_n` does not: `timings.cache_n` is counted
apart from it. Natively, `tokens_evaluated` is the whole prompt. Nothing is charged for the cache of an own server, but
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
from pipelines.requests.formats._envelope import Envelope


def build(source: RequestSource) -> Format:
    """The format; options `body` and `timestamp`."""
    at = Envelope(source, ("response", "body"))
    return Format(
        name="llamacpp",
        version="2",
        text={
            "source_request_id": at.body("id"),
            "request_model": at.model("model"),
            "response_model": at.body("model"),
        },
        usage={
            "input": at.body("usage/prompt_tokens", "tokens_evaluated"),
            "output": at.body("usage/completion_tokens", "tokens_predicted", "timings/predicted_n"),
            "total": at.body("usage/total_tokens"),
            "cache_read": at.body("timings/cache_n", "usage/prompt_tokens_details/cached_tokens"),
        },
        integers={"processed": at.body("timings/prompt_n")},
        numbers={"prompt_ms": at.body("timings/prompt_ms"), "predicted_ms": at.body("timings/predicted_ms")},
        instants={"event_at": at.instant("created")},
        constants={"provider_id": "llamacpp"},
        bodies=at.bodies,
        time=TimeRule("iso", epoch="epoch"),
        trusts_total=True,
        keep="stream_delta",
        items=at.unshipped,
        marks=at.shipped_marks,
        derive=_derive,
    )


def _derive() -> Mapping[str, pl.Expr]:
    prompt = pl.coalesce(pl.col("usage.input"), pl.col("processed") + pl.col("usage.cache_read").fill_null(0))
    return {
        "usage.input": prompt,
        "latency_ms": pl.col("prompt_ms") + pl.col("predicted_ms"),
        "ttft_ms": pl.col("prompt_ms"),
        "not_a_request": pl.when(prompt.is_null() & pl.col("usage.output").is_null()).then(
            pl.lit("a record without usage")
        ),
    }
