"""A day of requests in parts of whole sessions: what needs a session's requests in order need not hold the day in order.

A part holds whole buckets: what is added up by bucket is never split among parts.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
from polars_hash import NonCryptographicHashingNameSpace

BUCKETS = 32
"""Groups of whole sessions by hash: what is drawn again to know how much the traffic itself varies."""
_ROWS = 125_000
"""Requests of a part, on a day whose sessions are short: what is made of them takes some 80 MB."""


def bucket_of() -> pl.Expr:
    """The bucket of a request (Int32) by the XXH64 of its session, or of the request itself.

    Kept days are added up with those of later years: polars' own hash may change with its version.
    """
    whose = pl.coalesce("session_id", pl.col("request_uid").bin.encode("hex"))
    return (NonCryptographicHashingNameSpace(whose).xxhash64() % BUCKETS).cast(pl.Int32)


def slices(requests: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The rows as they come, in slices that hold parts of sessions; at least one."""
    yield from requests.iter_slices(_ROWS) if requests.height else [requests]


def whole_sessions(requests: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The rows (session_id and request_uid at least) in parts, at least one."""
    if requests.height <= _ROWS:
        yield requests
        return
    bucket = pl.concat([one.select(bucket=bucket_of().cast(pl.Int8)) for one in slices(requests)]).to_series()
    parts = min(BUCKETS, -(-requests.height // _ROWS))
    for part in range(parts):
        yield requests.filter(bucket % parts == part)
