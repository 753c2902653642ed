"""Usage as sources count it to exclusive, additive token buckets, by a named rule stored with every row.

A layout says which of its fields is which measure (`pipelines.records.measures`) and which rule it follows; the arithmetic and
the identities are here and nowhere else. The buckets are the token meters of `pipelines.meters`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import polars as pl

from pipelines.meters import INPUT_METERS, OUTPUT_METERS, TOKEN_METERS


def measure(name: str) -> pl.Expr:
    """The measure of a row, 0 where the source does not give it."""
    return pl.col(f"usage.{name}").fill_null(0)


@dataclass(frozen=True)
class Semantics:
    """One rule: which parts the source's input and output counts contain."""

    name: str
    meaning: str
    input_holds_cache: bool
    input_holds_tool: bool = False
    output_holds_reasoning: bool = True
    total_reasoning: bool = False


RULES: dict[str, Semantics] = {
    rule.name: rule
    for rule in (
        Semantics("openai_inclusive", "input contains cached and written tokens, output contains reasoning", True),
        Semantics(
            "openai_reasoning_apart",
            "input contains cached tokens, reasoning is counted apart from output (xAI)",
            True,
            output_holds_reasoning=False,
        ),
        Semantics(
            "openai_reasoning_in_total",
            "as openai_inclusive, but reasoning is only in the total: what total exceeds input and output by (Gemini's "
            "OpenAI endpoint)",
            True,
            output_holds_reasoning=False,
            total_reasoning=True,
        ),
        Semantics("cohere_billed_units", "billed units of input and output; nothing else is charged", True),
        Semantics(
            "anthropic_exclusive",
            "cache reads and writes are counted apart from input, output contains reasoning",
            False,
        ),
        Semantics(
            "gemini_thoughts_apart",
            "input contains cached tokens; thoughts and tool input are counted apart from output and input",
            True,
            output_holds_reasoning=False,
        ),
        Semantics("additive", "every count stands for itself (Langfuse)", False, output_holds_reasoning=False),
    )
}
"""Every rule that `core.request.token_semantics` may name. `missing` is used where there is no usage at all."""

TTL_PARTS = ("cache_write_5m", "cache_write_30m", "cache_write_1h", "cache_write_12h")


def _is(*names: str) -> pl.Expr:
    return pl.col("token_semantics").is_in(names)


def _names(attribute: str) -> list[str]:
    return [rule.name for rule in RULES.values() if getattr(rule, attribute)]


def openai_variant(model: pl.Expr | None = None, *, of_answer: bool = False) -> pl.Expr:
    """Which OpenAI-like rule a row follows, by its own counts; openai_inclusive where they do not decide.

    xAI counts reasoning apart from output, so that the total exceeds both; Gemini's OpenAI endpoint shows thoughts in
    the total only, which is believed of Google alone, because elsewhere such a total is a broken identity. Gateways
    pass on Anthropic's counts as they are: a total that holds the cache apart from input and output shows it, and so do
    cache counts of Claude above the input, which can't hold them. A total that holds cache and reasoning apart is the sum of counts
    that stand each for itself (opencode). Reasoning of xAI and Google's models above the output is apart from it without
    a total, and `of_answer` that is the provider's own also where its total leaves it out (DeepInfra). `model` is who answered (None: response_model).
    """
    model = pl.col("response_model") if model is None else model
    plain = measure("input") + measure("output")
    total, reasoning = pl.col("usage.total"), measure("reasoning")
    cached = measure("cache_read") + measure("cache_write")
    gemini = model.str.contains("gemini", literal=True)
    claude = model.str.contains("claude", literal=True).fill_null(value=False)
    by_itself = total.is_null() | ((total == plain) & pl.lit(of_answer))
    reasons_apart = model.str.contains("(?i)grok|gemini|gemma") & by_itself & (reasoning > measure("output"))
    return (
        pl.when((total == plain + cached + reasoning) & (reasoning > 0) & (cached > 0))
        .then(pl.lit("additive"))
        .when(
            ((total == plain + reasoning) & (reasoning > 0)).fill_null(value=False)
            | reasons_apart.fill_null(value=False)
        )
        .then(pl.lit("openai_reasoning_apart"))
        .when(
            (cached > 0) & ((total == plain + cached).fill_null(value=False) | (claude & (cached > measure("input"))))
        )
        .then(pl.lit("anthropic_exclusive"))
        .when((total > plain) & gemini.fill_null(value=False))
        .then(pl.lit("openai_reasoning_in_total"))
        .otherwise(pl.lit("openai_inclusive"))
    )


def written_apart(*, by_litellm: bool = False) -> pl.Expr:
    """Whether the input holds what was read from a cache and not what was written to one, as LiteLLM counted Claude for most of 2025.

    Its total of a call to Bedrock shows it. Else the caches are above the input, which they can't be where it holds both; `by_litellm` says
    that the counts are LiteLLM's own, which are then never Anthropic's either.
    """
    read, written = measure("cache_read"), measure("cache_write")
    plain, total = measure("input") + measure("output"), pl.col("usage.total")
    shown = total == plain + written
    if by_litellm:
        shown |= (total == plain) & (read + written > measure("input"))
    return ((read > 0) & (written > 0) & (read <= measure("input")) & shown).fill_null(value=False)


@cache
def buckets() -> dict[str, pl.Expr]:
    """One Int64 expression per token meter, over `usage.<measure>` and `token_semantics` columns.

    Each bucket is what is left of a count after the parts that have a bucket of their own; a negative bucket
    is a broken identity, which `identities` names.
    """
    audio = measure("input_audio") - measure("input_audio_cache_read")
    image = measure("input_image") - measure("input_image_cache_read")
    cache_read = measure("cache_read") - measure("input_audio_cache_read") - measure("input_image_cache_read")
    written = sum((measure(part) for part in TTL_PARTS), pl.lit(0))
    # LangChain writes 0 for all writes where it gives them by time to live.
    write = pl.when(measure("cache_write") == 0).then(written).otherwise(measure("cache_write"))
    modal = measure("input_audio") + measure("input_image") + measure("input_video")
    inclusive = measure("cache_read") + write + audio + image + measure("input_video")
    additive = pl.when(_is("additive")).then(0).otherwise(modal)
    hidden = measure("total") - measure("input") - measure("output")
    reasoning = (
        pl.when(_is(*_names("total_reasoning")))
        .then(pl.max_horizontal(hidden, measure("reasoning")))
        .otherwise(measure("reasoning"))
    )
    output_parts = measure("output_audio") + measure("output_image")
    output = (
        pl.when(_is("additive"))
        .then(measure("output"))
        .when(_is(*_names("output_holds_reasoning")))
        .then(measure("output") - output_parts - measure("reasoning"))
        .otherwise(measure("output") - output_parts)
    )
    exact = {
        "input_uncached": measure("input")
        - pl.when(_is(*_names("input_holds_cache"))).then(inclusive).otherwise(additive),
        "input_cache_read": cache_read,
        "input_cache_write": write - written,
        "input_audio": audio,
        "input_audio_cache_read": measure("input_audio_cache_read"),
        "input_image": image,
        "input_image_cache_read": measure("input_image_cache_read"),
        "input_video": measure("input_video"),
        "input_tool": measure("input_tool"),
        "output_text": output,
        "output_reasoning": reasoning,
        "output_audio": measure("output_audio"),
        "output_image": measure("output_image"),
    } | {f"input_{part}": measure(part) for part in TTL_PARTS}
    return {meter.tokens_column: exact[meter.name].cast(pl.Int64) for meter in TOKEN_METERS}


_PARTS = {
    "input_uncached": "input - cache_read - cache_write - modalities",
    "input_cache_read": "cache_read - cached audio - cached image",
    "input_cache_write": "cache_write - its parts by time to live",
    "input_audio": "input_audio - cached audio",
    "input_image": "input_image - cached image",
    "output_text": "output - reasoning - output_audio - output_image",
}


def identities(*, is_whole: pl.Expr | None = None) -> list[tuple[pl.Expr, pl.Expr]]:
    """Pairs of (the identity is broken, the identity in words) over the bucket columns; the first broken one names the row.

    `is_whole` says of which rows all counts are known, so that they must add up to the total (None: of all).
    """
    found = []
    for bucket, formula in _PARTS.items():
        column = pl.col(f"{bucket}_tokens")
        words = pl.format(
            "{} by {}: {} would be negative ({})", pl.lit(bucket), pl.col("token_semantics"), pl.lit(formula), column
        )
        found.append((column < 0, words))
    total = pl.sum_horizontal(pl.col(meter.tokens_column) for meter in (*INPUT_METERS, *OUTPUT_METERS))
    words = pl.format(
        "total by {}: the buckets add up to {}, the source's total is {}",
        pl.col("token_semantics"),
        total,
        pl.col("usage.total"),
    )
    unequal = (pl.col("usage.total") > 0) & (total != pl.col("usage.total"))
    found.append((unequal if is_whole is None else unequal & is_whole, words))
    return found
