"""Step `mart.waste` and `mart.dearer_seller`: the window's requests that could have cost less. What is waste is in `pipelines.books`."""

from __future__ import annotations

import polars as pl

from pipelines.books.dearer_sellers import dearer_sellers
from pipelines.books.waste import CALL_COLUMNS, candidates, waste
from pipelines.daily.days import Window
from pipelines.warehouse.day_files import day_of_requests
from pipelines.warehouse.read import read_table
from pipelines.warehouse.replace import replace_days
from pipelines.warehouse.tables.core_prices import RATE_CARD
from pipelines.warehouse.tables.mart_economics import DEARER_SELLER, WASTE
from pipelines.workspace import Workspace


def refresh_waste(workspace: Workspace, window: Window) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Find the window's waste and replace its days; the rows written to each table."""
    declared = workspace.config.waste
    with workspace.database.connect() as connection, connection.transaction():
        days = [*window.days, window.to_date]
        calls = pl.concat(day_of_requests(connection, workspace.day_files, day, CALL_COLUMNS) for day in days)
        rate_card = read_table(connection, RATE_CARD)
        found = waste(candidates(calls, rate_card, declared.can_wait, window.to_date), rate_card)
        dearer = dearer_sellers(calls, found, rate_card, declared.equal_sellers, window.to_date)
        replace_days(connection, WASTE, found, window.from_date, window.to_date)
        replace_days(connection, DEARER_SELLER, dearer, window.from_date, window.to_date)
    return found, dearer
