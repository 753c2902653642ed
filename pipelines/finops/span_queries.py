"""The queries of what a day, a month or a quarter cost against earlier days, and why: SQL with the days left open.

Placeholders: first, end (without it), then_first, then_end. `report/collect.py` runs them together with those of `queries.py`.
Every amount is a sum over mart.daily_charge; in months that are closed, over what was booked (core.booked_charge).
"""

from __future__ import annotations

from pipelines.finops.plans import BUDGETS
from pipelines.warehouse.tables.mart_reconciliation import CAUSES, NOT_COMPARED

DIMENSIONS = {
    "provider": "provider_id",
    "model": "model_id",
    "team": "team",
    "project": "project",
    "cost_centre": "cost_centre",
}
"""What spend is shown by: the name of the dimension and its column."""

PARTS = ("volume", "mix", "use", "price", "new", "ended")
"""What a change in cost consists of; the columns are these with _usd. They add up to change_usd exactly."""

_COLUMNS = (
    "event_date, provider_id, model_id, service_tier, region, team, project, cost_centre, meter, quantity, unpriced_reason, "
    "list_cost_usd, effective_cost_usd, billed_cost_usd, reported_cost_usd"
)
_ITEM = "provider_id, model_id, service_tier, region, meter"
"""What has a unit price."""
_CLOSED = """(
        select period
        from (select distinct on (period) period, act from core.period_act order by period, acted_at desc) as latest
        where act = 'close'
    )"""


def charges(days: str, *, booked: bool) -> str:
    """SQL of the charges of the `days` (a predicate on event_date); with `booked`, closed months are as they were booked."""
    known = f"select {_COLUMNS} from mart.daily_charge where ({days})"
    if not booked:
        return known
    month = "date_trunc('month', event_date)::date"
    return f"""{known} and {month} not in {_CLOSED}
    union all
    select {_COLUMNS} from core.booked_charge where ({days}) and charge_class is null and {month} in {_CLOSED}"""


NOW = "event_date >= %(first)s and event_date < %(end)s"
_THEN = "event_date >= %(then_first)s and event_date < %(then_end)s"

HAS_CHARGES = f"select exists (select from ({charges(_THEN, booked=True)}) as charges)"


def movement(dimensions: dict[str, str], *, booked: bool) -> str:
    """SQL of cost now and then by dimension, and of what the change consists of. One row per dimension and value.

    `all` is the whole. A model is new (ended) for a value where it has no priced request then (now). Of the others, `price` is
    the change of unit cost (an item: seller, model, tier, region, meter) at today's quantities; `volume` is more or fewer requests at
    yesterday's cost of a request; `mix` is another share of models; `use` is the rest: other quantities in a request.
    """
    grain = "dimension, dimension_value"
    whole = {name: column for name, column in dimensions.items() if column in _ITEM.split(", ")}
    cut = {name: column for name, column in dimensions.items() if name not in whole}
    return f"""
with days as (
    {_item_days(f"{NOW} or {_THEN}", cut, booked=booked)}
),
summed_items as (
    select
        {grain}, {_ITEM},
        {_sums("priced_quantity", "quantity")},
        {_sums("effective_cost_usd", "cost")},
        sum(quantity) filter (where meter = 'request' and {NOW}) as requests,
        sum(quantity) filter (where meter like 'input%%' and {NOW}) as tokens_in,
        sum(quantity) filter (where meter like 'output%%' and {NOW}) as tokens_out,
        sum(list_cost_usd) filter (where {NOW}) as list_cost_usd,
        sum(billed_cost_usd) filter (where {NOW}) as billed_cost_usd,
        sum(reported_cost_usd) filter (where {NOW}) as logged_cost_usd
    from days
    group by {grain}, {_ITEM}
),
-- An item has one seller and one model: by these it is summed already.
items as (
    select * from summed_items
    {" ".join(_of_whole(name, column) for name, column in whole.items())}
),
models as (
    select
        {grain}, provider_id, model_id,
        coalesce(sum(quantity_now) filter (where meter = 'request'), 0) as requests_now,
        coalesce(sum(quantity_then) filter (where meter = 'request'), 0) as requests_then,
        coalesce(sum(requests), 0) - coalesce(sum(quantity_now) filter (where meter = 'request'), 0) as unpriced,
        sum(tokens_in) as tokens_in, sum(tokens_out) as tokens_out,
        sum(cost_now) as cost_now, sum(cost_then) as cost_then,
        sum(list_cost_usd) as list_cost_usd, sum(billed_cost_usd) as billed_cost_usd, sum(logged_cost_usd) as logged_cost_usd,
        sum(cost_now - cost_then * quantity_now / quantity_then) filter (where quantity_now > 0 and quantity_then > 0) as price
    from items
    group by {grain}, provider_id, model_id
),
summed as (
    select
        {grain},
        sum(cost_now) as cost_usd, sum(cost_then) as cost_then_usd,
        sum(list_cost_usd) as list_cost_usd, sum(billed_cost_usd) as billed_cost_usd, sum(logged_cost_usd) as logged_cost_usd,
        sum(requests_now + unpriced) as requests, sum(unpriced) as unpriced_requests,
        coalesce(sum(tokens_in), 0) as input_tokens, coalesce(sum(tokens_out), 0) as output_tokens,
        coalesce(sum(cost_now), 0) - coalesce(sum(cost_then), 0) as change_usd,
        coalesce(sum(cost_now) filter (where requests_then = 0), 0) as new_usd,
        -coalesce(sum(cost_then) filter (where requests_now = 0), 0) as ended_usd,
        coalesce(sum(price) filter (where requests_now > 0 and requests_then > 0), 0) as price_usd,
        coalesce(sum(cost_then * requests_now / nullif(requests_then, 0)) filter (where requests_now > 0), 0) as same_cost,
        coalesce(sum(cost_then) filter (where requests_now > 0 and requests_then > 0), 0) as kept_then,
        sum(requests_now) filter (where requests_then > 0) as kept_requests_now,
        sum(requests_then) filter (where requests_now > 0) as kept_requests_then
    from models
    group by {grain}
),
grown as (
    select *, coalesce(kept_then * kept_requests_now / nullif(kept_requests_then, 0), 0) as grown_cost from summed
),
exact as (
    select
        {grain}, cost_usd, cost_then_usd, list_cost_usd, billed_cost_usd, logged_cost_usd, change_usd, new_usd, ended_usd,
        requests, unpriced_requests, input_tokens, output_tokens,
        round(price_usd, 18) as price_usd, round(grown_cost - kept_then, 18) as volume_usd, round(same_cost - grown_cost, 18) as mix_usd
    from grown
)
select
    {grain}, requests::bigint as requests, unpriced_requests::bigint as unpriced_requests,
    input_tokens::bigint as input_tokens, output_tokens::bigint as output_tokens,
    cost_usd::numeric(38, 18) as cost_usd, cost_then_usd::numeric(38, 18) as cost_then_usd,
    list_cost_usd::numeric(38, 18) as list_cost_usd, billed_cost_usd::numeric(38, 18) as billed_cost_usd,
    logged_cost_usd::numeric(38, 18) as logged_cost_usd, change_usd::numeric(38, 18) as change_usd,
    volume_usd::numeric(38, 18) as volume_usd, mix_usd::numeric(38, 18) as mix_usd,
    (change_usd - new_usd - ended_usd - price_usd - volume_usd - mix_usd)::numeric(38, 18) as use_usd,
    price_usd::numeric(38, 18) as price_usd, new_usd::numeric(38, 18) as new_usd, ended_usd::numeric(38, 18) as ended_usd
from exact
order by dimension, cost_usd desc nulls last, requests desc, dimension_value
"""


def _item_days(days: str, dimensions: dict[str, str], *, booked: bool) -> str:
    """SQL of the items of each of the `days`, as mart.daily_item_spend has them; of closed months as they were booked."""
    known = f"""select
        event_date, dimension, dimension_value, {_ITEM}, quantity, priced_quantity,
        list_cost_usd, effective_cost_usd, billed_cost_usd, reported_cost_usd
    from mart.daily_item_spend
    where ({days})"""
    if not booked:
        return known
    month = "date_trunc('month', event_date)::date"
    sets = ", ".join(
        [f"(event_date, {_ITEM})", *(f"(event_date, {_ITEM}, {column})" for column in dimensions.values())]
    )
    name, value = (_of_sets(dimensions, named) for named in (True, False))
    return f"""{known} and {month} not in {_CLOSED}
    union all
    select
        event_date, {name}, {value}, {_ITEM},
        sum(quantity), sum(quantity) filter (where unpriced_reason is null),
        sum(list_cost_usd), sum(effective_cost_usd), sum(billed_cost_usd), sum(reported_cost_usd)
    from core.booked_charge
    where ({days}) and charge_class is null and {month} in {_CLOSED}
    group by grouping sets ({sets})"""


def _of_sets(dimensions: dict[str, str], named: bool) -> str:
    """SQL of the dimension that a row of grouping sets is of, or of its value."""
    rest = "'all'" if named else "''"
    found = " ".join(
        f"when grouping({column}) = 0 then {repr(name) if named else column}" for name, column in dimensions.items()
    )
    return f"case {found} else {rest} end" if found else rest


def _of_whole(dimension: str, column: str) -> str:
    """The items of the whole as those of a dimension that is part of an item."""
    return f"""union all
    select
        '{dimension}', {column}, {_ITEM}, quantity_now, quantity_then, cost_now, cost_then, requests, tokens_in, tokens_out,
        list_cost_usd, billed_cost_usd, logged_cost_usd
    from summed_items
    where dimension = 'all'"""


def _sums(column: str, name: str) -> str:
    """A sum over the days now, and one over the days then."""
    return ", ".join(
        f"sum({column}) filter (where {days}) as {name}_{when}" for when, days in (("now", NOW), ("then", _THEN))
    )


_IS_COMPARED = "coalesce(reason, '') not in ({})".format(", ".join(f"'{reason}'" for reason in NOT_COMPARED))

BILLS = f"""
select
    provider_id,
    sum(computed_usd)::numeric(38, 18) as all_computed_usd,
    sum(logged_usd)::numeric(38, 18) as logged_usd,
    sum(computed_usd) filter (where {_IS_COMPARED})::numeric(38, 18) as computed_usd,
    sum(billed_usd) filter (where {_IS_COMPARED})::numeric(38, 18) as billed_usd,
    sum(difference_usd)::numeric(38, 18) as difference_usd,
    {", ".join(f"sum({cause}_usd)::numeric(38, 18) as {cause}_usd" for cause in CAUSES)},
    count(*) filter (where reason = 'currency_without_rate') as without_rate,
    coalesce(sum(bill_lines) filter (where reason is distinct from 'not_loaded'), 0)::bigint as bill_lines,
    (
        select coalesce(sum(unpriced_requests), 0)::bigint from mart.daily_model_spend as spend
        where spend.provider_id = reconciliation.provider_id and {NOW}
    ) as unpriced_requests
from mart.reconciliation
where {NOW}
group by provider_id
order by abs(sum(difference_usd)) desc nulls last, sum(computed_usd) desc nulls last, provider_id
"""

_ITEMS = f"""items as (
    select * from (
    {_item_days(NOW, {}, booked=True)}
    ) as each
    where dimension = 'all'
)"""
"""The whole days by item: as many rows as a page of a month can read, however many charges it has."""

DAYS = f"""
with {_ITEMS}
select
    event_date, provider_id, model_id,
    coalesce(sum(quantity) filter (where meter = 'request'), 0)::bigint as requests,
    coalesce(sum(priced_quantity) filter (where meter = 'request'), 0)::bigint as priced_requests,
    sum(effective_cost_usd)::numeric(38, 18) as effective_cost_usd
from items
group by event_date, provider_id, model_id
order by event_date, provider_id, model_id
"""

UNKNOWN = f"""
with charges as (
    {charges(NOW, booked=True)}
),
{_ITEMS},
average as (
    select sum(effective_cost_usd) / nullif(sum(priced_quantity) filter (where meter like 'input%%' or meter like 'output%%'), 0) as usd_per_token
    from items
),
lines as (
    select
        unpriced_reason as reason, provider_id, model_id, event_date, team, project, cost_centre, service_tier, region,
        coalesce(sum(quantity) filter (where meter = 'request'), 0) as requests,
        coalesce(sum(quantity) filter (where meter like 'input%%' or meter like 'output%%'), 0) as tokens,
        sum(reported_cost_usd) as logged
    from charges
    where unpriced_reason is not null
    group by unpriced_reason, provider_id, model_id, event_date, team, project, cost_centre, service_tier, region
)
select
    reason, provider_id, model_id,
    sum(requests)::bigint as requests, sum(tokens)::bigint as tokens,
    sum(logged)::numeric(38, 18) as logged_cost_usd,
    round(sum(coalesce(logged, tokens * usd_per_token)), 18)::numeric(38, 18) as at_risk_usd
from lines
cross join average
group by reason, provider_id, model_id
order by at_risk_usd desc nulls last, requests desc, reason, model_id, provider_id
limit 100
"""

WASTE = f"""
select
    finding, count(*)::bigint as requests, sum(cost_usd)::numeric(38, 18) as cost_usd, sum(saving_usd)::numeric(38, 18) as saving_usd
from mart.waste
where {NOW}
group by finding
union all
select 'dearer_seller', sum(requests)::bigint, sum(cost_usd)::numeric(38, 18), sum(saving_usd)::numeric(38, 18)
from mart.dearer_seller
where {NOW}
having count(*) > 0
order by saving_usd desc, finding
"""

BOOKS = f"""
with closed as (
    select period from {_CLOSED} as month
    where period >= %(first)s and period < %(end)s
),
booked as (
    select
        sum(effective_cost_usd) filter (where charge_class is null) as own_usd,
        sum(effective_cost_usd) filter (where charge_class is not null) as corrections_usd
    from core.booked_charge
    where period in (select period from closed)
),
known as (
    select sum(effective_cost_usd) as usd from mart.daily_charge
    where {NOW} and date_trunc('month', event_date)::date in (select period from closed)
),
since as (
    select sum(effective_cost_usd) as usd from core.booked_charge
    where {NOW} and date_trunc('month', event_date)::date in (select period from closed)
)
select
    (select count(*) from closed) as closed_months,
    own_usd::numeric(38, 18) as own_usd, corrections_usd::numeric(38, 18) as corrections_usd,
    (coalesce(known.usd, 0) - coalesce(since.usd, 0))::numeric(38, 18) as not_booked_usd
from booked, known, since
"""

LOADED = """
select event_date, sum(requests)::bigint as requests, sum(unpriced_requests)::bigint as unpriced_requests,
    sum(effective_cost_usd)::numeric(38, 18) as effective_cost_usd
from mart.daily_model_spend
group by event_date
union all
select event_date, 0, 0, 0
from raw.quiet_day
where event_date > (select min(event_date) from mart.daily_model_spend)
    and event_date not in (select event_date from mart.daily_model_spend)
order by event_date
"""
"""Every day that has requests, or had none when it was run, for the calendar and the links between pages."""

PLANS = {
    "forecast": """
select
    period, period_from, period_to - 1 as last_day, spent_usd, forecast_usd, low_95_usd, low_50_usd, high_50_usd, high_95_usd,
    announced_usd, commitment_usd, backtest_error, naive_error, unpriced_requests, reason
from mart.spend_forecast
where event_date = %(day)s and scope = 'total'
order by period
""",
    "budgets": BUDGETS,
    "anomalies": """
select scope, scope_value, opened_on, ended_on, expected_usd, actual_usd, excess_usd, explanation
from mart.spend_anomaly
where opened_on < %(end)s and (ended_on is null or ended_on > %(first)s)
order by excess_usd desc, scope, scope_value, opened_on
limit 100
""",
}
"""What is planned and what is foreseen, of any page."""

KNOWN = """
select event_date from mart.spend_series where scope = 'total' and event_date < %(end)s
union
select event_date from raw.quiet_day where event_date < %(end)s
order by event_date
"""
"""The days whose spend is known: what a month is compared with may be loaded in part."""

SPAN_QUERIES = {
    "known": KNOWN,
    **PLANS,
    "days": DAYS,
    "bills": BILLS,
    "unknown": UNKNOWN,
    "waste": WASTE,
    "books": BOOKS,
}
"""The queries of a month or quarter, besides `movement`."""
