-- Question: what did each model cost this month (the month of the newest day), and what share of the bill is that?
-- Grain:    one row per provider and model
-- Columns:  provider_id, model_id, openness, requests, unpriced_requests, effective_cost_usd, share_of_month
with

spend as (

    select * from mart.daily_model_spend

),

month as (

    select date_trunc('month', max(event_date))::date as first_day from spend

),

by_model as (

    select
        spend.provider_id,
        spend.model_id,
        spend.openness,
        sum(spend.requests)::bigint as requests,
        sum(spend.unpriced_requests)::bigint as unpriced_requests,
        sum(spend.effective_cost_usd) as effective_cost_usd
    from spend
    inner join month on spend.event_date >= month.first_day
    group by spend.provider_id, spend.model_id, spend.openness

),

final as (

    select
        *,
        round(effective_cost_usd / nullif(sum(effective_cost_usd) over (), 0), 4) as share_of_month
    from by_model

)

select * from final
order by effective_cost_usd desc nulls last, provider_id, model_id
