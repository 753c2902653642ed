-- The sums of calls, sessions and users are small hash tables; sorting as many rows as there are requests is not.
{{ config(pre_hook='set local enable_sort = off') }}
{%- set dimensions = ['application', 'team', 'project', 'model_id'] -%}
{%- set key = ['event_date', 'dimension', 'dimension_value'] | join(', ') -%}
{%- set z_squared = '3.841458820694124' -%}
with

requests as (

    select
        *,
        (effective_cost_usd is not null and status in ('ok', 'cache_hit'))::int as success
    from {{ ref('stg_request') }}
    {% if is_incremental() %} where {{ days_of_run() }} {% endif %}

),

-- The one pass over the requests. Calls without a session keep the sums of their squares: each stands for itself.
calls as (

    select
        event_date,
        {{ dimensions | join(', ') }},
        session_id,
        end_user_id,
        count(*) as requests,
        count(effective_cost_usd) as priced,
        sum(success) as successes,
        sum(effective_cost_usd) as cost,
        sum(effective_cost_usd) filter (where success = 0) as unsuccessful_cost,
        sum(effective_cost_usd * effective_cost_usd) filter (where session_id is null) as cost_cost,
        sum(effective_cost_usd) filter (where session_id is null and success = 1) as cost_success
    from requests
    group by event_date, {{ dimensions | join(', ') }}, session_id, end_user_id

),

-- Sessions and sums of them by all dimensions at once; most sessions are one row here.
sessions as (

    select
        event_date,
        {{ dimensions | join(', ') }},
        session_id,
        sum(requests) as requests,
        sum(priced) as priced,
        sum(successes) as successes,
        sum(cost) as cost,
        sum(unsuccessful_cost) as unsuccessful_cost,
        sum(cost_cost) as cost_cost,
        sum(cost_success) as cost_success
    from calls
    group by event_date, {{ dimensions | join(', ') }}, session_id

),

spread_sessions as (

    select
        event_date,
        session_id
    from sessions
    where session_id is not null
    group by event_date, session_id
    having count(*) > 1

),

-- A session of several values of a dimension is one cluster in each of them, and one in all: its parts are put together first.
parts_of_spread as (

    select
        sessions.*,
        by.dimension,
        by.dimension_value
    from sessions
    inner join spread_sessions
        on sessions.event_date = spread_sessions.event_date and sessions.session_id = spread_sessions.session_id
    cross join lateral (
        values
        ('all', '')
        {%- for dimension in dimensions %},
        ('{{ dimension | replace('_id', '') }}', sessions.{{ dimension }})
        {%- endfor %}
    ) as by (dimension, dimension_value)

),

spread_clusters as (

    select
        {{ key }},
        session_id,
        sum(requests) as requests,
        sum(priced) as priced,
        sum(successes) as successes,
        sum(cost) as cost,
        sum(unsuccessful_cost) as unsuccessful_cost
    from parts_of_spread
    group by {{ key }}, session_id

),

-- What is drawn on its own: a session, or a call that belongs to none.
whole_clusters as (

    select sessions.*
    from sessions
    left join spread_sessions
        on sessions.event_date = spread_sessions.event_date and sessions.session_id = spread_sessions.session_id
    where spread_sessions.session_id is null

),

added_up as (

    select
        event_date,
        {{ dimension_of(dimensions) }},
        {{ cluster_sums() }}
    from whole_clusters
    group by {{ by_each(dimensions) }}
    union all
    select
        {{ key }},
        {{ cluster_sums(has_calls=false) }}
    from spread_clusters
    group by {{ key }}

),

each_user as (

    select
        event_date,
        {{ dimension_of(dimensions) }},
        sum(cost) as cost
    from calls
    where end_user_id is not null
    group by {{ by_each(dimensions, 'end_user_id') }}
    having sum(priced) > 0

),

users as (

    select
        {{ key }},
        count(*) as users,
        sum(cost) as user_cost
    from each_user
    group by {{ key }}

),

summed as (

    select
        {{ key }},
        sum(requests)::bigint as requests,
        sum(requests - priced)::bigint as unpriced_requests,
        sum(priced) as priced,
        sum(successes)::bigint as successes,
        sum(sessions)::bigint as sessions,
        sum(clusters)::bigint as clusters,
        sum(cost) as cost,
        coalesce(sum(unsuccessful_cost), case when sum(priced) > 0 then 0 end) as unsuccessful_cost,
        sum(session_cost) as session_cost,
        sum(cost_cost) as cost_cost,
        coalesce(sum(cost_success), 0) as cost_success,
        sum(success_success) as success_success
    from added_up
    group by {{ key }}

),

-- Fieller: the ratios R at which (cost - R * successes)^2 is z^2 times its variance, the roots of a R^2 - 2 b R + c.
-- A variance of sums over n draws is n / (n - 1) * (sum of squares - square of the sum / n).
equation as (

    select
        *,
        successes * successes - {{ z_squared }} * spread * (success_success - successes * successes / clusters::numeric) as a,
        cost * successes - {{ z_squared }} * spread * (cost_success - cost * successes / clusters) as b,
        cost * cost - {{ z_squared }} * spread * (cost_cost - cost * cost / clusters) as c
    from (
        select
            *,
            case when clusters > 1 then clusters::numeric / (clusters - 1) end as spread
        from summed
    ) as spread_out

),

bounded as (

    select
        equation.*,
        coalesce(users.users, 0)::bigint as users,
        users.user_cost,
        case
            when equation.priced = 0 then 'nothing_priced'
            when equation.successes = 0 then 'no_success'
            when equation.clusters < 30 then 'few_sessions'
            when equation.a <= 0 then 'few_successes'
        end as not_computed_reason
    from equation
    left join users
        on
            equation.event_date = users.event_date
            and equation.dimension = users.dimension
            and equation.dimension_value = users.dimension_value

),

final as (

    select
        {{ key }},
        requests,
        unpriced_requests,
        successes,
        sessions,
        users,
        cost::numeric(38, 18) as effective_cost_usd,
        unsuccessful_cost::numeric(38, 18) as unsuccessful_cost_usd,
        session_cost::numeric(38, 18) as session_cost_usd,
        user_cost::numeric(38, 18) as user_cost_usd,
        (cost / nullif(priced, 0))::numeric(38, 18) as usd_per_request,
        (1000 * cost / nullif(priced, 0))::numeric(38, 18) as usd_per_thousand_requests,
        (session_cost / nullif(sessions, 0))::numeric(38, 18) as usd_per_session,
        (user_cost / nullif(users, 0))::numeric(38, 18) as usd_per_user,
        (cost / nullif(successes, 0))::numeric(38, 18) as usd_per_success,
        case
            when not_computed_reason is null then greatest(b - sqrt(greatest(b * b - a * c, 0)), 0) / a
        end::numeric(38, 18) as usd_per_success_low,
        case
            when not_computed_reason is null then (b + sqrt(greatest(b * b - a * c, 0))) / a
        end::numeric(38, 18) as usd_per_success_high,
        not_computed_reason
    from bounded

)

select * from final
