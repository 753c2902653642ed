with

requests as (

    select * from {{ source('core', 'request') }}

),

models as (

    select * from {{ source('core', 'model') }}

),

described as (

    select
        requests.event_date,
        coalesce(requests.provider_id, 'unknown') as provider_id,
        coalesce(
            requests.model_id,
            'unresolved: ' || coalesce(requests.response_model, requests.request_model, '(no name logged)')
        ) as model_id,
        coalesce(models.openness, 'unknown') as openness,
        coalesce(requests.team, 'unattributed') as team,
        coalesce(requests.project, 'unattributed') as project,
        coalesce(requests.environment, 'unattributed') as environment,
        coalesce(requests.application, 'unattributed') as application,
        coalesce(requests.unpriced_reason, 'priced') as pricing,
        requests.list_cost_usd is not null as is_priced,
        {%- for column in input_columns() + output_columns() %}
        requests.{{ column }}::bigint as {{ column }},
        {%- endfor %}
        {% for column in input_columns() %}requests.{{ column }}::bigint{{ ' + ' if not loop.last }}{% endfor %} as input_tokens,
        {% for column in output_columns() %}requests.{{ column }}::bigint{{ ' + ' if not loop.last }}{% endfor %} as output_tokens,
        requests.reported_cost_usd,
        requests.list_cost_usd,
        requests.contracted_cost_usd,
        requests.effective_cost_usd
    from requests
    left join models on requests.model_id = models.model_id

),

final as (

    select * from described

)

select * from final
