"""Threads that one run of `codex exec --json` began and another went on with, each in a file of its own: every call counts once.

A run prints the total of its thread, so that the first turn of a later file holds what the earlier ones counted. Within a file the turns add up to
the total that it ended with. What the file before ended with is taken off the first turn of the next. Files are known to be of one
thread by its id (`stream_key`), and to follow each other by their totals.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from pipelines.meters import TOKEN_METERS
from pipelines.records.store import StoredPart, scan_stored
from pipelines.requests.normalise import STORED_SCHEMA
from pipelines.requests.sightings import PLACE

_COUNTS = [meter.tokens_column for meter in TOKEN_METERS]
_KEEP = "counter_replay"
_FILE = ("source", "stream_key", "snapshot_id")


def own_turns(parts: Sequence[StoredPart], gone: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The first turns of files that went on with a thread: request_uid, and what each counts by itself.

    Frames of `gone` have the places of rows that were dropped: such a turn stands in an earlier file, and holds nothing of it.
    """
    schema = {name: STORED_SCHEMA[name] for name in ("request_uid", *_COUNTS)}
    may_hold = [
        part
        for part in parts
        if part.shared.get("keep", _KEEP) == _KEEP and part.shared.get("stream_key", 0) is not None
    ]
    of_threads = (pl.col("keep") == _KEEP) & pl.col("stream_key").is_not_null()
    turns = scan_stored(may_hold, STORED_SCHEMA).filter(of_threads)
    rows = turns.select("request_uid", *_FILE, *PLACE[1:], *_COUNTS).sort(*PLACE[1:]).collect()
    rows = rows.unique(["request_uid", "snapshot_id"], keep="first", maintain_order=True)
    files = rows.group_by(*_FILE, maintain_order=True).agg(
        pl.first("request_uid", *PLACE[1:]),
        *(pl.first(name).alias(f"first_{name}") for name in _COUNTS),
        *(pl.sum(name) for name in _COUNTS),
    )
    files = files.filter(pl.len().over(*_FILE[:2]) > 1)
    pairs = files.join(files.select(*_FILE, *_COUNTS), on=_FILE[:2], suffix="_before", maintain_order="left").filter(
        pl.col("snapshot_id") != pl.col("snapshot_id_before"),
        *(pl.col(f"{name}_before") <= pl.col(f"first_{name}") for name in _COUNTS),
    )
    last = pairs.sort(pl.sum_horizontal(f"{name}_before" for name in _COUNTS)).unique(_FILE, keep="last")
    for dropped in gone:
        last = last.join(dropped, on=PLACE, how="anti")
    own = {name: pl.col(f"first_{name}") - pl.col(f"{name}_before") for name in _COUNTS}
    return last.select("request_uid", **own).cast(pl.Schema(schema))


def with_own_turns(rows: pl.DataFrame, turns: pl.DataFrame) -> pl.DataFrame:
    """`rows` with the counts of `turns` in place of theirs."""
    if turns.is_empty() or not rows["request_uid"].is_in(turns["request_uid"].implode()).any():
        return rows
    joined = rows.join(turns, on="request_uid", how="left", suffix="_own", maintain_order="left")
    return joined.with_columns(pl.coalesce(f"{name}_own", name).alias(name) for name in _COUNTS).select(rows.columns)
