{#-
  Reading C-CDA statements (C-CDA R2.1, C-CDA on FHIR mapping): which resource a statement is about, codes by object identifier, states.
-#}

{#- Does a statement follow a template? `templates` holds identifiers between bars. -#}
{% macro ccda_follows(templates, numbers) -%}
  ({% for number in numbers %}contains({{ templates }}, '|2.16.840.1.113883.10.20.22.4.{{ number }}|'){{ ' or ' if not loop.last }}{% endfor %})
{%- endmacro %}

{#- Resource of a statement (alias `statement`, with section_kind): by its template, else by the section that it stands in and its kind of act. -#}
{% macro ccda_resource() -%}
  case when {{ ccda_follows('statement.template_ids', ['4']) }} then 'condition'
    when {{ ccda_follows('statement.template_ids', ['7', '90']) }} then 'allergy_intolerance'
    when {{ ccda_follows('statement.template_ids', ['16']) }} then 'medication_request'
    when {{ ccda_follows('statement.template_ids', ['52']) }} then 'immunization'
    when {{ ccda_follows('statement.template_ids', ['2', '27', '38', '78', '85']) }} then 'observation'
    when {{ ccda_follows('statement.template_ids', ['12', '13', '14']) }} then 'procedure'
    when {{ ccda_follows('statement.template_ids', ['49']) }} then 'encounter'
    when statement.section_kind = 'problems' and statement.element = 'observation' then 'condition'
    when statement.section_kind = 'allergies' and statement.element = 'observation' then 'allergy_intolerance'
    when statement.section_kind = 'medications' and statement.element = 'substanceAdministration' then 'medication_request'
    when statement.section_kind = 'immunizations' and statement.element = 'substanceAdministration' then 'immunization'
    when statement.section_kind in ('results', 'vital_signs', 'social_history') and statement.element = 'observation' then 'observation'
    when statement.section_kind = 'procedures' and statement.element in ('procedure', 'act', 'observation') then 'procedure'
    when statement.section_kind = 'encounters' and statement.element = 'encounter' then 'encounter' end
{%- endmacro %}

{#- Authority and value of an instance identifier (II): a root alone is the identifier itself (data types R1, s2.15); a root is an object
    identifier or a UUID, which is written in lower case (RFC 9562, s4). -#}
{% macro ccda_uri(root) -%}
  case when {{ regexp_full(root, '[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}') }} then 'urn:uuid:' || lower({{ root }}) else 'urn:oid:' || {{ root }} end
{%- endmacro %}
{% macro ccda_system(root, extension) -%} case when {{ extension }} is null then 'urn:ietf:rfc:3986' else {{ ccda_uri(root) }} end {%- endmacro %}
{% macro ccda_value(root, extension) -%} coalesce({{ extension }}, {{ ccda_uri(root) }}) {%- endmacro %}

{#- Data absent reason of a nullFlavor (C-CDA on FHIR, concept map of null flavors). -#}
{% macro ccda_absent_reason(null_flavor) -%}
  case {{ null_flavor }} when 'ASKU' then 'asked-unknown' when 'NASK' then 'not-asked' when 'NA' then 'not-applicable' when 'MSK' then 'masked'
    when 'NAV' then 'temp-unknown' when 'NINF' then 'negative-infinity' when 'PINF' then 'positive-infinity'
    else case when {{ null_flavor }} is not null then 'unknown' end end
{%- endmacro %}

{#- Header and code columns of a C-CDA staging model, from `said` (stg_ccda__statement) and `coded` (its code). -#}
{% macro ccda_columns(values, flags=[]) %}
  {%- set header = {} -%}
  {%- for name in ['record_id', 'unit_id', 'delivery_id', 'payload_id', 'record_locator', 'facility_id', 'batch_date', 'received_time', 'source', 'fact_key',
                   'source_time', 'identifier_system', 'identifier_value', 'subject_key', 'reject_code'] -%}
    {%- do header.update({name: 'said.' ~ name}) -%}
  {%- endfor -%}
  {%- set found = [['coded.has_unknown_system = 1', 'ccda.unknown_code_system_oid'], ['coded.is_unmapped = 1', 'code.unmapped_local']] + flags -%}
  {%- do header.update({
    'source_order': "''", 'is_deleted': 'false', 'is_fact': 'true', 'maintains': '1', 'service_date': 'said.start_day', 'service_end_date': 'said.end_day',
    'code_code': 'coded.code', 'code_system': 'coded.system', 'code_text': 'coded.text', 'code_local_code': 'coded.local_code',
    'code_local_system': 'coded.local_system', 'code_translations': 'coded.translations', 'flags': more_flags(found, 'said.flags')}) -%}
  {%- do header.update(values) -%}
  {{ return(header) }}
{% endmacro %}

{#- Statements of a resource with the code of the element that says what they are about; `others` names further coded elements and their aliases. -#}
{% macro ccda_from(resource, coded_element, others={}) -%}
from {{ ref('stg_ccda__statement') }} said
{%- for alias, element in dict({'coded': coded_element}, **others).items() %}
left join {{ ref('stg_ccda__code') }} {{ alias }} on {{ alias }}.unit_id = said.unit_id and {{ alias }}.statement_ordinal = said.statement_ordinal
  and {{ alias }}.coded_element = '{{ element }}'
{%- endfor %}
{{ join_unit_of_measure('spelled', 'said.value_unit') if resource == 'observation' }}
where said.resource = '{{ resource }}'
{%- endmacro %}
