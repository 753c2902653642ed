"""How much of each source's logs and bills could not be read: a source that is set aside must be loud, and come with what helps.

Records that are no requests (headers, chat lines) don't count, unless a source has no others: that is a wrong format rather than a
quiet day. A file of which nothing can be read is one record, whatever it holds, and so weighs by its bytes; one that is cut off, of which
nobody knows how much is gone, as one of the files. The result type is in `outcome.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from psycopg import ClientCursor, Connection

from pipelines.quality.outcome import ExpectationOutcome

WARN_AT, FAIL_AT = 0.01, 0.20
"""Shares of a source's billable records, or of its files: from the first on a person should look, from the second on the
source is lost."""

_REST_UNREAD = ("broken_archive", "expands_too_far", "reader_failed", "unknown_container")
"""Reasons of one record that stands for a file, or for the rest of it."""

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
    "broken_archive": "land the file again: it is cut off or damaged",
    "nothing_valid": "is the format of the source right?",
}
_OTHERWISE = "see docs/request_formats.md for what a row must keep"

_TOUCHES = """exists (
        select from unnest(case when event_dates = '{}' then array[(observed_at at time zone 'UTC')::date] else event_dates end) as day
        where day between %(first)s and %(last)s
    )"""
"""Whether a file touches the days."""

_KINDS = "kind in ('requests', 'bills', 'shadow')"

_SHARES = f"""
    with files as (
        select snapshot_id, source, valid, size_bytes from raw.snapshot where {_KINDS} and {_TOUCHES}
    ),
    broken as (
        select snapshot_id, source, reason, count(*) as records
        from raw.quarantine
        inner join files using (snapshot_id)
        where severity <> 'info'
        group by snapshot_id, source, reason
    ),
    by_reason as (
        select source, reason, sum(records)::bigint as records from broken group by source, reason
    ),
    by_source as (
        select
            source, array_agg(reason order by records desc, reason) as reasons, array_agg(records order by records desc, reason) as records,
            sum(records)::bigint as total
        from by_reason
        group by source
    ),
    unread as (
        select snapshot_id, bool_or(reason = any(%(rest_unread)s)) as is_cut
        from broken
        inner join files using (snapshot_id)
        where files.valid = 0 or reason = any(%(rest_unread)s)
        group by snapshot_id
    ),
    whole as (
        select
            source, sum(valid)::bigint as valid, count(*) as files, count(unread.snapshot_id) as unread,
            greatest(
                sum(size_bytes) filter (where unread.snapshot_id is not null) / nullif(sum(size_bytes), 0),
                count(*) filter (where is_cut)::numeric / count(*)
            )::float as share
        from files
        left join unread using (snapshot_id)
        group by source
    )
    select
        source, by_source.total, whole.valid + by_source.total, by_source.reasons, by_source.records,
        whole.unread, whole.files, coalesce(whole.share, 0)
    from by_source
    inner join whole using (source)
    order by source
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
    where {_KINDS} and severity <> 'info' and {_TOUCHES}
    order by source, reason, landing_path, line_no
"""


@dataclass(frozen=True)
class Unreadable:
    """What of a source can't be read."""

    source: str
    records: int
    of_records: int
    reasons: Sequence[str]
    """The most frequent first, with how many records each has."""
    by_reason: Sequence[int]
    files: int
    """Files of which nothing, or not the rest, can be read."""
    of_files: int
    of_all_files: float
    """By their bytes, or by their number where they are cut off."""

    @property
    def share(self) -> float:
        """Of its records or of its files, whichever is more."""
        return max(self.records / self.of_records, self.of_all_files)

    @property
    def is_lost(self) -> bool:
        """Whether so much is gone that the source can't be counted on."""
        return self.share >= FAIL_AT

    def described(self) -> str:
        """In a few words."""
        if self.of_all_files > self.records / self.of_records:
            return f"{self.source} {self.share:.1%} ({self.files} of {self.of_files} files can't be read to their end)"
        return f"{self.source} {self.share:.1%}"

    def row(self) -> dict[str, str]:
        """What a person sees of it."""
        by_reason = [f"{reason} {number:,}" for reason, number in zip(self.reasons, self.by_reason, strict=True)]
        files = f", {self.files} of {self.of_files} files ({self.of_all_files:.1%})" if self.files else ""
        return {
            "source": self.source,
            "set aside": f"{self.records:,} of {self.of_records:,} ({self.records / self.of_records:.1%}){files}",
            "reasons": ", ".join(by_reason[:3]),
            "what helps": REMEDIES.get(self.reasons[0], _OTHERWISE),
        }


def unreadable(connection: Connection[Any], from_date: date, to_date: date) -> list[Unreadable]:
    """The sources of which anything can't be read, in the files that touch `[from_date, to_date)`."""
    asked = {**_days(from_date, to_date), "rest_unread": list(_REST_UNREAD)}
    return [Unreadable(*row) for row in connection.execute(_SHARES.encode(), asked)]


def _days(from_date: date, to_date: date) -> dict[str, date]:
    return {"first": from_date, "last": to_date - timedelta(days=1)}


def sources_readable(connection: Connection[Any], from_date: date, to_date: date) -> ExpectationOutcome:
    """Of each source's billable records in the files that touch `[from_date, to_date)`, and of these files, less than 1 % are set aside.

    Fails as an error from 20 % on; a source without a single request among its records is a warning. `observed` is the largest share; the sample names source, share, reasons and remedy.
    """
    days = _days(from_date, to_date)
    found = unreadable(connection, from_date, to_date)
    silent = connection.execute(_SILENT.encode(), days).fetchall()
    worst = max((one.share for one in found), default=0.0)
    loud = sorted((one for one in found if one.share >= WARN_AT), key=lambda one: (-one.share, one.source))
    return ExpectationOutcome(
        name="sources_readable",
        description=_described(loud, [source for source, _ in silent]),
        severity="blocking" if any(one.is_lost for one in found) else "warning",
        success=not loud and not silent,
        observed=worst,
        unexpected_count=len(loud) + len(silent),
        sample=tuple([*(one.row() for one in loud), *(_of_silent(*row) for row in silent)][:5]),
        query=" ".join(ClientCursor(connection).mogrify(_EVERY, days).split()),
    )


def _described(loud: Sequence[Unreadable], silent: Sequence[str]) -> str:
    found = "; ".join([*(one.described() for one in loud), *(f"{source} without any request" for source in silent)])
    found = f"Found: {found}. " if found else ""
    return f"{found}Less than {WARN_AT:.0%} of a source's billable records are set aside; from {FAIL_AT:.0%} on the source counts as lost."


def _of_silent(source: str, records: int) -> dict[str, str]:
    return {
        "source": source,
        "set aside": f"all of {records:,} records, none of which is a request",
        "reasons": f"not_a_request {records:,}",
        "what helps": REMEDIES["nothing_valid"],
    }
