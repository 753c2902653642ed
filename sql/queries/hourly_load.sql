-- Question: at which hours of the day (UTC) do requests and spend come?
-- Grain:    one row per hour of the day, over the newest seven days
-- Columns:  hour, requests, input_tokens, output_tokens, effective_cost_usd, cost_share
with

requests as (

    select * from core.request
    where event_date > (select max(event_date) - 7 from mart.daily_model_spend)

),

by_hour as (

    select
        extract(hour from event_at at time zone 'utc')::integer as hour,
        count(*) as requests,
        sum(
            input_uncached_tokens + input_cache_read_tokens + input_cache_write_tokens + input_cache_write_5m_tokens
            + input_cache_write_30m_tokens + input_cache_write_1h_tokens + input_cache_write_12h_tokens
            + input_audio_tokens + input_audio_cache_read_tokens + input_image_tokens + input_image_cache_read_tokens
            + input_video_tokens + input_tool_tokens
        )::bigint as input_tokens,
        sum(
            output_text_tokens + output_reasoning_tokens + output_audio_tokens + output_image_tokens
        )::bigint as output_tokens,
        sum(effective_cost_usd) as effective_cost_usd
    from requests
    group by 1

),

final as (

    select
        hour,
        requests,
        input_tokens,
        output_tokens,
        effective_cost_usd,
        round(effective_cost_usd / nullif(sum(effective_cost_usd) over (), 0), 4) as cost_share
    from by_hour

)

select * from final
order by hour
