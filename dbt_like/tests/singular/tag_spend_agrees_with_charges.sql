-- Returns the days whose effective cost by tag is not exactly that of the charges.
with

charges as (

    select
        event_date,
        sum(effective_cost_usd) as effective_cost_usd
    from {{ ref('daily_charge') }}
    where {{ days_of_run() }}
    group by event_date

),

tags as (

    select
        event_date,
        sum(effective_cost_usd) as effective_cost_usd
    from {{ ref('daily_tag_spend') }}
    where {{ days_of_run() }}
    group by event_date

)

select event_date
from charges
full outer join tags using (event_date)
where charges.effective_cost_usd is distinct from tags.effective_cost_usd
