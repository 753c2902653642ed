-- Question: how much of the output is reasoning that nobody reads, and what does it cost?
-- Grain:    one row per seller and model with reasoning, of the newest seven days
-- Columns:  provider_id, model_id, reasoning_tokens, reasoning_share, reasoning_cost_usd
with

charges as (

    select * from mart.daily_charge
    where event_date > (select max(event_date) - 7 from mart.daily_charge)

),

final as (

    select
        provider_id,
        model_id,
        sum(quantity) filter (where meter = 'output_reasoning')::bigint as reasoning_tokens,
        round(
            sum(quantity) filter (where meter = 'output_reasoning')
            / nullif(sum(quantity) filter (where meter in ('output_reasoning', 'output_text')), 0), 4
        ) as reasoning_share,
        sum(effective_cost_usd) filter (where meter = 'output_reasoning') as reasoning_cost_usd
    from charges
    group by provider_id, model_id
    having sum(quantity) filter (where meter = 'output_reasoning') > 0

)

select * from final
order by reasoning_cost_usd desc nulls last, provider_id, model_id
