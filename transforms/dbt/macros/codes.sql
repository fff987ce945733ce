{#-
  Codes and units, for every dialect. The system decides what a code is, never its shape (no code system is guessed from a code).
-#}

{#- Joins the facility's own map of local codes; `map_name` is a resource or resource_element. -#}
{% macro join_code_map(mapped, alias, map_name, local_code) -%}
  left join {{ source('ref', 'code_map') }} {{ mapped }}
    on {{ in_force(mapped, alias) }} and {{ mapped }}.map_name = '{{ map_name }}' and {{ mapped }}.local_code = {{ local_code }}
{%- endmacro %}

{#- ICD-10-CM code with its point (ICD-10-CM Official Guidelines, section I.A: category, point, up to four more characters). -#}
{% macro icd_10_cm(system, code) -%}
  case when {{ system }} = 'http://hl7.org/fhir/sid/icd-10-cm' and length({{ code }}) > 3 and position('.' in {{ code }}) = 0
    then left({{ code }}, 3) || '.' || substr({{ code }}, 4) else {{ code }} end
{%- endmacro %}

{#- Spelling of a unit as seed `unit_of_measure` lists it: no blanks, one mark for powers, one letter for micro, upper case. -#}
{% macro unit_spelling(unit) -%}
  upper(replace(replace(replace(replace(replace({{ unit }}, ' ', ''), 'µ', 'u'), 'μ', 'u'), '**', '^'), '*', '^'))
{%- endmacro %}

{#- Units of UCUM that clinical results use; metric ones take a prefix. UCUM is not covered whole: a unit outside is kept as sent and flagged.
    Square brackets stand in classes, so that the pattern needs no backslash. -#}
{% macro ucum_pattern() %}
  {%- set metric = 'm|s|g|L|l|mol|eq|osm|kat|U|[[][iI]U]|Cel|K|Pa|bar|m[[]Hg]|m[[]H2O]|J|W|V|A|Hz|N|Gy|Sv|Bq|Ci|cal|[[]Cal]|F|S|Ohm|B' -%}
  {%- set arbitrary = "[[](arb|GPL|MPL|APL|USP|beth|dye|todd|anti'Xa)'U]" -%}
  {%- set plain = '%|deg|min|h|d|wk|mo|a|u|[[](ppth|ppm|ppb|pptr|pH|degF|in_i|ft_i|yd_i|lb_av|oz_av|gr|drp|HPF|LPF|CFU|PFU|FFU|CCID_50|TCID_50|diop|Ch|tsp_us|tbs_us)]' -%}
  {%- set annotation = '[{][^{}]*[}]' -%}
  {%- set term = '((((da|[YZEPTGMkhdcmunpfazy])?(' ~ metric ~ ')|' ~ plain ~ '|' ~ arbitrary ~ ')([+-]?[0-9]+)?|10[*^][+-]?[0-9]+)(' ~ annotation ~ ')?|'
                 ~ annotation ~ '|[0-9]+)' -%}
  {%- set product = term ~ '([./]' ~ term ~ ')*' -%}
  {{ return(('/?(' ~ term ~ '|[(]' ~ product ~ '[)])([./](' ~ term ~ '|[(]' ~ product ~ '[)]))*') | replace("'", "''")) }}
{% endmacro %}
{% macro is_ucum(unit) -%} {{ regexp_full(unit, ucum_pattern()) }} {%- endmacro %}

{#- UCUM code of a unit as sent: the table of usual spellings (joined as `spelled`) speaks before the check, since K/uL is thousands, not kelvin;
    last comes a unit that the sender declares to be UCUM beside it. -#}
{% macro join_unit_of_measure(spelled, unit) -%}
  left join {{ ref('unit_of_measure') }} {{ spelled }} on {{ spelled }}.spelling = {{ unit_spelling(unit) }}
{%- endmacro %}
{% macro ucum_unit(spelled, unit, declared='null') -%}
  coalesce({{ spelled }}.ucum, case when {{ is_ucum(unit) }} then {{ unit }} end, {{ declared }})
{%- endmacro %}

{#- Exact decimal of a plain number text (optional sign, digits, optional point), null where the text is anything else or too large. -#}
{% macro is_plain_number(text) -%} {{ regexp_full(text, '[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)') }} {%- endmacro %}
{% macro plain_number(text) -%} case when {{ is_plain_number(text) }} then {{ exact_decimal(text) }} end {%- endmacro %}

{#- Text that is known to be a plain number -> decimal(28,9). DuckDB reads a decimal of 18 digits or fewer a hundred times faster. -#}
{% macro exact_decimal(text) -%}
  coalesce(cast(try_cast({{ text }} as decimal(18, 9)) as decimal(28, 9)), try_cast({{ text }} as decimal(28, 9)))
{%- endmacro %}

{#- Coded columns of resources: [resource, element, standard code, local code, its system, text]; null where a resource has no such column. -#}
{% macro unmappable_columns() %}
  {%- set columns = [] -%}
  {%- for resource in ['condition', 'procedure', 'observation', 'observation_component', 'diagnostic_report', 'service_request', 'allergy_intolerance'] -%}
    {%- do columns.append([resource, 'code', 'code_code', 'code_local_code', 'code_local_system', 'code_text']) -%}
  {%- endfor -%}
  {%- for resource in ['medication_request', 'medication_administration'] -%}
    {%- do columns.append([resource, 'medication', 'medication_code_code', 'medication_local_code', 'null', 'medication_text']) -%}
  {%- endfor -%}
  {%- do columns.append(['immunization', 'vaccine_code', 'vaccine_code_code', 'vaccine_local_code', 'null', 'vaccine_text']) -%}
  {%- do columns.append(['encounter', 'class', 'class_code', 'class_local_code', 'null', 'null']) -%}
  {%- do columns.append(['observation', 'value_quantity_unit', 'value_quantity_unit', 'value_quantity_unit_source', 'null', 'null']) -%}
  {{ return(columns) }}
{% endmacro %}
