"""Step `mart.waste`: the window's requests that could have cost less. What is waste is in `pipelines.books.waste`."""

from __future__ import annotations

import polars as pl

from pipelines.books.waste import candidates, waste
from pipelines.daily.days import Window
from pipelines.warehouse.read import read_frame, read_table
from pipelines.warehouse.replace import replace_days
from pipelines.warehouse.tables.core_prices import RATE_CARD
from pipelines.warehouse.tables.mart_economics import WASTE
from pipelines.workspace import Workspace


def refresh_waste(workspace: Workspace, window: Window) -> pl.DataFrame:
    """Find the window's waste and replace its days; the rows written."""
    with workspace.database.connect() as connection, connection.transaction():
        query, parameters = candidates(workspace.config.waste.can_wait, window.from_date, window.to_date)
        found = waste(read_frame(connection, query, parameters), read_table(connection, RATE_CARD))
        replace_days(connection, WASTE, found, window.from_date, window.to_date)
    return found
