"""Decides which price snapshots count: what looks like damage waits for a person, and the last good prices stay in force.

Every feed is reviewed, in the order of observation, each snapshot against the last one of its feed that counts and against what
the other feeds say at that instant. The outcome is a function of the snapshots and of what people decided about them, so that
any order of arrival, and any database, gives the same. What moved is found by `snapshot_diff.py` and judged by `anomalies.py`; why so is in docs/adr/0008-review-of-price-files.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

import polars as pl

from pipelines.config.sources import PriceFeed
from pipelines.constant import empty
from pipelines.models import Registry
from pipelines.outside import ANY_FAILURE, worded
from pipelines.prices.anomalies import Doubt, doubt
from pipelines.prices.feed_snapshot import FeedSnapshot, SnapshotFacts
from pipelines.prices.snapshot_diff import CHANGES, MODEL, Names, View, moves

Verdict = Literal["accept", "reject"]
State = Literal["open", "rejected", "superseded"]
"""Waits for a person; ignored for good by a person's word; or made moot by a later snapshot that counts."""

DECISIONS = ("accept", "reject")
"""Options of a feed that list files by name, hash or id: what people decided, where the landing zone is read only."""


@dataclass(frozen=True)
class Held:
    """A snapshot, or some of its models, that does not count. `changes` has the columns of `snapshot_diff.CHANGES`."""

    snapshot: SnapshotFacts
    reason: str
    is_whole: bool
    state: State
    changes: pl.DataFrame = field(repr=False)

    @property
    def models(self) -> int:
        """How many models are held."""
        return self.changes.select(MODEL).n_unique()


@dataclass(frozen=True)
class Review:
    """The snapshots of a feed that count, in order, and what is held of the others.

    A snapshot of which only some models are held counts with the last good prices of those models.
    """

    accepted: Sequence[FeedSnapshot] = ()
    held: tuple[Held, ...] = ()

    @property
    def open(self) -> tuple[Held, ...]:
        """What waits for a person."""
        return tuple(item for item in self.held if item.state == "open")


def review(
    feeds: Sequence[tuple[PriceFeed, Sequence[FeedSnapshot]]], names: Registry, verdicts: Mapping[bytes, Verdict]
) -> list[Review]:
    """A review for each of `feeds`, in their order.

    The first snapshot of a feed counts as it is. `names` is the registry of the declarations alone; `verdicts` is what people
    decided, by snapshot id. A snapshot that is accepted counts whole, from its observation on; one that is rejected never
    does (where only some of its models were held, these never do).
    """
    going = Reviewing([FeedReview(feed, Whole()) for feed, _ in feeds], names, verdicts)
    order = sorted(
        (snapshot.observed_at, feed.feed, snapshot.snapshot_id, number, place)
        for number, (feed, snapshots) in enumerate(feeds)
        for place, snapshot in enumerate(snapshots)
    )
    for *_, number, place in order:
        going.take(number, feeds[number][1][place])
    return going.results()


class Accepted(Protocol):
    """The snapshots of a feed that count so far."""

    def add(self, snapshot: FeedSnapshot, *, is_file: bool) -> None:
        """Take the next; `is_file` is false where it has prices of another file."""

    def done(self) -> Sequence[FeedSnapshot]:
        """All of them, in order."""


class Whole:
    """Snapshots as they come, with their prices."""

    def __init__(self) -> None:
        self._all: list[FeedSnapshot] = []

    def add(self, snapshot: FeedSnapshot, *, is_file: bool) -> None:
        """Take the next."""
        del is_file
        self._all.append(snapshot)

    def done(self) -> Sequence[FeedSnapshot]:
        """All of them, in order."""
        return tuple(self._all)


class Reviewing:
    """The review of all feeds while it goes on: snapshots are taken in the order of observation."""

    def __init__(self, feeds: Sequence[FeedReview], names: Registry, verdicts: Mapping[bytes, Verdict]) -> None:
        self.feeds, self.names, self._verdicts = list(feeds), Names(names), verdicts
        self.has_failed = False

    def take(self, number: int, snapshot: FeedSnapshot) -> None:
        """Judge the next snapshot, which is of the feed with that number."""
        feed = self.feeds[number]
        others = [(item.feed.feed, item.last) for item in self.feeds if item is not feed and item.last]
        verdict = self._verdicts.get(snapshot.snapshot_id)
        try:
            feed.take(View(snapshot, self.names), others, verdict)
        except ANY_FAILURE as error:  # one file's surprise holds that file, and costs no other feed
            self.has_failed = True
            feed.hold(snapshot.facts, f"reviewing it failed: {worded(error)}", verdict)

    def results(self) -> list[Review]:
        """A review for each feed."""
        return [feed.result() for feed in self.feeds]


class FeedReview:
    """The review of one feed while it goes on: what counts, what is held, and the last snapshot that counts."""

    def __init__(
        self, feed: PriceFeed, accepted: Accepted, held: Sequence[Held] = (), last: View | None = None
    ) -> None:
        self.feed, self.accepted, self.held, self.last = feed, accepted, list(held), last

    def take(self, view: View, others: Sequence[tuple[str, View]], verdict: Verdict | None) -> None:
        """Judge the next snapshot."""
        found = None if verdict == "accept" else self._doubt(view, others)
        if found is None and verdict == "reject":
            found = Doubt("nothing looked wrong in it", is_whole=True, changes=empty(CHANGES))
        if found is None:
            self._count(view, is_file=True)
            return
        state: State = "rejected" if verdict == "reject" else "open"
        self.held.append(Held(view.snapshot.facts, found.reason, found.is_whole, state, found.changes))
        if not found.is_whole and self.last is not None:
            self._count(_without(view, self.last, found.models), is_file=False)

    def hold(self, snapshot: SnapshotFacts, reason: str, verdict: Verdict | None) -> None:
        """Let the whole snapshot wait for a person, or never count where a person said so."""
        state: State = "rejected" if verdict == "reject" else "open"
        self.held.append(Held(snapshot, reason, is_whole=True, state=state, changes=empty(CHANGES)))

    def _doubt(self, view: View, others: Sequence[tuple[str, View]]) -> Doubt | None:
        found = moves(self.last, view, others) if self.last else None
        return doubt(found, is_page=self.feed.format == "page") if found else None

    def _count(self, view: View, *, is_file: bool) -> None:
        self.accepted.add(view.snapshot, is_file=is_file)
        self.last = view

    def result(self) -> Review:
        """The review: what is held is open until a later snapshot counts, of models until a later one counts or holds them."""
        newest = self.last.snapshot.snapshot_id if self.last else b""
        at = self.last.snapshot.observed_at if self.last else None
        held = [
            item
            if item.state == "rejected"
            or (
                item.snapshot.snapshot_id == newest
                if not item.is_whole
                else at is None or item.snapshot.observed_at > at
            )
            else replace(item, state="superseded")
            for item in self.held
        ]
        return Review(self.accepted.done(), tuple(held))


def _without(view: View, last: View, models: pl.DataFrame) -> View:
    """The snapshot with the prices of `models` as the last one that counts states them."""

    def of(some: View, how: Literal["semi", "anti"]) -> pl.DataFrame:
        sold = some.sold.join(models, on=list(MODEL), how="semi")
        return some.snapshot.prices.join(sold, on=["provider", "raw_model"], how=how)

    prices = pl.concat([of(view, "anti"), of(last, "semi")])
    return View(replace(view.snapshot, prices=prices), view.names)
