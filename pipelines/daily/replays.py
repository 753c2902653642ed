"""Days that hold replays of sessions which arrived later than their fork: what `stale_days` adds for such formats.

What a replay is, is decided in `pipelines.requests.collect`; loading a day is `requests.py`.
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from pipelines.meters import TOKEN_METERS
from pipelines.requests.collect import OWN_RULES, REPLAYING_FORMATS, collect_days
from pipelines.warehouse.partitions import loaded_days
from pipelines.warehouse.read import read_frame
from pipelines.warehouse.tables.core import REQUEST
from pipelines.workspace import Workspace

_KEY = ["snapshot_id", "line_no", "item_no"]
_TOKENS = [meter.tokens_column for meter in TOKEN_METERS]
_SUM = " + ".join(f"{name}::bigint" for name in _TOKENS)
"""What a turn counts depends on the files that its thread had before (`pipelines.requests.resumed`)."""


def replayed_days(workspace: Workspace, low: date, high: date) -> list[date]:
    """Loaded days in [low, high) on which the requests of REPLAYING_FORMATS, or their counts, are others than all files together give."""
    formats = {"formats": list(REPLAYING_FORMATS)}
    of_formats = "kind = 'requests' and format = any(%(formats)s)"
    with workspace.database.connect() as connection:
        index = read_frame(
            connection,
            f"select snapshot_id, format, parser_version, landing_path from raw.snapshot where {of_formats} order by landing_path",
            formats,
        )
        if not index.height:
            return []
        loaded = read_frame(
            connection,
            f"select event_date, snapshot_id, line_no, item_no, {_SUM} as tokens from core.request "
            "where event_date >= %(low)s and event_date < %(high)s "
            f"and snapshot_id in (select snapshot_id from raw.snapshot where {of_formats})",
            formats | {"low": low, "high": high},
        )
        # What another source describes as well is no replay.
        counted_elsewhere = read_frame(
            connection,
            "select snapshot_id, line_no, item_no from raw.duplicate "
            f"where rule <> all(%(rules)s) and snapshot_id in (select snapshot_id from raw.snapshot where {of_formats})",
            formats | {"rules": list(OWN_RULES)},
        )
        days = [day for day in loaded_days(connection, REQUEST) if low <= day < high]
    if not days:
        return []
    paths = workspace.parsed_paths(index)
    known = collect_days([], min(days), max(days) + timedelta(days=1), replaying=paths).requests.select(
        "event_date", *_KEY, tokens=pl.sum_horizontal(pl.col(_TOKENS).cast(pl.Int64))
    )
    same = [*_KEY, "tokens"]
    missing = known.join(loaded, on=same, how="anti").join(counted_elsewhere, on=_KEY, how="anti")
    differing = pl.concat([missing, loaded.join(known, on=same, how="anti")])
    return sorted(set(differing["event_date"]) & set(days))
