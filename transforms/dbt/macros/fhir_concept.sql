{#-
  CodeableConcept, Coding and text -> standard code. Decided once for each distinct concept of a facility, not once a row.

  The first coding of a standard system is the code, wherever it stands: the system decides, never the shape of the code. Else the
  facility's code map speaks for a local coding or the text; else there is no code, the local one is kept and the row is flagged.
  A coding without a system is local (R4 s2.24.0.8: never assumed to be that of its neighbour).
-#}

{#- Systems whose codes are standard for an element. -#}
{% macro fhir_systems(kind) %}{{ return({
  'clinical': ['http://loinc.org', 'http://snomed.info/sct', 'http://www.nlm.nih.gov/research/umls/rxnorm', 'http://hl7.org/fhir/sid/icd-10-cm',
               'http://hl7.org/fhir/sid/cvx', 'http://hl7.org/fhir/sid/ndc', 'http://www.ama-assn.org/go/cpt',
               'http://www.cms.gov/Medicare/Coding/ICD10', 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets'],
  'class': ['http://terminology.hl7.org/CodeSystem/v3-ActCode'],
  'disposition': ['http://terminology.hl7.org/CodeSystem/discharge-disposition'],
  'condition_clinical': ['http://terminology.hl7.org/CodeSystem/condition-clinical'],
  'condition_verification': ['http://terminology.hl7.org/CodeSystem/condition-ver-status'],
  'allergy_clinical': ['http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical'],
  'allergy_verification': ['http://terminology.hl7.org/CodeSystem/allergyintolerance-verification'],
  'absent': ['http://terminology.hl7.org/CodeSystem/data-absent-reason'],
  'marital': ['http://terminology.hl7.org/CodeSystem/v3-MaritalStatus', 'http://terminology.hl7.org/CodeSystem/v3-NullFlavor'],
  'claim_type': ['http://terminology.hl7.org/CodeSystem/claim-type'],
  'organization_type': ['http://terminology.hl7.org/CodeSystem/organization-type'],
  'coverage_type': ['http://terminology.hl7.org/CodeSystem/v3-ActCode', 'https://nahdo.org/sopt']
}[kind]) }}{% endmacro %}

{#- SQL list of texts. -#}
{% macro text_list(texts) -%} ({% for text in texts %}'{{ text }}'{{ ', ' if not loop.last }}{% endfor %}) {%- endmacro %}

{#-
  CTEs that end in `concept`: element, facility_id, batch_date, concept (the JSON text), code, system, text, local_code,
  local_system, translations, is_standard, is_unmapped. `elements`: column of `record` -> {'maps': code map names, 'kind': of fhir_systems}.
-#}
{% macro fhir_concepts(elements) %}
{%- set key = ['element', 'facility_id', 'batch_date', 'concept'] %}
concept_text as (
  {%- for column in elements %}
  select distinct '{{ column }}' as element, record.facility_id, record.batch_date, record.{{ column }} as concept
  from record where record.{{ column }} is not null
  {{ 'union all' if not loop.last }}
  {%- endfor %}
),
{#- A list stands for its first element; bare text is a concept with nothing but text. -#}
concept_one as (
  select concept_text.element, concept_text.facility_id, concept_text.batch_date, concept_text.concept,
    case when left(concept_text.concept, 1) = '[' then {{ list_element(json_texts(json_parse('concept_text.concept'), [[0]]), 1) }}
      else concept_text.concept end as body
  from concept_text
),
concept_part as (
  select concept_one.element, concept_one.facility_id, concept_one.batch_date, concept_one.concept, concept_one.body,
    case when left(concept_one.body, 1) = '{' then {{ json_parse('concept_one.body') }} end as document
  from concept_one
),
concept_document as (
  select concept_part.element, concept_part.facility_id, concept_part.batch_date, concept_part.concept,
    case when concept_part.document is null then concept_part.body else {{ json_text('concept_part.document', ['text']) }} end as text,
    {{ json_parse("coalesce(" ~ json_text('concept_part.document', ['coding']) ~ ", case when " ~ json_text('concept_part.document', ['code'])
       ~ " is not null then '[' || concept_part.body || ']' end)") }} as codings
  from concept_part
),
coding_found as (
  select concept_document.element, concept_document.facility_id, concept_document.batch_date, concept_document.concept, 0 as is_text,
    cast({{ array_place('listed') }} as integer) as place, {{ json_text(array_value('listed'), ['system']) }} as system,
    {{ json_text(array_value('listed'), ['code']) }} as code, {{ json_text(array_value('listed'), ['display']) }} as display
  from concept_document{{ unnest_array('listed', 'concept_document.codings') }}
  union all
  select concept_document.element, concept_document.facility_id, concept_document.batch_date, concept_document.concept, 1, 0, null, concept_document.text, null
  from concept_document where concept_document.text is not null
),
coding_standard as (
  select coding_found.element, coding_found.facility_id, coding_found.batch_date, coding_found.concept, coding_found.is_text, coding_found.place,
    coding_found.system, coding_found.code, coding_found.display,
    case when coding_found.code is null then 0
      {%- for column, element in elements.items() %}
      when coding_found.element = '{{ column }}' and coding_found.system in {{ text_list(fhir_systems(element['kind'])) }} then 1
      {%- endfor %} else 0 end as is_standard
  from coding_found
),
coding_judged as (
  select coding_standard.element, coding_standard.facility_id, coding_standard.batch_date, coding_standard.concept, coding_standard.is_text,
    coding_standard.place, coding_standard.system, coding_standard.code, coding_standard.display, coding_standard.is_standard,
    case when coding_standard.is_standard = 0 then coding_standard.code end as local_code
  from coding_standard
),
{#- The facility's maps that speak for each element. #}
local_map as (
  select map_of.element, code_map.facility_id, code_map.valid_from, code_map.valid_to, code_map.map_name, code_map.local_code, code_map.code, code_map.system
  from (
    {%- for column, element in elements.items() %}{% set last_element = loop.last %}{% for map_name in element['maps'] %}
    select '{{ column }}' as element, '{{ map_name }}' as map_name{{ ' union all' if not (last_element and loop.last) }}
    {%- endfor %}{% endfor %}
  ) map_of
  join {{ source('ref', 'code_map') }} code_map on code_map.map_name = map_of.map_name
),
coding_mapped as (
  select coding_judged.element, coding_judged.facility_id, coding_judged.batch_date, coding_judged.concept, coding_judged.is_text, coding_judged.place,
    coding_judged.system, coding_judged.code, coding_judged.display, coding_judged.is_standard,
    local_map.code as mapped_code, local_map.system as mapped_system,
    row_number() over (
      partition by coding_judged.element, coding_judged.facility_id, coding_judged.batch_date, coding_judged.concept
      order by coding_judged.is_standard desc nulls last, case when local_map.code is null then 1 else 0 end, coding_judged.is_text, coding_judged.place,
        local_map.map_name) as choice,
    row_number() over (
      partition by coding_judged.element, coding_judged.facility_id, coding_judged.batch_date, coding_judged.concept
      order by coding_judged.is_standard + coding_judged.is_text, coding_judged.place, local_map.map_name) as local_choice
  from coding_judged
  left join local_map on {{ in_force('local_map', 'coding_judged') }} and local_map.element = coding_judged.element
    and local_map.local_code = coding_judged.local_code
),
concept_translation as (
  select other.element, other.facility_id, other.batch_date, other.concept,
    {{ dbt.listagg('other.translation', "','", 'order by other.translation') }} as translations
  from (
    select distinct coding_mapped.element, coding_mapped.facility_id, coding_mapped.batch_date, coding_mapped.concept,
      coding_mapped.system || '|' || coding_mapped.code as translation
    from coding_mapped
    where coding_mapped.is_text = 0 and coding_mapped.system is not null and not (coding_mapped.choice = 1 and coding_mapped.is_standard = 1)
  ) other
  where other.translation is not null
  group by other.element, other.facility_id, other.batch_date, other.concept
),
concept_chosen as (
  select coding_mapped.element, coding_mapped.facility_id, coding_mapped.batch_date, coding_mapped.concept,
    max(case when coding_mapped.choice = 1 then case when coding_mapped.is_standard = 1 then coding_mapped.code else coding_mapped.mapped_code end end) as code,
    max(case when coding_mapped.choice = 1 then case when coding_mapped.is_standard = 1 then coding_mapped.system else coding_mapped.mapped_system end end) as system,
    max(case when coding_mapped.choice = 1 then coding_mapped.display end) as display,
    max(coding_mapped.is_standard) as is_standard,
    max(case when coding_mapped.local_choice = 1 and coding_mapped.is_standard = 0 and coding_mapped.is_text = 0 then coding_mapped.code end) as local_code,
    max(case when coding_mapped.local_choice = 1 and coding_mapped.is_standard = 0 and coding_mapped.is_text = 0 then coding_mapped.system end) as local_system
  from coding_mapped
  group by coding_mapped.element, coding_mapped.facility_id, coding_mapped.batch_date, coding_mapped.concept
),
concept as (
  select concept_document.element, concept_document.facility_id, concept_document.batch_date, concept_document.concept,
    concept_chosen.code, concept_chosen.system, coalesce(concept_document.text, concept_chosen.display) as text,
    concept_chosen.local_code, concept_chosen.local_system, concept_translation.translations, coalesce(concept_chosen.is_standard, 0) as is_standard,
    case when concept_chosen.code is null then 1 else 0 end as is_unmapped
  from concept_document
  left join concept_chosen on {{ same_concept('concept_chosen') }}
  left join concept_translation on {{ same_concept('concept_translation') }}
)
{%- endmacro %}
{% macro same_concept(alias) -%}
  {{ alias }}.element = concept_document.element and {{ alias }}.facility_id = concept_document.facility_id
    and {{ alias }}.batch_date = concept_document.batch_date and {{ alias }}.concept = concept_document.concept
{%- endmacro %}

{#- Code columns of the contract from the concept of an element. -#}
{% macro concept_columns(element, values) %}
  {%- set alias = element ~ '_concept' -%}
  {%- set columns = {'code_code': alias ~ '.code', 'code_system': alias ~ '.system', 'code_text': alias ~ '.text',
                     'code_local_code': alias ~ '.local_code', 'code_local_system': alias ~ '.local_system',
                     'code_translations': alias ~ '.translations'} -%}
  {%- do columns.update(values) -%}
  {{ return(columns) }}
{% endmacro %}

{#- Medication of a request or an administration: its concept, else that of the Medication contained first, where the reference names it (R4 s2.28.3).
    `medication_fields` joins the fields, `medication_concepts` the elements; `medication` gives a column of the concept that counts. -#}
{% macro medication_fields() %}{{ return({
  'medication': ['medicationCodeableConcept'], 'medication_display': ['medicationReference', 'display'],
  'medication_reference': ['medicationReference', 'reference'], 'contained_type': ['contained', 0, 'resourceType'], 'contained_id': ['contained', 0, 'id'],
  'contained_code': ['contained', 0, 'code']
}) }}{% endmacro %}
{% macro medication_concepts(maps) %}{{ return({
  'medication': {'maps': maps, 'kind': 'clinical'}, 'contained_code': {'maps': maps, 'kind': 'clinical'}
}) }}{% endmacro %}
{% macro medication(column) -%}
  coalesce(medication_concept.{{ column }},
    case when record.contained_type = 'Medication' and '#' || record.contained_id = record.medication_reference then contained_code_concept.{{ column }} end)
{%- endmacro %}
{% macro medication_columns() %}{{ return({
  'medication_code_code': medication('code'), 'medication_code_system': medication('system'),
  'medication_text': 'coalesce(' ~ medication('text') ~ ', record.medication_display)', 'medication_local_code': medication('local_code')
}) }}{% endmacro %}
