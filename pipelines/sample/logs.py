"""The lines of the three request logs, as their real emitters write them, from the calls that `traffic.py` drew.

No file is written here. A broken line is made by breaking a column before its line is written (`BREAKS`), or by
cutting the line off.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import polars as pl

from pipelines.sample.catalogue import LONG_CONTEXT_TOKENS, OFFERS
from pipelines.sample.traffic import model_names, offer_column

# Fields of LiteLLM_SpendLogs (schema.prisma) and of the usage object in its metadata, which is a string of JSON.
_SPEND_LOG = (
    '{"request_id": "chatcmpl-<id>", "call_type": "acompletion", "api_key": "sample-key-<team>", "spend": <spend>, '
    '"total_tokens": <total>, "prompt_tokens": <prompt>, "completion_tokens": <output>, "startTime": "<start>", '
    '"endTime": "<end>", "request_duration_ms": <duration_ms>, "completionStartTime": "<first>", "model": "<model>", '
    '"model_id": "", "model_group": "<model>", "custom_llm_provider": "<vendor>", "api_base": "", "user": "", '
    r'"metadata": "{\"usage_object\": {\"prompt_tokens\": <prompt>, \"completion_tokens\": <output>, '
    r"\"total_tokens\": <total>, \"prompt_tokens_details\": {\"cached_tokens\": <cache_read>, "
    r"\"cache_creation_tokens\": <cache_write>}, \"completion_tokens_details\": {\"reasoning_tokens\": <reasoning>}, "
    r"\"cache_creation_input_tokens\": <cache_write>, \"cache_read_input_tokens\": <cache_read>}, "
    r"\"user_api_key_team_id\": \"<team>\", \"user_api_key_team_alias\": \"<team>\", \"error_information\": <error>, "
    r'\"spend_logs_metadata\": {\"application\": \"<application>\", \"environment\": \"production\"}}", '
    '"cache_hit": "<cache_hit>", "cache_key": "Cache OFF", "request_tags": "[\\"<application>\\"]", '
    '"team_id": "<team>", "organization_id": "", "end_user": "<end_user>", "requester_ip_address": null, '
    '"session_id": "<session_id>", "status": "<status>", "messages": "{}", "response": "{}", '
    '"proxy_server_request": "{}", "mcp_namespaced_tool_name": null, "agent_id": null}'
)
# One span per line with OpenTelemetry GenAI attributes (semantic conventions, development status).
_SPAN = (
    '{"traceId": "<id>", "spanId": "<span_id>", "parentSpanId": "", "name": "chat <request_model>", "kind": 3, '
    '"startTimeUnixNano": "<start>", "endTimeUnixNano": "<end>", "status": {<status>}, "attributes": {'
    '"gen_ai.operation.name": "chat", "gen_ai.provider.name": "<vendor>", "gen_ai.request.model": "<request_model>", '
    '<response>"gen_ai.conversation.id": "<session_id>", "gen_ai.request.stream": <is_stream>, "enduser.id": '
    '"<end_user>"}, "resource": {"attributes": {"service.name": "<application>", "service.version": "1.8.0", '
    '"deployment.environment.name": "production", "team": "<team>"}}, '
    '"scope": {"name": "opentelemetry.instrumentation.genai", "version": "1.0.0"}}'
)
_SPAN_RESPONSE = (
    '"gen_ai.response.model": "<model>", "gen_ai.response.id": "resp_<id>", "gen_ai.usage.input_tokens": <prompt>, '
    '"gen_ai.usage.output_tokens": <output>, "gen_ai.usage.cache_read.input_tokens": <cache_read>, '
    '"gen_ai.usage.cache_write.input_tokens": <cache_write>, "gen_ai.usage.reasoning.output_tokens": <reasoning>, '
    '"gen_ai.response.finish_reasons": ["stop"], "gen_ai.response.time_to_first_chunk": <first_s>, '
)
BATCH_HEADER = (
    "job_item,started_at,vendor,model_name,cost_centre,application,tokens_in,tokens_in_cached,tokens_out,"
    "tokens_out_thinking,outcome,runtime_ms"
)
_BATCH_ROW = (
    "job-<short_id>,<start>,<vendor>,<model>,<team>,<application>,<prompt>,<cache_read>,<output>,<reasoning>,"
    "<outcome_word>,<duration_ms>"
)
BATCH_TIME_ZONE = "Europe/Berlin"
METERS = ("input", "cache_read", "cache_write", "output")
"""What a seller charges a call for."""

BREAKS: dict[str, pl.Expr] = {
    "negative_tokens": (-pl.col("output") - 1).alias("output"),
    "bad_timestamp": pl.lit("yesterday at noon").alias("start"),
}
TRUNCATED = "truncated"


def gateway_lines(calls: pl.DataFrame, broken: pl.Expr | None = None) -> pl.Series:
    """Rows of LiteLLM's spend log table as JSON lines; times are naive UTC, the prompt includes cached tokens."""
    is_error, is_hit = pl.col("outcome") == "error", pl.col("outcome") == "cache_hit"
    columns = _common(calls).with_columns(
        spend=_spend(calls),
        vendor=pl.when(pl.col("is_unknown")).then(pl.lit("hosted_vllm")).otherwise(offer_column("litellm_provider")),
        model=model_names("answered_as"),
        start=_time("at_us", 0, "%Y-%m-%d %H:%M:%S%.6f"),
        # LiteLLM repeats the end as the start of the completion where the answer was not streamed.
        first=pl.when("is_stream")
        .then(_time("at_us", "first_ms", "%Y-%m-%d %H:%M:%S%.6f"))
        .otherwise(_time("at_us", "duration_ms", "%Y-%m-%d %H:%M:%S%.6f")),
        end=_time("at_us", "duration_ms", "%Y-%m-%d %H:%M:%S%.6f"),
        cache_hit=pl.when(is_hit).then(pl.lit("True")).otherwise(pl.lit("False")),
        status=pl.when(is_error).then(pl.lit("failure")).otherwise(pl.lit("success")),
        error=pl.when(is_error)
        .then(pl.lit(r"{\"error_code\": \"429\", \"error_class\": \"RateLimitError\"}"))
        .otherwise(pl.lit("null")),
    )
    return _fill(_SPEND_LOG, _broken(columns, broken))


def assistant_lines(calls: pl.DataFrame, broken: pl.Expr | None = None) -> pl.Series:
    """Client spans of the OpenTelemetry GenAI conventions, one JSON object per line; a failed call has no usage."""
    is_error = pl.col("outcome") == "error"
    columns = _common(calls).with_columns(
        vendor=offer_column("otel_provider"),
        request_model=model_names("model"),
        model=model_names("answered_as"),
        span_id=pl.col("id").str.slice(8, 16),
        start=pl.format("{}000", "at_us"),
        end=pl.format("{}000", pl.col("at_us") + pl.col("duration_ms") * 1000),
        first_s=pl.format("{}.{}", pl.col("first_ms") // 1000, _padded(pl.col("first_ms") % 1000, 3)),
        is_stream=pl.when("is_stream").then(pl.lit("true")).otherwise(pl.lit("false")),
        status=pl.when(is_error).then(pl.lit('"code": 2, "message": "rate limited"')).otherwise(pl.lit("")),
    )
    columns = _broken(columns, broken)
    answered = columns.with_columns(
        response=pl.when(is_error)
        .then(pl.lit('"error.type": "429", '))
        .otherwise(_fill(_SPAN_RESPONSE, columns).alias("response"))
    )
    return _fill(_SPAN, answered)


def batch_lines(calls: pl.DataFrame, broken: pl.Expr | None = None) -> pl.Series:
    """Rows of a job system's CSV export (`BATCH_HEADER`); times are local to Berlin without saying so."""
    columns = _common(calls).with_columns(
        vendor=offer_column("provider"),
        model=model_names("model"),
        short_id=pl.col("id").str.slice(0, 16),
        start=_time("at_us", 0, "%Y-%m-%d %H:%M:%S%.3f", BATCH_TIME_ZONE),
        outcome_word=pl.when(pl.col("outcome") == "error").then(pl.lit("FAILED")).otherwise(pl.lit("DONE")),
    )
    return _fill(_BATCH_ROW, _broken(columns, broken))


LINES: dict[str, Callable[[pl.DataFrame, pl.Expr | None], pl.Series]] = {
    "gateway": gateway_lines,
    "assistants": assistant_lines,
    "batch": batch_lines,
}


def _common(calls: pl.DataFrame) -> pl.DataFrame:
    """A failed call used nothing; the inclusive totals that all three logs write."""
    used = pl.col("outcome") != "error"
    return calls.with_columns(
        pl.when(used).then(pl.col(name)).otherwise(0).alias(name)
        for name in ("input", "cache_read", "cache_write", "visible", "reasoning")
    ).with_columns(
        prompt=pl.col("input") + pl.col("cache_read") + pl.col("cache_write"),
        output=pl.col("visible") + pl.col("reasoning"),
        total=pl.sum_horizontal("input", "cache_read", "cache_write", "visible", "reasoning"),
    )


def _broken(columns: pl.DataFrame, broken: pl.Expr | None) -> pl.DataFrame:
    return columns if broken is None else columns.with_columns(broken)


def _spend(calls: pl.DataFrame) -> pl.Series:
    """What the gateway booked per call: USD as decimal text from integer pico-dollars, by the rates of the UTC day."""
    pico = pl.sum_horizontal(f"{meter}_pico" for meter in METERS)
    return priced(calls).select(pl.format("{}.{}", pico // 10**12, _padded(pico % 10**12, 12))).to_series()


def priced(calls: pl.DataFrame) -> pl.DataFrame:
    """The calls with their UTC day, whether they are charged as long, and pico-dollars per meter (`<meter>_pico`)."""
    at = pl.from_epoch("at_us", time_unit="us").dt.date()
    days: list[date] = calls.select(at.unique().sort()).to_series().to_list()
    rates = pl.DataFrame(
        [_pico_rates(key, day, is_long) for key in OFFERS for day in days for is_long in (False, True)]
    )
    is_free = (pl.col("outcome") != "ok") | pl.col("is_unknown") | pl.col("is_nameless")
    return (
        _common(calls)
        .with_columns(day=at, is_long=pl.col("prompt") > LONG_CONTEXT_TOKENS)
        .join(rates, on=["offer", "day", "is_long"], how="left", maintain_order="left")
        .with_columns(
            pl.when(is_free).then(0).otherwise(pl.col(meter) * pl.col(f"{meter}_pico")).alias(f"{meter}_pico")
            for meter in METERS
        )
    )


def _pico_rates(key: str, day: date, is_long: bool) -> dict[str, object]:
    """Pico-dollars per token, which is a millionth of the price per million tokens times 10**12."""
    rates = OFFERS[key].rates_on(day, is_long=is_long)
    meters = {
        "input": rates.input,
        "cache_read": rates.input if rates.cache_read is None else rates.cache_read,
        "cache_write": rates.input if rates.cache_write is None else rates.cache_write,
        "output": rates.output,
    }
    return {"offer": key, "day": day, "is_long": is_long} | {f"{m}_pico": int(usd * 10**6) for m, usd in meters.items()}


def _time(column: str, plus_ms: str | int, pattern: str, zone: str | None = None) -> pl.Expr:
    shift = pl.col(plus_ms) if isinstance(plus_ms, str) else pl.lit(plus_ms)
    at = pl.from_epoch(pl.col(column) + shift * 1000, time_unit="us")
    if zone is not None:
        at = at.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
    return at.dt.strftime(pattern)


def _padded(value: pl.Expr, digits: int) -> pl.Expr:
    return value.cast(pl.String).str.zfill(digits)


def _fill(template: str, columns: pl.DataFrame) -> pl.Series:
    """One line per row: every `<name>` of the template replaced by that column."""
    pieces = re.split(r"<(\w+)>", template)
    parts = [pl.col(piece).cast(pl.String) if index % 2 else pl.lit(piece) for index, piece in enumerate(pieces)]
    return columns.select(pl.concat_str(parts).alias("line")).to_series()
