-- Question: which credits will expire with money left on them?
-- Grain:    one row per credit, as of its newest day
-- Columns:  commitment_id, provider_id, balance_usd, runs_out_on, expires_on, expiring_usd, days_left
with

credits as (

    select * from mart.commitment_day
    where kind = 'credit'

),

newest as (

    select distinct on (commitment_id) * from credits
    order by commitment_id, event_date desc

),

final as (

    select
        commitment_id,
        provider_id,
        balance_usd,
        runs_out_on,
        expires_on,
        expiring_usd,
        expires_on - event_date as days_left
    from newest
    where expiring_usd > 0

)

select * from final
order by expires_on, expiring_usd desc, commitment_id
