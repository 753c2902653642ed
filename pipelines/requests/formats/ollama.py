"""Ollama's own API: answers of /api/chat and /api/generate, one per line.

`prompt_eval_count` is left out where the whole prompt was in the cache: such a row counts as partial usage.
Lines of a stream before the one with `done` true carry no counts. Durations are nanoseconds. There is no id: a
request is identified by all it says. Instants are ISO 8601 with nanoseconds and an offset.
Source: github.com/ollama/ollama/blob/main/docs/api.md.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pipelines.config.sources import RequestSource
from pipelines.records.conversions import TimeRule
from pipelines.requests.format import Format
from pipelines.requests.formats import refuse_options
from pipelines.requests.formats._shipped import MARKS, unshipped


def build(source: RequestSource) -> Format:
    """The format; it has no options."""
    refuse_options(source)
    return Format(
        name="ollama",
        version="2",
        text={
            "request_model": ("request_model", "model"),
            "response_model": ("model",),
            "finish_reason": ("done_reason",),
            "end_user_id": ("user",),
        },
        usage={"input": ("prompt_eval_count",), "output": ("eval_count",)},
        numbers={
            "total_ns": ("total_duration",),
            "load_ns": ("load_duration",),
            "prompt_ns": ("prompt_eval_duration",),
        },
        booleans={"done": ("done",)},
        instants={"event_at": ("created_at", "timestamp")},
        constants={"provider_id": "ollama"},
        time=TimeRule("iso"),
        identity=(),
        items=lambda: unshipped,
        marks=MARKS,
        derive=_derive,
    )


def _derive() -> Mapping[str, pl.Expr]:
    return {
        "latency_ms": pl.col("total_ns") / 1e6,
        "ttft_ms": (pl.col("load_ns").fill_null(0) + pl.col("prompt_ns")) / 1e6,
        "not_a_request": pl.when(~pl.col("done").fill_null(value=True)).then(pl.lit("a piece of a stream")),
    }
