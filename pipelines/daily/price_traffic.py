"""What the newest thirty days of requests were charged by: the weight of price changes, disagreements and questions."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import psycopg

from pipelines.prices.exposure import PRICED_BY, Traffic
from pipelines.warehouse.charges import QUANTITIES, charges_sql
from pipelines.warehouse.read import read_frame

TRAFFIC_DAYS = 30

_SUMS = ", ".join(f"sum({quantity})::bigint as {meter}" for meter, quantity in QUANTITIES.items())
_PRICED_BY = ", ".join(f"price.{name}" for name in PRICED_BY)
# Summed by rate card first: request by request there would be twenty lines for each. The total has a row of its own
# where nothing was charged.
_TRAFFIC = f"""
with usage as (
    select rate_id, sum(contracted_cost_usd) as spent_usd, {_SUMS}
    from core.request
    where event_date between %(first)s and %(last)s and rate_id is not null
    group by rate_id
),
charges as ({charges_sql("usage")}),
by_price as (
    select {_PRICED_BY}, sum(charges.quantity)::bigint as quantity, sum(charges.cost_usd)::numeric(38, 18) as cost_usd
    from charges inner join core.price as price on charges.price_id = price.price_id
    group by {_PRICED_BY}
)
select total.total_usd, by_price.*
from (select coalesce(sum(spent_usd), 0) as total_usd from usage) as total left join by_price on true
"""


def newest_traffic(connection: psycopg.Connection[Any]) -> tuple[Traffic, datetime | None]:
    """The traffic of the newest loaded days, and the instant at which they end; None without any request.

    The days end with the newest loaded one, not with the day of the run, so that days may be run in any order. A meter
    that took the rate of a more general one counts there, because that is the price it pays. Usage whose card or price is
    no longer known is left out of the charges.
    """
    (newest,) = read_frame(connection, "select max(event_date) as day from core.request")["day"]
    window = {"first": newest and newest - timedelta(days=TRAFFIC_DAYS - 1), "last": newest}
    rows = read_frame(connection, _TRAFFIC, window)
    charges = rows.drop("total_usd").drop_nulls("quantity")
    until = datetime.combine(newest + timedelta(days=1), time(), UTC) if newest else None
    return Traffic(charges, Decimal(rows["total_usd"][0]), TRAFFIC_DAYS), until
