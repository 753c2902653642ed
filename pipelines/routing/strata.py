"""Traffic as strata: requests that every price treats alike, added up. A day of a million requests becomes some thousand rows.

All that a policy needs is linear in tokens once the card that holds is known, so a stratum costs what its requests
would cost together. What decides the card goes into the key: hours, prompt size, and whether the model thought.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import reduce
from operator import add

import polars as pl

from pipelines.meters import COUNT_COLUMNS, INPUT_METERS
from pipelines.prices.rating import COUNTED
from pipelines.prices.windows import is_inside
from pipelines.routing.session_parts import bucket_of
from pipelines.warehouse.tables.core_routing import LAGS

UNRESOLVED = "unresolved"
"""Stands for the model of requests whose model is not known."""
TTL_SECONDS = 300
"""How long a provider keeps a prompt that nobody asks for again, unless a policy says otherwise."""

_SESSION = "session_number"
"""Counts the sessions of a part; a request without one has a number of its own."""
_LOOP_REQUESTS, _LOOP_TOKENS = 4, 100_000
_READS = [meter.tokens_column for meter in INPUT_METERS if meter.cache_action == "Read"]
_WHO = ("provider_id", "model_id", "is_loop", "lane", "is_priced", "bucket")
REUSE = [f"reuse_{lag}" for lag in range(1, LAGS + 1)]


def strata(grouped: pl.DataFrame, rate_card: pl.DataFrame, *, calendars: Mapping[str, frozenset[date]]) -> pl.DataFrame:
    """Requests as `in_groups` returns them, added up by whatever decides a price.

    `rate_card` holds the cards of the models that may serve them. Columns: provider_id, model_id, is_loop, lane, is_priced
    and bucket as in `grouped`, event_at and size_<measure> (the smallest of the stratum: they stand for all of it),
    is_thinking, requests, the token columns and the other counts summed (Int64), effective_cost_usd summed (Decimal),
    reuse_1 to reuse_8 (tokens read from a cache that a request 1 to 8 before it in its session could have left there in time) and
    sessionless_reads (tokens read from a cache by requests without a session).
    """
    known = grouped.with_columns((pl.col("output_reasoning_tokens") > 0).alias("is_thinking"), *_sizes(rate_card))
    cells = {**_size_cells(rate_card), **_time_cells(known, rate_card, calendars)}
    sizes = [name for name in known.columns if name.startswith("size_")]
    keyed = known.with_columns(**cells)
    return (
        keyed.group_by(*_WHO, "is_thinking", *cells)
        .agg(
            pl.len().cast(pl.Int64).alias("requests"),
            pl.col("event_at").min(),
            *(pl.col(name).min() for name in sizes),
            *(pl.col(name).cast(pl.Int64).sum() for name in COUNT_COLUMNS),
            pl.col("effective_cost_usd").sum(),
            *(pl.col(name).sum() for name in (*REUSE, "sessionless_reads")),
        )
        .drop(*cells)
    )


def in_order(rows: pl.DataFrame) -> pl.DataFrame:
    """Strata in an order that depends on nothing but themselves."""
    sizes = [name for name in rows.columns if name.startswith("size_")]
    return rows.sort(*_WHO, "is_thinking", "event_at", *sizes)


def in_groups(requests: pl.DataFrame, ttl_seconds: int = TTL_SECONDS) -> pl.DataFrame:
    """Rows of core.request with what `strata` groups them by and the cached tokens that it sums.

    model_id is UNRESOLVED where it is not known, is_loop marks an agent's loop (a session of four requests or more, or a prompt of
    100,000 tokens mostly out of a cache), bucket is 0 to BUCKETS - 1 and holds whole sessions. A prompt is cached for `ttl_seconds`.
    """
    return _with_reuse(requests, ttl_seconds).with_columns(
        pl.col("model_id").fill_null(UNRESOLVED),
        _loop().alias("is_loop"),
        bucket_of().alias("bucket"),
    )


def _loop() -> pl.Expr:
    long_session = pl.col("session_id").is_not_null() & (pl.len().over(_SESSION) >= _LOOP_REQUESTS)
    return long_session | ((pl.col("prompt") >= _LOOP_TOKENS) & (pl.col("reads") * 2 >= pl.col("prompt")))


def _with_reuse(requests: pl.DataFrame, ttl_seconds: int) -> pl.DataFrame:
    """Adds prompt and reads (Int64), reuse_<lag>, sessionless_reads and _SESSION; sorted by session and instant.

    Whole seconds count, as a provider's do. Sessions are compared by number: eight comparisons of their names took longer than all else.
    """
    reads = reduce(add, [pl.col(name).cast(pl.Int64) for name in _READS])
    prompt = reduce(add, [pl.col(meter.tokens_column).cast(pl.Int64) for meter in INPUT_METERS])
    ordered = requests.with_columns(reads=reads, prompt=prompt).sort("session_id", "event_at", "request_uid")
    name, at = pl.col("session_id"), pl.col("event_at").dt.epoch("us")
    numbered = ordered.with_columns((name.is_null() | name.ne_missing(name.shift())).cum_sum().alias(_SESSION), at=at)
    session, within = pl.col(_SESSION), (ttl_seconds + 1) * 1_000_000
    reused = [
        pl.when((session.shift(lag) == session) & (pl.col("at") - pl.col("at").shift(lag) < within))
        .then(pl.min_horizontal("reads", pl.col("prompt").shift(lag)))
        .otherwise(0)
        .alias(f"reuse_{lag}")
        for lag in range(1, LAGS + 1)
    ]
    sessionless = pl.when(name.is_null()).then("reads").otherwise(0).alias("sessionless_reads")
    return numbered.with_columns(*reused, sessionless).drop("at")


def _sizes(rate_card: pl.DataFrame) -> list[pl.Expr]:
    """What the bounds of the cards count, per request."""
    return [
        reduce(add, [pl.col(meter.tokens_column).cast(pl.Int64) for meter in COUNTED[measure]]).alias(f"size_{measure}")
        for measure in sorted(rate_card["context_counts"].unique())
    ]


def _size_cells(rate_card: pl.DataFrame) -> dict[str, pl.Expr]:
    cells = {}
    for (measure,), cards in rate_card.partition_by("context_counts", as_dict=True).items():
        bounds = {*cards["context_from_tokens"], *cards["context_to_tokens"].drop_nulls()}
        if any(bound > 0 for bound in bounds):
            cells[f"cell_size_{measure}"] = _interval(pl.col(f"size_{measure}"), sorted(bounds))
    return cells


def _time_cells(
    requests: pl.DataFrame, rate_card: pl.DataFrame, calendars: Mapping[str, frozenset[date]]
) -> dict[str, pl.Expr]:
    first, last = requests["event_at"].min(), requests["event_at"].max()
    bounds = {*rate_card["valid_from"], *rate_card["valid_to"].drop_nulls()}
    inside = sorted(bound for bound in bounds if first is not None and first < bound <= last)
    cells = {"cell_period": _interval(pl.col("event_at"), inside)} if inside else {}
    windows = sorted({window for window in rate_card["time_window"] if window})
    return cells | {
        f"cell_window_{number}": is_inside(window, pl.col("event_at"), calendars)
        for number, window in enumerate(windows)
    }


def _interval(value: pl.Expr, bounds: list[object]) -> pl.Expr:
    """How many of `bounds` a value has reached: cards hold from their bound on."""
    return reduce(add, [(value >= pl.lit(bound)).cast(pl.Int32) for bound in bounds])
