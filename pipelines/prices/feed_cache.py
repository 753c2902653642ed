"""Price snapshots in the cache of parsed files: a file that was read before by the same reader is not read again.

The cache itself is `pipelines.landing.parse_cache`, reading is `parse.py`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pipelines.config.models import ModelsConfig
from pipelines.config.sources import PriceFeed
from pipelines.landing import LandedFile
from pipelines.landing.parse_cache import CachedParse, StaleCacheError, cache_folder, cached
from pipelines.prices.feed_snapshot import PRICE_SCHEMA, FeedSnapshot, PriceFeedError
from pipelines.prices.parse import parse_feed, parser_version, snapshot_of
from pipelines.prices.review import DECISIONS

_DECIDES = (
    "pipelines.prices",
    "pipelines.instants",
    "pipelines.meters",
    "pipelines.grouped",
    "pipelines.warehouse.tables",
    "pipelines.landing",
    "pipelines.pages",
    "pipelines.records.oriented",
)
"""The code and data that make a file into prices."""


def cached_feed(file: LandedFile, feed: PriceFeed, store: Path) -> FeedSnapshot | PriceFeedError:
    """What `parse_feed` makes of `file`, its error included, from `store` where it was read before."""
    return cached(
        feed_folder(feed, store),
        file,
        lambda: _parse(file, feed),
        _pack,
        lambda entry: _unpack(entry, file, feed),
    )


def feed_folder(feed: PriceFeed, store: Path) -> Path:
    """Where the files of a feed are kept as they are read today."""
    options = {name: value for name, value in feed.options.items() if name not in DECISIONS}
    return cache_folder(store, f"prices/{parser_version(feed)}", options, *_DECIDES)


def review_path(feeds: Sequence[PriceFeed], models: ModelsConfig, store: Path) -> Path:
    """Where the review of the files of `feeds` is kept, as they are read, named and judged today."""
    read = [(feed.feed, feed_folder(feed, store).name) for feed in feeds]
    declared = {"feeds": read, "models": models.model_dump(mode="json")}
    return cache_folder(store, "prices/review", declared, *_DECIDES, "pipelines.models") / "state.zip"


def _parse(file: LandedFile, feed: PriceFeed) -> FeedSnapshot | PriceFeedError:
    try:
        return parse_feed(file, feed)
    except PriceFeedError as error:
        return error


def _pack(result: FeedSnapshot | PriceFeedError) -> CachedParse:
    if isinstance(result, PriceFeedError):
        return CachedParse(json.dumps({"error": str(result)}).encode())
    facts = {"lines": result.lines, "valid": result.valid, "not_understood": result.not_understood}
    return CachedParse(json.dumps(facts).encode(), {"prices": result.prices})


def _unpack(entry: CachedParse, file: LandedFile, feed: PriceFeed) -> FeedSnapshot | PriceFeedError:
    facts = json.loads(entry.facts)
    if "error" in facts:
        return PriceFeedError(facts["error"])
    prices = entry.frames["prices"]
    if prices.schema != PRICE_SCHEMA:
        raise StaleCacheError(f"prices with {prices.schema}, where {PRICE_SCHEMA} is expected")
    problems = tuple(facts["not_understood"])
    return snapshot_of(file, feed, prices, lines=facts["lines"], valid=facts["valid"], not_understood=problems)
