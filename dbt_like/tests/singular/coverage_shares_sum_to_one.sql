-- Returns the days whose shares do not sum to one, or whose line 'priced' is missing.
select event_date
from {{ ref('cost_coverage') }}
where {{ days_of_run() }}
group by event_date
having
    abs(sum(request_share) - 1) > 1e-9
    or abs(sum(token_share) - 1) > 1e-9
    or count(*) filter (where reason = 'priced') <> 1
