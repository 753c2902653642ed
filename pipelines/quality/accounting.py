"""Checks that the books add up: file against file index, index against facts, facts against marts.

They compare tables with each other, which a suite on one table can't. The suites are in `suites.py`, the result type is
in `outcome.py`. Every function reads in the caller's transaction and changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from psycopg import Connection

from pipelines.meters import INPUT_METERS, OUTPUT_METERS, TOKEN_METERS
from pipelines.quality.held import HeldRequests
from pipelines.quality.outcome import ExpectationOutcome, Severity
from pipelines.warehouse.tables import Table
from pipelines.warehouse.tables.mart import COST_COVERAGE, DAILY_END_USER_SPEND, SPEND_TABLES
from pipelines.warehouse.tables.mart_charges import DAILY_CHARGE
from pipelines.warehouse.tables.mart_economics import UNIT_COST

SAMPLE_SIZE = 5


def lines_accounted(connection: Connection[Any]) -> ExpectationOutcome:
    """For every file: lines = valid + quarantined; and each quarantined record of a request or bill file is in raw.quarantine, or counted where it was removed."""
    query = """
        with held as (
            select snapshot_id, sum(records) as records
            from (
                select snapshot_id, count(*) as records from raw.quarantine group by snapshot_id
                union all
                select snapshot_id, records from raw.quarantine_removed
            ) as by_file
            group by snapshot_id
        )
        select landing_path, lines, valid, quarantined, coalesce(held.records, 0)
        from raw.snapshot
        left join held using (snapshot_id)
        where lines <> valid + quarantined or kind in ('requests', 'bills', 'shadow') and quarantined <> coalesce(held.records, 0)
        order by landing_path
        """
    rows = connection.execute(query).fetchall()
    return ExpectationOutcome(
        name="lines_accounted",
        description="Every line of every file is valid or quarantined. Every quarantined record can be inspected, or was removed by age and is counted.",
        severity="blocking",
        success=not rows,
        observed=_scalar(connection, "select coalesce(sum(lines), 0)::bigint from raw.snapshot"),
        unexpected_count=len(rows),
        sample=_sample(("file", "lines", "valid", "quarantined", "in raw.quarantine"), rows),
        query=_one_line(query),
    )


def every_file_read(connection: Connection[Any]) -> ExpectationOutcome:
    """No request or bill file is set aside because our own reader failed on it. `observed` counts those files."""
    query = """
        select landing_path, detail
        from raw.quarantine
        join raw.snapshot using (snapshot_id)
        where reason = 'reader_failed'
        order by landing_path
        """
    rows = connection.execute(query).fetchall()
    return ExpectationOutcome(
        name="every_file_read",
        description="No request or bill file made modelmeter's own reader fail. A file that did is set aside whole, and the next run "
        "tries it again; every other file is loaded. Please report the place named, or remove the file.",
        severity="warning",
        success=not rows,
        observed=len(rows),
        unexpected_count=len(rows),
        sample=_sample(("file", "failure"), rows),
        query=_one_line(query),
    )


def records_accounted(
    connection: Connection[Any],
    from_date: date,
    to_date: date,
    loaded_days: Collection[date],
    held: HeldRequests | None = None,
) -> ExpectationOutcome:
    """For every request file that touches `[from_date, to_date)`: valid = loaded + duplicates.

    `loaded_days` are the UTC days whose requests have been loaded. A file with a day outside them is left for later.
    So is a shortfall (never an excess) of a file with late lines of a day that was loaded before they came and is run next, and of
    one whose days have a neighbour with events that is not loaded: the kept
    record of a pair that straddles midnight may fall on that day. The requests of days outside the window are those that
    raw.loaded_file counts, which the runs of these days held to core.request. `observed` counts the files compared.
    """
    files = _balances(connection, from_date, to_date, held or HeldRequests(connection, from_date, to_date))
    loaded = set(loaded_days)
    with_events = {
        day for (days,) in connection.execute("select event_dates from raw.snapshot").fetchall() for day in days
    }
    compared, wrong = 0, []
    for path, days, valid, kept, duplicates, has_late in files:
        if not loaded.issuperset(days):
            continue
        shortfall = valid - kept - duplicates
        neighbours = {day + timedelta(days=step) for day in days for step in (-1, 1)} & with_events
        if shortfall > 0 and (has_late or not loaded.issuperset(neighbours)):
            continue
        compared += 1
        if shortfall:
            wrong.append((path, valid, kept, duplicates))
    bills = [*_bill_balances(connection), *_shadow_balances(connection)]
    compared += len(bills)
    wrong += [bill for bill in bills if bill[1] != bill[2] + bill[3]]
    return ExpectationOutcome(
        name="records_accounted",
        description="Every valid record of a file whose days are loaded is a request or a duplicate of one. For a bill it is "
        "a row of core.reported_cost or a duplicate of one, and for a shadow measurement a row of core.shadow_request.",
        severity="blocking",
        success=not wrong,
        observed=compared,
        unexpected_count=len(wrong),
        sample=_sample(("file", "valid", "loaded", "duplicates"), wrong),
    )


def loaded_files_agree(
    connection: Connection[Any], from_date: date, to_date: date, held: HeldRequests | None = None
) -> ExpectationOutcome:
    """For every day in `[from_date, to_date)` and file: raw.loaded_file counts what core.request holds."""
    there = (held or HeldRequests(connection, from_date, to_date)).by_file
    sql = "select event_date, snapshot_id, requests from raw.loaded_file where event_date >= %s and event_date < %s"
    rows = connection.execute(sql, (from_date, to_date)).fetchall()
    counted = {(day, file): requests for day, file, requests in rows}
    wrong = [
        (*key, there.get(key, 0), counted.get(key, 0))
        for key in sorted(there.keys() | counted.keys())
        if there.get(key, 0) != counted.get(key, 0)
    ]
    return ExpectationOutcome(
        name="loaded_files_agree",
        description="raw.loaded_file, by which late files are found, counts what core.request holds of a day.",
        severity="blocking",
        success=not wrong,
        observed=len(counted),
        unexpected_count=len(wrong),
        sample=_sample(("event_date", "snapshot_id", "requests", "in raw.loaded_file"), wrong),
    )


def _balances(connection: Connection[Any], from_date: date, to_date: date, held: HeldRequests) -> list[tuple[Any, ...]]:
    """Path, days, valid records, loaded requests and duplicates of each request file with a day in the window, and whether a day outside
    it was loaded without the file."""
    return connection.execute(
        """
        with files as (
            select snapshot_id, landing_path, event_dates, valid
            from raw.snapshot
            where
                kind = 'requests'
                and exists (select from unnest(event_dates) as day where day >= %(from)s and day < %(to)s)
        ),
        counted as (
            select * from unnest(%(files)s::uuid[], %(requests)s::bigint[]) as held (snapshot_id, records)
            union all
            select snapshot_id, requests from raw.loaded_file where event_date < %(from)s or event_date >= %(to)s
        ),
        kept as (
            select snapshot_id, sum(records)::bigint as records from counted join files using (snapshot_id) group by snapshot_id
        ),
        dropped as (
            select snapshot_id, count(*) as records
            from raw.duplicate
            where snapshot_id in (select snapshot_id from files)
            group by snapshot_id
        )
        select
            landing_path, event_dates, valid, coalesce(kept.records, 0), coalesce(dropped.records, 0),
            exists (
                select from unnest(event_dates) as day
                where
                    (day < %(from)s or day >= %(to)s)
                    and not exists (
                        select from raw.loaded_file as there where there.event_date = day and there.snapshot_id = files.snapshot_id
                    )
            )
        from files
        left join kept using (snapshot_id)
        left join dropped using (snapshot_id)
        order by landing_path
        """,
        {
            "from": from_date,
            "to": to_date,
            "files": [file for _, file in held.by_file],
            "requests": list(held.by_file.values()),
        },
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


def _shadow_balances(connection: Connection[Any]) -> list[tuple[Any, ...]]:
    """Path, valid records, rows and duplicates (none) of each file of shadow measurements."""
    return connection.execute(
        """
        with kept as (
            select snapshot_id, count(*) as records from core.shadow_request group by snapshot_id
        )
        select landing_path, valid, coalesce(kept.records, 0), 0
        from raw.snapshot
        left join kept using (snapshot_id)
        where kind = 'shadow'
        order by landing_path
        """
    ).fetchall()


def spend_agrees(
    connection: Connection[Any], from_date: date, to_date: date, held: HeldRequests | None = None
) -> ExpectationOutcome:
    """The charges, and every spend table made of them, sum to core.request, per day and exactly, to the last decimal.

    A table is compared in those sums that it has. `observed` is the window's list cost in USD, as text.
    """
    facts = (held or HeldRequests(connection, from_date, to_date)).by_day
    wrong = []
    for table, part in _SHARING_OUT:
        sums = {name: sum_ for name, sum_ in _sums(table).items() if name in _OF_CHARGES}
        there = _by_day(connection, table, sums, (from_date, to_date), part)
        for day in sorted(facts.keys() | there.keys()):
            found, truth = there.get(day, {}), facts.get(day, {})
            apart = [name for name in sums if name not in found or found[name] != truth.get(name)]
            if apart:
                wrong.append((day, table.qualified, apart[0], _shown(found, apart[0]), _shown(truth, apart[0])))
    total = sum(day["list_cost_usd"] or 0 for day in facts.values())
    return ExpectationOutcome(
        name="spend_agrees",
        description="The charges and the spend tables hold exactly the requests, tokens and costs of core.request.",
        severity="blocking",
        success=not wrong,
        observed=f"{total:f}",
        unexpected_count=len(wrong),
        sample=_sample(("day", "table", "sum", "there", "in core.request"), wrong),
    )


_SHARING_OUT = (
    *((table, "true") for table in (DAILY_CHARGE, *SPEND_TABLES, DAILY_END_USER_SPEND)),
    *((UNIT_COST, f"dimension = '{dimension}'") for dimension in UNIT_COST.column("dimension").accepted),
)
"""The tables whose rows share out every day, and which of their rows do."""


def _quantity(meters: Sequence[str], condition: str = "true") -> str:
    """What a day's charges say was used of `meters`."""
    named = ", ".join(f"'{meter}'" for meter in meters)
    return f"coalesce(sum(quantity) filter (where meter in ({named}) and {condition}), 0)"


_OF_CHARGES = {
    "requests": _quantity(["request"]),
    "priced_requests": _quantity(["request"], "unpriced_reason is null"),
    "unpriced_requests": _quantity(["request"], "unpriced_reason is not null"),
    "input_tokens": _quantity([meter.name for meter in INPUT_METERS]),
    "output_tokens": _quantity([meter.name for meter in OUTPUT_METERS]),
    "tokens": _quantity([meter.name for meter in TOKEN_METERS]),
    **{meter.tokens_column: _quantity([meter.name]) for meter in TOKEN_METERS},
    **{f"{name}_cost_usd": f"sum({name}_cost_usd)" for name in ("list", "contracted", "effective", "reported")},
    "logged_only_cost_usd": "sum(reported_cost_usd) filter (where unpriced_reason is not null)",
}
"""The same sums over the rows of mart.daily_charge."""


def _sums(table: Table) -> dict[str, str]:
    """The sums of a day of a spend table, by the name of the fact that they must equal."""
    if table is DAILY_CHARGE:
        return _OF_CHARGES
    sums = {column.name: f"sum({column.name})" for column in table.columns}
    if table is COST_COVERAGE:  # what is priced is a row here, not a column
        sums["priced_requests"] = "sum(requests) filter (where reason = 'priced')"
    return sums


def _by_day(
    connection: Connection[Any],
    table: Table,
    sums: Mapping[str, str],
    window: tuple[date, date],
    part: str = "true",
) -> dict[date, dict[str, Any]]:
    query = (
        f"select event_date, {', '.join(sums.values())} from {table.qualified} "
        f"where event_date >= %s and event_date < %s and {part} group by event_date"
    )
    rows = connection.execute(query.encode(), window).fetchall()
    return {day: dict(zip(sums, values, strict=True)) for day, *values in rows}


def _shown(sums: Mapping[str, Any], name: str) -> str:
    if name not in sums:
        return "no row"
    value = sums[name]
    return "null" if value is None else f"{value:f}" if isinstance(value, Decimal) else str(value)


def priced_coverage(
    connection: Connection[Any],
    from_date: date,
    to_date: date,
    held: HeldRequests | None = None,
    *,
    minimum_share: float = 0.9,
    severity: Severity = "warning",
) -> ExpectationOutcome:
    """On each day, at least `minimum_share` of the requests have a known cost. `observed` is the window's share.

    Not evaluable on a window without requests.
    """
    by_day = (held or HeldRequests(connection, from_date, to_date)).by_day
    days = [(day, sums["requests"], sums["priced_requests"]) for day, sums in sorted(by_day.items())]
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


def _scalar(connection: Connection[Any], query: str, *values: object) -> int:
    row = connection.execute(query, values).fetchone()
    if row is None:
        raise RuntimeError(f"no row from: {query}")
    return int(row[0])


def _one_line(query: str) -> str:
    return " ".join(query.split())


def _sample(names: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> tuple[dict[str, str], ...]:
    return tuple({name: str(value) for name, value in zip(names, row, strict=True)} for row in rows[:SAMPLE_SIZE])
