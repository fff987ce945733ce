{%- set fields = {'status': ['status'],
                  'do_not_perform': ['doNotPerform'], 'authored_on': ['authoredOn'], 'dosage_text': ['dosageInstruction', 0, 'text'],
                  'dosage_start': ['dosageInstruction', 0, 'timing', 'repeat', 'boundsPeriod', 'start'],
                  'dosage_end': ['dosageInstruction', 0, 'timing', 'repeat', 'boundsPeriod', 'end']} -%}
{%- do fields.update(medication_fields()) -%}
{%- set columns = medication_columns() -%}
{%- do columns.update({
    'do_not_perform': "case when record.is_deleted then null else coalesce(record.do_not_perform, 'false') end", 'authored_on': 'record.authored_on',
    'dosage_text': 'record.dosage_text', 'dosage_period_start': 'record.dosage_start', 'dosage_period_end': 'record.dosage_end'}) -%}
with {{ fhir_record('MedicationRequest', fields, dates=['authored_on', 'dosage_start', 'dosage_end'], subject='subject', encounter='encounter', service=['authored_on']) }},
{{ fhir_references(['subject_reference', 'encounter_reference']) }},
{{ fhir_concepts(medication_concepts(['medication_request', 'medication_request_medication'])) }}
select
  {{ staging_select('medication_request', fhir_columns(columns, references=['subject', 'encounter'],
     flags=[[medication('is_unmapped') ~ ' = 1', 'code.unmapped_local']], days=['service'])) }}
{{ fhir_from(['subject', 'encounter'], ['medication', 'contained_code'], days=['service']) }}
