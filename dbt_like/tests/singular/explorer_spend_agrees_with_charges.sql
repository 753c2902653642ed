-- Returns the days and meters whose quantity or cost is not exactly that of the charges.
with

explored as (

    select
        event_date,
        meter,
        sum(quantity) as quantity,
        sum(quantity) filter (where rate = 'unknown') as unpriced_quantity,
        sum(effective_cost_usd) as effective_cost_usd
    from {{ ref('daily_explorer_spend') }}
    where {{ days_of_run() }}
    group by event_date, meter

),

charges as (

    select
        event_date,
        meter,
        coalesce(sum(quantity), 0) as quantity,
        sum(quantity) filter (where effective_cost_usd is null) as unpriced_quantity,
        sum(effective_cost_usd) as effective_cost_usd
    from {{ ref('daily_charge') }}
    where {{ days_of_run() }}
    group by event_date, meter

)

select
    charges.event_date,
    charges.meter
from charges
full join explored on charges.event_date = explored.event_date and charges.meter = explored.meter
where
    explored.quantity is distinct from charges.quantity
    or explored.unpriced_quantity is distinct from charges.unpriced_quantity
    or explored.effective_cost_usd is distinct from charges.effective_cost_usd
