{#
  Charges without a known cost are few among millions, and every page of a month or quarter asks for them. The table is looked at first,
  because making an index, even one that is there, waits for every other run that writes.
#}
{% macro index_what_has_no_price() %}
    do $$
    begin
        if not exists (
            select from pg_indexes
            where (schemaname, tablename) = ('{{ this.schema }}', '{{ this.identifier }}') and indexdef like '%unpriced_reason IS NOT NULL%'
        ) then
            create index on {{ this }} (event_date) where unpriced_reason is not null;
        end if;
    end $$
{% endmacro %}
