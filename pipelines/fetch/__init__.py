"""The only package that speaks HTTP: every declared feed and leaderboard into the landing zone, each on its own.

A feed that fails leaves its last snapshot in use, flagged stale, and never stops the others. Names, sidecars and the
atomic write are in `pipelines.landing`; what the bytes mean is in `pipelines.prices` and `pipelines.benchmarks`.
"""

from __future__ import annotations

from pipelines.fetch.client import FetchError, FetchLimits, PermanentFetchError, TransientFetchError, safe_url
from pipelines.fetch.feeds import PACKAGED_URL, FeedKind, FetchResult, Outcome, feeds_held, fetch_feeds

__all__ = [
    "PACKAGED_URL",
    "FeedKind",
    "FetchError",
    "FetchLimits",
    "FetchResult",
    "Outcome",
    "PermanentFetchError",
    "TransientFetchError",
    "feeds_held",
    "fetch_feeds",
    "safe_url",
]
