-- Question: how do the costs of a request, a session and a user move from day to day?
-- Grain:    one row per day
-- Columns:  event_date, requests, usd_per_thousand_requests, usd_per_session, usd_per_user, change_percent
with

days as (

    select * from mart.unit_cost
    where dimension = 'all'

),

final as (

    select
        event_date,
        requests,
        round(usd_per_thousand_requests, 6) as usd_per_thousand_requests,
        round(usd_per_session, 6) as usd_per_session,
        round(usd_per_user, 6) as usd_per_user,
        round(
            100 * usd_per_request / nullif(lag(usd_per_request) over (order by event_date), 0) - 100, 1
        ) as change_percent
    from days

)

select * from final
order by event_date desc
