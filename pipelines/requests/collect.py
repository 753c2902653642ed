"""Parsed files to the requests of whole days: duplicates removed, the kept record named by every dropped one.

The result depends on what the records say and, for what a stream repeats, on where they were written, never on the order
in which files are listed. Parsing comes before (`parse.py`), so that a broken copy can never displace a valid one; model
and price are added after.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import orjson
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.meters import TOKEN_METERS
from pipelines.records.store import StoredPart, scan_spans, scan_stored, stored_parts
from pipelines.requests.halves import ended_elsewhere
from pipelines.requests.identity import SPANS
from pipelines.requests.normalise import CONTENT, REQUEST_SCHEMA, STORED_SCHEMA
from pipelines.requests.resumed import own_turns, with_own_turns
from pipelines.requests.shared_keys import (
    NO_PREFERENCES,
    Preferences,
    Resolved,
    SharedKeys,
    may_share_ids,
    to_the_last,
    words_of,
)
from pipelines.requests.sightings import FILLED
from pipelines.warehouse.tables.raw import DUPLICATE

PART_ROWS = 125_000
"""Rows handled at once: a day with more is taken by stretches of time, duplicates by ranges of their ids."""

REPLAYING_FORMATS = ("codex",)
"""Formats whose counters go on over a session, the history of which a fork copies: repeats may lie any time apart."""

OWN_RULES = ("same_record", "later_update", "stream_delta", "counter_replay")
"""Rules of raw.duplicate among the records of one source; all others are between sources and instruments (`sightings.py`)."""

_COMPARED_ROWS = 25_000
_INDEX_BATCH = 2**17
_PLACE = ("snapshot_id", "line_no", "item_no")
_NO_REQUESTS = pl.DataFrame(schema=REQUEST_SCHEMA)
_KNOWN = {"missing": 0, "partial": 1}
"""How much of a request's usage a record knows, by usage_basis; any other basis knows all of it."""
_HEAD = pl.col("request_uid").bin.slice(0, 8).bin.reinterpret(dtype=pl.UInt64)


@dataclass(frozen=True)
class Gathered:
    """Parsed rows of some days, or those of them that may have to do with each other: their parts, `whole` those of
    REPLAYING_FORMATS, the spans (SPANS) that are no requests, and the files as they were written (`order_of_files`)."""

    near: Sequence[StoredPart]
    whole: Sequence[StoredPart]
    spans: pl.LazyFrame
    order: pl.DataFrame
    shares_ids: bool
    """Whether records of different requests may state one id (`shared_keys.may_share_ids`)."""

    @property
    def parts(self) -> list[StoredPart]:
        """All parts."""
        return [*self.near, *self.whole]


@dataclass(frozen=True)
class DayRequests:
    """`requests` has REQUEST_SCHEMA (core.request without model and price); `duplicates` that of raw.duplicate."""

    requests: pl.DataFrame
    duplicates: pl.DataFrame


def collect_days(
    parsed: Sequence[Path],
    from_date: date,
    to_date: date,
    *,
    replaying: Sequence[Path] = (),
    preferences: Preferences = NO_PREFERENCES,
) -> DayRequests:
    """The requests whose kept record falls on [from_date, to_date), ordered by instant and id, and what was dropped."""
    parts = list(iter_days(parsed, from_date, to_date, replaying=replaying, preferences=preferences))
    return DayRequests(
        pl.concat([part.requests for part in parts]), pl.concat([part.duplicates for part in parts], rechunk=True)
    )


def iter_days(
    parsed: Sequence[Path],
    from_date: date,
    to_date: date,
    *,
    replaying: Sequence[Path] = (),
    preferences: Preferences = NO_PREFERENCES,
    part_rows: int = PART_ROWS,
) -> Iterator[DayRequests]:
    """As `collect_days`, in parts of some `part_rows` rows: first what was dropped, then the requests in order.

    Duplicates are resolved over one day more on either side, so that a pair across midnight ends alike whichever day
    is collected first; those of `replaying` files (of REPLAYING_FORMATS, all there are) over all days. Then come calls that
    several sources or instruments record (`sightings.py`), by the `preferences` of sources.yaml. Besides one part, 16 bytes for
    each of these rows are held in memory, and the places of the dropped records.
    """
    gathered = gather(parsed, replaying)
    yield from iter_gathered(gathered, from_date, to_date, preferences=preferences, part_rows=part_rows)


def gather(parsed: Sequence[Path], replaying: Sequence[Path]) -> Gathered:
    """What the parsed files hold, `replaying` those of REPLAYING_FORMATS."""
    near, whole = stored_parts(parsed), stored_parts(replaying)
    parts = [*near, *whole]
    return Gathered(near, whole, scan_spans([*parsed, *replaying], SPANS), order_of_files(parts), may_share_ids(parts))


def iter_gathered(
    gathered: Gathered,
    from_date: date,
    to_date: date,
    *,
    preferences: Preferences = NO_PREFERENCES,
    part_rows: int = PART_ROWS,
) -> Iterator[DayRequests]:
    """As `iter_days`, of rows that are gathered. Rows that share no request, id, wanted trace or stream with others can be
    gathered apart from them, with the same result."""
    if not from_date < to_date:
        raise ValueError(f"the window from {from_date} to {to_date} holds no day")
    yield DayRequests(_NO_REQUESTS, DUPLICATE.empty())
    near_parts, whole_parts = gathered.near, gathered.whole
    if not gathered.parts:
        return
    low, high = from_date - timedelta(days=1), to_date + timedelta(days=1)
    heads, instants = _index(near_parts, micros(low), micros(high), whole_parts)
    near = pl.col("event_date").is_between(low, high, closed="left")
    in_reach = pl.concat([scan_stored(near_parts, STORED_SCHEMA).filter(near), scan_stored(whole_parts, STORED_SCHEMA)])
    stored = scan_stored(gathered.parts, STORED_SCHEMA)
    repeated = _repeated(heads, part_rows)
    del heads
    dropped = [_dropped_of(in_reach.filter(_HEAD.is_in(some)).collect(), gathered.order) for some in repeated]
    halves = ended_elsewhere(near_parts, in_reach, gathered.order, dropped)
    dropped.append(halves.dropped)
    turns = own_turns(gathered.parts, dropped)
    places = pl.concat(found.select("request_uid", *_PLACE) for found in [DUPLICATE.empty(), *dropped])
    window = (micros(low), micros(high))
    keys = SharedKeys(gathered.parts, gathered.spans, window, places, shares_ids=gathered.shares_ids)
    resolved = keys.resolve(preferences, part_rows)
    for found in [*dropped, resolved.dropped]:
        ended = _duplicates(found, resolved.dropped)
        inside = ended.filter(pl.col("event_date").is_between(from_date, to_date, closed="left"))
        yield DayRequests(_NO_REQUESTS, inside.sort("event_date", *_PLACE))
    places = pl.concat([places, resolved.dropped.select("request_uid", *_PLACE)])
    for start, end in _stretches(instants, from_date, to_date, part_rows):
        at = pl.col("event_at").is_between(_instant(start), _instant(end), closed="left")
        rows = stored.filter(at).collect().rechunk()  # rows of many chunks take four times as long to move
        kept = rows.select(REQUEST_SCHEMA.names())[_order(rows, places)]
        whole = with_own_turns(halves.put_together(kept), turns)
        yield DayRequests(_filled(whole, resolved), DUPLICATE.empty())


def _duplicates(found: pl.DataFrame, onward: pl.DataFrame) -> pl.DataFrame:
    """Rows of raw.duplicate of what was found first, each with the record that is kept in the end.

    A replay may be dropped on a day that is loaded weeks after the kept record's: its row keeps the day that it has.
    """
    if "kept_request_uid" not in found.columns:
        found = found.with_columns(kept_request_uid="request_uid", kept_event_date="event_date")
    if onward.height:
        found = to_the_last(found, onward)
    day = pl.when(pl.col("rule") == "counter_replay").then("event_date").otherwise("kept_event_date")
    ended = found.with_columns(event_date=day, request_uid="kept_request_uid")
    return ended.select(DUPLICATE.polars_schema.names()).cast(DUPLICATE.polars_schema)


def _filled(rows: pl.DataFrame, resolved: Resolved) -> pl.DataFrame:
    """`rows` with what dropped records of the same calls say of who pays, and a tag on spans around calls that they don't add up to."""
    uids = rows["request_uid"]
    if resolved.gifts.height and uids.is_in(resolved.gifts["request_uid"].implode()).any():
        names = [*FILLED, "reported_cost_usd"]
        mine = resolved.gifts.join(rows.select("request_uid"), on="request_uid", how="semi")
        gifts = mine.group_by("request_uid").agg(pl.col(name).drop_nulls().first() for name in names)
        joined = rows.join(gifts, on="request_uid", how="left", suffix="_given", maintain_order="left")
        rows = joined.with_columns(pl.coalesce(name, f"{name}_given") for name in names).select(rows.columns)
    if resolved.outers.height and uids.is_in(resolved.outers["request_uid"].implode()).any():
        counted = rows.join(resolved.outers, on="request_uid", how="left", maintain_order="left")
        around = counted["calls"].is_not_null().arg_true()
        stated = counted.select("tags", "calls")[around].iter_rows()
        tags = [
            orjson.dumps({**orjson.loads(text or "{}"), "calls_inside": str(calls)}).decode() for text, calls in stated
        ]
        rows = rows.with_columns(counted["tags"].scatter(around, tags))
    return rows


def _index(
    parts: Sequence[StoredPart], low: int, high: int, whole: Sequence[StoredPart]
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Of every row of `parts` in [low, high) and of the `whole` ones: the first 8 bytes of its request_uid and its instant in microseconds."""
    wanted = [(part, row_groups_reaching(part.metadata, low, high), True) for part in parts]
    wanted += [(part, list(range(part.metadata.num_row_groups)), False) for part in whole]
    count = sum(part.metadata.row_group(group).num_rows for part, groups, _ in wanted for group in groups)
    heads, instants, filled = np.empty(count, np.uint64), np.empty(count, np.int64), 0
    for part, groups, is_bounded in wanted:
        # Buffered ahead, both columns of all row groups would be held at once.
        with pq.ParquetFile(part.path, metadata=part.metadata, pre_buffer=False) as file:
            for batch in file.iter_batches(
                _INDEX_BATCH, row_groups=groups, columns=["request_uid", "event_at"], use_threads=False
            ):
                uids = batch.column("request_uid").cast(pa.binary(16))
                words = np.frombuffer(uids.buffers()[1], "<u8")[2 * uids.offset :][: 2 * len(uids) : 2]
                at = words_of(batch.column("event_at").cast(pa.int64()), "<i8")
                if is_bounded:
                    inside = (at >= low) & (at < high)
                    words, at = words[inside], at[inside]
                heads[filled : filled + len(at)], instants[filled : filled + len(at)] = words, at
                filled += len(at)
    return heads[:filled], instants[:filled]


def row_groups_reaching(metadata: pq.FileMetaData, low: int, high: int) -> list[int]:
    """The row groups that may hold an instant in [low, high)."""
    place = metadata.schema.names.index("event_at")
    groups = range(metadata.num_row_groups)
    known = [(group, metadata.row_group(group).column(place).statistics) for group in groups]
    return [group for group, found in known if found is None or (found.min_raw < high and found.max_raw >= low)]


def _repeated(heads: npt.NDArray[np.uint64], part_rows: int) -> list[pl.Series]:
    """The heads that more than one row has, so many at a time that about `part_rows` rows have them; sorts `heads`."""
    heads.sort()
    again = heads[1:] == heads[:-1]
    repeated = np.unique(heads[1:][again])
    rows = int(again.sum()) + len(repeated)
    some = np.array_split(repeated, -(-rows // part_rows)) if rows else []
    return [pl.Series(each, dtype=pl.UInt64).implode() for each in some]


def _stretches(
    instants: npt.NDArray[np.int64], from_date: date, to_date: date, part_rows: int
) -> Iterator[tuple[int, int]]:
    """Stretches of time [low, high) in microseconds, in order, none over midnight, with at most some `part_rows` rows each."""
    for number in range((to_date - from_date).days):
        low, high = (micros(from_date + timedelta(days=number + ahead)) for ahead in (0, 1))
        of_day = instants[(instants >= low) & (instants < high)]
        parts = -(-len(of_day) // part_rows)
        cuts = [len(of_day) * part // parts for part in range(1, parts)]
        inner = np.partition(of_day, cuts)[cuts].tolist() if cuts else []
        if parts:
            yield from pairwise(dict.fromkeys([low, *inner, high]))


def _order(rows: pl.DataFrame, places: pl.DataFrame) -> pl.Series:
    """Indexes of the rows that are not at one of the places, by instant and id: the rows themselves are moved once."""
    order = rows.select(pl.arg_sort_by("event_at", "request_uid")).to_series()
    repeated = rows.select(_HEAD.is_in(places.select(_HEAD).to_series().implode())).to_series()
    if not repeated.any():
        return order
    numbered = rows.select(_PLACE).with_row_index("row").filter(repeated)
    gone = numbered.join(places, on=_PLACE, how="semi")["row"]
    return order.filter(~order.is_in(gone.implode()))


def micros(day: date) -> int:
    """Midnight UTC of a day, in microseconds since 1970."""
    return (day - date(1970, 1, 1)).days * 86_400_000_000


def _instant(micros: int) -> pl.Expr:
    return pl.lit(micros).cast(REQUEST_SCHEMA["event_at"])


def order_of_files(parts: Sequence[StoredPart]) -> pl.DataFrame:
    """The files in the order in which they were written, as far as it is known: by when they were observed, then by path,
    with numbers in it as numbers. Columns snapshot_id (Binary) and file_no (Int64)."""
    known = sorted({part.origin for part in parts}, key=lambda origin: (origin[0], _natural(origin[1]), origin))
    ids = pl.Series("snapshot_id", [bytes.fromhex(snapshot_id) for *_, snapshot_id in known], dtype=pl.Binary)
    return ids.to_frame().with_columns(file_no=pl.int_range(pl.len(), dtype=pl.Int64))


def _natural(path: str) -> str:
    return re.sub(r"\d+", lambda digits: digits[0].zfill(20), path)


def _dropped_of(rows: pl.DataFrame, order: pl.DataFrame) -> pl.DataFrame:
    """As `_dropped`, some rows after the other, because what a record holds is long as text."""
    turns = -(-rows.height // _COMPARED_ROWS)
    return pl.concat([_dropped(rows.filter(_HEAD % turns == turn), order) for turn in range(turns)])


def _dropped(rows: pl.DataFrame, order: pl.DataFrame) -> pl.DataFrame:
    """The dropped records of `rows`, which hold each of their requests whole, as rows of raw.duplicate."""
    # What all rows share separates none. The last field keeps a comma behind every other, whichever they are.
    differing = [name for name in CONTENT if rows[name].n_unique() > 1]
    content = pl.struct(*differing, pl.lit("").alias("end")).struct.json_encode()
    ordered = _ranked(rows.with_columns(content=content).join(order, on="snapshot_id", how="left"))
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
    return duplicates.select(DUPLICATE.polars_schema.names()).cast(DUPLICATE.polars_schema)


def _ranked(rows: pl.DataFrame) -> pl.DataFrame:
    """The records of each request, the one to keep first.

    Of what a stream repeats that is the one written last: the last in its file, of several files the one whose records are
    dated last, then the one that came last. A copy of an earlier record was written where it first stood; a record that
    lacks usage never replaces one that has it, and an attempt that failed without counts never one that was answered.
    """
    written = rows.sort("request_uid", "file_no", *_PLACE[1:])
    is_stream = pl.col("keep") == "stream_delta"
    known = pl.col("usage_basis").replace_strict(_KNOWN, default=len(_KNOWN), return_dtype=pl.Int32)
    counts = pl.any_horizontal(pl.col(meter.tokens_column) > 0 for meter in TOKEN_METERS)
    failed = (pl.col("status") != "ok") & ~counts
    ranks = {
        "failed": pl.when(pl.col("keep") == "same_record").then(failed),
        "rank": pl.when(is_stream | (pl.col("keep") == "later_update"))
        .then(-pl.col("revision"))
        .otherwise(pl.col("event_at").to_physical()),
        "is_copy": is_stream & (pl.int_range(pl.len()).over("request_uid", "content") > 0),
        "unknown": pl.when(is_stream).then(-known),
        "dated": pl.when(is_stream).then(-pl.col("event_at").to_physical().max().over("request_uid", "file_no")),
        "place": pl.when(is_stream).then(-pl.int_range(pl.len(), dtype=pl.Int64)),
    }
    return written.with_columns(**ranks).sort("request_uid", *ranks, "content", *_PLACE)
