"""A detail of a usage that can't be true costs the detail, not the call: its tokens fall back to the coarser count.

Input, output and total are what was billed; what they were made of is a detail. Rows keep the names of what was left
out in the tag `dropped_details`. Counts that contradict each other without a detail are a broken identity, see
`semantics.identities`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import polars as pl

from pipelines.records.measures import MEASURES, TOTALS
from pipelines.requests.conventions import CLAUDE
from pipelines.requests.semantics import RULES, TTL_PARTS, buckets

TAG = "dropped_details"
DETAILS = tuple(name for name in MEASURES if name not in TOTALS)
_CACHE = ("cache_read", "cache_write", *TTL_PARTS)
_CACHED_MODES = ("input_audio_cache_read", "input_image_cache_read")
_MODES = ("input_audio", "input_image", "input_video", *_CACHED_MODES)
_APART = tuple(rule.name for rule in RULES.values() if not rule.input_holds_cache)
_MOST = 2**31 - 1


@dataclass(frozen=True)
class _Step:
    """`measures` are left out of rows where one of the buckets `negative` is below 0; of Claude's only if `of_claude`."""

    measures: tuple[str, ...]
    negative: tuple[str, ...]
    of_claude: bool = True


_STEPS = (
    _Step(_CACHED_MODES, ("input_audio", "input_image", "input_cache_read")),
    _Step(TTL_PARTS, ("input_cache_write",)),
    _Step(_MODES, ("input_uncached",)),
    # Anthropic counts its cache apart from the input: cache counts above the input are then no slip but another rule.
    _Step(_CACHE, ("input_uncached",), of_claude=False),
    _Step(("reasoning",), ("output_text",)),
    _Step(("output_audio", "output_image"), ("output_text",)),
)
"""In this order, each over the buckets that the one before left."""


def with_buckets(frame: pl.DataFrame, further: Iterable[str]) -> pl.DataFrame:
    """`frame` with its token buckets, and without the details that can't be true.

    Needs `usage.<measure>`, token_semantics, usage_basis and the models; `failed.<column>` marks values that could not be
    read, of `usage.<measure>` and of the columns `further`.
    """
    unread = {name: pl.col(f"failed.{name}") for name in further if f"failed.{name}" in frame.columns}
    frame = _without_unreadable(_named(frame, unread)).with_columns(**buckets())
    if not _any_below_zero(frame, {name for step in _STEPS for name in step.negative}):
        return frame
    for step in _STEPS:
        if _any_below_zero(frame, step.negative):
            broken = pl.any_horizontal(pl.col(f"{name}_tokens") < 0 for name in step.negative)
            if not step.of_claude:
                broken = broken & ~_is_claude()
            frame = _dropped(frame, dict.fromkeys(step.measures, broken)).with_columns(**buckets())
    return frame


def _any_below_zero(frame: pl.DataFrame, names: Iterable[str]) -> bool:
    return bool(frame.select(pl.any_horizontal((pl.col(f"{name}_tokens") < 0).any() for name in names)).item())


def _is_claude() -> pl.Expr:
    named = [pl.col(name).str.contains(f"(?i){CLAUDE}") for name in ("provider_id", "request_model", "response_model")]
    return pl.any_horizontal(test.fill_null(value=False) for test in named)


def _without_unreadable(frame: pl.DataFrame) -> pl.DataFrame:
    """Details that are no whole number, below 0 or too large left out; the cache that is counted apart from the input leaves a gap."""
    tests = {name: test for name in DETAILS if (test := _unreadable(frame, name)) is not None}
    found = frame.select(test.any().alias(name) for name, test in tests.items())
    broken = {name: tests[name] for name in found.columns if found[name].item()}
    if not broken:
        return frame
    cache = [test for name, test in broken.items() if name in _CACHE]
    if cache:
        gap = pl.any_horizontal(cache) & pl.col("token_semantics").is_in(_APART)
        frame = frame.with_columns(usage_basis=pl.when(gap).then(pl.lit("partial")).otherwise("usage_basis"))
    return _dropped(frame, broken)


def _unreadable(frame: pl.DataFrame, name: str) -> pl.Expr | None:
    """Which rows' detail can't be one; None if the frame has none of that name."""
    failed = f"failed.usage.{name}" in frame.columns
    given = frame[f"usage.{name}"].null_count() < frame.height
    return _no_detail(name, failed=failed, given=given) if failed or given else None


@cache
def _no_detail(name: str, *, failed: bool, given: bool) -> pl.Expr:
    column = pl.col(f"usage.{name}")
    tests = [*[pl.col(f"failed.usage.{name}")] * failed, *[column < 0, column > _MOST] * given]
    return pl.any_horizontal(test.fill_null(value=False) for test in tests)


def _dropped(frame: pl.DataFrame, broken: dict[str, pl.Expr]) -> pl.DataFrame:
    """`frame` without the measures of rows where they are broken, named in the tag; where a row has none there is nothing to name."""
    return _named(frame, {name: test & _given(frame, name) for name, test in broken.items()}).with_columns(
        pl.when(~test).then(pl.col(f"usage.{name}")).alias(f"usage.{name}") for name, test in broken.items()
    )


def _named(frame: pl.DataFrame, left_out: Mapping[str, pl.Expr]) -> pl.DataFrame:
    """`frame` with the names of what was left out of its rows in the tag."""
    if not left_out:
        return frame
    known = pl.col(f"tag.{TAG}") if f"tag.{TAG}" in frame.columns else pl.lit(None, dtype=pl.String)
    named = [
        pl.when(test).then(pl.lit(name)).otherwise(pl.lit(None, dtype=pl.String)) for name, test in left_out.items()
    ]
    tag = pl.concat_str(known, *named, separator=" ", ignore_nulls=True)
    return frame.with_columns(pl.when(tag != "").then(tag).alias(f"tag.{TAG}"))


def _given(frame: pl.DataFrame, name: str) -> pl.Expr:
    """Whether a measure says anything; one that is 0 is left out without a word."""
    unreadable = pl.col(f"failed.usage.{name}") if f"failed.usage.{name}" in frame.columns else pl.lit(value=False)
    return (pl.col(f"usage.{name}") != 0).fill_null(unreadable)
