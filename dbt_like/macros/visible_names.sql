{# Who sold, answered and pays for rows of core.request, under a visible name where the log names none; rows of core.model are joined as `models`. #}
{% macro visible_names(requests) %}
    {{ requests }}.event_date,
    coalesce({{ requests }}.provider_id, 'unknown') as provider_id,
    coalesce(
        {{ requests }}.model_id,
        'unresolved: ' || coalesce({{ requests }}.response_model, {{ requests }}.request_model, '(no name logged)')
    ) as model_id,
    coalesce(models.openness, 'unknown') as openness,
    {{ requests }}.service_tier,
    {{ requests }}.region,
    coalesce({{ requests }}.team, 'unattributed') as team,
    coalesce({{ requests }}.project, 'unattributed') as project,
    coalesce({{ requests }}.cost_centre, 'unattributed') as cost_centre,
    coalesce({{ requests }}.environment, 'unattributed') as environment,
    coalesce({{ requests }}.application, 'unattributed') as application,
    {{ requests }}.rate_id,
    {{ requests }}.unpriced_reason
{% endmacro %}

{# The meters and costs of `rows`, added up by some columns. #}
{% macro added_up(rows, by, costs) %}
    select
        {{ by | join(', ') }},
        {%- for meter in priced_meters() %}
        sum({{ meter }})::bigint as {{ meter }},
        {%- endfor %}
        {%- for cost in costs %}
        sum({{ cost }}) as {{ cost }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ rows }}
    group by {{ by | join(', ') }}
{% endmacro %}
