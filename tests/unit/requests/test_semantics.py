"""Usage to buckets: each rule against numbers worked by hand, each identity against a row that breaks it."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.meters import INPUT_METERS, OUTPUT_METERS, TOKEN_METERS
from pipelines.records.measures import MEASURES
from pipelines.requests.semantics import RULES, buckets, identities, openai_variant


def convert(rule: str, **usage: int) -> tuple[dict[str, int], list[str]]:
    """The buckets that are not 0, and the identities that are broken in words."""
    columns = {f"usage.{name}": [usage.get(name)] for name in MEASURES}
    frame = pl.DataFrame(
        {"token_semantics": [rule], **columns},
        schema={"token_semantics": pl.String, **dict.fromkeys(columns, pl.Int64)},
    ).with_columns(**buckets())
    broken = [str(frame.select(words).item()) for fails, words in identities() if frame.select(fails).item()]
    found = {meter.name: frame[meter.tokens_column].item() for meter in TOKEN_METERS}
    return {name: count for name, count in found.items() if count}, broken


@pytest.mark.parametrize(
    ("rule", "usage", "expected"),
    [
        (
            "openai_inclusive",
            {"input": 1000, "cache_read": 300, "cache_write": 200, "cache_write_30m": 150, "output": 400, "reasoning": 250, "total": 1400},
            {"input_uncached": 500, "input_cache_read": 300, "input_cache_write": 50, "input_cache_write_30m": 150,
             "output_text": 150, "output_reasoning": 250},
        ),
        (
            "openai_inclusive",
            {"input": 100, "cache_read": 40, "input_audio": 30, "input_audio_cache_read": 10, "output": 50, "output_audio": 20},
            {"input_uncached": 40, "input_cache_read": 30, "input_audio": 20, "input_audio_cache_read": 10,
             "output_text": 30, "output_audio": 20},
        ),
        (
            "openai_reasoning_apart",
            {"input": 100, "output": 20, "reasoning": 300, "total": 420},
            {"input_uncached": 100, "output_text": 20, "output_reasoning": 300},
        ),
        (
            # Real answers of Gemini's OpenAI endpoint: 35 + 12 tokens, 109 in total.
            "openai_reasoning_in_total",
            {"input": 35, "output": 12, "total": 109},
            {"input_uncached": 35, "output_text": 12, "output_reasoning": 62},
        ),
        (
            "anthropic_exclusive",
            {"input": 3, "cache_read": 1712, "cache_write": 236, "cache_write_5m": 236, "output": 121, "total": 2072},
            {"input_uncached": 3, "input_cache_read": 1712, "input_cache_write_5m": 236, "output_text": 121},
        ),
        (
            "anthropic_exclusive",
            {"input": 10, "cache_write": 100, "output": 50, "reasoning": 30},
            {"input_uncached": 10, "input_cache_write": 100, "output_text": 20, "output_reasoning": 30},
        ),
        (
            "anthropic_exclusive",
            {"input": 10, "cache_write_5m": 60, "cache_write_1h": 40, "output": 5},
            {"input_uncached": 10, "input_cache_write_5m": 60, "input_cache_write_1h": 40, "output_text": 5},
        ),
        (
            "gemini_thoughts_apart",
            {"input": 500, "cache_read": 200, "input_tool": 70, "output": 30, "reasoning": 400, "input_image": 258, "total": 1000},
            {"input_uncached": 42, "input_cache_read": 200, "input_image": 258, "input_tool": 70, "output_text": 30,
             "output_reasoning": 400},
        ),
        (
            "additive",
            {"input": 10, "cache_read": 20, "cache_write": 30, "output": 40, "reasoning": 50, "output_audio": 60, "total": 210},
            {"input_uncached": 10, "input_cache_read": 20, "input_cache_write": 30, "output_text": 40, "output_reasoning": 50,
             "output_audio": 60},
        ),
        ("cohere_billed_units", {"input": 33, "output": 22}, {"input_uncached": 33, "output_text": 22}),
        ("missing", {}, {}),
    ],
)  # fmt: skip
def test_rules_by_hand(rule: str, usage: dict[str, int], expected: dict[str, int]) -> None:
    assert convert(rule, **usage) == (expected, [])


@pytest.mark.parametrize(
    ("rule", "usage", "named"),
    [
        ("openai_inclusive", {"input": 10, "cache_read": 11}, "input_uncached"),
        ("openai_inclusive", {"input": 10, "cache_read": 6, "cache_write": 6}, "input_uncached"),
        ("openai_inclusive", {"output": 10, "reasoning": 11}, "output_text"),
        ("anthropic_exclusive", {"output": 10, "reasoning": 11}, "output_text"),
        ("gemini_thoughts_apart", {"output": 10, "output_image": 11}, "output_text"),
        ("anthropic_exclusive", {"cache_write": 10, "cache_write_5m": 6, "cache_write_1h": 5}, "input_cache_write"),
        (
            "openai_inclusive",
            {"input": 9, "input_audio": 5, "input_audio_cache_read": 6, "cache_read": 7},
            "input_audio",
        ),
        (
            "openai_inclusive",
            {"input": 9, "cache_read": 5, "input_image": 8, "input_image_cache_read": 6},
            "input_cache_read",
        ),
        ("openai_inclusive", {"input": 10, "output": 5, "total": 16}, "total"),
        ("gemini_thoughts_apart", {"input": 10, "output": 5, "reasoning": 5, "total": 15}, "total"),
        ("anthropic_exclusive", {"input": 10, "cache_read": 5, "output": 5, "total": 15}, "total"),
    ],
)
def test_a_broken_identity_is_named(rule: str, usage: dict[str, int], named: str) -> None:
    _, broken = convert(rule, **usage)
    assert broken[0].startswith(f"{named} by {rule}")


_COUNT = st.integers(0, 10**6)


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(sorted(RULES)),
    st.fixed_dictionaries(
        {"input": _COUNT, "output": _COUNT},
        optional=dict.fromkeys(set(MEASURES) - {"input", "output", "total"}, _COUNT),
    ),
)
@example("additive", {"input": 0, "output": 0, "cache_write": 0, "cache_write_30m": 1})
def test_buckets_add_up_to_the_source_s_counts_or_the_row_is_refused(rule: str, usage: dict[str, int]) -> None:
    found, broken = convert(rule, **usage)
    if broken:
        return
    assert min(found.values(), default=0) >= 0
    counted_in = sum(found.get(meter.name, 0) for meter in INPUT_METERS)
    counted_out = sum(found.get(meter.name, 0) for meter in OUTPUT_METERS)
    get = usage.get
    parts = ("cache_write_5m", "cache_write_30m", "cache_write_1h", "cache_write_12h")
    written = get("cache_write", 0) or sum(get(part, 0) for part in parts)  # a total of 0 next to parts is none
    apart_in = get("input_tool", 0)
    if not RULES[rule].input_holds_cache:
        apart_in += get("cache_read", 0) + written
    if rule == "additive":
        apart_in += sum(get(part, 0) for part in ("input_audio", "input_image", "input_video"))
        apart_in -= get("input_audio_cache_read", 0) + get("input_image_cache_read", 0)
    elif rule == "anthropic_exclusive":
        apart_in -= get("input_audio_cache_read", 0) + get("input_image_cache_read", 0)
    assert counted_in == usage["input"] + apart_in
    apart_out = 0 if RULES[rule].output_holds_reasoning else get("reasoning", 0)
    if rule == "additive":
        apart_out += get("output_audio", 0) + get("output_image", 0)
    assert counted_out == usage["output"] + apart_out


@pytest.mark.parametrize(
    ("usage", "model", "rule"),
    [
        ((100, 20, 5, 120), "gpt-5", "openai_inclusive"),
        ((100, 20, 300, 420), "grok-4", "openai_reasoning_apart"),
        ((35, 12, None, 109), "gemini-2.5-pro-preview-05-06", "openai_reasoning_in_total"),
        ((35, 12, None, 109), "gpt-5", "openai_inclusive"),  # then the total is a broken identity
        ((100, 20, None, None), None, "openai_inclusive"),
    ],
)
def test_the_total_shows_which_variant_a_row_follows(
    usage: tuple[int | None, ...], model: str | None, rule: str
) -> None:
    names = ("usage.input", "usage.output", "usage.reasoning", "usage.total")
    frame = pl.DataFrame(
        {name: [count] for name, count in zip(names, usage, strict=True)}, schema=dict.fromkeys(names, pl.Int64)
    )
    frame = frame.with_columns(pl.lit(None, dtype=pl.Int64).alias(f"usage.cache_{way}") for way in ("read", "write"))
    assert frame.with_columns(response_model=pl.lit(model, dtype=pl.String)).select(openai_variant()).item() == rule
