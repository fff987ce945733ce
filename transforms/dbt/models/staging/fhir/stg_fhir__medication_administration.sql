{#- What was given, with the dose as sent and its unit in UCUM (R4 medicationadministration.html). `context` is the encounter; a reference to an episode of care finds none. -#}
{%- set fields = {
  'status': ['status'],
  'effective': ['effectiveDateTime'], 'effective_start': ['effectivePeriod', 'start'], 'effective_end': ['effectivePeriod', 'end'],
  'dosage_text': ['dosage', 'text'], 'dose': ['dosage', 'dose', 'value'], 'dose_unit': ['dosage', 'dose', 'unit'],
  'dose_system': ['dosage', 'dose', 'system'], 'dose_code': ['dosage', 'dose', 'code'], 'request_reference': ['request', 'reference']} -%}
{%- set is_ucum = "record.dose_system = 'http://unitsofmeasure.org'" -%}
{%- set unit_said = 'case when ' ~ is_ucum ~ ' then coalesce(record.dose_code, record.dose_unit) else coalesce(record.dose_unit, record.dose_code) end' -%}
{%- set unit = ucum_unit('spelled', unit_said, declared='case when ' ~ is_ucum ~ ' then record.dose_code end') -%}
{%- do fields.update(medication_fields()) -%}
{%- set columns = medication_columns() -%}
{%- do columns.update({
    'effective_datetime': 'coalesce(record.effective, record.effective_start)', 'effective_period_end': 'record.effective_end',
    'dosage_text': 'record.dosage_text', 'dosage_dose_value': exact_decimal('record.dose'), 'dosage_dose_value_source': 'record.dose',
    'dosage_dose_unit': unit, 'dosage_dose_unit_source': 'coalesce(record.dose_unit, record.dose_code)', 'request_key': 'request_target.target_key'}) -%}
with {{ fhir_record('MedicationAdministration', fields, dates=['effective', 'effective_start', 'effective_end'], subject='subject', encounter='context', exact=true,
                    service=['effective', 'effective_start'], service_end=['effective_end']) }},
{{ fhir_references(['subject_reference', 'encounter_reference', 'request_reference']) }},
{{ fhir_concepts(medication_concepts(['medication_administration', 'medication_administration_medication'])) }}
select
  {{ staging_select('medication_administration', fhir_columns(columns, references=['subject', 'encounter'],
     flags=[[medication('is_unmapped') ~ ' = 1', 'code.unmapped_local'], [unit_said ~ ' is not null and ' ~ unit ~ ' is null', 'unit.not_ucum']],
     days=['service', 'service_end'])) }}
{{ fhir_from(['subject', 'encounter', 'request'], ['medication', 'contained_code'], days=['service', 'service_end']) }}
{{ join_unit_of_measure('spelled', unit_said) }}
