"""Step `raw`: parse request files that are new or changed, once each, and index the outcome of each.

Parsing itself is `pipelines.requests.parse_file`; turning parsed rows into a day's facts is `requests.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import polars as pl

from pipelines.bills import bill_version
from pipelines.config.sources import RequestSource
from pipelines.daily.days import EARLIEST_ARRIVAL, FIRST_DAY, Window, newest_day
from pipelines.daily.parse_tasks import ParseFiles, ParseTask, parse_here
from pipelines.daily.replays import replayed_days
from pipelines.landing import LandedFile
from pipelines.outside import Apart
from pipelines.records.store import has_failed, is_stored, stored_path
from pipelines.requests import ParsedFile
from pipelines.requests.collect import REPLAYING_FORMATS
from pipelines.requests.parse import parser_version
from pipelines.shadow import shadow_version
from pipelines.unused_memory import return_unused
from pipelines.warehouse.bulk_copy import copy_frame
from pipelines.warehouse.read import read_frame
from pipelines.warehouse.replace import replace_rows
from pipelines.warehouse.tables.raw import QUARANTINE, QUARANTINE_REMOVED, SNAPSHOT
from pipelines.workspace import Workspace
from pipelines.workspace.landed_index import snapshot_row

LATE_REACH_DAYS = 35
"""How far around a run's window late lines are looked for: a month's close, and the days a monthly re-export touches."""

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class IngestOutcome:
    """What an ingest found and did."""

    files: int
    parsed: int
    lines: int
    valid: int
    quarantined: int
    undeclared: tuple[str, ...]
    problems: tuple[str, ...]
    """Files that could not be listed or read, with the reason."""
    unusable: tuple[str, ...]
    """Sources whose declaration can't be used, with the reason."""


def ingest_requests(
    workspace: Workspace,
    window: Window | None,
    progress: Progress | None = None,
    read: ParseFiles | None = None,
) -> IngestOutcome:
    """Parse what is new among the files that can matter to `window` (all of them where it is None) and index it.

    `read` parses them elsewhere than in this process (`pipelines.spark`).

    A file is known by its content: one that grew or was rewritten in place is parsed again and its former index row
    and quarantine are replaced, in one transaction per file, so a killed ingest resumes where it stopped. One that
    vanishes or changes while it is read is a problem, and left to the next ingest.
    """
    sources = {source.source: source for source in workspace.config.sources.requests}
    apart = Apart()
    versions = _versions(workspace, apart)
    landed = workspace.landed("requests")
    declared = [file for file in landed.files if file.source in versions and _may_matter(file, sources, window)]
    index = _Index(workspace.store, _known(workspace), window)
    new = [file for file in declared if not index.holds(file, sources[file.source], versions[file.source])]
    key = user_key(workspace)
    tasks = [ParseTask(file, sources[file.source], workspace.store, key) for file in new]
    parsed: list[ParsedFile] = []
    problems = [str(problem) for problem in landed.problems]
    for number, (task, result) in enumerate((read or parse_here)(tasks)):
        if progress:
            progress(number, len(new), task.file.landing_path)
        if isinstance(result, str):
            problems.append(result)
            continue
        _index(workspace, task.file, task.source, result)
        parsed.append(result)
    if parsed:
        return_unused()
    return IngestOutcome(
        files=len(declared),
        parsed=len(parsed),
        lines=sum(p.lines for p in parsed),
        valid=sum(p.valid for p in parsed),
        quarantined=sum(p.quarantined for p in parsed),
        undeclared=tuple(sorted({file.source for file in landed.files} - set(sources))),
        problems=tuple(problems),
        unusable=tuple(apart.messages),
    )


def stale_days(
    workspace: Workspace, around: Window | None = None, *, unloaded_before: date = date.min, at_once: bool = False
) -> list[date]:
    """Loaded days whose rows no longer match the indexed files: late lines came, also ones that describe a call of another source on
    the day next to it, a file changed, or a session that
    another one replays arrived after it.

    With `around`, days up to `LATE_REACH_DAYS` from that window and outside it; else every loaded day. Days before `unloaded_before`, and days
    between loaded ones of which a file holds records that arrived with the window or later, count also where none of their rows is loaded yet. The
    other side of a pair over midnight is found once the late days have run, so ask again then; `at_once` has the days next to them in the first
    answer. Derived from what is indexed and what is loaded, not from what this run saw, so a run that was killed before it came to the late days
    leaves them to the next.
    """
    sql = """
        with indexed as (
            select distinct day, snapshot_id, observed_at from raw.snapshot, unnest(event_dates) as day
            where kind = 'requests' and day >= %(low)s and day < %(high)s
        ),
        loaded as (
            select event_date as day, snapshot_id from raw.loaded_file
            where event_date >= %(low)s and event_date < %(high)s
        ),
        dropped as (
            select event_date as day, snapshot_id from raw.duplicate
            where event_date >= %(low)s::date - 1 and event_date <= %(high)s
        ),
        late as (
            select day, snapshot_id from indexed
            where (
                day in (select day from loaded) or day in (select event_date from raw.quiet_day) or day < %(unloaded_before)s
                or (observed_at >= %(since)s and day > (select min(day) from loaded) and day < (select max(day) from loaded))
            )
            and (day, snapshot_id) not in (select day, snapshot_id from loaded)
        ),
        orphaned as (select day from loaded where snapshot_id not in (select snapshot_id from raw.snapshot)),
        whole as (
            select snapshot_id, event_dates, valid from raw.snapshot
            where
                kind = 'requests' and format <> all(%(replaying)s)
                and event_dates <@ (select coalesce(array_agg(distinct day), '{}') from loaded)
                and (%(at_once)s or snapshot_id not in (select snapshot_id from late))
        ),
        kept as (select snapshot_id, sum(requests) as records from raw.loaded_file group by snapshot_id),
        -- What these files hold lies in the window, and a record is dropped for one of its day or of the days next to it.
        gone as (select snapshot_id, count(*) as records from dropped group by snapshot_id),
        -- A pair over midnight of which one side came late: the day next to it still has both records, or none.
        unbalanced as (
            select neighbour::date as day
            from whole
            left join kept using (snapshot_id)
            left join gone using (snapshot_id)
            cross join unnest(event_dates) as day
            cross join generate_series(day - 1, day + 1, interval '1 day') as neighbour
            where
                valid <> coalesce(kept.records, 0) + coalesce(gone.records, 0)
                and neighbour::date in (select day from loaded)
        )
        select distinct day from (select day from late union all table orphaned union all table unbalanced) as stale order by day
    """
    reach = timedelta(days=LATE_REACH_DAYS)
    low, high = (around.from_date - reach, around.to_date + reach) if around else (date.min, date.max)
    low = max(low, FIRST_DAY)
    with workspace.database.connect() as connection:
        asked = {
            "low": low,
            "high": high,
            "unloaded_before": unloaded_before,
            "since": around.from_date if around else date.max,
            "at_once": at_once,
            "replaying": list(REPLAYING_FORMATS),
        }
        days = read_frame(connection, sql, asked)["day"].to_list()
    days = sorted({*days, *replayed_days(workspace, low, high)})
    return [day for day in days if around is None or not around.from_date <= day < around.to_date]


def days_left_out(workspace: Workspace, window: Window) -> list[date]:
    """Days before `window` of which files hold records and nothing is loaded, where `window` is all that ever was loaded. A file that
    no run has read yet stands for the day on which it arrived."""
    sql = """
        select exists (select from raw.loaded_file where event_date < %(first)s or event_date >= %(end)s) as is_loaded
    """
    with workspace.database.connect(read_only=True) as connection:
        if read_frame(connection, sql, {"first": window.from_date, "end": window.to_date})["is_loaded"].item():
            return []
    read = event_dates(workspace)
    arrived = [
        file.arrival_date
        for file in workspace.landed("requests").files
        if file.arrival_date is not None and file.snapshot_id not in read
    ]
    return sorted({day for day in (*arrived, *chain.from_iterable(read.values())) if day < window.from_date})


def newest_event_day(workspace: Workspace, read: ParseFiles | None = None) -> date | None:
    """The newest day with events that any request file holds, however long ago the file arrived; None if no file holds an event.

    Files are parsed from the newest arrival backwards, for as long as an older one could hold a newer event: so the answer
    is the same whatever was parsed before.
    """
    files = [file for file in workspace.landed("requests").files if file.arrival_date is not None]
    arrivals = sorted({file.arrival_date for file in files if file.arrival_date is not None}, reverse=True)
    day = None
    while arrivals:
        ingest_requests(workspace, Window.of_day(arrivals[0]), read=read)
        reached = arrivals[0] - EARLIEST_ARRIVAL
        day = newest_day(files, event_dates(workspace))
        if day is not None and day >= reached:
            return day
        arrivals = [arrival for arrival in arrivals if arrival < reached]
    return day


def event_dates(workspace: Workspace) -> dict[bytes, list[date]]:
    """Days on which each indexed request file's rows fall, by snapshot id."""
    with workspace.database.connect() as connection:
        index = read_frame(connection, "select snapshot_id, event_dates from raw.snapshot where kind = 'requests'")
    return dict(zip(index["snapshot_id"], index["event_dates"].to_list(), strict=True))


def stored_version(workspace: Workspace, source: RequestSource) -> str:
    """The version under which the rows of the source's files are stored. Raises SourceError."""
    key = user_key(workspace)
    if source.is_shadow:
        return shadow_version(source)
    return (bill_version if source.is_bill else parser_version)(source, user_key=key)


def user_key(workspace: Workspace) -> bytes | None:
    """The secret under which end users are kept as a hash."""
    secret = workspace.settings.user_hash_key
    return None if secret is None else secret.get_secret_value().encode()


def _versions(workspace: Workspace, apart: Apart) -> dict[str, str]:
    """The version under which each source's rows are stored; a source whose declaration can't be used has none."""
    versions: dict[str, str] = {}
    for source in workspace.config.sources.requests:
        with apart.part(f"source {source.source}, of which nothing new is read"):
            versions[source.source] = stored_version(workspace, source)
    return versions


def _may_matter(file: LandedFile, sources: Mapping[str, RequestSource], window: Window | None) -> bool:
    """Whether rows of the file can fall on the window."""
    if window is None or file.arrival_date is None or always_matters(sources[file.source]):
        return True
    return file.arrival_date >= window.from_date - EARLIEST_ARRIVAL


def always_matters(source: RequestSource) -> bool:
    """A bill is revised for weeks, the replays of a session may come weeks after it, and a measurement counts for all days."""
    return source.is_bill or source.is_shadow or source.format in REPLAYING_FORMATS


class _Known(NamedTuple):
    """What the index says of a file: the parser that read it, and the days of its rows."""

    version: str
    days: list[date]


@dataclass(frozen=True)
class _Index:
    """The indexed files, and the window for which their rows are wanted."""

    store: Path
    known: dict[bytes, _Known]
    window: Window | None

    def holds(self, file: LandedFile, source: RequestSource, version: str) -> bool:
        """Indexed by this very parser, with its rows still in the store where the window reads them: a store that was cleared,
        or of which retention removed old days, fills again by itself. A file on which the reader failed is tried again."""
        found = self.known.get(file.snapshot_id)
        path = stored_path(self.store, source.format, version, file.snapshot_id)
        if found is None or found.version != version or has_failed(path):
            return False
        return is_stored(path) or not (always_matters(source) or self._reads(found.days))

    def _reads(self, days: list[date]) -> bool:
        """Whether some of the days are in the window or next to it."""
        if self.window is None:
            return False
        first = self.window.from_date - timedelta(days=1)
        return any(first <= day <= self.window.to_date for day in days)


def _known(workspace: Workspace) -> dict[bytes, _Known]:
    with workspace.database.connect() as connection:
        index = read_frame(
            connection,
            "select snapshot_id, parser_version, event_dates from raw.snapshot where kind in ('requests', 'bills', 'shadow')",
        )
    return {key: _Known(version, days) for key, version, days in index.iter_rows()}


def _index(workspace: Workspace, file: LandedFile, source: RequestSource, parsed: ParsedFile) -> None:
    """Replace the index row and quarantine of the file, and those of its former content, in one transaction."""
    counts = {"lines": parsed.lines, "valid": parsed.valid, "quarantined": parsed.quarantined}
    row = snapshot_row(file, source.format, parsed.parser_version, **counts, days=parsed.event_dates)
    if source.is_bill:
        row = row.with_columns(kind=pl.lit("bills"))
    elif source.is_shadow:
        row = row.with_columns(kind=pl.lit("shadow"))
    former_of_path = (
        "select snapshot_id from raw.snapshot "
        "where kind in ('requests', 'bills', 'shadow') and source = %(source)s and landing_path = %(path)s"
    )
    with workspace.database.connect() as connection, connection.transaction():
        former = read_frame(connection, former_of_path, {"source": file.source, "path": file.landing_path})
        ids = sorted({*former["snapshot_id"], file.snapshot_id})
        replace_rows(connection, SNAPSHOT, row, {"snapshot_id": ids})
        for table in (QUARANTINE, QUARANTINE_REMOVED):
            replace_rows(connection, table, table.empty(), {"snapshot_id": ids})
        for part in parsed.quarantine_parts():
            copy_frame(connection, QUARANTINE, part)
