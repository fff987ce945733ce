{#- The run's partitions: rows of control.run_scope for the run id that the environment holds at run time. Never --vars,
    each changed value of which throws the parse state away. -#}
{% macro run_id() -%} '{{ env_var("LAKEHOUSE_RUN_ID", "none") }}' {%- endmacro %}

{#- Ordinal of the run: rises by one a run; the change log and the consumers' watermarks count in it. -#}
{% macro run_seq() -%} cast({{ env_var("LAKEHOUSE_RUN_SEQ", "0") }} as bigint) {%- endmacro %}

{#- The alias is required: a bare facility_id inside the subquery would bind to run_scope's own column, and every row
    would pass. -#}
{% macro in_scope(alias) -%}
  exists (select 1 from {{ source('control', 'run_scope') }} run_scope
          where run_scope.run_id = {{ run_id() }} and run_scope.facility_id = {{ alias }}.facility_id
            and run_scope.batch_date = {{ alias }}.batch_date)
{%- endmacro %}

{#- Version of the product's code, written beside what a run restates. -#}
{% macro code_version() -%} '{{ env_var("LAKEHOUSE_CODE_VERSION", "none") }}' {%- endmacro %}
