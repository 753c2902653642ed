"""`modelmeter prune`: remove what `retention.yaml` says is old.

The daily command does the same after its runs, the daemon every morning.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from assets.cli.terminal import json_text, say

if TYPE_CHECKING:
    from pipelines.retention.removed import Removed
    from pipelines.workspace import Workspace


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("prune")(prune)


def prune(as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False) -> None:
    """Remove what retention.yaml says is old, and what former parsers and killed runs left."""
    from pipelines.workspace import open_workspace

    with open_workspace() as workspace:
        removed = pruned(workspace)
    if as_json:
        say(json_text([part.__dict__ for part in removed]))
        return
    say("\n".join(sentences(removed)) or "nothing is old")


def pruned(workspace: Workspace) -> list[Removed]:
    """Apply retention in this process."""
    from assets.cli.instance import dagster_instance
    from assets.retention import remove_what_is_old

    with dagster_instance(workspace) as instance:
        return remove_what_is_old(workspace, instance)


def sentences(removed: Sequence[Removed]) -> list[str]:
    """What was removed, a line each."""
    return [f"removed {part.count:,} {part.what}{_freed(part.size_bytes)}" for part in removed]


def _freed(size_bytes: int) -> str:
    return f" ({size_bytes / 2**20:,.1f} MB)" if size_bytes else ""
