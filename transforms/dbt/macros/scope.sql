{#- The run's partitions: rows of control.run_scope for the run id that the environment holds at run time. Never --vars,
    each changed value of which throws the parse state away. -#}
{% macro run_id() -%} '{{ env_var("LAKEHOUSE_RUN_ID", "none") }}' {%- endmacro %}

{#- Ordinal of the run: rises by one a run; the change log and the consumers' watermarks count in it. -#}
{% macro run_seq() -%} cast({{ env_var("LAKEHOUSE_RUN_SEQ", "0") }} as bigint) {%- endmacro %}

{#- By `in`, which the engine joins as it reads: of an `exists` that holds a constant DuckDB keeps all rows of the table, before it asks.
    The alias is required: a bare facility_id would be whichever table's comes first. -#}
{% macro in_scope(alias) -%}
  ({{ alias }}.facility_id, {{ alias }}.batch_date) in (
    select run_scope.facility_id, run_scope.batch_date from {{ source('control', 'run_scope') }} run_scope where run_scope.run_id = {{ run_id() }})
{%- endmacro %}

{#- Is the row's partition free of unreleased holds? By `in`, as the scope is. -#}
{% macro not_held(alias) -%}
  ({{ alias }}.facility_id, {{ alias }}.batch_date) not in (
    select held.facility_id, held.batch_date from {{ source('control', 'held_partition') }} held where held.is_released = false)
{%- endmacro %}

{#- Version of the product's code, written beside what a run restates. -#}
{% macro code_version() -%} '{{ env_var("LAKEHOUSE_CODE_VERSION", "none") }}' {%- endmacro %}
