{# Rows of a spend table whose own figures contradict each other. `quantities` are the columns that are never negative;
   `by_bucket` is true for a table that has every token bucket. #}
{% test spend_adds_up(model, quantities, by_bucket) %}
    select *
    from {{ model }}
    where
        least({{ quantities | join(', ') }}) < 0
        or requests = 0
        or requests <> priced_requests + unpriced_requests
        or num_nonnulls(list_cost_usd, contracted_cost_usd, effective_cost_usd)
            <> case when priced_requests > 0 then 3 else 0 end
        {% if by_bucket -%}
        or input_tokens <> {{ input_columns() | join(' + ') }}
        or output_tokens <> {{ output_columns() | join(' + ') }}
        {%- endif %}
{% endtest %}
