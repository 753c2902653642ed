"""A workspace with sources and a landing zone of its own on the tests' database, and lines landed in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.settings import Settings
from pipelines.workspace import Workspace, open_workspace


@contextmanager
def workspace_of(database_settings: Settings, folder: Path, sources: str) -> Iterator[Workspace]:
    """The workspace below `folder`, whose sources.yaml is `sources`."""
    config, zone = folder / "config", folder / "landing"
    config.mkdir()
    zone.mkdir()
    (config / "sources.yaml").write_text(sources)
    settings = Settings(
        home=folder / "home", database_url=database_settings.database_url, landing=str(zone), config=config
    )
    with open_workspace(settings) as opened:
        yield opened


def land_lines(workspace: Workspace, source: str, arrival: date, records: list[dict[str, Any]]) -> None:
    """Write `records` as the source's one file of that arrival."""
    path = Path(str(workspace.settings.landing)) / "requests" / source / str(arrival) / "a.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
