"""Amazon Bedrock Converse answers, one per line; of ConverseStream, the `metadata` event.

`inputTokens` is what neither read nor wrote a cache, the total is the sum of input, output and both cache counts; of
OpenAI's models it holds the cache, and the total adds it again (`conventions.py`);
`cacheDetails` split what was written by time to live. The answer names no model and no instant (a prompt router names the one that it asked): the envelope's
`modelId` (or `defaults: {model: ...}`) and `timestamp` count, or the date header of `ResponseMetadata`.
Source: docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from pipelines.config.sources import RequestSource
from pipelines.records.conversions import TimeRule
from pipelines.records.json_record import Number
from pipelines.requests.conventions import own_total, rule_of
from pipelines.requests.format import Format
from pipelines.requests.formats._envelope import BATCH_MARK, BATCH_RECORD, Envelope, of_bedrocks_batch

_BODIES = ("response", "metadata", "body")


def build(source: RequestSource) -> Format:
    """The format; options `body` and `timestamp`."""
    at = Envelope(source, _BODIES)
    meta = "ResponseMetadata"
    return Format(
        name="bedrock_converse",
        version="7",
        text={
            "source_request_id": (*at.outer("requestId", "request_id"), *at.body(f"{meta}/RequestId")),
            "request_model": at.model(),
            "response_model": at.body("trace/promptRouter/invokedModelId"),
            "batch_record": (BATCH_RECORD,),
            "region": at.outer("region"),
            "service_tier": at.body("serviceTier/type"),
            "latency": at.body("performanceConfig/latency"),
            "finish_reason": at.body("stopReason"),
            "session_id": at.outer("session_id"),
        },
        usage={
            "input": at.body("usage/inputTokens"),
            "output": at.body("usage/outputTokens"),
            "total": at.body("usage/totalTokens"),
            "cache_read": at.body("usage/cacheReadInputTokens", "usage/cacheReadInputTokenCount"),
            "cache_write": at.body("usage/cacheWriteInputTokens", "usage/cacheWriteInputTokenCount"),
            "cache_write_5m": at.body("usage/written/5m"),
            "cache_write_1h": at.body("usage/written/1h"),
        },
        integers={"http_status": at.body(f"{meta}/HTTPStatusCode")},
        numbers={"latency_ms": at.body("metrics/latencyMs")},
        instants={"event_at": at.instant(f"{meta}/HTTPHeaders/date")},
        constants={"provider_id": "aws.bedrock"},
        bodies=at.bodies,
        time=TimeRule("iso", epoch="epoch"),
        semantics="anthropic_exclusive",
        keep="stream_delta",
        trusts_total=True,
        items=lambda: at.opened(lambda value: by_time_to_live(of_bedrocks_batch(value))),
        read_by_items=at.body("usage/cacheDetails"),
        maybe_objects=at.body("trace", "trace/promptRouter"),
        marks=(BATCH_MARK, '"cacheDetails"', '"serviceTier":"', '"serviceTier": "', *at.marks),
        derive=_derive,
    )


def _derive() -> Mapping[str, pl.Expr]:
    counted = pl.col("usage.input").is_not_null() | pl.col("usage.output").is_not_null()
    rule = rule_of("bedrock_converse", pl.lit("anthropic_exclusive"))
    return {
        "token_semantics": rule,
        "usage.total": own_total(rule),
        "service_tier": pl.when(pl.col("batch_record").is_not_null()).then(pl.lit("batch")).otherwise(served_tier()),
        "not_a_request": pl.when(~counted & pl.col("source_request_id").is_null()).then(
            pl.lit("the record has neither a request id nor usage")
        ),
    }


def served_tier() -> pl.Expr:
    """The tier, as the answer resolved it; latency that was optimised has a price of its own, whatever the tier."""
    latency = pl.col("latency").str.to_lowercase()
    optimised = pl.when(latency == "optimized").then(latency)
    return pl.coalesce(optimised, pl.col("service_tier").str.to_lowercase(), latency)


def by_time_to_live(value: object) -> Iterable[object]:
    """The value with `cacheDetails` as an object of time to live to tokens written, and its tier as the answer holds it."""
    if not isinstance(value, dict):
        return [value]
    opened = {key: next(iter(by_time_to_live(item))) if key in _BODIES else item for key, item in value.items()}
    if isinstance(tier := value.get("serviceTier"), str) and not tier.lstrip().startswith("{"):
        opened["serviceTier"] = {"type": tier}
    usage = value.get("usage")
    details = usage.get("cacheDetails") if isinstance(usage, dict) else None
    if not isinstance(usage, dict) or not isinstance(details, list):
        return [opened]
    return [{**opened, "usage": {**usage, "written": written(details)}}]


def written(details: list[object]) -> dict[str, Number]:
    """Tokens written to a cache by time to live, of a list of {ttl, inputTokens}."""
    counts: dict[str, int] = {}
    for detail in details:
        if isinstance(detail, dict) and str(detail.get("inputTokens", "")).isdigit():
            ttl = str(detail.get("ttl"))
            counts[ttl] = counts.get(ttl, 0) + int(detail["inputTokens"])
    return {ttl: Number(count) for ttl, count in counts.items()}
