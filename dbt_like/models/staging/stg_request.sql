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
        requests.service_tier,
        requests.region,
        coalesce(requests.team, 'unattributed') as team,
        coalesce(requests.project, 'unattributed') as project,
        coalesce(requests.cost_centre, 'unattributed') as cost_centre,
        coalesce(requests.environment, 'unattributed') as environment,
        coalesce(requests.application, 'unattributed') as application,
        requests.session_id,
        requests.end_user_id,
        requests.status,
        requests.rate_id,
        requests.unpriced_reason,
        {{ quantities() }},
        requests.reported_cost_usd,
        requests.list_cost_usd,
        requests.contracted_cost_usd,
        requests.effective_cost_usd,
        coalesce(requests.tags ->> 'request_tags', requests.tags ->> 'tags') as listed_tags,
        requests.tags ->> 'api_key' as api_key
    from requests
    left join models on requests.model_id = models.model_id

),

final as (

    select * from described

)

select * from final
