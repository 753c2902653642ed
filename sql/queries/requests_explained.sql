-- Question: what makes up the cost of the dearest requests of the newest day, meter by meter, down to the price and its file?
-- Grain:    one row per request and meter that it used (the ten dearest requests)
-- Columns:  request_uid, event_at, model_id, list_cost_usd, meter, quantity, usd_per_million, meter_cost_usd, took_rate_of,
--           feed, extracted_text, landing_path, source_locator
with

requests as (

    select * from core.request
    where event_date = (select max(event_date) from mart.daily_model_spend)

),

charges as (

    select * from core.request_charge

),

dearest as (

    select * from requests
    where list_cost_usd is not null and rate_id is not null
    order by list_cost_usd desc, request_uid
    limit 10

),

final as (

    select
        dearest.request_uid,
        dearest.event_at,
        dearest.model_id,
        dearest.list_cost_usd,
        charges.meter,
        charges.quantity,
        charges.usd_per_million,
        charges.cost_usd as meter_cost_usd,
        nullif(charges.priced_as, charges.meter) as took_rate_of,
        charges.feed,
        charges.extracted_text,
        charges.landing_path,
        charges.source_locator
    from dearest
    inner join charges using (event_date, request_uid)

)

select * from final
order by list_cost_usd desc, request_uid, meter_cost_usd desc, meter
