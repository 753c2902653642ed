"""Checks that the books add up: file against file index, facts against marts, feeds against the clock.

These compare tables with each other, which a suite on one table can't; suites are in `suites.py` beside this module,
the result type in `outcome.py`. Every function reads in the caller's transaction and changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from psycopg import Connection

from pipelines.meters import INPUT_METERS, OUTPUT_METERS
from pipelines.quality.outcome import ExpectationOutcome, Severity

SAMPLE_SIZE = 5

_INPUT = " + ".join(meter.tokens_column for meter in INPUT_METERS)
_OUTPUT = " + ".join(meter.tokens_column for meter in OUTPUT_METERS)


def lines_accounted(connection: Connection[Any]) -> ExpectationOutcome:
    """For every file: lines = valid + quarantined; and each quarantined record of a request or bill file is in raw.quarantine."""
    rows = connection.execute(
        """
        with held as (
            select snapshot_id, count(*) as records from raw.quarantine group by snapshot_id
        )
        select landing_path, lines, valid, quarantined, coalesce(held.records, 0)
        from raw.snapshot
        left join held using (snapshot_id)
        where lines <> valid + quarantined or kind in ('requests', 'bills') and quarantined <> coalesce(held.records, 0)
        order by landing_path
        """
    ).fetchall()
    return ExpectationOutcome(
        name="lines_accounted",
        description="Every line of every file is valid or quarantined, and what is quarantined can be looked at.",
        severity="blocking",
        success=not rows,
        observed=_scalar(connection, "select coalesce(sum(lines), 0)::bigint from raw.snapshot"),
        unexpected_count=len(rows),
        sample=_sample(("file", "lines", "valid", "quarantined", "in raw.quarantine"), rows),
    )


def every_file_read(connection: Connection[Any]) -> ExpectationOutcome:
    """No request or bill file is set aside because our own reader failed on it. `observed` counts those files."""
    rows = connection.execute(
        """
        select landing_path, detail
        from raw.quarantine
        join raw.snapshot using (snapshot_id)
        where reason = 'reader_failed'
        order by landing_path
        """
    ).fetchall()
    return ExpectationOutcome(
        name="every_file_read",
        description="No request or bill file made our own reader fail. One that did is set aside whole and tried again "
        "by the next run; every other file is loaded. Please report the place named, or remove the file.",
        severity="warning",
        success=not rows,
        observed=len(rows),
        unexpected_count=len(rows),
        sample=_sample(("file", "failure"), rows),
    )


def records_accounted(
    connection: Connection[Any], from_date: date, to_date: date, loaded_days: Collection[date]
) -> ExpectationOutcome:
    """For every request file that touches `[from_date, to_date)`: valid = loaded + duplicates.

    `loaded_days` are the UTC days whose requests have been loaded. A file with a day outside them is left for later.
    So is a shortfall (never an excess) of a file beside whose days lies a day with events that is not loaded: the kept
    record of a pair that straddles midnight may fall on that day. `observed` counts the files compared.
    """
    files = _balances(connection, from_date, to_date)
    loaded = set(loaded_days)
    with_events = {
        day for (days,) in connection.execute("select event_dates from raw.snapshot").fetchall() for day in days
    }
    compared, wrong = 0, []
    for path, days, valid, kept, duplicates in files:
        if not loaded.issuperset(days):
            continue
        shortfall = valid - kept - duplicates
        beside = {day + timedelta(days=step) for day in days for step in (-1, 1)} & with_events
        if shortfall > 0 and not loaded.issuperset(beside):
            continue
        compared += 1
        if shortfall:
            wrong.append((path, valid, kept, duplicates))
    bills = _bill_balances(connection)
    compared += len(bills)
    wrong += [bill for bill in bills if bill[1] != bill[2] + bill[3]]
    return ExpectationOutcome(
        name="records_accounted",
        description="Every valid record of a file whose days are loaded is a request, or a duplicate of one; of a bill, "
        "a row of core.reported_cost, or a duplicate of one.",
        severity="blocking",
        success=not wrong,
        observed=compared,
        unexpected_count=len(wrong),
        sample=_sample(("file", "valid", "loaded", "duplicates"), wrong),
    )


def loaded_files_agree(connection: Connection[Any], from_date: date, to_date: date) -> ExpectationOutcome:
    """For every day in `[from_date, to_date)` and file: raw.loaded_file counts what core.request holds."""
    rows = connection.execute(
        """
        with held as (
            select event_date, snapshot_id, count(*) as requests
            from core.request
            where event_date >= %(from)s and event_date < %(to)s
            group by event_date, snapshot_id
        ),
        told as (
            select event_date, snapshot_id, requests
            from raw.loaded_file
            where event_date >= %(from)s and event_date < %(to)s
        )
        select event_date, snapshot_id, coalesce(held.requests, 0), coalesce(told.requests, 0)
        from held
        full join told using (event_date, snapshot_id)
        where coalesce(held.requests, 0) <> coalesce(told.requests, 0)
        order by event_date, snapshot_id
        """,
        {"from": from_date, "to": to_date},
    ).fetchall()
    counted = "select count(*) from raw.loaded_file where event_date >= %s and event_date < %s"
    return ExpectationOutcome(
        name="loaded_files_agree",
        description="What raw.loaded_file says of a day, by which late files are told, is what core.request holds of it.",
        severity="blocking",
        success=not rows,
        observed=_scalar(connection, counted, from_date, to_date),
        unexpected_count=len(rows),
        sample=_sample(("event_date", "snapshot_id", "requests", "in raw.loaded_file"), rows),
    )


def _balances(connection: Connection[Any], from_date: date, to_date: date) -> list[tuple[Any, ...]]:
    """Path, days, valid records, loaded requests and duplicates of each request file with a day in the window."""
    return connection.execute(
        """
        with files as (
            select snapshot_id, landing_path, event_dates, valid
            from raw.snapshot
            where
                kind = 'requests'
                and exists (select from unnest(event_dates) as day where day >= %(from)s and day < %(to)s)
        ),
        days as (
            select min(day) as first_day, max(day) as last_day from files, unnest(event_dates) as day
        ),
        kept as (
            select snapshot_id, count(*) as records
            from core.request
            where
                event_date between (select first_day from days) and (select last_day from days)
                and snapshot_id in (select snapshot_id from files)
            group by snapshot_id
        ),
        dropped as (
            select snapshot_id, count(*) as records
            from raw.duplicate
            where snapshot_id in (select snapshot_id from files)
            group by snapshot_id
        )
        select landing_path, event_dates, valid, coalesce(kept.records, 0), coalesce(dropped.records, 0)
        from files
        left join kept using (snapshot_id)
        left join dropped using (snapshot_id)
        order by landing_path
        """,
        {"from": from_date, "to": to_date},
    ).fetchall()


def _bill_balances(connection: Connection[Any]) -> list[tuple[Any, ...]]:
    """Path, valid records, rows and duplicates of each export of a bill."""
    return connection.execute(
        """
        with kept as (
            select snapshot_id, count(*) as records from core.reported_cost group by snapshot_id
        ),
        dropped as (
            select snapshot_id, count(*) as records from raw.bill_duplicate group by snapshot_id
        )
        select landing_path, valid, coalesce(kept.records, 0), coalesce(dropped.records, 0)
        from raw.snapshot
        left join kept using (snapshot_id)
        left join dropped using (snapshot_id)
        where kind = 'bills'
        order by landing_path
        """
    ).fetchall()


def spend_agrees(connection: Connection[Any], from_date: date, to_date: date) -> ExpectationOutcome:
    """Requests, tokens and costs of mart.daily_model_spend and of mart.daily_team_spend equal core.request, per day.

    Exact, to the last decimal. `observed` is the window's list cost in USD, as text.
    """
    sums = "sum(requests), sum(priced_requests), sum(input_tokens), sum(output_tokens)"
    costs = "sum(list_cost_usd), sum(contracted_cost_usd), sum(effective_cost_usd)"
    facts = f"count(*), count(list_cost_usd), sum({_INPUT}), sum({_OUTPUT})"
    window = "where event_date >= %(from)s and event_date < %(to)s group by event_date"
    parts = {
        "core.request": f"select event_date, {facts}, {costs} from core.request {window}",
        "mart.daily_model_spend": f"select event_date, {sums}, {costs} from mart.daily_model_spend {window}",
        "mart.daily_team_spend": f"select event_date, {sums}, {costs} from mart.daily_team_spend {window}",
    }
    found = {
        name: {row[0]: row[1:] for row in connection.execute(query, {"from": from_date, "to": to_date}).fetchall()}
        for name, query in parts.items()
    }
    truth = found.pop("core.request")
    wrong = [
        (day, name, _cost(days.get(day)), _cost(truth.get(day)))
        for name, days in found.items()
        for day in sorted(truth.keys() | days.keys())
        if days.get(day) != truth.get(day)
    ]
    total = sum(row[4] or 0 for row in truth.values())
    return ExpectationOutcome(
        name="spend_agrees",
        description="The spend tables hold exactly the requests, tokens and costs of core.request.",
        severity="blocking",
        success=not wrong,
        observed=f"{total:f}",
        unexpected_count=len(wrong),
        sample=_sample(("day", "table", "list_cost_usd there", "list_cost_usd in core.request"), wrong),
    )


def priced_coverage(
    connection: Connection[Any],
    from_date: date,
    to_date: date,
    *,
    minimum_share: float = 0.9,
    severity: Severity = "warning",
) -> ExpectationOutcome:
    """On each day, at least `minimum_share` of the requests have a known cost. `observed` is the window's share.

    Not evaluable on a window without requests.
    """
    days = connection.execute(
        "select event_date, count(*), count(list_cost_usd) from core.request "
        "where event_date >= %s and event_date < %s group by event_date order by event_date",
        (from_date, to_date),
    ).fetchall()
    low = [
        (day, f"{priced / total:.4f}", total - priced) for day, total, priced in days if priced < minimum_share * total
    ]
    total = sum(day[1] for day in days)
    return ExpectationOutcome(
        name="priced_coverage",
        description=f"At least {minimum_share:.0%} of each day's requests have a known cost.",
        severity=severity,
        success=not low if days else None,
        observed=sum(day[2] for day in days) / total if total else None,
        unexpected_count=len(low),
        sample=_sample(("day", "priced share", "unpriced requests"), low),
        problem=None if days else f"there are no requests from {from_date} to {to_date} (the end is exclusive)",
    )


def feeds_fresh(
    connection: Connection[Any], kind: str, stale_after: Mapping[str, timedelta], now: datetime
) -> ExpectationOutcome:
    """Each feed or board of `stale_after` was observed no longer before `now` than it says; one never seen is stale.

    `kind` is prices or leaderboards. `observed` counts the feeds that are fresh.
    """
    newest = dict(
        connection.execute(
            "select source, max(observed_at) from raw.snapshot where kind = %s group by source", (kind,)
        ).fetchall()
    )
    stale = [
        (name, newest.get(name, "never"), limit)
        for name, limit in sorted(stale_after.items())
        if name not in newest or now - newest[name] > limit
    ]
    return ExpectationOutcome(
        name=f"{kind}_fresh",
        description=f"Every declared source of {kind} was observed within its time limit; the last snapshots stay in use.",
        severity="warning",
        success=not stale,
        observed=len(stale_after) - len(stale),
        unexpected_count=len(stale),
        sample=_sample(("source", "last observed", "stale after"), stale),
    )


def _cost(day: tuple[Any, ...] | None) -> str:
    return "no row" if day is None else "null" if day[4] is None else f"{day[4]:f}"


def _scalar(connection: Connection[Any], query: str, *values: object) -> int:
    row = connection.execute(query, values).fetchone()
    if row is None:
        raise RuntimeError(f"no row from: {query}")
    return int(row[0])


def _sample(names: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> tuple[dict[str, str], ...]:
    return tuple({name: str(value) for name, value in zip(names, row, strict=True)} for row in rows[:SAMPLE_SIZE])
