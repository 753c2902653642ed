"""Sources of requests that fall silent: without a word their requests were missing, and the day cost less than it did.

Public: `silences`, which the check `every_source_delivers` and the alert `source_silent` share.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from psycopg import ClientCursor, Connection

from pipelines.quality.outcome import ExpectationOutcome

if TYPE_CHECKING:
    from pipelines.config import Config

EVERY_SOURCE_DELIVERS = "Each declared source of requests has some on these days, if it had some on the four days before of the same weekday."

_WEEKS = 4
"""How many days of the same weekday must have had requests."""
_LOOKED_BACK = timedelta(weeks=6)
"""How far back they may lie: holidays among them are left out."""

_BY_DAY = """
    select source, event_date, sum(requests)::bigint as requests, min((observed_at at time zone 'UTC')::date) - event_date as arrived_after_days
    from raw.loaded_file
    inner join raw.snapshot using (snapshot_id)
    where kind = 'requests' and source = any(%(sources)s) and event_date >= %(since)s and event_date < %(to)s and requests > 0
    group by source, event_date
    order by source, event_date
"""
_HELD = """
    select distinct source, day
    from raw.snapshot, unnest(event_dates) as day
    where kind = 'requests' and source = any(%(sources)s) and day >= %(from)s and day < %(to)s
"""
"""Days of which a source has records, also where all were dropped as duplicates of another source's."""
_RUN = """
    select event_date from raw.quiet_day where event_date >= %(from)s and event_date < %(to)s
    union
    select event_date from raw.loaded_file where event_date >= %(from)s and event_date < %(to)s
    order by 1
"""


@dataclass(frozen=True)
class Watched:
    """Sources that are expected to deliver, and the days on which none is."""

    sources: frozenset[str]
    holidays: frozenset[date]

    @classmethod
    def of(cls, config: Config) -> Watched:
        """Every declared log of requests; the holidays of every calendar."""
        return cls(config.sources.logs, frozenset[date]().union(*config.calendars.days.values()))


@dataclass(frozen=True)
class Silence:
    """A day without a request of a source that had some on each of the last four same weekdays."""

    source: str
    day: date
    delivered: date
    """The last day with requests, the same for every day of one silence."""
    least: int
    most: int

    def described(self) -> str:
        """What is missing, and what it is measured by."""
        usual = f"{self.least:,}" if self.least == self.most else f"{self.least:,} to {self.most:,}"
        before = f"on the four {self.day:%A}s before it had {usual}"
        return f"source {self.source} has no requests on {self.day:%A} {self.day}; {before}"

    @property
    def remedy(self) -> str:
        """What to look at."""
        return (
            "Was its log landed? modelmeter sources list names its newest file; where it is pulled, "
            f"modelmeter sources test {self.source} asks for it. Take it out of sources.yaml if it is used no more."
        )


def silences(connection: Connection[Any], from_date: date, to_date: date, watched: Watched) -> list[Silence]:
    """The days of `[from_date, to_date)` on which a source is silent, by source and day.

    Only days that have ended and were run. A source whose logs arrive days later is silent once they are later than on those weekdays.
    """
    asked = _asked(from_date, to_date, watched)
    by_source: dict[str, dict[date, tuple[int, int]]] = {}
    for source, day, requests, arrived in connection.execute(_BY_DAY.encode(), asked):
        by_source.setdefault(source, {})[day] = (requests, arrived)
    held = set(connection.execute(_HELD.encode(), asked))
    today = datetime.now(UTC).date()
    days = [
        day for (day,) in connection.execute(_RUN.encode(), asked) if day < today and day not in watched.holidays
    ]  # fmt: skip
    found = [
        _silence(source, day, loaded, today, watched)
        for source, loaded in sorted(by_source.items())
        for day in days
        if day not in loaded and (source, day) not in held
    ]
    return [one for one in found if one is not None]


def _silence(
    source: str, day: date, loaded: Mapping[date, tuple[int, int]], today: date, watched: Watched
) -> Silence | None:
    back = [day - timedelta(weeks=weeks) for weeks in range(1, _LOOKED_BACK.days // 7 + 1)]
    like_it = [loaded.get(one) for one in back if one not in watched.holidays][:_WEEKS]
    before = [one for one in like_it if one is not None]
    if len(before) < _WEEKS or (today - day).days < max(arrived for _, arrived in before):
        return None
    counts = [requests for requests, _ in before]
    return Silence(source, day, max(one for one in loaded if one < day), min(counts), max(counts))


def _asked(from_date: date, to_date: date, watched: Watched) -> dict[str, Any]:
    since = from_date - _LOOKED_BACK
    return {"sources": sorted(watched.sources), "since": since, "from": from_date, "to": to_date}


def every_source_delivers(
    connection: Connection[Any], from_date: date, to_date: date, watched: Watched
) -> ExpectationOutcome:
    """No declared source of requests is silent on a day of `[from_date, to_date)`, where it had requests on the last four same weekdays.

    A warning: nobody knows whether they are missing. `observed` is the number of silent sources; the sample names each with its first silent day.
    """
    found = silences(connection, from_date, to_date, watched)
    first: dict[tuple[str, date], Silence] = {}
    for one in found:
        first.setdefault((one.source, one.delivered), one)
    words = "; ".join(one.described() for one in first.values())
    query = ClientCursor(connection).mogrify(_BY_DAY, _asked(from_date, to_date, watched))
    return ExpectationOutcome(
        name="every_source_delivers",
        description=f"Found: {words}." if words else EVERY_SOURCE_DELIVERS,
        severity="warning",
        success=not found,
        observed=len({one.source for one in found}),
        unexpected_count=len(found),
        sample=tuple({"finding": one.described(), "what helps": one.remedy} for one in first.values())[:5],
        query=" ".join(query.split()),
    )
