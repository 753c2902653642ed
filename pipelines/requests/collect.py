"""Parsed files to the requests of whole days: duplicates removed, the kept record named by every dropped one.

The result depends on what the records say, never on the order of files or lines. Parsing comes before
(`parse.py`), so that a broken copy can never displace a valid one; model and price are added after.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from pipelines.requests.normalise import CONTENT, REQUEST_SCHEMA
from pipelines.warehouse.tables.raw import DUPLICATE

BUCKET_ROWS = 2_000_000
"""Rows deduplicated at a time: more are split by the first byte of request_uid, which keeps duplicates together."""

REPLAYING_FORMATS = ("codex",)
"""Formats whose counters go on over a session, the history of which a fork copies: repeats may lie any time apart."""

_PLACE = ("snapshot_id", "line_no", "item_no")


@dataclass(frozen=True)
class DayRequests:
    """`requests` has REQUEST_SCHEMA (core.request without model and price); `duplicates` that of raw.duplicate."""

    requests: pl.DataFrame
    duplicates: pl.DataFrame


def collect_days(
    parsed: Sequence[Path], from_date: date, to_date: date, *, replaying: Sequence[Path] = ()
) -> DayRequests:
    """The requests whose kept record falls on [from_date, to_date), ordered by instant and id, and what was dropped.

    Duplicates are resolved over one day more on either side, so that a pair across midnight ends alike
    whichever day is collected first; those of `replaying` files (of REPLAYING_FORMATS, all there are) over all days.
    """
    parts = list(iter_days(parsed, from_date, to_date, replaying=replaying))
    requests = pl.concat([part.requests for part in parts]).sort("event_date", "event_at", "request_uid")
    duplicates = pl.concat([part.duplicates for part in parts]).sort("event_date", *_PLACE)
    return DayRequests(requests, duplicates)


def iter_days(
    parsed: Sequence[Path],
    from_date: date,
    to_date: date,
    *,
    replaying: Sequence[Path] = (),
    bucket_rows: int = BUCKET_ROWS,
) -> Iterator[DayRequests]:
    """As `collect_days`, in hash buckets of at most some `bucket_rows` rows each, so that memory stays bounded."""
    if not from_date < to_date:
        raise ValueError(f"the window from {from_date} to {to_date} holds no day")
    if not parsed and not replaying:
        yield DayRequests(pl.DataFrame(schema=REQUEST_SCHEMA), DUPLICATE.empty())
        return
    day = timedelta(days=1)
    parts = []
    if parsed:
        near = pl.col("event_date").is_between(from_date - day, to_date + day, closed="left")
        parts.append(pl.scan_parquet(list(parsed)).filter(near))
    if replaying:
        parts.append(pl.scan_parquet(list(replaying)))
    window = pl.concat(parts)
    rows = int(window.select(pl.len()).collect().item())
    buckets = -(-rows // bucket_rows) or 1
    first_byte = pl.col("request_uid").bin.slice(0, 1).bin.reinterpret(dtype=pl.UInt8)
    for bucket in range(buckets):
        part = window if buckets == 1 else window.filter(first_byte % buckets == bucket)
        yield _deduplicated(part.collect(), from_date, to_date)


def _deduplicated(rows: pl.DataFrame, from_date: date, to_date: date) -> DayRequests:
    repeated = rows["request_uid"].is_duplicated()
    single = rows.filter(~repeated)
    kept, dropped = _resolved(rows.filter(repeated))
    requests = pl.concat([single, kept]).filter(pl.col("event_date").is_between(from_date, to_date, closed="left"))
    duplicates = dropped.filter(pl.col("event_date").is_between(from_date, to_date, closed="left"))
    return DayRequests(requests.select(REQUEST_SCHEMA.names()), duplicates)


def _resolved(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The kept record of each request, and the dropped ones as rows of raw.duplicate."""
    content = pl.struct(pl.col(CONTENT)).struct.json_encode()
    latest = pl.col("keep").is_in(["later_update", "stream_delta"])
    ordered = rows.with_columns(
        content=content,
        rank=pl.when(latest).then(-pl.col("revision")).otherwise(pl.col("event_at").to_physical()),
    ).sort("request_uid", "rank", "content", *_PLACE)
    kept = ordered.unique("request_uid", keep="first", maintain_order=True)
    names = {name: f"kept_{name}" for name in (*_PLACE, "event_date", "content")}
    winners = kept.select("request_uid", *names).rename(names)
    dropped = ordered.join(winners, on="request_uid").filter(
        pl.any_horizontal(pl.col(name) != pl.col(f"kept_{name}") for name in _PLACE)
    )
    same = pl.col("content") == pl.col("kept_content")
    duplicates = dropped.with_columns(
        # A replay may be dropped on a day that is loaded weeks after the kept record's.
        event_date=pl.when(pl.col("keep") == "counter_replay").then("event_date").otherwise("kept_event_date"),
        rule=pl.when(same).then(pl.lit("same_record")).otherwise(pl.col("keep")),
    )
    return kept.select(rows.columns), duplicates.select(DUPLICATE.polars_schema.names()).cast(DUPLICATE.polars_schema)
