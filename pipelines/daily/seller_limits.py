"""Step `core.seller_limit`: what sellers' own limits and alerts are, from every landed file of them. The formats are in `pipelines.seller_limits`."""

from __future__ import annotations

from dataclasses import asdict

import polars as pl

from pipelines.landing import read_bytes
from pipelines.outside import Apart
from pipelines.seller_limits.formats import FORMATS
from pipelines.warehouse.replace import replace_all
from pipelines.warehouse.tables.core_limits import SELLER_LIMIT
from pipelines.workspace import Workspace


def refresh_seller_limits(workspace: Workspace) -> tuple[pl.DataFrame, list[str]]:
    """Read all files again, which are small and few; the rows written, and the files that could not be read, with the reason."""
    apart = Apart()
    rows: list[dict[str, object]] = []
    for feed in workspace.config.sources.limits:
        for file in workspace.landed_from("limits", feed.feed):
            with apart.part(f"{file.landing_path} (feed {feed.feed}, format {feed.format})"):
                stated = FORMATS[feed.format].read(read_bytes(file), feed.options)
                origin = {"feed": feed.feed, "observed_at": file.observed_at, "landing_path": file.landing_path}
                rows += [{**asdict(limit), **origin} for limit in stated]
    found = pl.DataFrame(rows, schema=SELLER_LIMIT.polars_schema, orient="row")
    found = found.unique(SELLER_LIMIT.primary_key, keep="last", maintain_order=True)
    with workspace.database.connect() as connection, connection.transaction():
        replace_all(connection, SELLER_LIMIT, found)
    problems = [str(problem) for problem in workspace.landed("limits").problems]
    return found, [*apart.messages, *problems]
