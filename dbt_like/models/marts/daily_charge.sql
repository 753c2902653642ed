-- Postgres takes the grain for as many rows as there are requests, and would sort them all on disk instead of hashing them.
{{ config(pre_hook='set local enable_sort = off', post_hook='{{ index_what_has_no_price() }}') }}
{%- set grain = [
    'event_date', 'provider_id', 'model_id', 'openness', 'service_tier', 'region', 'team', 'project', 'cost_centre',
    'environment', 'application', 'rate_id', 'unpriced_reason',
] -%}
{%- set described = (grain + ['usage_key', 'contract_id', 'exchange_rates']) | join(', ') -%}
{%- set logged = [
    'event_date', 'provider_id', 'model_id', 'response_model', 'request_model', 'service_tier', 'region', 'team', 'project',
    'cost_centre', 'environment', 'application', 'rate_id', 'unpriced_reason',
] -%}
{%- set costs = ['list_cost_usd', 'contracted_cost_usd', 'effective_cost_usd', 'reported_cost_usd'] -%}
with

requests as (

    select
        *,
        {{ quantities() }}
    from {{ source('core', 'request') }}
    {% if is_incremental() %} where {{ days_of_run() }} {% endif %}

),

-- Only of a call without a model does its name as logged matter.
named as (

    select
        {{ (logged | reject('in', ['response_model', 'request_model'])) | join(', ') }},
        case when model_id is null then response_model end as response_model,
        case when model_id is null then request_model end as request_model,
        {{ priced_meters() | join(', ') }},
        {{ costs | join(', ') }}
    from requests

),

-- The one pass over the requests: everything below works on some thousand rows. So their names are made after it.
added as (

    {{ added_up('named', logged, costs) }}

),

models as (

    select * from {{ source('core', 'model') }}

),

visible as (

    select
        {{ visible_names('added') }},
        {{ priced_meters() | join(', ') }},
        {{ costs | join(', ') }}
    from added
    left join models on added.model_id = models.model_id

),

summed as (

    {{ added_up('visible', grain, costs) }}

),

cards as (

    select * from {{ source('core', 'rate_card') }}

),

usage as (

    select
        summed.*,
        concat_ws(
            e'\x1f', to_char(summed.event_date, 'YYYY-MM-DD')
            {%- for name in grain[1:] %}, coalesce(summed.{{ name }}::text, ''){% endfor %}
        ) as usage_key,
        coalesce(cards.contract_id, '') as contract_id,
        cards.exchange_rates,
        -- Free calls have no card and cost nothing; a card that is no longer derived leaves the cost to the line rest.
        summed.unpriced_reason is null and (summed.rate_id is null or cards.rate_id is not null) as has_known_rates
    from summed
    left join cards on summed.rate_id = cards.rate_id

),

-- The card of list prices that holds where the contract's card does.
list_usage as (

    select
        usage.usage_key,
        usage.list_cost_usd,
        {%- for meter in priced_meters() %}
        usage.{{ meter }},
        {%- endfor %}
        listed.rate_id
    from usage
    inner join cards as granted on usage.rate_id = granted.rate_id
    inner join cards as listed
        on
            listed.contract_id = ''
            and listed.provider_id = granted.provider_id
            and listed.model_id = granted.model_id
            and listed.service_tier = granted.service_tier
            and listed.region = granted.region
            and listed.time_window = granted.time_window
            and listed.reasoning_mode = granted.reasoning_mode
            and listed.context_counts = granted.context_counts
            and listed.context_from_tokens = granted.context_from_tokens
            and listed.valid_from <= granted.valid_from
            and (listed.valid_to is null or listed.valid_to >= granted.valid_to)
    where usage.contract_id <> ''

),

list_lines as (

    {{ charges('list_usage') }}

),

-- Such a card is believed only where it gives the list cost of the requests to the last digit.
explained as (

    select usage_key
    from list_lines
    group by usage_key, list_cost_usd
    having sum(cost_usd) = list_cost_usd

),

lines as (

    {{ charges('usage', unrated='true') }}

),

by_meter as (

    select
        lines.*,
        case when lines.contract_id = '' then lines.price_id else listed.price_id end as list_price_id,
        case when lines.contract_id = '' then lines.usd_per_million else listed.usd_per_million end as list_usd_per_million,
        case when lines.has_known_rates then coalesce(lines.cost_usd, 0) end as meter_cost_usd,
        case
            when lines.has_known_rates and lines.contract_id = '' then coalesce(lines.cost_usd, 0)
            when explained.usage_key is not null then coalesce(listed.cost_usd, 0)
        end as meter_list_cost_usd
    from lines
    left join explained on lines.usage_key = explained.usage_key
    left join list_lines as listed on explained.usage_key = listed.usage_key and lines.meter = listed.meter

),

known as (

    select
        usage_key,
        sum(meter_list_cost_usd) as list_cost_usd,
        sum(meter_cost_usd) as contracted_cost_usd
    from by_meter
    group by usage_key

),

rest as (

    select
        usage.*,
        usage.list_cost_usd - coalesce(known.list_cost_usd, 0) as rest_list_cost_usd,
        usage.contracted_cost_usd - coalesce(known.contracted_cost_usd, 0) as rest_contracted_cost_usd,
        usage.effective_cost_usd - coalesce(known.contracted_cost_usd, 0) as rest_effective_cost_usd
    from usage
    inner join known on usage.usage_key = known.usage_key
    where
        usage.list_cost_usd is distinct from known.list_cost_usd
        or usage.contracted_cost_usd is distinct from known.contracted_cost_usd
        or usage.effective_cost_usd is distinct from known.contracted_cost_usd

),

charges as (

    select
        {{ described }},
        meter,
        unit,
        quantity,
        case when usd_per_million is not null then priced_as end as priced_as,
        case when usd_per_million is not null then price_id end as price_id,
        case when list_usd_per_million is not null then list_price_id end as list_price_id,
        list_usd_per_million,
        usd_per_million as contracted_usd_per_million,
        meter_list_cost_usd as list_cost_usd,
        meter_cost_usd as contracted_cost_usd,
        meter_cost_usd as effective_cost_usd,
        case when meter = 'request' then reported_cost_usd end as reported_cost_usd
    from by_meter
    union all
    select
        {{ described }},
        'rest', null, null, null, null, null, null, null,
        rest_list_cost_usd, rest_contracted_cost_usd, rest_effective_cost_usd, null
    from rest

),

final as (

    select
        charges.event_date,
        md5(charges.usage_key || e'\x1f' || charges.meter)::uuid as charge_id,
        {%- for name in grain[1:] %}
        charges.{{ name }},
        {%- endfor %}
        charges.contract_id,
        charges.meter,
        charges.unit,
        charges.quantity,
        charges.priced_as,
        charges.price_id,
        charges.list_price_id,
        charges.list_usd_per_million::numeric(38, 12) as list_usd_per_million,
        charges.contracted_usd_per_million::numeric(38, 12) as contracted_usd_per_million,
        prices.pricing_currency,
        (case when prices.pricing_currency = 'USD' then 1 else rates.usd_per_unit end)::numeric(38, 18) as usd_per_currency,
        charges.list_cost_usd::numeric(38, 18) as list_cost_usd,
        charges.contracted_cost_usd::numeric(38, 18) as contracted_cost_usd,
        charges.effective_cost_usd::numeric(38, 18) as effective_cost_usd,
        charges.contracted_cost_usd::numeric(38, 18) as billed_cost_usd,
        charges.reported_cost_usd::numeric(38, 18) as reported_cost_usd
    from charges
    left join {{ source('core', 'price') }} as prices on charges.price_id = prices.price_id
    left join {{ source('core', 'fx_rate') }} as rates
        on (charges.exchange_rates ->> prices.pricing_currency)::uuid = rates.fx_rate_id

)

select * from final
