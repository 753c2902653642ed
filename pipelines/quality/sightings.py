"""Checks on calls that two sources or instruments record: which were counted once, and which may still be counted twice.

`pipelines.requests.sightings` decides which records are one call; these checks look at the loaded days. Every function reads
in the caller's transaction and changes nothing.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from psycopg import Connection

from pipelines.meters import INPUT_METERS, OUTPUT_METERS
from pipelines.quality.held import HeldRequests
from pipelines.quality.outcome import ExpectationOutcome

SAMPLE_SIZE = 5
_INPUT = " + ".join(f"{meter.tokens_column}::bigint" for meter in INPUT_METERS)
_OUTPUT = " + ".join(f"{meter.tokens_column}::bigint" for meter in OUTPUT_METERS)
_OWN_RULES = ["same_record", "later_update", "stream_delta", "counter_replay"]
_TOLD_APART = ["otel_genai", "mapping"]
"""Formats in which one source may hold records of several instruments."""


def counted_once(connection: Connection[Any], from_date: date, to_date: date) -> ExpectationOutcome:
    """Which source was preferred where several record a call, how often, and what these calls would have cost once more.

    Never fails: `observed` counts the records dropped on `[from_date, to_date)` for one of another source or instrument.
    """
    rows = connection.execute(
        """
        select kept.source, gone.source, rule, count(*), coalesce(sum(list_cost_usd), 0)
        from raw.duplicate
        join raw.snapshot as gone on gone.snapshot_id = duplicate.snapshot_id
        join raw.snapshot as kept on kept.snapshot_id = kept_snapshot_id
        left join core.request
            on request.request_uid = duplicate.request_uid and request.event_date = duplicate.event_date
            and rule <> 'sum_of_spans'
        where duplicate.event_date >= %s and duplicate.event_date < %s and rule <> all(%s)
        group by kept.source, gone.source, rule
        order by count(*) desc, kept.source, gone.source, rule
        """,
        (from_date, to_date, _OWN_RULES),
    ).fetchall()
    words = [
        f"{kept} kept {number:,} times for {gone if gone != kept else 'another instrument of its own'} ({rule}, {_usd(cost)})"
        for kept, gone, rule, number, cost in rows
    ]
    found = f" Here: {'; '.join(words[:SAMPLE_SIZE])}." if words else ""
    return ExpectationOutcome(
        name="counted_once",
        description="A call that several sources or instruments record counts once; the richest record is kept, then that of the "
        f"source with the lower `precedence` in sources.yaml.{found}",
        severity="warning",
        success=True,
        observed=sum(row[3] for row in rows),
        sample=tuple(
            {"kept": kept, "dropped": gone, "rule": rule, "records": str(number), "list_cost_usd": f"{cost:f}"}
            for kept, gone, rule, number, cost in rows[:SAMPLE_SIZE]
        ),
    )


def look_alikes(
    connection: Connection[Any], from_date: date, to_date: date, held: HeldRequests | None = None
) -> ExpectationOutcome:
    """No two requests of different sources or instruments have the same counts and model at the same time, and no span states
    something else than the calls inside it. `unexpected_count` counts those that may be counted twice, with their money."""
    pairs = _pairs(connection, from_date, to_date)
    facts = (held or HeldRequests(connection, from_date, to_date)).by_day
    around = _around(connection, from_date, to_date) if any(day["spans_around"] for day in facts.values()) else []
    words = [
        f"{number:,} of {_named(source, emitter)} like {_named(other, other_emitter)}, {_usd(cost)}: drop them with "
        f"`look_alikes: [{{keep: {_yaml(other, other_emitter)}, drop: {_yaml(source, emitter)}}}]` in sources.yaml"
        for source, emitter, other, other_emitter, number, cost in pairs[:SAMPLE_SIZE]
    ] + [
        f"{number:,} spans of {_named(source, emitter)} around calls that they do not add up to, {_usd(cost)}"
        for source, emitter, number, cost in around[:SAMPLE_SIZE]
    ]
    doubtful = [*pairs, *around]
    found = f" May be counted twice: {'; '.join(words)}." if words else ""
    return ExpectationOutcome(
        name="look_alikes",
        description="No call of one source or instrument looks like one of another: same counts, same model, same time, "
        f"no common id.{found}",
        severity="warning",
        success=not doubtful,
        observed=_usd(sum((row[-1] for row in doubtful), Decimal(0))),
        unexpected_count=sum(row[-2] for row in doubtful),
    )


def _around(connection: Connection[Any], from_date: date, to_date: date) -> list[tuple[Any, ...]]:
    """Source and emitter of spans that the calls inside them don't add up to, how many, and their money."""
    return connection.execute(
        "select source, coalesce(tags ->> 'emitter', ''), count(*), coalesce(sum(list_cost_usd), 0) from core.request "
        "where event_date >= %s and event_date < %s and tags ? 'calls_inside' group by 1, 2 order by 3 desc, 1, 2",
        (from_date, to_date),
    ).fetchall()


def _pairs(connection: Connection[Any], from_date: date, to_date: date) -> list[tuple[Any, ...]]:
    """Source and emitter of what began first and of what it looks like, how many, and the money of the first."""
    window = {"from": from_date, "to": to_date, "apart": _TOLD_APART}
    several = connection.execute(
        """
        select count(distinct source) > 1 or bool_or(format = any(%(apart)s))
        from raw.loaded_file join raw.snapshot using (snapshot_id)
        where event_date >= %(from)s and event_date < %(to)s and requests > 0
        """,
        window,
    ).fetchone()
    if several is None or not several[0]:
        return []
    return connection.execute(
        f"""
        with calls as (
            select
                coalesce(model_id, lower(coalesce(response_model, request_model)), '') as model,
                {_INPUT} as input_tokens, {_OUTPUT} as output_tokens,
                event_at, event_at + make_interval(secs => coalesce(latency_ms, 0) / 1000) as ended_at,
                source, coalesce(tags ->> 'emitter', '') as emitter, list_cost_usd
            from core.request
            where
                event_date >= %(from)s and event_date < %(to)s and status <> 'cache_hit' and usage_basis <> 'missing'
                and not coalesce(tags ? 'calls_inside', false)
        ),
        alike as (
            select model, input_tokens, output_tokens
            from calls
            where input_tokens + output_tokens > 0
            group by model, input_tokens, output_tokens
            having count(*) > 1 and (min(source) <> max(source) or min(emitter) <> max(emitter))
        ),
        neighbours as (
            select
                source, emitter, ended_at, list_cost_usd, lead(source) over in_order as other, lead(emitter) over in_order as other_emitter,
                lead(event_at) over in_order as other_at
            from calls join alike using (model, input_tokens, output_tokens)
            window in_order as (partition by model, input_tokens, output_tokens order by event_at, ended_at desc, source, emitter)
        )
        select source, emitter, other, other_emitter, count(*), coalesce(sum(list_cost_usd), 0)
        from neighbours
        where ended_at + interval '1 second' >= other_at and (source, emitter) <> (other, other_emitter)
        group by source, emitter, other, other_emitter
        order by 6 desc, 5 desc, 1, 2, 3, 4
        """.encode(),
        window,
    ).fetchall()


def _named(source: str, emitter: str) -> str:
    return f"{source} ({emitter})" if emitter else source


def _yaml(source: str, emitter: str) -> str:
    return f"{{source: {source}, emitter: {emitter}}}" if emitter else f"{{source: {source}}}"


def _usd(amount: Decimal) -> str:
    return f"{amount:,.6f} USD"
