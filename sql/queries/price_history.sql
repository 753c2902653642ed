-- Question: how did the standard prices of one model change, and what did we believe when? (Change the two constants.)
-- Grain:    one row per feed, meter, context tier, reasoning mode, period of validity and period of belief
-- Columns:  provider_id, feed, meter, context_from_tokens, context_to_tokens, reasoning_mode, usd_per_million,
--           valid_from, valid_to, date_basis, recorded_at, superseded_at, supersede_reason, landing_path, source_locator
with

asked as (

    select
        'claude-sonnet-4-5' as model_id,
        '' as region

),

prices as (

    select * from core.price

),

files as (

    select snapshot_id, landing_path from raw.snapshot

),

final as (

    select
        prices.provider_id,
        prices.feed,
        prices.meter,
        prices.context_from_tokens,
        prices.context_to_tokens,
        prices.reasoning_mode,
        prices.usd_per_million,
        prices.valid_from,
        prices.valid_to,
        prices.date_basis,
        prices.recorded_at,
        prices.superseded_at,
        prices.supersede_reason,
        files.landing_path,
        prices.source_locator
    from prices
    inner join asked using (model_id, region)
    left join files using (snapshot_id)
    where prices.service_tier = 'standard'

)

select * from final
order by provider_id, feed, meter, context_from_tokens, reasoning_mode, valid_from, recorded_at
