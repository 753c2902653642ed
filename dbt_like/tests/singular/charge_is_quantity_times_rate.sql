-- Returns the charges whose own figures contradict each other.
select *
from {{ ref('daily_charge') }}
where
    {{ days_of_run() }}
    and (
        (quantity is null) <> (meter = 'rest')
        or quantity <= 0
        or unpriced_reason is not null
        and num_nonnulls(list_cost_usd, contracted_cost_usd, effective_cost_usd, billed_cost_usd) > 0
        or contracted_usd_per_million is not null and contracted_cost_usd <> quantity * contracted_usd_per_million * 0.000001
        or list_usd_per_million is not null and list_cost_usd <> quantity * list_usd_per_million * 0.000001
        or billed_cost_usd is distinct from contracted_cost_usd
        or (pricing_currency is null) <> (usd_per_currency is null)
    )
