-- Question: which models' spend moved most from the day before to the newest day: more requests, or dearer ones?
-- Grain:    one row per provider and model seen on either day
-- Columns:  provider_id, model_id, cost_before_usd, cost_after_usd, change_usd, requests_before, requests_after,
--           change_from_volume_usd, change_from_cost_per_request_usd (the two add up to change_usd)
with

spend as (

    select * from mart.daily_model_spend

),

newest as (

    select max(event_date) as day from spend

),

sides as (

    select
        spend.provider_id,
        spend.model_id,
        coalesce(sum(spend.effective_cost_usd) filter (where spend.event_date = newest.day - 1), 0) as cost_before_usd,
        coalesce(sum(spend.effective_cost_usd) filter (where spend.event_date = newest.day), 0) as cost_after_usd,
        coalesce(sum(spend.requests) filter (where spend.event_date = newest.day - 1), 0)::bigint as requests_before,
        coalesce(sum(spend.requests) filter (where spend.event_date = newest.day), 0)::bigint as requests_after
    from spend
    inner join newest on spend.event_date in (newest.day - 1, newest.day)
    group by spend.provider_id, spend.model_id

),

changes as (

    select
        *,
        cost_after_usd - cost_before_usd as change_usd,
        case
            when requests_before = 0 then cost_after_usd
            else round((requests_after - requests_before) * cost_before_usd / requests_before, 18)
        end as change_from_volume_usd
    from sides

),

final as (

    select
        provider_id,
        model_id,
        cost_before_usd,
        cost_after_usd,
        change_usd,
        requests_before,
        requests_after,
        change_from_volume_usd,
        change_usd - change_from_volume_usd as change_from_cost_per_request_usd
    from changes

)

select * from final
order by abs(change_usd) desc, provider_id, model_id
