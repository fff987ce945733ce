{#-
  Keys of facts, one expression for every dialect: facts of one facility that carry the same business key are one fact.
  Arguments are SQL expressions. `system` is the assigning authority's URI, or whatever tells two numberings apart.
-#}
{% macro fact_key(resource, facility_id, parts) -%} {{ md5_key([facility_id, "'" ~ resource ~ "'"] + parts) }} {%- endmacro %}
{% macro patient_key(facility_id, system, value) -%} {{ fact_key('patient', facility_id, [system, value]) }} {%- endmacro %}
{% macro encounter_key(facility_id, system, value) -%} {{ fact_key('encounter', facility_id, [system, value]) }} {%- endmacro %}
{% macro practitioner_key(facility_id, system, value) -%} {{ fact_key('practitioner', facility_id, [system, value]) }} {%- endmacro %}

{#- Is the registry row `registered` the one in force for the row `alias` (facility and batch date)? -#}
{% macro in_force(registered, alias) -%}
  {{ registered }}.facility_id = {{ alias }}.facility_id
    and {{ alias }}.batch_date >= {{ registered }}.valid_from and {{ alias }}.batch_date < {{ registered }}.valid_to
{%- endmacro %}
