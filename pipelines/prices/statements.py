"""What many snapshots of prices say, each statement kept once: a daily map says hardly anything that it did not say before.

A statement has a number and the runs of snapshots that make it, so that a year of daily maps costs what changed in it. What
follows from the statements is in `ledger.py`, `dated_names.py` and `price_lists.py`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import overload

import polars as pl

from pipelines.constant import empty
from pipelines.prices.feed_snapshot import PRICE_SCHEMA, FeedSnapshot, SnapshotFacts

_COLUMNS = PRICE_SCHEMA.names()
_DISTINCT = pl.Schema({"row": pl.UInt32(), **PRICE_SCHEMA})
_FACTS = {
    "feed": pl.String(),
    "observed_at": pl.Datetime("us", "UTC"),
    "snapshot_id": pl.Binary(),
    "parser_version": pl.String(),
}
_RUNS = pl.Schema({"row": pl.UInt32(), "copy": pl.UInt32(), "first": pl.Int64(), "last": pl.Int64()})


@dataclass(frozen=True)
class Statements:
    """What `count` snapshots say, which are numbered by `k` in their order.

    `distinct` has the columns of PRICE_SCHEMA and `row`, a number; `runs` has the snapshots that make a statement without a break,
    from `first` to `last`. A statement that a snapshot makes more than once has a run for each `copy`.
    """

    distinct: pl.DataFrame
    runs: pl.DataFrame
    count: int

    def said(self) -> pl.DataFrame:
        """A line per snapshot `k` and `row`."""
        ks = pl.int_ranges("first", pl.col("last") + 1, dtype=pl.Int64).alias("k")
        return self.runs.select(ks, "row").explode("k").sort("k", "row")

    def until(self, count: int) -> Statements:
        """The same of the first `count` snapshots."""
        runs = self.runs.filter(pl.col("first") < count).with_columns(pl.min_horizontal("last", count - 1))
        return Statements(self.distinct.join(runs, on="row", how="semi", maintain_order="left"), runs, count)


@dataclass(frozen=True)
class Lines:
    """What is said at the instants at which something changes in a group of statements, or at every one.

    `said` has `k` and `row`, where `k` numbers the instants of all groups, one group after the other; `instants` has `k`, `group`,
    `snapshot`, the number of the snapshot, and ends each group with the number of a snapshot that is not there.
    """

    said: pl.DataFrame
    instants: pl.DataFrame


def lines(stated: Statements, groups: pl.DataFrame, *, whole: pl.DataFrame | None = None) -> Lines:
    """The statements of `groups` (row, group), of those in `whole` (group) at every snapshot.

    Between two instants of a group every snapshot says the same of it: what is asked of each snapshot needs to be asked of these.
    """
    runs = stated.runs.join(groups, on="row")
    marks = [runs.select("group", snapshot="first"), runs.select("group", snapshot=pl.col("last") + 1)]
    marks.append(runs.select("group").unique().with_columns(snapshot=pl.lit(stated.count, pl.Int64)))
    if whole is not None and whole.height:
        every = pl.int_range(stated.count, dtype=pl.Int64, eager=True).alias("snapshot").to_frame()
        marks.append(runs.select("group").unique().join(whole, on="group", how="semi").join(every, how="cross"))
    instants = pl.concat(marks).unique().sort("group", "snapshot").with_row_index("k")
    instants = instants.with_columns(pl.col("k").cast(pl.Int64))
    place = instants.select("group", "snapshot", "k")
    spans = runs.join(place.rename({"snapshot": "first", "k": "from"}), on=["group", "first"]).join(
        place.with_columns(last=pl.col("snapshot") - 1).select("group", "last", to="k"), on=["group", "last"]
    )
    ks = pl.int_ranges("from", "to", dtype=pl.Int64).alias("k")
    return Lines(spans.select(ks, "row").explode("k").sort("k", "row"), instants)


class Gathering:
    """Statements while they are gathered, snapshot after snapshot."""

    def __init__(self, stated: Statements | None = None) -> None:
        stated = stated or Statements(empty(_DISTINCT), empty(_RUNS), 0)
        is_open = pl.col("last") == stated.count - 1
        self._known, self._count = stated.distinct, stated.count
        self._closed = [stated.runs.filter(~is_open)]
        self._open = stated.runs.filter(is_open).drop("last")

    def add(self, prices: pl.DataFrame) -> None:
        """Take the prices of the next snapshot."""
        rows = _rows(prices, self._known)
        if rows.has_nulls():
            places = rows.is_null().arg_true()
            unknown = prices[places]
            new = unknown.unique(maintain_order=True).with_row_index("row", offset=self._known.height)
            rows = rows.scatter(places, _rows(unknown, new))
            self._known = pl.concat([self._known, new])
        now = pl.DataFrame({"row": rows}, schema={"row": pl.UInt32})
        now = now.with_columns(copy=pl.int_range(pl.len(), dtype=pl.UInt32).over("row"))
        key = ["row", "copy"]
        ended = self._open.join(now, on=key, how="anti")
        self._closed.append(ended.with_columns(last=pl.lit(self._count - 1, pl.Int64)))
        begun = now.join(self._open, on=key, how="anti").with_columns(first=pl.lit(self._count, pl.Int64))
        self._open = pl.concat([self._open.join(now, on=key, how="semi"), begun])
        self._count += 1

    def end_runs(self) -> None:
        """End every run: the next snapshot is of another feed."""
        self._closed.append(self._still_open())
        self._open = self._open.clear()

    def _still_open(self) -> pl.DataFrame:
        return self._open.with_columns(last=pl.lit(self._count - 1, pl.Int64))

    def done(self) -> Statements:
        """What was gathered so far."""
        runs = pl.concat([*self._closed, self._still_open()]).sort("row", "copy", "first")
        return Statements(self._known, runs, self._count)


class KeptSnapshots(Sequence[FeedSnapshot]):
    """Snapshots whose statements are at hand and whose prices are read one by one, when one is asked for."""

    def __init__(
        self, facts: Sequence[SnapshotFacts], statements: Statements, read: Callable[[int], FeedSnapshot]
    ) -> None:
        self.facts, self.statements, self._read = tuple(facts), statements, read

    def __len__(self) -> int:
        return len(self.facts)

    @overload
    def __getitem__(self, index: int) -> FeedSnapshot: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[FeedSnapshot]: ...
    def __getitem__(self, index: int | slice) -> FeedSnapshot | Sequence[FeedSnapshot]:
        places = range(len(self))[index]
        return self._read(places) if isinstance(places, int) else [self._read(place) for place in places]

    def until(self, known_at: datetime) -> KeptSnapshots:
        """Those that were observed up to an instant."""
        count = bisect_right([item.observed_at for item in self.facts], known_at)
        return KeptSnapshots(self.facts[:count], self.statements.until(count), self._read)


def gathered(snapshots: Sequence[FeedSnapshot]) -> Statements:
    """The statements of `snapshots`; those that are kept are not read."""
    if isinstance(snapshots, KeptSnapshots):
        return snapshots.statements
    gathering = Gathering()
    for place, snapshot in enumerate(snapshots):
        if place and snapshot.feed != snapshots[place - 1].feed:
            gathering.end_runs()
        gathering.add(snapshot.prices)
    return gathering.done()


def facts_of(snapshots: Sequence[FeedSnapshot]) -> Sequence[SnapshotFacts]:
    """What is known of `snapshots` besides their prices."""
    return snapshots.facts if isinstance(snapshots, KeptSnapshots) else snapshots


def by_number(facts: Sequence[SnapshotFacts], *names: str) -> pl.DataFrame:
    """What is known of each snapshot under `names`, with its number in `snapshot`."""
    found = {name: pl.Series([getattr(item, name) for item in facts], dtype=_FACTS[name]) for name in names}
    return pl.DataFrame({"snapshot": pl.int_range(len(facts), dtype=pl.Int64, eager=True), **found})


def joined(feeds: Iterable[KeptSnapshots]) -> KeptSnapshots:
    """The snapshots of all `feeds`, one feed after the other. A statement of several feeds has a number for each."""
    parts = list(feeds)
    facts = [item for part in parts for item in part.facts]
    places = [(part, place) for part in parts for place in range(len(part))]
    distinct, runs = [empty(_DISTINCT)], [empty(_RUNS)]
    rows = count = 0
    for part in parts:
        stated, number = part.statements, pl.col("row") + rows
        distinct.append(stated.distinct.with_columns(number.cast(pl.UInt32)))
        runs.append(stated.runs.with_columns(number.cast(pl.UInt32), pl.col("first", "last") + count))
        rows += int(stated.distinct["row"].max() or 0) + 1  # type: ignore[arg-type]
        count += stated.count
    statements = Statements(pl.concat(distinct), pl.concat(runs), count)
    return KeptSnapshots(facts, statements, lambda place: places[place][0][places[place][1]])


def _rows(prices: pl.DataFrame, known: pl.DataFrame) -> pl.Series:
    return prices.join(known, on=_COLUMNS, how="left", nulls_equal=True, maintain_order="left")["row"]


def numbered(frame: pl.DataFrame, name: str, columns: Sequence[str]) -> pl.DataFrame:
    """`frame` with a column `name` that numbers the distinct contents of `columns`, in their order, nulls first."""
    numbers = frame.select(columns).unique().sort(columns).with_row_index(name)
    return frame.join(numbers, on=list(columns), how="left", nulls_equal=True, maintain_order="left")
