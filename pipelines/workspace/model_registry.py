"""The model registry of a run: the declared models, and every name that a price feed in force introduces.

Rules and resolution are `pipelines.models`; the price files come from `price_files.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import cast

from pipelines.models import Registry, build_registry
from pipelines.prices import dated_aliases, feed_names, with_separate_lists
from pipelines.prices.statements import KeptSnapshots, joined
from pipelines.workspace.price_files import FeedFiles, feed_files
from pipelines.workspace.workspace import Workspace


def registry_of(workspace: Workspace, *, known_at: datetime | None = None) -> Registry:
    """The registry of the configuration and of the price files that count, made once per workspace and instant.

    `known_at` leaves out what was observed later; declarations have no dates and always count.
    """
    if known_at not in workspace.registries:
        workspace.registries[known_at] = registry_from(workspace, feed_files(workspace), known_at)
    return workspace.registries[known_at]


def registry_from(workspace: Workspace, feeds: Iterable[FeedFiles], known_at: datetime | None = None) -> Registry:
    """The registry of the configuration and of the accepted snapshots of `feeds`."""
    snapshots = joined(
        accepted if known_at is None else accepted.until(known_at)
        for item in feeds
        for accepted in [cast("KeptSnapshots", item.review.accepted)]
    )
    models = workspace.config.models
    registry = build_registry(models, feed_names(snapshots), dated_aliases(snapshots, models))
    return with_separate_lists(registry, snapshots)
