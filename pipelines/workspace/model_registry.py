"""The model registry of a run: the declared models, and every name that a price feed in force introduces.

Rules and resolution are `pipelines.models`; the price files come from `price_files.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pipelines.models import Registry, build_registry
from pipelines.prices import dated_aliases, feed_names, with_separate_lists
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
    snapshots = [
        snapshot
        for item in feeds
        for snapshot in item.review.accepted
        if known_at is None or snapshot.observed_at <= known_at
    ]
    models = workspace.config.models
    names = [feed_names(snapshot) for snapshot in snapshots]
    return with_separate_lists(build_registry(models, names, dated_aliases(snapshots, models)), snapshots)
