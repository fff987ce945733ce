{#-
  Materialization `run_table`: a table of this run's rows, which the next run replaces. One statement, where `table` would build aside,
  rename twice and drop: staging has more models than all other layers, and nobody reads it while a run writes it.
-#}
{% materialization run_table, default %}
  {%- set target_relation = this.incorporate(type='table') -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {%- call statement('main') -%}create or replace table {{ target_relation }} as ({{ sql }}){%- endcall -%}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {%- do adapter.commit() -%}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
