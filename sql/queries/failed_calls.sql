-- Question: what do failed and cancelled calls cost, and why did they fail?
-- Grain:    one row per model, status, HTTP status and reason, of the newest seven days
-- Columns:  provider_id, model_id, status, http_status, finish_reason, requests, effective_cost_usd
with

requests as (

    select * from core.request
    where
        event_date > (select max(event_date) - 7 from mart.daily_model_spend)
        and status in ('error', 'cancelled')

),

final as (

    select
        provider_id,
        model_id,
        status,
        http_status,
        finish_reason,
        count(*) as requests,
        sum(effective_cost_usd) as effective_cost_usd
    from requests
    group by 1, 2, 3, 4, 5

)

select * from final
order by effective_cost_usd desc nulls last, requests desc, provider_id, model_id, status, http_status, finish_reason
