"""Tries a feed or a board: does its address answer, and what does its format read in the answer? Nothing lands.

If it has no address, the newest file in the landing zone is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from pipelines.benchmarks import parse_board
from pipelines.config import Config
from pipelines.config.fx import FxFeed
from pipelines.config.sources import HardwareFeed, Leaderboard, LimitFeed, PriceFeed, Sources
from pipelines.fetch import FeedKind, FetchResult, fetch_feeds, safe_url
from pipelines.landing import LandedFile, LandingZone, read_bytes, scan
from pipelines.outside import ANY_FAILURE, worded
from pipelines.prices import parse_feed, read_fx
from pipelines.selfhost.formats import FORMATS as HARDWARE
from pipelines.seller_limits.formats import FORMATS as LIMITS
from pipelines.settings import Settings

Feed = PriceFeed | Leaderboard | HardwareFeed | LimitFeed | FxFeed


@dataclass
class FeedProbe:
    """What was found about a feed or board. `is_reached` and `is_authorised` are None if nothing was asked.

    `first` and `last` are records in the order of the file, in words.
    """

    name: str
    kind: FeedKind
    format: str
    place: str
    files: int
    newest: str | None = None
    """When the newest landed file was observed, UTC."""
    is_reached: bool | None = None
    is_authorised: bool | None = None
    is_new: bool | None = None
    """Whether a run would land the answer: other bytes than the newest file has. None if there is none."""
    size_bytes: int = 0
    records: str = "none"
    first: str | None = None
    last: str | None = None
    refused: int = 0
    """Records and priced fields that the format names as not read."""
    error: str | None = None


def declared_feeds(config: Config) -> dict[str, tuple[FeedKind, Feed]]:
    """Every feed and board by its name."""
    found: dict[str, tuple[FeedKind, Feed]] = {rates.feed: ("prices", rates) for rates in config.fx.feeds}
    found |= {feed.feed: ("prices", feed) for feed in config.sources.prices}
    found |= {board.board: ("leaderboards", board) for board in config.sources.leaderboards}
    found |= {hardware.feed: ("selfhost", hardware) for hardware in config.sources.selfhost}
    return found | {limits.feed: ("limits", limits) for limits in config.sources.limits}


def probe_feed(settings: Settings, zone: LandingZone, name: str, kind: FeedKind, feed: Feed) -> FeedProbe:
    """Try a feed, even one that is switched off. No fault of the server, the file or the environment makes it raise."""
    place = "files" if feed.url is None else safe_url(feed.url)
    probe = FeedProbe(name, kind, feed.format, place, 0)
    try:
        landed = zone.scan(kind).of(name)
        newest = max(landed, key=lambda file: file.observed_at, default=None)
        probe.files = len(landed)
        probe.newest = None if newest is None else f"{newest.observed_at:%Y-%m-%d %H:%M}"
        if feed.url is not None:
            with TemporaryDirectory() as aside:
                there = settings.model_copy(update={"home": Path(aside) / "home", "landing": Path(aside) / "landing"})
                _ask(there, feed, newest, probe)
        elif newest is not None:
            _read(newest, feed, probe)
        else:
            probe.error = "it has no address, and no file of it has landed"
    except ANY_FAILURE as error:
        probe.error = worded(error)
    return probe


def _ask(there: Settings, feed: Feed, newest: LandedFile | None, probe: FeedProbe) -> None:
    """Fetch as a run does, into `there`, which is thrown away."""
    sources, rates = _alone(feed.model_copy(update={"enabled": True}))
    (result,) = fetch_feeds(there, sources, fx=rates)
    _answered(result, probe)
    if result.outcome != "fetched":
        probe.error = result.error or "nothing may be asked for: MODELMETER_OFFLINE is set"
        return
    (file,) = scan(there.landing_zone, probe.kind).files
    probe.size_bytes, probe.is_new = file.size_bytes, newest is None or newest.sha256 != file.sha256
    _read(file, feed, probe)


def _answered(result: FetchResult, probe: FeedProbe) -> None:
    if result.outcome != "offline":
        probe.is_reached = result.http_status is not None
        probe.is_authorised = None if result.http_status is None else result.http_status not in (401, 403)


def _alone(feed: Feed) -> tuple[Sources, Sequence[FxFeed]]:
    match feed:
        case PriceFeed():
            return Sources(prices=(feed,)), ()
        case Leaderboard():
            return Sources(leaderboards=(feed,)), ()
        case HardwareFeed():
            return Sources(selfhost=(feed,)), ()
        case LimitFeed():
            return Sources(limits=(feed,)), ()
        case FxFeed():
            return Sources(), (feed,)


def _read(file: LandedFile, feed: Feed, probe: FeedProbe) -> None:
    match feed:
        case PriceFeed():
            _prices(file, feed, probe)
        case Leaderboard():
            _scores(file, feed, probe)
        case HardwareFeed():
            _hardware(file, feed, probe)
        case LimitFeed():
            stated = LIMITS[feed.format].read(read_bytes(file), feed.options)
            _say(
                probe,
                [
                    f"{limit.kind} of {limit.amount} {limit.currency} a {limit.period}, {limit.scope}"
                    for limit in stated
                ],
                "limits",
            )
        case FxFeed():
            rates = read_fx(file, feed)
            _say(probe, [f"{q.day} {q.currency}: {q.usd_per_unit.normalize():f} USD" for q in rates.quotes], "rates")
            probe.refused = len(rates.refused)


def _prices(file: LandedFile, feed: PriceFeed, probe: FeedProbe) -> None:
    snapshot = parse_feed(file, feed)
    models = snapshot.prices.select("provider", "raw_model").n_unique()
    _say(probe, [_price(row) for row in _ends(snapshot.prices)], f"prices of {models:,} models", snapshot.prices.height)
    probe.refused = len(snapshot.not_understood)


def _price(row: dict[str, Any]) -> str:
    return (
        f"{row['raw_model']} at {row['provider']}, {row['meter']}: {row['unit_price'].normalize():f} "
        f"{row['pricing_currency']} for {row['pricing_quantity']:,} {row['unit']}"
    )


def _scores(file: LandedFile, board: Leaderboard, probe: FeedProbe) -> None:
    snapshot = parse_board(file, board)
    rows = [row for seen in snapshot.observations for row in _ends(seen.rows)]
    height = sum(seen.rows.height for seen in snapshot.observations)
    models = len({name for seen in snapshot.observations for name in seen.rows["raw_model"]})
    _say(probe, [f"{row['raw_model']}: {row['score_text']}" for row in rows], f"scores of {models:,} models", height)
    probe.refused = snapshot.quarantine.height
    if not height:
        reasons = sorted(set(snapshot.quarantine["detail"])) if probe.refused else ["the file holds none"]
        probe.error = f"no score could be read: {'; '.join(reasons[:3])}"


def _hardware(file: LandedFile, feed: HardwareFeed, probe: FeedProbe) -> None:
    content = HARDWARE[feed.format].read(read_bytes(file), feed.options, datetime.now(UTC).date())
    records = [*content.throughput, *content.prices]
    _say(probe, [f"{record.model_dump(exclude_none=True)}"[:200] for record in records], "measurements and prices")
    probe.refused = len(content.set_aside)


def _ends(rows: pl.DataFrame) -> list[dict[str, Any]]:
    return [*rows.head(1).to_dicts(), *rows.tail(1).to_dicts()]


def _say(probe: FeedProbe, records: Sequence[str], of: str, count: int | None = None) -> None:
    probe.records = f"{len(records) if count is None else count:,} {of}"
    probe.first, probe.last = (records[0], records[-1]) if records else (None, None)
