{%- set item = ['provider_id', 'model_id', 'service_tier', 'region', 'meter'] | join(', ') -%}
{%- set dimensions = ['team', 'project', 'cost_centre'] -%}
with

charges as (

    select * from {{ ref('daily_charge') }}
    {% if is_incremental() %} where {{ days_of_run() }} {% endif %}

),

final as (

    select
        event_date,
        {{ dimension_of(dimensions) }},
        {{ item }},
        sum(quantity)::bigint as quantity,
        (sum(quantity) filter (where unpriced_reason is null))::bigint as priced_quantity,
        sum(list_cost_usd)::numeric(38, 18) as list_cost_usd,
        sum(effective_cost_usd)::numeric(38, 18) as effective_cost_usd,
        sum(billed_cost_usd)::numeric(38, 18) as billed_cost_usd,
        sum(reported_cost_usd)::numeric(38, 18) as reported_cost_usd
    from charges
    group by {{ by_each(dimensions, item) }}

)

select * from final
