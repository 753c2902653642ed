with

charges as (

    select * from {{ ref('daily_charge') }}
    {% if is_incremental() %} where {{ days_of_run() }} {% endif %}

),

final as (

    select
        event_date,
        provider_id,
        model_id,
        openness,
        {{ count_columns() }},
        {%- for meter in input_meters() + output_meters() %}
        {{ quantity_of([meter]) }} as {{ meter }}_tokens,
        {%- endfor %}
        sum(reported_cost_usd)::numeric(38, 18) as reported_cost_usd,
        {{ cost_columns() }}
    from charges
    group by event_date, provider_id, model_id, openness

)

select * from final
