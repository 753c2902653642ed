"""Step `core.request`: a window of days, from parsed rows to costed facts, replaced in one transaction.

The index in `raw.snapshot` says where in the parsed store the rows are; `ingest.py` fills both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
import psycopg

from pipelines.config.sources import Sources
from pipelines.daily.days import Window
from pipelines.daily.known_days import quiet_days
from pipelines.daily.request_rules import RequestRules, rules_of
from pipelines.models import alias_frame
from pipelines.prices import keep_booked
from pipelines.requests import Preferences
from pipelines.requests.collect import REPLAYING_FORMATS, Gathered, gather, iter_gathered
from pipelines.unused_memory import return_unused
from pipelines.warehouse.day_files import DayFileWriter, writing_days
from pipelines.warehouse.read import read_frame, read_table
from pipelines.warehouse.replace import DayLoad, replace_days, replace_rows
from pipelines.warehouse.tables.core import MODEL_ALIAS, REQUEST
from pipelines.warehouse.tables.raw import DUPLICATE, LOADED_FILE, QUIET_DAY
from pipelines.workspace import Workspace
from pipelines.workspace.model_registry import registry_of

T = TypeVar("T")


@dataclass(frozen=True)
class LoadOutcome:
    """What a window of days came to."""

    requests: int
    duplicates: int
    priced: int
    list_cost_usd: Decimal
    aliases: int
    files: int
    quiet_days: int
    preview: pl.DataFrame


Part = tuple[pl.DataFrame, pl.DataFrame]
"""Rows of core.request and of raw.duplicate."""
MakeParts = Callable[[Workspace, Window], Iterator[Part]]
"""Makes the rows of a window, in parts; every part that has duplicates comes before the first that has requests."""


def load_requests(workspace: Workspace, window: Window, make: MakeParts | None = None) -> LoadOutcome:
    """Collect, attribute, resolve and rate the window's requests part by part, and replace its partitions.

    `make` does that elsewhere than in this process (`pipelines.spark`).

    `core.request`, `raw.duplicate`, `raw.loaded_file` and `raw.quiet_day` change together: readers see the days as they were or as they are, never half.
    On a closed day what was booked stays booked; only requests that are new there are rated as known now. Memory is
    that of some parts (`pipelines.requests.iter_days`), of which one is made ready while the one before is sent.
    """
    summary = _Summary()
    days = (window.from_date, window.to_date)
    with (
        workspace.database.connect() as connection,
        writing_days(workspace.day_files) as files,
        connection.transaction(),
        DayLoad(connection, DUPLICATE, *days) as duplicates,
        DayLoad(connection, REQUEST, *days) as requests,
    ):
        # Before the parts are made: a file that another run indexes meanwhile is not loaded with these days.
        indexed = _files_of(connection, window)
        for rated, dropped in _ahead(_parts(workspace, window, files, make or parts_here)):
            # Every part that has duplicates comes before the first that has requests, whose COPY takes the connection.
            if dropped.height:
                duplicates.append(dropped)
            requests.append(rated)
            summary.add(rated)
        requests.flush()
        aliases = alias_frame(registry_of(workspace), summary.names)
        _replace_aliases(connection, aliases)
        loaded = pl.concat([summary.loaded_files, _without_request(indexed, summary.loaded_files)])
        loaded_files = replace_days(connection, LOADED_FILE, loaded, window.from_date, window.to_date)
        quiet = quiet_days(window, summary.loaded_files["event_date"])
        replace_days(connection, QUIET_DAY, quiet, window.from_date, window.to_date)
        # Last, because swapping partitions makes readers wait until the transaction ends.
        requests.finish()
        files.name_in(connection)
    files.sweep()
    return_unused()
    return LoadOutcome(
        requests=requests.rows,
        duplicates=duplicates.rows,
        priced=summary.priced,
        list_cost_usd=summary.list_cost_usd,
        aliases=aliases.height,
        files=loaded_files,
        quiet_days=quiet.height,
        preview=summary.preview,
    )


def request_parts(workspace: Workspace, window: Window, gathered: Gathered, rules: RequestRules) -> Iterator[Part]:
    """The window's rows of core.request and raw.duplicate, made on this machine."""
    parts = iter_gathered(gathered, window.from_date, window.to_date, preferences=preferences(workspace.config.sources))
    for part in parts:
        yield rules.applied(part.requests), part.duplicates


def parts_here(workspace: Workspace, window: Window) -> Iterator[Part]:
    """The window's rows, made by one process."""
    return request_parts(workspace, window, gather(*parsed_files(workspace, window)), rules_of(workspace))


def _parts(workspace: Workspace, window: Window, files: DayFileWriter, make: MakeParts) -> Iterator[Part]:
    """Rows of core.request, which `files` keep too, and of raw.duplicate. What is booked on closed days stays booked."""
    closed = set(workspace.config.periods.closed(window.days))
    booked = REQUEST.empty()
    for rated, dropped in make(workspace, window):
        days = closed.intersection(rated["event_date"].unique())
        if not days.issubset(booked["event_date"].unique()):
            with workspace.database.connect() as connection:
                booked = read_table(connection, REQUEST, "event_date = any(%s)", (sorted(days),))
        kept = keep_booked(rated, booked) if days else rated
        files.append(kept)
        yield kept, dropped


def preferences(sources: Sources) -> Preferences:
    """What `sources.yaml` says of calls that several sources describe."""
    return Preferences({source.source: source.precedence for source in sources.requests}, sources.look_alikes)


def _ahead(parts: Iterator[T]) -> Iterator[T]:
    """The same parts, the next one made ready by another thread while the caller uses one."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, parts, None)
        while (part := coming.result()) is not None:
            coming = pool.submit(next, parts, None)
            yield part


class _Summary:
    """Totals of parts as they pass by."""

    def __init__(self) -> None:
        self.priced = 0
        self.list_cost_usd = Decimal(0)
        self._names: list[pl.DataFrame] = []
        self._previews: list[pl.DataFrame] = []
        self._files: list[pl.DataFrame] = []

    def add(self, rated: pl.DataFrame) -> None:
        self.priced += rated["unpriced_reason"].null_count()
        self.list_cost_usd += Decimal(rated["list_cost_usd"].sum())
        self._names.append(_names(rated))
        self._previews.append(_by_model(rated, pl.len()))
        self._files.append(rated.group_by("event_date", "snapshot_id").agg(pl.len().cast(pl.Int64).alias("requests")))

    @property
    def names(self) -> pl.DataFrame:
        """Every name that was logged, with its provider."""
        return pl.concat(self._names).unique(maintain_order=True)

    @property
    def loaded_files(self) -> pl.DataFrame:
        """Rows of raw.loaded_file."""
        counts = pl.concat(self._files).group_by("event_date", "snapshot_id").agg(pl.col("requests").sum())
        return counts.sort("event_date", "snapshot_id")

    @property
    def preview(self) -> pl.DataFrame:
        """The models that cost most, day by day."""
        whole = _by_model(pl.concat(self._previews), pl.col("requests").sum())
        return whole.sort("event_date", "list_cost_usd", descending=[False, True], nulls_last=True).head(15)


def parsed_files(workspace: Workspace, window: Window) -> tuple[list[Path], list[Path]]:
    """Parsed files whose rows fall on the window or on the days next to it, which may hold their duplicates; and every file
    of a format that repeats records any time later."""
    bounds = {
        "low": window.from_date - timedelta(days=1),
        "high": window.to_date,
        "replaying": list(REPLAYING_FORMATS),
    }
    with workspace.database.connect() as connection:
        index = read_frame(
            connection,
            "select snapshot_id, format, parser_version, landing_path from raw.snapshot where kind = 'requests' "
            "and (format = any(%(replaying)s) or exists (select from unnest(event_dates) as day "
            "where day between %(low)s and %(high)s)) order by landing_path",
            bounds,
        )
    replays = pl.col("format").is_in(REPLAYING_FORMATS)
    return workspace.parsed_paths(index.filter(~replays)), workspace.parsed_paths(index.filter(replays))


def _files_of(connection: psycopg.Connection[Any], window: Window) -> pl.DataFrame:
    """The days of the window and the indexed files that hold records of them: event_date, snapshot_id."""
    sql = """
        select day as event_date, snapshot_id from raw.snapshot, unnest(event_dates) as day
        where kind = 'requests' and day >= %(low)s and day < %(high)s
    """
    return read_frame(connection, sql, {"low": window.from_date, "high": window.to_date})


def _without_request(indexed: pl.DataFrame, loaded: pl.DataFrame) -> pl.DataFrame:
    """Rows of raw.loaded_file with no request, for the files whose records of a day were all dropped: that day was loaded with them."""
    files = indexed.with_columns(requests=pl.lit(0)).select(loaded.columns).cast(LOADED_FILE.polars_schema)
    return files.join(loaded, on=["event_date", "snapshot_id"], how="anti")


def _replace_aliases(connection: psycopg.Connection[Any], aliases: pl.DataFrame) -> None:
    """Write `aliases`, and keep what other providers use the same names for."""
    names = aliases["raw_name"].unique().to_list()
    known = read_table(connection, MODEL_ALIAS, "raw_name = any(%s)", (names,))
    merged = pl.concat([aliases, known]).unique(MODEL_ALIAS.primary_key, keep="first", maintain_order=True)
    replace_rows(connection, MODEL_ALIAS, merged, {"raw_name": names})


def _names(requests: pl.DataFrame) -> pl.DataFrame:
    """Every name that was logged, with its provider."""
    named = requests.select(
        pl.col("provider_id").fill_null(""),
        pl.coalesce("response_model", "request_model").fill_null("").str.to_lowercase().alias("raw_name"),
    )
    return named.filter(pl.col("raw_name") != "").unique(maintain_order=True)


def _by_model(rows: pl.DataFrame, requests: pl.Expr) -> pl.DataFrame:
    return rows.group_by("event_date", "model_id").agg(requests.alias("requests"), pl.col("list_cost_usd").sum())
