{#
  Lets modelmeter_reader select from the model where the role exists (sql/roles makes it) and does not hold the right
  yet: granting again on every run would make two concurrent runs fail with "tuple concurrently updated".
#}
{% macro let_readers_select() %}
    do $$
    begin
        if exists (
            select from pg_roles
            where rolname = 'modelmeter_reader' and not has_table_privilege(oid, '{{ this }}'::regclass, 'select')
        ) then
            grant select on {{ this }} to modelmeter_reader;
        end if;
    end $$
{% endmacro %}
