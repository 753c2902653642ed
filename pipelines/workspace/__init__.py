"""What the steps of a run share, so that no step is imported for the sake of what another step needs too.

    Workspace, open_workspace                 settings, configuration, the open warehouse, the listing of the landing zone
    price_files.feed_files(workspace)         the landed price files, read and reviewed
    model_registry.registry_of(workspace)     the canonical models, by every name that a declaration or a price feed uses
    landed_index.snapshot_row(file, ...)      the row of raw.snapshot of one landed file

The steps themselves are in `pipelines.daily`.
"""

from __future__ import annotations

from pipelines.workspace.workspace import Workspace, open_workspace

__all__ = ["Workspace", "open_workspace"]
