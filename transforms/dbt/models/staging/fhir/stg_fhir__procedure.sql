{%- set fields = {'status': ['status'], 'code': ['code'], 'performed': ['performedDateTime'], 'performed_start': ['performedPeriod', 'start'],
                  'performed_end': ['performedPeriod', 'end']} -%}
with {{ fhir_record('Procedure', fields, dates=['performed', 'performed_start', 'performed_end'], subject='subject', encounter='encounter', service=['performed', 'performed_start'], service_end=['performed_end']) }},
{{ fhir_references(['subject_reference', 'encounter_reference']) }},
{{ fhir_concepts({'code': {'maps': ['procedure', 'procedure_code'], 'kind': 'clinical'}}) }}
select
  {{ staging_select('procedure', fhir_columns(concept_columns('code', {
    'performed_datetime': 'coalesce(record.performed, record.performed_start)',
  }), references=['subject', 'encounter'], concepts=['code'], days=['service', 'service_end'])) }}
{{ fhir_from(['subject', 'encounter'], ['code'], days=['service', 'service_end']) }}
