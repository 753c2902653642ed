"""The workspace of a run, which every step shares: settings, configuration, warehouse and the listing of the landing zone.

Opened once per run; nothing is computed here. The steps are `pipelines.daily`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

import polars as pl

from pipelines.config import Config, load_config
from pipelines.landing import Kind, LandedFile, LandingError, LandingZone, Scan, open_zone
from pipelines.models import Registry
from pipelines.records.store import stored_path
from pipelines.settings import Settings
from pipelines.warehouse.database import Database
from pipelines.warehouse.open import open_database


@dataclass(frozen=True)
class Workspace:
    """Settings, configuration and warehouse of one run."""

    settings: Settings
    config: Config
    database: Database

    @property
    def store(self) -> Path:
        """Content-addressed store of what was read from landed files."""
        return self.settings.home / "parsed"

    @property
    def day_files(self) -> Path:
        """Folder of the loaded days as files (`pipelines.warehouse.day_files`)."""
        return self.settings.home / "requests"

    @property
    def profiles(self) -> Path:
        """Folder of the histograms of large days (`pipelines.behaviour.kept_days`)."""
        return self.settings.home / "cache" / "profiles"

    @cached_property
    def zone(self) -> LandingZone:
        """The landing zone in force."""
        return open_zone(self.settings)

    @cached_property
    def _scans(self) -> dict[Kind, Scan]:
        return {}

    @cached_property
    def registries(self) -> dict[datetime | None, Registry]:
        """The model registries that steps have made from the listing in force, by the instant that they are known at."""
        return {}

    @cached_property
    def reviewed(self) -> dict[tuple[str, ...], object]:
        """The reviewed price files, by the files and decisions that they follow from (`price_files.feed_files`)."""
        return {}

    def landed(self, kind: Kind) -> Scan:
        """The landed files of one kind, listed and hashed once per workspace; `rescan` after files were added."""
        if kind not in self._scans:
            self._scans[kind] = self.zone.scan(kind)
        return self._scans[kind]

    def parsed_paths(self, index: pl.DataFrame) -> list[Path]:
        """Where the rows of indexed files lie (`index`: snapshot_id, format, parser_version, landing_path).

        Raises LandingError naming the file whose rows are gone.
        """
        paths = []
        for row in index.iter_rows(named=True):
            path = stored_path(self.store, row["format"], row["parser_version"], row["snapshot_id"])
            if not path.is_file():
                raise LandingError(
                    f"{row['landing_path']} was parsed before, but its rows are no longer in {self.store}. "
                    "The landing zone no longer holds the file either: restore one of them."
                )
            paths.append(path)
        return paths

    def rescan(self) -> None:
        """Forget the listing, because a fetch may have added files."""
        self._scans.clear()
        self.registries.clear()
        self.reviewed.clear()

    def landed_from(self, kind: Kind, source: str) -> list[LandedFile]:
        """The landed files of one declared source, feed or board."""
        return [file for file in self.landed(kind).files if file.source == source]


@contextmanager
def open_workspace(settings: Settings | None = None) -> Iterator[Workspace]:
    """Validate the configuration, open and migrate the warehouse, and close it at the end.

    Raises ConfigError before anything is started where the configuration can't be used.
    """
    settings = settings or Settings()
    config = load_config(settings.config, use_sample=settings.uses_sample)
    with open_database(settings) as database:
        yield Workspace(settings, config, database)
