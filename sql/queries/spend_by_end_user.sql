-- Question: what did each end user cost in the newest month, and how many requests have no known cost?
-- Grain:    one row per end user; unattributed where the log names none. The rows add up to the month.
-- Columns:  end_user_id, requests, unpriced_requests, effective_cost_usd
with

final as (

    select
        coalesce(end_user_id, 'unattributed') as end_user_id,
        count(*) as requests,
        count(*) - count(effective_cost_usd) as unpriced_requests,
        sum(effective_cost_usd)::numeric(38, 18) as effective_cost_usd
    from core.request
    where event_date >= (select date_trunc('month', max(event_date))::date from core.request)
    group by coalesce(end_user_id, 'unattributed')

)

select * from final
order by effective_cost_usd desc nulls last, end_user_id
