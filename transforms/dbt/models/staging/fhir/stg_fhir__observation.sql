{%- set fields = {
  'status': ['status'], 'code': ['code'], 'effective': ['effectiveDateTime'], 'effective_start': ['effectivePeriod', 'start'],
  'effective_instant': ['effectiveInstant'], 'effective_event': ['effectiveTiming', 'event', 0], 'issued': ['issued'],
  'quantity_value': ['valueQuantity', 'value'], 'quantity_comparator': ['valueQuantity', 'comparator'], 'quantity_unit': ['valueQuantity', 'unit'],
  'quantity_system': ['valueQuantity', 'system'], 'quantity_code': ['valueQuantity', 'code'], 'integer_value': ['valueInteger'],
  'string_value': ['valueString'], 'boolean_value': ['valueBoolean'], 'time_value': ['valueTime'], 'value_concept': ['valueCodeableConcept'],
  'datetime_value': ['valueDateTime'], 'period_value': ['valuePeriod', 'start'],
  'numerator': ['valueRatio', 'numerator', 'value'], 'denominator': ['valueRatio', 'denominator', 'value'],
  'range_low': ['valueRange', 'low', 'value'], 'range_high': ['valueRange', 'high', 'value'], 'absent': ['dataAbsentReason'],
  'performer_display': ['performer', 0, 'display'], 'performer_reference': ['performer', 0, 'reference'], 'contained': ['contained'],
  'based_on_identifier_value': ['basedOn', 0, 'identifier', 'value']} -%}
{%- set dates = ['effective', 'effective_start', 'effective_instant', 'effective_event', 'issued', 'datetime_value', 'period_value'] -%}
{%- set effective = 'coalesce(record.effective, record.effective_start, record.effective_instant, record.effective_event)' -%}
{%- set number = 'coalesce(record.quantity_value, record.integer_value)' -%}
{#- A code of system UCUM is the unit whatever is displayed; without that system the displayed unit is only text (R4 s2.24.0.12). -#}
{%- set is_ucum = "record.quantity_system = 'http://unitsofmeasure.org'" -%}
{%- set unit_said = 'case when ' ~ is_ucum ~ ' then coalesce(record.quantity_code, record.quantity_unit) else coalesce(record.quantity_unit, record.quantity_code) end' -%}
{%- set unit = ucum_unit('spelled', unit_said, declared='case when ' ~ is_ucum ~ ' then record.quantity_code end') -%}
with {{ fhir_record('Observation', fields, dates=dates, subject='subject', encounter='encounter', exact=true, service=['effective', 'effective_start', 'effective_instant', 'effective_event'],
  kinds={'effective_instant': 'instant', 'issued': 'instant'}) }},
{{ fhir_references(['subject_reference', 'encounter_reference']) }},
{{ fhir_concepts({
  'code': {'maps': ['observation', 'observation_code'], 'kind': 'clinical'},
  'value_concept': {'maps': ['observation_value', 'observation_value_codeable_concept'], 'kind': 'clinical'},
  'absent': {'maps': ['observation_data_absent_reason'], 'kind': 'absent'}}) }},
{#- A contained performer has no identity outside its observation (R4 s2.28.3): only its name is taken. -#}
contained_performer as (
  select record.record_id, min({{ shown_name(array_value('listed')) }}) as display
  from record{{ unnest_array('listed', json_parse('record.contained')) }}
  where record.contained is not null and '#' || {{ json_text(array_value('listed'), ['id']) }} = record.performer_reference
  group by record.record_id
)
select
  {{ staging_select('observation', fhir_columns(concept_columns('code', {
    'effective_datetime': effective, 'issued': 'record.issued',
    'value_quantity_value': exact_decimal(number), 'value_quantity_value_source': number,
    'value_quantity_comparator': 'record.quantity_comparator',
    'value_quantity_unit': unit,
    'value_quantity_unit_source': 'coalesce(record.quantity_unit, record.quantity_code)',
    'value_string': 'coalesce(record.string_value, record.boolean_value, record.time_value)',
    'value_codeable_concept_code': 'coalesce(value_concept_concept.code, value_concept_concept.local_code)',
    'value_codeable_concept_system': 'case when value_concept_concept.code is null then value_concept_concept.local_system else value_concept_concept.system end',
    'value_codeable_concept_text': 'value_concept_concept.text', 'value_datetime': 'coalesce(record.datetime_value, record.period_value)',
    'value_ratio_numerator_value': exact_decimal('record.numerator'), 'value_ratio_denominator_value': exact_decimal('record.denominator'),
    'value_range_low_value': exact_decimal('record.range_low'), 'value_range_high_value': exact_decimal('record.range_high'),
    'data_absent_reason_code': 'absent_concept.code', 'performer_display': 'coalesce(record.performer_display, contained_performer.display)',
    'based_on_identifier_value': 'record.based_on_identifier_value',
  }), references=['subject', 'encounter'], concepts=['code', 'value_concept'], flags=[[unit_said ~ ' is not null and ' ~ unit ~ ' is null', 'unit.not_ucum']], days=['service'])) }}
{{ fhir_from(['subject', 'encounter'], ['code', 'value_concept', 'absent'], days=['service']) }}
left join contained_performer on contained_performer.record_id = record.record_id
{{ join_unit_of_measure('spelled', unit_said) }}
