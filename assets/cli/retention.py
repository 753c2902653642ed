"""`modelmeter prune` and `forget`: remove what `retention.yaml` says is old, and the names of end users on request.

The daily command prunes after its runs, the daemon every morning.
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
    """Add the commands."""
    app.command("prune")(prune)
    app.command("forget")(forget)


def prune(as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False) -> None:
    """Remove what is old by retention.yaml, and what former parsers and killed runs left."""
    from pipelines.workspace import open_workspace

    with open_workspace() as workspace:
        removed = pruned(workspace)
    if as_json:
        say(json_text([part.__dict__ for part in removed]))
        return
    say("\n".join(sentences(removed)) or "nothing is old")


def forget(
    user: Annotated[str, typer.Argument(help="The end user, as the log names them.")],
    is_erased: Annotated[
        bool, typer.Option("--erase", help="Put nothing in their place instead of a random name.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Forget an end user: another name, or none, stands in their place from now on. Costs and counts of requests stay."""
    from pipelines.daily.retention import forget_user
    from pipelines.finops import format as fmt
    from pipelines.workspace import open_workspace

    if not user.strip():
        raise typer.BadParameter("a name is needed; an empty one is in many records and belongs to nobody")
    if not yes:
        typer.confirm("Forget this end user in the warehouse? It can't be undone.", abort=True)
    with open_workspace() as workspace:
        done = forget_user(workspace, user, is_erased=is_erased)
    changed = done.changed
    say(
        f"forgotten in {changed.requests:,} requests, {changed.billed_rows:,} lines of bills and {changed.quarantined:,} records "
        f"set aside; the name is replaced by {changed.replacement or 'nothing'}"
    )
    if done.fact_files:
        say(f"{fmt.plural(done.fact_files, 'file')} of request facts changed as well")
    if done.landed:
        say(f"{len(done.landed)} files of the landing zone still name them, and are yours to change or remove:")
        say("\n".join(f"  {path}" for path in done.landed))


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
