-- Question: which sessions of the newest seven days cost most, and how long did they run?
-- Grain:    one row per session (the twenty dearest)
-- Columns:  source, session_id, team, requests, models, first_at, last_at, effective_cost_usd
with

requests as (

    select * from core.request
    where
        event_date > (select max(event_date) - 7 from mart.daily_model_spend)
        and session_id is not null

),

final as (

    select
        source,
        session_id,
        min(team) as team,
        count(*) as requests,
        count(distinct model_id) as models,
        min(event_at) as first_at,
        max(event_at) as last_at,
        sum(effective_cost_usd) as effective_cost_usd
    from requests
    group by source, session_id

)

select * from final
order by effective_cost_usd desc nulls last, source, session_id
limit 20
