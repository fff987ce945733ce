{#- One row for each component of an observation (R4 Observation.component), as part of it: key is the observation and the component's place. A
    component without a value says why (dataAbsentReason) and is a row like any other. -#}
{{ config(told_by=['Observation']) }}
{%- set paths = {'code': ['code'], 'quantity_value': ['valueQuantity', 'value'], 'quantity_comparator': ['valueQuantity', 'comparator'],
  'quantity_unit': ['valueQuantity', 'unit'], 'quantity_system': ['valueQuantity', 'system'], 'quantity_code': ['valueQuantity', 'code'],
  'integer_value': ['valueInteger'], 'string_value': ['valueString'], 'boolean_value': ['valueBoolean'], 'datetime_value': ['valueDateTime'],
  'time_value': ['valueTime'], 'value_concept': ['valueCodeableConcept'], 'absent': ['dataAbsentReason']} -%}
{%- set is_ucum = "record.quantity_system = 'http://unitsofmeasure.org'" -%}
{%- set unit_said = 'case when ' ~ is_ucum ~ ' then coalesce(record.quantity_code, record.quantity_unit) else coalesce(record.quantity_unit, record.quantity_code) end' -%}
{%- set unit = ucum_unit('spelled', unit_said, declared='case when ' ~ is_ucum ~ ' then record.quantity_code end') -%}
{%- set number = 'coalesce(record.quantity_value, record.integer_value)' -%}
{%- set whole = ['record_id', 'unit_id', 'delivery_id', 'payload_id', 'record_locator', 'facility_id', 'batch_date', 'received_time', 'source', 'source_time',
  'source_order', 'is_deleted', 'awaits_key', 'id', 'subject_key', 'encounter_key', 'encounter_identifier_value', 'status', 'service_date',
  'service_end_date', 'version_key', 'reject_code'] -%}
with holding as (
  select sent.record_id, {{ json_parse_exact('sent.resource') }} as document
  from {{ source('raw', 'raw_fhir__resource') }} sent
  where sent.resource_type = 'Observation' and contains(sent.resource, '"component"') and sent.is_deleted = false and {{ in_scope('sent') }}
),
part as (
  select holding.record_id, {{ json_parse(json_text('holding.document', ['component'])) }} as parts
  from holding
),
listed as (
  select part.record_id, cast({{ array_place('one') }} as integer) as place, {{ json_texts(array_value('one'), paths.values() | list) }} as texts
  from part{{ unnest_array('one', 'part.parts') }}
),
record as (
  select {% for name in whole %}observation.{{ name }}, {% endfor %}observation.fact_key as observation_key, listed.place
    {%- for name in paths %}, {{ list_element('listed.texts', loop.index) }} as {{ name }}{% endfor %}
  from listed
  join {{ ref('stg_fhir__observation') }} observation on observation.record_id = listed.record_id
),
{{ fhir_concepts({
  'code': {'maps': ['observation', 'observation_code'], 'kind': 'clinical'},
  'value_concept': {'maps': ['observation_value', 'observation_value_codeable_concept'], 'kind': 'clinical'},
  'absent': {'maps': ['observation_data_absent_reason'], 'kind': 'absent'}}) }}
{%- set values = {
    'fact_key': md5_key(['record.facility_id', "'observation_component'", 'record.observation_key', 'record.place']),
    'is_fact': 'false', 'maintains': '1', 'observation_key': 'record.observation_key', 'observation_id': 'record.id',
    'value_quantity_value': exact_decimal(number), 'value_quantity_value_source': number, 'value_quantity_comparator': 'record.quantity_comparator',
    'value_quantity_unit': unit, 'value_quantity_unit_source': 'coalesce(record.quantity_unit, record.quantity_code)',
    'value_string': 'coalesce(record.string_value, record.boolean_value, record.datetime_value, record.time_value)',
    'value_codeable_concept_code': 'coalesce(value_concept_concept.code, value_concept_concept.local_code)',
    'value_codeable_concept_system': 'case when value_concept_concept.code is null then value_concept_concept.local_system else value_concept_concept.system end',
    'value_codeable_concept_text': 'value_concept_concept.text', 'data_absent_reason_code': 'absent_concept.code',
    'flags': flag_list([['code_concept.is_unmapped = 1 or value_concept_concept.is_unmapped = 1', 'code.unmapped_local'],
                        [unit_said ~ ' is not null and ' ~ unit ~ ' is null', 'unit.not_ucum']])} -%}
{%- for name in whole -%}{%- do values.update({name: 'record.' ~ name}) -%}{%- endfor %}
select
  {{ staging_select('observation_component', concept_columns('code', values)) }}
{{ fhir_from([], ['code', 'value_concept', 'absent']) }}
{{ join_unit_of_measure('spelled', unit_said) }}
