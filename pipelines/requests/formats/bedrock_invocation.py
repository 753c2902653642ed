"""Amazon Bedrock model invocation logs (CloudWatch or S3), one JSON object per call.

`inputTokenCount` is what neither read nor wrote a cache; cache counts stand beside it, as Anthropic counts. The
bodies of request and answer are in the log too and are never read. `modelId` may be an ARN, an inference profile
or carry a region prefix that changes the price: it is kept as logged, and `inferenceRegion` is the region that
answered. A call with `errorCode` is not billable. Instants are ISO 8601 in UTC.
A record is a line (S3), or stands in `Records`, or as a text in the log events of CloudWatch (`logEvents` of a subscription,
`events` of a search, `results` of a Logs Insights query that shows `@message`); concatenated batches of a subscription need a line break between them.
Source: docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from pipelines.config.sources import RequestSource
from pipelines.requests.format import Format
from pipelines.requests.formats import refuse_options
from pipelines.requests.formats._containers import listed, marks_of, messages
from pipelines.requests.typed import TimeRule


def build(source: RequestSource) -> Format:
    """The format; it has no options."""
    refuse_options(source)
    return Format(
        name="bedrock_invocation",
        version="2",
        text={
            "source_request_id": ("requestId",),
            "request_model": ("modelId",),
            "logged_operation": ("operation",),
            "region": ("inferenceRegion", "region"),
            "end_user_id": ("identity/arn",),
            "error": ("errorCode",),
            "schema": ("schemaType",),
            "team": ("requestMetadata/team",),
            "project": ("requestMetadata/project",),
            "application": ("requestMetadata/application",),
            "environment": ("requestMetadata/environment",),
        },
        usage={
            "input": ("input/inputTokenCount",),
            "output": ("output/outputTokenCount",),
            "cache_read": ("input/cacheReadInputTokenCount",),
            "cache_write": ("input/cacheWriteInputTokenCount",),
        },
        instants={"event_at": ("timestamp",)},
        tags={"account": ("accountId",), "logged_region": ("region",)},
        constants={"provider_id": "aws.bedrock"},
        time=TimeRule("iso", epoch="epoch"),
        semantics="anthropic_exclusive",
        items=lambda: records,
        marks=marks_of("Records", "records", "logEvents", "events", "results"),
        derive=_derive,
    )


def _derive() -> Mapping[str, pl.Expr]:
    status = pl.when(pl.col("error").is_not_null()).then(pl.lit("error")).otherwise(pl.lit("ok"))
    stream = pl.col("logged_operation").str.contains("Stream")
    other = pl.col("schema").is_not_null() & (pl.col("schema") != "ModelInvocationLog")
    event = pl.col("source_request_id").is_null() & pl.col("request_model").is_null()
    return {
        "status": status,
        "is_stream": stream,
        "not_a_request": pl.when(other.fill_null(value=False))
        .then(pl.lit("the schemaType is not ModelInvocationLog"))
        .when(event)
        .then(pl.lit("a record with neither requestId nor modelId: no invocation")),
    }


def records(value: object) -> Iterable[object]:
    """The records of a container; any other value as it is."""
    held = messages(value)
    if held is None:
        held = listed(value, ("Records", "records"))
    return [value] if held is None else held
