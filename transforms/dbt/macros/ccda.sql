{#-
  Reading C-CDA statements (C-CDA R2.1, C-CDA on FHIR mapping): which resource a statement is about, codes by object identifier, states.
-#}

{#- Does a statement follow a template? `templates` holds identifiers between bars. -#}
{% macro ccda_follows(templates, numbers) -%}
  ({% for number in numbers %}contains({{ templates }}, '|2.16.840.1.113883.10.20.22.4.{{ number }}|'){{ ' or ' if not loop.last }}{% endfor %})
{%- endmacro %}

{#- Does a statement declare an entry template of C-CDA? One that is none of a resource's says that it is something else. -#}
{% macro ccda_declares_template(templates) -%} contains({{ templates }}, '|2.16.840.1.113883.10.20.22.4.') {%- endmacro %}

{#- Resource of a statement (alias `statement`, with section_kind): by its template, else by the section that it stands in and its kind of act. A concern
    may hold its priority beside the problem, and a section the state of health: what declares a template of its own there is no problem. An
    immunization that is only intended (moodCode INT) was not given and is none. -#}
{% macro ccda_resource() -%}
  {%- set is_event = "coalesce(statement.mood_code, 'EVN') = 'EVN'" -%}
  case when {{ ccda_follows('statement.template_ids', ['4']) }} then 'condition'
    when {{ ccda_follows('statement.template_ids', ['7', '90']) }} then 'allergy_intolerance'
    when {{ ccda_follows('statement.template_ids', ['16']) }} then 'medication_request'
    when {{ ccda_follows('statement.template_ids', ['52']) }} then case when {{ is_event }} then 'immunization' end
    when {{ ccda_follows('statement.template_ids', ['2', '27', '38', '78', '85']) }} then 'observation'
    when {{ ccda_follows('statement.template_ids', ['12', '13', '14']) }} then 'procedure'
    when {{ ccda_follows('statement.template_ids', ['49']) }} then 'encounter'
    when statement.section_kind in ('problems', 'allergies') and {{ ccda_declares_template('statement.template_ids') }} then null
    when statement.section_kind = 'problems' and statement.element = 'observation' then 'condition'
    when statement.section_kind = 'allergies' and statement.element = 'observation' then 'allergy_intolerance'
    when statement.section_kind = 'medications' and statement.element = 'substanceAdministration' then 'medication_request'
    when statement.section_kind = 'immunizations' and statement.element = 'substanceAdministration' then case when {{ is_event }} then 'immunization' end
    when statement.section_kind in ('results', 'vital_signs', 'social_history') and statement.element = 'observation' then 'observation'
    when statement.section_kind = 'procedures' and statement.element in ('procedure', 'act', 'observation') then 'procedure'
    when statement.section_kind = 'encounters' and statement.element = 'encounter' then 'encounter' end
{%- endmacro %}

{#- Was the statement, or the concern that it stands in, entered in error (ActStatus nullified)? -#}
{% macro ccda_is_nullified() -%} ('nullified' in (coalesce(said.status_code, ''), coalesce(said.concern_status, ''))) {%- endmacro %}

{#- Clinical status that a status observation states (LOINC 33999-4; C-CDA on FHIR, problem and allergy status). -#}
{% macro ccda_stated_status() -%}
  case said.stated_status when '55561003' then 'active' when '73425007' then 'inactive' when '413322009' then 'resolved' when '277022003' then 'remission'
    when '246455001' then 'recurrence' when '263855007' then 'relapse' end
{%- endmacro %}

{#- Clinical status of a problem or allergy (C-CDA on FHIR, problems): what a status observation states, unless an end says that it is over, by its
    date or as unknown (C-CDA R2.1, Problem Observation: a high that is there means resolved); else that of the concern. -#}
{% macro ccda_clinical_status() -%}
  {%- set stated = ccda_stated_status() -%}
  case when {{ ccda_is_nullified() }} then null
    when {{ stated }} in ('inactive', 'resolved', 'remission') then {{ stated }}
    when said.end_text is not null or said.end_null_flavor = 'UNK' then 'resolved'
    when {{ stated }} is not null then {{ stated }}
    when said.concern_status in ('aborted', 'suspended', 'completed') then 'inactive' else 'active' end
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
                   'source_time', 'source_order', 'identifier_system', 'identifier_value', 'subject_key', 'reject_code'] -%}
    {%- do header.update({name: 'said.' ~ name}) -%}
  {%- endfor -%}
  {%- set found = [['coded.has_unknown_system = 1', 'ccda.unknown_code_system_oid'], ['coded.is_unmapped = 1', 'code.unmapped_local']] + flags -%}
  {%- do header.update({
    'is_deleted': 'false', 'is_fact': 'true', 'maintains': '1', 'service_date': 'said.start_day', 'service_end_date': 'said.end_day',
    'code_code': 'coded.code', 'code_system': 'coded.system', 'code_text': 'coded.text', 'code_local_code': 'coded.local_code',
    'code_local_system': 'coded.local_system', 'code_translations': 'coded.translations', 'flags': more_flags(found, 'said.flags')}) -%}
  {%- do header.update(values) -%}
  {{ return(header) }}
{% endmacro %}

{#- Statements of a resource with the code of the element that says what they are about; `others` names further coded elements and their aliases,
    `unit` the unit whose spelling is looked up as `spelled`. -#}
{% macro ccda_from(resource, coded_element, others={}, unit=none) -%}
from {{ ref('stg_ccda__statement') }} said
{%- for alias, element in dict({'coded': coded_element}, **others).items() %}
left join {{ ref('stg_ccda__code') }} {{ alias }} on {{ alias }}.unit_id = said.unit_id and {{ alias }}.statement_ordinal = said.statement_ordinal
  and {{ alias }}.coded_element = '{{ element }}'
{%- endfor %}
{{ join_unit_of_measure('spelled', unit) if unit }}
where said.resource = '{{ resource }}'
{%- endmacro %}
