{#
  Of a day that the table was last counted without, the planner expects one row: what joined the charges of a new day took minutes
  until autovacuum had come by. A small sample takes 0.04 s and is enough for that. Nothing waits for it.
#}
{% macro let_planner_know() %}
    set local default_statistics_target = 10;
    analyze (skip_locked) {{ this }};
    reset default_statistics_target
{% endmacro %}
