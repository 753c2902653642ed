{# Sums by each of some columns, and over all of them, in one pass. #}

{# The sets that rows are grouped by: the day, the day and each of `dimensions`; and `more` in each. #}
{% macro by_each(dimensions, more=none) -%}
    {%- set tail = ', ' ~ more if more else '' -%}
    grouping sets ((event_date{{ tail }})
    {%- for dimension in dimensions %}, (event_date, {{ dimension }}{{ tail }}){% endfor %})
{%- endmacro %}

{# Which dimension a row of `by_each` is of, and its value. #}
{% macro dimension_of(dimensions) -%}
    case
        {%- for dimension in dimensions %}
        when grouping({{ dimension }}) = 0 then '{{ dimension | replace('_id', '') }}'
        {%- endfor %}
        else 'all'
    end as dimension,
    case
        {%- for dimension in dimensions %}
        when grouping({{ dimension }}) = 0 then {{ dimension }}
        {%- endfor %}
        else ''
    end as dimension_value
{%- endmacro %}

{# Counts of clusters and sums of their costs, successes and squares; with `has_calls`, calls without a session stand for themselves. #}
{% macro cluster_sums(has_calls=true) -%}
    sum(requests) as requests,
    sum(priced) as priced,
    sum(successes) as successes,
    count(*) filter (where session_id is not null and priced > 0) as sessions,
    sum(case when session_id is null then priced else (priced > 0)::int end) as clusters,
    sum(cost) as cost,
    sum(unsuccessful_cost) as unsuccessful_cost,
    sum(cost) filter (where session_id is not null) as session_cost,
    sum(case when session_id is null then {{ 'cost_cost' if has_calls else 'null' }} else cost * cost end) as cost_cost,
    sum(case when session_id is null then {{ 'cost_success' if has_calls else 'null' }} else cost * successes end) as cost_success,
    sum(case when session_id is null then successes else successes * successes end) as success_success
{%- endmacro %}
