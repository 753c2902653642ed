-- Question: what does a successful request of each model cost, failed and cancelled calls paid for too?
-- Grain:    one row per model of the newest day
-- Columns:  model_id, requests, successes, effective_cost_usd, unsuccessful_cost_usd, usd_per_success, not_computed_reason
with

unit_costs as (

    select * from mart.unit_cost

),

final as (

    select
        dimension_value as model_id,
        requests,
        successes,
        effective_cost_usd,
        unsuccessful_cost_usd,
        round(usd_per_success, 8) as usd_per_success,
        not_computed_reason
    from unit_costs
    where dimension = 'model' and event_date = (select max(event_date) from unit_costs)

)

select * from final
order by effective_cost_usd desc nulls last, model_id
