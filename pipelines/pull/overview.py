"""Lists every declared source, feed and board: where it comes from, when it was last reached and which key it needs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pipelines.benchmarks import packaged_board
from pipelines.config import Config
from pipelines.config.fx import FxFeed
from pipelines.config.pull import ApiPull, BucketPull, Pull, SqlPull
from pipelines.config.sources import HardwareFeed, Leaderboard, LimitFeed, PriceFeed, RequestSource
from pipelines.fetch import FetchResult, feeds_held, safe_url
from pipelines.landing import KINDS, open_zone
from pipelines.pull.api import key_variables
from pipelines.pull.connectors import CONNECTORS
from pipelines.settings import Settings

_Newest = dict[tuple[str, str], datetime]
"""When the newest file of each kind and name was observed."""


@dataclass(frozen=True)
class Listed:
    """One declaration. `comes_from` is an address without secrets, or `files`; `reached` is an instant in UTC, None
    if never. What is switched off is not asked for; files that are there are read nevertheless.
    """

    kind: str
    name: str
    format: str
    comes_from: str
    reached: str | None
    key: str | None
    is_on: bool = True
    key_lacks: str = ""
    """The variables of `key` that the environment does not hold."""


def overview(settings: Settings, config: Config) -> list[Listed]:
    """The list, request sources first. Nothing is sent, and nothing lands."""
    zone = open_zone(settings)
    newest: _Newest = {}
    for kind in KINDS:
        for file in zone.scan(kind).files:
            key = (kind, file.source)
            newest[key] = max(file.observed_at, newest.get(key, file.observed_at))
    rows = [_of_source(source, newest.get(("requests", source.source))) for source in config.sources.requests]
    return [*rows, *_feeds(settings, config, newest)]


def _of_source(source: RequestSource, newest: datetime | None) -> Listed:
    reached = None if newest is None else _text(newest)
    if source.pull is None:
        return Listed("requests", source.source, source.format, "files", reached, None)
    keys = _keys(source.pull)
    named = ", ".join(keys) or ("of the bucket's service" if isinstance(source.pull, BucketPull) else None)
    return Listed(
        "requests", source.source, source.format, _place(source.pull), reached, named, key_lacks=_lacking(keys)
    )


def _place(pull: Pull) -> str:
    match pull:
        case ApiPull():
            return f"{pull.kind} at {pull.url or CONNECTORS[pull.kind].origin or 'no url'}"
        case SqlPull():
            return f"sql, {pull.table or 'a query'}"
        case BucketPull():
            return pull.url


def _keys(pull: Pull) -> list[str]:
    match pull:
        case ApiPull():
            return list(key_variables(pull))
        case SqlPull():
            return [pull.url_env]
        case BucketPull():
            return list(pull.env.values())


def _lacking(names: Iterable[str]) -> str:
    return ", ".join(name for name in names if not os.environ.get(name))


def _feeds(settings: Settings, config: Config, newest: _Newest) -> Iterator[Listed]:
    now = datetime.now(UTC)
    found = feeds_held(settings, config.sources, fx=config.fx.feeds, now=now)
    seen: dict[tuple[str, str], FetchResult] = {(result.kind, result.name): result for result in found}
    declared: dict[tuple[str, str], PriceFeed | Leaderboard | HardwareFeed | LimitFeed | FxFeed] = {}
    declared |= {("prices", feed.feed): feed for feed in config.sources.prices}
    declared |= {("prices", rates.feed): rates for rates in config.fx.feeds}
    declared |= {("leaderboards", board.board): board for board in config.sources.leaderboards}
    declared |= {("selfhost", hardware.feed): hardware for hardware in config.sources.selfhost}
    declared |= {("limits", limit.feed): limit for limit in config.sources.limits}
    for (kind, name), feed in declared.items():
        age = None if (result := seen.get((kind, name))) is None else result.age_hours
        packaged = packaged_board(feed)[1] if isinstance(feed, Leaderboard) else []
        landed = newest.get((kind, name)) or max((file.observed_at for file in packaged), default=None)
        reached = landed if age is None else now - timedelta(hours=age)
        yield Listed(
            kind, name, feed.format, "files" if feed.url is None else safe_url(feed.url),
            None if reached is None else _text(reached), ", ".join(feed.headers_env.values()) or None, feed.enabled,
            _lacking(feed.headers_env.values()),
        )  # fmt: skip


def _text(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
