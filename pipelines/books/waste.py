"""The rows of mart.waste: requests that could have cost less, and by how much.

Each finding but `failed` says how the request would have been counted without the waste. Its saving is the request's cost less
the cost of that, by the rate card of its moment (`pipelines.prices.rating`). What can't be known is no finding: a cache
whose life is not stated, one that was alive when the log ends, a request whose cost is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from pipelines.books.waste_context import LIVES, SAME_PROMPTS, SAME_SESSION, Context
from pipelines.config.allocation import ATTRIBUTION, UNATTRIBUTED
from pipelines.config.patterns import regex_of
from pipelines.config.waste import WaitRule
from pipelines.meters import COUNT_COLUMNS
from pipelines.prices.rating import rate
from pipelines.warehouse.tables.mart_economics import FINDINGS, WASTE

PAST_BOUND = 20
"""A request is just past a bound where a twentieth of the bound or less lies above it."""

_UNCACHED = pl.col("input_uncached_tokens")

CALL_COLUMNS = tuple(dict.fromkeys([
    "event_date", "request_uid", "event_at", *SAME_SESSION, *SAME_PROMPTS, *ATTRIBUTION, "status", "service_tier", "region",
    "is_billable", "usage_basis", *COUNT_COLUMNS, "effective_cost_usd", "rate_id",
]))  # fmt: skip
"""The columns of core.request that findings look at."""


def candidates(
    calls: pl.DataFrame, context: Context, rate_card: pl.DataFrame, rules: Sequence[WaitRule]
) -> pl.DataFrame:
    """The requests among `calls` (rows of core.request, CALL_COLUMNS at least) that may be a finding, with what the findings look at.

    `context` is made of all calls up to the end of the next day, which shows what follows.
    """
    cards = rate_card.select("rate_id", "context_counts", bound="context_from_tokens")
    unread = [f"unread_{column}" for column in LIVES]
    judged = (
        calls.filter(pl.col("status") != "cache_hit")
        .join(context.unread, on="request_uid", how="left", maintain_order="left")
        .join(context.missed, on="request_uid", how="left", maintain_order="left")
        .join(cards, on="rate_id", how="left", maintain_order="left")
        .with_columns(
            pl.col(unread).fill_null(value=False),
            has_failed=pl.col("status").is_in(["error", "cancelled"]),
            has_missed=pl.col("cached_before").is_not_null(),
            waits_for=_waits_for(rules),
        )
    )
    is_suspect = pl.any_horizontal(
        "has_failed",
        "has_missed",
        pl.col("waits_for").is_not_null(),
        (pl.col("bound") > 0).fill_null(value=False),
        *unread,
    )
    kept = judged.filter(pl.col("effective_cost_usd") > 0, is_suspect)
    return kept.with_columns(pl.col("team").fill_null(UNATTRIBUTED), cost_usd="effective_cost_usd")


def _waits_for(rules: Sequence[WaitRule]) -> pl.Expr:
    """The tier of the first rule that a request matches."""
    tiers = []
    for rule in rules:
        tests = [
            pl.col(field).fill_null(UNATTRIBUTED).str.contains(regex_of(pattern))
            for field, pattern in rule.when.items()
        ]
        tiers.append(pl.when(*tests).then(pl.lit(rule.tier)))
    return pl.coalesce(*tiers, pl.lit(None, pl.String))


def waste(calls: pl.DataFrame, rate_card: pl.DataFrame) -> pl.DataFrame:
    """Rows of mart.waste among `calls` (the columns of `candidates`): each counts for its first finding that saves money."""
    left, found = calls, [pl.DataFrame(schema=WASTE.polars_schema)]
    for name in FINDINGS:
        rows = _FINDINGS[name](left, rate_card).filter(pl.col("saving_usd") > 0)
        rows = rows.with_columns(finding=pl.lit(name)).select(WASTE.polars_schema.names()).cast(WASTE.polars_schema)
        found.append(rows)
        left = left.join(rows, on="request_uid", how="anti")
    return pl.concat(found).sort("event_date", "request_uid")


def _failed(calls: pl.DataFrame, _: pl.DataFrame) -> pl.DataFrame:
    return calls.filter("has_failed").with_columns(saving_usd="cost_usd")


def _cache_unread(calls: pl.DataFrame, rate_card: pl.DataFrame) -> pl.DataFrame:
    """The written tokens as plain input."""
    unread = [pl.when(f"unread_{column}").then(column).otherwise(0) for column in LIVES]
    plain = [(pl.col(column) - part).alias(column) for column, part in zip(LIVES, unread, strict=True)]
    wrote = calls.filter(pl.any_horizontal(f"unread_{column}" for column in LIVES))
    return _saving(wrote, wrote.with_columns(_UNCACHED + pl.sum_horizontal(unread), *plain), rate_card)


def _cache_miss(calls: pl.DataFrame, rate_card: pl.DataFrame) -> pl.DataFrame:
    """What the session had in the cache is read: taken from what was written to it anew, then from plain input."""
    missed, left, moved = calls.filter("has_missed"), pl.col("cached_before"), []
    for column in (*LIVES, "input_uncached_tokens"):
        part = pl.min_horizontal(pl.col(column), left)
        moved.append((pl.col(column) - part).alias(column))
        left = left - part
    return _saving(missed, missed.with_columns(*moved, input_cache_read_tokens=pl.col("cached_before")), rate_card)


def _context_bound(calls: pl.DataFrame, rate_card: pl.DataFrame) -> pl.DataFrame:
    """The prompt cut to below the bound, by tokens that no cache had."""
    prompt = pl.sum_horizontal(pl.col(c).cast(pl.Int64) for c in COUNT_COLUMNS if c.startswith("input_"))
    past = calls.filter(pl.col("context_counts") == "input", pl.col("bound") > 0).with_columns(
        above=prompt - pl.col("bound") + 1
    )
    past = past.filter(pl.col("above") * PAST_BOUND <= pl.col("bound"), pl.col("above") <= _UNCACHED)
    return _saving(past, past.with_columns(_UNCACHED - pl.col("above")), rate_card)


def _could_wait(calls: pl.DataFrame, rate_card: pl.DataFrame) -> pl.DataFrame:
    """The tier that the rule asks for."""
    early = calls.filter(pl.col("waits_for") != pl.col("service_tier"))
    return _saving(early, early.with_columns(service_tier="waits_for"), rate_card)


def _saving(calls: pl.DataFrame, instead: pl.DataFrame, rate_card: pl.DataFrame) -> pl.DataFrame:
    """`calls` with what each costs more than `instead`; null where that has no cost."""
    counted = instead.with_columns(pl.col(COUNT_COLUMNS).cast(pl.Int32))
    cost = rate(counted, rate_card)["effective_cost_usd"]
    return calls.with_columns(saving_usd=pl.col("cost_usd") - cost)


_FINDINGS: dict[str, Callable[[pl.DataFrame, pl.DataFrame], pl.DataFrame]] = {
    "failed": _failed,
    "cache_unread": _cache_unread,
    "cache_miss": _cache_miss,
    "context_bound": _context_bound,
    "could_wait": _could_wait,
}
