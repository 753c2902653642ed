-- Returns the days whose number, list cost or billed cost of charges is not exactly that of the charges.
with

meters as (

    select
        event_date,
        sum(charges) as charges,
        sum(list_cost_usd) as list_cost_usd,
        sum(billed_cost_usd) as billed_cost_usd
    from {{ ref('daily_meter_spend') }}
    where {{ days_of_run() }}
    group by event_date

),

charges as (

    select
        event_date,
        count(*) as charges,
        sum(list_cost_usd) as list_cost_usd,
        sum(billed_cost_usd) as billed_cost_usd
    from {{ ref('daily_charge') }}
    where {{ days_of_run() }}
    group by event_date

)

select event_date
from meters
full join charges using (event_date)
where
    meters.charges is distinct from charges.charges
    or meters.list_cost_usd is distinct from charges.list_cost_usd
    or meters.billed_cost_usd is distinct from charges.billed_cost_usd
