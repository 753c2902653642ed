-- Question: how fast and how dear is each model at each seller?
-- Grain:    one row per seller and model, of the newest seven days
-- Columns:  provider_id, model_id, requests, p50_ms, p95_ms, usd_per_thousand_requests
with

requests as (

    select * from core.request
    where
        event_date > (select max(event_date) - 7 from mart.daily_model_spend)
        and model_id is not null

),

final as (

    select
        provider_id,
        model_id,
        count(*) as requests,
        percentile_cont(0.5) within group (order by latency_ms) as p50_ms,
        percentile_cont(0.95) within group (order by latency_ms) as p95_ms,
        round(1000 * avg(effective_cost_usd), 6) as usd_per_thousand_requests
    from requests
    group by provider_id, model_id

)

select * from final
order by usd_per_thousand_requests desc nulls last, provider_id, model_id
