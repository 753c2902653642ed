"""LiteLLM: `StandardLoggingPayload` as its callbacks write it (S3, GCS, webhook), one object per call.

Usage is normalised as OpenAI counts it; details are in `metadata.usage_object`. Instants are seconds since 1970
with a fraction. `cache_hit` true is an answer from the proxy's own cache, which costs nothing; a failed call has
`response_cost` 0 and is not billable. Messages and response are in the payload too; of them only search units and pages are read.
Source: StandardLoggingPayload in litellm/types/utils.py of github.com/BerriAI/litellm.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pipelines.config.sources import RequestSource
from pipelines.records.conversions import TimeRule
from pipelines.requests.format import Format
from pipelines.requests.formats import litellm_spend_logs, refuse_options
from pipelines.requests.formats._envelope import ASKED
from pipelines.requests.formats._shipped import MARKS, unshipped
from pipelines.requests.formats.litellm_spend_logs import SERVED


def build(source: RequestSource) -> Format:
    """The format; it has no options."""
    refuse_options(source)
    return Format(
        name="litellm_payload",
        version="8",
        text={
            "source_request_id": ("id", "litellm_call_id"),
            "call_id": ("litellm_call_id",),
            "session_id": ("session_id", "trace_id"),
            "call_type": ("call_type",),
            "provider_id": ("custom_llm_provider",),
            "model_group": ("model_group", *ASKED),
            "response_model": ("model",),
            "team": ("metadata/user_api_key_team_alias", "metadata/user_api_key_team_id"),
            "project": ("metadata/user_api_key_project_id",),
            "end_user_id": ("end_user", "metadata/user_api_key_end_user_id", "metadata/user_api_key_user_id"),
            "service_tier": ("cost_breakdown/service_tier", *SERVED["service_tier"]),
            "region": ("cost_breakdown/data_residency", *SERVED["region"]),
            "speed": SERVED["speed"],
            "logged_status": ("status",),
        },
        usage=litellm_spend_logs.USAGE,
        integers={
            "web_search_count": litellm_spend_logs.SEARCHES,
            **litellm_spend_logs.ALONE,
            **litellm_spend_logs.ANSWERED,
        },
        instants={"event_at": ("startTime",), "ended_at": ("endTime",), "first_at": ("completionStartTime",)},
        booleans={"cache_hit": ("cache_hit",), "is_stream": ("stream",)},
        money={"reported_cost_usd": ("response_cost",)},
        tags={
            "api_key": ("metadata/user_api_key_hash",),
            "organization": ("metadata/user_api_key_org_id",),
            "request_tags": ("request_tags[]",),
        },
        time=TimeRule("iso", epoch="epoch"),
        call_ids=("source_request_id", "call_id"),
        items=lambda: unshipped,
        marks=MARKS,
        maybe_objects=("response",),
        derive=_derive,
    )


def _derive() -> Mapping[str, pl.Expr]:
    derived = dict(litellm_spend_logs.timing())
    hit = pl.col("cache_hit").fill_null(value=False)
    failed = (pl.col("logged_status") == "failure").fill_null(value=False)
    return derived | {
        **litellm_spend_logs.counted(),
        "operation": pl.col("call_type").replace(litellm_spend_logs.OPERATIONS),
        "request_model": pl.coalesce("model_group", "response_model"),
        "service_tier": litellm_spend_logs.served_tier(),
        "status": pl.when(hit).then(pl.lit("cache_hit")).when(failed).then(pl.lit("error")).otherwise(pl.lit("ok")),
        "is_stream": pl.col("is_stream"),
    }
