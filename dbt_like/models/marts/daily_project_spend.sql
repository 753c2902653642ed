with

requests as (

    select * from {{ ref('stg_request') }}
    {% if is_incremental() %} where {{ days_of_run() }} {% endif %}

),

final as (

    select
        event_date,
        project,
        {{ count_columns() }},
        {{ cost_columns() }}
    from requests
    group by event_date, project

)

select * from final
