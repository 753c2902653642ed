"""The rows of mart.waste: requests that could have cost less, and by how much.

Each finding but `failed` says how the request would have been counted without the waste. Its saving is the request's cost less
the cost of that, by the rate card of its moment (`pipelines.prices.rating`). What can't be known is no finding: a cache
whose life is not stated, one that was alive when the log ends, a request whose cost is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import polars as pl

from pipelines.config.waste import WaitRule
from pipelines.meters import COUNT_COLUMNS
from pipelines.prices.rating import rate
from pipelines.warehouse.tables.mart_economics import FINDINGS, WASTE

PAST_BOUND = 20
"""A request is just past a bound where a twentieth of the bound or less lies above it."""

LIVES = {"input_cache_write_5m_tokens": "5 minutes", "input_cache_write_1h_tokens": "1 hour"}
"""How long a cache lives that nobody reads, by the column that counts what was written to it."""

_WRITTEN = " + ".join(LIVES)
_UNREAD = ", ".join(
    f"({column} > 0 and coalesce(read_at, log_end) > event_at + interval '{life}') as unread_{column}"
    for column, life in LIVES.items()
)

_CANDIDATES = f"""
    with seen as (
        select
            *,
            {_WRITTEN} + input_cache_read_tokens as cached,
            max(event_at) over () as log_end,
            -- From the last call to the first: the next call of the same prompts that read a cache.
            min(event_at) filter (where input_cache_read_tokens > 0) over (
                partition by provider_id, model_id, team, project, application
                order by event_at desc, request_uid rows between unbounded preceding and 1 preceding
            ) as read_at
        from core.request
        where event_date >= %(from)s and event_date < %(to)s::date + 1 and status <> 'cache_hit'
    ),
    followed as (
        select
            *,
            lag(event_at) over in_session as before_at,
            lag(cached) over in_session as cached_before
        from seen
        window in_session as (partition by source, session_id, provider_id, model_id order by event_at, request_uid)
    ),
    judged as (
        select
            *,
            status in ('error', 'cancelled') as has_failed,
            session_id is not null and cached_before > 0 and input_cache_read_tokens = 0
                and event_at <= before_at + interval '5 minutes'
                and input_uncached_tokens + {_WRITTEN} >= cached_before as has_missed,
            {_UNREAD},
            {{waits_for}} as waits_for
        from followed
    )
    select
        judged.event_date, judged.request_uid, judged.provider_id, judged.model_id, coalesce(judged.team, 'unattributed') as team,
        judged.service_tier, judged.region, judged.event_at, judged.is_billable, judged.usage_basis,
        {", ".join(f"judged.{column}" for column in COUNT_COLUMNS)},
        judged.effective_cost_usd as cost_usd, cached_before, has_failed, has_missed, waits_for,
        {", ".join(f"unread_{column}" for column in LIVES)},
        card.context_from_tokens as bound, card.context_counts
    from judged
    left join core.rate_card as card using (rate_id)
    where judged.event_date < %(to)s and judged.effective_cost_usd > 0
        and (has_failed or has_missed or waits_for is not null or card.context_from_tokens > 0 or {" or ".join(f"unread_{c}" for c in LIVES)})
"""


def candidates(rules: Sequence[WaitRule], from_date: date, to_date: date) -> tuple[str, dict[str, Any]]:
    """Query and parameters of the requests of [from_date, to_date) that may be a finding, with what the findings look at.

    The day after is read for what follows.
    """
    found: dict[str, Any] = {"from": from_date, "to": to_date}
    whens = []
    for number, rule in enumerate(rules):
        found[f"tier_{number}"] = rule.tier
        tests = []
        for field, pattern in rule.when.items():
            escaped = pattern.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
            found[f"{field}_{number}"] = escaped.replace("*", "%")
            tests.append(f"coalesce({field}, 'unattributed') like %({field}_{number})s")
        whens.append(f"when {' and '.join(tests)} then %(tier_{number})s")
    return _CANDIDATES.replace("{waits_for}", f"case {' '.join(whens)} end" if whens else "null::text"), found


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
    return _saving(
        wrote, wrote.with_columns(pl.col("input_uncached_tokens") + pl.sum_horizontal(unread), *plain), rate_card
    )


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
    past = past.filter(
        pl.col("above") * PAST_BOUND <= pl.col("bound"), pl.col("above") <= pl.col("input_uncached_tokens")
    )
    return _saving(past, past.with_columns(pl.col("input_uncached_tokens") - pl.col("above")), rate_card)


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
