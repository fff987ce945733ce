{%- set fields = {'status': ['status'], 'medication': ['medicationCodeableConcept'], 'medication_display': ['medicationReference', 'display'],
                  'do_not_perform': ['doNotPerform'], 'authored_on': ['authoredOn'], 'dosage_text': ['dosageInstruction', 0, 'text'],
                  'dosage_start': ['dosageInstruction', 0, 'timing', 'repeat', 'boundsPeriod', 'start'],
                  'dosage_end': ['dosageInstruction', 0, 'timing', 'repeat', 'boundsPeriod', 'end']} -%}
with {{ fhir_record('MedicationRequest', fields, dates=['authored_on', 'dosage_start', 'dosage_end'], subject='subject', encounter='encounter', service=['authored_on']) }},
{{ fhir_references(['subject_reference', 'encounter_reference']) }},
{{ fhir_concepts({'medication': {'maps': ['medication_request', 'medication_request_medication'], 'kind': 'clinical'}}) }}
select
  {{ staging_select('medication_request', fhir_columns({
    'medication_code_code': 'medication_concept.code', 'medication_code_system': 'medication_concept.system',
    'medication_text': 'coalesce(medication_concept.text, record.medication_display)', 'medication_local_code': 'medication_concept.local_code',
    'do_not_perform': "case when record.is_deleted then null else coalesce(record.do_not_perform, 'false') end", 'authored_on': 'record.authored_on',
    'dosage_text': 'record.dosage_text', 'dosage_period_start': 'record.dosage_start', 'dosage_period_end': 'record.dosage_end',
  }, references=['subject', 'encounter'], concepts=['medication'], days=['service'])) }}
{{ fhir_from(['subject', 'encounter'], ['medication'], days=['service']) }}
