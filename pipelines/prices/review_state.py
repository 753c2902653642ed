"""How far the review of the price files came, kept between runs: a file that was judged once is neither read nor judged again.

The review is a function of the files in the order of observation (`review.py`), so what it knows after some of them is all that it
needs for the rest. Kept are what each feed's files say besides their prices, the statements of those that count (`statements.py`),
what is held, and the prices that the next file is compared with.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import polars as pl

from pipelines.config.sources import PriceFeed
from pipelines.landing.parse_cache import CachedParse, read_cached, write_cached
from pipelines.models import Registry
from pipelines.prices.feed_snapshot import FeedSnapshot, SnapshotFacts
from pipelines.prices.review import FeedReview, Held, Reviewing, Verdict
from pipelines.prices.snapshot_diff import Names, View
from pipelines.prices.statements import Gathering, KeptSnapshots, Statements

Judged = SnapshotFacts | str
"""What one file gave: a snapshot, or the reason why it can't be read."""
Read = Callable[[bytes], FeedSnapshot]
"""Reads the file with a snapshot id again."""


class Kept:
    """The snapshots of a feed that count, as statements; `mixed` has those that are not as their file says, by place."""

    def __init__(
        self,
        read: Read,
        facts: Iterable[SnapshotFacts] = (),
        stated: Statements | None = None,
        mixed: Mapping[int, pl.DataFrame] | None = None,
    ) -> None:
        self.facts, self.mixed = list(facts), dict(mixed or {})
        self._read, self._gathering = read, Gathering(stated)

    def add(self, snapshot: FeedSnapshot, *, is_file: bool) -> None:
        """Take the next."""
        if not is_file:
            self.mixed[len(self.facts)] = snapshot.prices
        self.facts.append(snapshot.facts)
        self._gathering.add(snapshot.prices)

    def statements(self) -> Statements:
        """What they state."""
        return self._gathering.done()

    def done(self) -> KeptSnapshots:
        """All of them, in order."""
        return KeptSnapshots(self.facts, self.statements(), self._snapshot)

    def _snapshot(self, place: int) -> FeedSnapshot:
        facts = self.facts[place]
        if place in self.mixed:
            return _with_prices(facts, self.mixed[place])
        return self._read(facts.snapshot_id)


@dataclass
class ReviewState:
    """The review after `judged`: each file that was taken, as the caller names it, and what it gave."""

    reviewing: Reviewing
    judged: dict[str, Judged]
    read: Read


def fresh(feeds: Sequence[PriceFeed], names: Registry, verdicts: Mapping[bytes, Verdict], read: Read) -> ReviewState:
    """The review before the first file."""
    return ReviewState(Reviewing([FeedReview(feed, Kept(read)) for feed in feeds], names, verdicts), {}, read)


def resumed(path: Path, start: ReviewState, order: Sequence[str]) -> ReviewState:
    """The review that is kept at `path`, if the files that it took are the first of `order`; else `start`, before the first."""
    entry = read_cached(path)
    if entry is None:
        return start
    kept = json.loads(entry.facts)
    if [name for name, _ in kept["judged"]] != list(order[: len(kept["judged"])]):
        return start
    going = start.reviewing
    for number, before in enumerate(going.feeds):
        begin = f"{number}-"
        frames = {name.removeprefix(begin): frame for name, frame in entry.frames.items() if name.startswith(begin)}
        going.feeds[number] = _restored(before.feed, kept["feeds"][number], frames, going.names, start.read)
    facts: dict[str, SnapshotFacts] = {}
    for name, stored in kept["judged"]:
        if isinstance(stored, str):
            start.judged[name] = stored
        else:
            facts[stored["feed"]] = _facts(stored, facts.get(stored["feed"]))
            start.judged[name] = facts[stored["feed"]]
    return start


def keep(path: Path, state: ReviewState) -> None:
    """Keep the review for the next run, unless it failed on a file: that file shall be judged again."""
    if state.reviewing.has_failed:
        return
    frames: dict[str, pl.DataFrame] = {}
    feeds = [_stored_feed(feed, frames, number) for number, feed in enumerate(state.reviewing.feeds)]
    judged, before = list[tuple[str, Any]](), dict[str, SnapshotFacts]()
    for name, gave in state.judged.items():
        if isinstance(gave, str):
            judged.append((name, gave))
        else:
            judged.append((name, _stored(gave, before.get(gave.feed))))
            before[gave.feed] = gave
    write_cached(path, CachedParse(json.dumps({"judged": judged, "feeds": feeds}).encode(), frames))


def _stored_feed(feed: FeedReview, frames: dict[str, pl.DataFrame], number: int) -> dict[str, Any]:
    accepted = cast("Kept", feed.accepted)
    stated = accepted.statements()
    frames |= {f"{number}-distinct": stated.distinct, f"{number}-runs": stated.runs}
    frames |= {f"{number}-mixed-{place}": prices for place, prices in accepted.mixed.items()}
    frames |= {f"{number}-held-{place}": held.changes for place, held in enumerate(feed.held)}
    if feed.last:
        frames[f"{number}-last"] = feed.last.snapshot.prices
    return {
        "count": stated.count,
        "accepted": _stored_all(accepted.facts),
        "mixed": sorted(accepted.mixed),
        "held": [
            {"snapshot": _stored(held.snapshot), "reason": held.reason, "is_whole": held.is_whole, "state": held.state}
            for held in feed.held
        ],
    }


def _restored(
    feed: PriceFeed, kept: Mapping[str, Any], frames: Mapping[str, pl.DataFrame], names: Names, read: Read
) -> FeedReview:
    """The review of one feed; `kept` and `frames` are what was kept of it."""
    facts = list[SnapshotFacts]()
    for stored in kept["accepted"]:
        facts.append(_facts(stored, facts[-1] if facts else None))
    mixed = {place: frames[f"mixed-{place}"] for place in kept["mixed"]}
    accepted = Kept(read, facts, Statements(frames["distinct"], frames["runs"], kept["count"]), mixed)
    held = [
        Held(_facts(item["snapshot"], None), item["reason"], item["is_whole"], item["state"], frames[f"held-{place}"])
        for place, item in enumerate(kept["held"])
    ]
    last = View(_with_prices(facts[-1], frames["last"]), names) if facts else None
    return FeedReview(feed, accepted, held, last)


def _stored_all(facts: Sequence[SnapshotFacts]) -> list[dict[str, Any]]:
    return [_stored(item, facts[place - 1] if place else None) for place, item in enumerate(facts)]


def _stored(facts: SnapshotFacts, before: SnapshotFacts | None = None) -> dict[str, Any]:
    """The facts as JSON can hold them; what is not understood is left out where it is as in the snapshot before."""
    values = {item.name: getattr(facts, item.name) for item in fields(SnapshotFacts)}
    values |= {"snapshot_id": facts.snapshot_id.hex(), "observed_at": facts.observed_at.isoformat()}
    if before is not None and before.not_understood == facts.not_understood:
        del values["not_understood"]
    return values


def _facts(stored: Mapping[str, Any], before: SnapshotFacts | None) -> SnapshotFacts:
    same = before.not_understood if before else ()
    values = {**stored, "not_understood": tuple(stored["not_understood"]) if "not_understood" in stored else same}
    values["snapshot_id"] = bytes.fromhex(stored["snapshot_id"])
    values["observed_at"] = datetime.fromisoformat(stored["observed_at"]).astimezone(UTC)
    return SnapshotFacts(**values)


def _with_prices(facts: SnapshotFacts, prices: pl.DataFrame) -> FeedSnapshot:
    return FeedSnapshot(**{item.name: getattr(facts, item.name) for item in fields(SnapshotFacts)}, prices=prices)
