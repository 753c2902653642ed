with

charges as (

    select * from {{ ref('daily_charge') }}
    {% if is_incremental() %} where {{ days_of_run() }} {% endif %}

),

final as (

    select
        event_date,
        provider_id,
        model_id,
        service_tier,
        meter,
        (sum(quantity) filter (where rate_id is not null or unpriced_reason is not null))::bigint as quantity,
        (sum(quantity) filter (where unpriced_reason is not null))::bigint as unpriced_quantity,
        sum(list_cost_usd)::numeric(38, 18) as list_cost_usd,
        sum(billed_cost_usd)::numeric(38, 18) as billed_cost_usd,
        sum(reported_cost_usd)::numeric(38, 18) as reported_cost_usd,
        max(pricing_currency) as pricing_currency,
        max(usd_per_currency)::numeric(38, 18) as usd_per_currency,
        count(*) as charges
    from charges
    group by event_date, provider_id, model_id, service_tier, meter

)

select * from final
