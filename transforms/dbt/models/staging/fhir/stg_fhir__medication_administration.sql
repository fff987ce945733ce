{#- What was given, with the dose as sent and its unit in UCUM (R4 medicationadministration.html). `context` is the encounter; a reference to an episode of care finds none. -#}
{%- set fields = {
  'status': ['status'], 'medication': ['medicationCodeableConcept'], 'medication_display': ['medicationReference', 'display'],
  'effective': ['effectiveDateTime'], 'effective_start': ['effectivePeriod', 'start'], 'effective_end': ['effectivePeriod', 'end'],
  'dosage_text': ['dosage', 'text'], 'dose': ['dosage', 'dose', 'value'], 'dose_unit': ['dosage', 'dose', 'unit'],
  'dose_system': ['dosage', 'dose', 'system'], 'dose_code': ['dosage', 'dose', 'code'], 'request_reference': ['request', 'reference']} -%}
{%- set is_ucum = "record.dose_system = 'http://unitsofmeasure.org'" -%}
{%- set unit_said = 'case when ' ~ is_ucum ~ ' then coalesce(record.dose_code, record.dose_unit) else coalesce(record.dose_unit, record.dose_code) end' -%}
{%- set unit = ucum_unit('spelled', unit_said, declared='case when ' ~ is_ucum ~ ' then record.dose_code end') -%}
with {{ fhir_record('MedicationAdministration', fields, dates=['effective', 'effective_start', 'effective_end'], subject='subject', encounter='context', exact=true,
                    service=['effective', 'effective_start'], service_end=['effective_end']) }},
{{ fhir_references(['subject_reference', 'encounter_reference', 'request_reference']) }},
{{ fhir_concepts({'medication': {'maps': ['medication_administration', 'medication_administration_medication'], 'kind': 'clinical'}}) }}
select
  {{ staging_select('medication_administration', fhir_columns({
    'medication_code_code': 'medication_concept.code', 'medication_code_system': 'medication_concept.system',
    'medication_text': 'coalesce(medication_concept.text, record.medication_display)', 'medication_local_code': 'medication_concept.local_code',
    'effective_datetime': 'coalesce(record.effective, record.effective_start)', 'effective_period_end': 'record.effective_end',
    'dosage_text': 'record.dosage_text', 'dosage_dose_value': exact_decimal('record.dose'), 'dosage_dose_value_source': 'record.dose',
    'dosage_dose_unit': unit, 'dosage_dose_unit_source': 'coalesce(record.dose_unit, record.dose_code)', 'request_key': 'request_target.target_key',
  }, references=['subject', 'encounter'], concepts=['medication'],
     flags=[[unit_said ~ ' is not null and ' ~ unit ~ ' is null', 'unit.not_ucum']], days=['service', 'service_end'])) }}
{{ fhir_from(['subject', 'encounter', 'request'], ['medication'], days=['service', 'service_end']) }}
{{ join_unit_of_measure('spelled', unit_said) }}
