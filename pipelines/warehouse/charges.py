"""SQL of cost by meter: the cost of usage by its rate cards, one row per meter, with the price that each rate comes from.

Written once, here. Python runs it as it is; `dictionary.py` writes it as macros for the models of `dbt_like`.
"""

from __future__ import annotations

from pipelines.meters import FEE_METERS, PRICED_METERS, TOKEN_METERS

QUANTITIES: dict[str, str] = {meter.name: f"({meter.quantity_sql})::bigint" for meter in PRICED_METERS}
"""Meter to the SQL of its quantity in one row of core.request."""

UNITS: dict[str, str] = {**{m.name: "token" for m in TOKEN_METERS}, **{m.name: m.unit for m in FEE_METERS}}
"""Meter to the unit that it counts."""

_COUNTED_ANYWAY = ", ".join(f"'{fee.name}'" for fee in FEE_METERS if fee.once)


def charges_sql(usage: str, rate_card: str = "core.rate_card", unrated: str = "false") -> str:
    """A query with the columns of `usage` and meter, unit, quantity, usd_per_million, cost_usd, priced_as, price_id.

    `usage` has rate_id and a column per meter, named like it, with the quantity. priced_as is the meter whose rate was
    taken: a more general one where the meter's own rate is not published. Marginal rates and minimums are not in it.
    Usage whose rate card is gone has no row. With `unrated` (the SQL true) it has, as has a meter without a rate; their
    rate and cost are null. A second meter of the same count has a row only where it has a rate.
    """
    parts = ",\n".join(
        f"    ('{meter.name}', '{UNITS[meter.name]}', {usage}.{meter.name}, card.{meter.rate_column})"
        for meter in PRICED_METERS
    )
    return f"""select
    {usage}.*,
    part.meter,
    part.unit,
    part.quantity,
    part.usd_per_million,
    part.quantity * part.usd_per_million * 0.000001 as cost_usd,
    coalesce(card.fallbacks ->> part.meter, part.meter) as priced_as,
    (card.price_ids ->> coalesce(card.fallbacks ->> part.meter, part.meter))::uuid as price_id
from {usage}
left join {rate_card} as card on {usage}.rate_id = card.rate_id
cross join lateral (values
{parts}
) as part (meter, unit, quantity, usd_per_million)
where part.quantity > 0 and (part.usd_per_million is not null or {unrated} and part.meter not in ({_COUNTED_ANYWAY}))"""
