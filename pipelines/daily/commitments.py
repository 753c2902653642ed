"""Step `mart.commitment_usage` and `mart.commitment_day`: what of each commitment was used, over all loaded days.

How is `pipelines.books.commitments`; declarations are in `commitments.yaml`, those of one's own hardware in `selfhost.yaml`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from pipelines.books.commitments import Ledger, commitment_ledger
from pipelines.books.commitments.hardware import OwnHardware
from pipelines.config.allocation import FIELDS
from pipelines.config.commitments import Commitments
from pipelines.daily.known_days import all_known_days
from pipelines.daily.own_hardware import own_hardware
from pipelines.meters import INPUT_METERS, OUTPUT_METERS
from pipelines.warehouse.read import read_frame, read_table
from pipelines.warehouse.replace import replace_all
from pipelines.warehouse.tables.mart_charges import REST
from pipelines.warehouse.tables.mart_commitments import COMMITMENT_DAY, COMMITMENT_USAGE
from pipelines.warehouse.tables.selfhost import HOURLY_DEMAND
from pipelines.workspace import Workspace

_GRAIN = f"event_date, {', '.join(FIELDS)}"
_CHARGES = f"""
    select
        {_GRAIN},
        coalesce(sum(quantity) filter (where meter = any(%(given)s)), 0)::bigint as input_tokens,
        coalesce(sum(quantity) filter (where meter = any(%(written)s)), 0)::bigint as output_tokens,
        (sum(billed_cost_usd) filter (where unit = 'token' or meter = '{REST}'))::numeric(38, 18) as token_usd,
        sum(billed_cost_usd)::numeric(38, 18) as billed_usd,
        coalesce(sum(quantity) filter (where meter = 'request' and unpriced_reason is not null), 0)::bigint as unpriced_requests
    from mart.daily_charge
    where provider_id = any(%(sellers)s) and event_date >= %(first)s
    group by {_GRAIN}
    order by {_GRAIN}
"""


def refresh_commitments(workspace: Workspace) -> Ledger:
    """Work through all loaded days again, since a balance follows from every day before; the rows written."""
    with workspace.database.connect() as connection, connection.transaction():
        found = ledger_of(connection, workspace.config.commitments, own_hardware(workspace, connection))
        replace_all(connection, COMMITMENT_USAGE, found.usage)
        replace_all(connection, COMMITMENT_DAY, found.days)
    return found


def ledger_of(
    connection: psycopg.Connection[Any], commitments: Commitments, hardware: Sequence[OwnHardware] = ()
) -> Ledger:
    """The ledger of the loaded days. Nothing is read where nothing is declared."""
    items = [*commitments.declared, *(own.item for own in hardware)]
    if not items:
        return Ledger(COMMITMENT_USAGE.empty(), COMMITMENT_DAY.empty())
    sellers = sorted({item.provider_id for item in items})
    first = min(item.from_date for item in items)
    given, written = ([meter.name for meter in meters] for meters in (INPUT_METERS, OUTPUT_METERS))
    params = {"sellers": sellers, "first": first, "given": given, "written": written}
    charges = read_frame(connection, _CHARGES, params)
    hours = read_table(connection, HOURLY_DEMAND, "provider_id = any(%s) and event_date >= %s", (sellers, first))
    return commitment_ledger(commitments, charges, hours, all_known_days(connection), hardware)
