-- Question: what does each cost centre pay for the newest month, its part of shared cost included?
-- Grain:    one row per cost centre and project
-- Columns:  cost_centre, project, own_usd, passed_on_usd, total_usd, unpriced_requests
with

shares as (

    select * from mart.chargeback
    where event_date >= (select date_trunc('month', max(event_date))::date from mart.chargeback)

),

final as (

    select
        cost_centre,
        project,
        coalesce(sum(effective_cost_usd) filter (where allocated_method_id = ''), 0) as own_usd,
        coalesce(sum(effective_cost_usd) filter (where allocated_method_id <> ''), 0) as passed_on_usd,
        sum(effective_cost_usd) as total_usd,
        sum(unpriced_requests)::bigint as unpriced_requests
    from shares
    group by cost_centre, project

)

select * from final
order by total_usd desc nulls last, cost_centre, project
