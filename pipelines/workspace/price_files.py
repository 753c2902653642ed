"""The landed price files of a workspace, read and reviewed: the prices of each feed, and the files that wait for a person.

Reading and reviewing are `pipelines.prices`; the ledger that follows is `pipelines.daily.prices`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import cast

from pipelines.config.sources import PriceFeed
from pipelines.ids import as_uuid
from pipelines.landing import LandedFile
from pipelines.models import build_registry
from pipelines.outside import ANY_FAILURE, worded
from pipelines.prices import FeedSnapshot, Held, PriceFeedError, Review, Verdict, cached_feed, review
from pipelines.prices.review import DECISIONS
from pipelines.workspace.workspace import Workspace


@dataclass(frozen=True)
class FeedFiles:
    """The files of one feed: those that could be read, those that could not, with the reason, and the review."""

    feed: PriceFeed
    read: list[tuple[LandedFile, FeedSnapshot]] = field(default_factory=list)
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
    """The files of every declared feed, in the order of the declarations."""
    found = [_read(workspace, feed) for feed in workspace.config.sources.prices]
    decided = workspace.zone.verdicts("prices").by_content
    verdicts = {
        file.snapshot_id: verdict
        for item in found
        for file, _ in item.read
        if (verdict := _declared(item.feed, file) or decided.get((file.source, file.sha256)))
    }
    reviews = review(
        [(item.feed, [snapshot for _, snapshot in item.read]) for item in found],
        build_registry(workspace.config.models, []),
        cast("dict[bytes, Verdict]", verdicts),
    )
    return [replace(item, review=reviewed) for item, reviewed in zip(found, reviews, strict=True)]


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


def _read(workspace: Workspace, feed: PriceFeed) -> FeedFiles:
    item = FeedFiles(feed)
    for file in workspace.landed_from("prices", feed.feed):
        result: FeedSnapshot | PriceFeedError
        try:
            result = cached_feed(file, feed, workspace.store)
        except ANY_FAILURE as error:
            result = PriceFeedError(f"{file.landing_path} (feed {feed.feed}, format {feed.format}): {worded(error)}")
        if isinstance(result, FeedSnapshot):
            item.read.append((file, result))
        else:
            item.unread.append((file, result))
    return item


def _declared(feed: PriceFeed, file: LandedFile) -> str | None:
    """The verdict in the feed's options: they name files by name or path, by hash or by id."""
    names = {file.landing_path, file.path.name, file.sha256, str(as_uuid(file.snapshot_id)), file.snapshot_id.hex()}
    for verdict in DECISIONS:
        listed: Iterable[object] = feed.options.get(verdict) or ()
        if names & {str(name) for name in listed}:
            return verdict
    return None
