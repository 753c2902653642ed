-- Requests and charges are read several times: not materialized, each time for the days that are asked for only.
with

requests as not materialized (

    select
        event_date,
        request_uid,
        event_at,
        provider_id,
        model_id,
        contracted_cost_usd,
        rate_id,
        {{ quantities() }}
    from {{ source('core', 'request') }}
    where rate_id is not null

),

charges as not materialized (

    {{ charges('requests') }}

),

cards as (

    select * from {{ source('core', 'rate_card') }}

),

prices as (

    select * from {{ source('core', 'price') }}

),

files as (

    select * from {{ source('raw', 'snapshot') }}

),

by_meter as (

    select
        charges.event_date,
        charges.request_uid,
        charges.event_at,
        charges.provider_id,
        charges.model_id,
        charges.meter,
        charges.quantity,
        charges.usd_per_million,
        charges.cost_usd::numeric(38, 18) as cost_usd,
        charges.priced_as,
        charges.price_id,
        prices.feed,
        prices.unit_price,
        prices.pricing_currency,
        prices.pricing_quantity,
        prices.valid_from,
        prices.date_basis,
        prices.recorded_at,
        prices.source_locator,
        prices.extracted_text,
        files.landing_path,
        files.sha256
    from charges
    left join prices on charges.price_id = prices.price_id
    left join files on prices.snapshot_id = files.snapshot_id

),

known as (

    select
        event_date,
        request_uid,
        sum(cost_usd) as cost_usd
    from charges
    group by event_date, request_uid

),

-- What marginal rates and minimums add to or take from the plain rates, and the whole of a request whose card is no
-- longer derived.
rest as (

    select
        requests.event_date,
        requests.request_uid,
        requests.event_at,
        requests.provider_id,
        requests.model_id,
        (requests.contracted_cost_usd - coalesce(known.cost_usd, 0))::numeric(38, 18) as cost_usd
    from requests
    left join known on requests.event_date = known.event_date and requests.request_uid = known.request_uid
    where not exists (
        select from cards
        where cards.rate_id = requests.rate_id and cards.marginal = '{}' and cards.minimum_charge_usd is null
    )

),

final as (

    select * from by_meter
    union all
    select
        event_date, request_uid, event_at, provider_id, model_id, 'rest', null, null, cost_usd, null, null, null, null,
        null, null, null, null, null, null, null, null, null
    from rest
    where cost_usd <> 0

)

select * from final
