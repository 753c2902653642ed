-- Returns the days and dimensions whose requests or cost are not exactly those of the charges.
with

items as (

    select
        event_date,
        dimension,
        sum(quantity) filter (where meter = 'request') as requests,
        sum(priced_quantity) filter (where meter = 'request') as priced_requests,
        sum(effective_cost_usd) as effective_cost_usd
    from {{ ref('daily_item_spend') }}
    where {{ days_of_run() }}
    group by event_date, dimension

),

charges as (

    select
        event_date,
        sum(quantity) filter (where meter = 'request') as requests,
        sum(quantity) filter (where meter = 'request' and unpriced_reason is null) as priced_requests,
        sum(effective_cost_usd) as effective_cost_usd
    from {{ ref('daily_charge') }}
    where {{ days_of_run() }}
    group by event_date

)

select items.event_date, items.dimension
from items
full join charges on items.event_date = charges.event_date
where
    items.requests is distinct from charges.requests
    or items.priced_requests is distinct from charges.priced_requests
    or items.effective_cost_usd is distinct from charges.effective_cost_usd
