"""Every declared feed and leaderboard into the landing zone, each on its own thread and judged on its own.

How one request is made is in `client.py`; names, sidecars and the atomic write are in `pipelines.landing`.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Literal, get_args

from pipelines.config.fx import FxFeed
from pipelines.config.sources import HardwareFeed, Leaderboard, LimitFeed, PriceFeed, Sources
from pipelines.fetch.client import (
    Answer,
    Attempts,
    Clients,
    FetchError,
    FetchLimits,
    PermanentFetchError,
    Query,
    get,
    open_clients,
    safe_url,
)  # fmt: skip
from pipelines.fetch.paged import NEXT_PAGE, get_pages
from pipelines.fetch.robots import Robots, is_asked_of
from pipelines.landing import LandedFile, LandingZone, open_zone, write_atomically
from pipelines.outside import ANY_FAILURE, worded
from pipelines.settings import Settings

FeedKind = Literal["prices", "leaderboards", "selfhost", "limits"]
FEED_KINDS: tuple[FeedKind, ...] = get_args(FeedKind)
Outcome = Literal["fetched", "unchanged", "recent", "failed", "offline", "not landed"]
"""`recent`: it was reached less than `ASKED_AFTER` ago, and is not asked again."""
ASKED_AFTER = timedelta(hours=20)
"""Nothing is asked for more than once a day, also where runs are some hours apart from day to day."""

_HEADERS = {
    "anthropic_limits": {"anthropic-version": "2023-06-01", "anthropic-beta": "spend-limit-reads-2026-09-26"},
}
"""What an API wants in each request, by the format of its answers. A declaration may set another value by the same name."""
_Feed = PriceFeed | Leaderboard | HardwareFeed | LimitFeed | FxFeed

PACKAGED_URL = "package:genai-prices=="
"""Beginning of the url of a snapshot that came out of the installed package and not off the network."""


@dataclass(frozen=True)
class FetchResult:
    """The outcome of one feed, and the age of the snapshot in use."""

    kind: FeedKind
    name: str
    outcome: Outcome
    path: str | None
    """Landing path of the newest snapshot, fetched now or before; None if there is none."""
    url: str
    """Without credentials and without the values of its query."""
    http_status: int | None
    error: str | None
    """Why nothing new lies in the landing zone; None if all is well."""
    attempts: int
    newest_observed_at: datetime | None
    age_hours: float | None
    """Since the newest snapshot was observed, or last found unchanged at its source."""
    is_stale: bool
    """Older than stale_after_hours of its declaration, never there, or only the packaged data."""

    @property
    def is_absent(self) -> bool:
        """Never fetched, and no server has answered: there is no network, or not yet."""
        return self.newest_observed_at is None and self.http_status is None


@dataclass
class _Job:
    """One feed on its way. Its thread writes `outcome` and then `done`; nobody reads `outcome` before that."""

    kind: FeedKind
    name: str
    feed: _Feed
    url: str
    newest: LandedFile | None
    attempts: Attempts
    outcome: Answer | FetchError | None = None
    done: threading.Event = field(default_factory=threading.Event)


def fetch_feeds(
    settings: Settings,
    sources: Sources,
    *,
    now: datetime | None = None,
    kinds: Sequence[FeedKind] = FEED_KINDS,
    limits: FetchLimits | None = None,
    fx: Sequence[FxFeed] = (),
) -> list[FetchResult]:
    """Fetch every price feed and leaderboard that has a url, all at the same time, and land what is new.

    `fx` are feeds of exchange rates, which land with the prices.

    `now` (UTC) dates the snapshots and their age. Content equal to the newest snapshot writes nothing. Offline
    (`settings.is_offline`) nothing is sent. Where a `genai_prices` feed has no snapshot at all and none could be
    fetched, the data of the installed package is landed.
    No feed makes it raise: the result says what happened, also where an answer can't be landed because the landing zone can't be
    written. Raises OSError or LandingError where the landing zone can't be read.
    """
    now = now or datetime.now(UTC)
    checked = _Checked(_checked_path(settings))
    answered = threading.Event()
    zone = open_zone(settings)
    jobs = [job for kind in kinds for job in _jobs(zone, sources, fx, kind, answered)]
    due = [job for job in jobs if not checked.is_recent(job, now)]
    if due and not settings.is_offline:
        _download_all(due, settings.home / "cache" / "http", limits or FetchLimits(), answered)
    results = []
    for job in jobs:
        outcome, error = _landed(settings, zone, job, checked, now)
        results.append(_judged(job, outcome, error, checked, now))
    checked.save()
    return results


def feeds_held(
    settings: Settings, sources: Sources, *, fx: Sequence[FxFeed], now: datetime | None = None
) -> list[FetchResult]:
    """How old the newest snapshot of every feed is. Nothing is asked for, and nothing lands.

    Raises OSError or LandingError where the landing zone can't be read.
    """
    now = now or datetime.now(UTC)
    checked = _Checked(_checked_path(settings))
    zone, nobody = open_zone(settings), threading.Event()
    jobs = [job for kind in FEED_KINDS for job in _jobs(zone, sources, fx, kind, nobody)]
    return [_judged(job, "offline", None, checked, now) for job in jobs]


def _checked_path(settings: Settings) -> Path:
    return settings.home / "cache" / "fetch" / "checked.json"


def _jobs(
    zone: LandingZone, sources: Sources, fx: Sequence[FxFeed], kind: FeedKind, answered: threading.Event
) -> Iterator[_Job]:
    by_kind: dict[FeedKind, Sequence[_Feed]] = {
        "prices": (*sources.prices, *fx),
        "leaderboards": sources.leaderboards,
        "selfhost": sources.selfhost,
        "limits": sources.limits,
    }
    landed = zone.scan(kind)
    for feed in by_kind[kind]:
        name = feed.board if isinstance(feed, Leaderboard) else feed.feed
        if feed.url is not None and feed.enabled:
            newest = max(landed.of(name), key=lambda file: (file.observed_at, file.landing_path), default=None)
            yield _Job(kind, name, feed, feed.url, newest, Attempts(answered))


def _download_all(jobs: list[_Job], cache: Path, limits: FetchLimits, answered: threading.Event) -> None:
    """Run every job in a thread of its own and wait for them, but not longer than the limits say.

    The threads are daemons, because a name server that does not answer can't be interrupted.
    """
    with open_clients(cache, limits) as clients:
        robots = Robots(Clients(clients.plain, clients.plain), limits)
        for job in jobs:
            arguments = (job, clients, limits, robots)
            threading.Thread(target=_run, args=arguments, name=f"fetch-{job.name}", daemon=True).start()
        started = time.monotonic()
        for job in jobs:
            while not job.done.wait(0.02):
                longest = limits.paged_s if job.feed.format in NEXT_PAGE else limits.feed_s
                if time.monotonic() - started > (longest + 1 if answered.is_set() else limits.unreachable_s):
                    break


def _run(job: _Job, clients: Clients, limits: FetchLimits, robots: Robots) -> None:
    try:
        query, next_page = _query(job), NEXT_PAGE.get(job.feed.format)
        if not query.secrets and is_asked_of(job.url):  # who hands out a key has allowed it
            robots.check(job.url, job.attempts)
        if next_page is None:
            job.outcome = get(query, clients, limits, job.attempts)
        else:
            job.outcome = get_pages(query, next_page, clients, limits, job.attempts)
    except FetchError as error:
        job.outcome = error
    except Exception as error:  # noqa: BLE001 - one feed must never stop the others; its text may hold a secret
        job.outcome = PermanentFetchError(safe_url(job.url), f"unexpected {type(error).__name__}")
    finally:
        job.done.set()


def _query(job: _Job) -> Query:
    """The request, with the headers of the API, and those that `options.headers_env` takes from the environment."""
    own = {header.lower() for header in job.feed.headers_env}
    secrets = {name: value for name, value in _HEADERS.get(job.feed.format, {}).items() if name not in own}
    for header, variable in job.feed.headers_env.items():
        if not os.environ.get(variable):
            raise PermanentFetchError(
                safe_url(job.url), f"header {header} needs the environment variable {variable}, which is not set"
            )
        secrets[header] = os.environ[variable]
    etag = None if job.newest is None else job.newest.etag
    return Query(job.url, job.feed.options.get("suffix"), etag, secrets, job.feed.options.get("redirects", ()))


def _landed(
    settings: Settings, zone: LandingZone, job: _Job, checked: _Checked, now: datetime
) -> tuple[Outcome, str | None]:
    """Land the download; what became of it, and why where it did not. Runs in the caller's thread only."""
    outcome: Outcome = "offline" if settings.is_offline else "recent" if checked.is_recent(job, now) else "failed"
    answer = _answer(job)
    error = str(answer) if isinstance(answer, FetchError) and outcome == "failed" else None
    try:
        if isinstance(answer, Answer):
            outcome = _land(zone, job, answer, now)
            checked.confirm(job, now)
        if job.newest is None and job.feed.format == "genai_prices" and not settings.uses_sample:
            _land_packaged(zone, job, now)
    except ANY_FAILURE as failure:
        outcome, error = "not landed", f"the landing zone can't be written: {worded(failure)}"
    return outcome, error


def _answer(job: _Job) -> Answer | FetchError | None:
    return job.outcome if job.done.is_set() else FetchError(safe_url(job.url), "no answer in time")


def _judged(job: _Job, outcome: Outcome, error: str | None, checked: _Checked, now: datetime) -> FetchResult:
    """The outcome with the age of the snapshot in use."""
    newest, answer = job.newest, _answer(job)
    confirmed_at = None if newest is None else max(newest.observed_at, checked.at(job) or newest.observed_at)
    age_hours = None if confirmed_at is None else max(0.0, (now - confirmed_at) / timedelta(hours=1))
    is_packaged = newest is not None and (newest.url or "").startswith(PACKAGED_URL)
    return FetchResult(
        kind=job.kind,
        name=job.name,
        outcome=outcome,
        path=None if newest is None else newest.landing_path,
        url=safe_url(job.url),
        http_status=None if outcome in ("offline", "recent") or answer is None else answer.status,
        error=error,
        attempts=job.attempts.count,
        newest_observed_at=None if newest is None else newest.observed_at,
        age_hours=age_hours,
        is_stale=age_hours is None or age_hours > job.feed.stale_after_hours or is_packaged,
    )


def _land(zone: LandingZone, job: _Job, answer: Answer, now: datetime) -> Outcome:
    content = answer.content
    if content is None or (job.newest and job.newest.sha256 == hashlib.sha256(content).hexdigest()):
        return "unchanged"
    job.newest = zone.land(
        job.kind, job.name, content, suffix=answer.suffix, fetched_at=now,
        url=answer.url, http_status=answer.status, etag=answer.etag,
    )  # fmt: skip
    return "fetched"


def _land_packaged(zone: LandingZone, job: _Job, now: datetime) -> None:
    # Imported here: it loads the package's whole data, which only a landing zone without any snapshot needs.
    from pipelines.prices import packaged_genai_prices

    url = PACKAGED_URL + version("genai-prices")
    content = packaged_genai_prices()
    job.newest = zone.land(job.kind, job.name, content, suffix=".json", fetched_at=now, url=url)


def _digest(url: str) -> str:
    """Stands for an address, whose query may hold a secret."""
    return hashlib.sha256(url.encode()).hexdigest()[:16]


class _Checked:
    """When each feed's newest snapshot was last found unchanged at its source. Losing it makes feeds look older."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._known: dict[str, list[str]] = dict(json.loads(path.read_bytes()))
        except (OSError, ValueError, TypeError):
            self._known = {}

    def at(self, job: _Job) -> datetime | None:
        """The instant, where it was this very content that was confirmed."""
        match self._known.get(f"{job.kind}/{job.name}"):
            case [str(sha256), str(at), *_] if job.newest is not None and sha256 == job.newest.sha256:
                return datetime.fromisoformat(at)
        return None

    def is_recent(self, job: _Job, now: datetime) -> bool:
        """Whether this very address was reached so short a time ago that it is not asked again."""
        at = self.at(job)
        known = self._known.get(f"{job.kind}/{job.name}", [])
        return at is not None and known[2:] == [_digest(job.url)] and timedelta() < now - at < ASKED_AFTER

    def confirm(self, job: _Job, now: datetime) -> None:
        if job.newest is not None:
            self._known[f"{job.kind}/{job.name}"] = [job.newest.sha256, now.isoformat(), _digest(job.url)]

    def save(self) -> None:
        if self._known:
            write_atomically(self._path, json.dumps(self._known, sort_keys=True).encode())
