{#-
  Elements that US Core 6.1.0 (the edition of USCDI v3, 45 CFR 170.215(b)(1)) requires beyond R4 itself, by resource type. What R4 requires is judged in
  the decoder and holds a resource; a source may never have promised US Core, so what is missing here is flagged and counted.
-#}
{% macro us_core_required() %}{{ return({
  'Patient': ['identifier', 'name', 'gender'], 'Encounter': ['type', 'subject'], 'Condition': ['category', 'code'], 'Procedure': ['code'],
  'Observation': ['category', 'subject'], 'DiagnosticReport': ['category', 'subject'], 'ServiceRequest': ['code'],
  'AllergyIntolerance': ['code'], 'DocumentReference': ['type', 'category', 'subject'], 'Coverage': ['relationship'], 'Location': ['name'],
  'Organization': ['active', 'name'], 'Practitioner': ['identifier', 'name']
}) }}{% endmacro %}
{% macro us_core_paths(names) %}
  {%- set paths = [] -%}{%- for name in names -%}{%- do paths.append([name]) -%}{%- endfor -%}{{ return(paths) }}
{% endmacro %}
