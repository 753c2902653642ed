"""Step `retention`: remove what `retention.yaml` says is old, and what no run reads any more.

What removing means is `pipelines.retention`; here are the days, the index and the parsers in force.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from pipelines.benchmarks import packaged_board
from pipelines.benchmarks.board_cache import board_folder
from pipelines.benchmarks.gap_file import gap_path
from pipelines.benchmarks.progress import progress_path
from pipelines.config.sources import RequestSource
from pipelines.daily.ingest import always_matters, stored_version, user_key
from pipelines.ids import as_uuid
from pipelines.landing import LandedFile
from pipelines.outside import ANY_FAILURE
from pipelines.prices.feed_cache import feed_folder, review_path
from pipelines.records.privacy import hashed_user
from pipelines.retention.facts import prune_facts, rename_in_facts
from pipelines.retention.files import prune_landed, prune_reports
from pipelines.retention.forgotten import Forgotten, forget
from pipelines.retention.removed import Removed
from pipelines.retention.stored import Indexed, prune_store
from pipelines.retention.tables import (
    prune_profiles,
    prune_projections,
    prune_quarantine,
    prune_requests,
    prune_routing_sums,
)
from pipelines.warehouse.advisory_locks import exclusive
from pipelines.warehouse.names import is_made
from pipelines.warehouse.read import read_frame
from pipelines.workspace import Workspace

_INDEX = """
    select snapshot_id, format, parser_version, source, landing_path, event_dates
    from raw.snapshot where kind in ('requests', 'bills', 'shadow')
"""


def apply_retention(workspace: Workspace) -> list[Removed]:
    """Remove what is too old, and what former parsers left; what was removed, part by part.

    Two callers take turns. Everything removed is of days whose charges stay.
    """
    kept = workspace.config.retention
    with exclusive(workspace.database, "retention"):
        newest = _newest_day(workspace)
        done = [_store(workspace, _cutoff(newest, kept.parsed_days))]
        if before := _cutoff(newest, kept.reports_days):
            done.append(prune_reports(workspace.settings.reports, before))
        if before := _cutoff(newest, kept.fact_files_days):
            done.append(prune_facts(workspace.settings.facts_root, before))
        with workspace.database.connect() as connection:
            for days, prune in (
                (kept.request_facts_days, prune_requests),
                (kept.quarantine_days, prune_quarantine),
                (kept.routing_sums_days, prune_routing_sums),
                (kept.profiles_days, prune_profiles),
                (kept.projections_days, prune_projections),
            ):
                if before := _cutoff(newest, days):
                    done.append(prune(connection, before))
        if (before := _cutoff(newest, kept.landing_days)) and workspace.settings.landing_url is None:
            done.append(prune_landed(_old_logs(workspace, before)))
            workspace.rescan()
    return [part for part in done if part.count]


@dataclass(frozen=True)
class ForgottenUser:
    """What was changed for an end user; `landed` are the files of the landing zone that still name them."""

    changed: Forgotten
    fact_files: int
    landed: tuple[str, ...]


def forget_user(workspace: Workspace, user: str, *, is_erased: bool) -> ForgottenUser:
    """Forget an end user as they were logged; with MODELMETER_USER_HASH_KEY their keyed hash is what was kept.

    Parsed rows that name them are removed where the landing zone has the file, and read again without the name.
    """
    key = user_key(workspace)
    name = hashed_user(user, key) if key else user
    done = forget(workspace.database, workspace.store, workspace.day_files, name, is_erased=is_erased)
    fact_files = rename_in_facts(workspace.settings.facts_root, name, done.replacement)
    index = _indexed(workspace, None)
    for snapshot_id in done.snapshot_ids:
        if (found := index.get(snapshot_id.hex())) and found.is_landed:
            for path in (workspace.store / found.folder).glob(f"{snapshot_id.hex()}.*"):
                path.unlink(missing_ok=True)
    with workspace.database.connect() as connection:
        query = "select landing_path from raw.snapshot where snapshot_id = any(%s) order by landing_path"
        paths = connection.execute(query, [[as_uuid(key) for key in done.snapshot_ids]]).fetchall()
    return ForgottenUser(done, fact_files, tuple(path for (path,) in paths))


def _newest_day(workspace: Workspace) -> date | None:
    """The newest day with charges that is not to come."""
    with workspace.database.connect() as connection:
        if not is_made(connection, "mart.daily_charge"):
            return None
        row = connection.execute(
            "select max(event_date) from mart.daily_charge where event_date <= %s", [datetime.now(UTC).date()]
        ).fetchone()
    return row[0] if row else None


def _cutoff(newest: date | None, days: int | None) -> date | None:
    """The first day that is kept; None if nothing is too old."""
    return None if newest is None or days is None else newest - timedelta(days=days - 1)


def _store(workspace: Workspace, before: date | None) -> Removed:
    sources = workspace.config.sources
    in_force = {feed_folder(feed, workspace.store) for feed in sources.prices}
    in_force.add(review_path(sources.prices, workspace.config.models, workspace.store).parent)
    for board in (packaged_board(declared)[0] for declared in sources.leaderboards):
        in_force.add(board_folder(board, workspace.store))
        in_force |= {path(board, workspace.store).parent for path in (progress_path, gap_path)}
    unsure = set()
    for source in sources.requests:
        try:
            in_force.add(workspace.store / f"{source.format}-{stored_version(workspace, source)}")
        except ANY_FAILURE:
            unsure.add(source.format)
    return prune_store(workspace.store, in_force, _indexed(workspace, before), unsure=unsure)


def _indexed(workspace: Workspace, before: date | None) -> dict[str, Indexed]:
    with workspace.database.connect() as connection:
        index = read_frame(connection, _INDEX)
    lasting = {source.source for source in workspace.config.sources.requests if always_matters(source)}
    return {
        row["snapshot_id"].hex(): Indexed(
            folder=f"{row['format']}-{row['parser_version']}",
            is_landed=Path(workspace.zone.folder, row["landing_path"]).is_file(),
            is_old=before is not None and row["source"] not in lasting and _all_before(row["event_dates"], before),
        )
        for row in index.iter_rows(named=True)
    }


def _old_logs(workspace: Workspace, before: date) -> Iterable[LandedFile]:
    """Log files that are indexed as they are, and of which every day and the arrival are before a day."""
    with workspace.database.connect() as connection:
        index = read_frame(connection, f"{_INDEX} and kind = 'requests'")
    days = dict(index.select("snapshot_id", pl.col("event_dates")).iter_rows())
    sources = {s.source: s for s in workspace.config.sources.requests}
    for file in workspace.landed("requests").files:
        source: RequestSource | None = sources.get(file.source)
        if source is None or always_matters(source) or file.arrival_date is None or file.arrival_date >= before:
            continue
        if file.snapshot_id in days and _all_before(days[file.snapshot_id], before):
            yield file


def _all_before(days: Iterable[date], before: date) -> bool:
    return all(day < before for day in days)
