"""What the calls around a request say of it: a cache that nobody read in its life, or one that the call before it had and it did not.

The calls come by in parts. Of each only the columns that say when and of which session or prompts are held, 80 bytes a call, so a
day of five million calls is never held whole. What is made of a finding is in `waste.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from operator import add

import polars as pl

LIVES = {
    "input_cache_write_5m_tokens": timedelta(minutes=5),
    "input_cache_write_30m_tokens": timedelta(minutes=30),
    "input_cache_write_1h_tokens": timedelta(hours=1),
    "input_cache_write_12h_tokens": timedelta(hours=12),
}
"""How long a cache lives that nobody reads, by the column that counts what was written to it."""

SAME_PROMPTS = ("provider_id", "model_id", "team", "project", "application")
SAME_SESSION = ("source", "session_id", "provider_id", "model_id")
CONTEXT_COLUMNS = tuple(dict.fromkeys([
    "request_uid", "event_at", "status", *SAME_SESSION, *SAME_PROMPTS, *LIVES, "input_cache_read_tokens", "input_uncached_tokens",
]))  # fmt: skip
"""The columns of core.request that this needs."""

_WRITTEN = reduce(add, (pl.col(column).cast(pl.Int64) for column in LIVES))
_READ, _UNCACHED = pl.col("input_cache_read_tokens"), pl.col("input_uncached_tokens")
_STAYS_IN_CACHE = timedelta(minutes=5)
_ROWS = 500_000
"""Calls that are put into order at a time."""


@dataclass(frozen=True)
class Context:
    """What was found of single calls, by request_uid; a call that is in neither frame has nothing of it."""

    unread: pl.DataFrame
    """Calls that wrote to a cache, with `unread_<column>` for each of LIVES: nobody read from it while it lived."""
    missed: pl.DataFrame
    """Calls that found nothing in the cache although the call before them in their session had: cached_before."""


def context_of(parts: Iterable[pl.DataFrame]) -> Context:
    """Of calls (CONTEXT_COLUMNS at least) that come in parts, of whatever sessions."""
    in_sessions, of_caches, log_end = [], [], None
    for part in parts:
        seen = part.filter(pl.col("status") != "cache_hit")
        log_end = max(filter(None, (log_end, seen["event_at"].max())), default=None)  # type: ignore[type-var]
        in_sessions.append(
            seen.filter(pl.col("session_id").is_not_null()).select(
                "request_uid",
                *_numbers(SAME_SESSION),
                "event_at",
                cached=_WRITTEN + _READ,
                has_read=_READ > 0,
                not_read=_UNCACHED + _WRITTEN,
            )
        )
        of_caches.append(
            seen.filter((_WRITTEN > 0) | (_READ > 0)).select(
                "request_uid", *_numbers(SAME_PROMPTS), "event_at", *LIVES, has_read=_READ > 0, wrote=_WRITTEN > 0
            )
        )
    end = pl.lit(log_end, dtype=in_sessions[0].schema["event_at"])  # null where there are no calls
    return Context(
        pl.concat([_unread(some, end) for some in _in_groups(of_caches)]),
        pl.concat([_missed(some) for some in _in_groups(in_sessions)]),
    )


def _numbers(columns: tuple[str, ...]) -> list[pl.Expr]:
    """128 bits of hash in place of texts, the same throughout a process."""
    return [pl.struct(columns).hash(seed).alias(f"group_{seed}") for seed in (0, 1)]


_GROUP = ("group_0", "group_1")


def _in_groups(found: list[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The rows in parts of whole groups, at least one."""
    rows = pl.concat(found)
    found.clear()
    parts = max(1, -(-rows.height // _ROWS))
    for part in range(parts):
        yield rows.filter(pl.col("group_0") % parts == part) if parts > 1 else rows


def _unread(of_caches: pl.DataFrame, log_end: pl.Expr) -> pl.DataFrame:
    # From the last call to the first; of calls of one instant the one with the smaller id comes first here too.
    backwards = of_caches.sort("event_at", "request_uid", descending=[True, False])
    read = pl.when("has_read").then("event_at")
    found = (
        backwards.with_columns(read_at=read.forward_fill().over(_GROUP))
        .with_columns(pl.col("read_at").shift(1).over(_GROUP))
        .filter("wrote")
    )
    flags = [
        ((pl.col(column) > 0) & (pl.col("read_at").fill_null(log_end) > pl.col("event_at") + life)).alias(
            f"unread_{column}"
        )
        for column, life in LIVES.items()
    ]
    unread = found.select("request_uid", *flags)
    return unread.filter(pl.any_horizontal(pl.all().exclude("request_uid")))


def _missed(in_session: pl.DataFrame) -> pl.DataFrame:
    calls = in_session.sort("event_at", "request_uid").with_row_index("place")
    # One window that numbers the call before takes half as long as one for each of its values.
    before = pl.col("place").shift(1).over(_GROUP)
    later = calls.with_columns(before=before).filter(~pl.col("has_read"), pl.col("before").is_not_null())
    former = calls.select(before_at="event_at", cached_before="cached")[later["before"]]
    return (
        pl.concat([later, former], how="horizontal")
        .filter(
            pl.col("cached_before") > 0,
            pl.col("event_at") <= pl.col("before_at") + _STAYS_IN_CACHE,
            pl.col("not_read") >= pl.col("cached_before"),
        )
        .select("request_uid", "cached_before")
    )
