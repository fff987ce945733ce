{#- What the marts mean by an inpatient stay, said once. -#}

{#- Inpatient: HL7 v3 ActCode IMP and its children ACUTE and NONAC. -#}
{% macro is_inpatient(alias) -%} {{ alias }}.class_code in ('IMP', 'ACUTE', 'NONAC') {%- endmacro %}

{#- An encounter that takes or took place, or is planned: FHIR R4 Encounter.status. -#}
{% macro is_valid_encounter(alias) -%}
  ({{ alias }}.is_deleted = false and coalesce({{ alias }}.status, 'unknown') not in ('cancelled', 'entered-in-error'))
{%- endmacro %}

{#- A stay that began: an inpatient encounter that is not merely planned. -#}
{% macro is_inpatient_stay(alias) -%}
  ({{ is_valid_encounter(alias) }} and coalesce({{ alias }}.status, 'unknown') <> 'planned' and {{ is_inpatient(alias) }})
{%- endmacro %}

{#- Present at the end of a local day: admitted on it or before, and not discharged by its end. A stay without an end counts only
    while its status says that it goes on; nobody is counted after the facility's newest batch date. -#}
{% macro is_present(stay, day, newest_batch_date) -%}
  ({{ stay }}.service_date <= {{ day }} and {{ day }} <= {{ newest_batch_date }}
   and ({{ stay }}.service_end_date > {{ day }} or ({{ stay }}.service_end_date is null and {{ is_open(stay) }})))
{%- endmacro %}

{% macro is_open(alias) -%}
  ({{ alias }}.service_end_date is null and {{ alias }}.status in ('arrived', 'triaged', 'in-progress', 'onleave'))
{%- endmacro %}

{#- Neighbouring days: date arithmetic yields a timestamp on DuckDB and a date on Snowflake. -#}
{% macro day_plus(day, days) -%} cast({{ dbt.dateadd('day', days, day) }} as date) {%- endmacro %}
{% macro next_day(day) -%} cast({{ dbt.dateadd('day', 1, day) }} as date) {%- endmacro %}
{% macro previous_day(day) -%} cast({{ dbt.dateadd('day', -1, day) }} as date) {%- endmacro %}
