with

requests as (

    select * from {{ source('core', 'request') }}

),

models as (

    select * from {{ source('core', 'model') }}

),

described as (

    select
        {{ visible_names('requests') }},
        requests.session_id,
        requests.end_user_id,
        requests.status,
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
