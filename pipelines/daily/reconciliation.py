"""Step `mart.reconciliation`: all charges against all bills.

How the two are put next to each other, and why they differ, is `pipelines.books.reconciliation`.
"""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import psycopg

from pipelines.books.reconciliation import Bills, reconcile
from pipelines.daily.known_days import run_days
from pipelines.meters import FEE_METERS, PRICED_METERS, TOKEN_METERS
from pipelines.warehouse.read import read_frame
from pipelines.warehouse.replace import replace_all
from pipelines.warehouse.tables.mart_reconciliation import RECONCILIATION
from pipelines.workspace import Workspace

_CHARGES = """
    select
        event_date, provider_id, model_id, service_tier, meter,
        coalesce(quantity, 0)::numeric(38, 18) as quantity,
        coalesce(unpriced_quantity, 0)::numeric(38, 18) as unpriced_quantity,
        billed_cost_usd as usd,
        list_cost_usd as list_usd,
        reported_cost_usd as logged_usd,
        charges,
        pricing_currency,
        usd_per_currency
    from mart.daily_meter_spend
    order by event_date, provider_id, model_id, service_tier, meter
"""
_BELIEVED = "from core.reported_cost as bill where bill.superseded_at is null"
_MODEL = "coalesce(bill.model_id, 'unresolved: ' || bill.raw_model, '')"
_LINES = f"""
    select
        bill.event_date, bill.provider_id, {_MODEL} as model_id, bill.service_tier, bill.meter, bill.line_item,
        greatest(1, ceil(extract(epoch from bill.bucket_to - bill.bucket_from) / 86400))::integer as days,
        bill.charge_category, bill.quantity, bill.quantity_unit, bill.amount, bill.list_amount, bill.amount_text, bill.currency,
        bill.cost_uid::text as line_id,
        (case when bill.currency = 'USD' then 1 else rate.usd_per_unit end)::numeric(38, 18) as usd_per_unit
    from core.reported_cost as bill
    left join lateral (
        select fx.usd_per_unit
        from core.fx_rate as fx
        cross join lateral (
            select case when fx.steps = 'month' then date_trunc('month', bill.bucket_from, 'UTC') else bill.bucket_from end as at
        ) as used
        where
            fx.currency = bill.currency and fx.superseded_at is null
            and fx.valid_from <= used.at and (fx.valid_to is null or fx.valid_to > used.at)
        order by fx.precedence, fx.valid_from desc
        limit 1
    ) as rate on true
    where bill.superseded_at is null and bill.amount is not null
    order by bill.event_date, bill.cost_uid
"""
_COUNTS = {
    **{meter.name: meter.tokens_column for meter in TOKEN_METERS},
    **{fee.name: fee.count.column for fee in FEE_METERS if fee.count and not fee.once},
}
_USAGE = f"""
    select
        bill.event_date, bill.provider_id, {_MODEL} as model_id, bill.service_tier, sum(bill.request_count)::bigint as request_count,
        json_strip_nulls(json_build_object({", ".join(f"'{name}', sum(bill.{column})" for name, column in _COUNTS.items())}))::text as counts
    {_BELIEVED} and bill.report <> 'claude_code' and num_nonnulls(bill.request_count, {", ".join(f"bill.{name}" for name in _COUNTS.values())}) > 0
    group by bill.event_date, bill.provider_id, 3, bill.service_tier
    order by bill.event_date, bill.provider_id, 3, bill.service_tier
"""  # fmt: skip
_EXPORTED = """
    select provider_id, (max(observed_at) at time zone 'UTC')::date as exported
    from raw.snapshot
    join (select distinct source, provider_id from core.reported_cost where amount is not null) as billed using (source)
    where kind = 'bills'
    group by provider_id
"""
_RATES = f"""
    select distinct on (card.provider_id, card.model_id, card.service_tier)
        card.provider_id, card.model_id, card.service_tier,
        {", ".join(f"card.{meter.rate_column} as {meter.name}" for meter in PRICED_METERS)}
    from core.rate_card as card
    join (select distinct provider_id, model_id, service_tier {_BELIEVED}) as billed
        on card.provider_id = billed.provider_id and card.model_id = billed.model_id
        and card.service_tier = coalesce(billed.service_tier, 'standard')
    where card.contract_id = '' and card.region = '' and card.time_window = '' and card.context_from_tokens = 0
    order by card.provider_id, card.model_id, card.service_tier, card.valid_from desc, card.rate_id
"""


def refresh_reconciliation(workspace: Workspace) -> pl.DataFrame:
    """Compare everything again, since bills are revised long after; the rows written."""
    with workspace.database.connect() as connection, connection.transaction():
        charges = read_frame(connection, _CHARGES)
        found = reconcile(charges, bills_of(connection, charges), workspace.config.reconciliation)
        replace_all(connection, RECONCILIATION, found)
    return found


def bills_of(connection: psycopg.Connection[Any], charges: pl.DataFrame) -> Bills:
    """What is believed of all bills now, and the days that can be compared."""
    usage = read_frame(connection, _USAGE)
    counted = [{**row, "counts": json.loads(row["counts"])} for row in usage.iter_rows(named=True)]
    exported = dict(read_frame(connection, _EXPORTED).iter_rows())
    loaded = run_days(connection, charges["event_date"])
    return Bills(read_frame(connection, _LINES), counted, exported, _rates(connection), loaded)


def _rates(connection: psycopg.Connection[Any]) -> dict[tuple[str, str, str, str], Any]:
    cards = read_frame(connection, _RATES)
    names = [meter.name for meter in PRICED_METERS]
    return {
        (card["provider_id"], card["model_id"], card["service_tier"], name): card[name] / 1_000_000
        for card in cards.iter_rows(named=True)
        for name in names
        if card[name] is not None
    }
