"""Reads one price file by a layout that is still being written: no landing zone, no database, nothing is kept.

Reading itself is `parse.py`, the schema of layouts is `pages/layout.py`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from pipelines.config.sources import PriceFeed
from pipelines.landing import LandedFile
from pipelines.prices.feed_snapshot import FeedSnapshot, PriceFeedError
from pipelines.prices.feeds import FORMATS
from pipelines.prices.parse import parse_feed


def try_layout(layout: str, path: Path) -> FeedSnapshot:
    """What `path` says when it is read by `layout`, observed now.

    `layout` is a YAML file with a layout (or a feed as it stands in sources.yaml), the name of a layout that ships, or of
    a format. Raises PriceFeedError with the place and what was expected.
    """
    feed = _feed(layout)
    if not path.is_file():
        raise PriceFeedError(f"{path}: no such file")
    file = LandedFile(
        kind="prices",
        source=feed.feed,
        path=path,
        landing_path=path.name,
        arrival_date=None,
        observed_at=datetime.now(UTC),
        sha256="",
        size_bytes=path.stat().st_size,
        snapshot_id=bytes(16),
    )
    return parse_feed(file, feed)


def _feed(layout: str) -> PriceFeed:
    path = Path(layout)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        return _declared(path)
    if layout in FORMATS and layout != "page":
        return PriceFeed(feed="try", format=layout)
    return PriceFeed(feed="try", format="page", options={"layout": layout})


def _declared(path: Path) -> PriceFeed:
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PriceFeedError(f"{path}: can't be read as YAML ({type(error).__name__})") from error
    if isinstance(content, list) and len(content) == 1:
        content = content[0]
    if not isinstance(content, dict):
        raise PriceFeedError(f"{path}: expected a layout, or one feed as it stands in sources.yaml")
    declared = content if "format" in content else {"feed": "try", "format": "page", "options": content}
    try:
        return PriceFeed.model_validate(declared)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise PriceFeedError(f"{path}: " + "; ".join(problems)) from error
