"""Step `mart.waste` and `mart.dearer_seller`: the window's requests that could have cost less. What is waste is in `pipelines.books`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

import polars as pl

from pipelines.books.dearer_sellers import DearerSellers
from pipelines.books.waste import CALL_COLUMNS, candidates, waste
from pipelines.books.waste_context import CONTEXT_COLUMNS, context_of
from pipelines.daily.days import Window
from pipelines.warehouse.day_files import parts_of_day
from pipelines.warehouse.read import read_table
from pipelines.warehouse.replace import replace_days
from pipelines.warehouse.tables.core_prices import RATE_CARD
from pipelines.warehouse.tables.mart_economics import DEARER_SELLER, WASTE
from pipelines.workspace import Workspace

_ROWS = 250_000
"""Requests that are looked at together."""


def refresh_waste(workspace: Workspace, window: Window) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Find the window's waste and replace its days; the rows written to each table."""
    declared = workspace.config.waste
    with workspace.database.connect() as connection, connection.transaction():
        rate_card = read_table(connection, RATE_CARD)
        dearer = DearerSellers(rate_card, declared.equal_sellers)
        read = partial(parts_of_day, connection, workspace.day_files)
        around = [*window.days, window.to_date]
        context = context_of(in_batches((part for day in around for part in read(day, CONTEXT_COLUMNS)), _ROWS))
        found = [WASTE.empty()]
        for calls in in_batches((part for day in window.days for part in read(day, CALL_COLUMNS)), _ROWS):
            found.append(waste(candidates(calls, context, rate_card, declared.can_wait), rate_card))
            dearer.add(calls, found[-1])
        rows, sums = pl.concat(found).sort("event_date", "request_uid"), dearer.rows()
        replace_days(connection, WASTE, rows, window.from_date, window.to_date)
        replace_days(connection, DEARER_SELLER, sums, window.from_date, window.to_date)
    return rows, sums


def in_batches(parts: Iterable[pl.DataFrame], rows: int) -> Iterator[pl.DataFrame]:
    """The parts put together until each has so many rows, the last one fewer."""
    held: list[pl.DataFrame] = []
    for part in parts:
        held.append(part)
        if sum(one.height for one in held) >= rows:
            yield pl.concat(held, rechunk=False)
            held = []
    if held:
        yield pl.concat(held, rechunk=False)
