"""Helicone: requests exported as JSONL or CSV (`@helicone/export`, the request query API).

Cached tokens have columns of their own. Whether `prompt_tokens` contains them depends on provider and version: option `semantics` names the rule;
without it Anthropic's models follow anthropic_exclusive, most others openai_inclusive (`conventions.py`). An answer from Helicone's own cache costs
nothing. Rows of ClickHouse's table `request_response_rmt`, which have `latency` and `organization_id` where the API has `delay_ms`, hold costs in
billionths of a dollar, as whole numbers. Instants are ISO 8601 in UTC.
Source: docs.helicone.ai, "Get requests"; HeliconeRequest and COST_PRECISION_MULTIPLIER of github.com/Helicone/helicone.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import partial

import polars as pl

from pipelines.config.sources import RequestSource
from pipelines.records.conversions import TimeRule
from pipelines.records.layout import SourceError
from pipelines.requests.conventions import model, rule_of
from pipelines.requests.format import Format
from pipelines.requests.formats import refuse_options
from pipelines.requests.formats._containers import marks_of, opened
from pipelines.requests.semantics import RULES, openai_variant


def build(source: RequestSource) -> Format:
    """The format; option `semantics`. Raises SourceError."""
    refuse_options(source, ("semantics",))
    rule = source.options.get("semantics")
    if rule is not None and rule not in RULES:
        raise SourceError(source.source, ("options", "semantics"), f"found {rule!r}, accepted: {', '.join(RULES)}")
    return Format(
        name="helicone",
        version="4",
        text={
            "source_request_id": ("request_id", "response_id"),
            "answer_id": ("response_id",),
            "provider_answer_id": ("response_body/id",),
            "session_id": ("request_properties/Helicone-Session-Id", "properties/Helicone-Session-Id"),
            "provider_id": ("provider",),
            "request_model": ("request_model", "model_override", "model"),
            "response_model": ("response_model", "model"),
            "end_user_id": ("request_user_id", "user_id"),
            "environment": ("request_properties/environment", "request_properties/Environment"),
            "application": ("request_properties/app", "request_properties/App"),
            "cached": ("cache_reference_id",),
            "organization": ("organization_id",),
        },
        usage={
            "input": ("prompt_tokens",),
            "output": ("completion_tokens",),
            "cache_read": ("prompt_cache_read_tokens",),
            "cache_write": ("prompt_cache_write_tokens",),
            "input_audio": ("prompt_audio_tokens",),
            "output_audio": ("completion_audio_tokens",),
            "reasoning": ("reasoning_tokens",),
        },
        integers={"http_status": ("response_status", "status")},
        numbers={"latency_ms": ("delay_ms",), "table_latency": ("latency",), "ttft_ms": ("time_to_first_token",)},
        booleans={"hit": ("cache_hit",)},
        instants={"event_at": ("request_created_at",)},
        money={"reported_cost_usd": ("cost", "costUSD", "cost_usd")},
        tags={"country": ("country_code",), "key": ("auth_hash",)},
        time=TimeRule("iso", epoch="epoch"),
        items=opened("data", "requests"),
        marks=marks_of("data", "requests"),
        maybe_objects=("response_body",),
        call_ids=("provider_answer_id", "source_request_id", "answer_id"),
        derive=partial(_derive, rule),
    )


_OF_A_ROW = Decimal("1e-9")
"""The unit of a cost in ClickHouse's table, in dollars."""
_NO_CACHE = ("", "00000000-0000-0000-0000-000000000000")


def _derive(rule: str | None) -> Mapping[str, pl.Expr]:
    hit = pl.col("hit").fill_null(value=False) | (~pl.col("cached").is_in(_NO_CACHE)).fill_null(value=False)
    counted = pl.col("usage.input").fill_null(0) + pl.col("usage.output").fill_null(0) > 0
    # Helicone writes -1 and -2 for calls that it cancelled or that never ended.
    failed = ((pl.col("http_status") >= 400) | (pl.col("http_status") < 0)).fill_null(value=False)
    status = pl.when(hit).then(pl.lit("cache_hit")).when(failed).then(pl.lit("error")).otherwise(pl.lit("ok"))
    is_row = pl.col("latency_ms").is_null() & (
        pl.col("table_latency").is_not_null() | pl.col("organization").is_not_null()
    )
    cost = pl.col("reported_cost_usd")
    is_whole = cost == cost.floor()
    return {
        "reported_cost_usd": pl.when(is_row & is_whole).then(cost * _OF_A_ROW).otherwise(cost),
        "latency_ms": pl.coalesce("latency_ms", "table_latency"),
        "token_semantics": pl.lit(rule) if rule else rule_of("helicone", openai_variant(model())),
        "status": status,
        "is_billable": (status == "ok") | (counted & (status == "error")),
    }
