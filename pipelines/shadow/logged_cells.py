"""Sums of a day's requests that are alike: what off-policy estimates (`off_policy.py`) are made of.

Alike are requests of one use case and model with prompts of the same power of two. Sessions are put into groups by a documented hash,
because the sums of a day are kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import reduce
from operator import add

import polars as pl

from pipelines.ids import as_uuid
from pipelines.meters import INPUT_METERS, OUTPUT_METERS
from pipelines.requests.attribution import USE_CASE

CLUSTERS = 400
"""Sessions are put into so many groups: fewer rows, and a wider interval if anything."""
_KEY = ("use_case", "size", "model_id", "cluster")
_SUMS = ("requests", "ok", "output", "cost_usd")
_POWERS = pl.Series([2**power for power in range(1, 62)], dtype=pl.Int64)
_INPUT = [meter.tokens_column for meter in INPUT_METERS]
_OUTPUT = [meter.tokens_column for meter in OUTPUT_METERS]
CELL_COLUMNS = (
    "application", "team", "model_id", "session_id", "request_uid", "status", "effective_cost_usd", *_INPUT, *_OUTPUT,
)  # fmt: skip
"""The columns of core.request that the sums are made of."""


def cells_of_day(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """use_case, size, model_id, cluster, and the sums requests, ok, output and cost_usd (decimal), sorted.

    `parts` are rows of core.request (CELL_COLUMNS). Requests without a model or a cost are left out. `size` is the whole part of the
    prompt's logarithm to the base of two, 0 for an empty one; `cluster` the first two bytes of the session's SHA-256.
    """
    found = [_cells(rows) for rows in parts]
    return pl.concat(found).group_by(_KEY).agg(pl.col(_SUMS).sum()).sort(_KEY)


def _cells(rows: pl.DataFrame) -> pl.DataFrame:
    counted = rows.filter(pl.col("model_id").is_not_null(), pl.col("effective_cost_usd").is_not_null())
    tokens = counted.select(input=_sum(_INPUT), output=_sum(_OUTPUT))
    size = pl.Series(_POWERS.search_sorted(tokens["input"], side="right"))
    return (
        counted.select(
            USE_CASE,
            "model_id",
            pl.col("effective_cost_usd").alias("cost_usd"),
            (pl.col("status") == "ok").alias("is_ok"),
        )
        .with_columns(
            size.cast(pl.Int64).alias("size"), _cluster(counted["session_id"], counted["request_uid"]), tokens["output"]
        )
        .group_by(_KEY)
        .agg(
            pl.len().cast(pl.Int64).alias("requests"),
            pl.col("is_ok").sum().cast(pl.Int64).alias("ok"),
            pl.col("output", "cost_usd").sum(),
        )
    )


def _sum(columns: list[str]) -> pl.Expr:
    return reduce(add, (pl.col(name).cast(pl.Int64) for name in columns))


def _cluster(session: pl.Series, request: pl.Series) -> pl.Series:
    """The group of each request's session; one without a session is one by itself."""
    if session.null_count():
        alone = [str(as_uuid(value)) for value in request.filter(session.is_null())]
        place = (session.is_null().cum_sum().cast(pl.Int64) - 1).clip(
            0
        )  # it counts without a sign: 0 - 1 is no less than 0
        session = pl.select(
            pl.when(session.is_null()).then(pl.Series(alone, dtype=pl.String).gather(place)).otherwise(session)
        ).to_series()
    names = session.unique()
    groups = [int.from_bytes(hashlib.sha256(name.encode()).digest()[:2], "big") % CLUSTERS for name in names]
    return session.replace_strict(names, pl.Series(groups, dtype=pl.Int32), return_dtype=pl.Int32).alias("cluster")
