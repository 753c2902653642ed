-- depends_on: {{ source('core', 'price') }}, {{ source('raw', 'snapshot') }}
with

cards as (

    select * from {{ source('core', 'rate_card') }}
    where valid_from <= now() and (valid_to is null or valid_to > now())

),

used as (

    select distinct priced.price_id::uuid as price_id
    from cards
    cross join lateral jsonb_each_text(cards.price_ids) as priced (meter, price_id)

),

final as (

    select
        prices.*,
        used.price_id is not null as is_used
    from core.price_as_known(now(), now()) as prices
    left join used on prices.price_id = used.price_id

)

select * from final
