{# The sums that every spend mart has, over rows of daily_charge; a sum of no known cost is null, never zero. #}

{# How much of some meters was used. #}
{% macro quantity_of(meters, condition='true') -%}
    coalesce(sum(quantity) filter (where meter in ('{{ meters | join("', '") }}') and {{ condition }}), 0)::bigint
{%- endmacro %}

{% macro count_columns() %}
    {{ quantity_of(['request']) }} as requests,
    {{ quantity_of(['request'], 'unpriced_reason is null') }} as priced_requests,
    {{ quantity_of(['request'], 'unpriced_reason is not null') }} as unpriced_requests,
    {{ quantity_of(input_meters()) }} as input_tokens,
    {{ quantity_of(output_meters()) }} as output_tokens
{% endmacro %}

{% macro cost_columns() %}
    sum(list_cost_usd)::numeric(38, 18) as list_cost_usd,
    sum(contracted_cost_usd)::numeric(38, 18) as contracted_cost_usd,
    sum(effective_cost_usd)::numeric(38, 18) as effective_cost_usd,
    (sum(reported_cost_usd) filter (where unpriced_reason is not null))::numeric(38, 18) as logged_only_cost_usd
{% endmacro %}
