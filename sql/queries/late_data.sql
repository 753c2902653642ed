-- Question: how many requests arrived how many days after they were made, and what did they cost?
-- Grain:    one row per source and delay in days, of requests that arrived later than on the next day
-- Columns:  source, days_late, requests, effective_cost_usd, newest_file
with

requests as (

    select * from core.request

),

files as (

    select
        snapshot_id,
        landing_path,
        raw.arrival_date(landing_path, observed_at) as arrival_date
    from raw.snapshot
    where kind = 'requests'

),

final as (

    select
        requests.source,
        files.arrival_date - requests.event_date as days_late,
        count(*) as requests,
        sum(requests.effective_cost_usd) as effective_cost_usd,
        max(files.landing_path) as newest_file
    from requests
    inner join files using (snapshot_id)
    where files.arrival_date > requests.event_date + 1
    group by 1, 2

)

select * from final
order by effective_cost_usd desc nulls last, source, days_late
