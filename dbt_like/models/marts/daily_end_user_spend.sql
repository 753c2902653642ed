with

requests as (

    select * from {{ ref('stg_request') }}
    {% if is_incremental() %} where {{ days_of_run() }} {% endif %}

),

final as (

    select
        event_date,
        coalesce(end_user_id, 'unattributed') as end_user,
        count(*) as requests,
        count(*) filter (where unpriced_reason is not null) as unpriced_requests,
        sum(list_cost_usd)::numeric(38, 18) as list_cost_usd,
        sum(effective_cost_usd)::numeric(38, 18) as effective_cost_usd
    from requests
    group by event_date, coalesce(end_user_id, 'unattributed')

)

select * from final
