"""Turns one landed price file into a `FeedSnapshot` with the reader of its format.

The readers are in `feeds/`; what several snapshots of a feed say together is in `ledger.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from pipelines.config.sources import PriceFeed
from pipelines.landing import LandedFile, LandingError, read_bytes
from pipelines.outside import ANY_FAILURE, worded
from pipelines.prices.feed_snapshot import FeedSnapshot, PriceFeedError, price_frame
from pipelines.prices.feeds import FORMATS
from pipelines.prices.periods import one_at_a_time
from pipelines.prices.plausible import chargeable, plausible
from pipelines.prices.statements import by_number, facts_of, gathered


def parse_feed(file: LandedFile, feed: PriceFeed) -> FeedSnapshot:
    """The prices that `file` asserts, each with its place and text in the file, and what was not understood.

    Raises PriceFeedError where the file as a whole can't be read as the feed's format, or holds no price at all.
    """
    place = f"{file.landing_path} (feed {feed.feed}, format {feed.format})"
    try:
        parsed = FORMATS[feed.format].read(read_bytes(file), feed.options)
    except (PriceFeedError, LandingError) as error:
        raise PriceFeedError(f"{place}: {error}") from error
    except ANY_FAILURE as error:
        # A reader that meets what its format never had must not stop the other files.
        raise PriceFeedError(f"{place}: not shaped as the format is: {worded(error)}") from error
    prices, refused = chargeable(parsed.prices)
    problems = parsed.not_understood | refused
    if feed.format != "price_sheet":
        prices, dear = plausible(prices)
        problems |= dear
    prices, twice = one_at_a_time(prices)
    problems |= twice
    if not prices:
        # An error page or an emptied list must not close every price that the feed ever gave.
        found = "; ".join(sorted(problems)[:5]) or f"{parsed.lines} records"
        raise PriceFeedError(f"{place}: holds no price ({found})")
    valid = parsed.lines - parsed.rejected
    named = tuple(sorted(problems))
    return snapshot_of(file, feed, price_frame(prices), lines=parsed.lines, valid=valid, not_understood=named)


def snapshot_of(
    file: LandedFile, feed: PriceFeed, prices: pl.DataFrame, *, lines: int, valid: int, not_understood: tuple[str, ...]
) -> FeedSnapshot:
    """What was read from `file`, as a snapshot of `feed`."""
    return FeedSnapshot(
        feed=feed.feed,
        format=feed.format,
        snapshot_id=file.snapshot_id,
        observed_at=file.observed_at,
        parser_version=parser_version(feed),
        lines=lines,
        valid=valid,
        prices=prices,
        not_understood=not_understood,
    )


def parser_version(feed: PriceFeed) -> str:
    """The name and version of the reader of the feed's format, as raw.snapshot records it."""
    return f"{feed.format}-{FORMATS[feed.format].VERSION}"


def feed_names(snapshots: Sequence[FeedSnapshot]) -> pl.DataFrame:
    """The model names that `snapshots` use, for `pipelines.models.build_registry`.

    Columns provider_id, raw_name, feed and same_as (String): the name that the feed says means the same, or empty.
    """
    stated, feeds = gathered(snapshots), by_number(facts_of(snapshots), "feed")
    said_by = stated.runs.join(feeds, left_on="first", right_on="snapshot").select("row", "feed").unique()
    return (
        stated.distinct.join(said_by, on="row")
        .select(
            pl.col("provider").alias("provider_id"),
            pl.col("raw_model").alias("raw_name"),
            "feed",
            pl.col("alias_of").alias("same_as"),
        )
        .unique()
    )
