"""Azure API Management: rows of `ApiManagementGatewayLlmLog`, as table rows or as diagnostic records.

A call writes several rows that share a CorrelationId; tokens stand only on SequenceNumber 0, the others hold pieces of messages and are no requests.
A request that is sent again, or to several backends, is several calls, each with a RequestId of its own. `ModelName` is the model, `DeploymentName`
what was asked for. Usage counts as OpenAI does; cached tokens stand only in diagnostic records (`promptCachedTokens`), not in the table, and
reasoning in neither, so that these are charged as plain input and output. For Claude the prompt count is exclusive of cached tokens. Records come as
rows (CSV, lines), in `records` (storage, Event Hub) or in the `tables` of a Log Analytics answer. Records of other categories are no requests.
Instants are ISO 8601 in UTC, but in a CSV file that the portal exports as Americans write them.
Source: learn.microsoft.com/azure/azure-monitor/reference/tables/apimanagementgatewayllmlog.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from pipelines.config.sources import RequestSource
from pipelines.records.conversions import TimeRule
from pipelines.records.layout import Paths
from pipelines.requests.conventions import own_total, rule_of
from pipelines.requests.format import Format
from pipelines.requests.formats import refuse_options
from pipelines.requests.formats._containers import listed, marks_of, tables
from pipelines.requests.formats._envelope import ASKED

_PORTAL_TIMES = ("%m/%d/%Y, %I:%M:%S%.f %p", "%m/%d/%Y %I:%M:%S%.f %p", "%Y-%m-%dT%H:%M:%S%.fZ")


def _either(name: str) -> Paths:
    """A column of the table, or the property of a diagnostic record, whose names start in lower case."""
    return (name, f"properties/{name[0].lower()}{name[1:]}", f"properties/{name}")


def build(source: RequestSource) -> Format:
    """The format; it has no options."""
    refuse_options(source)
    return Format(
        name="azure_apim",
        version="5",
        text={
            "source_request_id": (*_either("CorrelationId"), "correlationId"),
            "attempt": (*_either("RequestId"), "requestId"),
            "request_model": (*_either("DeploymentName"), *_either("ModelName"), *ASKED),
            "response_model": _either("ModelName"),
            "region": (*_either("Region"), "location"),
            "team": (*_either("ApimSubscriptionId"), "apimSubscriptionId"),
            "category": ("category", "Category", "Type"),
            "operation_name": (*_either("OperationName"), "operationName"),
            "portal_time": ("TimeGenerated [UTC]",),
        },
        usage={
            "input": _either("PromptTokens"),
            "output": _either("CompletionTokens"),
            "total": _either("TotalTokens"),
            "cache_read": _either("PromptCachedTokens"),
        },
        integers={"sequence": _either("SequenceNumber")},
        booleans={"is_stream": _either("IsStreamCompletion")},
        instants={"event_at": ("TimeGenerated", "time", "Time")},
        tags={"request_id": _either("RequestId")},
        constants={"provider_id": "azure"},
        time=TimeRule("iso"),
        identity=("source_request_id", "attempt_id"),
        call_ids=("attempt", "source_request_id"),
        items=lambda: records,
        marks=marks_of("records", "tables"),
        derive=_derive,
    )


def _derive() -> Mapping[str, pl.Expr]:
    piece = (pl.col("sequence") > 0).fill_null(value=False)
    kind = pl.col("category").str.to_lowercase()
    other = (kind.is_not_null() & ~kind.str.contains("llm")).fill_null(value=False)
    apart = (pl.col("usage.cache_read") > pl.col("usage.input")).fill_null(value=False)
    plain = pl.when(apart).then(pl.lit("anthropic_exclusive")).otherwise(pl.lit("openai_inclusive"))
    rule = rule_of("azure_apim", plain)
    portal_time = pl.col("portal_time").str.strip_chars()
    embeds = pl.col("operation_name").str.contains("(?i)embed")
    return {
        # A record without the id of its attempt is the call by its correlation alone.
        "attempt_id": pl.col("attempt").fill_null(""),
        "event_at": pl.coalesce("event_at", *(_utc(portal_time, pattern) for pattern in _PORTAL_TIMES)),
        "operation": pl.when(embeds).then(pl.lit("embeddings")),
        "token_semantics": rule,
        "usage.total": own_total(rule),
        "not_a_request": pl.when(other)
        .then(pl.lit("a record of another category than GatewayLlmLogs"))
        .when(piece)
        .then(pl.lit("a piece of a message: tokens stand on SequenceNumber 0")),
    }


def _utc(text: pl.Expr, pattern: str) -> pl.Expr:
    return text.str.to_datetime(pattern, time_unit="us", strict=False).dt.replace_time_zone("UTC")


def records(value: object) -> Iterable[object]:
    """The records of a container; any other value as it is."""
    held = listed(value, ("records",))
    if held is None:
        held = tables(value)
    return [value] if held is None else held
