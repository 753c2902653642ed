"""OpenAI's organization usage and costs APIs, and the CSV files that its usage page exports.

Usage (`/v1/organization/usage/completions`, `embeddings`, `moderations`, `images`, `audio_speeches`,
`audio_transcriptions`, `vector_stores`, `code_interpreter_sessions` ...): `input_tokens` contains cached and written
tokens. Where the counts by modality are there (`input_cached_audio_tokens`, `input_uncached_tokens`), it contains these
too, and `input_audio_tokens` and `input_image_tokens` are what did not come out of a cache. Older answers have
`input_audio_tokens` only and count it beside `input_tokens`. Reasoning is inside output and not told apart.
Costs (`/v1/organization/costs`, days only): `amount.value` in `amount.currency`; `line_item` names model and meter
(`gpt-4o-2024-08-06, cached input`, `priority | gpt-5, output`) or neither (`web search tool calls`).
Bucket times are seconds since 1970 in UTC.
Source: platform.openai.com/docs/api-reference/usage.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pipelines.records.conversions import TimeRule
from pipelines.records.layout import Layout
from pipelines.requests.semantics import measure

_LINE_ITEM = r"^(?:([A-Za-z ]+) \| )?([^,|]+?)(?: (text|audio|image|video))?, (.+)$"
"""Tier, model, modality and meter of a line item that names a model."""
_TIERS = ("batch", "flex", "priority", "scale")
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
_CSV_TIME = {
    "bucket_from": ("start_time", "start_time_iso", "date", "day"),
    "bucket_to": ("end_time", "end_time_iso"),
}


def usage() -> Layout:
    """Reports of usage: tokens by exclusive bucket, or another quantity, and requests."""
    return Layout(
        name="openai_usage_api",
        version="1",
        text={
            "report": ("object",),
            "project_id": ("project_id",),
            "api_key_id": ("api_key_id",),
            "end_user_id": ("user_id",),
            "raw_model": ("model",),
            "service_tier": ("service_tier",),
            "line_item": ("source",),
            "meter": ("size",),
        },
        usage={
            "input": ("input_tokens",),
            "output": ("output_tokens",),
            "cache_read": ("input_cached_tokens",),
            "cache_write": ("input_cache_write_tokens",),
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
        instants=_CSV_TIME,
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
        "quantity": pl.coalesce(quantity),
        "quantity_unit": pl.coalesce(unit),
        "service_tier": pl.when(pl.col("batch")).then(pl.lit("batch")).otherwise(pl.col("service_tier")),
        "broken": pl.when(pl.col("uncached") != rest).then(
            pl.format(
                "input_uncached_tokens is {}, input_tokens without cached and written ones {}", pl.col("uncached"), rest
            )
        ),
    }


def costs() -> Layout:
    """Reports of cost: one amount per line item and project."""
    return Layout(
        name="openai_costs_api",
        version="1",
        text={
            "report": ("object",),
            "project_id": ("project_id",),
            "api_key_id": ("api_key_id",),
            "end_user_id": ("user_id",),
            "line_item": ("line_item",),
            "currency": ("amount/currency", "amount_currency"),
            "quantity_unit": ("quantity_unit",),
        },
        instants=_CSV_TIME,
        money={"amount": ("amount/value", "amount_value"), "quantity": ("quantity",)},
        constants={"provider_id": "openai", "report": "organization.costs", "currency": "usd"},
        time=TimeRule("iso", epoch="epoch_s"),
        derive=_costs,
    )


def _costs() -> Mapping[str, pl.Expr]:
    tier, model, modality, meter = (pl.col("line_item").str.extract(_LINE_ITEM, group) for group in (1, 2, 3, 4))
    said = tier.str.to_lowercase()
    return {
        "raw_model": model.str.strip_chars(),
        "meter": pl.when(meter.is_not_null()).then(pl.concat_str(modality, meter, separator=" ", ignore_nulls=True)),
        "service_tier": pl.when(said.is_in(_TIERS)).then(said),
    }
