"""Step `mart.chargeback`: the window's charges, shared cost passed on by the rules of allocation.yaml.

The allocation itself is `pipelines.books.allocation`.
"""

from __future__ import annotations

from typing import Any

import polars as pl
import psycopg

from pipelines.books.allocation import charge_back
from pipelines.config.allocation import FIELDS
from pipelines.daily.days import Window
from pipelines.warehouse.read import read_frame
from pipelines.warehouse.replace import replace_days
from pipelines.warehouse.tables.mart_charges import CHARGEBACK, COSTS
from pipelines.workspace import Workspace

_CHARGES = f"""
    select
        event_date, {", ".join(FIELDS)}, {", ".join(COSTS)},
        case when unit = 'token' then quantity else 0 end as tokens,
        case when meter = 'request' and unpriced_reason is not null then quantity else 0 end as unpriced_requests
    from mart.daily_charge
    where event_date >= %(from)s and event_date < %(to)s
"""
_SUMS = f"""
    select
        event_date, {", ".join(FIELDS)}, {", ".join(f"sum({cost})::numeric(38, 18) as {cost}" for cost in COSTS)},
        sum(tokens)::bigint as tokens, sum(unpriced_requests)::bigint as unpriced_requests
    from ({_CHARGES}) as charges
    group by event_date, {", ".join(FIELDS)}
"""
"""The same, added up by who used it."""


def refresh_chargeback(workspace: Workspace, window: Window) -> pl.DataFrame:
    """Allocate the window's days and replace their rows; the rows written."""
    with workspace.database.connect() as connection, connection.transaction():
        allocation = workspace.config.allocation
        found = charge_back(spend_of(connection, window, in_sums=not allocation.rules), allocation)
        replace_days(connection, CHARGEBACK, found, window.from_date, window.to_date)
    return found


def spend_of(connection: psycopg.Connection[Any], window: Window, *, in_sums: bool = False) -> pl.DataFrame:
    """The window's charges, as allocation looks at them. It splits each by itself; where it splits none, sums are enough (`in_sums`)."""
    return read_frame(connection, _SUMS if in_sums else _CHARGES, {"from": window.from_date, "to": window.to_date})
