-- Question: what would the newest day cost on the cheapest model that it used, token for token, at its list rate?
-- Grain:    one row per seller and model that was used
-- Columns:  provider_id, model_id, requests, cost_usd, cost_on_other_usd, saving_usd
with

-- Or name a seller and a model: select 'groq' as provider_id, 'qwen3-32b' as model_id
cheapest as (

    select provider_id, model_id
    from mart.daily_model_spend
    where event_date = (select max(event_date) from mart.daily_model_spend) and effective_cost_usd > 0
    order by effective_cost_usd / (input_tokens + output_tokens), provider_id, model_id
    limit 1

),

other as (

    select rate.*
    from cheapest
    cross join lateral core.rate_at(
        cheapest.provider_id, cheapest.model_id, (select max(event_date)::timestamptz from mart.daily_model_spend)
    ) as rate

),

requests as (

    select * from core.request
    where
        event_date = (select max(event_date) from mart.daily_model_spend)
        and effective_cost_usd is not null and is_billable

),

rated as (

    select
        requests.provider_id,
        requests.model_id,
        requests.effective_cost_usd,
        (
            (
                requests.input_uncached_tokens + requests.input_cache_write_tokens
                + requests.input_cache_write_5m_tokens + requests.input_cache_write_30m_tokens
                + requests.input_cache_write_1h_tokens + requests.input_cache_write_12h_tokens
            ) * other.input_uncached_usd_per_mtok
            + requests.input_cache_read_tokens
            * coalesce(other.input_cache_read_usd_per_mtok, other.input_uncached_usd_per_mtok)
            + (requests.output_text_tokens + requests.output_reasoning_tokens) * other.output_text_usd_per_mtok
        ) / 1000000 as other_usd
    from requests
    cross join other

),

final as (

    select
        provider_id,
        model_id,
        count(*) as requests,
        sum(effective_cost_usd) as cost_usd,
        round(sum(other_usd), 8) as cost_on_other_usd,
        round(sum(effective_cost_usd) - sum(other_usd), 8) as saving_usd
    from rated
    group by provider_id, model_id

)

select * from final
order by saving_usd desc, provider_id, model_id
