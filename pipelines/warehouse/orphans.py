"""Databases whose home is gone: deleting a folder `.modelmeter` by hand leaves root's, which lies below /var/lib/modelmeter.

A home that was moved looks the same until a command has run in it, so nothing here is deleted without being asked for.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from pipelines.warehouse import cluster as clusters
from pipelines.warehouse import server
from pipelines.warehouse.account import Account
from pipelines.warehouse.cluster import Cluster


@dataclass(frozen=True)
class Orphan:
    """The folder of a database, and the home that it belonged to."""

    folder: Path
    home: Path


def orphans() -> list[Orphan]:
    """Every database of root's homes that no home names any more; none for an ordinary user, whose databases lie in their homes."""
    if os.geteuid() != 0:
        return []
    found = []
    for record in sorted(clusters.SYSTEM_ROOT.glob("*/home")):
        home = Path(record.read_text().rstrip("\n"))
        if not _is_named(record.parent, clusters.location(home)):
            found.append(Orphan(record.parent, home))
    return found


def _is_named(folder: Path, location: Path) -> bool:
    return location.exists() and location.read_text().rstrip("\n") == str(folder)


def remove_orphans_of(home: Path) -> int:
    """Stop and delete what homes that were deleted by hand have left at a path; how many databases that were."""
    found = [orphan for orphan in orphans() if orphan.home == home]
    for orphan in found:
        me = Account.current()
        server.stop(Cluster(home, orphan.folder, me, me))
        shutil.rmtree(orphan.folder)
    return len(found)
