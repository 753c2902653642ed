-- Returns the days whose effective cost by end user or by tag is not exactly that of the charges.
with

charges as (

    select
        event_date,
        {{ quantity_of(['request']) }} as requests,
        sum(effective_cost_usd) as effective_cost_usd
    from {{ ref('daily_charge') }}
    where {{ days_of_run() }}
    group by event_date

),

users as (

    select
        event_date,
        sum(requests) as requests,
        sum(effective_cost_usd) as effective_cost_usd
    from {{ ref('daily_end_user_spend') }}
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
full outer join users using (event_date)
full outer join tags using (event_date)
where
    charges.requests is distinct from users.requests
    or charges.effective_cost_usd is distinct from users.effective_cost_usd
    or charges.effective_cost_usd is distinct from tags.effective_cost_usd
