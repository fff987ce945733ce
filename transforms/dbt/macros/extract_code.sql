{#-
  Codes of extract rows. A code column with a registered standard system holds the standard code; any other code is local and goes through
  the facility's code map under the resource's name. Nothing is read from the text beside it.
-#}
{% macro extract_is_standard(code='code_code') -%}
  (record.{{ code }} is not null and record.code_system in {{ text_list(fhir_systems('clinical')) }})
{%- endmacro %}
{% macro extract_local_code(code='code_code', local='code_local_code') -%}
  coalesce(record.{{ local }}, case when not {{ extract_is_standard(code) }} then record.{{ code }} end)
{%- endmacro %}
{% macro extract_standard_code(code='code_code', local='code_local_code') -%}
  case when {{ extract_is_standard(code) }} then {{ icd_10_cm('record.code_system', 'record.' ~ code) }} else coalesce(own_map.code, element_map.code) end
{%- endmacro %}
{% macro extract_standard_system(code='code_code', local='code_local_code') -%}
  case when {{ extract_is_standard(code) }} then record.code_system else coalesce(own_map.system, element_map.system) end
{%- endmacro %}

{#- The facility's maps for a resource's codes: under the resource's own name, else under resource_code. -#}
{% macro join_extract_code(resource, code='code_code', local='code_local_code') -%}
{{ join_code_map('own_map', 'record', resource, extract_local_code(code, local)) }}
{{ join_code_map('element_map', 'record', resource ~ '_code', extract_local_code(code, local)) }}
{%- endmacro %}

{#- A code's columns of the contract, added to `values`. -#}
{% macro extract_code_columns(values, code='code_code', system='code_system', text='code_text', local='code_local_code') %}
  {%- set columns = {code: extract_standard_code(code, local), system: extract_standard_system(code, local), text: 'record.' ~ text,
                     local: extract_local_code(code, local)} -%}
  {%- do columns.update(values) -%}
  {{ return(columns) }}
{% endmacro %}

{#- The same of a resource's own `code`, with the system of a local one. -#}
{% macro extract_code(values) %}
  {%- set columns = extract_code_columns({
    'code_local_system': 'case when ' ~ extract_local_code() ~ ' is not null and not ' ~ extract_is_standard() ~ ' then record.code_system end'}) -%}
  {%- do columns.update(values) -%}
  {{ return(columns) }}
{% endmacro %}

{#- The flag of a code or text, or of another coded value (`conditions`), that has no standard meaning here. -#}
{% macro extract_code_flags(conditions, code='code_code', local='code_local_code', text='code_text') %}
  {%- set unmapped = '(coalesce(record.' ~ code ~ ', record.' ~ local ~ ', record.' ~ text ~ ') is not null and (' ~ extract_standard_code(code, local) ~ ') is null)' -%}
  {{ return([[([unmapped] + conditions) | join(' or '), 'code.unmapped_local']]) }}
{% endmacro %}
