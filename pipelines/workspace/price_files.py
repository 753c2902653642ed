"""The landed price files of a workspace, read and reviewed: the prices of each feed, and the files that wait for a person.

Reading and reviewing are `pipelines.prices`; the ledger that follows is `pipelines.daily.prices`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import cast

from pipelines.config.sources import PriceFeed
from pipelines.ids import as_uuid
from pipelines.landing import LandedFile
from pipelines.models import build_registry
from pipelines.outside import ANY_FAILURE, worded
from pipelines.prices import FeedSnapshot, Held, PriceFeedError, Review, Verdict, cached_feed
from pipelines.prices.feed_cache import review_path
from pipelines.prices.feed_snapshot import SnapshotFacts
from pipelines.prices.review import DECISIONS
from pipelines.prices.review_state import ReviewState, fresh, keep, resumed
from pipelines.workspace.workspace import Workspace


@dataclass(frozen=True)
class FeedFiles:
    """The files of one feed: those that could be read, those that could not, with the reason, and the review."""

    feed: PriceFeed
    read: list[tuple[LandedFile, SnapshotFacts]] = field(default_factory=list)
    unread: list[tuple[LandedFile, PriceFeedError]] = field(default_factory=list)
    review: Review = field(default_factory=Review)

    @property
    def held(self) -> list[tuple[LandedFile, Held]]:
        """What does not count, with its file, in order of observation."""
        files = {file.snapshot_id: file for file, _ in self.read}
        return [(files[item.snapshot.snapshot_id], item) for item in self.review.held]

    @property
    def set_aside(self) -> list[tuple[LandedFile, Held]]:
        """The files that count for nothing."""
        return [(file, item) for file, item in self.held if item.is_whole]


def feed_files(workspace: Workspace) -> list[FeedFiles]:
    """The files of every declared feed, in the order of the declarations.

    Files that a run before has judged are neither read nor judged again (`prices/review_state.py`). Made once per workspace, listing and
    decisions.
    """
    feeds = workspace.config.sources.prices
    files = [workspace.landed_from("prices", feed.feed) for feed in feeds]
    decided = workspace.zone.verdicts("prices").by_content
    verdicts = {
        file.snapshot_id: cast("Verdict", verdict)
        for feed, landed in zip(feeds, files, strict=True)
        for file in landed
        if (verdict := _declared(feed, file) or decided.get((file.source, file.sha256)))
    }
    order = sorted(
        (file.observed_at, feed.feed, file.snapshot_id, number, place)
        for number, (feed, landed) in enumerate(zip(feeds, files, strict=True))
        for place, file in enumerate(landed)
    )
    taken = [(number, files[number][place]) for *_, number, place in order]
    names = [_name(number, file, verdicts) for number, file in taken]
    if (known := workspace.reviewed.get(tuple(names))) is not None:
        return cast("list[FeedFiles]", known)
    judged = _judged(workspace, taken, names, verdicts)
    found = [FeedFiles(feed, review=reviewed) for feed, reviewed in zip(feeds, judged.reviewing.results(), strict=True)]
    for item, number, landed in zip(found, range(len(feeds)), files, strict=True):
        for file in landed:
            gave = judged.judged[_name(number, file, verdicts)]
            if isinstance(gave, str):
                item.unread.append((file, PriceFeedError(gave)))
            else:
                item.read.append((file, gave))
    workspace.reviewed.clear()
    workspace.reviewed[tuple(names)] = found
    return found


def _name(number: int, file: LandedFile, verdicts: Mapping[bytes, Verdict]) -> str:
    """Everything about a file of a feed that the review depends on."""
    decided = verdicts.get(file.snapshot_id, "")
    return f"{number} {file.snapshot_id.hex()} {file.observed_at.isoformat()} {file.url or ''} {decided}"


def _judged(
    workspace: Workspace, taken: list[tuple[int, LandedFile]], names: list[str], verdicts: Mapping[bytes, Verdict]
) -> ReviewState:
    """The review of the files `taken`, which are in the order of observation; it goes on where the run before ended."""
    feeds = workspace.config.sources.prices
    by_id = {file.snapshot_id: (number, file) for number, file in taken}

    def again(snapshot_id: bytes) -> FeedSnapshot:
        number, file = by_id[snapshot_id]
        found = cached_feed(file, feeds[number], workspace.store)
        if isinstance(found, PriceFeedError):
            raise found
        return found

    path = review_path(feeds, workspace.config.models, workspace.store)
    state = resumed(path, fresh(feeds, build_registry(workspace.config.models, []), verdicts, again), names)
    start = len(state.judged)
    has_failed = False
    for name, (number, file) in list(zip(names, taken, strict=True))[start:]:
        found = _read(workspace, feeds[number], file)
        if isinstance(found, str) and not has_failed:  # our own failure: the next run tries that file again
            has_failed = True
            if len(state.judged) > start:
                keep(path, state)
        if isinstance(found, FeedSnapshot):
            state.reviewing.take(number, found)
            state.judged[name] = found.facts
        else:
            state.judged[name] = str(found)
    if len(state.judged) > start and not has_failed:
        keep(path, state)
    return state


def held_sentence(file: LandedFile, held: Held) -> str:
    """Which part of a file is held, why, and what a person can do."""
    what = "held for review" if held.is_whole else f"read, and {held.models} models in it are held for review"
    named = f"{held.snapshot.feed} of {held.snapshot.observed_at:%Y-%m-%d %H:%M} UTC"
    if held.state == "rejected":
        rejected = "is rejected and never counts" if held.is_whole else f"counts without {held.models} models"
        return f"{file.landing_path} ({named}) {rejected}, by a person's decision: {held.reason}"
    return (
        f"{file.landing_path} ({named}) is {what}, and the last good prices stay: {held.reason}. Look with `modelmeter prices "
        f"review`, then `modelmeter prices accept {file.landing_path}` or `reject`"
    )


def _read(workspace: Workspace, feed: PriceFeed, file: LandedFile) -> FeedSnapshot | PriceFeedError | str:
    """The snapshot, or why there is none: the file's own fault as an error, one of ours in words."""
    try:
        return cached_feed(file, feed, workspace.store)
    except ANY_FAILURE as error:
        return f"{file.landing_path} (feed {feed.feed}, format {feed.format}): {worded(error)}"


def _declared(feed: PriceFeed, file: LandedFile) -> str | None:
    """The verdict in the feed's options: they name files by name or path, by hash or by id."""
    names = {file.landing_path, file.path.name, file.sha256, str(as_uuid(file.snapshot_id)), file.snapshot_id.hex()}
    for verdict in DECISIONS:
        listed: Iterable[object] = feed.options.get(verdict) or ()
        if names & {str(name) for name in listed}:
            return verdict
    return None
