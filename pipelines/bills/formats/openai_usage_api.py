"""OpenAI's organization usage API, and the CSV files that its usage page exports.

Usage (`/v1/organization/usage/completions`, `embeddings`, `moderations`, `images`, `audio_speeches`,
`audio_transcriptions`, `web_search_calls`, `file_search_calls`, `vector_stores`, `code_interpreter_sessions`): `input_tokens` contains cached and written
tokens, and those written their parts by lifetime (30 minutes, 12 hours). Where the counts by modality are there (`input_cached_audio_tokens`, `input_uncached_tokens`), it contains these
too, and `input_audio_tokens` and `input_image_tokens` are what did not come out of a cache. Older answers have
`input_audio_tokens` only and count it apart from `input_tokens`. Reasoning is inside output and not counted apart.
Bucket times are seconds since 1970 in UTC.
Source: platform.openai.com/docs/api-reference/usage.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pipelines.records.conversions import TimeRule
from pipelines.records.layout import Layout
from pipelines.requests.semantics import measure

_QUANTITIES = {
    "images": "images",
    "characters": "characters",
    "seconds": "seconds",
    "usage_bytes": "bytes",
    "num_sessions": "sessions",
    "sessions": "sessions",
    "num_requests": "requests",
}
"""What a report counts that is no token, under the name of its unit."""
CSV_TIME = {
    "bucket_from": ("start_time", "start_time_iso", "date", "day"),
    "bucket_to": ("end_time", "end_time_iso"),
}


def build() -> Layout:
    """Reports of usage: tokens by exclusive bucket, or another quantity, and requests."""
    return Layout(
        name="openai_usage_api",
        version="4",
        text={
            "report": ("object",),
            "project_id": ("project_id",),
            "api_key_id": ("api_key_id",),
            "end_user_id": ("user_id",),
            "raw_model": ("model",),
            "service_tier": ("service_tier",),
            "line_item": ("source",),
            "product": ("api_source",),
            "meter": ("size",),
        },
        usage={
            "input": ("input_tokens",),
            "output": ("output_tokens",),
            "cache_read": ("input_cached_tokens",),
            "cache_write": ("input_cache_write_tokens",),
            "cache_write_30m": ("input_cache_write_30m_tokens", "input_cache_write_tokens_30m"),
            "cache_write_12h": ("input_cache_write_12h_tokens", "input_cache_write_tokens_12h"),
            "input_audio": ("input_audio_tokens",),
            "input_audio_cache_read": ("input_cached_audio_tokens",),
            "input_image": ("input_image_tokens",),
            "input_image_cache_read": ("input_cached_image_tokens",),
            "output_audio": ("output_audio_tokens",),
            "output_image": ("output_image_tokens",),
        },
        integers={
            "request_count": ("num_model_requests",),
            "uncached": ("input_uncached_tokens",),
            **{f"quantity.{name}": (name,) for name in _QUANTITIES},
        },
        booleans={"batch": ("batch",)},
        instants=CSV_TIME,
        constants={"provider_id": "openai", "report": "organization.usage"},
        time=TimeRule("iso", epoch="epoch_s"),
        derive=_usage,
    )


def _usage() -> Mapping[str, pl.Expr]:
    by_modality = pl.any_horizontal(
        pl.col(name).is_not_null()
        for name in ("uncached", "usage.input_audio_cache_read", "usage.input_image_cache_read")
    )
    audio, image = measure("input_audio"), measure("input_image")
    cached_audio, cached_image = measure("input_audio_cache_read"), measure("input_image_cache_read")
    quantity = [pl.col(f"quantity.{name}").cast(pl.Decimal(38, 18)) for name in _QUANTITIES]
    unit = [pl.when(pl.col(f"quantity.{name}").is_not_null()).then(pl.lit(said)) for name, said in _QUANTITIES.items()]
    counted = pl.col("usage.input").is_not_null()
    rest = measure("input") - measure("cache_read") - measure("cache_write")
    return {
        "usage.input": pl.when(by_modality | ~counted)
        .then(pl.col("usage.input"))
        .otherwise(measure("input") + audio + image),
        # A measure of a modality contains what of it was cached; here the two are reported apart.
        "usage.input_audio": audio + cached_audio,
        "usage.input_image": image + cached_image,
        # The calls that searched are in the report of completions as well.
        "request_count": pl.when(~pl.col("report").str.contains("search").fill_null(value=False)).then(
            pl.col("request_count")
        ),
        "quantity": pl.coalesce(quantity),
        "quantity_unit": pl.coalesce(unit),
        "service_tier": pl.when(pl.col("batch")).then(pl.lit("batch")).otherwise(pl.col("service_tier")),
        "broken": pl.when(pl.col("uncached") != rest).then(
            pl.format(
                "input_uncached_tokens is {}, input_tokens without cached and written ones {}", pl.col("uncached"), rest
            )
        ),
    }
