"""Folders of the landing zone that no declaration reads: their files would lie there unread."""

from __future__ import annotations

from pathlib import Path

from pipelines.config import Config
from pipelines.config.mistakes import did_you_mean
from pipelines.landing import KINDS, Kind
from pipelines.landing.names import shown
from pipelines.landing.tree import entries


def undeclared_folders(config: Config, zone: Path) -> list[str]:
    """A line for each folder of `zone` that is no kind of file, and for each below a kind that bears no declared name."""
    if not zone.is_dir():
        return []
    lines = []
    for folder in _folders(zone, zone):
        if folder not in KINDS:
            accepted = ", ".join(f"{kind}/" for kind in KINDS)
            lines.append(
                f"{shown(folder)}/: nothing in it is read; accepted in a landing zone are {accepted}{did_you_mean(folder, KINDS)}"
            )
    for kind, declared in _declared(config).items():
        for folder in _folders(zone / kind, zone):
            if folder not in declared:
                names = ", ".join(declared) or "none"
                lines.append(
                    f"{kind}/{shown(folder)}/: nothing in it is read; declared in sources.yaml under {kind}: {names}"
                    f"{did_you_mean(folder, declared)}"
                )
    return lines


def _folders(folder: Path, zone: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return [entry.path.name for entry in entries(folder, zone)[0] if entry.kind == "folder"]


def _declared(config: Config) -> dict[Kind, list[str]]:
    sources = config.sources
    return {
        "requests": [source.source for source in sources.requests],
        "prices": [feed.feed for feed in sources.prices] + [feed.feed for feed in config.fx.feeds],
        "leaderboards": [board.board for board in sources.leaderboards],
        "selfhost": [feed.feed for feed in sources.selfhost],
        "limits": [feed.feed for feed in sources.limits],
    }
