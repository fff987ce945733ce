{%- set fields = {'status': ['status'], 'code': ['code'], 'performed': ['performedDateTime'], 'performed_start': ['performedPeriod', 'start'],
                  'performed_end': ['performedPeriod', 'end']} -%}
with {{ fhir_record('Procedure', fields, dates=['performed', 'performed_start', 'performed_end'], subject='subject', encounter='encounter') }},
{{ fhir_references(['subject_reference', 'encounter_reference']) }},
{{ fhir_concepts({'code': {'maps': ['procedure', 'procedure_code'], 'kind': 'clinical'}}) }}
select
  {{ staging_select('procedure', fhir_columns(concept_columns('code', {
    'performed_datetime': 'coalesce(record.performed, record.performed_start)',
    'service_date': local_date_of('coalesce(record.performed, record.performed_start)', 'record.timezone'),
    'service_end_date': local_date_of('record.performed_end', 'record.timezone'),
  }), references=['subject', 'encounter'], concepts=['code'])) }}
{{ fhir_from(['subject', 'encounter'], ['code']) }}
