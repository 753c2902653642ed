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
