-- Question: what did each change of a price cost or save us on the newest seven days since it held?
-- Grain:    one row per change of a price that we use, in USD
-- Columns:  provider_id, model_id, meter, valid_from, usd_before, usd_after, quantity, effect_usd
with

changes as (

    select * from mart.price_change
    where is_used and pricing_currency = 'USD' and context_from_tokens = 0

),

charges as (

    select * from mart.daily_charge
    where event_date > (select max(event_date) - 7 from mart.daily_charge)

),

final as (

    select
        changes.provider_id,
        changes.model_id,
        changes.meter,
        changes.valid_from,
        changes.price_before as usd_before,
        changes.price_after as usd_after,
        sum(charges.quantity)::bigint as quantity,
        sum(charges.quantity) * (changes.price_after - changes.price_before) / 1000000 as effect_usd
    from changes
    inner join charges
        on charges.provider_id = changes.provider_id
        and charges.model_id = changes.model_id
        and charges.priced_as = changes.meter
        and charges.service_tier = changes.service_tier
        and charges.event_date >= (changes.valid_from at time zone 'utc')::date
    where changes.unit = 'token'
    group by 1, 2, 3, 4, 5, 6

)

select * from final
order by abs(effect_usd) desc, provider_id, model_id, meter, valid_from
