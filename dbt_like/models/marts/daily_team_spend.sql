with

charges as (

    select * from {{ ref('daily_charge') }}
    {% if is_incremental() %} where {{ days_of_run() }} {% endif %}

),

final as (

    select
        event_date,
        team,
        {{ count_columns() }},
        {{ cost_columns() }}
    from charges
    group by event_date, team

)

select * from final
