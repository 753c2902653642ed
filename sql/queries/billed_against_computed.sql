-- Question: what do the providers bill per day and model, and how far is what we compute for our own requests from it?
-- Grain:    one row per day, seller and model, of the days for which a seller's bill was exported
-- Columns:  event_date, provider_id, model_id, requests, computed_usd, gateway_usd, billed_usd, difference_usd,
--           difference_share (billed less computed; a bill without our requests has no computed_usd: traffic that no log
--           holds; lines of a bill that name no model, such as web searches, stand under a null model_id; lines that are
--           longer than a day or in another currency are compared in mart.reconciliation)
with

bills as (

    select * from core.reported_cost
    where superseded_at is null and amount_usd is not null and bucket_to - bucket_from <= interval '1 day'

),

requests as (

    select * from core.request

),

billed as (

    select
        event_date,
        provider_id,
        coalesce(model_id, raw_model) as model_id,
        sum(amount_usd) as billed_usd
    from bills
    group by 1, 2, 3

),

computed as (

    select
        event_date,
        provider_id,
        coalesce(model_id, response_model, request_model) as model_id,
        count(*) as requests,
        sum(effective_cost_usd) as computed_usd,
        sum(reported_cost_usd) as gateway_usd
    from requests
    where exists (
        select from bills
        where bills.event_date = requests.event_date and bills.provider_id = requests.provider_id
    )
    group by 1, 2, 3

),

final as (

    select
        coalesce(billed.event_date, computed.event_date) as event_date,
        coalesce(billed.provider_id, computed.provider_id) as provider_id,
        coalesce(billed.model_id, computed.model_id) as model_id,
        coalesce(computed.requests, 0) as requests,
        computed.computed_usd,
        computed.gateway_usd,
        billed.billed_usd,
        coalesce(billed.billed_usd, 0) - coalesce(computed.computed_usd, 0) as difference_usd,
        round(billed.billed_usd / nullif(computed.computed_usd, 0) - 1, 4) as difference_share
    from billed
    full outer join computed
        on billed.event_date = computed.event_date
        and billed.provider_id = computed.provider_id
        and billed.model_id = computed.model_id

)

select * from final
order by event_date desc, abs(coalesce(computed_usd, 0) - coalesce(billed_usd, 0)) desc, provider_id, model_id
