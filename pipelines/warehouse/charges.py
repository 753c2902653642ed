"""SQL of cost by meter: the cost of usage by its rate cards, one row per meter, with the price that each rate comes from.

Written once, here. Python runs it as it is; `dictionary.py` writes it as macros for the models of `dbt_like`.
"""

from __future__ import annotations

from pipelines.meters import PRICED_METERS

QUANTITIES: dict[str, str] = {meter.name: f"({meter.quantity_sql})::bigint" for meter in PRICED_METERS}
"""Meter to the SQL of its quantity in one row of core.request."""


def charges_sql(usage: str, rate_card: str = "core.rate_card") -> str:
    """A query with the columns of `usage` and meter, quantity, usd_per_million, cost_usd, priced_as, price_id.

    `usage` has rate_id and a column per meter, named like it, with the quantity. priced_as is the meter whose rate was
    taken: a more general one where the meter's own rate is not published. Marginal rates and minimums are not in it.
    Usage whose rate card is gone has no row.
    """
    parts = ",\n".join(
        f"    ('{meter.name}', {usage}.{meter.name}, card.{meter.rate_column})" for meter in PRICED_METERS
    )
    return f"""select
    {usage}.*,
    part.meter,
    part.quantity,
    part.usd_per_million,
    part.quantity * part.usd_per_million * 0.000001 as cost_usd,
    coalesce(card.fallbacks ->> part.meter, part.meter) as priced_as,
    (card.price_ids ->> coalesce(card.fallbacks ->> part.meter, part.meter))::uuid as price_id
from {usage}
inner join {rate_card} as card on {usage}.rate_id = card.rate_id
cross join lateral (values
{parts}
) as part (meter, quantity, usd_per_million)
where part.quantity > 0 and part.usd_per_million is not null"""
