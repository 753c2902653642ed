"""Amazon Bedrock model invocation logs (CloudWatch or S3), one JSON object per call.

`inputTokenCount` is what neither read nor wrote a cache; cache counts stand apart from it, as Anthropic counts (of OpenAI's
models they stand inside, see `conventions.py`). The
bodies of request and answer are in the log too; of them only the usage is read, where the record itself states no count, and for the
times to live of what was written to a cache, only where it adds up to the count. A reranking states no counts: its searches are worked out from how many documents
it was asked about, 100 to a search (`estimated`, for Amazon also splits documents of more than 512 tokens). `modelId` may be an ARN, an inference profile
or carry a region prefix that changes the price: it is kept as logged, and `inferenceRegion` is the region that
answered (also a tag, because a region in the name decides the price and goes before it). A call with `errorCode` is not billable. Instants are ISO 8601 in UTC.
A record is a line (S3), or stands in `Records`, or as a text in the log events of CloudWatch (`logEvents` of a subscription,
`events` of a search, `results` of a Logs Insights query that shows `@message`); concatenated batches of a subscription need a line break between them.
Source: docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from pipelines.config.sources import RequestSource
from pipelines.records.conversions import TimeRule
from pipelines.records.json_record import Number, object_of
from pipelines.records.layout import Paths
from pipelines.requests.conventions import rule_of
from pipelines.requests.format import Format
from pipelines.requests.formats import refuse_options
from pipelines.requests.formats._containers import listed, marks_of, messages
from pipelines.requests.formats._envelope import ASKED, answers
from pipelines.requests.formats._shipped import MARKS, unshipped
from pipelines.requests.formats.bedrock_converse import served_tier, written

_DOCUMENTS = 100
"""What one search ranks (aws.amazon.com/bedrock/pricing)."""


_BODY = "output/outputBodyJson"
_METRICS = "amazon-bedrock-invocationMetrics"
"""What the last piece of a stream counts."""
_IN = ("usage/input_tokens", "usage/inputTokens", "usage/prompt_tokens", "prompt_token_count", "inputTextTokenCount")
_OUT = ("usage/output_tokens", "usage/outputTokens", "usage/completion_tokens", "generation_token_count")
_READ = (
    "usage/cache_read_input_tokens",
    "usage/cacheReadInputTokens",
    "usage/cacheReadInputTokenCount",
    "usage/prompt_tokens_details/cached_tokens",
)
_NAMES_WRITTEN = ("cache_creation_input_tokens", "cacheWriteInputTokens", "cacheWriteInputTokenCount")
_WRITTEN = tuple(f"usage/{name}" for name in _NAMES_WRITTEN)


def _of_body(*names: str) -> Paths:
    return tuple(f"{_BODY}/{name}" for name in names)


def build(source: RequestSource) -> Format:
    """The format; it has no options."""
    refuse_options(source)
    return Format(
        name="bedrock_invocation",
        version="8",
        text={
            "source_request_id": ("requestId",),
            "answer_id": ("answer_id", f"{_BODY}/id"),
            "request_model": ("modelId", *ASKED),
            "response_model": (),
            "logged_operation": ("operation",),
            "region": ("inferenceRegion", "region"),
            "end_user_id": ("identity/arn",),
            "error": ("errorCode",),
            "schema": ("schemaType",),
            "service_tier": ("served/tier",),
            "latency": ("served/latency",),
            "team": ("requestMetadata/team",),
            "project": ("requestMetadata/project",),
            "application": ("requestMetadata/application",),
            "environment": ("requestMetadata/environment",),
        },
        usage={
            "input": ("input/inputTokenCount", "counted/input", *_of_body(*_IN)),
            "output": ("output/outputTokenCount", "counted/output", *_of_body(*_OUT)),
            "cache_read": ("input/cacheReadInputTokenCount", "counted/cache_read", *_of_body(*_READ)),
            "cache_write": ("input/cacheWriteInputTokenCount", "counted/cache_write", *_of_body(*_WRITTEN)),
            "cache_write_5m": ("written/5m",),
            "cache_write_1h": ("written/1h",),
        },
        integers={"rerank_search_count": ("searches",)},
        instants={"event_at": ("timestamp",)},
        call_ids=("source_request_id", "answer_id"),
        tags={"account": ("accountId",), "logged_region": ("region",), "inference_region": ("inferenceRegion",)},
        constants={"provider_id": "aws.bedrock"},
        time=TimeRule("iso", epoch="epoch"),
        semantics="anthropic_exclusive",
        items=lambda: records,
        marks=(
            *marks_of("Records", "records", "logEvents", "events", "results"),
            '"cacheDetails"',
            '"ephemeral_1h_input_tokens"',
            '"serviceTier"',
            '"performanceConfig"',
            "rerank",
            f'"{_METRICS}"',
            *MARKS,
        ),
        maybe_objects=(_BODY, f"{_BODY}/usage"),
        derive=_derive,
    )


def _derive() -> Mapping[str, pl.Expr]:
    status = pl.when(pl.col("error").is_not_null()).then(pl.lit("error")).otherwise(pl.lit("ok"))
    stream = pl.col("logged_operation").str.contains("Stream")
    other = pl.col("schema").is_not_null() & (pl.col("schema") != "ModelInvocationLog")
    event = pl.col("source_request_id").is_null() & pl.col("request_model").is_null()
    return {
        "is_estimated": pl.col("rerank_search_count").is_not_null(),
        "token_semantics": rule_of("bedrock_invocation", pl.lit("anthropic_exclusive")),
        "service_tier": served_tier(),
        "status": status,
        "is_stream": stream,
        "not_a_request": pl.when(other.fill_null(value=False))
        .then(pl.lit("the schemaType is not ModelInvocationLog"))
        .when(event)
        .then(pl.lit("a record with neither requestId nor modelId: no invocation")),
    }


def records(value: object) -> Iterable[object]:
    """The records of a container, without what a log service put around each; any other value as it is."""
    held = messages(value)
    if held is None:
        held = listed(value, ("Records", "records"))
    return [with_written(record) for item in ([value] if held is None else held) for record in unshipped(item)]


def with_written(record: object) -> object:
    """The record with what its answer says, streamed or not, of tier and latency, of what was written to a cache by time to live, and
    with the searches of a reranking."""
    if not isinstance(record, dict):
        return record
    output, counts = record.get("output"), record.get("input")
    body = output.get("outputBodyJson") if isinstance(output, dict) else None
    total = str(counts.get("cacheWriteInputTokenCount") or "") if isinstance(counts, dict) else ""
    found: dict[str, Any] = {} if (searches := _searches(record)) is None else {"searches": Number(str(searches))}
    served: dict[str, Any] = {}
    if metrics := _metrics(body):
        found["counted"] = metrics
    if isinstance(body, list) and (message := next((object_of(piece).get("message") for piece in body), None)):
        found["answer_id"] = object_of(message).get("id")
    for piece in body if isinstance(body, list) else [body]:
        for _, holder in answers(piece, ("", "message", "metadata")):
            served |= {key: said for key, said in _served(holder).items() if said is not None}
            lives = _written(holder.get("usage"))
            if lives and str(sum(map(int, lives.values()))) == (total or _total_written(holder["usage"])):
                found.setdefault("written", lives)
    return {**record, **found, **({"served": served} if served else {})}


def _total_written(usage: Mapping[str, Any]) -> str:
    return str(next((usage[name] for name in _NAMES_WRITTEN if name in usage), ""))


def _metrics(body: object) -> dict[str, Any]:
    """What the last piece of a stream counts; empty where none does."""
    pieces = [piece for piece in body if isinstance(piece, dict)] if isinstance(body, list) else []
    counts: dict[str, Any] = next(
        (piece[_METRICS] for piece in reversed(pieces) if isinstance(piece.get(_METRICS), dict)), {}
    )
    names = {
        "input": "inputTokenCount", "output": "outputTokenCount",
        "cache_read": "cacheReadInputTokenCount", "cache_write": "cacheWriteInputTokenCount",
    }  # fmt: skip
    return {ours: counts[theirs] for ours, theirs in names.items() if theirs in counts}


def _searches(record: Mapping[str, Any]) -> int | None:
    """The searches of a reranking, one where its request was not logged; None for any other call."""
    if "rerank" not in str(record.get("modelId")):
        return None
    asked = record.get("input")
    body = asked.get("inputBodyJson") if isinstance(asked, dict) else None
    documents = body.get("documents") if isinstance(body, dict) else None
    return max(1, -(-len(documents) // _DOCUMENTS)) if isinstance(documents, list) else 1


def _served(holder: Mapping[str, Any]) -> dict[str, str | None]:
    """Tier and latency of Converse's answer."""
    stated = {"tier": ("serviceTier", "type"), "latency": ("performanceConfig", "latency")}
    held = {name: (holder.get(outer), inner) for name, (outer, inner) in stated.items()}
    texts = {name: value.get(inner) if isinstance(value, dict) else None for name, (value, inner) in held.items()}
    return {name: text if isinstance(text, str) else None for name, text in texts.items()}


def _written(usage: object) -> dict[str, Number]:
    """By time to live, of Anthropic's or Converse's usage."""
    if not isinstance(usage, dict):
        return {}
    if isinstance(details := usage.get("cacheDetails"), list):
        return written(details)
    created = usage.get("cache_creation")
    counts = created if isinstance(created, dict) else {}
    named = {ttl: str(counts.get(f"ephemeral_{ttl}_input_tokens", "")) for ttl in ("5m", "1h")}
    return {ttl: Number(count) for ttl, count in named.items() if count.isdigit()}
