"""How much of each source's log could not be read: a source that is set aside must be loud, and come with what helps.

Records that are no requests (headers, chat lines) don't count, unless a source has no others: that is a wrong format rather than a
quiet day. The result type is in `outcome.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from psycopg import ClientCursor, Connection

from pipelines.quality.outcome import ExpectationOutcome

WARN_AT, FAIL_AT = 0.01, 0.20
"""Shares of a source's billable records: from the first on a person should look, from the second on the source is lost."""

REMEDIES = {
    "not_json": "is the format of the source right? Cut or interleaved lines come from rotation without a lock",
    "not_utf8": "declare options: {encoding: ...}, for example windows-1252",
    "missing_field": "map event_at and model, or declare options: {undated: arrival}",
    "undecided_marks": "declare options decimal and thousands",
    "undecided_days": "declare option time",
    "unknown_value": "translate it with options: {values: ...}",
    "identity_broken": "declare how the source counts: options semantics or emitters",
    "not_an_instant": "declare options: {time: {format: ..., zone: ...}}",
    "event_after_arrival": "is the time zone of the log declared? Arrival dates are UTC",
    "unknown_container": "unpack or convert the file",
    "nothing_valid": "is the format of the source right?",
}
_OTHERWISE = "see docs/request_formats.md for what a row must keep"

_TOUCHES = """exists (
        select from unnest(case when event_dates = '{}' then array[(observed_at at time zone 'UTC')::date] else event_dates end) as day
        where day between %(first)s and %(last)s
    )"""
"""Whether a file touches the days."""

_SHARES = f"""
    with files as (
        select snapshot_id, source, landing_path, valid from raw.snapshot where kind = 'requests' and {_TOUCHES}
    ),
    broken as (
        select source, reason, count(*) as records
        from raw.quarantine
        inner join files using (snapshot_id)
        where severity <> 'info'
        group by source, reason
    ),
    valid as (
        select source, sum(valid)::bigint as records from files group by source
    )
    select
        broken.source, sum(broken.records)::bigint, valid.records + sum(broken.records)::bigint,
        array_agg(reason order by broken.records desc, reason), array_agg(broken.records order by broken.records desc, reason)
    from broken
    inner join valid using (source)
    group by broken.source, valid.records
    order by sum(broken.records) / (valid.records + sum(broken.records)) desc, broken.source
"""

_SILENT = f"""
    select source, sum(quarantined)::bigint
    from raw.snapshot
    where kind = 'requests' and {_TOUCHES}
    group by source
    having sum(valid) = 0 and sum(quarantined) > 0 and not exists (
        select from raw.quarantine inner join raw.snapshot as file using (snapshot_id)
        where file.kind = 'requests' and file.source = raw.snapshot.source and severity <> 'info' and {_TOUCHES}
    )
    order by source
"""
"""Sources without a request, or a broken one, among their records."""


_EVERY = f"""
    select source, reason, landing_path, line_no, detail
    from raw.quarantine
    inner join raw.snapshot using (snapshot_id)
    where kind = 'requests' and severity <> 'info' and {_TOUCHES}
    order by source, reason, landing_path, line_no
"""


def sources_readable(connection: Connection[Any], from_date: date, to_date: date) -> ExpectationOutcome:
    """Of each source's billable records in the files that touch `[from_date, to_date)`, less than 1 % are set aside.

    Fails as an error from 20 % on; a source without a single request among its records is a warning. `observed` is the largest share; the sample names source, share, reasons and remedy.
    """
    days = {"first": from_date, "last": to_date - timedelta(days=1)}
    shares = connection.execute(_SHARES.encode(), days).fetchall()
    silent = connection.execute(_SILENT.encode(), days).fetchall()
    worst = max((broken / total for _, broken, total, *_ in shares), default=0.0)
    loud = [row for row in shares if row[1] >= WARN_AT * row[2]]
    return ExpectationOutcome(
        name="sources_readable",
        description=_described(loud, [source for source, _ in silent]),
        severity="blocking" if worst >= FAIL_AT else "warning",
        success=not loud and not silent,
        observed=worst,
        unexpected_count=len(loud) + len(silent),
        sample=tuple([*(_in_words(*row) for row in loud), *(_of_silent(*row) for row in silent)][:5]),
        query=" ".join(ClientCursor(connection).mogrify(_EVERY, days).split()),
    )


def _described(loud: Sequence[tuple[Any, ...]], silent: Sequence[str]) -> str:
    shares = [f"{source} {broken / total:.1%}" for source, broken, total, *_ in loud]
    found = "; ".join([*shares, *(f"{source} without any request" for source in silent)])
    found = f"Found: {found}. " if found else ""
    return f"{found}Less than {WARN_AT:.0%} of a source's billable records are set aside; from {FAIL_AT:.0%} on the source counts as lost."


def _of_silent(source: str, records: int) -> dict[str, str]:
    return {
        "source": source,
        "set aside": f"all of {records:,} records, none of which is a request",
        "reasons": f"not_a_request {records:,}",
        "what helps": REMEDIES["nothing_valid"],
    }


def _in_words(source: str, broken: int, total: int, reasons: list[str], records: list[int]) -> dict[str, str]:
    by_reason = [f"{reason} {number:,}" for reason, number in zip(reasons, records, strict=True)]
    return {
        "source": source,
        "set aside": f"{broken:,} of {total:,} ({broken / total:.1%})",
        "reasons": ", ".join(by_reason[:3]),
        "what helps": REMEDIES.get(reasons[0], _OTHERWISE),
    }
