"""OpenTelemetry GenAI client spans: OTLP JSON containers, traces of Jaeger and Tempo (`_otel_containers.py`), and flattened spans, one per line.

Attribute names of every age are read: `gen_ai.provider.name` and `gen_ai.system`, `gen_ai.usage.input_tokens`
and `prompt_tokens`, `cache_read.input_tokens`, `cache_read_input_tokens` and `input_tokens.cached`; OpenInference's
(`llm.token_count.prompt`, `llm.model_name`) as well. Spans also come as nested objects, as flat columns
(`attributes.gen_ai.system`, `gen_ai_usage_input_tokens`) and as rows of ClickHouse's `otel_traces`. By the
convention the input count contains cached and written tokens and the output count contains reasoning; an
emitter that breaks this stands in `pipelines.requests.conventions`, or is named in `options.emitters` (instrumentation
scope, `*` for any text, to a rule of `pipelines.requests.semantics`). The emitter is kept as tag `emitter`, the rule in `token_semantics`. Spans of
agents, tools and retrieval repeat the usage of the calls below them and are no requests. Where an emitter's own total
holds the cached tokens apart from input and output, they are counted apart from input. Log events of coding agents
(`resourceLogs`) are read in `_otel_events.py`. A failed span is billable where it reports usage. Instants count nanoseconds since 1970 in OTLP, flattened ones may be ISO 8601.
Source: open-telemetry/semantic-conventions-genai, docs/gen-ai; OTLP JSON encoding of opentelemetry-proto.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache, partial

import polars as pl

from pipelines.config.mistakes import accepted_are
from pipelines.config.sources import RequestSource
from pipelines.records.conversions import TimeRule
from pipelines.records.layout import Paths, SourceError
from pipelines.requests.conventions import model, own_total, rule_of
from pipelines.requests.format import Format
from pipelines.requests.formats import _otel_exports, refuse_options
from pipelines.requests.formats._otel_containers import MARKS as CONTAINER_MARKS
from pipelines.requests.formats._otel_containers import contained, flat_span
from pipelines.requests.formats._otel_names import MARKS, canonical, plain_name, underscored
from pipelines.requests.semantics import RULES, measure, openai_variant

_USAGE = "gen_ai.usage."
NO_REQUESTS = (
    "create_agent",
    "invoke_agent",
    "invoke_workflow",
    "execute_tool",
    "retrieval",
    "plan",
    "embeddings_query",
)
"""Operations whose spans are no call to a model: they contain such calls, or are tools."""
VERCEL_OUTER = r"^ai\.[A-Za-z]+$"
"""Names of the AI SDK's spans around its calls (`ai.generateText`, `ai.embed`), which repeat their usage; a call's own ends in
`.doGenerate`, `.doStream` or `.doEmbed`. Source: ai-sdk.dev, "Telemetry"."""


@cache
def _known() -> dict[str, str]:
    """Names of flat spans, by how databases write them that know no dots."""
    paths = build(RequestSource(source="otel", format="otel_genai")).paths
    return {underscored(path): path for path in paths if "/" not in path and not path.endswith("[]")}


def _attribute(*names: str) -> Paths:
    """An attribute of the span: under `attributes`, or at the top level of a flattened span."""
    return (*(f"attributes/{name}" for name in names), *names)


def _usage(*names: str) -> Paths:
    return _attribute(*(_USAGE + name for name in names))


def _vercel(*fields: str) -> Paths:
    """A field of what Vercel's AI SDK repeats of the provider's own answer, as JSON text."""
    return _attribute(*(f"ai.response.providerMetadata/{field}" for field in fields))


def _of_google(name: str) -> tuple[str, ...]:
    """A count of Google's own usage in there."""
    return tuple(f"{seller}/usageMetadata/{name}" for seller in ("google", "vertex"))


def _written(ttl: str) -> Paths:
    """Tokens written to a cache for `ttl` (5m, 1h), under the names of Anthropic's SDK, Pydantic AI and others, Vercel's AI SDK."""
    name = f"ephemeral_{ttl}_input_tokens"
    return (
        *_attribute(f"anthropic.usage.cache_creation.{name}", f"gen_ai.anthropic.usage.cache_creation.{name}"),
        *_usage(f"details.{name}", f"details.cache_creation.{name}", f"cache_creation.{name}", name),
        *_usage(f"cache_creation.{ttl}.input_tokens", f"cache_write.{ttl}.input_tokens", f"input_token_details.{name}"),
        *_attribute(f"llm.usage.cache_creation.{name}", f"llm.token_count.prompt_details.cache_write.{name}"),
        *_vercel(f"anthropic/usage/cache_creation/{name}"),
    )


_TEXT: dict[str, Paths] = {
    "trace_id": ("trace_id", "traceId", "context/trace_id", "trace.trace_id"),
    "span_id": ("span_id", "spanId", "context/span_id", "trace.span_id"),
    "parent_id": (
        "parent_span_id", "parentSpanId", "parent_id", "trace.parent_id", "parentId", "context/parent_id", "context/parent_span_id",
    ),
    "answer_id": _attribute("gen_ai.response.id", "ai.response.id", "llm.response.id"),
    "call_id": _attribute(
        "anthropic.request.id", "aws.request_id", "aws.request.id", "aws.requestId", "gen_ai.request.id", "litellm.call_id",
    ),
    "source_request_id": (*_attribute("gen_ai.response.id", "ai.response.id"), "span_id", "spanId", "context/span_id"),
    "session_id": (
        *_attribute("gen_ai.conversation.id", "session.id", "gen_ai.session.id"),
        "trace_id", "traceId", "context/trace_id",
    ),
    "logged_operation": _attribute("gen_ai.operation.name", "llm.request.type"),
    "vercel_operation": _attribute("ai.operationId"),
    "provider_id": _attribute("gen_ai.provider.name", "gen_ai.system", "ai.model.provider"),
    "request_model": _attribute("gen_ai.request.model", "gen_ai.response.model", "ai.model.id"),
    "response_model": _attribute("gen_ai.response.model"),
    "team": _attribute("team", "team.name"),
    "environment": (
        "resource/attributes/deployment.environment.name", "resource/attributes/deployment.environment",
        *_attribute("deployment.environment.name", "deployment.environment"),
    ),
    "application": ("resource/attributes/service.name", *_attribute("service.name"), "service_name"),
    "end_user_id": _attribute("enduser.id", "user.id"),
    "service_tier": _attribute(
        "openai.response.service_tier", "gen_ai.openai.response.service_tier", "gen_ai.response.service_tier",
    )
    + _vercel("openai/serviceTier", "azure/serviceTier", "anthropic/usage/service_tier")
    + _vercel(*(f"{seller}/usageMetadata/{name}" for seller in ("google", "vertex") for name in ("trafficType", "serviceTier"))),
    "speed": _vercel("anthropic/usage/speed"),
    "region": (*_vercel("anthropic/usage/inference_geo"), *_attribute("cloud.region", "aws.region")),
    "vercel_details": _attribute("ai.usage.inputTokenDetails.noCacheTokens", "ai.usage.inputTokenDetails.cacheReadTokens"),
    "error_type": _attribute("error.type"),
    "declared": ("attributes/modelmeter.semantics",),
    "status_code": ("status/code", "status/status_code", "status_code"),
    "emitter": ("scope/name", "instrumentation_scope/name", "scope_name", *_attribute("otel.scope.name")),
}  # fmt: skip
_MEASURES: dict[str, Paths] = {
    "input": _attribute("ai.usage.inputTokens")
    + _usage("input_tokens", "prompt_tokens")
    + _attribute("llm.usage.prompt_tokens", "ai.usage.promptTokens", "ai.usage.tokens", "gen_ai.response.prompt_tokens"),
    "output": _usage("output_tokens", "completion_tokens")
    + _attribute("llm.usage.completion_tokens", "ai.usage.outputTokens", "ai.usage.completionTokens", "gen_ai.response.completion_tokens"),
    "total": (*_usage("total_tokens"), *_attribute("llm.usage.total_tokens")),
    "cache_read": _usage(
        "cache_read.input_tokens", "cache_read_input_tokens", "input_tokens.cached", "details.cached_tokens",
        "details.cache_read_tokens", "details.cache_read_input_tokens", "input_cached_tokens", "cache_read_tokens",
        "input_tokens.cache_read", "experimental.cached_content_tokens", "input_token_details.cache_read",
        "prompt_tokens_details.cached_tokens", "input_tokens_details.cached_tokens", "prompt_tokens_details.cache_read",
        "input_tokens_details.cached", "cached_input_tokens", "cached_tokens", "input_cache_read_tokens",
    )
    + _attribute("ai.usage.cachedInputTokens", "ai.usage.inputTokenDetails.cacheReadTokens", "llm.usage.cache_read_input_tokens")
    + _vercel("openai/cachedPromptTokens", "azure/cachedPromptTokens", "anthropic/usage/cache_read_input_tokens",
        "anthropic/cacheReadInputTokens", "bedrock/usage/cacheReadInputTokens", "deepseek/promptCacheHitTokens",
        "openrouter/usage/promptTokensDetails/cachedTokens", *_of_google("cachedContentTokenCount")),
    "cache_write": _usage(
        "cache_write.input_tokens", "cache_creation.input_tokens", "cache_creation_input_tokens",
        "input_tokens.cache_write", "cache_write_input_tokens", "cache_write_tokens", "cache_creation_tokens",
        "details.cache_write_tokens", "details.cache_creation_input_tokens", "input_tokens.cache_creation",
        "input_token_details.cache_creation", "input_cache_creation", "input_cache_write_tokens", "prompt_tokens_details.cache_write",
    )
    + _attribute("ai.usage.inputTokenDetails.cacheWriteTokens", "llm.usage.cache_creation_input_tokens")
    + _vercel("anthropic/cacheCreationInputTokens", "bedrock/usage/cacheWriteInputTokens"),
    "cache_write_5m": _written("5m"),
    "cache_write_1h": _written("1h"),
    "reasoning": _usage("reasoning.output_tokens", "reasoning_tokens", "output_tokens.reasoning", "details.reasoning_tokens", "thoughts_tokens",
        "experimental.reasoning_tokens", "output_token_details.reasoning", "output_reasoning_tokens",
        "completion_tokens_details.reasoning_tokens", "output_tokens_details.reasoning_tokens", "completion_tokens_details.reasoning",
        "output_tokens_details.reasoning", "reasoning_output_tokens")
    + _attribute("ai.usage.outputTokenDetails.reasoningTokens", "ai.usage.reasoningTokens", "llm.usage.reasoning_tokens")
    + _vercel("openai/reasoningTokens", "azure/reasoningTokens", *_of_google("thoughtsTokenCount")),
    "input_tool": _usage("tool.input_tokens"),
    "input_audio_cache_read": _usage("audio.cache_read.input_tokens", "details.cache_audio_read_tokens"),
    "input_image_cache_read": _usage("image.cache_read.input_tokens"),
    "input_audio": _usage("audio.input_tokens", "details.input_audio_tokens", "experimental.input_audio_tokens", "input_token_details.audio",
        "input_token_details.audio_tokens", "input_audio_tokens", "input_tokens.audio", "prompt_tokens_details.audio_tokens"),
    "input_image": _usage("image.input_tokens", "experimental.input_image_tokens", "input_image_tokens"),
    "input_video": _usage("experimental.input_video_tokens"),
    "output_audio": _usage("audio.output_tokens", "details.output_audio_tokens", "experimental.output_audio_tokens", "output_token_details.audio",
        "output_audio_tokens", "completion_tokens_details.audio", "completion_tokens_details.audio_tokens"),
    "output_image": _usage("image.output_tokens", "experimental.output_image_tokens", "output_image_tokens"),
}  # fmt: skip


def build(source: RequestSource) -> Format:
    """The format. Option `emitters`: instrumentation scope to semantics rule. Raises SourceError."""
    refuse_options(source, ("emitters",))
    emitters = _emitters(source)
    return Format(
        name="otel_genai",
        version="17",
        text=_TEXT,
        usage=_MEASURES,
        integers={
            "http_status": _attribute("http.response.status_code", "http.status_code"),
            "thoughts_apart": _usage("experimental.reasoning_tokens"),
            "candidates": _vercel(*_of_google("candidatesTokenCount")),
            "vercel_total": _attribute("ai.usage.totalTokens"),
            "web_search_count": _usage("web_search_requests", "server_tool_use.web_search_requests", "details.web_search_requests")
            + _vercel("anthropic/usage/server_tool_use/web_search_requests"),
        },
        numbers={
            "first_chunk_s": _attribute("gen_ai.response.time_to_first_chunk", "gen_ai.server.time_to_first_token"),
            "duration_ms": ("duration_ms",),
        },
        booleans={"is_stream": _attribute("gen_ai.request.stream", "llm.is_streaming", "gen_ai.is_streaming", "gen_ai.request.is_stream")},
        instants={
            "event_at": ("start_time_unix_nano", "startTimeUnixNano", "start_time", "startTime", "start_timestamp", "Timestamp"),
            "ended_at": ("end_time_unix_nano", "endTimeUnixNano", "end_time", "endTime"),
        },
        money={"reported_cost_usd": (*_usage("cost", "cost.amount", "total_cost"), *_attribute("gen_ai.cost.total_cost", "operation.cost"))},
        tags={
            "emitter": ("scope/name", "instrumentation_scope/name", "scope_name", *_attribute("otel.scope.name")),
            "emitter_version": ("scope/version", "instrumentation_scope/version", "scope_version"),
        },
        lists={"finish_reasons": tuple(f"{path}[]" for path in _attribute("gen_ai.response.finish_reasons"))},
        time=TimeRule("iso", epoch="epoch"),
        identity=("trace_id", "span_id"),
        call_ids=("answer_id", "call_id"),
        items=lambda: opened_spans,
        marks=(*CONTAINER_MARKS, *MARKS, *_otel_exports.MARKS),
        column_name=lambda name: _otel_exports.column_path(name) or plain_name(name, _known()),
        derive=partial(_derive, emitters),
    )  # fmt: skip


def _emitters(source: RequestSource) -> Mapping[str, str]:
    emitters = source.options.get("emitters", {})
    if not isinstance(emitters, dict):
        raise SourceError(
            source.source, ("options", "emitters"), f"found {emitters!r}, a map of scope to rule is accepted"
        )
    for scope, rule in emitters.items():
        if rule not in RULES:
            raise SourceError(
                source.source, ("options", "emitters", scope), f"no such rule {rule!r}; {accepted_are(rule, RULES)}"
            )
    return emitters


def _derive(emitters: Mapping[str, str]) -> Mapping[str, pl.Expr]:
    # Spans of Vercel's AI SDK often state no version; from 6 on they state the details.
    version = pl.coalesce("tag.emitter_version", pl.when(pl.col("vercel_details").is_not_null()).then(pl.lit("6")))
    # Google's Agent Development Kit puts the candidates of an answer as its output, which do not hold its thoughts.
    # Vercel's AI SDK before version 6 does so too, and its total, or Google's usage next to it, shows it.
    plain = measure("input") + measure("output")
    shown = (pl.col("vercel_total") == plain + measure("reasoning")) | (pl.col("candidates") == pl.col("usage.output"))
    shown = shown.fill_null(value=False) & (measure("reasoning") > 0)
    apart = pl.when(pl.col("thoughts_apart").is_not_null() | shown).then(pl.lit("openai_reasoning_apart"))
    rule = pl.coalesce("declared", apart, rule_of("otel_genai", openai_variant(model()), emitters, version=version))
    counts = [pl.col(f"usage.{name}").is_not_null() for name in ("input", "output", "total")]
    counted = pl.any_horizontal(counts)
    cancelled = pl.col("error_type").str.to_lowercase().str.contains("cancel").fill_null(value=False)
    code = pl.col("status_code").str.to_uppercase()
    failed = code.is_in(["2", "ERROR", "STATUS_CODE_ERROR"]).fill_null(value=False) | pl.col("error_type").is_not_null()
    status = pl.when(cancelled).then(pl.lit("cancelled")).when(failed).then(pl.lit("error")).otherwise(pl.lit("ok"))
    elapsed = (pl.col("ended_at") - pl.col("event_at")).dt.total_microseconds() / 1000
    vercel = pl.col("vercel_operation")
    operation = pl.coalesce(
        pl.col("logged_operation").replace({"completion": "text_completion", "embedding": "embeddings"}),
        pl.when(vercel.str.ends_with(".doEmbed")).then(pl.lit("embeddings")),
    )
    known = counted | pl.col("request_model").is_not_null()
    return {
        "trace_id": pl.col("trace_id").str.strip_prefix("0x").str.to_lowercase(),
        "span_id": pl.col("span_id").str.strip_prefix("0x").str.to_lowercase(),
        "parent_id": pl.col("parent_id").str.strip_prefix("0x").str.to_lowercase(),
        "operation": operation,
        "service_tier": pl.when(pl.col("speed") == "fast").then(pl.lit("fast")).otherwise(pl.col("service_tier")),
        # Strands names itself in place of the seller, which the model's name then shows.
        "provider_id": pl.when(pl.col("provider_id") != "strands-agents").then(pl.col("provider_id")),
        "token_semantics": rule,
        "usage.total": own_total(rule),
        "status": status,
        "is_billable": (status == "ok") | counted,
        "latency_ms": pl.coalesce("duration_ms", pl.when(elapsed >= 0).then(elapsed)),
        "ttft_ms": pl.col("first_chunk_s") * 1000,
        "finish_reason": pl.col("finish_reasons").str.json_path_match("$[0]"),
        "not_a_request": pl.when(operation.is_in(NO_REQUESTS))
        .then(pl.format("a span of operation {} is no call to a model", operation))
        .when(vercel.str.contains(VERCEL_OUTER))
        .then(pl.lit("a span of Vercel's AI SDK around the calls that it makes"))
        .when(~known)
        .then(pl.lit("the span has no GenAI attributes: neither a model nor usage")),
    }


def opened_spans(value: object) -> Iterable[object]:
    """The spans and log events of one JSON value, attributes as plain objects and under the convention's names."""
    if not isinstance(value, dict):
        return [value]
    if "start_timestamp" in value and "attributes" not in value and isinstance(value.get("data"), dict):  # Sentry's
        value = {**value, "attributes": value["data"]}
    if (exported := _otel_exports.plain(value)) is not None:
        return [canonical(span, _known()) for span in exported]
    held = contained(value)
    if held is None:
        return [canonical(flat_span(value), _known())]
    spans, events = held
    return [*(canonical(span, _known()) for span in spans), *events]
