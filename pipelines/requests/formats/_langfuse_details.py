"""Langfuse's usage details that split a count into parts: each part is a key of its own, and the count next to it holds the rest.

LangChain's callback takes OpenAI's priority and flex tiers apart (`input_priority`, `output_flex_reasoning`), and Vertex AI's
modalities (`input_modality_TEXT`, `cached_modality_AUDIO`); Langfuse itself what OpenAI predicted (`output_accepted_prediction_tokens`).
What the counts of a call add up to is in `langfuse.py` in the same folder.
Source: langfuse/langchain/CallbackHandler.py of langfuse-python, `_create_usage_metadata` of langchain-openai.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pipelines.requests.semantics import measure

TIERS = ("priority", "flex")
_MODALITIES = ("TEXT", "DOCUMENT", "AUDIO", "IMAGE", "VIDEO")
_TEXTS = ("TEXT", "DOCUMENT")
_SOUND_AND_IMAGE = ("audio", "image")


def _modalities(side: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{side}_modality_{name}" for name in names)


PARTS: dict[str, tuple[str, ...]] = {
    "input": (*(f"input_{tier}" for tier in TIERS), *_modalities("input", *_TEXTS), "input_text", "input_text_tokens"),
    "cache_read": (*(f"input_{tier}_cache_read" for tier in TIERS), *_modalities("cached", *_MODALITIES)),
    "output": (
        *(f"output_{tier}" for tier in TIERS), *_modalities("output", *_TEXTS), "output_text", "output_text_tokens",
        "output_accepted_prediction_tokens", "output_rejected_prediction_tokens",
    ),
    "reasoning": tuple(f"output_{tier}_reasoning" for tier in TIERS),
    # A modality holds what of it came from the cache.
    **{
        f"input_{name}": (*_modalities("input", name.upper()), *_modalities("cached", name.upper()))
        for name in _SOUND_AND_IMAGE
    },
    **{f"input_{name}_cache_read": _modalities("cached", name.upper()) for name in _SOUND_AND_IMAGE},
    "input_video": _modalities("input", "VIDEO"),
    **{f"output_{name}": _modalities("output", name.upper()) for name in _SOUND_AND_IMAGE},
}  # fmt: skip
"""The keys that are added to each measure."""

KEYS = tuple(dict.fromkeys(key for keys in PARTS.values() for key in keys))
RAW_INPUT = ("prompt_token_count", "promptTokenCount")
"""Names of the prompt in Google's own usage, which contains the cache."""
CACHED_CONTENT = ("cached_content_token_count", "cachedContentTokenCount")


def column(key: str) -> str:
    """The working column of a part."""
    return f"part_{key}"


def parts_make_up(side: str) -> pl.Expr:
    """Whether text, sound and images are all of the count next to them, which then holds them: LiveKit states them so."""
    text = pl.col(column(f"{side}_text_tokens"))
    parts = text + measure(f"{side}_audio") + measure(f"{side}_image")
    return ((parts == pl.col(f"usage.{side}")) & (parts > 0)).fill_null(value=False)


def whole_counts(is_additive: pl.Expr) -> Mapping[str, pl.Expr]:
    """The measures with their parts added up, where the counts add up at all; `raw_input` and `cached_content` are Google's own."""
    counts = {
        f"usage.{name}": pl.when(is_additive).then(_with_parts(name)).otherwise(pl.col(f"usage.{name}"))
        for name in PARTS
    }
    modal = pl.any_horizontal(pl.col(column(key)).is_not_null() for key in _modalities("cached", *_MODALITIES))
    # Google's count of what came from the cache lies within the prompt, unless it was taken out by modality.
    cached = pl.when(~modal).then(pl.col("cached_content"))
    is_raw = pl.col("raw_input").is_not_null()
    kept = is_additive & ~is_raw & (cached > 0).fill_null(value=False)
    total = measure("total") == measure("input") + measure("output") + measure("cache_read")
    # LiteLLM takes what was read from the cache out of the input, and leaves in what was written to it.
    inside = is_additive & (measure("cache_write") > 0) & (measure("cache_write") <= measure("input")) & total
    return counts | {
        "usage.input": pl.when(kept).then(counts["usage.input"] - cached)
        .when(inside).then(pl.col("usage.input") - measure("cache_write"))
        .otherwise(counts["usage.input"]),
        "usage.cache_read": pl.when(is_raw | kept).then(cached).otherwise(counts["usage.cache_read"]),
    }  # fmt: skip


def tier() -> pl.Expr:
    """The service tier whose parts a call has; null where it has none."""
    found = pl.lit(None, dtype=pl.String)
    for name in TIERS:
        keys = (f"input_{name}", f"output_{name}", f"input_{name}_cache_read", f"output_{name}_reasoning")
        used = pl.any_horizontal((pl.col(column(key)) > 0).fill_null(value=False) for key in keys)
        found = pl.when(used).then(pl.lit(name)).otherwise(found)
    return found


def _with_parts(name: str) -> pl.Expr:
    parts = [pl.col(column(key)) for key in PARTS[name]]
    given = pl.any_horizontal(part.is_not_null() for part in parts)
    return pl.when(given).then(measure(name) + pl.sum_horizontal(parts)).otherwise(pl.col(f"usage.{name}"))
