{#- Time between events, to two decimals and exact on both targets: counted in whole seconds and rounded in integers. -#}

{#- FHIR dateTime text -> timestamp where it states a time of day; a date alone (FHIR R4 s2.24.0.1) measures nothing. -#}
{% macro exact_instant(text) -%} case when length({{ text }}) > 10 then {{ instant(text) }} end {%- endmacro %}

{% macro hours_between(earlier, later) -%} {{ hundredths(earlier, later, 3600) }} {%- endmacro %}
{% macro minutes_between(earlier, later) -%} {{ hundredths(earlier, later, 60) }} {%- endmacro %}

{#- Seconds over `unit`, rounded half up to hundredths, as decimal(18,2). Two integers divide as decimals on Snowflake and as doubles
    on DuckDB; both are exact enough under `floor`, since the fractions are no finer than 1/3600. -#}
{% macro hundredths(earlier, later, unit) -%}
  cast(cast(floor(({{ dbt.datediff(earlier, later, 'second') }} * 100 + {{ unit // 2 }}) / {{ unit }}) as bigint) * 0.01 as decimal(18,2))
{%- endmacro %}
