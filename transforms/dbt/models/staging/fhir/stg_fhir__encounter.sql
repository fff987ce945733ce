{%- set fields = {'status': ['status'], 'class': ['class'], 'period_start': ['period', 'start'], 'period_end': ['period', 'end'],
                  'disposition': ['hospitalization', 'dischargeDisposition'], 'practitioner_reference': ['participant', 0, 'individual', 'reference']} -%}
{%- for place in [0, 1, 2] -%}
  {%- do fields.update({'location_' ~ place: ['location', place, 'location', 'display'],
                        'location_type_' ~ place: ['location', place, 'physicalType', 'coding', 0, 'code']}) -%}
{%- endfor -%}
with {{ fhir_record('Encounter', fields, dates=['period_start', 'period_end'], subject='subject', service=['period_start'], service_end=['period_end']) }},
{{ fhir_references(['subject_reference', 'practitioner_reference']) }},
{{ fhir_concepts({
  'class': {'maps': ['encounter_class'], 'kind': 'class'}, 'status': {'maps': ['encounter_status'], 'kind': 'class'},
  'disposition': {'maps': ['encounter_discharge_disposition', 'discharge_disposition'], 'kind': 'disposition'}}) }}
{%- set known = "('planned', 'arrived', 'triaged', 'in-progress', 'onleave', 'finished', 'cancelled', 'entered-in-error', 'unknown')" %}
{%- set status = 'case when record.status in ' ~ known ~ ' then record.status else status_concept.code end' %}
select
  {{ staging_select('encounter', fhir_columns({
    'status_stated': 'coalesce(record.effect_status, ' ~ status ~ ')',
    'class_code': 'class_concept.code',
    'class_local_code': 'coalesce(class_concept.local_code, case when class_concept.is_standard = 0 then class_concept.text end)',
    'period_start': 'record.period_start', 'period_end': 'record.period_end',
    'location_point_of_care': fhir_place("coalesce(?, 'wa') not in ('ro', 'bd')"), 'location_room': fhir_place("? = 'ro'"), 'location_bed': fhir_place("? = 'bd'"),
    'discharge_disposition_code': 'disposition_concept.code', 'practitioner_key': 'practitioner_target.target_key',
  }, concepts=['class', 'disposition'], status=status,
     flags=[['record.status not in ' ~ known ~ ' and status_concept.code is null', 'code.unmapped_local']], days=['service', 'service_end'])) }}
{{ fhir_from(['subject', 'practitioner'], ['class', 'status', 'disposition'], days=['service', 'service_end']) }}
