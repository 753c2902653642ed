-- Sorted by seven texts it takes a third longer than hashed.
{{ config(pre_hook='set local enable_sort = off') }}
-- Less than two thousand rows a day: the page of the explorer holds those of thirteen months, whatever is declared as team or project.
{% set names = ['provider_id', 'model_id', 'team', 'project', 'cost_centre'] -%}
{%- set key = names | join(', ') -%}
with

charges as (

    select * from {{ ref('daily_charge') }}
    {% if is_incremental() %} where {{ days_of_run() }} {% endif %}

),

lines as (

    select
        event_date,
        {{ key }},
        meter,
        case
            when effective_cost_usd is null then 'unknown'
            else trunc(coalesce(contracted_usd_per_million, 0) * 1000000000000)::text
        end as rate,
        coalesce(sum(quantity), 0) as quantity,
        sum(effective_cost_usd) as effective_cost_usd
    from charges
    group by event_date, {{ key }}, meter, rate

),

combinations as (

    select
        event_date,
        {{ key }},
        count(*) as rows_of_it,
        sum(effective_cost_usd) as effective_cost_usd,
        sum(quantity) filter (where meter = 'request') as requests
    from lines
    group by event_date, {{ key }}

),

ranked as (

    select
        event_date,
        {{ key }},
        sum(rows_of_it) over (partition by event_date) as rows_of_day,
        sum(rows_of_it) over (
            partition by event_date
            order by effective_cost_usd desc nulls last, requests desc nulls last, {{ key }}
        ) as rows_so_far
    from combinations

),

weighed as (

    select
        lines.*,
        ranked.rows_of_day <= 1600 or ranked.rows_so_far <= 1300 as is_kept
    from lines
    inner join ranked using (event_date, {{ key }})

),

-- Where sellers, models and rates of the rest are too many as well, only the meters stay apart.
folded as (

    select
        event_date,
        count(*) > 300 as is_whole
    from (select distinct event_date, provider_id, model_id, meter, rate from weighed where not is_kept) as rest
    group by event_date

),

named as (

    select
        weighed.event_date,
        {%- for name in names[:2] %}
        case when is_kept or not is_whole then {{ name }} else '(others)' end as {{ name }},
        {%- endfor %}
        {%- for name in names[2:] %}
        case when is_kept then {{ name }} else '(others)' end as {{ name }},
        {%- endfor %}
        meter,
        case when is_kept or not is_whole or rate = 'unknown' then rate else '0' end as rate,
        quantity,
        effective_cost_usd
    from weighed
    left join folded on weighed.event_date = folded.event_date

),

final as (

    select
        event_date,
        {{ key }},
        meter,
        rate,
        sum(quantity)::bigint as quantity,
        sum(effective_cost_usd)::numeric(38, 18) as effective_cost_usd
    from named
    group by event_date, {{ key }}, meter, rate

)

select * from final
