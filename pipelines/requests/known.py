"""How much of a request's usage is known: what a source left open is unknown, never nothing.

The counts themselves become buckets in `semantics.py` in the same folder; a request of which not all is known has no
cost (`pipelines.prices.rating`).
"""

from __future__ import annotations

from functools import lru_cache

import polars as pl

from pipelines.meters import STAND_ALONE
from pipelines.records.measures import MEASURES
from pipelines.requests.semantics import measure

_OF_INPUT = tuple(name for name in MEASURES if name.startswith(("cache", "input_")))
_SILENT = r"embed|rerank|moderat|classif|count_tokens"
"""Operations that answer without a token of output, and models that are made for them."""
_SILENT_MODELS = rf"{_SILENT}|^voyage-|(?:^|/)(?:bge|gte|e5|all-minilm)-"


def usage_basis(frame: pl.DataFrame, *, trusts_total: bool) -> pl.Expr:
    """missing, partial, estimated or reported, over the columns `usage.<measure>`, counts, status, operation and the models of `frame`.

    Usage is missing where no count is given, and where all are 0 of a call that was answered: an answered call has a
    prompt, so that such zeros stand for a stream that stated nothing or for a logger's default. It is partial where input
    or output is not given, or the input is 0 and something was answered. A call that answers with no tokens (embeddings,
    moderation, ranking) needs no output. With `trusts_total` the total is the provider's own: an output that is absent
    is nothing where the input reaches the total, because providers that answer in Protobuf leave zeros out. A count that
    stands alone (pages, search units) is all of the usage where no tokens are stated; the column `is_estimated` marks one that
    the format worked out.
    """
    given = tuple(name for name in MEASURES if frame[f"usage.{name}"].null_count() < frame.height)
    alone = tuple(name for name in STAND_ALONE if name in frame.columns)
    lacks_output = bool(frame["usage.output"].null_count())
    return _basis(given, alone, "is_estimated" in frame.columns, lacks_output, lacks_output and trusts_total)


@lru_cache(256)
def _basis(
    given: tuple[str, ...], counted_alone: tuple[str, ...], says_estimated: bool, lacks_output: bool, trusts_total: bool
) -> pl.Expr:
    """Made once for files that give the same counts: most files are small."""
    something = _any(*(pl.col(f"usage.{name}") > 0 for name in given))
    prompt = _any(*(pl.col(f"usage.{name}") > 0 for name in given if name == "input" or name in _OF_INPUT))
    has_output = pl.col("usage.output").is_not_null()
    if lacks_output:
        has_output = has_output | _is_silent() | (_reaches_total() if trusts_total else pl.lit(value=False))
    # Of a call that failed before it was answered, zeros are what they say.
    nothing = _any(*(pl.col(f"usage.{name}") == 0 for name in given)) & ~pl.col("status").is_in(["ok", "cancelled"])
    alone = _any(*(pl.col(name) > 0 for name in counted_alone))
    worked_out = pl.col("is_estimated") if says_estimated else pl.lit(value=False)
    return (
        pl.when(alone & ~something)
        .then(pl.when(worked_out).then(pl.lit("estimated")).otherwise(pl.lit("reported")))
        .when(something & prompt & pl.col("usage.input").is_not_null() & has_output)
        .then(pl.lit("reported"))
        .when(something)
        .then(pl.lit("partial"))
        .when(nothing)
        .then(pl.lit("reported"))
        .otherwise(pl.lit("missing"))
    )


def _any(*tests: pl.Expr) -> pl.Expr:
    return pl.any_horizontal(pl.lit(value=False), *(test.fill_null(value=False) for test in tests))


def _is_silent() -> pl.Expr:
    operation = pl.col("operation").str.contains(rf"(?i){_SILENT}")
    return _any(
        operation,
        *(pl.col(name).str.contains(rf"(?i){_SILENT_MODELS}") for name in ("request_model", "response_model")),
    )


def _reaches_total() -> pl.Expr:
    """Whether the total holds no output: it is the input, with or without what some count apart from it."""
    total, given = pl.col("usage.total"), measure("input")
    cache = measure("cache_read") + measure("cache_write")
    apart = measure("reasoning") + measure("input_tool")
    return _any(total == given, total == given + cache, total == given + apart)
