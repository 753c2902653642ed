{# The sums that every spend mart has, over rows of stg_request; a sum of no known cost is null, never zero. #}

{% macro count_columns() %}
    count(*) as requests,
    count(*) filter (where is_priced) as priced_requests,
    count(*) filter (where not is_priced) as unpriced_requests,
    sum(input_tokens)::bigint as input_tokens,
    sum(output_tokens)::bigint as output_tokens
{% endmacro %}

{% macro cost_columns() %}
    sum(list_cost_usd)::numeric(38, 18) as list_cost_usd,
    sum(contracted_cost_usd)::numeric(38, 18) as contracted_cost_usd,
    sum(effective_cost_usd)::numeric(38, 18) as effective_cost_usd,
    (sum(reported_cost_usd) filter (where not is_priced))::numeric(38, 18) as logged_only_cost_usd
{% endmacro %}
