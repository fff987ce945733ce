{#-
  The shape of a `scoped` table, which is created once: columns that its model has gained since are added, null in old rows, before the
  run's first row is written. A column that the model has no more, or of another type, is refused: what old rows hold in it cannot be told.
  DDL, so before the DML and never inside it; what is done already is not done again.
-#}

{#- Tables that the present project has built: their shape is known. A dbt run of one's own names none, and has each looked at. -#}
{% macro has_its_shape() %}{{ return(model.name in env_var('LAKEHOUSE_SHAPED', '').split(',')) }}{% endmacro %}

{#- Gives an existing table, and a version table's restated rows, the columns of its model. -#}
{% macro bring_to_shape(target, sql) %}
  {%- set wanted = make_temp_relation(target, '__shape') -%}
  {%- call statement('shape') -%}{{ create_table_as(True, wanted, 'select * from (' ~ sql ~ ') as no_rows where 1 = 0') }}{%- endcall -%}
  {%- set columns = adapter.get_columns_in_relation(wanted) -%}
  {%- set held = adapter.get_columns_in_relation(target) -%}
  {%- do refuse_other_shape(target, columns, held) -%}
  {%- set added = diff_columns(columns, held) -%}
  {#- The rows that are there get their values first of all: a crash in between is made good by the next run. -#}
  {%- if added and config.get('refills') -%}{%- do forget_watermarks(config.get('refills')) -%}{%- endif -%}
  {%- do add_columns(target, added) -%}
  {%- do adapter.expand_target_column_types(from_relation=wanted, to_relation=target) -%}
  {%- if config.get('strategy') == 'merge_version' -%}
    {%- set restated = restated_relation(target) -%}
    {%- do add_columns(restated, diff_columns(columns, adapter.get_columns_in_relation(restated))) -%}
    {%- do adapter.expand_target_column_types(from_relation=wanted, to_relation=restated) -%}
  {%- endif -%}
  {%- do drop_staged(wanted) -%}
{% endmacro %}

{#- One statement a column, which is all that DuckDB takes. -#}
{% macro add_columns(target, columns) %}
  {%- for column in columns -%}{%- do alter_relation_add_remove_columns(target, [column], none) -%}{%- endfor -%}
{% endmacro %}

{#- Texts of different length are one type: the longer is taken. The words are looked for in `assets/stores/shapes.py`. -#}
{% macro refuse_other_shape(target, columns, held) %}
  {%- set other = [] -%}
  {%- for column in held -%}
    {%- set now = columns | selectattr('name', 'equalto', column.name) | first -%}
    {%- if not now -%}
      {%- do other.append(column.name | lower ~ ' (no longer there)') -%}
    {%- elif now.expanded_data_type != column.expanded_data_type and not (now.is_string() and column.is_string()) -%}
      {%- do other.append(column.name | lower ~ ' (' ~ column.expanded_data_type | lower ~ ', now ' ~ now.expanded_data_type | lower ~ ')') -%}
    {%- endif -%}
  {%- endfor -%}
  {%- if other -%}
    {%- do exceptions.raise_compiler_error('shape of ' ~ target.schema | lower ~ '.' ~ target.identifier | lower ~ ' differs: ' ~ other | join(', ') ~ ';') -%}
  {%- endif -%}
{% endmacro %}

{#- Consumers that shall see all changes again, and so derive all their keys anew. -#}
{% macro forget_watermarks(consumers) %}
  {%- call statement('forget_watermarks') -%}
    delete from {{ source('control', 'consumer') }} where consumer in ('{{ consumers | join("', '") }}')
  {%- endcall -%}
{% endmacro %}
