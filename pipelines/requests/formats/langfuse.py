"""Langfuse: exported traces with their observations, pages of the observations API, observations one per line or row.

Names are read in camel case (API, batch export as JSON, JSONL or CSV) and in snake case (export to a bucket).

Only observations of type GENERATION and EMBEDDING are calls to a model. Their `usageDetails` come in two dialects:
keys that add up (`input`, `input_cached_tokens`, `output_reasoning`), and totals with details inside them
(`prompt_details.*`, `completion_details.*`, and a provider's own names where Langfuse did not know its usage). The `total` shows
which; without one, the names do. A part that has a key of its own (`input_priority`, `input_modality_TEXT`) is added to its count
(`_langfuse_details.py`), and Google's own usage is read by Google's rule. Spans that came by OpenTelemetry keep the convention's counts, whose input
contains the cache, as their attributes or keys show; not those of emitters that leave it out. Counts of another `unit` than tokens are no usage, and the unit is a tag. User, session
and tags stand on the trace and are joined from it where the document holds it. The same observation exported
again counts once, in its latest update; one that was deleted since (`is_deleted` of ClickHouse) was called and paid all the same: it counts, and has the tag
`deleted`. Instants are ISO 8601 in UTC; `latency` is left alone, because exports
write it in milliseconds and the API in seconds: the difference of the instants counts.
Source: langfuse.com/docs/api and the data exports of Langfuse 2 and 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from pipelines.config.sources import RequestSource
from pipelines.records.conversions import TimeRule
from pipelines.records.layout import Paths
from pipelines.requests.conventions import leaves_cache_out
from pipelines.requests.format import Format
from pipelines.requests.formats import refuse_options
from pipelines.requests.formats._envelope import ASKED
from pipelines.requests.formats._langfuse_details import (
    CACHED_CONTENT,
    KEYS,
    RAW_INPUT,
    column,
    parts_make_up,
    tier,
    whole_counts,
)
from pipelines.requests.semantics import measure

_CALLS = ("GENERATION", "EMBEDDING")
_FLAT = {
    "input": ("input_usage", "prompt_tokens", "input_tokens"),
    "output": ("output_usage", "completion_tokens", "output_tokens"),
    "total": ("total_usage", "total_tokens"),
}
"""Columns of tables made from its observations."""
_OF_SPANS = {
    "cache_read": ("cache_read.input_tokens", "input_tokens.cached", "details.cache_read_tokens", "details.cache_read_input_tokens", "details.cached_tokens"),
    "cache_write": ("cache_creation.input_tokens", "cache_write.input_tokens", "details.cache_write_tokens", "details.cache_creation_input_tokens"),
    "reasoning": ("reasoning.output_tokens", "output_tokens.reasoning", "details.reasoning_tokens", "details.thoughts_tokens"),
}  # fmt: skip
"""Keys that Langfuse makes of OpenTelemetry's attributes where it does not know them. By the convention they are part of input and output; Langfuse
before April 2026 adds them up all the same."""
_SPAN_INPUT = tuple(f"metadata/attributes/gen_ai.usage.{name}" for name in ("input_tokens", "prompt_tokens"))
_D = ("usageDetails", "usage_details")


def _details(*keys: str) -> Paths:
    """Keys of the usage details, which the API writes in camel case and the export to a bucket in snake case."""
    return tuple(f"{holder}/{key}" for key in keys for holder in _D)


def build(source: RequestSource) -> Format:
    """The format; it has no options."""
    refuse_options(source)
    inner = {
        "cache_read": (
            "prompt_details.cache_read",
            "prompt_details.cached_tokens",
            "input_details.cached_tokens",
            "prompt_tokens_details.cached_tokens",
            "input_tokens_details.cached_tokens",
        ),
        "reasoning": (
            "completion_details.reasoning",
            "completion_details.reasoning_tokens",
            "completion_tokens_details.reasoning_tokens",
            "output_tokens_details.reasoning_tokens",
        ),
        "input_audio": ("prompt_details.audio", "prompt_tokens_details.audio_tokens"),
        "output_audio": ("completion_details.audio", "completion_tokens_details.audio_tokens"),
    }
    apart = {
        "cache_read": (
            "input_cached_tokens",
            "cache_read_input_tokens",
            "input_cache_read",
            "input_cache_read_tokens",
            "cache_read_tokens",
        ),
        "reasoning": ("output_reasoning", "output_reasoning_tokens", "thoughts_token_count", "thoughtsTokenCount"),
        "input_audio": ("input_audio", "input_audio_tokens"),
        "output_audio": ("output_audio", "output_audio_tokens"),
    }
    return Format(
        name="langfuse",
        version="12",
        text={
            "source_request_id": ("id",),
            "trace_id": ("traceId", "trace_id", "trace/id"),
            "span_id": ("id",),
            "parent_id": ("parentObservationId", "parent_observation_id"),
            "session_id": ("sessionId", "session_id", "trace/sessionId", "traceId", "trace_id"),
            "kind": ("type",),
            "request_model": ("model", "providedModelName", "provided_model_name", *ASKED),
            "environment": ("environment",),
            "application": ("trace/name", "traceName", "trace_name"),
            "end_user_id": ("userId", "user_id", "trace/userId"),
            "level": ("level",),
            "unit": ("usage/unit", "unit"),
            "span_scope": ("metadata/scope/name",),
        },
        usage={
            "input": (*_details("input", "prompt_tokens", "input_tokens"), *_details(*RAW_INPUT), "usage/input", "usage/promptTokens", "promptTokens", "inputTokens", "inputUsage", *_FLAT["input"]),
            "output": (*_details("output", "completion_tokens", "output_tokens", "candidates_token_count", "candidatesTokenCount"), "usage/output", "usage/completionTokens", "completionTokens", "outputTokens", "outputUsage", *_FLAT["output"]),
            "total": (*_details("total", "total_tokens", "total_token_count", "totalTokenCount"), "usage/total", "usage/totalTokens", "totalTokens", "totalUsage", *_FLAT["total"]),
            "cache_write": _details(
                "input_cache_creation", "cache_creation_input_tokens", "input_cache_creation_tokens", "input_cache_write_tokens",
                "input_cache_write", "cache_write_input_tokens", "cache_write_tokens", "prompt_details.cache_write",
                "input_details.cache_write_tokens", *_OF_SPANS["cache_write"],
            ),
            "input_tool": _details("tool_use_prompt_token_count", "toolUsePromptTokenCount"),
            "input_image": _details("input_image_tokens", "input_image", "prompt_details.image"),
            "output_image": _details("output_image_tokens", "output_image", "completion_details.image"),
            "cache_write_5m": _details(
                "input_cache_creation_5m", "input_ephemeral_5m_input_tokens", "cache_creation.ephemeral_5m_input_tokens"
            ),
            "cache_write_1h": _details(
                "input_cache_creation_1h", "input_ephemeral_1h_input_tokens", "cache_creation.ephemeral_1h_input_tokens"
            ),
        }
        | {name: _details(*inner[name], *apart[name], *_OF_SPANS.get(name, ())) for name in inner},
        integers={f"inner_{name}": _details(*keys) for name, keys in inner.items()}
        | {column(key): _details(key) for key in KEYS}
        | {"raw_input": _details(*RAW_INPUT), "cached_content": _details(*CACHED_CONTENT)}
        | {"span_detail": _details(*(key for keys in _OF_SPANS.values() for key in keys)), "span_input": _SPAN_INPUT}
        | {"span_written": _details(*_OF_SPANS["cache_write"])}
        | {"own_cached": _details("input_cached_tokens", "input_cache_read", "input_cache_read_tokens", "input_cache_creation")},
        maybe_objects=("metadata", "metadata/attributes", "metadata/scope"),
        instants={
            "event_at": ("startTime", "start_time"),
            "ended_at": ("endTime", "end_time"),
            "first_at": ("completionStartTime", "completion_start_time"),
            "updated_at": ("updatedAt", "updated_at"),
        },
        money={
            "reported_cost_usd": (
                "totalCost", "total_cost", "calculatedTotalCost", "calculated_total_cost", "costDetails/total", "cost_details/total"
            )
        },
        tags={"usage_unit": ("usage/unit", "unit"), "deleted": ("is_deleted",)},
        lists={"tag.tags": ("tags[]", "trace/tags[]")},
        time=TimeRule("iso"),
        keep="later_update",
        items=lambda: observations,
        marks=('"observations"', '"data"', '"trace"'),
        derive=_derive,
    )  # fmt: skip


def _derive() -> Mapping[str, pl.Expr]:
    # Characters, images, seconds and requests are counted in the same fields, and are no tokens.
    in_tokens = pl.col("unit").fill_null("TOKENS").str.to_uppercase() == "TOKENS"
    counted = pl.col("usage.input").is_not_null() | pl.col("usage.output").is_not_null()
    plain = measure("input") + measure("output")
    named_inner = pl.any_horizontal(
        pl.col(f"inner_{name}").is_not_null() for name in ("cache_read", "reasoning", "input_audio", "output_audio")
    )
    total = pl.col("usage.total")
    cached = measure("cache_read") + measure("cache_write")
    of_span = pl.col("span_detail").is_not_null() | ((pl.col("span_input") == pl.col("usage.input")) & (cached > 0))
    of_span = of_span.fill_null(value=False) & (cached <= measure("input")) & pl.col("own_cached").is_null()
    of_span &= ~leaves_cache_out("span_scope")
    # Langfuse takes what was read off the input, and leaves what was written there where it does not know its name.
    half_known = (pl.col("span_written") > 0) & pl.col("own_cached").is_not_null() & ~leaves_cache_out("span_scope")
    half_known = (half_known & (pl.col("span_written") <= measure("input"))).fill_null(value=False)
    # Where the total shows it, `whole_counts` takes what was written off the input.
    half_known &= (total != plain + measure("cache_read")).fill_null(value=True)
    # A total that adds up the cache shows that the input leaves it out.
    leaves_out = ((cached > 0) & (total == plain + cached)).fill_null(value=False)
    split = (parts_make_up("input") | parts_make_up("output")) & ~leaves_out
    of_span = (of_span | split) & ~half_known
    inside = of_span | pl.when(half_known).then(statement=False).when(total.is_not_null()).then(
        total == plain
    ).otherwise(named_inner)
    of_google = pl.col("raw_input").is_not_null()
    counts = dict(whole_counts(~inside & ~of_google)) | {
        "usage.total": pl.when(~half_known & (~of_span | (total == plain))).then(total)
    }
    counts |= {
        f"usage.{side}": pl.when(leaves_out & parts_make_up(side))
        .then(f"usage.{side}")
        .otherwise(counts[f"usage.{side}"])
        for side in ("input", "output")
    }
    counts["usage.input"] = counts["usage.input"] - pl.when(half_known).then("span_written").otherwise(0)
    counts |= {name: pl.when(in_tokens).then(counts[name]) for name in ("usage.input", "usage.output", "usage.total")}
    status = pl.when(pl.col("level") == "ERROR").then(pl.lit("error")).otherwise(pl.lit("ok"))
    elapsed = (pl.col("ended_at") - pl.col("event_at")).dt.total_microseconds() / 1000
    first = (pl.col("first_at") - pl.col("event_at")).dt.total_microseconds() / 1000
    return counts | {
        "tag.deleted": pl.when(pl.col("tag.deleted").is_in(["1", "true"])).then(pl.lit("true")),
        "tag.usage_unit": pl.when(~in_tokens).then(pl.col("unit").str.to_lowercase()),
        "token_semantics": pl.when(of_google).then(pl.lit("gemini_thoughts_apart"))
        .when(inside).then(pl.lit("openai_inclusive")).otherwise(pl.lit("additive")),
        "service_tier": tier(),
        "operation": pl.when(pl.col("kind") == "EMBEDDING").then(pl.lit("embeddings")),
        "revision": pl.coalesce("updated_at", "event_at").to_physical(),
        "status": status,
        "is_billable": (status == "ok") | counted,
        "latency_ms": pl.when(elapsed >= 0).then(elapsed),
        "ttft_ms": pl.when(first >= 0).then(first),
        "not_a_request": pl.when(~pl.col("kind").is_in(_CALLS).fill_null(value=True)).then(
            pl.lit("an observation that is neither a generation nor an embedding")
        ),
    }  # fmt: skip


def observations(value: object) -> Iterable[object]:
    """The observations of a trace, of a page or of a document that holds both, each with its trace."""
    if not isinstance(value, dict):
        return [value]
    trace = value.get("trace") if isinstance(value.get("trace"), dict) else {}
    found = value.get("observations", value.get("data"))
    if found is None and trace:
        found = trace.get("observations")
    if not isinstance(found, list):
        return [value]
    held = trace or ({} if "data" in value else value)
    joined = {key: held.get(key) for key in ("userId", "sessionId", "tags", "name", "id")}
    return [_with_trace(item, joined) for item in found]


def _with_trace(item: object, trace: dict[str, Any]) -> object:
    if not isinstance(item, dict):
        return item
    return {**item, "trace": trace} if not isinstance(item.get("observations"), list) else item
