-- Returns the days and dimensions whose requests or cost are not exactly those of the charges.
with

units as (

    select
        event_date,
        dimension,
        sum(requests) as requests,
        sum(unpriced_requests) as unpriced_requests,
        sum(effective_cost_usd) as effective_cost_usd
    from {{ ref('unit_cost') }}
    where {{ days_of_run() }}
    group by event_date, dimension

),

charges as (

    select
        event_date,
        {{ quantity_of(['request']) }} as requests,
        {{ quantity_of(['request'], 'unpriced_reason is not null') }} as unpriced_requests,
        sum(effective_cost_usd) as effective_cost_usd
    from {{ ref('daily_charge') }}
    where {{ days_of_run() }}
    group by event_date

),

dimensioned as (

    select
        charges.*,
        names.dimension
    from charges
    cross join (values ('all'), ('application'), ('team'), ('project'), ('model')) as names (dimension)

)

select
    coalesce(units.event_date, dimensioned.event_date) as event_date,
    coalesce(units.dimension, dimensioned.dimension) as dimension
from units
full outer join dimensioned on units.event_date = dimensioned.event_date and units.dimension = dimensioned.dimension
where
    units.requests is distinct from dimensioned.requests
    or units.unpriced_requests is distinct from dimensioned.unpriced_requests
    or units.effective_cost_usd is distinct from dimensioned.effective_cost_usd
