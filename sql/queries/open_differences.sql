-- Question: where do the invoices of the newest month differ, and because of what?
-- Grain:    one row per seller and cause
-- Columns:  provider_id, cause, difference_usd, days
with

settled as (

    select * from mart.reconciliation
    where
        is_settled
        and event_date >= (select date_trunc('month', max(event_date))::date from mart.reconciliation)

),

causes as (

    select
        settled.provider_id,
        settled.event_date,
        cause.cause,
        cause.usd
    from settled
    cross join lateral (
        values
            ('missing requests', missing_requests_usd), ('tokens', tokens_usd), ('tier', tier_usd),
            ('price', price_usd), ('tool fee', tool_fee_usd), ('commitment', commitment_usd),
            ('discount', discount_usd), ('credit', credit_usd), ('tax', tax_usd), ('currency', currency_usd),
            ('rounding', rounding_usd), ('timing', timing_usd), ('unexplained', unexplained_usd)
    ) as cause (cause, usd)
    where cause.usd <> 0

),

final as (

    select
        provider_id,
        cause,
        sum(usd) as difference_usd,
        count(distinct event_date) as days
    from causes
    group by provider_id, cause

)

select * from final
order by abs(difference_usd) desc, provider_id, cause
