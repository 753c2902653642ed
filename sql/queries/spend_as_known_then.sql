-- Question: what did we believe that the newest seven days cost, a day before they ended, and what do we know now?
-- Grain:    one row per day, seller and model of which the two differ
-- Columns:  event_date, provider_id, model_id, requests_then, requests_now, known_then_usd, known_now_usd, difference_usd
with

days as (

    select max(event_date) as newest from mart.daily_model_spend

),

then_known as (

    select known.*
    from days
    cross join core.spend_as_known(days.newest - 6, days.newest + 1, days.newest::timestamp at time zone 'utc') as known

),

now_known as (

    select known.*
    from days
    cross join core.spend_as_known(days.newest - 6, days.newest + 1, 'infinity') as known

),

final as (

    select
        event_date,
        provider_id,
        model_id,
        coalesce(then_known.requests, 0) as requests_then,
        coalesce(now_known.requests, 0) as requests_now,
        then_known.cost_usd as known_then_usd,
        now_known.cost_usd as known_now_usd,
        coalesce(now_known.cost_usd, 0) - coalesce(then_known.cost_usd, 0) as difference_usd
    from now_known
    full outer join then_known using (event_date, provider_id, model_id)
    where then_known.cost_usd is distinct from now_known.cost_usd

)

select * from final
order by abs(coalesce(known_now_usd, 0) - coalesce(known_then_usd, 0)) desc, event_date, provider_id, model_id
