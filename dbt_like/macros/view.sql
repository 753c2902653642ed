{#
  Views are dropped and created again in one transaction. dbt's own way (create a second one, rename, drop the old one after
  the commit) lets two runs for different days trip over each other's leftovers.
#}
{% materialization view, adapter='postgres' %}
    {%- set view = this.incorporate(type='view') -%}
    {{ run_hooks(pre_hooks) }}
    {% call statement('main') %}
        drop view if exists {{ view }};
        create view {{ view }} as {{ sql }}
    {% endcall %}
    {% do persist_docs(view, model) %}
    {{ run_hooks(post_hooks) }}
    {% do adapter.commit() %}
    {{ return({'relations': [view]}) }}
{% endmaterialization %}
