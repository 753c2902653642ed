"""Price files that wait for a person's review, weighed with our own spend, and the decision about a file.

A decision is one small file in the landing zone; `pipelines.prices.review` reads it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipelines.daily.price_traffic import newest_traffic
from pipelines.landing import LandedFile
from pipelines.prices import Held, Verdict
from pipelines.prices.review_spend import weighed
from pipelines.workspace import Workspace
from pipelines.workspace.model_registry import registry_of
from pipelines.workspace.price_files import feed_files


@dataclass(frozen=True)
class Waiting:
    """A file that is held, whole or in part, and its changes as `weighed` gives them, the costliest first."""

    file: LandedFile
    held: Held
    changes: pl.DataFrame


def waiting(workspace: Workspace, *, also_decided: bool = False) -> list[Waiting]:
    """Everything that waits for a person; with `also_decided` also the files that were rejected or are moot."""
    found = [(file, held) for item in feed_files(workspace) for file, held in item.held]
    wanted = [(file, held) for file, held in found if also_decided or held.state == "open"]
    if not wanted:
        return []
    with workspace.database.connect(read_only=True) as connection:
        traffic, _ = newest_traffic(connection, workspace.day_files)
    registry = registry_of(workspace)
    return [Waiting(file, held, weighed(held.changes, registry, traffic)) for file, held in wanted]


def decide(workspace: Workspace, name: str, verdict: Verdict) -> tuple[LandedFile, Path]:
    """Keep a decision about the price file `name`: its path in the landing zone, its name, or the start of its hash.

    Returns the file and where the decision lies. Raises LookupError where not exactly one file is meant, LandingError where
    the landing zone can't be written.
    """
    files = [file for item in feed_files(workspace) for file, _ in item.read]
    exact = [file for file in files if name in (file.landing_path, f"{file.source}/{file.path.name}", file.path.name)]
    found = exact or [file for file in files if len(name) >= 8 and file.sha256.startswith(name.lower())]
    if len(found) != 1:
        several = ", ".join(file.landing_path for file in found)
        raise LookupError(
            f"{name} names several price files: {several}. Name one by its path."
            if found
            else f"{name} names no price file that can be read. `modelmeter prices review` lists what is held."
        )
    return found[0], workspace.zone.decide(found[0], verdict)
